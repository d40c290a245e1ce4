namespace StreamLstm.Detection.Synthetic;

/// <summary>What a synthetic stream looks like.</summary>
public sealed record SyntheticSeriesOptions
{
    /// <summary>Columns a stream may have at most.</summary>
    public const int ColumnsMax = 16;

    /// <summary>Faults in 1,000 rows at most.</summary>
    public const double FaultsMax = 10;

    /// <summary>How it moves.</summary>
    public SyntheticKind Kind { get; init; } = SyntheticKind.Seasonal;

    /// <summary>Values of a row, 1 to 16; several are mixtures of the same few signals.</summary>
    public int Columns { get; init; } = 1;

    /// <summary>Seed of everything: the same options give the same rows.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Faults to be expected in 1,000 rows, 0 to 10; 0 for a clean stream.</summary>
    public double FaultsPerThousandRows { get; init; }

    /// <summary>Rows at the beginning in which nothing is wrong, so that a detector can learn first; 256 or more, as a season that runs late needs them.</summary>
    public int CleanRows { get; init; } = 1000;
}

/// <summary>A seeded stream of one or several columns, with faults where they are asked for; any number of rows.</summary>
/// <remarks>
/// A row outside of all faults is bit for bit what it is in the same stream without faults: signals and faults draw from
/// different sources, and the signals go on unseen below a fault.
/// </remarks>
public sealed class SyntheticSeries
{
    /// <summary>Rows between two faults, at least.</summary>
    private const int Pause = 300;

    /// <summary>Rows on which a column's spread is measured.</summary>
    private const int SpreadRows = 2000;

    private readonly SyntheticSeriesOptions _options;
    private readonly Signal[] _signals;
    private readonly SyntheticColumn[] _columns;
    private readonly double[] _signalValues;
    private readonly FaultKind[] _kinds;
    private readonly List<SyntheticFault> _faults = [];
    private SeededRandom _faultChance;
    private ColumnFault? _fault;
    private long _quietUntil;

    /// <summary>A stream before its first row.</summary>
    /// <param name="options">What it looks like.</param>
    /// <exception cref="ArgumentOutOfRangeException">Columns, faults or clean rows are outside their range.</exception>
    public SyntheticSeries(SyntheticSeriesOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);

