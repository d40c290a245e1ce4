namespace StreamLstm.Daemon.Views;

/// <summary>All streams in the order of names, put in order by who reads: the writer only notes who came and that one went.</summary>
internal sealed class StreamOrder
{
    private static readonly Comparer<LiveStream> ByName = Comparer<LiveStream>.Create((one, other) => string.CompareOrdinal(one.Name, other.Name));

    private readonly Lock _reading = new();
    private readonly Lock _noting = new();
    private readonly List<LiveStream> _came = [];
    private bool _isAnyGone;
    private LiveStream[] _ordered = [];
    private StreamLines _lines = new([]);

    public void Add(LiveStream stream)
    {
        lock (_noting)
        {
            _came.Add(stream);
        }
    }

    public void Remove(LiveStream stream)
    {
        lock (_noting)
        {
            stream.IsGone = true;
            _isAnyGone = true;
        }
    }

    /// <summary>All of them, in order; never changed.</summary>
    public LiveStream[] Streams()
    {
        lock (_reading)
        {
            Lines();
            return _ordered;
        }
    }

    /// <summary>As they are now; the same object while none has come or gone.</summary>
    public StreamLines Lines()
    {
        // One reader puts them in order, others wait for it; the writer waits for none.
        lock (_reading)
        {
            LiveStream[] came;

            lock (_noting)
            {
                if (_came.Count == 0 && !_isAnyGone)
                {
                    return _lines;
                }

                came = [.. _came];
                _came.Clear();
                _isAnyGone = false;
            }

            Array.Sort(came, ByName);
            _ordered = Merged(_ordered, came);
            return _lines = new StreamLines(_ordered);
        }
    }

    private static LiveStream[] Merged(LiveStream[] one, LiveStream[] other)
    {
        var merged = new List<LiveStream>(one.Length + other.Length);

        for (int i = 0, j = 0; i < one.Length || j < other.Length;)
        {
            LiveStream next = j == other.Length || (i < one.Length && ByName.Compare(one[i], other[j]) <= 0) ? one[i++] : other[j++];

            if (!next.IsGone)
            {
                merged.Add(next);
            }
        }

        return [.. merged];
    }
}
