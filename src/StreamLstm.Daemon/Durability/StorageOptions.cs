namespace StreamLstm.Daemon.Durability;

/// <summary>Where state is kept.</summary>
internal sealed class StorageOptions
{
    /// <summary>
    /// Directory for snapshots, models, history and dead letters. Empty = $STATE_DIRECTORY (systemd), else
    /// $XDG_STATE_HOME/streamlstm, else ~/.local/state/streamlstm.
    /// </summary>
    public string Directory { get; init; } = "";

    /// <summary>Time between snapshots of all streams' state.</summary>
    public TimeSpan SnapshotInterval { get; init; } = TimeSpan.FromSeconds(30);
}
