using System.Threading.Channels;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>The whole way of an observation, wired in one place.</summary>
/// <remarks><code>
///  sources ──▶ [observations] ──▶ router ──▶ [inbox 0..N-1] ──▶ worker 0..N-1 ──▶ [scored] ──▶ grouping, fan-out ──▶ [sink 0..M-1] ──▶ sink 0..M-1
///     │              ▲              │                ▲                                ▲              ▲
///     │ undecodable  │ books open   │ stamps each    │ ticks (silence),               │ books close  │ one place for the
///     ▼              │              │ batch with the │ snapshots, training            │              │ incidents of all shards
///  dead letters   ledger            │ live model     │ windows                      ledger
///                                   └── a swap is announced to [scored] before the first batch that carries it
/// </code>
/// Every channel is bounded, so a slow sink slows the sources. Only the sources hear that it is time to stop; each later
/// stage ends when its input is completed and drained; a stage that throws cuts all of them and its exception comes out.
/// </remarks>
internal sealed class DetectionPipeline
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<IObservationSource> _sources;
    private readonly IReadOnlyList<IScoreSink> _sinks;
    private readonly DaemonMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Channel<ObservationBatch> _observations;
    private readonly Channel<WorkerMessage>[] _inboxes;
    private readonly Channel<ScoredBatch> _scored;
    private readonly Channel<ScoredBatch>[] _sinkQueues;
    private readonly InferenceWorker[] _workers;
    private readonly StreamRouter _router;
    private readonly ObservationIntake _intake;
    private readonly GroupingStage _grouping;

    public DetectionPipeline(
        PipelineOptions options,
        DetectionOptions detection,
        LiveModel liveModel,
        RestoredState restored,
        IReadOnlyList<IObservationSource> sources,
        IReadOnlyList<IScoreSink> sinks,
        Ledger ledger,
        IDeadLetters deadLetters,
        DaemonMetrics metrics,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        _sources = sources;
        _sinks = sinks;
        _metrics = metrics;
        _time = time;

        int workerCount = options.WorkerCount();
        _observations = Bounded<ObservationBatch>(options.ChannelCapacity);
        _scored = Bounded<ScoredBatch>(options.ChannelCapacity);
        _inboxes = [.. Enumerable.Range(0, workerCount).Select(_ => Bounded<WorkerMessage>(options.ChannelCapacity))];
        _sinkQueues = [.. sinks.Select(_ => Bounded<ScoredBatch>(options.ChannelCapacity))];
        _intake = new ObservationIntake(_observations.Writer, ledger, deadLetters);
        _router = new StreamRouter(liveModel, [.. _inboxes.Select(inbox => inbox.Writer)], _scored.Writer, detection.AlertRules, time);

        _grouping = new GroupingStage(restored.Groups);

        var quota = new StreamQuota(detection.StreamsMax, detection.PerStreamMax);
        DetectionScratch[] scratches = [.. Enumerable.Range(0, workerCount).Select(_ => new DetectionScratch())];
        DetectionShard[] shards =
        [
            .. Enumerable.Range(0, StreamRouter.ShardCount).Select(shard =>
                restored.NewShard(shard, detection, quota, liveModel.Serving.Model, scratches[shard % workerCount])),
        ];

        // A group that is new in the configuration, or gone from it, moves streams.
        foreach (DetectionShard shard in shards)
        {
            shard.Rehome(stream => shards[_router.HomeOf(stream)]);
        }

        Detectors = new DetectorHealth(workerCount, time, loggers.CreateLogger<DetectorHealth>());
        _workers =
        [
            .. Enumerable.Range(0, workerCount).Select(worker => new InferenceWorker(
                worker,
                ShardsOf(worker, workerCount, shards),
                liveModel.Serving.Model,
                _inboxes[worker].Reader,
                _scored.Writer,
                ledger,
                Detectors,
                metrics,
                deadLetters,
                loggers.CreateLogger<InferenceWorker>())),
        ];

        Dictionary<string, Func<int>> depths = new()
        {
            ["observations"] = () => _observations.Reader.Count,
            ["inbox"] = () => _inboxes.Sum(inbox => inbox.Reader.Count),
            ["scored"] = () => _scored.Reader.Count,
        };

        for (int sink = 0; sink < sinks.Count; sink++)
        {
            ChannelReader<ScoredBatch> queue = _sinkQueues[sink].Reader;
            depths[$"sink.{sinks[sink].Name}"] = () => queue.Count;
        }

        metrics.Watch(depths, options.ChannelCapacity, () => quota.Streams, Detectors);
    }

    /// <summary>Whether the workers' detectors are alive.</summary>
    public DetectorHealth Detectors { get; }

    /// <summary>Runs until every source has ended, or until <paramref name="stopping"/>; then drains.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var failure = new CancellationTokenSource();
        using var stoppingOrFailure = CancellationTokenSource.CreateLinkedTokenSource(stopping, failure.Token);
        using var scoringEnded = CancellationTokenSource.CreateLinkedTokenSource(failure.Token);
        Task ticking = TickAsync(scoringEnded.Token);

        // From the last stage to the first: whoever writes finds a reader.
        await Task.WhenAll(
            Stage(DrainToSinks(failure.Token), then: () => { }),
            Stage([FanOutAsync(failure.Token)], then: () => Complete(_sinkQueues)),
            Stage(Score(failure.Token), then: () => _scored.Writer.TryComplete()),
            Stage([_router.RunAsync(_observations.Reader, failure.Token)], then: () =>
            {
                scoringEnded.Cancel();
                Complete(_inboxes);
            }),
            Stage(ReadSources(stoppingOrFailure.Token), then: () => _observations.Writer.TryComplete()));

        await ticking;

        async Task Stage(IEnumerable<Task> parts, Action then)
        {
            try
            {
                await Task.WhenAll(parts.Select(CutAllOnFailureAsync));
            }
            finally
            {
                then();
            }
        }

        // Each part by itself: its siblings would otherwise be waited for, and a daemon would go on without one source.
        async Task CutAllOnFailureAsync(Task part)
        {
            try
            {
                await part;
            }
            catch
            {
                await failure.CancelAsync();
                throw;
            }
        }
    }

    /// <summary>The state of every shard, taken between two batches of its worker. Shards need not be cut together.</summary>
    public async Task<IReadOnlyList<(int Shard, byte[] State)>> SnapshotAsync(CancellationToken cancellationToken)
    {
        var states = await AskWorkersAsync<IReadOnlyList<(int, byte[])>>(
            completion => new SnapshotRequest(completion), cancellationToken);
        return [.. states.SelectMany(state => state)];
    }

    /// <summary>The state of every shard once <see cref="RunAsync"/> has ended.</summary>
    public IReadOnlyList<(int Shard, byte[] State)> FinalState() => [.. _workers.SelectMany(worker => worker.SaveShards())];

    /// <summary>The state of the grouping stage; asked for after the shards', it knows of every incident that theirs know of.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public async Task<byte[]> GroupsAsync(CancellationToken cancellationToken)
    {
        var completion = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _scored.Writer.WriteAsync(new ScoredBatch([], [], [], _time.GetUtcNow()) { GroupsAsked = completion }, cancellationToken);
        return await completion.Task.WaitAsync(cancellationToken);
    }

    /// <summary>The same once <see cref="RunAsync"/> has ended.</summary>
    public byte[] FinalGroups() => _grouping.Save();

    /// <summary>Recent clean windows of all streams.</summary>
    public async Task<IReadOnlyList<TrainingWindow>> CollectWindowsAsync(CancellationToken cancellationToken)
    {
        var windows = await AskWorkersAsync<IReadOnlyList<TrainingWindow>>(
            completion => new WindowsRequest(completion), cancellationToken);
        return [.. windows.SelectMany(window => window)];
    }

    /// <summary>Other maintenance windows hold for what is scored afterwards.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public Task MaintainAsync(IReadOnlyList<MaintenanceWindow> windows, CancellationToken cancellationToken) =>
        AskWorkersAsync<bool>(completion => new MaintenanceRequest(windows, completion), cancellationToken);

    /// <summary>Takes a person's word that a stream's present level is its new normal.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public Task<AcceptOutcome> AcceptAsync(string stream, CancellationToken cancellationToken) =>
        AskOwnerAsync<AcceptOutcome>(
            stream, (shard, completion) => new AcceptRequest(stream, shard, _time.GetUtcNow(), completion), cancellationToken);

    /// <summary>Why a stream's last decision, or the one in force at a time, was made.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public Task<ExplainAnswer> ExplainAsync(string stream, DateTimeOffset? at, CancellationToken cancellationToken) =>
        AskOwnerAsync<ExplainAnswer>(stream, (shard, completion) => new ExplainRequest(stream, shard, at, completion), cancellationToken);

    /// <summary>Takes a person's word on an incident: it holds for what the stream's owner scores afterwards.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public Task<LabelOutcome> LabelAsync(
        string stream, string incidentId, IncidentLabel? label, DateTimeOffset now, CancellationToken cancellationToken) =>
        AskOwnerAsync<LabelOutcome>(
            stream, (shard, completion) => new LabelRequest(stream, shard, incidentId, label, now, completion), cancellationToken);

    private static Channel<T> Bounded<T>(int capacity) =>
        Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.Wait });

    private static Dictionary<int, DetectionShard> ShardsOf(int worker, int workerCount, DetectionShard[] shards) =>
        Enumerable.Range(0, StreamRouter.ShardCount)
            .Where(shard => shard % workerCount == worker)
            .ToDictionary(shard => shard, shard => shards[shard]);

    private static void Complete<T>(Channel<T>[] channels)
    {
        foreach (Channel<T> channel in channels)
        {
            channel.Writer.TryComplete();
        }
    }

    private IEnumerable<Task> ReadSources(CancellationToken stopping) =>
        [.. _sources.Select(source => source.RunAsync(_intake, stopping))];

    private IEnumerable<Task> Score(CancellationToken failure) =>
        [.. _workers.Select(worker => Task.Run(() => worker.RunAsync(failure), CancellationToken.None))];

    private async Task FanOutAsync(CancellationToken failure)
    {
        List<ScoredBatch> drained = [];

        while (await _scored.Reader.WaitToReadAsync(failure))
        {
            while (drained.Count < GroupingStage.DrainMax && _scored.Reader.TryRead(out ScoredBatch? batch))
            {
                drained.Add(batch);
            }

            foreach (ScoredBatch batch in _grouping.Apply(drained))
            {
                _metrics.Handed(batch, _time.GetUtcNow() - batch.IngestedAt);

                foreach (Channel<ScoredBatch> queue in _sinkQueues)
                {
                    await queue.Writer.WriteAsync(batch, failure);
                }
            }

            drained.Clear();
        }
    }

    private IEnumerable<Task> DrainToSinks(CancellationToken failure) =>
        [.. _sinks.Select((sink, index) => DrainAsync(sink, _sinkQueues[index].Reader, failure))];

    private async Task DrainAsync(IScoreSink sink, ChannelReader<ScoredBatch> queue, CancellationToken failure)
    {
        await foreach (ScoredBatch batch in queue.ReadAllAsync(failure))
        {
            using System.Diagnostics.Activity? span = batch.Trace == default
                ? null
                : DaemonActivitySource.Source.StartActivity($"sink {sink.Name}", System.Diagnostics.ActivityKind.Internal, batch.Trace);
            await sink.WriteAsync(batch, failure);
            _metrics.Published(sink.Name, batch);
        }
    }

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TickInterval, _time);
        long last = _time.GetTimestamp();

        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                // A machine that stood still (suspended, starved) must not take every stream for silent.
                TimeSpan elapsed = _time.GetElapsedTime(last);
                last = _time.GetTimestamp();
                var tick = new Tick(_time.GetUtcNow(), elapsed < 2 * TickInterval ? elapsed : TickInterval);

                foreach (Channel<WorkerMessage> inbox in _inboxes)
                {
                    await inbox.Writer.WriteAsync(tick, cancellationToken);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ChannelClosedException)
        {
            // Scoring has ended: time no longer matters.
        }
    }

    private async Task<T> AskOwnerAsync<T>(
        string stream, Func<int, TaskCompletionSource<T>, WorkerMessage> question, CancellationToken cancellationToken)
    {
        int shard = _router.HomeOf(stream);
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _router.TellAsync(shard, question(shard, completion), cancellationToken);
        return await completion.Task.WaitAsync(cancellationToken);
    }

    private async Task<IReadOnlyList<T>> AskWorkersAsync<T>(
        Func<TaskCompletionSource<T>, WorkerMessage> question, CancellationToken cancellationToken)
    {
        List<Task<T>> answers = [];

        foreach (Channel<WorkerMessage> inbox in _inboxes)
        {
            var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            await inbox.Writer.WriteAsync(question(completion), cancellationToken);
            answers.Add(completion.Task);
        }

        return await Task.WhenAll(answers).WaitAsync(cancellationToken);
    }
}
