namespace StreamLstm.Detection.Scaling;

/// <summary>A stream's own period, from its autocorrelation.</summary>
internal static class Period
{
    /// <summary>Longest period looked for, in rows.</summary>
    public const int LagMax = 2000;

    /// <summary>Share of the squares that is left of a straight line because numbers are rounded, at most.</summary>
    private const double Rounding = 1e-18;

    /// <summary>
    /// After the first dip of the autocorrelation, the first hill that reaches nine tenths of the highest, which must
    /// exceed 0.2: the top of that hill, as noise puts small peaks on its slopes. 0 where there is none. What the values rise or
    /// fall by in all is taken out: else of what grows all rows of a half are alike, whatever comes again in them.
    /// </summary>
    /// <param name="y">The last values, scaled; overwritten with their deviations from a straight line.</param>
    /// <param name="autocorrelation">The thread's.</param>
    public static int Find(Span<double> y, Autocorrelation autocorrelation)
    {
        int lags = Math.Min(LagMax, y.Length / 3);

        if (lags < 8)
        {
            return 0;
        }

        double variance = TakeTrendOut(y);

        if (!(variance > 0))
        {
            return 0;
        }

        Span<double> correlation = autocorrelation.Products(y, lags + 1);

        for (int lag = 1; lag <= lags; lag++)
        {
            correlation[lag] *= y.Length / (variance * (y.Length - lag));
        }

        int dip = 1;

        while (dip < lags && correlation[dip] > 0.1)
        {
            dip++;
        }

        double highest = 0;

        for (int lag = dip + 1; lag < lags; lag++)
        {
            highest = Math.Max(highest, correlation[lag]);
        }

        if (highest <= 0.2)
        {
            return 0;
        }

        int foot = Math.Max(dip + 1, 4);

        while (foot < lags && correlation[foot] < 0.9 * highest)
        {
            foot++;
        }

        int top = foot;

        for (int lag = foot; lag < Math.Min(lags, foot + foot / 4 + 1); lag++)
        {
            top = correlation[lag] > correlation[top] ? lag : top;
        }

        // A top on the last lag may be the slope of a longer period.
        return top < lags - 1 ? top : 0;
    }

    /// <summary>Takes mean and slope out, by least squares; returns the sum of squares that is left, 0 where that is but rounding.</summary>
    private static double TakeTrendOut(Span<double> y)
    {
        double mean = 0, slope = 0, whole = 0, squares = 0, middle = (y.Length - 1) / 2.0;

        for (int i = 0; i < y.Length; i++)
        {
            mean += y[i];
            slope += y[i] * (i - middle);
            whole += y[i] * y[i];
        }

        mean /= y.Length;
        slope /= y.Length * ((double)y.Length * y.Length - 1) / 12;

        for (int i = 0; i < y.Length; i++)
        {
            y[i] -= mean + slope * (i - middle);
            squares += y[i] * y[i];
        }

        return squares > Rounding * whole ? squares : 0;
    }
}
