using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sources.Host;

/// <summary>What on a computer is too little to tell anybody, however rare it is.</summary>
/// <remarks>
/// A computer at rest is so regular that two per cent of a core waiting for a disk, or three packets, come once in a week: true, and
/// of no use. The units of these streams are known here, so that nobody has to say it. A rule of `alerts` that
/// matches such a stream stands before these. Errors and drops have none: a single one counts.
/// </remarks>
internal static class HostAlertRules
{
    private const double Mebi = 1 << 20;

    /// <summary>Least deviations, the first pattern that matches counts: names behind the prefix, in the streams' own units.</summary>
    private static readonly (string Streams, double MinDeviation)[] Trifles =
    [
        ("cpu/run_queue", 3), ("cpu/blocked", 3),                               // processes
        ("cpu/context_switches", 2_000), ("cpu/interrupts", 2_000),             // a second
        ("cpu/forks", 20),                                                      // a second
        ("cpu/*", 5),                                                           // per cent of a core's time
        ("load/*", 1),                                                          // processes
        ("memory/used_percent", 1),
        ("memory/*_bytes", 16 * Mebi),
        ("memory/page_faults", 2_000), ("memory/major_faults", 20),             // a second
        ("memory/paged_*_kib", 1_024),                                          // a second
        ("swap/*", 100),                                                        // pages a second
        ("disk/*/busy", 5),                                                     // per cent of the time
        ("disk/*/in_flight", 8), ("disk/*/queue", 1),                           // requests
        ("disk/*_latency_ms", 10),
        ("disk/*_bytes", Mebi), ("disk/*", 50),                                 // a second
        ("net/*_bytes", 16 * 1_024), ("net/*_packets", 100),                     // a second
        ("net/tcp_retransmits", 5),                                             // a second
        ("sockets/*", 20),
        ("pressure/*", 5),                                                      // per cent of the time
        ("temperature/*", 2),                                                   // degrees
    ];

    /// <summary>The rules for streams of this prefix.</summary>
    public static IEnumerable<AlertRule> Of(string prefix) =>
        Trifles.Select(trifle => new AlertRule { Streams = $"{prefix}/{trifle.Streams}", MinDeviation = trifle.MinDeviation });
}
