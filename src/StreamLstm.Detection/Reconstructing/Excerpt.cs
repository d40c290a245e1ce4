using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Reconstructing;

/// <summary>A stretch of one stream and the rows before it, cut out of the stream's memory: reconstructing it needs the stream no more.</summary>
/// <remarks>Cutting copies at most 8,192 rows, which is all that the thread that owns the stream does.</remarks>
public sealed class Excerpt
{
    /// <summary>Rows of a stretch at most: of a longer one the beginning.</summary>
    public const int RowsMax = 256;

    /// <summary>Clean rows before a stretch from which anything can be told.</summary>
    public const int CleanRowsMin = 256;

    /// <summary>Clean rows from which the network goes on to learn the stream's own shape: of fewer it learns too little that holds.</summary>
    private const int TunedFrom = 1_024;

    /// <summary>Rows of an incident at least, with those before it that are spared: fewer are rows that were suspicious only.</summary>
    private const int IncidentRowsMin = 9;

    /// <summary>Rows that are told of where nothing is wrong.</summary>
    private const int OrdinaryRows = 48;

    private readonly double[] _values;      // (rows), those before the stretch and the stretch itself
    private readonly double[] _seconds;
    private readonly bool[] _isAbnormal;
    private readonly int _from;
    private readonly int _length;
    private readonly ValueScale _scale;
    private readonly (int Short, int Long) _seasons;
    private readonly bool _isRate;
    private readonly bool _isCut;

    private Excerpt(ValueRing ring, long from, long until, ValueScale scale, int shortSeason, int longSeason, bool isRate)
    {
        int count = (int)(until - ring.First);
        (_values, _seconds, _isAbnormal) = (new double[count], new double[count], new bool[count]);

        for (int i = 0; i < count; i++)
        {
            long row = ring.First + i;
            (_values[i], _seconds[i], _isAbnormal[i]) = (ring[row], ring.Seconds(row), ring.IsAbnormal(row));
        }

        (_from, _scale, _seasons, _isRate) = ((int)(from - ring.First), scale, (shortSeason, longSeason), isRate);
        _length = Math.Min(RowsMax, count - _from);
        _isCut = _from + _length < count;
    }

    /// <summary>Says what should have come. The same each time; takes about half a second of one core, where there are few rows some milliseconds.</summary>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    public Reconstruction Reconstruct(CancellationToken cancellationToken = default)
    {
        var past = new StretchPast([.. _values.Select(value => (float)_scale.Y(value))], _isAbnormal, _seasons.Short, _seasons.Long);
        int clean = past.CleanBefore(_from);
        ReconstructionNetwork network = ReconstructionNetwork.Shipped;
        network = clean >= TunedFrom ? ReconstructionTraining.Tuned(network, past, _from, cancellationToken) : network;
        float[] bands = network.Fill(past, _from, _length);
        var rows = new ReconstructedRow[_length];

        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = new ReconstructedRow(
                Time(_seconds[_from + i]),
                _values[_from + i],
                _scale.Value(bands[3 * i + 1]),
                _scale.Value(bands[3 * i]),
                _scale.Value(bands[3 * i + 2]));
        }

        return new Reconstruction(rows, _isCut, _isRate, clean);
    }

    /// <summary>Cuts the incident at a time out of a stream's last rows, or the last one; where there is none, what came around then.</summary>
    /// <param name="ring">The stream's last rows.</param>
    /// <param name="scale">Its scale.</param>
    /// <param name="shortSeason">Rows of its short season; 0 for none.</param>
    /// <param name="longSeason">Rows of its long season; 0 for none.</param>
    /// <param name="at">A time in it; null for the last.</param>
    /// <param name="isRate">Whether the rows are a counter's changes.</param>
    /// <param name="missing">Why there is none; null where there is.</param>
    internal static Excerpt? Of(ValueRing ring, ValueScale scale, int shortSeason, int longSeason, DateTimeOffset? at, bool isRate, out string? missing)
    {
        if (ring.Count == 0)
        {
            missing = $"it has no rows yet, and {CleanRowsMin} are needed before the stretch";
            return null;
        }

        double? seconds = at is { } time ? time.UtcTicks / (double)TimeSpan.TicksPerSecond : null;

        if (seconds < ring.Seconds(ring.First) || seconds > ring.Seconds(ring.Count - 1) + 1)
        {
            missing = FormattableString.Invariant(
                $"of that time it holds no rows: it holds those from {Time(ring.Seconds(ring.First)):u} to {Time(ring.Seconds(ring.Count - 1)):u}");
            return null;
        }

        (long from, long until) = Around(ring, seconds is { } wanted ? ring.RowAt(wanted, double.MaxValue) : null);
        int clean = 0;

        for (long row = ring.First; row < from; row++)
        {
            clean += ring.IsAbnormal(row) ? 0 : 1;
        }

        missing = clean >= CleanRowsMin ? null : FormattableString.Invariant($"{clean} clean rows are held from before the stretch, expected {CleanRowsMin}");
        return missing is null ? new Excerpt(ring, from, until, scale, shortSeason, longSeason, isRate) : null;
    }

    /// <summary>A row's time, by the seconds since year 1 that a ring has; to the millisecond, which is as fine as those are for certain.</summary>
    private static DateTimeOffset Time(double seconds) => new((long)Math.Round(1000 * seconds) * TimeSpan.TicksPerMillisecond, TimeSpan.Zero);

    private static (long From, long Until) Around(ValueRing ring, long? row)
    {
        for (long until = ring.Count; row is null && until > ring.First; until--)
        {
            long from = until;

            while (from > ring.First && ring.IsAbnormal(from - 1))
            {
                from--;
            }

            if (until - from >= IncidentRowsMin)
            {
                return (from, until);
            }

            until = Math.Min(until, from + 1);
        }

        long middle = row ?? ring.Count - OrdinaryRows / 2;

        if (row is null || !ring.IsAbnormal(middle))
        {
            return (Math.Max(ring.First, middle - OrdinaryRows / 2), Math.Min(ring.Count, middle + OrdinaryRows / 2));
        }

        (long first, long end) = (middle, middle + 1);

        while (first > ring.First && ring.IsAbnormal(first - 1))
        {
            first--;
        }

        while (end < ring.Count && ring.IsAbnormal(end))
        {
            end++;
        }

        return (first, end);
    }
}
