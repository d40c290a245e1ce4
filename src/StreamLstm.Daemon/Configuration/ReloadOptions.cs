namespace StreamLstm.Daemon.Configuration;

/// <summary>When the configuration is read again while the daemon runs; SIGHUP and POST /api/v1/reload always have it read.</summary>
internal sealed class ReloadOptions
{
    /// <summary>Whether its files are looked at every two seconds, through links, and read again when they say something else.</summary>
    public bool Watch { get; init; }
}
