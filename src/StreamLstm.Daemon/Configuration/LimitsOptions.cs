namespace StreamLstm.Daemon.Configuration;

/// <summary>Bounds on what the world may make the daemon hold.</summary>
internal sealed class LimitsOptions
{
    /// <summary>Streams beyond this number are rejected (reason stream_limit).</summary>
    [Range(1, 10_000_000)]
    public int Streams { get; init; } = 100_000;

    /// <summary>Total size of kept dead letters, in MiB; beyond it they are counted and dropped.</summary>
    [Range(0, 65_536)]
    public int DeadLettersMib { get; init; } = 64;
}