        if (options.Columns is < 1 or > SyntheticSeriesOptions.ColumnsMax)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Columns, $"columns, expected 1 to {SyntheticSeriesOptions.ColumnsMax}");
        }

        if (options.FaultsPerThousandRows is not (>= 0 and <= SyntheticSeriesOptions.FaultsMax))
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.FaultsPerThousandRows, $"faults per thousand rows, expected 0 to {SyntheticSeriesOptions.FaultsMax}");
        }

        if (options.CleanRows < SyntheticColumn.Recalled)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.CleanRows, $"clean rows, expected {SyntheticColumn.Recalled} or more");
        }

        _options = options;
        _faultChance = new SeededRandom(Seed(options.Seed, part: 0));
        _quietUntil = options.CleanRows;
        _kinds = Kinds(options);
        (_signals, _columns) = Build(options);
        _signalValues = new double[_signals.Length];
        MeasureSpreads();
    }

    /// <summary>Rows given so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Faults that have begun so far, in the order of their beginning; the last may end in rows to come.</summary>
    public IReadOnlyList<SyntheticFault> Faults => _faults;

    /// <summary>Writes the next row: (Columns).</summary>
    /// <exception cref="ArgumentException">It has another length than the stream has columns.</exception>
    public void Next(Span<double> row)
    {
        if (row.Length != _columns.Length)
        {
            throw new ArgumentException($"{row.Length} values, expected {_columns.Length}", nameof(row));
        }

        Advance(_signals, _columns, _signalValues, Rows, row);
        BeginOrEndFault();

        if (_fault is { } fault)
        {
            row[fault.Column] = fault.Apply(row[fault.Column], _columns[fault.Column], Rows, ref _faultChance);
        }

        Rows++;
    }

    private void BeginOrEndFault()
    {
        if (_fault is { } running && Rows >= running.End)
        {
            _fault = null;
            _quietUntil = Rows + Pause;
        }

        if (_fault is not null || Rows < _quietUntil || _faultChance.NextDouble() >= _options.FaultsPerThousandRows / 1000)
        {
            return;
        }

        int column = _faultChance.Next(_columns.Length);
        FaultKind kind = _kinds[_faultChance.Next(_kinds.Length)];
        _fault = new ColumnFault(kind, column, Rows, _columns[column].Last, _signals, ref _faultChance);
        _faults.Add(new SyntheticFault(kind, column, Rows, _fault.End));
    }

    /// <summary>Faults that change a stream of this kind: what it does by itself is none.</summary>
    private static FaultKind[] Kinds(SyntheticSeriesOptions options)
    {
        List<FaultKind> kinds = [FaultKind.Spike, FaultKind.LevelShift, FaultKind.Drift, FaultKind.Noise];

        // These stand still for long by themselves.
        if (options.Kind is not (SyntheticKind.OnOff or SyntheticKind.Bursts or SyntheticKind.Counts))
        {
            kinds.Add(FaultKind.Flatline);
        }

        if (Signal.HasPeriod(options.Kind))
        {
            kinds.Add(FaultKind.Phase);
        }

        // Where a column wanders without end, another one of its kind would be somewhere else at once.
        if (options.Columns > 1 && options.Kind is not (SyntheticKind.Trend or SyntheticKind.Drift))
        {
            kinds.Add(FaultKind.BrokenCorrelation);
        }

        return [.. kinds];
    }

    private static (Signal[] Signals, SyntheticColumn[] Columns) Build(SyntheticSeriesOptions options)
    {
        var random = new SeededRandom(Seed(options.Seed, part: 1));
        var signals = new Signal[options.Columns == 1 ? 1 : Math.Max(2, options.Columns / 3)];
        var columns = new SyntheticColumn[options.Columns];

        for (int signal = 0; signal < signals.Length; signal++)
        {
            // What moves together in one machine has one cycle.
            signals[signal] = new Signal(options.Kind, random.NextUInt64(), signal == 0 ? null : signals[0].Period);
        }

        for (int column = 0; column < columns.Length; column++)
        {
            columns[column] = new SyntheticColumn(options, signals.Length, ref random);
        }

        return (signals, columns);
    }

    private static void Advance(Signal[] signals, SyntheticColumn[] columns, double[] signalValues, long row, Span<double> values)
    {
        for (int signal = 0; signal < signals.Length; signal++)
        {
            signalValues[signal] = signals[signal].Next();
        }

        for (int column = 0; column < columns.Length; column++)
        {
            values[column] = columns[column].Next(row, signalValues);
        }
    }

    /// <summary>Runs the first rows of a stream that is the same, so that this one still stands before its first.</summary>
    private void MeasureSpreads()
    {
        (Signal[] signals, SyntheticColumn[] columns) = Build(_options);
        var values = new double[columns.Length];
        var means = new double[columns.Length];
        var squares = new double[columns.Length];

        for (int row = 0; row < SpreadRows; row++)
        {
            Advance(signals, columns, _signalValues, row, values);

            for (int column = 0; column < values.Length; column++)
            {
                double difference = values[column] - means[column];
                means[column] += difference / (row + 1);
                squares[column] += difference * (values[column] - means[column]);
            }
        }

        for (int column = 0; column < values.Length; column++)
        {
            // A switch that never moved has no spread of its own.
            _columns[column].Spread = squares[column] > 0 ? Math.Sqrt(squares[column] / SpreadRows) : 1;
        }
    }

    private static ulong Seed(ulong seed, ulong part)
    {
        var random = new SeededRandom(seed);
        return random.NextUInt64() + part * random.NextUInt64();
    }
}
