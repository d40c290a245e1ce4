namespace StreamLstm.Detection.Learning;

/// <summary>The last values of a stream by row number, with their gaps in time and whether they may teach.</summary>
/// <param name="rowsMax">Rows remembered, a power of two from 256 on: 8,192 are a week at one value in two minutes, two hours at one a second.</param>
internal sealed class ValueRing(int rowsMax)
{
    /// <summary>Gaps are kept in sixteenths of a doubling of the usual gap, from 1/256 to 256 of it.</summary>
    private const double GapStepsPerDoubling = 16;

    private double[] _values = new double[256];
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

    public void Append(double value, double gapRatio)
    {
        if (Count == _values.Length && Count < rowsMax)
        {
            Array.Resize(ref _values, 2 * _values.Length);
            Array.Resize(ref _gaps, _values.Length);
            Array.Resize(ref _abnormal, _values.Length);
        }

        long slot = Count++ & (_values.Length - 1);
        _values[slot] = value;
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
        _gaps = new sbyte[size];
        _abnormal = new bool[size];
        Count = count;

        for (long row = First; row < Count; row++)
        {
            long slot = row & (size - 1);
            _values[slot] = reader.ReadDouble();
            _gaps[slot] = reader.ReadSByte();
            _abnormal[slot] = reader.ReadBoolean();
        }
    }
}
