using StreamLstm.Daemon.Api;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;

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

    /// <summary>What the daemon tells about itself.</summary>
    public TelemetryOptions Telemetry { get; init; } = new();
}
