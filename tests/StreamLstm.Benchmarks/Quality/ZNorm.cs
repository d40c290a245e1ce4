namespace StreamLstm.Benchmarks.Quality;

/// <summary>The plain z-norm: the length of (x - mean) / deviation, both of the training rows.</summary>
internal static class ZNorm
{
    /// <summary>The score of every row: (rows).</summary>
    /// <param name="rows">(rows, columns).</param>
    /// <param name="training">How many of them, from the first, are for training.</param>
    public static double[] Scores(IReadOnlyList<double[]> rows, int training)
    {
        int columns = rows[0].Length;
        var mean = new double[columns];
        var deviation = new double[columns];

        for (int column = 0; column < columns; column++)
        {
            mean[column] = rows.Take(training).Average(row => row[column]);
            deviation[column] = Math.Sqrt(rows.Take(training).Average(row => Math.Pow(row[column] - mean[column], 2)));
        }

        return [.. rows.Select(row => Math.Sqrt(row.Select((value, column) =>
            Math.Pow((value - mean[column]) / (deviation[column] == 0 ? 1 : deviation[column]), 2)).Sum()))];
    }

    /// <summary>Whether each row's score is above this quantile of the training rows' scores.</summary>
    public static IReadOnlyList<bool?> Above(IReadOnlyList<double[]> rows, int training, double quantile)
    {
        double[] scores = Scores(rows, training);
        double threshold = Quantile([.. scores.Take(training)], quantile);
        return [.. scores.Select(score => (bool?)(score > threshold))];
    }

    /// <summary>Linear between the two nearest of the sorted values.</summary>
    public static double Quantile(double[] values, double quantile)
    {
        Array.Sort(values);
        double position = quantile * (values.Length - 1);
        int below = (int)position;
        return below + 1 < values.Length ? values[below] + (position - below) * (values[below + 1] - values[below]) : values[below];
    }
}
