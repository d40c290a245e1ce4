using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>The channels behind the reported score: raw indicators, calibrated fast and slow, and merged.</summary>
/// <remarks>
/// Fast forgets what it has shown at once and picks alerts for rankings; slow learns of a row 400 rows late, so that an
/// anomaly does not teach its own score away, and is what is reported; it ranks windows with their peaks cut, as one high
/// peak must not outweigh a shape that is wrong throughout. Indicators of single rows are noisy: above a
/// decade they count by their logarithm only. Indicators of shapes are not: one strong shape stays visible.
/// </remarks>
internal sealed class ReportBank
{
    /// <summary>Rows before a score is given: eight blocks of maxima.</summary>
    public const int FirstScoredRow = 200;

    private const int SlowDelayBlocks = 16;

    /// <summary>Normal scores beyond this carry no further information about a persistent deviation.</summary>
    private const double NormalScoreMax = 4;

    /// <summary>The period of a stream that has none.</summary>
    private const int DefaultPeriod = 64;

    private const int ShapeWindow = 32;

    /// <summary>Windows a row that are fed again when the period has changed: the rest waits, so that no row takes long.</summary>
    private const int WindowsPerRow = 16;

    /// <summary>Alerts want several witnesses, a ranking of rows the strongest one.</summary>
    public const double FastPower = 0.4;
    private const double SlowPower = 0.8;

    /// <summary>Channels from this one on are those of shapes.</summary>
    private const int FirstShape = (int)ReportChannel.Shape;

    private static readonly int Count = Enum.GetValues<ReportChannel>().Length;

    private static readonly string[] Names = [.. Enum.GetNames<ReportChannel>().Select(name => name.ToLowerInvariant())];

    private readonly BlockMaximaTail[] _fast = NewTails(delayBlocks: 0);
    private readonly BlockMaximaTail[] _slow = NewTails(SlowDelayBlocks);
    private readonly double[] _values = new double[Count];
    private readonly double[] _limited = new double[Count - FirstShape];
    private readonly double[] _fastScores = new double[Count];
    private readonly double[] _slowScores = new double[Count];
    private readonly double[] _drift = new double[4];
    private readonly MemorySizes _sizes;
    private readonly DelayedCoreset _context;
    private readonly ShapeChannel[] _shapes;
    private readonly ShapeChannel?[] _next = new ShapeChannel?[Count - FirstShape];
    private int _period = DefaultPeriod;
    private double _scatter = 1;
    private double _mean3, _mean9;
    private long _rows;
    private double _mean, _squares;

    public ReportBank(MemorySizes sizes)
    {
        _sizes = sizes;
        _context = new DelayedCoreset(sizes.NoveltyMembers);
        _shapes = [.. Enumerable.Range(0, Count - FirstShape).Select(i => NewShape(i, DefaultPeriod, fedUpTo: -1))];
    }

    /// <summary>The score that picks alerts, in decades.</summary>
    public double Fast { get; private set; } = -2;

    /// <summary>The score that is reported, in decades.</summary>
    public double Slow { get; private set; } = -2;

    /// <summary>The channel that says most of the reported score.</summary>
    public string Strongest => Names[Array.IndexOf(_slowScores, _slowScores.Max())];

