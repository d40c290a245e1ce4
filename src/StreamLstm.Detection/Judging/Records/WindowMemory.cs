using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>A uniform sample of 1,000 windows of a stream's past, as values and on the columns' present scales.</summary>
/// <remarks>Vectors are 256 bits wide everywhere, so that sums have the same order, and bits, on every machine.</remarks>
/// <param name="stride">Values of a window, a multiple of 8; what is not used is 0.</param>
internal sealed class WindowMemory(int stride)
{
    public const int Capacity = 1000;

    /// <summary>Neighbours searched for.</summary>
    public const int Neighbours = 5;

    /// <summary>Values expressed anew per row: a fraction of a millisecond.</summary>
    private const int ExpressedPerRow = 100_000;

    /// <summary>Windows of a block: memory grows by one, as to copy all of 128 columns would hold their row up for milliseconds.</summary>
    private const int BlockWindows = 32;

    private readonly List<float[]> _values = [];            // blocks of (BlockWindows, stride), NaN where missing
    private readonly List<float[]> _scaled = [];            // blocks of (BlockWindows, stride)
    private readonly bool[] _complete = new bool[Capacity]; // no value missing
    private readonly long[] _rows = new long[Capacity];     // the row whose window it is
    private long _seen;
    private int _stale = Capacity;                          // the first window still on the scales before

    public int Count { get; private set; }

    public ReadOnlySpan<float> Scaled(int window) => In(_scaled, window);

    /// <summary>asinh(clip((x - centre) / scale, 20)) of every value.</summary>
    public static void Express(ReadOnlySpan<float> values, ReadOnlySpan<float> centre, ReadOnlySpan<float> inverse, Span<float> scaled)
    {
        Vector256<float> limit = Vector256.Create(20f);

        for (int i = 0; i < values.Length; i += Vector256<float>.Count)
        {
            Vector256<float> z = (Vector256.Create(values[i..]) - Vector256.Create(centre[i..])) * Vector256.Create(inverse[i..]);
            Vector256<float> size = Vector256.Min(Vector256.Abs(z), limit);
            Vector256<float> y = Vector256.Log(size + Vector256.Sqrt(size * size + Vector256<float>.One));
            Vector256.CopySign(y, z).CopyTo(scaled[i..]);
        }
    }

    /// <summary>Offers a row's window: (stride) values.</summary>
    public void Add(long row, ReadOnlySpan<float> window, ReadOnlySpan<float> centre, ReadOnlySpan<float> inverse, ref SeededRandom random)
    {
        _seen++;
        int place = Count;

        if (Count == Capacity)
        {
            if (random.NextDouble() * _seen >= Capacity)
            {
                return;
            }

            place = random.Next(Capacity);
        }
        else
        {
            Reserve(++Count);
        }

        window.CopyTo(In(_values, place));
        Express(window, centre, inverse, In(_scaled, place));
        _complete[place] = IsComplete(window);
        _rows[place] = row;
    }

    /// <summary>The columns' scales have changed: windows follow over the next rows.</summary>
    public void Invalidate() => _stale = 0;

    /// <summary>Expresses the next windows on the present scales, once a row.</summary>
    public void Refresh(ReadOnlySpan<float> centre, ReadOnlySpan<float> inverse)
    {
        int end = Math.Min(Count, _stale + Math.Max(1, ExpressedPerRow / stride));

        for (; _stale < end; _stale++)
        {
            Express(In(_values, _stale), centre, inverse, In(_scaled, _stale));
        }
    }

    /// <summary>The nearest windows, the nearest first.</summary>
    /// <param name="query">(stride), scaled; NaN where missing.</param>
    /// <param name="used">How many of its values are not padding.</param>
    /// <param name="nearest">(Neighbours): their indices.</param>
    /// <returns>How many there are.</returns>
    public int Nearest(ReadOnlySpan<float> query, int used, Span<int> nearest)
    {
        Span<int> old = stackalloc int[Neighbours];
        return Nearest(query, used, nearest, old, long.MinValue).Nearest;
    }

