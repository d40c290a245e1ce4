namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>How far a stream goes by itself, measured on its life without faults: what sizes of faults are counted in.</summary>
internal sealed class CleanBehaviour
{
    private const int Half = 50;
    private const int Grid = 25;

    private readonly double[] _values;
    private readonly double[] _residuals;
    private readonly double[] _sigmas;
    private readonly double _wild;

    public CleanBehaviour(LifeModel model, LifeRendering clean)
    {
        _values = clean.Values;
        _residuals = [.. clean.Values.Select((value, row) => model.IsCounter ? 0 : value - clean.Means[row])];
        double[] sorted = [.. _values.Order()];
        (Min, Max) = (sorted[0], sorted[^1]);
        _sigmas = LocalSigmas(out double overall);

        // Most rows of states and of rare events differ from their neighbours by nothing: what does differ says how much is much.
        double range = Quantile(sorted, 0.99) - Quantile(sorted, 0.01), scatter = Math.Sqrt(_residuals.Average(residual => residual * residual));
        Floor = overall > 0 ? Math.Max(0.002 * range, 0.2 * overall) : Math.Max(0.02 * range, 0.5 * scatter);
        Floor = Math.Max(Floor, 1e-9 * Math.Max(1, Math.Abs(Max)));
        double[] excursions = [.. Enumerable.Range(2, _values.Length - 4).Select(row => Math.Abs(Excursion(_values, row)) / Sigma(row)).Order()];
        _wild = Quantile(excursions, 0.9997);
        LongestRun = Longest();
    }

    public double Min { get; }

    public double Max { get; }

    /// <summary>Rows for which it ever told the same value, other than its least and its greatest.</summary>
    public int LongestRun { get; }

    private double Floor { get; }

    /// <summary>A robust deviation around what the neighbours say, near a row.</summary>
    public double Sigma(int row) => Math.Max(Floor, _sigmas[Math.Min(row / Grid, _sigmas.Length - 1)]);

    /// <summary>What a spike is counted in: a sigma, and more where single rows go far by themselves.</summary>
    public double Unit(int row) => Sigma(row) * Math.Max(1, _wild / 4);

    /// <summary>How much the mean of so many rows differs from that of as many before: the greatest of twenty.</summary>
    public double Unsteadiness(int rows)
    {
        double[] means = [.. _residuals.Chunk(Math.Max(1, rows)).Select(block => block.Average())];
        double[] steps = [.. Enumerable.Range(1, Math.Max(0, means.Length - 1)).Select(i => Math.Abs(means[i] - means[i - 1])).Order()];
        return steps.Length == 0 ? 0 : Quantile(steps, 0.95);
    }

    /// <summary>Distance from the median of five rows around, itself among them.</summary>
    public static double Excursion(double[] values, int row)
    {
        Span<double> five = [values[row - 2], values[row - 1], values[row], values[row + 1], values[row + 2]];
        five.Sort();
        return values[row] - five[2];
    }

    /// <summary>Root mean square distance from the mean of both neighbours.</summary>
    public static double Roughness(double[] values, int first, int last)
    {
        double squares = 0;

        for (int row = first; row <= last; row++)
        {
            double distance = values[row] - (values[row - 1] + values[row + 1]) / 2;
            squares += distance * distance;
        }

        return Math.Sqrt(squares / (last - first + 1));
    }

    public static double Quantile(double[] sorted, double share) => sorted[(int)(share * (sorted.Length - 1))];

    /// <summary>One for every 25 rows, each of 101 rows; of white noise the distance to the mean of two has sqrt(1.5) sigmas.</summary>
    private double[] LocalSigmas(out double overall)
    {
        double[] distances = new double[_values.Length];

        for (int row = 1; row < _values.Length - 1; row++)
        {
            distances[row] = 1.4826 / Math.Sqrt(1.5) * Math.Abs(_values[row] - (_values[row - 1] + _values[row + 1]) / 2);
        }

        overall = Quantile([.. distances.Order()], 0.5);
        return [.. Enumerable.Range(0, _values.Length / Grid).Select(i =>
            Quantile([.. distances[Math.Max(0, i * Grid - Half)..Math.Min(distances.Length, i * Grid + Half + 1)].Order()], 0.5))];
    }

    private int Longest()
    {
        int longest = 1, run = 1;

        for (int row = 1; row < _values.Length; row++)
        {
            run = _values[row] == _values[row - 1] && _values[row] > Min && _values[row] < Max ? run + 1 : 1;
            longest = Math.Max(longest, run);
        }

        return longest;
    }
}