    /// <summary>Judges one row, then learns from it unless it is not to.</summary>
    /// <param name="row">The row, the newest the ring holds.</param>
    /// <param name="ring">The stream's last values.</param>
    /// <param name="forecast">The value's tails under the forecasts: (horizons).</param>
    /// <param name="forecast24">The median forecast for it 24 rows before; null while there is none.</param>
    /// <param name="marginal">Its tail among all values before it.</param>
    /// <param name="seen">The lowest and highest value before it.</param>
    /// <param name="scale">The stream's scale.</param>
    /// <param name="period">The stream's period in rows; 0 for none.</param>
    /// <param name="means">How far it and the means before it are from all remembered: the channel of that name.</param>
    /// <param name="teaches">Whether it learns from the row.</param>
    public void Observe(
        long row, ValueRing ring, ReadOnlySpan<Tail> forecast, double? forecast24, Tail marginal,
        (double Low, double High) seen, ValueScale scale, int period, double means, bool teaches)
    {
        double value = ring[row];
        double y = scale.Y(value);
        _values[(int)ReportChannel.Ahead24] = Drift(3, forecast[2], weight: 0.3);
        _values[(int)ReportChannel.Drift1] = Drift(0, forecast[0], weight: 0.1);
        _values[(int)ReportChannel.Drift6] = Drift(1, forecast[1], weight: 0.1);
        _values[(int)ReportChannel.Drift24] = Drift(2, forecast[2], weight: 0.1);
        _values[(int)ReportChannel.Range] = BeyondRange(y, scale.Y(seen.Low), scale.Y(seen.High));
        _values[(int)ReportChannel.Rarity] = -Math.Log(marginal.Probability);
        _values[(int)ReportChannel.Scatter] = Scatter(marginal);
        _values[(int)ReportChannel.Means] = means;
        Context(row, y, forecast24 is { } expected ? scale.Y(expected) : y, teaches);
        Shapes(row, ring, scale, period == 0 ? DefaultPeriod : period, teaches);

        for (int channel = 0; channel < Count; channel++)
        {
            double indicator = _values[channel];
            bool isShape = channel >= FirstShape;
            double ranked = isShape ? _limited[channel - FirstShape] : indicator;
            _fastScores[channel] = row < FirstScoredRow ? -2 : Temper(_fast[channel].Score(indicator), isShape);
            _slowScores[channel] = row < FirstScoredRow ? -2 : Temper(_slow[channel].Score(ranked), isShape);

            if (teaches)
            {
                _fast[channel].Add(indicator);
                _slow[channel].Add(ranked);
            }
            else
            {
                _fast[channel].Skip();
                _slow[channel].Skip();
            }
        }

        Fast = ScoreCombination.PowerMean(_fastScores, FastPower);
        Slow = ScoreCombination.PowerMean(_slowScores, SlowPower);
    }

