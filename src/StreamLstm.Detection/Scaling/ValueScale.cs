namespace StreamLstm.Detection.Scaling;

/// <summary>Maps a stream's values to y = asinh((x - centre) / scale): linear near the centre, logarithmic far out.</summary>
/// <param name="Centre">The median.</param>
/// <param name="Scale">Robust deviation, always above 0.</param>
internal readonly record struct ValueScale(double Centre, double Scale)
{
    /// <summary>IQR over a normal distribution's IQR of 1.35 deviations.</summary>
    private const double NormalInterquartileRange = 1.35;

    /// <summary>Span from the 5 % to the 95 % quantile, over twice a normal distribution's: leptokurtic streams keep their core.</summary>
    private const double CoreSpan = 6.58;

    public static ValueScale Of(SortedReservoir history)
    {
        double centre = history.Quantile(0.5);
        double scale = Math.Max(
            (history.Quantile(0.75) - history.Quantile(0.25)) / NormalInterquartileRange,
            (history.Quantile(0.95) - history.Quantile(0.05)) / CoreSpan);

        if (!(scale > 0))
        {
            // Nearly constant: nothing is known of how it moves. A tenth of what it is is taken for little, as is one of what is counted.
            scale = Math.Max(0.1 * Math.Abs(centre), centre == Math.Round(centre) ? 1 : 1e-3);
        }

        return new ValueScale(centre, scale);
    }

    public double Y(double value) => Math.Asinh((value - Centre) / Scale);

    /// <summary>The value that is mapped to y.</summary>
    public double Value(double y) => Centre + Scale * Math.Sinh(y);
}
