namespace StreamLstm.Detection;

/// <summary>An observation and the detector's verdict on it.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Time">The observation's own time.</param>
/// <param name="Value">The observed value, in the stream's unit.</param>
/// <param name="Lifecycle">Where the stream stood when the verdict was made.</param>
/// <param name="Progress">Share of the warm-up that is done, 0 to 1; 1 once the stream is active.</param>
/// <param name="AnomalyScore">
/// Decades: a power mean over channels of log10 of one over the number of comparable events to be expected so far in
/// this stream. High = anomalous. Null while the stream is learning or calibrating.
/// </param>
/// <param name="Score">
/// The same for people, 0 to 100, and during an incident at least what its evidence is worth; 0 while the stream is
/// learning or calibrating.
/// </param>
/// <param name="Expected">The median that was forecast for this observation before it came, or null.</param>
/// <param name="Lower">Lower end of the 98 % band that was forecast, or null.</param>
/// <param name="Upper">Upper end of the 98 % band that was forecast, or null.</param>
/// <param name="IsAlert">Whether this observation opened an incident or raised an open one.</param>
/// <param name="Channel">The indicator that contributed most to the score; empty while there is none.</param>
/// <param name="ModelVersion">The version of the base weights in service when it was scored.</param>
public readonly record struct ScoredObservation(
    string Stream,
    DateTimeOffset Time,
    double Value,
    Lifecycle Lifecycle,
    double Progress,
    double? AnomalyScore,
    double Score,
    double? Expected,
    double? Lower,
    double? Upper,
    bool IsAlert,
    string Channel,
    long ModelVersion)
{
    /// <summary>The evidence of an observation that the record budget picks as an alert, three decades higher so that it is above 0; null elsewhere.</summary>
    public double? AlertScore { get; init; }

    /// <summary>
    /// What the observation says by itself, in decades: 0 = one such event was to be expected so far. Unlike
    /// <see cref="AnomalyScore"/> it gets used to what it has just seen. Null before the stream may alert.
    /// </summary>
    public double? Evidence { get; init; }

    /// <summary>Why the stream may not alert yet, and how long that lasts; null where its next observation may.</summary>
    public WarmUp? WarmUp { get; init; }

    /// <summary>For an event: the template of its text. <see cref="Value"/> then is its surprise, -ln p. Null for values.</summary>
    public string? Template { get; init; }

    /// <summary>For an event: the template that was held most likely instead; null where none was.</summary>
    public string? ExpectedTemplate { get; init; }
}
