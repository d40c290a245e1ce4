namespace StreamLstm.Daemon.Pipeline;

/// <summary>Threads and channels between them.</summary>
internal sealed class PipelineOptions
{
    /// <summary>Inference workers; 0 = one per processor, at most 8. The number never changes a result.</summary>
    [Range(0, 64)]
    public int Workers { get; init; }

    /// <summary>The number that <see cref="Workers"/> comes to on this machine.</summary>
    public int WorkerCount() => Workers > 0 ? Workers : Math.Clamp(Environment.ProcessorCount, 1, 8);

    /// <summary>Batches each channel holds before its writer waits.</summary>
    [Range(1, 65_536)]
    public int ChannelCapacity { get; init; } = 256;

    /// <summary>Observations a source puts into one batch at most.</summary>
    [Range(1, 4_096)]
    public int BatchMax { get; init; } = 256;
}
