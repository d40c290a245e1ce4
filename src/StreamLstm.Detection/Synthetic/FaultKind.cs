namespace StreamLstm.Detection.Synthetic;

/// <summary>What a generator does to a stream that a detector should find.</summary>
public enum FaultKind
{
    /// <summary>One to three values far off.</summary>
    Spike,

    /// <summary>Values moved by a fixed amount.</summary>
    LevelShift,

    /// <summary>The value before the fault, again and again.</summary>
    Flatline,

    /// <summary>White noise on top, of several times the stream's own spread.</summary>
    Noise,

    /// <summary>An offset that grows with every row.</summary>
    Drift,

    /// <summary>The season runs half a period off.</summary>
    Phase,

    /// <summary>One column of several goes its own way, by itself as ordinary as before.</summary>
    BrokenCorrelation,
}

/// <summary>One fault put into a stream.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Column">The column it is in.</param>
/// <param name="Start">Its first row.</param>
/// <param name="End">The row after its last.</param>
public readonly record struct SyntheticFault(FaultKind Kind, int Column, long Start, long End);
