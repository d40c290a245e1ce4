using System.Diagnostics.Metrics;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Telemetry;

/// <summary>Every instrument of the daemon. Names are a contract; stream names never become labels.</summary>
internal sealed class DaemonMetrics : IDisposable
{
    public const string MeterName = "StreamLstm";

    /// <summary>Seconds that part a step of the pipeline's durations: without them all of it is below the first of OpenTelemetry's own, 5.</summary>
    private static readonly double[] Steps = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    /// <summary>The same of long work beside it.</summary>
    private static readonly double[] Works = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000];

    private static readonly string[] ReasonNames =
        [.. Enum.GetNames<RejectionReason>().Select(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    /// <summary>One cut of the books for all four instruments of one scrape, which reads them on one thread, in this order.</summary>
    [ThreadStatic]
    private static LedgerCut? t_cut;

    private static readonly string[] SuppressedNames =
        [.. Enum.GetNames<Detection.Deciding.SuppressedBy>().Select(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private readonly Meter _meter = new(MeterName);
    private readonly long[] _suppressedByReason = new long[SuppressedNames.Length];
    private readonly Histogram<double> _scoreDuration;
    private readonly Histogram<double> _pipelineLatency;
    private readonly Histogram<double> _snapshotDuration;
    private readonly Histogram<double> _trainingDuration;
    private readonly Counter<long> _incidents;
    private readonly Counter<long> _groups;
    private readonly Counter<long> _suppressed;
    private readonly Counter<long> _resets;
    private readonly Counter<long> _undone;
    private readonly Counter<long> _badValues;
    private readonly Counter<long> _unknownColumns;
    private readonly Counter<long> _trainings;
    private readonly Counter<long> _swaps;
    private readonly Counter<long> _published;
    private readonly Counter<long> _snapshotFailures;
    private readonly Histogram<double> _journalDuration;
    private readonly Counter<long> _journalEntries;
    private readonly Counter<long> _journalFailures;
    private readonly Counter<long> _sinkRetries;
    private readonly Counter<long> _sinkDropped;
    private readonly Counter<long> _sourceFailures;
    private readonly Counter<long> _forgotten;
    private readonly Counter<long> _requestsRefused;
    private readonly Counter<long> _reloads;
    private readonly Counter<long> _sinkRefused;
    private readonly Counter<long> _redelivered;
    private readonly Counter<long> _gaps;
    private readonly Counter<long> _gapRecords;
    private readonly Counter<long> _rebirths;
    private readonly Counter<long> _stateBytes;
    private readonly Histogram<double> _takeovers;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, bool> _connected = new();
    private readonly Counter<long> _toldOtherwise;
    private long _modelVersion;
    private long _snapshotBytes;
    private double _candidateLoss = double.NaN;
    private double _championLoss = double.NaN;

    public DaemonMetrics(Ledger ledger)
    {
        // The first of the four takes the cut; the others read it. Keep their order.
        _meter.CreateObservableCounter(
            "streamlstm.observations.received",
            () =>
            {
                t_cut = ledger.Cut();
                return t_cut.ReceivedBySource.Select(pair => new Measurement<long>(pair.Value, Label("source", pair.Key)));
            },
            "{observation}",
            "Observations taken in, by source.");
        _meter.CreateObservableCounter(
            "streamlstm.observations.scored", () => Cut(ledger).Scored, "{observation}", "Observations scored or learnt from.");
        _meter.CreateObservableCounter(
            "streamlstm.observations.rejected",
            () => Cut(ledger).RejectedByReason.Select((count, reason) => new Measurement<long>(count, Label("reason", ReasonNames[reason]))),
            "{observation}",
            "Observations not scored, by reason.");
        _meter.CreateObservableGauge(
            "streamlstm.observations.queued", () => Cut(ledger).Queued, "{observation}", "Observations between the door and the verdict.");

        _meter.CreateObservableCounter(
            "streamlstm.values.left_out",
            () => ledger.LeftOut().Select(left => new Measurement<long>(
                left.Count, Label("source", left.Source), Label("reason", System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(left.Reason.ToString())))),
            "{value}",
            "Fields of records that became no observations, by reason.");
        _scoreDuration = Durations("streamlstm.score.duration", "Time to score one batch.", Steps);
        _pipelineLatency = Durations("streamlstm.pipeline.latency", "From ingest to the sinks, per batch.", Steps);
        _snapshotDuration = Durations("streamlstm.checkpoint.duration", "Time to take and write a snapshot.", Works);
        _trainingDuration = Durations("streamlstm.training.duration", "Time of one training of base weights.", Works);
        _incidents = _meter.CreateCounter<long>("streamlstm.anomalies", "{event}", "Incidents opened, by kind and severity.");
        _groups = _meter.CreateCounter<long>("streamlstm.anomaly.groups", "{group}", "Groups of incidents that began together, opened.");
        _suppressed = _meter.CreateCounter<long>("streamlstm.events.suppressed", "{event}", "Alerts kept back, by reason.");
        _resets = _meter.CreateCounter<long>("streamlstm.state.resets", "{stream}", "Streams whose state was reset, by reason.");
        _undone = _meter.CreateCounter<long>("streamlstm.training.undone", "{step}", "Training steps undone because a gradient was not finite.");
        _badValues = _meter.CreateCounter<long>("streamlstm.values.bad", "{value}", "Values that were NaN, infinite or beyond 1e20.");
        _unknownColumns = _meter.CreateCounter<long>("streamlstm.values.unknown_column", "{value}", "Values of records in columns that their stream does not have.");
        _trainings = _meter.CreateCounter<long>("streamlstm.trainings", "{training}", "Trainings of base weights, by result.");
        _swaps = _meter.CreateCounter<long>("streamlstm.model.swaps", "{swap}", "New base weights put into service.");
        _published = _meter.CreateCounter<long>("streamlstm.sink.published", "{event}", "Verdicts and incidents handed to a sink.");
        _snapshotFailures = _meter.CreateCounter<long>("streamlstm.checkpoint.failures", "{snapshot}", "Snapshots that could not be written.");
        _journalDuration = Durations("streamlstm.journal.duration", "Time to write and sync one group of entries.", Steps);
        _journalEntries = _meter.CreateCounter<long>("streamlstm.journal.entries", "{entry}", "Entries written to the journal.");
        _journalFailures = _meter.CreateCounter<long>("streamlstm.journal.failures", "{group}", "Groups of entries that could not be written, and were not acknowledged.");
        _sinkRetries = _meter.CreateCounter<long>("streamlstm.sink.retries", "{write}", "Writes that a sink did not take and that were tried again.");
        _sinkDropped = _meter.CreateCounter<long>("streamlstm.sink.dropped", "{event}", "Events that a sink missed because its queue was full.");
        _toldOtherwise = _meter.CreateCounter<long>("streamlstm.determinism.violations", "{event}", "Events told again after a restart that a sink holds in other words.");
        _sourceFailures = _meter.CreateCounter<long>("streamlstm.source.failures", "{failure}", "Sources that failed and were started again.");
        _sinkRefused = _meter.CreateCounter<long>("streamlstm.sink.refused", "{event}", "Events that whoever a sink sends to refused for good.");
        _reloads = _meter.CreateCounter<long>("streamlstm.config.reloads", "{reload}", "Times the configuration was read again, by outcome: done, refused.");
        _requestsRefused = _meter.CreateCounter<long>("streamlstm.http.refused", "{request}", "Requests that were not let in, by reason: host, origin, token, role.");
        _forgotten = _meter.CreateCounter<long>("streamlstm.streams.forgotten", "{stream}", "Streams forgotten, by reason.");
        _rebirths = _meter.CreateCounter<long>("streamlstm.source.rebirths", "{request}", "Births that Sparkplug B nodes were asked for again.");
        _stateBytes = _meter.CreateCounter<long>("streamlstm.cluster.state", "By", "State of streams written to a cluster's topic.");
        _takeovers = Durations("streamlstm.cluster.takeover.duration", "Time from a partition being this daemon's to its streams being there.", Works);
        _gaps = _meter.CreateCounter<long>("streamlstm.source.gaps", "{gap}", "Partitions whose next record was not there any more.");
        _gapRecords = _meter.CreateCounter<long>("streamlstm.source.gap_records", "{record}", "Records that were deleted before they were read, where their number is known.");
        _redelivered = _meter.CreateCounter<long>("streamlstm.source.redelivered", "{message}", "Messages that a broker sent again and that had been taken in already.");
        _meter.CreateObservableGauge(
            "streamlstm.source.connected",
            () => _connected.Select(source => new Measurement<int>(source.Value ? 1 : 0, Label("source", source.Key))),
            description: "Whether a source is connected to its broker.");
        _meter.CreateObservableGauge("streamlstm.model.version", () => Volatile.Read(ref _modelVersion), "{version}", "The base weights in service.");
        _meter.CreateObservableGauge("streamlstm.checkpoint.size", () => Volatile.Read(ref _snapshotBytes), "By", "Size of the last snapshot.");
        _meter.CreateObservableGauge(
            "streamlstm.training.loss",
            () => double.IsNaN(_candidateLoss)
                ? Array.Empty<Measurement<double>>()
                : [new(_championLoss, Label("model", "champion")), new(_candidateLoss, Label("model", "candidate"))],
            "nat",
            "Mean loss on the held-out windows of the last training.");
    }

    /// <summary>Adds the channels' depths, the number of streams and whether detectors are alive, which the pipeline knows.</summary>
    public void Watch(Func<IEnumerable<(string Channel, int Depth)>> depths, int capacity, Func<int> streams, DetectorHealth detectors, Func<long> journalBytes)
    {
        _meter.CreateObservableGauge("streamlstm.journal.size", journalBytes, "By", "Size of the journal's files.");
        _meter.CreateObservableGauge(
            "streamlstm.detector.alive",
            () => detectors.Workers().Index()
                .Where(worker => worker.Item.State != CanaryState.Unknown)
                .Select(worker => new Measurement<int>(
                    worker.Item.State == CanaryState.Alive ? 1 : 0, Label("worker", worker.Index.ToString(System.Globalization.CultureInfo.InvariantCulture)))),
            description: "Whether a worker's detector found the last fault planted in its canary, and cries no more than it may; absent before the first.");
        _meter.CreateObservableGauge(
            "streamlstm.channel.depth",
            () => depths().Select(channel => new Measurement<int>(channel.Depth, Label("channel", channel.Channel))),
            "{item}",
            "Batches waiting in a channel.");
        _meter.CreateObservableGauge("streamlstm.channel.capacity", () => capacity, "{item}", "Batches a channel holds.");
        _meter.CreateObservableGauge("streamlstm.streams", streams, "{stream}", "Streams known.");
    }

    /// <summary>Adds what streams are counted for, and may be, and how many have which form.</summary>
    public void Watch(Func<long> streamBytes, Func<long> streamBytesMax, Func<IReadOnlyList<int>> streamsByForm)
    {
        _meter.CreateObservableGauge(
            "streamlstm.streams.by_form",
            () => streamsByForm().Select((count, form) => new Measurement<int>(
                count, Label("form", System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(((Detection.StreamForm)form).ToString())))),
            "{stream}",
            "Streams known, by how much each may remember.");
        _meter.CreateObservableGauge("streamlstm.streams.memory", streamBytes, "By", "What all streams are counted for, by kind, form and age.");
        _meter.CreateObservableGauge("streamlstm.streams.memory.limit", streamBytesMax, "By", "What all streams together may be counted for.");
    }

    /// <summary>Adds how far the journal and each sink have got.</summary>
    public void Watch(Func<long> lastSequence, Func<IEnumerable<(string Sink, long Settled)>> sinks)
    {
        _meter.CreateObservableGauge("streamlstm.journal.sequence", lastSequence, "{entry}", "Place of the last entry in the journal.");
        _meter.CreateObservableGauge(
            "streamlstm.sink.behind",
            () => sinks().Where(sink => sink.Settled != long.MinValue)
                .Select(sink => new Measurement<long>(Math.Max(0, lastSequence() - sink.Settled), Label("sink", sink.Sink))),
            "{entry}",
            "Entries of the journal behind the last one up to which a sink has written all there was to tell.");
    }

    /// <summary>Adds how many dead letters were not kept.</summary>
    public void Watch(Func<long> droppedLetters) =>
        _meter.CreateObservableCounter("streamlstm.dead_letters.dropped", droppedLetters, "{letter}", "Dead letters beyond the bound of their file, or what of it one source and reason may take.");

    /// <summary>Alerts kept back since the start, by the reasons there were.</summary>
    public IReadOnlyDictionary<string, long> SuppressedByReason =>
        Enumerable.Range(0, SuppressedNames.Length)
            .Select(reason => (Name: SuppressedNames[reason], Count: Interlocked.Read(ref _suppressedByReason[reason])))
            .Where(reason => reason.Count > 0)
            .ToDictionary(reason => reason.Name, reason => reason.Count);

    /// <summary>Counts what was kept back; also of a tick, which scores nothing.</summary>
    public void Suppressed(ShardOutput output)
    {
        for (int reason = 0; reason < output.Suppressed.Length; reason++)
        {
            if (output.Suppressed[reason] > 0)
            {
                Interlocked.Add(ref _suppressedByReason[reason], output.Suppressed[reason]);
                _suppressed.Add(output.Suppressed[reason], Label("reason", SuppressedNames[reason]));
            }
        }
    }

    public void Scored(ShardOutput output, TimeSpan duration)
    {
        _scoreDuration.Record(duration.TotalSeconds);
        Suppressed(output);

        if (output.StateResets > 0)
        {
            _resets.Add(output.StateResets, Label("reason", "nonfinite"));
        }

        if (output.Faults.Count > 0)
        {
            _resets.Add(output.Faults.Count, Label("reason", "fault"));
        }

        if (output.TrainingStepsUndone > 0)
        {
            _undone.Add(output.TrainingStepsUndone);
        }

        if (output.Rejected[(int)RejectionReason.BadValue] + output.ValuesMasked is > 0 and int bad)
        {
            _badValues.Add(bad);
        }

        if (output.ValuesOfUnknownColumns > 0)
        {
            _unknownColumns.Add(output.ValuesOfUnknownColumns);
        }
    }

    public void Handed(ScoredBatch batch, TimeSpan latency)
    {
        if (batch.Observations.Count > 0)
        {
            _pipelineLatency.Record(latency.TotalSeconds);
        }

        foreach (Detection.Deciding.IncidentEvent incident in batch.Incidents)
        {
            if (incident.OpensGroup)
            {
                _groups.Add(1);
            }

            if (incident.State == Detection.Deciding.IncidentState.Opened)
            {
                _incidents.Add(
                    1,
                    Label("kind", System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(incident.Kind.ToString())),
                    Label("severity", System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(incident.Severity.ToString())));
            }
        }
    }

    public void Published(string sink, ScoredBatch batch) =>
        _published.Add(batch.Observations.Count + batch.Incidents.Count + batch.Swaps.Count, Label("sink", sink));

    public void Trained(string result, TimeSpan duration, double championLoss, double candidateLoss)
    {
        _trainings.Add(1, Label("result", result));
        _trainingDuration.Record(duration.TotalSeconds);
        _championLoss = championLoss;
        _candidateLoss = candidateLoss;
    }

    public void Swapped(long version)
    {
        _swaps.Add(1);
        Serving(version);
    }

    public void Serving(long version) => Volatile.Write(ref _modelVersion, version);

    public void SnapshotWritten(TimeSpan duration, long bytes)
    {
        _snapshotDuration.Record(duration.TotalSeconds);
        Volatile.Write(ref _snapshotBytes, bytes);
    }

    public void Journalled(TimeSpan duration, int entries)
    {
        _journalDuration.Record(duration.TotalSeconds);
        _journalEntries.Add(entries);
    }

    public void JournalFailed() => _journalFailures.Add(1);

    public void SinkRetried(string sink) => _sinkRetries.Add(1, Label("sink", sink));

    public void Dropped(string sink, int events) => _sinkDropped.Add(events, Label("sink", sink));

    public void ToldOtherwise(string sink) => _toldOtherwise.Add(1, Label("sink", sink));

    public void Refused(string sink) => _sinkRefused.Add(1, Label("sink", sink));

    /// <param name="reason">host, origin, token or role.</param>
    public void Reloaded(string outcome) => _reloads.Add(1, Label("outcome", outcome));

    public void RequestRefused(string reason) => _requestsRefused.Add(1, Label("reason", reason));

    public void SourceFailed(string source) => _sourceFailures.Add(1, Label("source", source));

    public void Forgotten(ForgetReason reason) => _forgotten.Add(1, Label("reason", EventJson.Word(reason)));

    public void Redelivered(string source) => _redelivered.Add(1, Label("source", source));

    /// <param name="source">The source.</param>
    /// <param name="records">How many are missing; 0 where that is not known.</param>
    public void Gap(string source, long records)
    {
        _gaps.Add(1, Label("source", source));
        _gapRecords.Add(records, Label("source", source));
    }

    public void StateWritten(long bytes) => _stateBytes.Add(bytes);

    public void TookOver(TimeSpan duration) => _takeovers.Record(duration.TotalSeconds);

    /// <summary>Adds what is known of a cluster's partitions that are this daemon's.</summary>
    public void Watch(Func<int> partitions, Func<int> streams)
    {
        _meter.CreateObservableGauge("streamlstm.cluster.partitions", partitions, "{partition}", "Partitions that are this daemon's.");
        _meter.CreateObservableGauge("streamlstm.streams", streams, "{stream}", "Streams known.");
    }

    public void RebirthAsked(string source) => _rebirths.Add(1, Label("source", source));

    public void Connected(string source, bool isConnected) => _connected[source] = isConnected;

    public void SnapshotFailed() => _snapshotFailures.Add(1);

    public void Dispose() => _meter.Dispose();

    private Histogram<double> Durations(string name, string description, double[] bounds) =>
        _meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private static LedgerCut Cut(Ledger ledger) => t_cut ?? ledger.Cut();

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);
}
