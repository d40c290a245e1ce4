namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>What a person watching would call a fault.</summary>
internal enum LifeFaultKind
{
    /// <summary>One row far above.</summary>
    Spike,

    /// <summary>One row far below.</summary>
    Dip,

    /// <summary>One row far above, and the same value every time.</summary>
    RepeatedSpike,

    /// <summary>Spikes, each greater than the one before.</summary>
    GrowingSpikes,

    /// <summary>Spikes, each smaller than the one before and still far outside.</summary>
    ShrinkingSpikes,

    /// <summary>10 to 150 rows at another level, and back.</summary>
    Level,

    /// <summary>Another level for good.</summary>
    Permanent,

    /// <summary>Away slowly, over 300 to 2,000 rows, and back.</summary>
    Drift,

    /// <summary>The same value again and again.</summary>
    Stuck,

    /// <summary>The stream's own noise two to six times as wide.</summary>
    Variance,

    /// <summary>The stream's own noise much narrower, and not gone.</summary>
    Quieter,

    /// <summary>A bump, a batch or a working day does not come, or only in part.</summary>
    Missing,

    /// <summary>A bump where none belongs.</summary>
    Extra,

    /// <summary>The season jumps and stays there.</summary>
    Phase,

    /// <summary>Cycles are shorter for a while.</summary>
    Fast,

    /// <summary>Cycles are longer for a while.</summary>
    Slow,

    /// <summary>A state lasts much longer, or much shorter, than it ever does.</summary>
    Dwell,

    /// <summary>One to six rows tell zero, or a number that says "no value".</summary>
    Dropout,

    /// <summary>Values stop at a limit that they usually cross.</summary>
    Clipped,

    /// <summary>A counter, or a rate, runs faster or slower, or stops.</summary>
    Rate,

    /// <summary>Something is lost all the time: a slow decline until it is made good, or refills that come sooner.</summary>
    Leak,

    /// <summary>A ripple appears.</summary>
    Oscillation,

    /// <summary>One cycle of another shape.</summary>
    Shape,

    /// <summary>5 to 40 rows of wild values.</summary>
    NoiseBurst,
}

/// <summary>One fault of a life.</summary>
/// <param name="Start">Row from which one could know, counted from 0.</param>
/// <param name="End">The last row that is abnormal.</param>
/// <param name="Within">An alert in rows Start to Start + Within finds it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Strength">
/// How far it goes from what would have been, at most, in robust sigmas of what the stream does by itself at that place; of
/// Variance, Quieter, Fast, Slow, Rate and Dwell the factor, of Phase the share of a period, of Stuck the rows in multiples of the
/// longest time the value ever stood still.
/// </param>
/// <param name="Repetition">1 for the first of its kind in this life, 2 for the second.</param>
internal sealed record LifeFault(int Start, int End, int Within, LifeFaultKind Kind, double Strength, int Repetition);

/// <summary>One stream from its first row to its last, and what was wrong with it.</summary>
/// <param name="Family">What produced it.</param>
/// <param name="Seconds">(rows) When, since 1970, strictly increasing.</param>
/// <param name="Values">(rows) In a unit of the family's own.</param>
/// <param name="Faults">In the order of their starts; none for about one life in six.</param>
/// <param name="Excused">Rows where nobody could know what is normal: the first weekend, the days after a change of the clock.</param>
internal sealed record SimulatedLife(
    string Family,
    double[] Seconds,
    double[] Values,
    IReadOnlyList<LifeFault> Faults,
    IReadOnlyList<(int First, int Last)> Excused);
