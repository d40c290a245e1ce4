using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Learning;

/// <summary>Rows of a ring that lie together, packed into as few bytes as tell them apart.</summary>
/// <remarks>
/// Values are decimals of few digits, as most sensors tell (k / 10^d, k counted from the smallest), or what a float holds, both to the
/// bit. What has all the digits of a double lies in even steps from the least value to the greatest, 2^24 of them, or 2^32 where two
/// values are nearer to each other than two steps, or stays as it is where they are nearer still: equal values stay equal, others stay
/// others in the same order, and none moves by more than a 2^25th part of what they span. Times are distances, in steps from one double to the next,
/// from a line through the first and the last: where rows come evenly there are none. Gaps take room where they differ.
/// </remarks>
internal sealed class ValueBlock
{
    /// <summary>Rows of a block.</summary>
    public const int Rows = 128;

    private const sbyte AsFloat = -1;
    private const sbyte AsDouble = -2;
    private const sbyte AsSteps = -3;

    /// <summary>Steps that three bytes and four can count.</summary>
    private const double ShortSteps = (1 << 24) - 1;
    private const double LongSteps = uint.MaxValue;

    /// <summary>Beyond it not every whole number is a double.</summary>
    private const double WholeMax = 1L << 53;

    private static readonly double[] Powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

    private byte[] _packed = [];      // values, then times, then gaps
    private long _least;              // k of the smallest decimal; of steps the bits of the least value
    private double _step;             // from one step to the next
    private long _firstTime;          // bits of the line at the first row, and from row to row
    private long _timeStep;
    private sbyte _digits;            // d; or AsFloat, AsDouble, AsSteps
    private byte _valueBytes;         // of one row
    private byte _timeBytes;
    private byte _gapBytes;
    private sbyte _gap;               // of all rows, where none differs

    /// <summary>Takes as many rows as a block has, in place of those it held.</summary>
    public void Fill(ReadOnlySpan<double> values, ReadOnlySpan<double> seconds, ReadOnlySpan<sbyte> gaps)
    {
        Span<long> numbers = stackalloc long[Rows], times = stackalloc long[Rows];
        _digits = DigitsOf(values, numbers);
        (_least, _step) = (_digits >= 0 ? Rebase(numbers) : 0, 0);

        if (_digits == AsDouble && StepsOf(values, numbers) is { } steps)
        {
            (_digits, _least, _step) = (AsSteps, BitConverter.DoubleToInt64Bits(steps.Least), steps.Step);
        }

        _valueBytes = _digits switch { AsFloat => sizeof(float), AsDouble => sizeof(double), _ => BytesFor(numbers) };
        (_firstTime, _timeStep) = LineThrough(seconds, times);
        _timeBytes = BytesFor(times);
        (_gap, _gapBytes) = (gaps[0], gaps.ContainsAnyExcept(gaps[0]) ? (byte)1 : (byte)0);
        int size = Rows * (_valueBytes + _timeBytes + _gapBytes);
        _packed = _packed.Length == size ? _packed : size == 0 ? [] : new byte[size];

        for (int i = 0; i < Rows; i++)
        {
            switch (_digits)
            {
                case AsFloat:
                    BinaryPrimitives.WriteSingleLittleEndian(_packed.AsSpan(i * sizeof(float)), (float)values[i]);
                    break;
                case AsDouble:
                    BinaryPrimitives.WriteDoubleLittleEndian(_packed.AsSpan(i * sizeof(double)), values[i]);
                    break;
                default:
                    WriteWhole(_packed, i * _valueBytes, _valueBytes, numbers[i]);
                    break;
            }

            WriteWhole(_packed, TimesAt + i * _timeBytes, _timeBytes, times[i]);
        }

        if (_gapBytes > 0)
        {
            MemoryMarshal.AsBytes(gaps).CopyTo(_packed.AsSpan(GapsAt));
        }
    }

