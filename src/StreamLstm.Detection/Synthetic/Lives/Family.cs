using static StreamLstm.Detection.Synthetic.Lives.LifeFaultKind;

namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>What makes models of one sort of stream.</summary>
/// <param name="Name">In lower case, with hyphens.</param>
/// <param name="Validation">Whether it is kept to try on what was learnt.</param>
/// <param name="Make">A model of so many rows.</param>
internal sealed record Family(string Name, bool Validation, Func<Dice, int, LifeModel> Make)
{
    /// <summary>One row above.</summary>
    public static LifeFaultKind[] Up => [Spike, RepeatedSpike, GrowingSpikes, ShrinkingSpikes];

    /// <summary>One row outside.</summary>
    public static LifeFaultKind[] Points => [.. Up, Dip];

    /// <summary>Another level, for a while, for good, or slowly.</summary>
    public static LifeFaultKind[] Shifts => [Level, Permanent, Drift];

    /// <summary>Another texture.</summary>
    public static LifeFaultKind[] Noises => [Variance, NoiseBurst, Oscillation];

    /// <summary>Cycles out of time, or out of shape.</summary>
    public static LifeFaultKind[] Cycles => [Fast, Slow, Shape];
}
