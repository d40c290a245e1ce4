namespace StreamLstm.Detection.Synthetic;

/// <summary>How a synthetic stream moves while nothing is wrong with it.</summary>
public enum SyntheticKind
{
    /// <summary>A level with white noise.</summary>
    White,

    /// <summary>A level with noise of order one, AR(1), that remembers the row before.</summary>
    Autoregressive,

    /// <summary>A level with Student's t noise of three to five degrees of freedom.</summary>
    HeavyTailed,

    /// <summary>One period of a shape of its own, with noise.</summary>
    Seasonal,

    /// <summary>Two periods, the longer a multiple of the shorter.</summary>
    TwoSeasons,

    /// <summary>A straight line with noise.</summary>
    Trend,

    /// <summary>A level that wanders and is slowly drawn back.</summary>
    Drift,

    /// <summary>Quiet, with bursts that fade.</summary>
    Bursts,

    /// <summary>Whole numbers: Poisson counts whose rate has a period.</summary>
    Counts,

    /// <summary>Two or three levels, changed at random.</summary>
    Switching,

    /// <summary>A machine that heats while it is on and cools while it is off.</summary>
    DutyCycle,

    /// <summary>A season read by an instrument of few steps.</summary>
    Quantised,

    /// <summary>0 or 1, changed at random.</summary>
    OnOff,
}
