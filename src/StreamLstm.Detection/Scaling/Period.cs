namespace StreamLstm.Detection.Scaling;

/// <summary>A stream's own period, from its autocorrelation.</summary>
internal static class Period
{
    /// <summary>Longest period looked for, in rows.</summary>
    public const int LagMax = 2000;

    /// <summary>
    /// After the first dip of the autocorrelation, the first hill that reaches nine tenths of the highest, which must
    /// exceed 0.2: the top of that hill, as noise puts small peaks on its slopes. 0 where there is none.
    /// </summary>
    /// <param name="y">The last values, scaled; overwritten with their deviations from the mean.</param>
    /// <param name="autocorrelation">The thread's.</param>
    public static int Find(Span<double> y, Autocorrelation autocorrelation)
    {
        int lags = Math.Min(LagMax, y.Length / 3);

        if (lags < 8)
        {
            return 0;
        }

        double mean = 0;

        foreach (double value in y)
        {
            mean += value;
        }

        mean /= y.Length;
        double variance = 0;

        for (int i = 0; i < y.Length; i++)
        {
            y[i] -= mean;
            variance += y[i] * y[i];
        }

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
}
