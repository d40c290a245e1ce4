using StreamLstm.Backtesting;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Host;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Events;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Daemon.Configuration;

/// <summary>Everything a user can say. Keys in YAML are the properties' names in snake_case.</summary>
internal sealed class DaemonOptions
{
    /// <summary>Where observations come from.</summary>
    public SourcesOptions Sources { get; init; } = new();

    /// <summary>How streams are learnt and judged.</summary>
    public DetectionSection Detection { get; init; } = new();

    /// <summary>Records of several values that are judged together; the first whose streams match counts.</summary>
    public IReadOnlyList<VectorsOptions> Vectors { get; init; } = [];

    /// <summary>What must hold of alerts beyond their evidence; the first whose streams match counts.</summary>
    public IReadOnlyList<AlertRuleOptions> Alerts { get; init; } = [];

    /// <summary>Stretches of time in which some streams are expected to be odd.</summary>
    public IReadOnlyList<MaintenanceOptions> Maintenance { get; init; } = [];

    /// <summary>Where verdicts go.</summary>
    public SinksOptions Sinks { get; init; } = new();

    /// <summary>Several daemons that share the partitions of one topic.</summary>
    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>Threads and channels between them.</summary>
    public PipelineOptions Pipeline { get; init; } = new();

    /// <summary>Periodic training of new base weights.</summary>
    public RetrainOptions Retrain { get; init; } = new();

    /// <summary>Where state is kept.</summary>
    public StorageOptions Storage { get; init; } = new();

    /// <summary>Bounds on what the world may make the daemon hold.</summary>
    public LimitsOptions Limits { get; init; } = new();

    /// <summary>The page, the API and the metrics.</summary>
    public HttpOptions Http { get; init; } = new();

    /// <summary>When the configuration is read again.</summary>
    public ReloadOptions Reload { get; init; } = new();

    /// <summary>What the daemon tells about itself.</summary>
    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>The detector's part.</summary>
    public DetectionOptions DetectorOptions() => new()
    {
        Seed = Detection.Seed,
        Form = Detection.Form switch
        {
            FormChoice.Lean => StreamForm.Lean,
            FormChoice.Shared => StreamForm.Shared,
            _ => StreamForm.Full,
        },
        CleanRowsPerAlert = Detection.CleanRowsPerAlert,
        CleanDaysPerAlert = Detection.CleanDaysPerAlert,
        // What joins makes records is judged together, also where `vectors` says nothing of it.
        Vectors =
        [
            .. Vectors.Select(rule => rule.Detection()),
            .. Sources.TopicTemplates().Where(template => template.Join is not null)
                .Select(template => new VectorOptions { Streams = template.Pattern, Columns = template.Join!.Fields }),
        ],
        ModelGroups = [.. Detection.ModelGroups.Select(group => group.Detection())],
        StreamsMax = Limits.Streams,
        TrainingWindowsMax = Retrain.WindowsMax,
        PerStreamMax = Detection.Learning switch
        {
            LearningMode.Shared => 0,
            LearningMode.PerStream => int.MaxValue,
            _ => Detection.Form is FormChoice.Lean or FormChoice.Shared ? 0 : Detection.PerStreamMax,
        },
        AlertRules = [.. Alerts.Select(rule => rule.Detection()), .. HostAlertRules.Of(Sources.Host.StreamPrefix())],
        Maintenance = [.. Maintenance.Select((window, i) => window.Detection($"configuration-{i}", out _)!)],
        Events = new EventStreamOptions
        {
            SessionsMax = Detection.SessionsMax,
            SessionIdle = Detection.SessionIdle,
        },
    };

    /// <summary>A backtest under this configuration, of which the detector's part and the number of workers are used.</summary>
    /// <param name="directory">Where results go.</param>
    /// <param name="since">Rows before this time are not read; null for all.</param>
    /// <param name="until">Rows from this time on are not read; null for all.</param>
    public BacktestRun Backtest(string directory, DateTimeOffset? since = null, DateTimeOffset? until = null) =>
        new(DetectorOptions(), BaseWeightsFile.Start(Detection.BaseWeights, Detection.Seed), Pipeline.WorkerCount(), directory) { Since = since, Until = until };
}
