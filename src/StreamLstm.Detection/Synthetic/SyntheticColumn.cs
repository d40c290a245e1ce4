namespace StreamLstm.Detection.Synthetic;

/// <summary>One column of a synthetic stream: a mixture of the stream's signals in a unit of its own.</summary>
internal sealed class SyntheticColumn
{
    /// <summary>Values that are kept, for the season that runs late.</summary>
    public const int Recalled = 256;

    private readonly double[] _loadings;
    private readonly double _level;
    private readonly double _scale;
    private readonly double _noise;
    private readonly double[] _past = new double[Recalled];
    private SeededRandom _random;

    /// <param name="options">The stream's.</param>
    /// <param name="signals">Signals it mixes.</param>
    /// <param name="random">Of the stream: columns are drawn one after the other.</param>
    public SyntheticColumn(SyntheticSeriesOptions options, int signals, ref SeededRandom random)
    {
        bool alone = options.Columns == 1;
        bool whole = alone && options.Kind is SyntheticKind.Counts or SyntheticKind.OnOff;
        _loadings = new double[signals];

        for (int signal = 0; signal < signals; signal++)
        {
            _loadings[signal] = alone ? 1 : Draw.Between(ref random, 0.5, 1.5) * (random.Next(2) == 0 ? -1 : 1);
        }

        _scale = whole ? 1 : Draw.Scale(ref random, 0.1, 100);
        _level = whole ? 0 : Draw.Between(ref random, -5, 5);
        _noise = alone ? 0 : Draw.Between(ref random, 0.02, 0.1);
        _random = new SeededRandom(random.NextUInt64());
    }

    /// <summary>Standard deviation of its values over the stream's first rows.</summary>
    public double Spread { get; set; }

    /// <summary>The clean value of the row before.</summary>
    public double Last { get; private set; }

    /// <summary>The clean value of this row.</summary>
    public double Next(long row, ReadOnlySpan<double> signals)
    {
        Last = row == 0 ? 0 : _past[(row - 1) % Recalled];
        return _past[row % Recalled] = Mix(signals) + _scale * _noise * Draw.Normal(ref _random);
    }

    /// <summary>What it shows for these signals, without noise of its own.</summary>
    public double Mix(ReadOnlySpan<double> signals)
    {
        double sum = _level;

        for (int signal = 0; signal < signals.Length; signal++)
        {
            sum += _loadings[signal] * signals[signal];
        }

        return _scale * sum;
    }

    /// <summary>The clean value of so many rows ago, 0 to 255.</summary>
    public double Ago(long row, int rows) => _past[(row - rows) % Recalled];
}
