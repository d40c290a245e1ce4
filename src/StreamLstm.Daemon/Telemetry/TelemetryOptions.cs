namespace StreamLstm.Daemon.Telemetry;

/// <summary>What the daemon tells about itself. OTEL_EXPORTER_OTLP_ENDPOINT switches the OTLP exporter on.</summary>
internal sealed class TelemetryOptions
{
    /// <summary>Share of batches whose way from ingest to sink is traced.</summary>
    [Range(0.0, 1.0)]
    public double TraceRatio { get; init; } = 0.01;
}
