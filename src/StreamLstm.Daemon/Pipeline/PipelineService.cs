using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Decoding;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Host;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>The pipeline's life: state is restored before the first observation, and saved after the last.</summary>
internal sealed class PipelineService(
    DaemonOptions options,
    Ledger ledger,
    LiveView live,
    HttpSource httpSource,
    DaemonMetrics metrics,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILoggerFactory loggers) : IHostedService, IDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger<PipelineService>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _drained = new();
    private readonly List<IScoreSink> _sinks = [];
    private StorageDirectory? _storage;
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

    /// <summary>What answers questions about single streams; null before it is running.</summary>
    public DetectionPipeline? Pipeline => _pipeline;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        StartedAt = time.GetUtcNow();
        _storage = Durability.StorageDirectory.Open(options.Storage);
        var store = new SnapshotStore(_storage, loggers.CreateLogger<SnapshotStore>());
        Snapshot? snapshot = store.Read();
        BaseModel model = snapshot?.Model ?? BaseWeightsFile.Start(options.Detection);
        LiveModel = new LiveModel(model);
        metrics.Serving(model.Version);

        if (snapshot is not null)
        {
            LogMessages.Restored(
                _logger, snapshot.State.Shards.Count, snapshot.State.Shards.Values.Sum(state => (long)state.Length), model.Version);
        }

        _deadLetters = new DeadLetterFile(
            _storage.FileIn("dead-letters.ndjson"), options.Limits.DeadLettersMib * 1024L * 1024L, time);
        AddSinks();
        DetectionOptions detection = DetectionOptions(options);
        Maintenance = MaintenanceStore.Open(_storage, detection.Maintenance);
        _pipeline = new DetectionPipeline(
            options.Pipeline, detection with { Maintenance = Maintenance.All }, LiveModel, snapshot?.State ?? RestoredState.Empty, [.. Sources()], _sinks,
            ledger, _deadLetters, metrics, time, loggers);
        _snapshots = new Snapshots(
            _pipeline, LiveModel, store, options.Storage, metrics, time, loggers.CreateLogger<Snapshots>());
        Retrainer = new Retrainer(
            _pipeline, LiveModel, _storage, options.Retrain, options.Detection.Seed, metrics, time, loggers.CreateLogger<Retrainer>());

        if (options.Http.AllowNonLoopback)
        {
            LogMessages.OpenToTheNetwork(_logger, "http", options.Http.Address);
        }

        if (options.Sources.MqttEmbedded is { Enabled: true, AllowNonLoopback: true })
        {
            LogMessages.OpenToTheNetwork(_logger, "sources.mqtt_embedded", options.Sources.MqttEmbedded.Address);
        }

        _running = RunAsync();
        _beside = Task.WhenAll(
            _snapshots.RunAsync(_drained.Token), Retrainer.RunAsync(_stopping.Token), RepeatLabelsAsync(_stopping.Token));
        return Task.CompletedTask;
    }

    /// <summary>After a crash the last snapshot does not know the last labels; where it does, this changes nothing.</summary>
    private async Task RepeatLabelsAsync(CancellationToken stopping)
    {
        try
        {
            foreach (StoredLabel label in Labels?.LastWords() ?? [])
            {
                await _pipeline!.LabelAsync(
                    label.Stream, label.IncidentId, Labels!.Of(label.IncidentId)?.Label, time.GetUtcNow(), stopping);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            // The daemon stops; the next start repeats them.
        }
        catch (Microsoft.Data.Sqlite.SqliteException unreadable)
        {
            LogMessages.LabelsNotRepeated(_logger, unreadable.Message);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _running;
        await _drained.CancelAsync();
        await _beside;

        if (Failure is null)
        {
            _snapshots?.WriteFinal();
        }

        foreach (IScoreSink sink in _sinks)
        {
            await sink.DisposeAsync();
        }

        if (_deadLetters is not null)
        {
            await _deadLetters.DisposeAsync();
        }

        LedgerCut cut = ledger.Cut();
        LogMessages.Drained(_logger, cut.Received, cut.Scored, cut.Rejected, cut.Queued);
        _storage?.Dispose();
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _drained.Dispose();
        _storage?.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await _pipeline!.RunAsync(_stopping.Token);

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

    private void AddSinks()
    {
        _sinks.Add(live);

        if (options.Sinks.Console.Enabled)
        {
            bool colour = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
            _sinks.Add(new ConsoleSink(options.Sinks.Console, Console.Out, colour));
        }

        if (options.Sinks.Jsonl.Enabled)
        {
            _sinks.Add(new JsonlSink(options.Sinks.Jsonl, _storage!.FileIn(options.Sinks.Jsonl.Path)));
        }

        if (options.Sinks.History.Enabled)
        {
            var history = new HistorySink(
                options.Sinks.History, _storage!.FileIn(options.Sinks.History.Path), time, loggers.CreateLogger<HistorySink>());
            History = new HistoryReader(history.ConnectionString);
            Labels = new LabelStore(history.ConnectionString);
            _sinks.Add(history);
        }
    }

    private IEnumerable<IObservationSource> Sources()
    {
        SourcesOptions sources = options.Sources;
        var rules = new RecordRules(options.Vectors);

        if (sources.Host.Enabled)
        {
            yield return new HostSource(sources.Host, rules, time, loggers.CreateLogger<HostSource>());
        }

        if (sources.MqttEmbedded.Enabled)
        {
            yield return new MqttEmbeddedSource(sources.MqttEmbedded, rules, time, loggers.CreateLogger<MqttEmbeddedSource>());
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

    /// <summary>The detector's part of the configuration.</summary>
    public static DetectionOptions DetectionOptions(DaemonOptions options) => new()
    {
        Seed = options.Detection.Seed,
        Form = options.Detection.Form,
        CleanRowsPerAlert = options.Detection.CleanRowsPerAlert,
        CleanDaysPerAlert = options.Detection.CleanDaysPerAlert,
        Vectors = [.. options.Vectors.Select(rule => rule.Detection())],
        StreamsMax = options.Limits.Streams,
        TrainingWindowsMax = options.Retrain.WindowsMax,
        PerStreamMax = options.Detection.Learning switch
        {
            LearningMode.Shared => 0,
            LearningMode.PerStream => int.MaxValue,
            _ => options.Detection.Form == StreamForm.Lean ? 0 : options.Detection.PerStreamMax,
        },
        AlertRules = [.. options.Alerts.Select(rule => rule.Detection())],
        Maintenance = [.. options.Maintenance.Select((window, i) => window.Detection($"configuration-{i}", out _)!)],
        Events = new Detection.Judging.Events.EventStreamOptions
        {
            SessionsMax = options.Detection.SessionsMax,
            SessionIdle = options.Detection.SessionIdle,
        },
    };

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
                : service._pipeline is null ? HealthCheckResult.Unhealthy("state is being restored")
                : service._stopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("stopping")
                : service._pipeline.Detectors.Degraded() is { } reason ? HealthCheckResult.Degraded(reason)
                : HealthCheckResult.Healthy("watching"));

        public static Task WriteAsync(HttpContext context, HealthReport report) =>
            context.Response.WriteAsJsonAsync(new
            {
                ready = report.Status != HealthStatus.Unhealthy,
                degraded = report.Status == HealthStatus.Degraded,
                reasons = report.Entries.Values.Select(entry => entry.Description),
            });
    }
}
