using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Kafka;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Service;

/// <summary>Puts a member of a cluster together from its options.</summary>
internal static class ClusterService
{
    /// <param name="options">All options, checked.</param>
    /// <param name="instance">Names the storage directory.</param>
    /// <param name="serving">Base weights for partitions that have none yet; later the newest that this daemon knows of.</param>
    /// <param name="live">The page's.</param>
    /// <param name="ledger">The books.</param>
    /// <param name="deadLetters">Keeps what was rejected.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="time">For waiting.</param>
    /// <param name="loggers">For all of it.</param>
    public static ClusterNode Node(
        DaemonOptions options, string instance, LiveModel serving, LiveView live, Ledger ledger, IDeadLetters deadLetters, DaemonMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        KafkaSourceOptions source = options.Sources.Kafka[0];
        List<IScoreSink> taps = [live];

        if (options.Sinks.Console.Enabled)
        {
            taps.Add(new ConsoleSink(options.Sinks.Console, Console.Out, !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))));
        }

        DetectionOptions detection = options.DetectorOptions();
        var limits = new StreamLimits(
            detection.StreamsMax, detection.PerStreamMax, options.Limits.MemoryMib > 0 ? options.Limits.MemoryMib * 1024L * 1024L : long.MaxValue, options.Limits.StreamRetention)
        {
            IsFormByNeed = options.Detection.Form == FormChoice.Auto,
        };
        var setting = new PartitionSetting(
            options.Cluster,
            source.Access($"streamlstm-{instance}"),
            new PartitionRules(source, VectorsOptions.Rules(options.Vectors), detection, limits, Schemas(source, time)),
            serving.Serving.Model,
            options.Sinks.Kafka.Count > 0 ? options.Sinks.Kafka[0] : null,
            Member: () => throw new InvalidOperationException("no member yet"),
            Tell: (_, _) => ValueTask.CompletedTask,
            new SemaphoreSlim(options.Pipeline.WorkerCount()))
        {
            HeldMaxBytes = Math.Max(1 << 20, (int)(((long)source.HeldMaxMib << 20) / 8)),
        };
        return new ClusterNode(
            options.Cluster, instance, UrlOf(options), setting, live, serving,
            [.. taps.Select(tap => new SinkLane(tap, MemoryBudget.OfProcess.Of(options.Pipeline).ChannelCapacity, metrics, time, loggers.CreateLogger<SinkLane>()))],
            ledger, deadLetters, metrics, time, loggers);
    }

    /// <summary>Where the others reach this daemon; empty where that is not known: any free port.</summary>
    private static string UrlOf(DaemonOptions options)
    {
        if (options.Cluster.Advertise.Length > 0)
        {
            return options.Cluster.Advertise.TrimEnd('/');
        }

        string host = options.Http.Address is "0.0.0.0" or "::" ? Environment.MachineName : options.Http.Address;
        return options.Http.Port == 0 ? "" : new UriBuilder("http", host, options.Http.Port).Uri.GetLeftPart(UriPartial.Authority);
    }

    private static KafkaSchemas? Schemas(KafkaSourceOptions source, TimeProvider time)
    {
        try
        {
            return KafkaSchemas.AreNamedBy(source.Format) ? new KafkaSchemas(source, "sources.kafka.0", time) : null;
        }
        catch (SchemaRegistryTroubleException wrong)
        {
            throw new SourceException(wrong.Message, wrong);
        }
    }
}
