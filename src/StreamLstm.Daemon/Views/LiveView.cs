using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Views;

/// <summary>What the page shows, in memory: each stream's state and last points, the last incidents, groups and swaps.</summary>
/// <remarks>
/// Bounded: 600 points (56 bytes each) of the first 2,000 streams, 60 of the next 10,000, and 600 of the 512 others that were looked at last; a few
/// hundred bytes a stream; 500 incidents; 500 groups. One short lock for one stream or batch: who asks for the list waits for nobody, and nobody for him.
/// </remarks>
/// <param name="labels">What streams' names say; null for nothing.</param>
/// <param name="units">What devices declare of their streams; null for nothing.</param>
internal sealed class LiveView(StreamLabels? labels = null, StreamUnits? units = null, double pointsKept = 1) : IScoreSink
{
    private const int PointsPerStream = 600;
    private const int StreamsInFull = 2_000;
    private const int PointsPerFurtherStream = 60;
    private const int StreamsFurther = 10_000;
    private const int StreamsLookedAt = 512;
    private const int StreamsSaved = 20_000;
    private const int IncidentsKept = 500;
    private const int GroupsKept = 500;
    private const int SwapsKept = 100;
    private const int SparkPoints = 60;

    private readonly int _streamsInFull = (int)(pointsKept * StreamsInFull);
    private readonly int _streamsFurther = (int)(pointsKept * StreamsFurther);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LiveStream> _streams = new(StringComparer.Ordinal);
    private readonly LinkedList<IncidentEvent> _incidents = new();
    private readonly LinkedList<GroupEvent> _groups = new();
    private readonly List<ModelSwap> _swaps = [];
    private readonly StreamOrder _order = new();
    private readonly LinkedList<LiveStream> _lookedAt = new();   // beside those that keep as many points by themselves, the last one first
    private readonly int[] _byLifecycle = new int[Enum.GetValues<Lifecycle>().Length];
    private long _sequence = -1;   // of the last entry that is shown

    public string Name => "live";

    /// <summary>Another one where there is something new about incidents.</summary>
    public long IncidentRevision { get; private set; }

    public ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (batch.IsReplayed && batch.Sequence <= _sequence)
            {
                // It was shown before the restart, and still is.
                return default;
            }

            _sequence = Math.Max(_sequence, batch.Sequence);

            foreach (ScoredObservation scored in batch.Observations)
            {
                LiveStream stream = _streams.TryGetValue(scored.Stream, out LiveStream? known) ? known : NewStream(scored.Stream);
                _byLifecycle[(int)stream.Lifecycle]--;
                stream.Add(scored);
                _byLifecycle[(int)stream.Lifecycle]++;
            }

            IncidentRevision += batch.Incidents.Count + batch.Groups.Count;

            foreach (IncidentEvent incident in batch.Incidents)
            {
                Follow(incident);
            }

            foreach (GroupEvent group in batch.Groups)
            {
                Follow(group);
            }

            foreach (ForgottenStream gone in batch.Forgotten)
            {
                Forget(gone.Stream);
            }

