using System.Collections;

namespace StreamLstm.Daemon.Views;

/// <summary>Streams in a line each, in an order: a line is read when somebody looks at it, so that of a million those that are shown are paid for.</summary>
internal sealed class StreamLines : IReadOnlyList<StreamLine>
{
    private readonly LiveStream[] _streams;
    private readonly int _from;

    /// <param name="streams">All of them, in order; never changed.</param>
    public StreamLines(LiveStream[] streams)
        : this(streams, 0, streams.Length)
    {
    }

    private StreamLines(LiveStream[] streams, int from, int count) => (_streams, _from, Count) = (streams, from, count);

    public int Count { get; }

    public StreamLine this[int index] => _streams[_from + index].Line();

    /// <summary>Those whose names begin so, where all are in the order of names.</summary>
    public StreamLines Under(string prefix)
    {
        int from = First(name => string.CompareOrdinal(name, prefix) >= 0);
        int to = First(name => string.CompareOrdinal(name, prefix) >= 0 && !name.StartsWith(prefix, StringComparison.Ordinal));
        return new StreamLines(_streams, _from + from, to - from);
    }

    /// <summary>Those of which something is so.</summary>
    public StreamLines Where(Func<StreamLine, bool> isSo)
    {
        List<LiveStream> found = [];

        for (int i = 0; i < Count; i++)
        {
            if (isSo(this[i]))
            {
                found.Add(_streams[_from + i]);
            }
        }

        return new StreamLines([.. found]);
    }

    /// <summary>The highest rank first, among equals as they are: counted and not sorted, as ranks are few and streams may be a million.</summary>
    /// <param name="rank">From 0 to below <paramref name="ranks"/>.</param>
    /// <param name="ranks">How many there are.</param>
    public StreamLines ByRank(Func<StreamLine, int> rank, int ranks)
    {
        byte[] ranked = new byte[Count];
        int[] next = new int[ranks];

        for (int i = 0; i < Count; i++)
        {
            ranked[i] = (byte)rank(this[i]);
            next[ranked[i]]++;
        }

        for (int i = ranks - 1, before = 0; i >= 0; i--)
        {
            (next[i], before) = (before, before + next[i]);
        }

        var ordered = new LiveStream[Count];

        for (int i = 0; i < Count; i++)
        {
            ordered[next[ranked[i]]++] = _streams[_from + i];
        }

        return new StreamLines(ordered);
    }

    /// <summary>Where a stream stands; null where it does not.</summary>
    public int? PlaceOf(string stream)
    {
        int place = Array.FindIndex(_streams, _from, Count, one => one.Name == stream);
        return place < 0 ? null : place - _from;
    }

    public IEnumerator<StreamLine> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The first one of which something is so that is so of all behind it.</summary>
    private int First(Func<string, bool> isSo)
    {
        int low = 0, high = Count;

        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = isSo(_streams[_from + middle].Name) ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