    /// <summary>The nearest windows, and the nearest of those up to a row, the nearest first.</summary>
    /// <param name="query">(stride), scaled; NaN where missing.</param>
    /// <param name="used">How many of its values are not padding.</param>
    /// <param name="nearest">(Neighbours): their indices.</param>
    /// <param name="old">(Neighbours): those of the old ones.</param>
    /// <param name="oldTo">The last row whose window is old.</param>
    /// <param name="skipFrom">The first row whose window is passed over.</param>
    /// <param name="skipTo">The first one after it whose window is not.</param>
    /// <returns>How many there are of each.</returns>
    public (int Nearest, int Old) Nearest(
        ReadOnlySpan<float> query, int used, Span<int> nearest, Span<int> old, long oldTo, long skipFrom = 0, long skipTo = 0)
    {
        Span<float> distances = stackalloc float[Neighbours];
        Span<float> oldDistances = stackalloc float[Neighbours];
        distances.Fill(float.PositiveInfinity);
        oldDistances.Fill(float.PositiveInfinity);
        bool complete = IsComplete(query);
        (int found, int foundOld) = (0, 0);

        for (int window = 0; window < Count; window++)
        {
            long row = _rows[window];

            if (row >= skipFrom && row < skipTo)
            {
                continue;
            }

            bool isOld = row <= oldTo;
            float limit = isOld ? oldDistances[^1] : distances[^1];
            float distance = complete && _complete[window]
                ? Distance(query, Scaled(window), limit)
                : PresentDistance(query, Scaled(window), used);

            if (!(distance < limit))
            {
                continue;
            }

            found = Insert(window, distance, distances, nearest, found);
            foundOld = isOld ? Insert(window, distance, oldDistances, old, foundOld) : foundOld;
        }

        return (found, foundOld);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_seen);
        writer.Write(_stale);
        writer.Write(Count);
        writer.Write(MemoryMarshal.AsBytes(_rows.AsSpan(0, Count)));

        foreach (List<float[]> blocks in (List<float[]>[])[_values, _scaled])
        {
            for (int window = 0; window < Count; window++)
            {
                writer.Write(MemoryMarshal.AsBytes(In(blocks, window)));
            }
        }
    }

    public void Load(BinaryReader reader)
    {
        _seen = reader.ReadInt64();
        _stale = reader.ReadInt32();
        Count = reader.ReadInt32();

        if (Count is < 0 or > Capacity || _stale is < 0 or > Capacity)
        {
            throw new InvalidDataException($"window memory: {Count} windows, {_stale} expressed, expected at most {Capacity}");
        }

        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_rows.AsSpan(0, Count)));
        Reserve(Count);

        foreach (List<float[]> blocks in (List<float[]>[])[_values, _scaled])
        {
            for (int window = 0; window < Count; window++)
            {
                reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(In(blocks, window)));
            }
        }

        for (int window = 0; window < Count; window++)
        {
            _complete[window] = IsComplete(Scaled(window));
        }
    }

    private Span<float> In(List<float[]> blocks, int window) =>
        blocks[window / BlockWindows].AsSpan(window % BlockWindows * stride, stride);

    private void Reserve(int windows)
    {
        while (_values.Count * BlockWindows < windows)
        {
            _values.Add(new float[BlockWindows * stride]);
            _scaled.Add(new float[BlockWindows * stride]);
        }
    }

    /// <summary>Puts a window in its place, if it has one.</summary>
    private static int Insert(int window, float distance, Span<float> distances, Span<int> windows, int found)
    {
        if (!(distance < distances[^1]))
        {
            return found;
        }

        int place = Neighbours - 1;

        for (; place > 0 && distances[place - 1] > distance; place--)
        {
            distances[place] = distances[place - 1];
            windows[place] = windows[place - 1];
        }

        distances[place] = distance;
        windows[place] = window;
        return Math.Min(found + 1, Neighbours);
    }

    private static bool IsComplete(ReadOnlySpan<float> window)
    {
        foreach (float value in window)
        {
            if (float.IsNaN(value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Squared distance; whatever is not below <paramref name="limit"/> need not be exact.</summary>
    private static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b, float limit)
    {
        Vector256<float> sum = Vector256<float>.Zero;
        int i = 0;

        for (; i + 32 <= a.Length; i += 32)
        {
            for (int j = i; j < i + 32; j += 8)
            {
                Vector256<float> difference = Vector256.Create(a[j..]) - Vector256.Create(b[j..]);
                sum += difference * difference;
            }

            if (Vector256.Sum(sum) >= limit)
            {
                return limit;
            }
        }

        for (; i < a.Length; i += 8)
        {
            Vector256<float> difference = Vector256.Create(a[i..]) - Vector256.Create(b[i..]);
            sum += difference * difference;
        }

        return Vector256.Sum(sum);
    }

    /// <summary>Over the values present in both, brought to the size of a full window; infinite where there are none.</summary>
    private static float PresentDistance(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int used)
    {
        float sum = 0;
        int present = 0;

        for (int i = 0; i < used; i++)
        {
            float difference = a[i] - b[i];

            if (!float.IsNaN(difference))
            {
                sum += difference * difference;
                present++;
            }
        }

        return present == 0 ? float.PositiveInfinity : sum * used / present;
    }
}
