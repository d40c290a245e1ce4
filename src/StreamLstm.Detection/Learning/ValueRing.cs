using System.Numerics;
using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Learning;

/// <summary>The last values of a stream by row number, with their gaps in time and whether they may teach.</summary>
/// <remarks>The newest lie open; whole blocks of older ones are packed (<see cref="ValueBlock"/>): decimals to the bit. It takes room for what it holds.</remarks>
/// <param name="rowsMax">Rows remembered, a power of two from 256 on: 8,192 are a week at one value in two minutes, two hours at one a second.</param>
internal sealed class ValueRing(int rowsMax)
{
    /// <summary>Gaps are kept in sixteenths of a doubling of the usual gap, from 1/256 to 256 of it.</summary>
    private const double GapStepsPerDoubling = 16;

    private const int FlagBits = 64;
    private const int OpenRowsMin = 8;

    private ValueBlock[] _blocks = [];      // (blocks), the oldest first
    private int _blockCount;
    private long _from;                     // rows before it were left behind when the ring became smaller
    private long _openFrom;                 // the first row that is in no block; blocks end here
    private double[] _values = [];          // of the open rows, and their times and gaps
    private double[] _seconds = [];
    private sbyte[] _gaps = [];
    private ulong[] _abnormal = [];         // a bit for each row remembered

    /// <summary>Rows remembered.</summary>
    public int RowsMax { get; private set; } = rowsMax;

    /// <summary>Rows ever appended; the newest is Count - 1.</summary>
    public long Count { get; private set; }

    /// <summary>The oldest row still here.</summary>
    public long First => Math.Max(_from, Count - RowsMax);

    public double this[long row] => row >= _openFrom ? _values[row - _openFrom] : BlockOf(row).Value((int)(row % ValueBlock.Rows));

    /// <summary>Copies the values of rows that follow one another.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="values">(rows): overwritten.</param>
    public void CopyTo(long first, Span<double> values)
    {
        while (!values.IsEmpty)
        {
            int at = (int)(first < _openFrom ? first % ValueBlock.Rows : first - _openFrom);
            int count = first < _openFrom ? Math.Min(values.Length, ValueBlock.Rows - at) : values.Length;

            if (first < _openFrom)
            {
                BlockOf(first).CopyTo(at, values[..count]);
            }
            else
            {
                _values.AsSpan(at, count).CopyTo(values);
            }

            first += count;
            values = values[count..];
        }
    }

    /// <summary>log2 of the row's time gap over the usual gap.</summary>
    public double Gap(long row) => GapSteps(row) / GapStepsPerDoubling;

    /// <summary>Whether the row fell into an incident, and so must not teach.</summary>
    public bool IsAbnormal(long row) => (Flags(row) >> (int)(row % FlagBits) & 1) != 0;

    /// <summary>Seconds at which the row came, by the records' own clock.</summary>
    public double Seconds(long row) => row >= _openFrom ? _seconds[row - _openFrom] : BlockOf(row).Seconds((int)(row % ValueBlock.Rows));

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
        if (Count - _openFrom == ValueBlock.Rows)
        {
            Pack();
        }

        int open = (int)(Count - _openFrom);
        Open(open + 1);
        _values[open] = value;
        _seconds[open] = seconds;
        _gaps[open] = (sbyte)Math.Round(Math.Clamp(GapStepsPerDoubling * Math.Log2(gapRatio), sbyte.MinValue, sbyte.MaxValue));

        if (Count == FlagBits * _abnormal.Length && Count < RowsMax)
        {
            Array.Resize(ref _abnormal, Math.Max(1, 2 * _abnormal.Length));
        }