            _swaps.AddRange(batch.Swaps);
            _swaps.RemoveRange(0, Math.Max(0, _swaps.Count - SwapsKept));
        }

        return default;
    }

    /// <summary>Every stream in the order of names, as short as a list or a tree needs it; the same object while none has come or gone.</summary>
    public StreamLines Lines() => _order.Lines();

    /// <summary>A stream's points after <paramref name="after"/>, oldest first; null where there is no such stream. It keeps more of them from now on.</summary>
    public IReadOnlyList<LivePoint>? Points(string stream, DateTimeOffset after)
    {
        lock (_lock)
        {
            return LookedAt(stream, PointsPerStream)?.PointsAfter(after);
        }
    }

    /// <summary>A stream's last values, for a small picture.</summary>
    public IReadOnlyList<double> Spark(string stream)
    {
        lock (_lock)
        {
            return LookedAt(stream, SparkPoints)?.Spark(SparkPoints) ?? [];
        }
    }

    /// <summary>A stream's state; null where there is no such stream.</summary>
    public LiveStreamState? State(string stream)
    {
        lock (_lock)
        {
            return _streams.TryGetValue(stream, out LiveStream? found) ? found.State(labels?.Of(stream), units?.Of(stream)) : null;
        }
    }

    /// <summary>The last incidents, each by its last event, newest first.</summary>
    public IReadOnlyList<IncidentEvent> Incidents()
    {
        lock (_lock)
        {
            return [.. _incidents];
        }
    }

    /// <summary>The last groups of incidents, each as it is now, newest first.</summary>
    public IReadOnlyList<GroupEvent> Groups()
    {
        lock (_lock)
        {
            return [.. _groups];
        }
    }

    public IReadOnlyList<ModelSwap> Swaps()
    {
        lock (_lock)
        {
            return [.. _swaps];
        }
    }

    public IReadOnlyDictionary<Lifecycle, int> CountByLifecycle()
    {
        lock (_lock)
        {
            return Enum.GetValues<Lifecycle>().ToDictionary(lifecycle => lifecycle, lifecycle => _byLifecycle[(int)lifecycle]);
        }
    }

    public ValueTask DisposeAsync() => default;

    /// <summary>What is shown, for the page after a restart: of streams that keep points the last ones, of others up to a bound how they stand.</summary>
    public LiveViewState Save()
    {
        long sequence;
        List<LiveStreamMemory> saved = [];

        lock (_lock)
        {
            sequence = _sequence;
        }

        LiveStream[] streams = _order.Streams();

        foreach (LiveStream[] some in streams.Where(stream => stream.PointsOfItsOwn > 0).Concat(streams.Where(stream => stream.PointsOfItsOwn == 0)).Take(StreamsSaved).Chunk(256))
        {
            // So that the writer gets its turn between.
            lock (_lock)
            {
                saved.AddRange(some.Select(stream => stream.Save(stream.PointsOfItsOwn == PointsPerStream ? SparkPoints : 0)));
            }
        }

        lock (_lock)
        {
            return new LiveViewState(sequence, saved, [.. _incidents], [.. _groups], [.. _swaps]);
        }
    }

    /// <summary>Shows what a former life did, before anything else comes.</summary>
    public void Load(LiveViewState state)
    {
        lock (_lock)
        {
            _sequence = state.Sequence;

            foreach (LiveStreamMemory memory in state.Streams)
            {
                LiveStream stream = NewStream(memory.Stream);
                Change(stream, () => stream.Load(memory));
            }

            foreach (IncidentEvent incident in state.Incidents)
            {
                _incidents.AddLast(incident);
            }

            foreach (GroupEvent group in state.Groups)
            {
                _groups.AddLast(group);
            }

            _swaps.AddRange(state.Swaps);
        }
    }

    private LiveStream NewStream(string name)
    {
        var stream = new LiveStream(name);
        stream.Keep(_streams.Count < _streamsInFull ? PointsPerStream : _streams.Count < _streamsInFull + _streamsFurther ? PointsPerFurtherStream : 0, byItself: true);
        _streams.Add(name, stream);
        _order.Add(stream);
        _byLifecycle[(int)stream.Lifecycle]++;
        return stream;
    }

    private void Forget(string name)
    {
        if (_streams.Remove(name, out LiveStream? stream))
        {
            _order.Remove(stream);
            _lookedAt.Remove(stream);
            _byLifecycle[(int)stream.Lifecycle]--;
        }
    }

    /// <summary>A stream that somebody looks at: it keeps so many points from here on, until others were looked at.</summary>
    private LiveStream? LookedAt(string name, int points)
    {
        if (!_streams.TryGetValue(name, out LiveStream? stream) || stream.PointsOfItsOwn >= points)
        {
            return stream;
        }

        if (!_lookedAt.Remove(stream) && _lookedAt.Count == StreamsLookedAt)
        {
            LiveStream before = _lookedAt.Last!.Value;
            _lookedAt.RemoveLast();
            before.Keep(before.PointsOfItsOwn, byItself: true);
        }

        _lookedAt.AddFirst(stream);
        stream.Keep(Math.Max(points, stream.Points?.Capacity ?? 0), byItself: false);
        return stream;
    }

    /// <summary>Changes a stream, and what is counted of all.</summary>
    private void Change(LiveStream stream, Action change)
    {
        _byLifecycle[(int)stream.Lifecycle]--;
        change();
        _byLifecycle[(int)stream.Lifecycle]++;
    }

    private void Follow(IncidentEvent incident)
    {
        LinkedListNode<IncidentEvent>? known = _incidents.First;

        while (known is not null && known.Value.IncidentId != incident.IncidentId)
        {
            known = known.Next;
        }

        if (known is null)
        {
            _incidents.AddFirst(incident);

            if (_incidents.Count > IncidentsKept)
            {
                _incidents.RemoveLast();
            }
        }
        else
        {
            // The figures of a closing event are those of an ordinary row; its sentence says why it began, and how it ended.
            known.Value = incident.State == IncidentState.Closed
                ? known.Value with
                {
                    State = incident.State,
                    ClosedAt = incident.ClosedAt,
                    Revision = incident.Revision,
                    MaxScore = incident.MaxScore,
                    Explanation = incident.Explanation,
                }
                : incident;
        }

        if (_streams.TryGetValue(incident.Stream, out LiveStream? stream))
        {
            Change(stream, () => stream.Follow(incident));
        }
    }

    private void Follow(GroupEvent group)
    {
        LinkedListNode<GroupEvent>? known = _groups.First;

        while (known is not null && known.Value.Id != group.Id)
        {
            known = known.Next;
        }

        if (known is not null)
        {
            known.Value = group;
            return;
        }

        _groups.AddFirst(group);

        if (_groups.Count > GroupsKept)
        {
            _groups.RemoveLast();
        }
    }
}

/// <summary>What the page shows, as it is kept over a restart.</summary>
internal sealed record LiveViewState(
    long Sequence, IReadOnlyList<LiveStreamMemory> Streams, IReadOnlyList<IncidentEvent> Incidents, IReadOnlyList<GroupEvent> Groups,
    IReadOnlyList<ModelSwap> Swaps);

/// <summary>One stream of it.</summary>
internal sealed record LiveStreamMemory(
    string Stream, ScoredObservation Last, Lifecycle Lifecycle, bool IncidentOpen, IReadOnlyList<LivePoint> Points);

/// <summary>One scored observation, as the page draws it.</summary>
internal readonly record struct LivePoint(
    DateTimeOffset Time, double Value, double Score, double? Expected, double? Lower, double? Upper, bool Alert);

/// <summary>One stream in a line.</summary>
internal readonly record struct StreamLine(string Stream, Lifecycle Lifecycle, double Score, bool IncidentOpen);

/// <summary>One stream, as the page lists it; with columns where it is one of records, whose value is J.</summary>
internal sealed record LiveStreamState(
    string Stream, Lifecycle Lifecycle, double Progress, DateTimeOffset Time, double Value, double Score,
    double? Expected, double? Lower, double? Upper, bool IncidentOpen, long ModelVersion, string Channel, WarmUp? WarmUp = null,
    IReadOnlyList<ColumnFigure>? Columns = null, string? Template = null, AlertRate? Alerts = null, IReadOnlyDictionary<string, string>? Labels = null,
    string? Unit = null, double? DeclaredLow = null, double? DeclaredHigh = null, StreamForm Form = StreamForm.Full);
