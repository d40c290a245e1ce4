namespace StreamLstm.Daemon.Durability;

/// <summary>Where state is kept.</summary>
internal sealed class StorageOptions
{
    /// <summary>
    /// Directory for snapshots, models, history and dead letters. Empty = $STATE_DIRECTORY (systemd), else
    /// $XDG_STATE_HOME/streamlstm, else ~/.local/state/streamlstm.
    /// </summary>
    public string Directory { get; init; } = "";

    /// <summary>Time between snapshots of all streams' state. What came since the last one is in the journal; a start reads it again.</summary>
    public TimeSpan SnapshotInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>KiB a second that snapshots write on average: of many streams the interval becomes longer. The journal's size ends it.</summary>
    [Range(1, 1_048_576)]
    public int SnapshotKibPerSecond { get; init; } = 32;

    /// <summary>A snapshot is taken before that, once the journal has grown by so much.</summary>
    [Range(1, 1_048_576)]
    public int SnapshotAfterMib { get; init; } = 16;

    /// <summary>Size of the journal at which nothing more is taken in or acknowledged, until a snapshot lets go of some.</summary>
    [Range(8, 1_048_576)]
    public int JournalMaxMib { get; init; } = 1024;
}
