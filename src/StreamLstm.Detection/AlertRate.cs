namespace StreamLstm.Detection;

/// <summary>How many alerts a stream was asked for, and how many it got.</summary>
/// <param name="AskedPerDay">Alerts a day of observations of which nothing is wrong that are asked for, at most; null while the stream's interval is not known, and for a stream whose evidence is not counted in observations.</param>
/// <param name="Got">Incidents of observations, right or wrong, opened since the stream became active. Silences are none: they are measured by the clock.</param>
/// <param name="ActiveSeconds">How long it has been active, by its records' clock, without its gaps.</param>
public readonly record struct AlertRate(double? AskedPerDay, long Got, double ActiveSeconds)
{
    internal const double DaySeconds = 86_400;

    /// <summary>Below this a rate would say nothing.</summary>
    private const double LeastSeconds = 3_600;

    /// <summary>Incidents a day; null in the first hour.</summary>
    public double? GotPerDay => ActiveSeconds < LeastSeconds ? null : Got * DaySeconds / ActiveSeconds;
}
