using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sinks.History;

/// <summary>Values that came and are not in the file yet, rolled up to every level; and the minutes in which streams were odd.</summary>
/// <remarks>
/// What is in here only is told again after a kill, as the journal holds it: so it may wait for the next snapshot, and the file is written a block
/// at a time instead of a page a stream every ten seconds. One writer; readers come at any time. Bounded by <see cref="IsFull"/>, which its writer asks.
/// </remarks>
internal sealed class RollUps
{
    /// <summary>Lengths of stretches, in ticks: 10 seconds, 5 minutes, 2 hours. A block of each is 10 minutes, 5 hours, 5 days.</summary>
    public static readonly IReadOnlyList<long> Steps = [10 * TimeSpan.TicksPerSecond, 5 * TimeSpan.TicksPerMinute, 2 * TimeSpan.TicksPerHour];

    /// <summary>From here on a minute of a stream is worth remembering by itself: an incident opens at 50, calm streams stay below 40.</summary>
    public const double OddScore = 40;

    /// <summary>Some 25 MB, and of many streams a kilobyte each.</summary>
    private const int StretchesMax = 250_000;
    private const int StretchesPerStream = 12;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<RollUp>[]> _streams = new(StringComparer.Ordinal);
    private readonly Dictionary<(long Minute, string Stream), double> _odd = [];
    private int _stretches;

    /// <summary>Counts how often it was emptied: who reads the file beside it looks whether that happened meanwhile.</summary>
    public long Version { get; private set; }

    public bool IsEmpty => _streams.Count == 0;

    public bool IsFull => _stretches > StretchesMax + (StretchesPerStream * _streams.Count);

    public void Add(IReadOnlyList<ScoredObservation> observations)
    {
        lock (_lock)
        {
            foreach (ScoredObservation scored in observations)
            {
                Add(scored);
            }
        }
    }

    /// <summary>A stream's stretches of a level that lie in a range of ticks, in order.</summary>
    public (IReadOnlyList<RollUp> Found, long Version) Read(string stream, int level, long since, long until)
    {
        lock (_lock)
        {
            return (_streams.TryGetValue(stream, out List<RollUp>[]? levels)
                ? [.. levels[level].Where(one => one.Start + Steps[level] > since && one.Start < until).OrderBy(one => one.Start)]
                : [], Version);
        }
    }

    /// <summary>Odd minutes in a range of minutes since 1 January of the year 1.</summary>
    public (IReadOnlyList<OddMinute> Found, long Version) Odd(long since, long until)
    {
        lock (_lock)
        {
            return ([.. _odd.Where(pair => pair.Key.Minute >= since && pair.Key.Minute < until).Select(pair => new OddMinute(pair.Key.Minute, pair.Key.Stream, pair.Value))], Version);
        }
    }

    /// <summary>All there is, for the file. Its one writer calls it, and nobody else changes anything.</summary>
    public (IReadOnlyDictionary<string, List<RollUp>[]> Streams, IReadOnlyList<OddMinute> Odd) All() =>
        (_streams, [.. _odd.Select(pair => new OddMinute(pair.Key.Minute, pair.Key.Stream, pair.Value))]);

    /// <summary>It is in the file now.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _streams.Clear();
            _odd.Clear();
            _stretches = 0;
            Version++;
        }
    }

    /// <summary>A stream was deleted.</summary>
    public void Remove(string stream)
    {
        lock (_lock)
        {
            if (_streams.Remove(stream, out List<RollUp>[]? levels))
            {
                _stretches -= levels.Sum(level => level.Count);
            }

            foreach ((long, string Stream) key in _odd.Keys.Where(key => key.Stream == stream).ToList())
            {
                _odd.Remove(key);
            }

            Version++;
        }
    }

    private void Add(in ScoredObservation scored)
    {
        if (!_streams.TryGetValue(scored.Stream, out List<RollUp>[]? levels))
        {
            levels = [.. Steps.Select(_ => new List<RollUp>(1))];
            _streams.Add(scored.Stream, levels);
        }

        for (int level = 0; level < levels.Length; level++)
        {
            var one = RollUp.Of(scored, Steps[level]);
            List<RollUp> stretches = levels[level];

            if (stretches.Count > 0 && stretches[^1].Start == one.Start)
            {
                stretches[^1] = stretches[^1].With(one);
            }
            else
            {
                // Times of a stream rise, but for a clock that was set back: then a start comes twice, and the file has it once.
                stretches.Add(one);
                _stretches++;
            }
        }

        if (scored.Score >= OddScore)
        {
            (long, string) key = (scored.Time.UtcTicks / TimeSpan.TicksPerMinute, scored.Stream);
            _odd[key] = Math.Max(_odd.GetValueOrDefault(key), scored.Score);
        }
    }
}

/// <summary>A minute in which a stream was odd.</summary>
/// <param name="Minute">Minutes since 1 January of the year 1.</param>
/// <param name="Stream">The stream's name.</param>
/// <param name="Score">Its highest score in it, 0 to 100.</param>
internal readonly record struct OddMinute(long Minute, string Stream, double Score);
