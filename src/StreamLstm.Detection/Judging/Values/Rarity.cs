using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>How far the stream's values are from all it takes, on the scale y, in which heavy tails are short.</summary>
/// <remarks>
/// How far is usual is read off the last rows in hindsight: how far each was from those of other times. So a level that the stream
/// was at only once counts as seen once, and the levels of its youth, each new when it came, count for nothing once the stream has
/// been there again: what is new is as likely as what was seen a single time (Good 1953). Counted when it comes, what was new in
/// youth would hide what is new later. Beyond the highest and the lowest of them it is no rarer than their own tail has it: what was told
/// before is not among them, so of a heavy tail they are cut off, and stand closer together than what comes beyond the cut.
/// </remarks>
internal sealed class Rarity
{
    /// <summary>Values that <see cref="Refresh"/> looks at, of those remembered.</summary>
    private const int SampleMax = 2048;

    /// <summary>Room that <see cref="Refresh"/> needs.</summary>
    public const int RoomValues = 4 * SampleMax;

    /// <summary>Rows within which two are of one visit to a level, and of a young stream an eighth of its life.</summary>
    private const int ApartRows = 256;
    private const int ApartShare = 8;

    private const int RowsMin = 128;
    private const int CleanMin = RowsMin / 2;

    /// <summary>Share of the values that lie where a tail may begin.</summary>
    private const int SideShare = 8;

    /// <summary>Weights of the means over about 8 and 32 rows.</summary>
    private const double Weight8 = 0.2;
    private const double Weight32 = 0.06;

    /// <summary>Differences of these means that mean something.</summary>
    private const double LeastMean = 0.15;

    /// <summary>One wild value counts for this much, as a logarithm of usual distances.</summary>
    private const double LogMax = 4;

    private ExceedanceTail _distances;
    private ExceedanceTail _above;  // of the values beyond _high, and beyond _low
    private ExceedanceTail _below;
    private ExceedanceTail _means8;
    private ExceedanceTail _means32;
    private double _usual = 1;      // the distance nine tenths of the values keep
    private double _unit = 0.005;   // what values can be told apart by, in y
    private double _high;           // in y: one value in eight is above it
    private double _low;            // and one below this
    private double _y;
    private double _distance;
    private double _mean8;          // of the distance's logarithm over usual ones
    private double _mean32;

    /// <summary>Decades of blocks of rows between two values that far from the others.</summary>
    public double Single => Math.Min(_distances.Score(_distance), Math.Min(Beyond(_above, _y - _high), Beyond(_below, _low - _y)));

    /// <summary>The same of its mean over about 8 rows.</summary>
    public double Lasting => _means8.Score(_mean8);

    /// <summary>The same of its mean over about 32 rows.</summary>
    public double Long => _means32.Score(_mean32);

    /// <summary>Values in a row that were farther from the others than is usual.</summary>
    public int FarRows { get; private set; }

    /// <summary>Takes a value.</summary>
    public void Observe(double value, SortedReservoir history, ValueScale scale)
    {
        _y = scale.Y(value);
        _distance = Nearest.Distance(history, value, scale);
        FarRows = _distances.IsKnown && _distance > _distances.Usual ? FarRows + 1 : 0;
        double log = Log(_distance);
        _mean8 += Weight8 * (log - _mean8);
        _mean32 += Weight32 * (log - _mean32);
    }

