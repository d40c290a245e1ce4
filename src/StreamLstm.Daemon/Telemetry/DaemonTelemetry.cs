using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace StreamLstm.Daemon.Telemetry;

/// <summary>Metrics, traces and logs through OpenTelemetry: /metrics always, OTLP where an endpoint is set.</summary>
internal static class DaemonTelemetry
{
    /// <summary>Combinations of a figure's labels: sources and reasons have the most, and some hundreds of them are many.</summary>
    private const int LabelsMax = 500;

    /// <summary>The program's version.</summary>
    public static string Version { get; } =
        typeof(DaemonTelemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public static void Add(WebApplicationBuilder builder, TelemetryOptions options)
    {
        bool otlp = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"));

        // JSON for machines; on a terminal, lines for people.
        builder.Logging.SetMinimumLevel(LogLevel.Information);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);

        // Why it cannot start or stop is thrown as well, and said in one line by who catches it: here it would be a stack trace before that line.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

        // It would say what is degraded at each probe, and whatever that is has said so once a minute already.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical);

        if (Console.IsErrorRedirected)
        {
            builder.Logging.AddJsonConsole(json => json.UseUtcTimestamp = true);
        }
        else
        {
            builder.Logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss ";
            });
        }

        // Standard output carries incidents; what the daemon says of itself goes to standard error.
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);

        OpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("streamlstm", serviceVersion: Version))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(DaemonMetrics.MeterName).AddRuntimeInstrumentation().AddPrometheusExporter();

                // Places for the values of labels are made beforehand, 2,000 of each figure where nothing is said: 12 MB, for some dozens.
                metrics.AddView(_ => new MetricStreamConfiguration { CardinalityLimit = LabelsMax });

                if (otlp)
                {
                    metrics.AddOtlpExporter();
                }
            })
            .WithTracing(tracing =>
            {
                tracing.AddSource(DaemonActivitySource.Name).SetSampler(new TraceIdRatioBasedSampler(options.TraceRatio));

                if (otlp)
                {
                    tracing.AddOtlpExporter();
                }
            });

        if (otlp)
        {
            telemetry.WithLogging(logging => logging.AddOtlpExporter());
        }
    }
}
