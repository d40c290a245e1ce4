namespace StreamLstm.Tests.Benchmarks;

/// <summary>
/// Two of TSB-AD's detectors that leave nothing to chance, each over a whole series: their published scores can be made
/// again, and so check a scorer. For nothing else: they look ahead.
/// </summary>
internal static class TsbAdDetectors
{
    /// <summary>The deviation below which a window is flat, and the correlation above which windows are equal: STUMPY's.</summary>
    private const double Flat = 1e-7, Equal = 0.99999999;

    /// <summary>Sub-HBOS: <see cref="Histogram"/> of all windows, 10 bins; a window's score is that of the row in its middle.</summary>
    public static double[] SubHistogram(double[] values, int window)
    {
        double[] scores = Histogram([.. Enumerable.Range(0, values.Length - window + 1).Select(row => values[row..(row + window)])], bins: 10);
        return [.. Enumerable.Repeat(scores[0], window / 2), .. scores, .. Enumerable.Repeat(scores[^1], (window - 1) / 2)];
    }

    /// <summary>HBOS: how rare each column's value is by a histogram of the column, summed; every row made mean 0 and deviation 1 first.</summary>
    /// <param name="rows">(n, D).</param>
    /// <param name="bins">Of a histogram.</param>
    public static double[] Histogram(double[][] rows, int bins)
    {
        double[][] normal = [.. rows.Select(Normalized)];
        var scores = new double[rows.Length];

        for (int column = 0; column < normal[0].Length; column++)
        {
            AddRarity([.. normal.Select(row => row[column])], bins, scores);
        }

        return scores;
    }

    /// <summary>Matrix profile: the distance to the nearest window elsewhere, both made mean 0 and deviation 1.</summary>
    public static double[] MatrixProfile(double[] values, int window)
    {
        int count = values.Length - window + 1;
        double[] mean = [.. Enumerable.Range(0, count).Select(row => values.AsSpan(row, window).ToArray().Average())];
        double[] deviation =
        [
            .. mean.Select((from, row) => Math.Sqrt(values[row..(row + window)].Average(value => (value - from) * (value - from)))),
        ];
        double[] nearest = [.. Enumerable.Repeat(double.PositiveInfinity, count)];

        for (int lag = (int)Math.Ceiling(window / 4.0) + 1; lag < count; lag++)
        {
            double product = 0;

            for (int k = 0; k < window; k++)
            {
                product += values[k] * values[lag + k];
            }

            for (int i = 0, j = lag; j < count; i++, j++)
            {
                product += i == 0 ? 0 : values[i + window - 1] * values[j + window - 1] - values[i - 1] * values[j - 1];
                double correlation =
                    deviation[i] < Flat && deviation[j] < Flat ? 1
                    : deviation[i] < Flat || deviation[j] < Flat ? 0.5
                    : (product / window - mean[i] * mean[j]) / (deviation[i] * deviation[j]);
                double distance = Math.Sqrt(2 * window * (1 - (correlation > Equal ? 1 : correlation)));
                nearest[i] = Math.Min(nearest[i], distance);
                nearest[j] = Math.Min(nearest[j], distance);
            }
        }

        double[] scores = [.. Enumerable.Repeat(nearest.Min(), values.Length)];
        nearest.CopyTo(scores, window / 2);
        return scores;
    }

    private static double[] Normalized(double[] row)
    {
        double mean = row.Average(), deviation = Math.Sqrt(row.Sum(value => (value - mean) * (value - mean)) / (row.Length - 1));
        return [.. row.Select(value => deviation > 0 ? (value - mean) / deviation : 0)];
    }

    /// <summary>-log2 of a value's density. Values are counted in bins closed below and looked up in bins closed above.</summary>
    private static void AddRarity(double[] values, int bins, double[] scores)
    {
        double low = values.Min(), high = values.Max();
        (low, high) = low < high ? (low, high) : (low - 0.5, high + 0.5);
        double[] edges = [.. Enumerable.Range(0, bins + 1).Select(i => i == bins ? high : low + i * ((high - low) / bins))];
        var counts = new int[bins];

        foreach (double value in values)
        {
            int bin = Math.Min(bins - 1, (int)((value - low) / (high - low) * bins));
            bin -= value < edges[bin] ? 1 : 0;
            bin += bin < bins - 1 && value >= edges[bin + 1] ? 1 : 0;
            counts[bin]++;
        }

        for (int row = 0; row < values.Length; row++)
        {
            int bin = 0;

            while (bin < bins - 1 && values[row] > edges[bin + 1])
            {
                bin++;
            }

            scores[row] -= Math.Log2(counts[bin] / (values.Length * (edges[bin + 1] - edges[bin])) + 0.1);
        }
    }
}
