using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Http;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Daemon.Views;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Service;

/// <summary>The pipeline's life: state is restored before the first observation, and saved after the last.</summary>
internal sealed class PipelineService(
    DaemonOptions options,
    Ledger ledger,
    LiveView live,
    HttpSource httpSource,
    DaemonMetrics metrics,
    StreamLabels labels,
    StreamUnits units,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILoggerFactory loggers) : IHostedService, IDisposable
{
    private static readonly string[] FormerSnapshots = ["snapshot.sls", "snapshot.1.sls"];
    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan StepMax = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = loggers.CreateLogger<PipelineService>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _drained = new();
    private StorageDirectory? _storage;
    private Journal? _journal;
    private long _lastOfFormer;   // entry of the journal, of former lives
    private DeadLetterFile? _deadLetters;
    private DetectionPipeline? _pipeline;
    private Snapshots? _snapshots;
    private LocalDisk? _snapshotDisk;
    private Task _running = Task.CompletedTask;
    private Task _beside = Task.CompletedTask;
    private readonly TaskCompletionSource _goneOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What ended the pipeline before it was asked to; null while all is well.</summary>
    public Exception? Failure { get; private set; }

    public string StorageDirectory => _storage?.Path ?? "";

    public DateTimeOffset StartedAt { get; private set; }

    public LiveModel? LiveModel { get; private set; }

    public Retrainer? Retrainer { get; private set; }

    /// <summary>The weights that are kept, and which serve; null while state is being restored.</summary>
    public ModelVersions? Models { get; private set; }

    /// <summary>Reads the history; null where none is kept.</summary>
    public HistoryReader? History => ConfiguredSinks?.History;

    /// <summary>The broker inside; null where there is none.</summary>
    public MqttEmbeddedSource? Broker => ConfiguredSources?.Present.OfType<MqttEmbeddedSource>().FirstOrDefault();

    /// <summary>The labels people gave; null where no history is kept.</summary>
    public LabelStore? Labels => ConfiguredSinks?.Labels;

    /// <summary>The sources; null while state is being restored, and in a cluster.</summary>
    public ConfiguredSources? ConfiguredSources { get; private set; }

    /// <summary>The sinks; null while state is being restored, and in a cluster.</summary>
    public ConfiguredSinks? ConfiguredSinks { get; private set; }

    /// <summary>Ends once what the configuration says is in force, and may change.</summary>
    public Task GoneOn => _goneOn.Task;

    /// <summary>Whether it was asked to stop.</summary>
    public bool IsStopping => _stopping.IsCancellationRequested;

    /// <summary>The maintenance windows; null while state is being restored.</summary>
    public MaintenanceStore? Maintenance { get; private set; }

    /// <summary>Alerts kept back since the start, by reason.</summary>
    public IReadOnlyDictionary<string, long> SuppressedByReason => metrics.SuppressedByReason;

    /// <summary>What answers questions about single streams; null before it is running, and in a cluster.</summary>
    public DetectionPipeline? Pipeline => _pipeline;

    /// <summary>This daemon as a member of its cluster; null where it is none.</summary>
    public ClusterNode? Cluster { get; private set; }

    /// <summary>Why there is no <see cref="Pipeline"/> outside a cluster, for people.</summary>
    public const string WhyNoPipeline = "state is being restored; ask again in a moment";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        StartedAt = time.GetUtcNow();
        _storage = Durability.StorageDirectory.Open(options.Storage);
        _deadLetters = new DeadLetterFile(
            _storage.FileIn("dead-letters.ndjson"), options.Limits.DeadLettersMib * 1024L * 1024L, time);
        metrics.Watch(() => _deadLetters.Dropped);

        ModelGroup[] groups = [.. options.Detection.ModelGroups.Select(group => group.Detection())];

        foreach (string warning in DoorRules.Warnings(options))
        {
            LogMessages.OpenDoor(_logger, warning);
        }

        if (options.Cluster.Mode == ClusterMode.Kafka)
        {
            LiveModel = new LiveModel(BaseWeightsFile.Start(options.Detection.BaseWeights, options.Detection.Seed));
            Cluster = ClusterService.Node(options, _storage.Instance, LiveModel, live, ledger, _deadLetters, metrics, time, loggers);
            Models = new ModelVersions(Swapper.Of(Cluster.Weights, LiveModel), new ModelFiles(_storage), live.Swaps, [.. groups.Select(group => group.Name)], time);
            Retrainer = new Retrainer(
                Cluster.Weights.WindowsAsync, Models, groups, options.Retrain, options.Detection.Seed, metrics, time, loggers.CreateLogger<Retrainer>());
            _beside = BesideAsync("retraining", Retrainer.RunAsync(_stopping.Token));
            _running = RunAsync(Cluster.RunAsync);
            _goneOn.SetResult();
            return;
        }

        var disk = new LocalDisk(_storage.Path);
        // While the pipeline runs, snapshots leave the disk to the journal.
        _snapshotDisk = new LocalDisk(_storage.Path);
        var generations = new Generations(_snapshotDisk, loggers.CreateLogger<Generations>());
        SetFormerSnapshotAside();
        Generation? generation = generations.Newest();
        _journal = Journal.Open(
            disk, generation?.Manifest.ReplayAfter, FirstSequence(), maxBytes: options.Storage.JournalMaxMib * 1024L * 1024L);

        if (_journal.TornBytes > 0)
        {
            LogMessages.JournalTorn(_logger, _journal.NextSequence - 1, _journal.TornBytes);
        }

        RestoredState restored = Restored(generation);
        BaseModel model = restored.Model ?? BaseWeightsFile.Start(options.Detection.BaseWeights, options.Detection.Seed);
        LiveModel = new LiveModel(model);
        metrics.Serving(model.Version);

        if (generation is not null)
        {
            LogMessages.Restored(
                _logger, generation.Number, generation.Manifest.FileBytes, model.Version, _journal.NextSequence - 1 - restored.ReplayAfter);
        }

        ConfiguredSinks = new ConfiguredSinks(options, _storage, restored, _journal.NextSequence - 1, live, metrics, time, loggers);
        MissingEnd.Void(_journal, ConfiguredSinks.All, metrics, _logger);
        _lastOfFormer = _journal.NextSequence - 1;
        DetectionOptions detection = options.DetectorOptions();
        StreamLimits limits = StreamBounds.Of(options, restored, _logger);
        ConfiguredSources = new ConfiguredSources(options, _storage, httpSource, metrics, time, loggers);
        Maintenance = MaintenanceStore.Open(_storage, detection.Maintenance);
        var pipeline = new DetectionPipeline(
            MemoryBudget.OfProcess.Of(options.Pipeline), detection with { Maintenance = Maintenance.All }, LiveModel, _journal, restored, swap => ModelFiles.Load(_storage, swap),
            ConfiguredSources.Present, ConfiguredSinks.All, ledger, _deadLetters, metrics, time, loggers, limits, labels, units);
        var liveFile = new LiveViewFile(_storage, live, _logger);

        if (generation is not null)
        {
            liveFile.Read();
        }

        _snapshots = new Snapshots(
            pipeline, _journal, generations, options.Storage, ledger, metrics, liveFile.Write, time, loggers.CreateLogger<Snapshots>());
        Models = new ModelVersions(Swapper.Of(pipeline, LiveModel, metrics), new ModelFiles(_storage), live.Swaps, [.. groups.Select(group => group.Name)], time);
        Retrainer = new Retrainer(
            async cancellation => await pipeline.CollectWindowsAsync(cancellation), Models, groups, options.Retrain, options.Detection.Seed, metrics, time, loggers.CreateLogger<Retrainer>());

        if (generation is null || generation.Manifest.Layout != Generations.Layout)
        {
            // Where a first life begins: a second one goes on from it, were this one killed before any other snapshot.
            await _snapshots.WriteFinalAsync(ConfiguredSinks.All.OfType<IJournalSink>());

            if (generation is not null)
            {
                generations.SetAside(generation.Number);
            }
        }

        _snapshotDisk.GivesWay = true;
        _pipeline = pipeline;
        _running = RunAsync(pipeline.RunAsync);
        _beside = Task.WhenAll(
            BesideAsync("taking snapshots", ThreadOfItsOwn.RunAsync("snapshots", () => _snapshots.RunAsync(_drained.Token))),
            BesideAsync("telling what was left out", TellLeftOutAsync(_stopping.Token)),
            BesideAsync("retraining", Retrainer.RunAsync(_stopping.Token)),
            BesideAsync("going on with what former lives left", GoOnAsync(limits, detection.Terms(), _stopping.Token)));
    }

    /// <summary>Each step runs, whatever became of the one before.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        bool isDrained = false;
        await StepAsync("draining", DrainMax, async () =>
        {
            await _stopping.CancelAsync();
            await _running;
            isDrained = true;
        });

        if (!isDrained)
        {
            _pipeline?.Abandon();

            if (Cluster is { } cluster)
            {
                await StepAsync("letting go of partitions", StepMax, () => cluster.DisposeAsync().AsTask());
            }

            LogMessages.StoppedBeforeDrained(_logger);
        }

        await StepAsync("ending what runs beside", StepMax, async () =>
        {
            await _drained.CancelAsync();
            await _beside;
        });

        if (Failure is null && isDrained && _snapshots is not null)
        {
            // As long as it takes: of many streams it is large, and nobody else needs the disk now.
            _snapshotDisk!.GivesWay = false;
            await StepAsync("the last snapshot", Timeout.InfiniteTimeSpan, () => _snapshots.WriteFinalAsync(_pipeline!.PresentSinks.OfType<IJournalSink>()));
        }

        foreach (IScoreSink sink in _pipeline?.PresentSinks ?? ConfiguredSinks?.All ?? [])
        {
            await StepAsync($"closing sink {sink.Name}", StepMax, () => sink.DisposeAsync().AsTask());
        }

        if (_deadLetters is not null)
        {
            await StepAsync("closing the dead letters", StepMax, () => _deadLetters.DisposeAsync().AsTask());
        }

        LedgerCut cut = ledger.Cut();
        LogMessages.Drained(_logger, cut.Received, cut.Scored, cut.Rejected, cut.Queued);
        _journal?.Dispose();
        _storage?.Dispose();
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _drained.Dispose();
        Models?.Dispose();
        _pipeline?.Dispose();
        _journal?.Dispose();
        _storage?.Dispose();
    }

    private async Task StepAsync(string step, TimeSpan atMost, Func<Task> run)
    {
        try
        {
            // On another thread: a write to a terminal that nobody reads does not return.
            await Task.Run(run).WaitAsync(atMost);
        }
#pragma warning disable CA1031 // said, and the next step runs
        catch (Exception failed)
#pragma warning restore CA1031
        {
            LogMessages.StopStepFailed(_logger, step, failed);
        }
    }

    private async Task BesideAsync(string what, Task task)
    {
        try
        {
            await task;
        }
        catch (ChannelClosedException)
        {
            // The pipeline has ended, and says why.
        }
#pragma warning disable CA1031 // said; what takes in and scores goes on
        catch (Exception failed)
#pragma warning restore CA1031
        {
            if (!_stopping.IsCancellationRequested)
            {
                LogMessages.BesideFailed(_logger, what, failed);
            }
        }
    }

    /// <summary>Once a minute: which fields of what came in became no observations.</summary>
    private async Task TellLeftOutAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
        var told = new Dictionary<(string, LeftOutReason), long>();

        while (await timer.WaitForNextTickAsync(stopping))
        {
            foreach (LeftOutCount left in ledger.LeftOut())
            {
                long count = left.Count - told.GetValueOrDefault((left.Source, left.Reason));
                told[(left.Source, left.Reason)] = left.Count;

                if (count > 0)
                {
                    LogMessages.FieldsLeftOut(_logger, left.Source, count, OptionPath.SnakeCase(left.Reason.ToString()), left.Last);
                }
            }
        }
    }

    /// <summary>What a former life wrote down has passed: what the configuration says now holds, and labels are as they were.</summary>
    private async Task GoOnAsync(StreamLimits limits, AlertTerms terms, CancellationToken stopping)
    {
        try
        {
            await _pipeline!.Replayed.WaitAsync(stopping);
            await _pipeline.Decisions.LimitAsync(limits, stopping);
            await _pipeline.Decisions.AskAsync(terms, stopping);
            await _pipeline.Decisions.MaintainAsync(Maintenance!.All, stopping);
        }
        finally
        {
            _goneOn.TrySetResult();
        }

        if (Labels is not null)
        {
            // A label that was on the disk and not in force stands in the history once that has been told again.
            await _pipeline.UntilSettledAsync(HistorySink.SinkName, _lastOfFormer, TimeSpan.MaxValue, stopping);
            Labels.Refresh();
        }
    }

    /// <summary>
    /// A journal that begins anew begins with the time, in microseconds: the cursor of a sink that outlived the one before stays
    /// behind it.
    /// </summary>
    private long FirstSequence() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private RestoredState Restored(Generation? generation)
    {
        if (generation is null)
        {
            return RestoredState.Nothing(_journal!.FirstSequence);
        }

        if (generation.Manifest.Layout != Generations.Layout)
        {
            LogMessages.SnapshotOtherLayout(
                _logger, generation.Number, generation.Manifest.Layout, Generations.Layout, Generations.Quarantine);
        }

        return RestoredState.Of(generation);
    }

    private void SetFormerSnapshotAside()
    {
        foreach (string former in FormerSnapshots.Select(_storage!.FileIn).Where(File.Exists))
        {
            File.Move(former, former + ".former", overwrite: true);
            LogMessages.FormerSnapshot(_logger, former, former + ".former");
        }
    }

    private async Task RunAsync(Func<CancellationToken, Task> run)
    {
        try
        {
            await run(_stopping.Token);

            // Every source has ended: there is nothing left to wait for.
            if (!_stopping.IsCancellationRequested)
            {
                lifetime.StopApplication();
            }
        }
#pragma warning disable CA1031 // said once, in the log; the exit code follows
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Failure = failure;

            if (failure is SourceException or StorageException)
            {
                LogMessages.Fatal(_logger, failure.Message);
            }
            else
            {
                LogMessages.PipelineFailed(_logger, failure);
            }

            lifetime.StopApplication();
        }
    }

    /// <summary>What does less than it should, of a pipeline that runs.</summary>
    public IReadOnlyList<string> Troubles =>
    [
        .. _pipeline!.Detectors.Degraded() is { } detector ? [detector] : Array.Empty<string>(),
        .. _pipeline.Troubles,
        .. _snapshots?.Failure is { } failure ? [$"the last snapshot failed, a start would read much of the journal again: {failure}"] : Array.Empty<string>(),
    ];
}