        SetAbnormal(Count++, false);
    }

    public void Mark(long firstRow, long endRow, bool abnormal)
    {
        for (long row = Math.Max(firstRow, First); row < Math.Min(endRow, Count); row++)
        {
            SetAbnormal(row, abnormal);
        }
    }

    /// <summary>Remembers so many rows from now on, and of those it holds the last ones.</summary>
    /// <param name="rows">A power of two from 256 on.</param>
    public void Resize(int rows)
    {
        long first = Math.Max(First, Count - rows);
        bool[] abnormal = [.. Enumerable.Range(0, (int)(Count - first)).Select(i => IsAbnormal(first + i))];
        (RowsMax, _from, _abnormal) = (rows, first, new ulong[FlagWords(Count, rows)]);

        for (int i = 0; i < abnormal.Length; i++)
        {
            SetAbnormal(first + i, abnormal[i]);
        }

        int gone = Math.Max(0, _blockCount - (int)(_openFrom / ValueBlock.Rows - first / ValueBlock.Rows));
        _blocks = _blocks[gone.._blockCount];
        _blockCount -= gone;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Count);
        writer.Write(First);
        writer.Write(_blockCount);

        for (int block = 0; block < _blockCount; block++)
        {
            _blocks[block].Save(writer);
        }

        for (int open = 0; open < Count - _openFrom; open++)
        {
            writer.Write(_values[open]);
            writer.Write(_seconds[open]);
            writer.Write(_gaps[open]);
        }

        writer.Write(MemoryMarshal.AsBytes(_abnormal.AsSpan()));
    }

    public void Load(BinaryReader reader)
    {
        (Count, _from, _blockCount) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt32());
        long packed = Math.Max(0, Count - 1) / ValueBlock.Rows, held = packed - _from / ValueBlock.Rows;

        if (_from < 0 || _from > Count || Count - _from > RowsMax || _blockCount < held || _blockCount > Math.Min(packed, BlocksMax))
        {
            throw new InvalidDataException($"ring: {_blockCount} blocks for the rows {_from} to {Count}, expected one for each {ValueBlock.Rows} of {RowsMax} at most");
        }

        _openFrom = packed * ValueBlock.Rows;
        _blocks = new ValueBlock[_blockCount];

        for (int block = 0; block < _blockCount; block++)
        {
            _blocks[block] = ValueBlock.Load(reader);
        }

        int rows = (int)(Count - _openFrom);
        Open(rows);

        for (int open = 0; open < rows; open++)
        {
            _values[open] = reader.ReadDouble();
            _seconds[open] = reader.ReadDouble();
            _gaps[open] = reader.ReadSByte();
        }

        _abnormal = new ulong[FlagWords(Count, RowsMax)];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_abnormal.AsSpan()));
    }

    /// <summary>Blocks that the oldest rows may begin anywhere in.</summary>
    private int BlocksMax => RowsMax / ValueBlock.Rows + 1;

    private static int FlagWords(long count, int rowsMax) =>
        (int)BitOperations.RoundUpToPowerOf2((ulong)(Math.Min(count, rowsMax) + FlagBits - 1) / FlagBits);

    private ValueBlock BlockOf(long row) => _blocks[_blockCount - 1 - (int)((_openFrom - 1 - row) / ValueBlock.Rows)];

    private sbyte GapSteps(long row) => row >= _openFrom ? _gaps[row - _openFrom] : BlockOf(row).Gap((int)(row % ValueBlock.Rows));

    private ref ulong Flags(long row) => ref _abnormal[row / FlagBits & (_abnormal.Length - 1)];

    private void SetAbnormal(long row, bool abnormal)
    {
        ref ulong flags = ref Flags(row);
        ulong bit = 1UL << (int)(row % FlagBits);
        flags = abnormal ? flags | bit : flags & ~bit;
    }

    /// <summary>Room for so many open rows.</summary>
    private void Open(int rows)
    {
        if (rows > _values.Length)
        {
            int room = Math.Max(OpenRowsMin, (int)BitOperations.RoundUpToPowerOf2((uint)rows));
            Array.Resize(ref _values, room);
            Array.Resize(ref _seconds, room);
            Array.Resize(ref _gaps, room);
        }
    }

    /// <summary>Packs the open rows. What a block that is left behind took is taken again.</summary>
    private void Pack()
    {
        ValueBlock block;

        if (_blockCount == BlocksMax)
        {
            block = _blocks[0];
            Array.Copy(_blocks, 1, _blocks, 0, --_blockCount);
        }
        else
        {
            block = new ValueBlock();

            if (_blockCount == _blocks.Length)
            {
                Array.Resize(ref _blocks, Math.Min(BlocksMax, Math.Max(2, 2 * _blockCount)));
            }
        }

        block.Fill(_values, _seconds, _gaps);
        _blocks[_blockCount++] = block;
        _openFrom += ValueBlock.Rows;
    }
}
