using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Views;

/// <summary>What the page shows, in memory: each stream's state and last points, the last incidents, groups and swaps.</summary>
/// <remarks>
/// Bounded: 600 points a stream (48 bytes each) while there are at most 2,000 streams, 60 for those beyond; 500 incidents; 500 groups.
/// One short lock: the sink's writer, and readers once a second.
/// </remarks>
/// <param name="labels">What streams' names say; null for nothing.</param>
/// <param name="units">What devices declare of their streams; null for nothing.</param>
internal sealed class LiveView(StreamLabels? labels = null, StreamUnits? units = null) : IScoreSink
{
    private const int PointsPerStream = 600;
    private const int PointsPerFurtherStream = 60;
    private const int StreamsInFull = 2_000;
    private const int IncidentsKept = 500;
    private const int GroupsKept = 500;
    private const int SwapsKept = 100;
    private const int SparkPoints = 60;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LiveStream> _streams = new(StringComparer.Ordinal);
    private readonly LinkedList<IncidentEvent> _incidents = new();
    private readonly LinkedList<GroupEvent> _groups = new();
    private readonly List<ModelSwap> _swaps = [];
    private string[]? _names;      // sorted; null where a stream came or went
    private StreamLine[] _lines = [];
    private long _linesRevision = -1;
    private long _revision;
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

            _revision++;
            _sequence = Math.Max(_sequence, batch.Sequence);

            foreach (ScoredObservation scored in batch.Observations)
            {
                if (!_streams.TryGetValue(scored.Stream, out LiveStream? stream))
                {
                    stream = NewStream(scored.Stream);
                    _streams.Add(scored.Stream, stream);
                    _names = null;
                }

                stream.Add(scored);
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
                _names = _streams.Remove(gone.Stream) ? null : _names;
            }