    /// <summary>Measures anew how far is usual.</summary>
    /// <param name="ring">The stream's last values.</param>
    /// <param name="scale">The stream's scale.</param>
    /// <param name="resolution">The smallest difference between two of its values.</param>
    /// <param name="room">(<see cref="RoomValues"/>): overwritten.</param>
    public void Refresh(ValueRing ring, ValueScale scale, double resolution, Span<double> room)
    {
        long remembered = ring.Count - ring.First;

        if (remembered < RowsMin)
        {
            return;
        }

        _unit = Math.Max(resolution / scale.Scale, 0.005);
        int stride = (int)((remembered + SampleMax - 1) / SampleMax), count = 0;
        Span<double> values = room[..SampleMax];
        Span<int> rows = stackalloc int[SampleMax];

        for (long row = ring.First; row < ring.Count; row += stride)
        {
            if (!ring.IsAbnormal(row))
            {
                (values[count], rows[count++]) = (scale.Y(ring[row]), (int)(row - ring.First));
            }
        }

        if (count < CleanMin)
        {
            return;
        }

        int apart = (int)Math.Min(ApartRows, remembered / ApartShare);
        double blocks = count * stride / (double)CleanTail.BlockRows;
        Span<double> distances = room.Slice(SampleMax, count), means = room.Slice(2 * SampleMax, count), spare = room.Slice(3 * SampleMax, count);
        values = values[..count];
        rows = rows[..count];
        Hindsight.Distances(values, rows, apart, distances, sorted: spare);
        (_high, _low) = (spare[^(1 + (count / SideShare))], spare[count / SideShare]);
        _above = Side(spare, +1, _high, blocks);
        _below = Side(spare, -1, _low, blocks);
        distances.CopyTo(spare);
        spare.Sort();
        _usual = spare[(int)(0.9 * count)];
        _distances = Hindsight.TailOf(distances, rows, apart, blocks, TailScale.Ratio, _unit, spare);
        Means(distances, means, Math.Max(1, 8 / stride));
        _means8 = Hindsight.TailOf(means, rows, apart, blocks, TailScale.Difference, LeastMean, spare);
        Means(distances, means, Math.Max(1, 32 / stride));
        _means32 = Hindsight.TailOf(means, rows, apart, blocks, TailScale.Difference, LeastMean, spare);
    }

    public void Save(BinaryWriter writer)
    {
        _distances.Save(writer);
        _means8.Save(writer);
        _means32.Save(writer);
        _above.Save(writer);
        _below.Save(writer);

        foreach (double value in (ReadOnlySpan<double>)[_usual, _unit, _high, _low, _y, _distance, _mean8, _mean32])
        {
            writer.Write(value);
        }

        writer.Write(FarRows);
    }

    public void Load(BinaryReader reader)
    {
        (_distances, _means8, _means32) = (ExceedanceTail.Load(reader), ExceedanceTail.Load(reader), ExceedanceTail.Load(reader));
        (_above, _below) = (ExceedanceTail.Load(reader), ExceedanceTail.Load(reader));
        (_usual, _unit, _high, _low) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_y, _distance, _mean8, _mean32) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        FarRows = reader.ReadInt32();
    }

    /// <summary>The tail of one side.</summary>
    private ExceedanceTail Side(ReadOnlySpan<double> sorted, int sign, double from, double blocks)
    {
        Span<double> highest = stackalloc double[ExceedanceTail.KeptMax];

        for (int k = 0; k < highest.Length; k++)
        {
            highest[k] = Math.Max(0, sign * ((sign > 0 ? sorted[^(1 + k)] : sorted[k]) - from));
        }

        return new ExceedanceTail(highest, 0, blocks, TailScale.Ratio, _unit);
    }

    /// <summary>What the tail says of what lies beyond most of it; of anything else it says nothing.</summary>
    private static double Beyond(ExceedanceTail side, double y) => y > side.Usual ? side.Score(y) : double.MaxValue;

    private double Log(double distance) => Math.Min(LogMax, Math.Log(1 + distance / Math.Max(_usual, _unit)));

    /// <summary>Means of the logarithms over so many values.</summary>
    private void Means(ReadOnlySpan<double> distances, Span<double> means, int over)
    {
        double mean = 0;

        for (int i = 0; i < distances.Length; i++)
        {
            mean += (Log(distances[i]) - mean) / Math.Min(i + 1, over);
            means[i] = mean;
        }
    }
}
