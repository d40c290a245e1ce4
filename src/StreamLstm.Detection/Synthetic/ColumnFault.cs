namespace StreamLstm.Detection.Synthetic;

/// <summary>A fault while it lasts.</summary>
internal sealed class ColumnFault
{
    private readonly double _size;
    private readonly double _held;
    private readonly int _period;
    private readonly Signal[] _twins;
    private readonly double[] _twinValues;

    /// <param name="kind">What it is.</param>
    /// <param name="column">The column's number.</param>
    /// <param name="start">The row that comes next.</param>
    /// <param name="last">The column's clean value before it.</param>
    /// <param name="signals">The stream's: a broken correlation follows others of their kind.</param>
    /// <param name="random">Where sizes and lengths come from.</param>
    public ColumnFault(FaultKind kind, int column, long start, double last, Signal[] signals, ref SeededRandom random)
    {
        Kind = kind;
        Column = column;
        Start = start;
        _held = last;
        _period = signals[0].Period;
        (double sizeMin, double sizeMax, int rowsMin, int rowsMax) = Range(kind, _period);
        _size = Draw.Between(ref random, sizeMin, sizeMax) * (random.Next(2) == 0 ? -1 : 1);
        End = start + rowsMin + random.Next(rowsMax - rowsMin + 1);
        _twins = [];

        if (kind == FaultKind.BrokenCorrelation)
        {
            _twins = new Signal[signals.Length];

            for (int signal = 0; signal < signals.Length; signal++)
            {
                _twins[signal] = new Signal(signals[signal].Kind, random.NextUInt64(), _period);
            }
        }

        _twinValues = new double[_twins.Length];
    }

    public FaultKind Kind { get; }

    public int Column { get; }

    public long Start { get; }

    /// <summary>The row after its last.</summary>
    public long End { get; }

    /// <summary>What the column shows in place of its clean value.</summary>
    public double Apply(double clean, SyntheticColumn column, long row, ref SeededRandom random)
    {
        switch (Kind)
        {
            case FaultKind.Spike or FaultKind.LevelShift:
                return clean + _size * column.Spread;
            case FaultKind.Flatline:
                return _held;
            case FaultKind.Noise:
                return clean + _size * column.Spread * Draw.Normal(ref random);
            case FaultKind.Drift:
                return clean + _size * column.Spread * (row - Start + 1) / (End - Start);
            case FaultKind.Phase:
                return column.Ago(row, _period / 2);
            default:
                for (int signal = 0; signal < _twins.Length; signal++)
                {
                    _twinValues[signal] = _twins[signal].Next();
                }

                return column.Mix(_twinValues);
        }
    }

    /// <summary>Sizes in spreads of the column, and lengths in rows.</summary>
    private static (double SizeMin, double SizeMax, int RowsMin, int RowsMax) Range(FaultKind kind, int period) => kind switch
    {
        FaultKind.Spike => (5, 12, 1, 3),
        FaultKind.LevelShift => (2.5, 6, 30, 200),
        FaultKind.Flatline => (0, 0, Math.Max(30, period), Math.Max(30, period) + 120),
        FaultKind.Noise => (2, 4, 30, 150),
        FaultKind.Drift => (3, 8, 100, 400),
        FaultKind.Phase => (0, 0, Math.Max(50, period), Math.Max(100, 2 * period)),
        _ => (0, 0, 60, 200),
    };
}