            _swaps.AddRange(batch.Swaps);
            _swaps.RemoveRange(0, Math.Max(0, _swaps.Count - SwapsKept));
        }

        return default;
    }

    /// <summary>Every stream in the order of names, as short as a list or a tree needs it; the same array while nothing has come.</summary>
    public IReadOnlyList<StreamLine> Lines()
    {
        lock (_lock)
        {
            if (_names is null)
            {
                _names = [.. _streams.Keys];
                Array.Sort(_names, StringComparer.Ordinal);
                _linesRevision = -1;
            }

            if (_linesRevision != _revision)
            {
                _lines = Array.ConvertAll(_names, name => _streams[name].Line(name));
                _linesRevision = _revision;
            }

            return _lines;
        }
    }

    /// <summary>A stream's points after <paramref name="after"/>, oldest first; null where there is no such stream.</summary>
    public IReadOnlyList<LivePoint>? Points(string stream, DateTimeOffset after)
    {
        lock (_lock)
        {
            return _streams.TryGetValue(stream, out LiveStream? found) ? found.PointsAfter(after) : null;
        }
    }

    /// <summary>A stream's last values, for a small picture.</summary>
    public IReadOnlyList<double> Spark(string stream)
    {
        lock (_lock)
        {
            return _streams.TryGetValue(stream, out LiveStream? found) ? found.Spark() : [];
        }
    }

    /// <summary>A stream's state; null where there is no such stream.</summary>
    public LiveStreamState? State(string stream)
    {
        lock (_lock)
        {
            return _streams.TryGetValue(stream, out LiveStream? found) ? found.State(stream, units?.Of(stream)) : null;
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
            return Enum.GetValues<Lifecycle>().ToDictionary(
                lifecycle => lifecycle, lifecycle => _streams.Values.Count(stream => stream.Lifecycle == lifecycle));
        }
    }

    public ValueTask DisposeAsync() => default;

    /// <summary>What is shown, for the page after a restart: of each stream the last points only.</summary>
    public LiveViewState Save()
    {
        lock (_lock)
        {
            return new LiveViewState(
                _sequence, [.. _streams.Select(pair => pair.Value.Save(pair.Key))], [.. _incidents], [.. _groups], [.. _swaps]);
        }
    }

    /// <summary>Shows what a former life did, before anything else comes.</summary>
    public void Load(LiveViewState state)
    {
        lock (_lock)
        {
            _revision++;
            _sequence = state.Sequence;

            foreach (LiveStreamMemory memory in state.Streams)
            {
                LiveStream stream = NewStream(memory.Stream);
                stream.Load(memory);
                _streams[memory.Stream] = stream;
            }

            _names = null;

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

    private LiveStream NewStream(string name) => new(_streams.Count < StreamsInFull ? PointsPerStream : PointsPerFurtherStream, labels?.Of(name));

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
            stream.Follow(incident);
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

    private sealed class LiveStream(int capacity, IReadOnlyDictionary<string, string>? labels)
    {
        private readonly Queue<LivePoint> _points = new();
        private ScoredObservation _last;
        private bool _incidentOpen;

        public Lifecycle Lifecycle { get; private set; }

        public void Add(in ScoredObservation scored)
        {
            _last = scored;
            Lifecycle = scored.Lifecycle;

            if (_points.Count == capacity)
            {
                _points.Dequeue();
            }

            _points.Enqueue(new LivePoint(
                scored.Time, scored.Value, scored.Score, scored.Expected, scored.Lower, scored.Upper, scored.IsAlert));
        }

        public void Follow(IncidentEvent incident)
        {
            _incidentOpen = incident.State != IncidentState.Closed;

            if (incident.Kind == IncidentKind.Silence && _incidentOpen)
            {
                Lifecycle = Lifecycle.Silent;
            }
        }

        public LiveStreamMemory Save(string stream) =>
            new(stream, _last, Lifecycle, _incidentOpen, [.. _points.Skip(_points.Count - SparkPoints)]);

        public void Load(LiveStreamMemory memory)
        {
            (_last, Lifecycle, _incidentOpen) = (memory.Last, memory.Lifecycle, memory.IncidentOpen);

            foreach (LivePoint point in memory.Points)
            {
                _points.Enqueue(point);
            }
        }

        public LiveStreamState State(string stream, EngineeringUnit? unit) => new(
            stream, Lifecycle, _last.Progress, _last.Time, _last.Value, _last.Score, _last.Expected, _last.Lower, _last.Upper,
            _incidentOpen, _last.ModelVersion, _last.Channel,
            // A stream that sends nothing gets no further with its warm-up, however long one waits.
            Lifecycle == Lifecycle.Silent ? _last.WarmUp?.Standing() : _last.WarmUp,
            _last.Columns, _last.Template, _last.Alerts, labels, unit?.Unit, unit?.Low, unit?.High);

        public StreamLine Line(string stream) => new(stream, Lifecycle, _last.Lifecycle == Lifecycle.Active ? _last.Score : 0, _incidentOpen);

        public IReadOnlyList<double> Spark() =>
            [.. _points.Skip(_points.Count - SparkPoints).Select(point => double.Round(point.Value, 6))];

        public IReadOnlyList<LivePoint> PointsAfter(DateTimeOffset after) => [.. _points.Where(point => point.Time > after)];
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
internal sealed record LivePoint(
    DateTimeOffset Time, double Value, double Score, double? Expected, double? Lower, double? Upper, bool Alert);

/// <summary>One stream in a line.</summary>
internal readonly record struct StreamLine(string Stream, Lifecycle Lifecycle, double Score, bool IncidentOpen);

/// <summary>One stream, as the page lists it; with columns where it is one of records, whose value is J.</summary>
internal sealed record LiveStreamState(
    string Stream, Lifecycle Lifecycle, double Progress, DateTimeOffset Time, double Value, double Score,
    double? Expected, double? Lower, double? Upper, bool IncidentOpen, long ModelVersion, string Channel, WarmUp? WarmUp = null,
    IReadOnlyList<ColumnFigure>? Columns = null, string? Template = null, AlertRate? Alerts = null, IReadOnlyDictionary<string, string>? Labels = null,
    string? Unit = null, double? DeclaredLow = null, double? DeclaredHigh = null);
