namespace StreamLstm.Daemon.Configuration;

/// <summary>Bounds on what the world may make the daemon hold.</summary>
internal sealed class LimitsOptions
{
    /// <summary>Streams beyond this number are rejected (reason stream_limit).</summary>
    [Range(1, 10_000_000)]
    public int Streams { get; init; } = 100_000;

    /// <summary>What all streams together may be counted for, in MiB; a new one beyond it is rejected (reason stream_limit). 0 = 65 % of what the process may use beyond 48 MiB.</summary>
    [Range(0, 16_777_216)]
    public int MemoryMib { get; init; }

    /// <summary>Time without an observation after which a stream is forgotten, while the daemon runs.</summary>
    public TimeSpan StreamRetention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>What streams may be counted for, in bytes.</summary>
    /// <param name="budget">What there is for them where nothing is said.</param>
    public long StreamBytes(MemoryBudget budget) => MemoryMib > 0 ? MemoryMib * 1024L * 1024L : budget.StreamBytes;

    /// <summary>Total size of kept dead letters, in MiB; beyond it they are counted and dropped.</summary>
    [Range(0, 65_536)]
    public int DeadLettersMib { get; init; } = 64;
}
