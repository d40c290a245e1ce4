namespace StreamLstm.Detection.Learning;

/// <summary>The last values of a stream by row number, with their gaps in time and whether they may teach.</summary>
/// <param name="rowsMax">Rows remembered, a power of two from 256 on: 8,192 are a week at one value in two minutes, two hours at one a second.</param>
internal sealed class ValueRing(int rowsMax)
{
    /// <summary>Gaps are kept in sixteenths of a doubling of the usual gap, from 1/256 to 256 of it.</summary>
    private const double GapStepsPerDoubling = 16;

    private double[] _values = new double[256];
    private double[] _seconds = new double[256];
    private sbyte[] _gaps = new sbyte[256];
    private bool[] _abnormal = new bool[256];

    /// <summary>Rows remembered.</summary>
    public int RowsMax => rowsMax;

    /// <summary>Rows ever appended; the newest is Count - 1.</summary>
    public long Count { get; private set; }

    /// <summary>The oldest row still here.</summary>
    public long First => Math.Max(0, Count - rowsMax);

    public double this[long row] => _values[row & (_values.Length - 1)];

    /// <summary>log2 of the row's time gap over the usual gap.</summary>
    public double Gap(long row) => _gaps[row & (_gaps.Length - 1)] / GapStepsPerDoubling;

    /// <summary>Whether the row fell into an incident, and so must not teach.</summary>
    public bool IsAbnormal(long row) => _abnormal[row & (_abnormal.Length - 1)];

    /// <summary>Seconds at which the row came, by the records' own clock.</summary>
    public double Seconds(long row) => _seconds[row & (_seconds.Length - 1)];

    /// <summary>The row whose time is nearest; -1 where the ring does not reach there.</summary>
    /// <param name="seconds">The time looked for.</param>
    /// <param name="toleranceSeconds">How far from it the row may be.</param>
    public long RowAt(double seconds, double toleranceSeconds)
    {
        long low = First, high = Count - 1;

        if (high < low || seconds < Seconds(low) - toleranceSeconds || seconds > Seconds(high) + toleranceSeconds)
        {
            return -1;
        }

        while (low < high)
        {
            long middle = (low + high) >>> 1;
            (low, high) = Seconds(middle) < seconds ? (middle + 1, high) : (low, middle);
        }

        low = low > First && seconds - Seconds(low - 1) < Seconds(low) - seconds ? low - 1 : low;
        return Math.Abs(Seconds(low) - seconds) <= toleranceSeconds ? low : -1;
    }

    public void Append(double value, double seconds, double gapRatio)
    {
        if (Count == _values.Length && Count < rowsMax)
        {
            Array.Resize(ref _values, 2 * _values.Length);
            Array.Resize(ref _seconds, _values.Length);
            Array.Resize(ref _gaps, _values.Length);
            Array.Resize(ref _abnormal, _values.Length);
        }

        long slot = Count++ & (_values.Length - 1);
        _values[slot] = value;
        _seconds[slot] = seconds;
        _gaps[slot] = (sbyte)Math.Round(Math.Clamp(GapStepsPerDoubling * Math.Log2(gapRatio), sbyte.MinValue, sbyte.MaxValue));
        _abnormal[slot] = false;
    }

    public void Mark(long firstRow, long endRow, bool abnormal)
    {
        for (long row = Math.Max(firstRow, First); row < Math.Min(endRow, Count); row++)
        {
            _abnormal[row & (_abnormal.Length - 1)] = abnormal;
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Count);

        for (long row = First; row < Count; row++)
        {
            writer.Write(this[row]);
            writer.Write(Seconds(row));
            writer.Write(_gaps[row & (_gaps.Length - 1)]);
            writer.Write(IsAbnormal(row));
        }
    }

    public void Load(BinaryReader reader)
    {
        long count = reader.ReadInt64();

        if (count < 0)
        {
            throw new InvalidDataException($"ring: {count} rows, expected 0 or more");
        }

        int size = 256;

        while (size < Math.Min(count, rowsMax))
        {
            size *= 2;
        }

        _values = new double[size];
        _seconds = new double[size];
        _gaps = new sbyte[size];
        _abnormal = new bool[size];
        Count = count;

        for (long row = First; row < Count; row++)
        {
            long slot = row & (size - 1);
            _values[slot] = reader.ReadDouble();
            _seconds[slot] = reader.ReadDouble();
            _gaps[slot] = reader.ReadSByte();
            _abnormal[slot] = reader.ReadBoolean();
        }
    }
}
