using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>Windows of a stream's past, as values and on the columns' present scales: three in four of all its life, the fourth of late.</summary>
/// <remarks>
/// The first part is a uniform sample, so that a rare state stays known; the second forgets, so that slow change is followed.
/// Vectors are 256 bits wide everywhere, so that sums have the same order, and bits, on every machine.
/// </remarks>
/// <param name="stride">Values of a window, a multiple of 8; what is not used is 0.</param>
/// <param name="capacity">Windows kept.</param>
internal sealed class WindowMemory(int stride, int capacity)
{
    /// <summary>Neighbours searched for.</summary>
    public const int Neighbours = 5;

    /// <summary>Values expressed anew per row: a fraction of a millisecond.</summary>
    private const int ExpressedPerRow = 100_000;

    /// <summary>Windows of a block: memory grows by one, as to copy all of 128 columns would hold their row up for milliseconds.</summary>
    private const int BlockWindows = 32;

    private readonly List<float[]> _values = [];            // blocks of (BlockWindows, stride), NaN where missing
    private readonly List<float[]> _scaled = [];            // blocks of (BlockWindows, stride)
    private readonly bool[] _complete = new bool[capacity]; // no value missing
    private readonly long[] _rows = new long[capacity];     // the row whose window it is
    private long _seen;
    private int _stale;                                     // the first window still on the scales before

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

    /// <summary>Whether all windows are on the present scales.</summary>
    public bool IsFresh => _stale >= Count;

    /// <summary>Offers a row's window.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="window">(stride) values.</param>
    /// <param name="centre">(stride): the present centres.</param>
    /// <param name="inverse">(stride): one over the present scales.</param>
    /// <param name="lateWindows">Windows after which one is forgotten by the second part, on average; 0 to have this one taken in any case.</param>
    /// <param name="random">What decides.</param>
    public void Add(
        long row, ReadOnlySpan<float> window, ReadOnlySpan<float> centre, ReadOnlySpan<float> inverse, double lateWindows, ref SeededRandom random)
    {
        _seen++;
        int late = _rows.Length / 4, life = _rows.Length - late;

        if (Count < _rows.Length)
        {
            Reserve(++Count);
            int place = random.Next(Count);     // any order, so that each part begins as a sample of all
            Copy(place, Count - 1);
            Put(place, row, window, centre, inverse);
            return;
        }

        if (random.NextDouble() * _seen < life)
        {
            Put(random.Next(life), row, window, centre, inverse);
        }
        else if (random.NextDouble() * Math.Min(_seen, lateWindows) < late)
        {
            Put(life + random.Next(late), row, window, centre, inverse);
        }
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

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _seen = 0;
        Count = 0;
    }

    /// <summary>The nearest windows, the nearest first.</summary>
    /// <param name="query">(stride), scaled; NaN where missing.</param>
    /// <param name="used">How many of its values are not padding.</param>
    /// <param name="nearest">(Neighbours): their indices.</param>
    /// <param name="skipFrom">The first row whose window is passed over.</param>
    /// <param name="skipTo">The first one after it whose window is not.</param>
    /// <returns>How many there are.</returns>
    public int Nearest(ReadOnlySpan<float> query, int used, Span<int> nearest, long skipFrom = 0, long skipTo = 0)
    {
        Span<float> distances = stackalloc float[Neighbours];
        distances.Fill(float.PositiveInfinity);
        bool complete = IsComplete(query);
        int found = 0;

        for (int window = 0; window < Count; window++)
        {
            if (_rows[window] >= skipFrom && _rows[window] < skipTo)
            {
                continue;
            }

            float distance = complete && _complete[window]
                ? Distance(query, Scaled(window), distances[^1])
                : PresentDistance(query, Scaled(window), used);

            if (distance < distances[^1])
            {
                Insert(window, distance, distances, nearest);
                found = Math.Min(found + 1, Neighbours);
            }
        }

        return found;
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

        if (Count < 0 || Count > _rows.Length || _stale < 0 || _stale > _rows.Length)
        {
            throw new InvalidDataException($"window memory: {Count} windows, {_stale} expressed, expected at most {_rows.Length}");
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

    private void Put(int place, long row, ReadOnlySpan<float> window, ReadOnlySpan<float> centre, ReadOnlySpan<float> inverse)
    {
        window.CopyTo(In(_values, place));
        Express(window, centre, inverse, In(_scaled, place));
        _complete[place] = IsComplete(window);
        _rows[place] = row;
    }

    private void Copy(int from, int to)
    {
        In(_values, from).CopyTo(In(_values, to));
        In(_scaled, from).CopyTo(In(_scaled, to));
        (_complete[to], _rows[to]) = (_complete[from], _rows[from]);
    }

    /// <summary>Puts a window in its place among the nearest.</summary>
    private static void Insert(int window, float distance, Span<float> distances, Span<int> windows)
    {
        int place = Neighbours - 1;

        for (; place > 0 && distances[place - 1] > distance; place--)
        {
            distances[place] = distances[place - 1];
            windows[place] = windows[place - 1];
        }

        distances[place] = distance;
        windows[place] = window;
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
