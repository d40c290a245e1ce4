namespace StreamLstm.Daemon.Retraining;

/// <summary>Periodic training of new base weights on recent clean windows.</summary>
internal sealed class RetrainOptions
{
    /// <summary>Whether to train at all; false freezes the base weights.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Time between trainings.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Time from the start to the first training.</summary>
    public TimeSpan FirstAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Windows needed before a training starts; a fifth of them is held out.</summary>
    [Range(10, 100_000)]
    public int WindowsMin { get; init; } = 100;

    /// <summary>Windows kept for training, over all streams; a newcomer replaces a random one.</summary>
    [Range(10, 100_000)]
    public int WindowsMax { get; init; } = 2_000;

    /// <summary>
    /// Time for which weights that are better forecast beside those in service before they may serve: windows that came meanwhile, which
    /// neither has seen, must say the same. 0 to have them serve at once.
    /// </summary>
    public TimeSpan Shadow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Longest time one training may take.</summary>
    public TimeSpan TimeMax { get; init; } = TimeSpan.FromSeconds(60);
}
