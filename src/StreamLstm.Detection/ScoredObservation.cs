namespace StreamLstm.Detection;

/// <summary>An observation and the detector's verdict on it.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Time">The observation's own time.</param>
/// <param name="Value">The observed value, in the stream's unit; of a record J, the mean over scored columns of how many decades rare a column's distance from its analogies is (0 while that is not known); of an event its surprise, -ln p.</param>
/// <param name="Lifecycle">Where the stream stood when the verdict was made.</param>
/// <param name="Progress">Share of the warm-up that is done, 0 to 1; 1 once the stream is active.</param>
/// <param name="ModelVersion">The version of the base weights in service when it was scored.</param>
public readonly record struct ScoredObservation(
    string Stream, DateTimeOffset Time, double Value, Lifecycle Lifecycle, double Progress, long ModelVersion)
{
    /// <summary>
    /// How unlike normal operation it is, 0 to 1: 1 - 2^(-evidence / threshold). At .5 an incident opens, and nothing else
    /// decides; what lies higher is further from normal. 0 while the stream is not active, or a gap has just come between.
    /// </summary>
    public double AnomalyScore { get; init; }

    /// <summary>The same for people, 0 to 100: below 60 worth a look some time, above 70 now.</summary>
    public double Score => 100 * AnomalyScore;

    /// <summary>The same in decades, without a bound, and below 0 where it is more ordinary than most; null while the stream is not active.</summary>
    public double? Evidence { get; init; }

    /// <summary>The median that was forecast for this observation before it came, or null.</summary>
    public double? Expected { get; init; }

    /// <summary>Lower end of the 98 % band that was forecast, or null.</summary>
    public double? Lower { get; init; }

    /// <summary>Upper end of the 98 % band that was forecast, or null.</summary>
    public double? Upper { get; init; }

    /// <summary>Whether this observation opened an incident or raised an open one.</summary>
    public bool IsAlert { get; init; }

    /// <summary>How many alerts the stream was asked for, and how many it got, with this observation; null while it is not active.</summary>
    public AlertRate? Alerts { get; init; }

    /// <summary>The indicator that says most; empty while there is none.</summary>
    public string Channel { get; init; } = "";

    /// <summary>For a record whose values were judged together: what was said of each column; null for others.</summary>
    public IReadOnlyList<ColumnFigure>? Columns { get; init; }

    /// <summary>Why the stream may not alert yet, and how long that lasts; null where its next observation may.</summary>
    public WarmUp? WarmUp { get; init; }

    /// <summary>How much the stream may remember.</summary>
    public StreamForm Form { get; init; }

    /// <summary>For an event: the template of its text. Null for others.</summary>
    public string? Template { get; init; }

    /// <summary>For an event: the template that was held most likely instead; null where none was.</summary>
    public string? ExpectedTemplate { get; init; }
}
