using System.Runtime.InteropServices;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sinks.History;

/// <summary>Values that came and are not in the file yet, rolled up to stretches of the finest level; and the minutes in which streams were odd.</summary>
/// <remarks>
/// What is in here only is told again after a kill, as the journal holds it: so it may wait for the next snapshot, and the file is written a block
/// at a time instead of a page a stream every ten seconds. What is on its way into the file stands apart until it is there, so that values go on
/// coming meanwhile. Readers come at any time. Bounded by <see cref="IsFull"/>, which its writer asks.
/// </remarks>
internal sealed class RollUps(int stretchesMax = int.MaxValue)
{
    /// <summary>Lengths of stretches, in ticks: 10 seconds, 5 minutes, 2 hours. A block of each is 10 minutes, 5 hours, 5 days.</summary>
    public static readonly IReadOnlyList<long> Steps = [10 * TimeSpan.TicksPerSecond, 5 * TimeSpan.TicksPerMinute, 2 * TimeSpan.TicksPerHour];

    /// <summary>From here on a minute of a stream is worth remembering by itself: an incident opens at 50, calm streams stay below 40.</summary>
    public const double OddScore = 40;

    /// <summary>Some 20 MB, and of many streams a kilobyte each.</summary>
    private const int StretchesMax = 250_000;
    private const int StretchesPerStream = 12;

    /// <summary>Of each stream, however little room there is: fewer than these are not worth the writing.</summary>
    private const int StretchesMin = 2;

    private readonly Lock _lock = new();
    private Dictionary<string, List<RollUp>> _streams = new(StringComparer.Ordinal);
    private Dictionary<(long Minute, string Stream), double> _odd = [];
    private Dictionary<string, List<RollUp>> _leaving = new(StringComparer.Ordinal);
    private Dictionary<(long Minute, string Stream), double> _leavingOdd = [];
    private int _stretches;

    /// <summary>Counts how often something went into the file: who reads that beside it looks whether it happened meanwhile.</summary>
    public long Version { get; private set; }

    public bool IsEmpty => _streams.Count == 0 && _leaving.Count == 0;

    /// <summary>Whether there is as much as may be, besides what is on its way.</summary>
    public bool IsFull => _stretches > Math.Max(StretchesMin * _streams.Count, Math.Min(stretchesMax, StretchesMax + (StretchesPerStream * _streams.Count)));

    public void Add(IEnumerable<ScoredObservation> observations)
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
            List<RollUp> raised = [];
            Raise([.. _leaving.GetValueOrDefault(stream) ?? [], .. _streams.GetValueOrDefault(stream) ?? []], level, raised);
            return ([.. raised.Where(one => one.Start + Steps[level] > since && one.Start < until)], Version);
        }
    }

    /// <summary>Odd minutes in a range of minutes since 1 January of the year 1.</summary>
    public (IReadOnlyList<OddMinute> Found, long Version) Odd(long since, long until)
    {
        lock (_lock)
        {
            return ([.. _leavingOdd.Concat(_odd.Where(pair => !_leavingOdd.ContainsKey(pair.Key)))
                .Where(pair => pair.Key.Minute >= since && pair.Key.Minute < until)
                .Select(pair => new OddMinute(pair.Key.Minute, pair.Key.Stream, Math.Max(pair.Value, _odd.GetValueOrDefault(pair.Key))))], Version);
        }
    }

    /// <summary>All there is starts on its way into the file, with what had not got there before.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            if (_leaving.Count == 0)
            {
                (_leaving, _streams) = (_streams, new Dictionary<string, List<RollUp>>(StringComparer.Ordinal));
                (_leavingOdd, _odd) = (_odd, []);
            }
            else
            {
                foreach ((string stream, List<RollUp> come) in _streams)
                {
                    _leaving[stream] = [.. _leaving.GetValueOrDefault(stream) ?? [], .. come];
                }

                foreach (((long, string) minute, double score) in _odd)
                {
                    _leavingOdd[minute] = Math.Max(_leavingOdd.GetValueOrDefault(minute), score);
                }

                _streams.Clear();
                _odd.Clear();
            }

            _stretches = 0;
        }
    }

    /// <summary>The next that are on their way: so many streams at most, and of more than one so many stretches. Only the file's one writer asks.</summary>
    public IReadOnlyDictionary<string, List<RollUp>> NextLeaving(int streamsMax, int stretchesMax)
    {
        Dictionary<string, List<RollUp>> next = new(StringComparer.Ordinal);

        foreach ((string stream, List<RollUp> stretches) in _leaving)
        {
            stretchesMax -= stretches.Count;

            if (next.Count == streamsMax || (next.Count > 0 && stretchesMax < 0))
            {
                break;
            }

            next.Add(stream, stretches);
        }

        return next;
    }

    /// <summary>Whether these are all that are on their way.</summary>
    public bool IsAllLeaving(IReadOnlyDictionary<string, List<RollUp>> next) => next.Count == _leaving.Count;

    /// <summary>The odd minutes that are on their way; they go with the last streams.</summary>
    public IReadOnlyList<OddMinute> LeavingOdd() => [.. _leavingOdd.Select(pair => new OddMinute(pair.Key.Minute, pair.Key.Stream, pair.Value))];

    /// <summary>Some are in the file now.</summary>
    public void Left(IEnumerable<string> streams)
    {
        lock (_lock)
        {
            foreach (string stream in streams)
            {
                _leaving.Remove(stream);
            }

            if (_leaving.Count == 0)
            {
                _leavingOdd.Clear();
            }

            Version++;
        }
    }

    /// <summary>A stream was deleted.</summary>
    public void Remove(string stream)
    {
        lock (_lock)
        {
            if (_streams.Remove(stream, out List<RollUp>? come))
            {
                _stretches -= come.Count;
            }

            _leaving.Remove(stream);

            foreach (Dictionary<(long, string Stream), double> odd in new[] { _odd, _leavingOdd })
            {
                foreach ((long, string) key in odd.Keys.Where(key => key.Stream == stream).ToList())
                {
                    odd.Remove(key);
                }
            }

            Version++;
        }
    }

    /// <summary>Adds stretches of the finest level as those of another, in order, each start once.</summary>
    public static void Raise(List<RollUp> finest, int level, List<RollUp> raised)
    {
        long step = Steps[level];
        int first = raised.Count;

        // Times of a stream rise, but for a clock that was set back: then a start comes twice.
        for (int i = 1; i < finest.Count; i++)
        {
            if (finest[i].Start < finest[i - 1].Start)
            {
                finest = [.. finest.OrderBy(one => one.Start)];
                break;
            }
        }

        foreach (RollUp one in finest)
        {
            RollUp wide = one with { Start = one.Start / step * step };

            if (raised.Count > first && raised[^1].Start == wide.Start)
            {
                raised[^1] = raised[^1].With(wide);
            }
            else
            {
                raised.Add(wide);
            }
        }
    }

    private void Add(in ScoredObservation scored)
    {
        ref List<RollUp>? stretches = ref CollectionsMarshal.GetValueRefOrAddDefault(_streams, scored.Stream, out _);
        stretches ??= new List<RollUp>(1);
        var one = RollUp.Of(scored, Steps[0]);

        if (stretches.Count > 0 && stretches[^1].Start == one.Start)
        {
            stretches[^1] = stretches[^1].With(one);
        }
        else
        {
            stretches.Add(one);
            _stretches++;
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