    /// <summary>A row's value.</summary>
    public double Value(int row) => _digits switch
    {
        AsFloat => BinaryPrimitives.ReadSingleLittleEndian(_packed.AsSpan(row * sizeof(float))),
        AsDouble => BinaryPrimitives.ReadDoubleLittleEndian(_packed.AsSpan(row * sizeof(double))),
        AsSteps => BitConverter.Int64BitsToDouble(_least) + ReadWhole(_packed, row * _valueBytes, _valueBytes) * _step,
        _ => (_least + ReadWhole(_packed, row * _valueBytes, _valueBytes)) / Powers[_digits],
    };

    /// <summary>Copies the values of rows that follow one another.</summary>
    public void CopyTo(int row, Span<double> values)
    {
        if (_digits == AsSteps && _valueBytes == 3)
        {
            double least = BitConverter.Int64BitsToDouble(_least);
            ReadOnlySpan<byte> packed = _packed.AsSpan(row * 3, values.Length * 3);

            for (int i = 0; i < values.Length; i++)
            {
                values[i] = least + ReadWhole(packed, i * 3, 3) * _step;
            }

            return;
        }

        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Value(row + i);
        }
    }

    /// <summary>When it came.</summary>
    public double Seconds(int row) =>
        BitConverter.Int64BitsToDouble(_firstTime + row * _timeStep + ReadWhole(_packed, TimesAt + row * _timeBytes, _timeBytes));

    /// <summary>The gap before it.</summary>
    public sbyte Gap(int row) => _gapBytes == 0 ? _gap : (sbyte)_packed[GapsAt + row];

    public void Save(BinaryWriter writer)
    {
        writer.Write(_digits);
        writer.Write(_valueBytes);
        writer.Write(_timeBytes);
        writer.Write(_gapBytes);
        writer.Write(_gap);
        writer.Write(_least);
        writer.Write(_step);
        writer.Write(_firstTime);
        writer.Write(_timeStep);
        writer.Write(_packed);
    }

    /// <exception cref="InvalidDataException">No block is packed like that.</exception>
    public static ValueBlock Load(BinaryReader reader)
    {
        var block = new ValueBlock
        {
            _digits = reader.ReadSByte(),
            _valueBytes = reader.ReadByte(),
            _timeBytes = reader.ReadByte(),
            _gapBytes = reader.ReadByte(),
            _gap = reader.ReadSByte(),
            _least = reader.ReadInt64(),
            _step = reader.ReadDouble(),
            _firstTime = reader.ReadInt64(),
            _timeStep = reader.ReadInt64(),
        };
        bool isValue = block._digits switch
        {
            AsFloat => block._valueBytes == sizeof(float),
            AsDouble => block._valueBytes == sizeof(double),
            AsSteps => block._valueBytes is 0 or 3 or 4 && double.IsFinite(block._step),
            _ => block._digits >= 0 && block._digits < Powers.Length && IsWidth(block._valueBytes),
        };

        if (!isValue || !IsWidth(block._timeBytes) || block._gapBytes > 1)
        {
            throw new InvalidDataException(
                $"ring: a block of {block._digits} digits with {block._valueBytes}, {block._timeBytes} and {block._gapBytes} bytes a row, expected -3 to {Powers.Length - 1} digits and 0, 1, 2, 3, 4 or 8 bytes");
        }

        int size = Rows * (block._valueBytes + block._timeBytes + block._gapBytes);
        block._packed = size == 0 ? [] : new byte[size];
        reader.BaseStream.ReadExactly(block._packed);
        return block;

        static bool IsWidth(byte bytes) => bytes is 0 or 1 or 2 or 3 or 4 or 8;
    }

    private int TimesAt => Rows * _valueBytes;

    private int GapsAt => Rows * (_valueBytes + _timeBytes);

    /// <summary>The fewest digits with which all values are k / 10^d to the bit, and their k; else what holds them.</summary>
    private static sbyte DigitsOf(ReadOnlySpan<double> values, Span<long> numbers)
    {
        for (sbyte digits = 0; digits < Powers.Length; digits++)
        {
            int row = 0;

            for (double power = Powers[digits]; row < values.Length; row++)
            {
                double number = Math.Round(values[row] * power);

                if (!(Math.Abs(number) <= WholeMax) || !IsSame(number / power, values[row]) || !IsSame((long)number / power, values[row]))
                {
                    break;
                }

                numbers[row] = (long)number;
            }

            if (row == values.Length)
            {
                return digits;
            }
        }

        foreach (double value in values)
        {
            if (!IsSame((float)value, value))
            {
                return AsDouble;
            }
        }

        return AsFloat;

        static bool IsSame(double one, double other) => BitConverter.DoubleToInt64Bits(one) == BitConverter.DoubleToInt64Bits(other);
    }

    /// <summary>The least value, the widest step that tells all values apart, and how many steps each is above the least; null where only doubles tell them apart.</summary>
    private static (double Least, double Step)? StepsOf(ReadOnlySpan<double> values, Span<long> numbers)
    {
        Span<double> sorted = stackalloc double[Rows];
        values[..Rows].CopyTo(sorted);
        sorted.Sort();
        double least = sorted[0], span = sorted[^1] - least, nearest = span;

        for (int i = 1; i < Rows; i++)
        {
            double difference = sorted[i] - sorted[i - 1];
            nearest = difference > 0 ? Math.Min(nearest, difference) : nearest;
        }

        double step = nearest >= 2 * span / ShortSteps ? span / ShortSteps : span / LongSteps;

        if (!double.IsFinite(span) || nearest < 2 * step)
        {
            return null;
        }

        for (int i = 0; i < Rows; i++)
        {
            numbers[i] = step > 0 ? (long)Math.Round((values[i] - least) / step) : 0;
        }

        return (least, step);
    }

    /// <summary>The bits of a line through the first time and the last, and how far each lies above it.</summary>
    private static (long First, long Step) LineThrough(ReadOnlySpan<double> seconds, Span<long> times)
    {
        long first = BitConverter.DoubleToInt64Bits(seconds[0]);
        long step = unchecked(BitConverter.DoubleToInt64Bits(seconds[^1]) - first) / (Rows - 1);

        for (int i = 0; i < times.Length; i++)
        {
            times[i] = unchecked(BitConverter.DoubleToInt64Bits(seconds[i]) - first - i * step);
        }

        return (unchecked(first + Rebase(times)), step);
    }

    /// <summary>Counts all from the smallest, and gives it.</summary>
    private static long Rebase(Span<long> numbers)
    {
        long least = long.MaxValue;

        foreach (long number in numbers)
        {
            least = Math.Min(least, number);
        }

        foreach (ref long number in numbers)
        {
            number = unchecked(number - least);
        }

        return least;
    }

    private static byte BytesFor(ReadOnlySpan<long> numbers)
    {
        ulong all = 0;

        foreach (long number in numbers)
        {
            all |= (ulong)number;
        }

        return all switch { 0 => 0, <= byte.MaxValue => 1, <= ushort.MaxValue => 2, <= 0xFFFFFF => 3, <= uint.MaxValue => 4, _ => 8 };
    }

    private static void WriteWhole(Span<byte> packed, int at, int bytes, long number)
    {
        switch (bytes)
        {
            case 0:
                break;
            case 1:
                packed[at] = (byte)number;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16LittleEndian(packed[at..], (ushort)number);
                break;
            case 3:
                BinaryPrimitives.WriteUInt16LittleEndian(packed[at..], (ushort)number);
                packed[at + 2] = (byte)(number >> 16);
                break;
            case 4:
                BinaryPrimitives.WriteUInt32LittleEndian(packed[at..], (uint)number);
                break;
            default:
                BinaryPrimitives.WriteInt64LittleEndian(packed[at..], number);
                break;
        }
    }

    private static long ReadWhole(ReadOnlySpan<byte> packed, int at, int bytes) => bytes switch
    {
        0 => 0,
        1 => packed[at],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]),
        3 => BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]) | packed[at + 2] << 16,
        4 => BinaryPrimitives.ReadUInt32LittleEndian(packed[at..]),
        _ => BinaryPrimitives.ReadInt64LittleEndian(packed[at..]),
    };
}
