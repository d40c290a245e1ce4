using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>A uniform sample of at most 500 of all values added, kept in order (Vitter's algorithm R, 1985).</summary>
/// <remarks>A random rank is a random member, so the order costs no second array.</remarks>
internal sealed class UniformSample
{
    public const int Capacity = 500;

    private readonly double[] _sorted = new double[Capacity];
    private long _seen;

    public int Count { get; private set; }

    public ReadOnlySpan<double> Sorted => _sorted.AsSpan(0, Count);

    /// <summary>Offers a value.</summary>
    /// <returns>Whether it was taken.</returns>
    public bool Add(double value, ref SeededRandom random)
    {
        _seen++;

        if (Count == Capacity)
        {
            if (random.NextDouble() * _seen >= Capacity)
            {
                return false;
            }

            int leaving = random.Next(Capacity);
            Count--;
            _sorted.AsSpan(leaving + 1, Count - leaving).CopyTo(_sorted.AsSpan(leaving));
        }

        int place = CountNotAbove(value);
        _sorted.AsSpan(place, Count - place).CopyTo(_sorted.AsSpan(place + 1));
        _sorted[place] = value;
        Count++;
        return true;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _seen = 0;
        Count = 0;
    }

    /// <summary>The value below which a share of <paramref name="probability"/> lies, interpolated; of one member at least.</summary>
    public double Quantile(double probability)
    {
        double position = probability * (Count - 1);
        int below = (int)position;
        return _sorted[below] + (position - below) * (_sorted[Math.Min(below + 1, Count - 1)] - _sorted[below]);
    }

    /// <summary>How many members are not above a value.</summary>
    public int CountNotAbove(double value)
    {
        int low = 0, high = Count;

        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _sorted[middle] <= value ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_seen);
        writer.Write(Count);
        writer.Write(MemoryMarshal.AsBytes(Sorted));
    }

    public void Load(BinaryReader reader)
    {
        _seen = reader.ReadInt64();
        Count = reader.ReadInt32();

        if (Count is < 0 or > Capacity)
        {
            throw new InvalidDataException($"sample: {Count} members, expected at most {Capacity}");
        }

        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_sorted.AsSpan(0, Count)));
    }
}
