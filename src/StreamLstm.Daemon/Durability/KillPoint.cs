using System.Diagnostics;
using System.Globalization;

namespace StreamLstm.Daemon.Durability;

/// <summary>Where the process kills itself (SIGKILL) when it is told to: named like the rule that is tried there.</summary>
/// <remarks>STREAMLSTM_KILL_AT=NAME, or NAME:N for the N-th time it is passed. For tests; without the variable nothing happens.</remarks>
internal static class KillPoint
{
    public const string R1FileWithoutName = "r1-file-without-name";
    public const string R1WrittenNotSynced = "r1-written-not-synced";
    public const string R1SyncedNotAcknowledged = "r1-synced-not-acknowledged";
    public const string R2MarkedNoManifest = "r2-marked-no-manifest";
    public const string R3AcknowledgedNotScored = "r3-acknowledged-not-scored";
    public const string R3SinkWrittenNotMarked = "r3-sink-written-not-marked";
    public const string R3HistoryNotCommitted = "r3-history-not-committed";
    public const string R4OnDiskNotInForce = "r4-on-disk-not-in-force";
    public const string R5Replaying = "r5-replaying";
    public const string R6NamedNothingDeleted = "r6-named-nothing-deleted";
    public const string R6ManifestDeletedFileNot = "r6-manifest-deleted-file-not";
    public const string R6JournalNotTrimmed = "r6-journal-not-trimmed";
    public const string R7HalfSetAside = "r7-half-set-aside";
    public const string R8PartsNotSynced = "r8-parts-not-synced";
    public const string R8PartsNoManifest = "r8-parts-no-manifest";
    public const string R8ManifestNoName = "r8-manifest-no-name";
    public const string R8NameNotSynced = "r8-name-not-synced";

    private static readonly (string Name, int Left) Asked =
        Environment.GetEnvironmentVariable("STREAMLSTM_KILL_AT")?.Split(':') is [var name, .. var rest]
            ? (name, rest is [var count] ? int.Parse(count, CultureInfo.InvariantCulture) : 1)
            : ("", 0);

    private static int s_left = Asked.Left;

    /// <summary>Every point there is.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        R1FileWithoutName, R1WrittenNotSynced, R1SyncedNotAcknowledged, R2MarkedNoManifest, R3AcknowledgedNotScored, R3SinkWrittenNotMarked,
        R3HistoryNotCommitted, R4OnDiskNotInForce, R5Replaying, R6NamedNothingDeleted, R6ManifestDeletedFileNot, R6JournalNotTrimmed,
        R7HalfSetAside, R8PartsNotSynced, R8PartsNoManifest, R8ManifestNoName, R8NameNotSynced,
    ];

    public static void Pass(string name)
    {
        if (Asked.Left > 0 && name == Asked.Name && Interlocked.Decrement(ref s_left) == 0)
        {
            using var self = Process.GetCurrentProcess();
            self.Kill();

            // The signal is on its way: nothing more happens on this thread.
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
