namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>Two simple ways to hold a record against ordinary ones: by one figure of it, and by its nearest of them.</summary>
internal sealed class FramePeers
{
    /// <summary>Ordinary records at most; of more every n-th is kept.</summary>
    private const int KeptMax = 2_000;

    private readonly double[][] _ordinary;
    private readonly double[] _mean;
    private readonly double[] _deviation;
    private readonly Func<double[], double> _figure;
    private readonly (double Mean, double Deviation) _level;

    /// <param name="ordinary">Records from before the first fault.</param>
    /// <param name="figure">The one figure of a record.</param>
    public FramePeers(IReadOnlyList<double[]> ordinary, Func<double[], double> figure)
    {
        int columns = ordinary[0].Length, every = (ordinary.Count + KeptMax - 1) / KeptMax;
        (_mean, _deviation) = (new double[columns], new double[columns]);

        for (int column = 0; column < columns; column++)
        {
            double mean = ordinary.Average(record => record[column]);
            (_mean[column], _deviation[column]) = (mean, Math.Max(1e-6, Math.Sqrt(ordinary.Average(record => Math.Pow(record[column] - mean, 2)))));
        }

        _figure = figure;
        double level = ordinary.Average(figure);
        _level = (level, Math.Max(1e-6, Math.Sqrt(ordinary.Average(record => Math.Pow(figure(record) - level, 2)))));
        _ordinary = [.. ordinary.Where((_, i) => i % every == 0).Select(Standard)];
    }

    /// <summary>How many standard deviations the figure is from its mean.</summary>
    public double Level(double[] record) => Math.Abs(_figure(record) - _level.Mean) / _level.Deviation;

    /// <summary>The distance to the nearest ordinary record, each column in its standard deviations (k = 1).</summary>
    public double Nearest(double[] record)
    {
        double[] standard = Standard(record);
        double least = double.PositiveInfinity;

        foreach (double[] other in _ordinary)
        {
            double sum = 0;

            for (int i = 0; i < standard.Length && sum < least; i++)
            {
                sum += (standard[i] - other[i]) * (standard[i] - other[i]);
            }

            least = Math.Min(least, sum);
        }

        return Math.Sqrt(least);
    }

    private double[] Standard(double[] record) => [.. record.Select((value, i) => (value - _mean[i]) / _deviation[i])];
}
