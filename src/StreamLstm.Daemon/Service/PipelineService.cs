using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sinks.Mqtt;
using StreamLstm.Daemon.Sinks.Notify;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Host;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Daemon.Views;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Service;

/// <summary>The pipeline's life: state is restored before the first observation, and saved after the last.</summary>
internal sealed class PipelineService(
    DaemonOptions options,
    Ledger ledger,
    LiveView live,
    HttpSource httpSource,
    DaemonMetrics metrics,
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
    private readonly List<IScoreSink> _sinks = [];
    private StorageDirectory? _storage;
    private Journal? _journal;
    private long _lastOfFormer;   // entry of the journal, of former lives
    private DeadLetterFile? _deadLetters;
    private DetectionPipeline? _pipeline;
    private Snapshots? _snapshots;
    private Task _running = Task.CompletedTask;
    private Task _beside = Task.CompletedTask;

    /// <summary>What ended the pipeline before it was asked to; null while all is well.</summary>
    public Exception? Failure { get; private set; }

    public string StorageDirectory => _storage?.Path ?? "";

    public DateTimeOffset StartedAt { get; private set; }

    public LiveModel? LiveModel { get; private set; }

    public Retrainer? Retrainer { get; private set; }

    /// <summary>Reads the history; null where none is kept.</summary>
    public HistoryReader? History { get; private set; }

    /// <summary>The labels people gave; null where no history is kept.</summary>
    public LabelStore? Labels { get; private set; }

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

        foreach (string warning in DoorRules.Warnings(options))
        {
            LogMessages.OpenDoor(_logger, warning);
        }

        if (options.Cluster.Mode == ClusterMode.Kafka)
        {
            LiveModel = new LiveModel(BaseWeightsFile.Start(options.Detection.BaseWeights, options.Detection.Seed));
            Cluster = ClusterService.Node(options, _storage.Instance, LiveModel.Serving.Model, live, ledger, _deadLetters, metrics, time, loggers);
            _running = RunAsync(Cluster.RunAsync);
            return;
        }

        var disk = new LocalDisk(_storage.Path);
        var generations = new Generations(disk, loggers.CreateLogger<Generations>());
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

        AddSinks(restored);
        MissingEnd.Void(_journal, _sinks, metrics, _logger);
        _lastOfFormer = _journal.NextSequence - 1;
        DetectionOptions detection = options.DetectorOptions();
        StreamLimits limits = Limits(detection, restored);
        Maintenance = MaintenanceStore.Open(_storage, detection.Maintenance);
        var pipeline = new DetectionPipeline(
            options.Pipeline, detection with { Maintenance = Maintenance.All }, LiveModel, _journal, restored, swap => Retrainer.Load(_storage, swap),
            [.. Sources()], _sinks, ledger, _deadLetters, metrics, time, loggers, limits, new StreamLabels(options.Sources.TopicTemplates()), units);
        var liveFile = new LiveViewFile(_storage, live, _logger);

        if (generation is not null)
        {
            liveFile.Read();
        }

        _snapshots = new Snapshots(
            pipeline, _journal, generations, options.Storage, ledger, metrics, liveFile.Write, time, loggers.CreateLogger<Snapshots>());
        Retrainer = new Retrainer(
            pipeline, LiveModel, _storage, options.Retrain, options.Detection.Seed, metrics, time, loggers.CreateLogger<Retrainer>());

        if (generation is null || generation.Manifest.Layout != Generations.Layout)
        {
            // Where a first life begins: a second one goes on from it, were this one killed before any other snapshot.
            await _snapshots.WriteFinalAsync(_sinks.OfType<IJournalSink>());

            if (generation is not null)
            {
                generations.SetAside(generation.Number);
            }
        }

        _pipeline = pipeline;
        _running = RunAsync(pipeline.RunAsync);
        _beside = Task.WhenAll(
            BesideAsync("taking snapshots", _snapshots.RunAsync(_drained.Token)),
            BesideAsync("telling what was left out", TellLeftOutAsync(_stopping.Token)),
            BesideAsync("retraining", Retrainer.RunAsync(_stopping.Token)),
            BesideAsync("going on with what former lives left", GoOnAsync(limits, _stopping.Token)));
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
            // As long as it takes: of many streams it is large.
            await StepAsync("the last snapshot", Timeout.InfiniteTimeSpan, () => _snapshots.WriteFinalAsync(_sinks.OfType<IJournalSink>()));
        }

        foreach (IScoreSink sink in _sinks)
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
    private async Task GoOnAsync(StreamLimits limits, CancellationToken stopping)
    {
        await _pipeline!.Replayed.WaitAsync(stopping);
        await _pipeline.LimitAsync(limits, stopping);
        await _pipeline.MaintainAsync(Maintenance!.All, stopping);

        if (Labels is not null)
        {
            // A label that was on the disk and not in force stands in the history once that has been told again.
            await _pipeline.UntilSettledAsync(HistorySink.SinkName, _lastOfFormer, TimeSpan.MaxValue, stopping);
            Labels.Refresh();
        }
    }

    /// <summary>The bounds on streams that the configuration and the machine come to.</summary>
    /// <exception cref="StorageException">The streams of the snapshot do not fit into what the process may use.</exception>
    private StreamLimits Limits(DetectionOptions detection, RestoredState restored)
    {
        const double Mib = 1024 * 1024;
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        long counted = restored.StreamBytes(detection);

        if (counted > available)
        {
            throw new StorageException(
                $"the streams of the snapshot need about {counted / Mib:0} MiB, and this process may use {available / Mib:0} MiB (of a container's or service's memory limit, .NET takes 75 %): "
                + $"raise the limit (systemd MemoryMax=, docker --memory) to {counted / Mib / 0.6:0} MiB or more; "
                + "once it has started, limits.memory_mib or a shorter limits.stream_retention make it smaller");
        }

        long bytes = options.Limits.StreamBytes(available);
        LogMessages.MemoryLimit(
            _logger, (long)(bytes / Mib), options.Limits.MemoryMib > 0 ? "limits.memory_mib" : "65 % of what the process may use", (long)(counted / Mib));
        return new StreamLimits(detection.StreamsMax, detection.PerStreamMax, bytes, options.Limits.StreamRetention);
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

    private void AddSinks(RestoredState restored)
    {
        _sinks.Add(live);

        if (options.Sinks.Console.Enabled)
        {
            bool colour = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
            _sinks.Add(new ConsoleSink(options.Sinks.Console, Console.Out, colour));
        }

        if (options.Sinks.Jsonl.Enabled)
        {
            _sinks.Add(new JsonlSink(
                options.Sinks.Jsonl, _storage!.FileIn(options.Sinks.Jsonl.Path), restored.Sinks.GetValueOrDefault("jsonl"), loggers.CreateLogger<JsonlSink>(),
                () => metrics.ToldOtherwise("jsonl")));
        }

        for (int i = 0; i < options.Sinks.Mqtt.Count; i++)
        {
            _sinks.Add(new MqttSink(
                options.Sinks.Mqtt[i], i, _storage!.Instance, _storage.FileIn($"mqtt-waiting.{i}.ndjson"), time, loggers.CreateLogger<MqttSink>()));
        }

        for (int i = 0; i < options.Sinks.Kafka.Count; i++)
        {
            string name = KafkaSink.NameOf(options.Sinks.Kafka[i], i);
            _sinks.Add(new KafkaSink(
                options.Sinks.Kafka[i], i, _storage!.Instance, _storage.FileIn($"{Uri.EscapeDataString(name)}.kafka.cursor"), restored.Sinks.GetValueOrDefault(name)));
        }

        if (options.Sinks.Webhook.Enabled)
        {
            _sinks.Add(new WebhookSink(options.Sinks.Webhook, _storage!.FileIn("webhook.cursor"), metrics, loggers.CreateLogger<WebhookSink>()));
        }

        for (int i = 0; i < options.Sinks.Notify.Count; i++)
        {
            string name = NotifyOptions.NameOf(options.Sinks.Notify[i], i);
            _sinks.Add(new NotifySink(options.Sinks.Notify[i], i, _storage!.FileIn($"{name}.cursor"), metrics, time, loggers.CreateLogger<NotifySink>()));
        }

        if (options.Sinks.History.Enabled)
        {
            var history = new HistorySink(
                options.Sinks.History, _storage!.FileIn(options.Sinks.History.Path), time, loggers.CreateLogger<HistorySink>(), () => metrics.ToldOtherwise("history"));
            History = new HistoryReader(history.ConnectionString);
            Labels = new LabelStore(history.ConnectionString);
            _sinks.Add(history);
        }
    }

    private IEnumerable<IObservationSource> Sources()
    {
        SourcesOptions sources = options.Sources;
        var rules = VectorsOptions.Rules(options.Vectors);

        if (sources.Host.Enabled)
        {
            yield return new HostSource(sources.Host, rules, time, loggers.CreateLogger<HostSource>());
        }

        for (int i = 0; i < sources.Mqtt.Count; i++)
        {
            yield return new MqttSource(
                sources.Mqtt[i], i, _storage!.Instance, rules, options.Pipeline.BatchMax, metrics, time, loggers.CreateLogger<MqttSource>());
        }

        for (int i = 0; i < sources.Kafka.Count; i++)
        {
            yield return new KafkaSource(
                sources.Kafka[i], i, _storage!.Instance, rules, options.Pipeline.BatchMax, metrics, time, loggers.CreateLogger<KafkaSource>());
        }

        if (sources.MqttEmbedded.Enabled)
        {
            yield return new MqttEmbeddedSource(sources.MqttEmbedded, rules, metrics, time, loggers.CreateLogger<MqttEmbeddedSource>());
        }

        if (sources.Http.Enabled)
        {
            yield return httpSource;
        }

        for (int i = 0; i < sources.Files.Count; i++)
        {
            yield return new FileSource(sources.Files[i], i, rules, options.Pipeline.BatchMax, time, loggers.CreateLogger<FileSource>());
        }

        if (sources.Stdin.Enabled)
        {
            yield return new StdinSource(
                sources.Stdin, Console.OpenStandardInput(), rules, options.Pipeline.BatchMax, time, loggers.CreateLogger<StdinSource>());
        }
    }

    /// <summary>What does less than it should.</summary>
    private List<string> Degraded() =>
    [
        .. _pipeline!.Detectors.Degraded() is { } detector ? [detector] : Array.Empty<string>(),
        .. _pipeline.Troubles,
        .. _snapshots?.Failure is { } failure ? [$"the last snapshot failed, a start would read much of the journal again: {failure}"] : Array.Empty<string>(),
    ];

    /// <summary>Ready = state restored and the pipeline running; the body names what is missing.</summary>
    /// <remarks>
    /// A detector that is not alive is degraded, and ready (200): a 503 would cut off what takes observations in, keeps books
    /// and history, and shows the page that says what is wrong. Who wants to be woken has the metric.
    /// </remarks>
    internal sealed class Ready(PipelineService service) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(
                service.Failure is { } failure ? HealthCheckResult.Unhealthy(failure.Message)
                : service.Cluster is { } cluster ? cluster.Troubles is { Count: > 0 } troubles ? HealthCheckResult.Degraded(string.Join("; ", troubles))
                    : HealthCheckResult.Healthy($"watching {cluster.Owned.Count} partitions")
                : service._pipeline is null ? HealthCheckResult.Unhealthy("state is being restored")
                : !service._pipeline.TakesIn ? HealthCheckResult.Unhealthy("what was taken in since the last snapshot is being scored again")
                : service._stopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("stopping")
                : service.Degraded() is { Count: > 0 } reasons ? HealthCheckResult.Degraded(string.Join("; ", reasons))
                : HealthCheckResult.Healthy("watching"));

        /// <param name="context">The request.</param>
        /// <param name="report">What was found.</param>
        /// <param name="withReasons">Whether it may hear why.</param>
        public static Task WriteAsync(HttpContext context, HealthReport report, bool withReasons) =>
            context.Response.WriteAsJsonAsync(new
            {
                ready = report.Status != HealthStatus.Unhealthy,
                degraded = report.Status == HealthStatus.Degraded,
                reasons = withReasons ? report.Entries.Values.Select(entry => entry.Description) : [],
            });
    }
}
