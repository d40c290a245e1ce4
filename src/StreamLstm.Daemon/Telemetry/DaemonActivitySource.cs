using System.Diagnostics;

namespace StreamLstm.Daemon.Telemetry;

/// <summary>Every span of the daemon: "ingest" at a source, "score" in a worker, "sink" at each sink.</summary>
internal static class DaemonActivitySource
{
    public const string Name = "StreamLstm";

    public static readonly ActivitySource Source = new(Name);
}
