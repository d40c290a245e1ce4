namespace StreamLstm.Benchmarks.Quality.Scorers;

/// <summary>
/// A series' period as TSB-AD finds it (its find_length_rank, rank 1), which sets the widest window of VUS: the lag of
/// the highest peak of the autocorrelation.
/// </summary>
internal static class DominantPeriod
{
    /// <summary>Where there is no peak, or none at a lag of 6 to 303.</summary>
    public const int Default = 125;

    private const int RowsMax = 20_000;
    private const int LagMax = 400;
    private const int ShortestLag = 3;

    public static int Of(IReadOnlyList<double> values)
    {
        double[] correlations = Autocorrelation([.. values.Take(RowsMax)]);
        int best = -1;

        // The first and the last lag are no peaks: they have one neighbour.
        for (int lag = ShortestLag + 1; lag < correlations.Length - 1; lag++)
        {
            if (correlations[lag] > correlations[lag - 1] && correlations[lag] > correlations[lag + 1]
                && (best < 0 || correlations[lag] >= correlations[best]))
            {
                best = lag;
            }
        }

        return best is >= 2 * ShortestLag and <= 300 + ShortestLag ? best : Default;
    }

    /// <summary>By lag, 0 to 400 or as far as there are rows: sums, not divided by anything, for only their order counts.</summary>
    private static double[] Autocorrelation(double[] values)
    {
        double mean = values.Length == 0 ? 0 : values.Average();
        double[] deviations = [.. values.Select(value => value - mean)];
        var sums = new double[Math.Min(LagMax + 1, values.Length)];

        for (int lag = 0; lag < sums.Length; lag++)
        {
            for (int row = lag; row < deviations.Length; row++)
            {
                sums[lag] += deviations[row] * deviations[row - lag];
            }
        }

        return sums;
    }
}
