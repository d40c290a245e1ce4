using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Service;

/// <summary>The bounds on streams that the configuration and the machine come to.</summary>
internal static class StreamBounds
{
    private const double Mib = 1024 * 1024;

    /// <param name="options">The configuration.</param>
    public static StreamLimits Of(DaemonOptions options)
    {
        var detection = options.DetectorOptions();
        return new StreamLimits(
            detection.StreamsMax, detection.PerStreamMax, options.Limits.StreamBytes(MemoryBudget.OfProcess), options.Limits.StreamRetention)
        {
            IsFormByNeed = options.Detection.Form == FormChoice.Auto,
        };
    }

    /// <summary>The same, at a start.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="restored">What the snapshot holds.</param>
    /// <param name="logger">Is told them.</param>
    /// <exception cref="StorageException">The streams of the snapshot do not fit into what the process may use.</exception>
    public static StreamLimits Of(DaemonOptions options, RestoredState restored, ILogger logger)
    {
        long available = MemoryBudget.OfProcess.Available;
        long counted = restored.StreamBytes(options.DetectorOptions());

        if (counted > available)
        {
            throw new StorageException(
                $"the streams of the snapshot need about {counted / Mib:0} MiB, and this process may use {available / Mib:0} MiB (of a container's or service's memory limit, .NET takes 75 %): "
                + $"raise the limit (systemd MemoryMax=, docker --memory) to {counted / Mib / 0.6:0} MiB or more; "
                + "once it has started, limits.memory_mib or a shorter limits.stream_retention make it smaller");
        }

        StreamLimits limits = Of(options);
        LogMessages.MemoryLimit(
            logger, (long)(limits.Bytes / Mib), options.Limits.MemoryMib > 0 ? "limits.memory_mib" : "65 % of what the process may use beyond 48 MiB", (long)(counted / Mib));
        return limits;
    }
}
