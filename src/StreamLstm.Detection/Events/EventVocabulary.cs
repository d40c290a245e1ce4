namespace StreamLstm.Detection.Events;

/// <summary>Numbers the kinds of events as they come. It has a cap: where it is full, the rarest kind is forgotten.</summary>
/// <remarks>
/// A forgotten kind reads as <see cref="Other"/>, as one that was never seen does. Its number goes to the newcomer. Counts
/// fade by half whenever their sum has doubled beyond the cap's share, so that what was frequent long ago gives way too.
/// </remarks>
public sealed class EventVocabulary
{
    /// <summary>The number of every kind that is not known.</summary>
    public const int Other = 0;

    private const long FadeEventsPerKind = 4096;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<string> _kinds = ["<other>"];
    private readonly List<long> _counts = [0];
    private long _total;

    /// <param name="capacity">Kinds it holds at most, besides <see cref="Other"/>: 1 to 65535.</param>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is outside its range.</exception>
    public EventVocabulary(int capacity)
    {
        Capacity = capacity is >= 1 and <= 65_535
            ? capacity
            : throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "expected 1 to 65535");
    }

    /// <summary>Kinds it holds at most, besides <see cref="Other"/>.</summary>
    public int Capacity { get; }

    /// <summary>Numbers in use, <see cref="Other"/> among them.</summary>
    public int Count => _kinds.Count;

    /// <summary>The name of a kind.</summary>
    public string this[int id] => _kinds[id];

    /// <summary>The number of a kind; <see cref="Other"/> where it is not known.</summary>
    public int Find(string kind) => _ids.GetValueOrDefault(kind, Other);

    /// <summary>Counts an event, and gives the number of its kind; a new kind may replace the rarest.</summary>
    public int Add(string kind)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);

        if (++_total > FadeEventsPerKind * Capacity)
        {
            Fade();
        }

        if (!_ids.TryGetValue(kind, out int id))
        {
            id = Place(kind);
        }

        _counts[id]++;
        return id;
    }

    private int Place(string kind)
    {
        int id = _kinds.Count;

        if (id <= Capacity)
        {
            _kinds.Add(kind);
            _counts.Add(0);
        }
        else
        {
            id = Rarest();
            _ids.Remove(_kinds[id]);
            _kinds[id] = kind;
            _counts[id] = 0;
        }

        _ids.Add(kind, id);
        return id;
    }

    /// <summary>The one with the fewest events; of several the oldest number.</summary>
    private int Rarest()
    {
        int rarest = 1;

        for (int id = 2; id < _counts.Count; id++)
        {
            rarest = _counts[id] < _counts[rarest] ? id : rarest;
        }

        return rarest;
    }

    private void Fade()
    {
        _total = 0;

        for (int id = 1; id < _counts.Count; id++)
        {
            _counts[id] /= 2;
            _total += _counts[id];
        }
    }
}
