using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>The whole way of an observation, wired in one place.</summary>
/// <remarks><code>
///  sources ──▶ [handed] ──▶ journal ──▶ [journalled] ──▶ router ──▶ [inbox 0..N-1] ──▶ worker 0..N-1 ──▶ [output 0..N-1] ──▶ order, groups ──▶ [sink 0..M-1] ──▶ sink 0..M-1
///     │            ▲  ▲      fsync, then        │                                         │                     ▲
///     │ undecodable│  │      acknowledge        ├── every entry ──▶ [passed] ─────────────┼─────────────────────┘
///     ▼            │  └ ticks, swaps, labels,  │                                         ▼
///  dead letters  books   accepts, rules ...     │ stamps each batch with                books
///                open                           │ the live model                        close
/// </code>
/// Every channel is bounded, so a slow sink slows the sources. Only the sources hear that it is time to stop; each later
/// stage ends when its input is completed and drained; a stage that throws cuts all of them and its exception comes out.
/// What stands behind the journal is a function of what is in it, and passes through in its order: after a kill the snapshot
/// and the entries behind it lead to the same state, the same scores and the same events, and sinks that have them pass over them.
/// </remarks>
internal sealed class DetectionPipeline : IDisposable
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SettleLook = TimeSpan.FromMilliseconds(5);

    private readonly IReadOnlyList<IObservationSource> _sources;
    private readonly RunningSources _running;
    private readonly TimeProvider _time;
    private readonly Ledger _ledger;
    private readonly Channel<Handed> _handed;
    private readonly Channel<Sequenced> _journalled;
    private readonly Channel<Sequenced> _passed;
    private readonly Channel<WorkerMessage>[] _inboxes;
    private readonly Channel<WorkerOutput>[] _outputs;
    private readonly SinkLanes _lanes;
    private readonly InferenceWorker[] _workers;
    private readonly StreamPlaces _places;
    private readonly StreamRouter _router;
    private readonly JournalStage _journal;
    private readonly Func<long> _lastSequence;
    private readonly OutputStage _output;
    private readonly ObservationIntake _intake;
    private readonly RestoredState _restored;
    private readonly CancellationTokenSource _abandoned = new();

    public DetectionPipeline(
        PipelineOptions options,
        DetectionOptions detection,
        LiveModel liveModel,
        Journal journal,
        RestoredState restored,
        Func<ModelSwap, BaseModel> modelOf,
        IReadOnlyList<IObservationSource> sources,
        IReadOnlyList<IScoreSink> sinks,
        Ledger ledger,
        IDeadLetters deadLetters,
        DaemonMetrics metrics,
        TimeProvider time,
        ILoggerFactory loggers,
        StreamLimits? limits = null,
        StreamLabels? labels = null,
        StreamUnits? units = null)
    {
        _time = time;
        _ledger = ledger;
        _restored = restored;

        int workerCount = options.WorkerCount();
        _handed = Bounded<Handed>(options.ChannelCapacity);
        _journalled = Bounded<Sequenced>(options.ChannelCapacity);
        _passed = Bounded<Sequenced>(options.ChannelCapacity);
        _inboxes = [.. Enumerable.Range(0, workerCount).Select(_ => Bounded<WorkerMessage>(options.ChannelCapacity))];
        _outputs = [.. Enumerable.Range(0, workerCount).Select(_ => Bounded<WorkerOutput>(options.ChannelCapacity))];
        _lanes = new SinkLanes(sinks, options.ChannelCapacity, metrics, time, loggers);

        var positions = new SourcePositions();

        foreach ((string of, string at) in restored.Books.Positions)
        {
            positions.Set(new SourcePosition(of, at));
        }

        var receipts = new Receipts();
        receipts.Load(restored.Receipts);
        Decisions = new Decisions(_handed.Writer, time);
        _intake = new ObservationIntake(_handed.Writer, ledger, deadLetters, positions, receipts);
        _sources = sources;
        _running = new RunningSources(_intake, metrics, time, loggers);
        _lastSequence = () => journal.NextSequence - 1;
        _journal = new JournalStage(
            journal, _handed, _journalled.Writer, ledger, positions, receipts, metrics, loggers.CreateLogger<JournalStage>());

        _places = new StreamPlaces(
            detection, limits ?? new StreamLimits(detection.StreamsMax, detection.PerStreamMax, long.MaxValue, TimeSpan.Zero));
        _router = new StreamRouter(liveModel, detection, _places, restored, modelOf, [.. _inboxes.Select(inbox => inbox.Writer)], _passed.Writer);
        DetectionScratch[] scratches = [.. Enumerable.Range(0, workerCount).Select(_ => new DetectionScratch())];
        DetectionShard[] shards =
        [
            .. Enumerable.Range(0, StreamRouter.ShardCount).Select(shard =>
                restored.NewShard(shard, detection, liveModel.Serving.Model, scratches[shard % workerCount])),
        ];
        Rehome(shards);

        // Last: who had a place when the router's part was written, and not who has one in shards that were cut later.
        if (restored.Router.Length > 0)
        {
            var names = shards.SelectMany(shard => shard.Rows).Select(row => row.Stream).ToHashSet(StringComparer.Ordinal);
            (IReadOnlyList<MaintenanceWindow> maintenance, AlertTerms terms) = _router.Load(restored.Router, names);

            foreach (DetectionShard shard in shards)
            {
                shard.Maintain(maintenance);
                shard.Ask(terms);
            }
        }

        Detectors = new DetectorHealth(workerCount, time, loggers.CreateLogger<DetectorHealth>());
        _workers =
        [
            .. Enumerable.Range(0, workerCount).Select(worker => new InferenceWorker(
                worker,
                ShardsOf(worker, workerCount, shards),
                restored.Cuts,
                liveModel.Serving.Model,
                _inboxes[worker].Reader,
                _outputs[worker].Writer,
                ledger,
                Detectors,
                metrics,
                deadLetters,
                loggers.CreateLogger<InferenceWorker>())),
        ];
        _output = new OutputStage(_passed.Reader, [.. _outputs.Select(output => output.Reader)], _lanes, restored, metrics, time, labels ?? StreamLabels.None, units ?? new StreamUnits());

        metrics.Watch(Depths, options.ChannelCapacity, () => _places.Streams, Detectors, () => journal.Bytes);
        metrics.Watch(() => _places.Bytes, () => _places.Limits.Bytes, () => StreamsByForm);
        metrics.Watch(_lastSequence, () => _lanes.All.Select(lane => (lane.Name, lane.Settled)));
    }

    /// <summary>How many streams have which form, by its number.</summary>
    public IReadOnlyList<int> StreamsByForm => _places.ByForm;

    /// <summary>Whether the workers' detectors are alive.</summary>
    public DetectorHealth Detectors { get; }

    /// <summary>Ends with the last sequence of former lives once all of it is under way again, and sources begin.</summary>
    public Task<long> Replayed => _journal.Replayed;

    /// <summary>What holds for what is taken in behind it: people's words, rules, weights.</summary>
    public Decisions Decisions { get; }

    /// <summary>Whether sources have begun.</summary>
    public bool TakesIn { get; private set; }

    /// <summary>The books of all lives since the storage directory was begun, up to the last entry that has been scored.</summary>
    public Books TotalBooks => _output.Books.Copy();

    /// <summary>The place of the last entry in the journal.</summary>
    public long LastSequence => _lastSequence();

    /// <summary>How far each sink has written what it was told, see <see cref="SinkLane.Settled"/>.</summary>
    public IReadOnlyList<SinkStanding> Sinks => [.. _lanes.All.Select(lane => new SinkStanding(lane.Name, lane.Settled is var settled and > long.MinValue ? settled : null, lane.Trouble))];

    /// <summary>The sinks, as they are at present.</summary>
    public IEnumerable<IScoreSink> PresentSinks => _lanes.Sinks;

    /// <summary>Ends a source and has another take its place, see <see cref="RunningSources.ReplaceAsync"/>.</summary>
    public Task<IObservationSource?> ReplaceSourceAsync(IObservationSource? ending, Func<IObservationSource>? next) => _running.ReplaceAsync(ending, next);

    /// <summary>Has another sink take a sink's place, see <see cref="SinkLanes.ReplaceAsync"/>.</summary>
    /// <exception cref="IOException">It cannot be made; the former goes on.</exception>
    public Task<IScoreSink?> ReplaceSinkAsync(IScoreSink? ending, Func<long?, IScoreSink>? next, Func<long?, IScoreSink>? again) => _lanes.ReplaceAsync(ending, next, again);

    /// <summary>Waits until a sink has written all up to a place in the journal; false where it takes longer than that.</summary>
    public async Task<bool> UntilSettledAsync(string sink, long sequence, TimeSpan atMost, CancellationToken cancellationToken)
    {
        SinkLane lane = _lanes.All.First(lane => lane.Name == sink);
        long started = _time.GetTimestamp();

        while (lane.Settled < sequence)
        {
            if (_time.GetElapsedTime(started) > atMost)
            {
                return false;
            }

            await Task.Delay(SettleLook, _time, cancellationToken);
        }

        return true;
    }

    /// <summary>What does less than it should: the disk, a source, a sink; with the reason.</summary>
    public IReadOnlyList<string> Troubles =>
    [
        .. _journal.Failure is { } disk ? [$"nothing can be taken in: {disk}"] : Array.Empty<string>(),
        .. _running.Troubles,
        .. _lanes.All.Where(lane => lane.ConnectionTrouble is not null).Select(lane => $"sink {lane.Name}: {lane.ConnectionTrouble}"),
        .. _lanes.All.Where(lane => lane.Trouble is not null).Select(lane => $"sink {lane.Name} takes nothing, and is tried again: {lane.Trouble}"),
    ];

    /// <summary>Runs until every source has ended, or until <paramref name="stopping"/>; then drains.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var failure = CancellationTokenSource.CreateLinkedTokenSource(_abandoned.Token);
        using var stoppingOrFailure = CancellationTokenSource.CreateLinkedTokenSource(stopping, failure.Token);

        ExceptionDispatchInfo? cause = null;

        // From the last stage to the first: whoever writes finds a reader.
        Task all = Task.WhenAll(
            _lanes.RunAsync(CutAllOnFailureAsync, failure.Token),
            Stage([_output.RunAsync(failure.Token)], then: _lanes.Complete),
            Stage(Score(failure.Token), then: () => Complete(_outputs)),
            Stage([_router.RunAsync(_journalled.Reader, failure.Token)], then: () =>
            {
                Complete(_inboxes);
                _passed.Writer.TryComplete();
            }),
            Stage([_journal.RunAsync(_restored.ReplayAfter, stopping, failure.Token)], then: () => _journalled.Writer.TryComplete()),
            Stage([ReadSourcesAsync(CutAllOnFailureAsync, stoppingOrFailure.Token, failure.Token)], then: () => _handed.Writer.TryComplete()),
            WatchAsync(failure.Token));
        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

        // What failed first, and not what fell over it.
        cause?.Throw();
        await all;

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
            catch (Exception failed)
            {
                Interlocked.CompareExchange(ref cause, ExceptionDispatchInfo.Capture(failed), null);
                await failure.CancelAsync();
                throw;
            }
        }
    }

    public void Dispose()
    {
        _abandoned.Dispose();
        _running.Dispose();
        _lanes.Dispose();
    }

    /// <summary>Gives up draining: a sink takes nothing and it is time to go. What was taken in is in the journal.</summary>
    public void Abandon() => _abandoned.Cancel();

    /// <summary>The router's part of a snapshot: what the workers are told from now on lies behind it. Routing goes on while it is written.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public Task<RouterPart> RouterPartAsync(CancellationToken cancellationToken) =>
        AskInOrderAsync<RouterPart>(answer => new RouterQuestion(WithState: true, answer), cancellationToken);

    /// <summary>The weights that serve behind all that was handed in.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public async Task<BaseModel> ServingAsync(CancellationToken cancellationToken) =>
        (await AskInOrderAsync<RouterPart>(answer => new RouterQuestion(WithState: false, answer), cancellationToken)).Model;

    /// <summary>The state of one shard, taken between two batches of its worker, and the sequence up to which it goes.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public async Task<ShardState> CutAsync(int shard, long round, long carriedFrom, CancellationToken cancellationToken)
    {
        var completion = new TaskCompletionSource<ShardState>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _router.TellAsync(shard, new CutRequest(shard, round, carriedFrom, completion), cancellationToken);
        return await completion.AwaitAsync(cancellationToken);
    }

    /// <summary>What lies behind the shards, once the sinks with a promise have made durable what it holds; asked for after the shards.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public Task<EndPart> EndPartAsync(CancellationToken cancellationToken) =>
        AskInOrderAsync<EndPart>(answer => new EndQuestion(answer), cancellationToken);

    /// <summary>The router's part once <see cref="RunAsync"/> has ended.</summary>
    public RouterPart FinalRouterPart() => _router.Part();

    /// <summary>A shard's state once <see cref="RunAsync"/> has ended.</summary>
    public ShardState FinalCut(int shard, long round, long carriedFrom) => _workers[shard % _workers.Length].SaveShard(shard, round, carriedFrom);

    /// <summary>What lies behind the shards once <see cref="RunAsync"/> has ended; without the sinks.</summary>
    public EndPart FinalEndPart() => _output.Part();

    /// <summary>Recent clean windows of all streams.</summary>
    public async Task<IReadOnlyList<TrainingWindow>> CollectWindowsAsync(CancellationToken cancellationToken)
    {
        List<Task<IReadOnlyList<TrainingWindow>>> answers = [];

        foreach (Channel<WorkerMessage> inbox in _inboxes)
        {
            var completion = new TaskCompletionSource<IReadOnlyList<TrainingWindow>>(TaskCreationOptions.RunContinuationsAsynchronously);
            await inbox.Writer.WriteAsync(new WindowsRequest(completion), cancellationToken);
            answers.Add(completion.Task);
        }

        return [.. (await Task.WhenAll(answers).WaitAsync(cancellationToken)).SelectMany(windows => windows)];
    }

    /// <summary>Why a stream's last decision, or the one in force at a time, was made.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    public async Task<ExplainAnswer> ExplainAsync(string stream, DateTimeOffset? at, CancellationToken cancellationToken, Explained what = Explained.Why)
    {
        int shard = _router.HomeOf(stream);
        var completion = new TaskCompletionSource<ExplainAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _router.TellAsync(shard, new ExplainRequest(stream, shard, at, what, completion), cancellationToken);
        return await completion.AwaitAsync(cancellationToken);
    }

    /// <summary>What waits, by channel.</summary>
    private IEnumerable<(string Channel, int Depth)> Depths() =>
    [
        ("handed", _handed.Reader.Count),
        ("journalled", _journalled.Reader.Count),
        ("inbox", _inboxes.Sum(inbox => inbox.Reader.Count)),
        ("scored", _outputs.Sum(output => output.Reader.Count)),
        .. _lanes.All.Select(lane => ($"sink.{lane.Name}", lane.Depth)),
    ];

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

    /// <summary>A group that is new in the configuration, or gone from it, moves streams: each goes on from where its former shard was cut.</summary>
    private void Rehome(DetectionShard[] shards)
    {
        foreach ((int number, DetectionShard shard) in shards.Index())
        {
            shard.Rehome(stream =>
            {
                int home = _router.HomeOf(stream);

                if (home != number)
                {
                    _router.Moved[stream] = _restored.Cuts[number];
                }

                return shards[home];
            });
        }
    }

    private async Task<T> AskInOrderAsync<T>(Func<TaskCompletionSource<T>, Entry> question, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _handed.Writer.WriteAsync(new Handed(question(answer), OnDisk: null), cancellationToken);
        return await answer.AwaitAsync(cancellationToken);
    }

    /// <summary>R5: sources and the clock begin once what former lives took in has passed.</summary>
    private async Task ReadSourcesAsync(Func<Task, Task> cutAllOnFailure, CancellationToken stopping, CancellationToken failure)
    {
        await _journal.Replayed;
        using var timer = new PeriodicTimer(TickInterval, _time);
        Task ticking = TickAsync(timer, failure);

        try
        {
            Task running = _running.RunAsync(_sources, cutAllOnFailure, stopping);
            TakesIn = true;
            await running;
        }
        finally
        {
            timer.Dispose();
            await ticking;
        }

        // A last one without time: what could not be decoded since the one before.
        if (await _handed.Writer.WaitToWriteAsync(failure))
        {
            await _handed.Writer.WriteAsync(new Handed(new TickEntry(_time.GetUtcNow(), TimeSpan.Zero, _ledger.TakeUndecodable()), OnDisk: null), failure);
        }
    }

    /// <summary>Taps run beside: one that stands still holds nothing up, not even the end.</summary>
    private async Task WatchAsync(CancellationToken failure)
    {
        await _output.Ended.WaitAsync(failure).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAny(_lanes.TapsAsync(), Task.Delay(TimeSpan.FromSeconds(2), _time, CancellationToken.None));
    }

    private IEnumerable<Task> Score(CancellationToken failure) =>
        [.. _workers.Select(worker => worker.RunAsync(failure))];

    private async Task TickAsync(PeriodicTimer timer, CancellationToken cancellationToken)
    {
        long last = _time.GetTimestamp();

        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                // A machine that stood still (suspended, starved) must not take every stream for silent.
                TimeSpan elapsed = _time.GetElapsedTime(last);
                last = _time.GetTimestamp();
                var tick = new TickEntry(_time.GetUtcNow(), elapsed < 2 * TickInterval ? elapsed : TickInterval, _ledger.TakeUndecodable());
                await _handed.Writer.WriteAsync(new Handed(tick, OnDisk: null), cancellationToken);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ChannelClosedException)
        {
            // Scoring has ended: time no longer matters.
        }
    }
}

/// <summary>How far a sink has got.</summary>
/// <param name="Name">The sink's name.</param>
/// <param name="Settled">The place in the journal up to which it has written all there was to tell; null before the first entry.</param>
/// <param name="Trouble">Why it takes nothing at present; null where it does.</param>
internal sealed record SinkStanding(string Name, long? Settled, string? Trouble);