    /// <summary>Keeps rows from calibrating afterwards, as far as they have not yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row observed.</param>
    /// <param name="lastRowsAgo">The last of them.</param>
    public void Exclude(long firstRowsAgo, long lastRowsAgo)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Exclude(firstRowsAgo, lastRowsAgo);
        }
    }

    public void Save(BinaryWriter writer)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Save(writer);
        }

        foreach (double value in _values.Concat(_limited).Concat(_drift))
        {
            writer.Write(value);
        }

        writer.Write(Fast);
        writer.Write(Slow);
        writer.Write(_scatter);
        _context.Save(writer);
        writer.Write(_mean3);
        writer.Write(_mean9);
        writer.Write(_rows);
        writer.Write(_mean);
        writer.Write(_squares);
        writer.Write(_period);

        for (int i = 0; i < _shapes.Length; i++)
        {
            writer.Write(_shapes[i].Window);
            _shapes[i].Save(writer);
            writer.Write(_next[i]?.Window ?? 0);
            _next[i]?.Save(writer);
        }
    }

    public void Load(BinaryReader reader)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Load(reader);
        }

        for (int i = 0; i < _values.Length; i++)
        {
            _values[i] = reader.ReadDouble();
        }

        for (int i = 0; i < _limited.Length; i++)
        {
            _limited[i] = reader.ReadDouble();
        }

        for (int i = 0; i < _drift.Length; i++)
        {
            _drift[i] = reader.ReadDouble();
        }

        Fast = reader.ReadDouble();
        Slow = reader.ReadDouble();
        _scatter = reader.ReadDouble();
        _context.Load(reader);
        _mean3 = reader.ReadDouble();
        _mean9 = reader.ReadDouble();
        _rows = reader.ReadInt64();
        _mean = reader.ReadDouble();
        _squares = reader.ReadDouble();
        _period = reader.ReadInt32();

        for (int i = 0; i < _shapes.Length; i++)
        {
            _shapes[i] = LoadShape(i, reader) ?? throw new InvalidDataException($"shape {i}: no window");
            _next[i] = LoadShape(i, reader);
        }
    }

    private static BlockMaximaTail[] NewTails(int delayBlocks) =>
    [
        .. Enumerable.Range(0, Count).Select(channel => channel >= FirstShape
            ? new BlockMaximaTail(delayBlocks, prior: 0.02, priorPerLevel: 0.1, priorCount: 0)
            : new BlockMaximaTail(delayBlocks, prior: 1, priorCount: 0)),
    ];

    /// <summary>The channel of 32 rows, of the period, and of its half.</summary>
    private ShapeChannel NewShape(int index, int period, long fedUpTo) => index == 0
        ? new ShapeChannel(ShapeWindow, normalised: true, _sizes.ShapeMembers, fedUpTo)
        : new ShapeChannel(Math.Max(ShapeChannel.WindowMin, period >> (index - 1)), normalised: false, _sizes.ShapeMembers, fedUpTo);

    private static double Temper(double score, bool isShape) => isShape || score <= 1 ? score : 1 + 0.25 * Math.Log(score);

    /// <summary>How far beyond everything seen, in twentieths of the range seen, all in y.</summary>
    private static double BeyondRange(double y, double low, double high) =>
        20 * Math.Max(0, Math.Max(y - high, low - y)) / Math.Max(high - low, 0.1);

    /// <summary>The size of an exponential mean of normal scores.</summary>
    private double Drift(int slot, Tail tail, double weight)
    {
        _drift[slot] += weight * (tail.NormalScore(NormalScoreMax) - _drift[slot]);
        return Math.Abs(_drift[slot]);
    }

    /// <summary>Three times an exponential mean of squared normal scores.</summary>
    private double Scatter(Tail marginal)
    {
        double z = marginal.NormalScore(NormalScoreMax);
        _scatter += 0.1 * (z * z - _scatter);
        return 3 * _scatter;
    }

    /// <summary>Ten times the distance of (y, means of about 3 and 9 rows, forecast) to the nearest remembered.</summary>
    private void Context(long row, double y, double forecast, bool teaches)
    {
        _mean3 += (y - _mean3) / Math.Min(_rows + 1, 2);
        _mean9 += (y - _mean9) / Math.Min(_rows + 1, 5);
        _values[(int)ReportChannel.Context] = 10 * _context.Novelty([(float)y, (float)_mean3, (float)_mean9, (float)forecast], row, teaches);
    }

    private void Shapes(long row, ValueRing ring, ValueScale scale, int period, bool teaches)
    {
        if (teaches)
        {
            double value = ring[row];
            double difference = value - _mean;
            _mean += difference / ++_rows;
            _squares += difference * (value - _mean);
        }

        double deviation = _squares > 0 ? Math.Sqrt(_squares / _rows) : scale.Scale;

        // A period that hardly moved is the same one.
        if (Math.Abs(period - _period) > 0.15 * _period)
        {
            _period = period;

            for (int i = 1; i < _next.Length; i++)
            {
                _next[i] = NewShape(i, period, ring.First);
            }
        }

        // A memory that is full is thinned, which takes as long as a training: no row does both.
        bool feeds = (row + 1) % StreamLearner.Every != 0;

        for (int i = 0; i < _shapes.Length; i++)
        {
            if (!teaches)
            {
                _shapes[i].Skip(row);
                _next[i]?.Skip(row);
            }

            // The old memory serves until the new one has been shown the ring.
            if (feeds && _next[i] is { } next)
            {
                next.Feed(row, ring, scale.Centre, deviation, WindowsPerRow);

                if (next.IsFed(row))
                {
                    _shapes[i] = next;
                    _next[i] = null;
                }
            }

            if (_shapes[i].Observe(row, ring, scale.Centre, deviation) is { } novelty)
            {
                _values[FirstShape + i] = novelty.Whole;
                _limited[i] = novelty.Limited;
            }

            _shapes[i].Feed(row, ring, scale.Centre, deviation, windowsMax: feeds ? 2 : 0);
        }
    }

    private ShapeChannel? LoadShape(int index, BinaryReader reader)
    {
        int window = reader.ReadInt32();

        if (window == 0)
        {
            return null;
        }

        if (window is < ShapeChannel.WindowMin or > Period.LagMax)
        {
            throw new InvalidDataException($"shape: a window of {window} rows, expected {ShapeChannel.WindowMin} to {Period.LagMax}");
        }

        var shape = new ShapeChannel(window, normalised: index == 0, _sizes.ShapeMembers, fedUpTo: 0);
        shape.Load(reader);
        return shape;
    }
}
