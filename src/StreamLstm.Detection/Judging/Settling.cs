namespace StreamLstm.Detection.Judging;

/// <summary>Whether what is suspicious or abnormal has become steady: a new level or manner that stays, not a fault that goes on.</summary>
/// <remarks>
/// It has where the means of the last three blocks of 100 rows agree within three standard errors, taken from the means of
/// ten rows within them, which holds for what wanders as well as for noise; or where three windows of 30 rows in a row
/// came as forecast, 27 rows of each, and it does not go one way: the network then knows level, season and scatter, but it
/// forecasts each row of a slow drift from the row before. It takes room only while such rows come.
/// </remarks>
internal sealed class Settling
{
    private const int PartRows = 10;
    private const int BlockParts = 10;
    private const int WindowParts = 3;
    private const int Parts = 3 * BlockParts;

    /// <summary>Rows of a window that may lie beside a 98 % band; 0.6 are to be expected.</summary>
    private const int OutsideMax = 3;

    /// <summary>Windows as forecast that settle it.</summary>
    private const int ForecastWindows = 3;

    /// <summary>Standard errors by which two means may differ.</summary>
    private const double ErrorsMax = 3;

    private double[] _parts = [];   // (Parts, D): means of ten rows, the oldest overwritten
    private double[] _sums = [];    // (D)
    private int[] _counts = [];     // (D): values that were there
    private long _completed;
    private int _rows;
    private int _outside;
    private int _asForecast;

    /// <summary>Whether it has settled.</summary>
    public bool IsSettled => (_asForecast >= ForecastWindows && !IsMoving) || (Agree(0, 1, BlockParts) && Agree(1, 2, BlockParts) && Agree(0, 2, BlockParts));

    /// <summary>
    /// Whether it goes one way, as a drift does: the last third of up to 300 rows lies beyond the first by more than chance has it, and the
    /// one between them between them. Asked of single values alone, as of many columns one always does.
    /// </summary>
    public bool IsMoving
    {
        get
        {
            int third = (int)Math.Min(BlockParts, _completed / 3);

            if (_sums.Length != 1 || third < WindowParts)
            {
                return false;
            }

            double first = Mean(2, third, 0).Mean, middle = Mean(1, third, 0).Mean, last = Mean(0, third, 0).Mean;
            return (middle - first) * (last - middle) > 0 && !Agree(0, 2, third);
        }
    }

    /// <summary>Windows of 30 rows in a row that came as forecast or as the window before.</summary>
    public int StableWindows { get; private set; }

    /// <summary>Takes a row; begins anew where it is an ordinary one.</summary>
    /// <param name="values">(D), NaN where a value is missing.</param>
    /// <param name="isOrdinary">Whether it is neither suspicious nor abnormal.</param>
    /// <param name="isAsForecast">Whether it came where it was forecast.</param>
    public void Observe(ReadOnlySpan<double> values, bool isOrdinary, bool isAsForecast)
    {
        if (isOrdinary)
        {
            (_parts, _sums, _counts, _completed, _rows, _outside, _asForecast, StableWindows) = ([], [], [], 0, 0, 0, 0, 0);
            return;
        }

        if (_sums.Length != values.Length)
        {
            (_parts, _sums, _counts) = (new double[Parts * values.Length], new double[values.Length], new int[values.Length]);
        }

        _outside += isAsForecast ? 0 : 1;

        for (int column = 0; column < values.Length; column++)
        {
            if (!double.IsNaN(values[column]))
            {
                _sums[column] += values[column];
                _counts[column]++;
            }
        }

        if (++_rows < PartRows)
        {
            return;
        }

        for (int column = 0; column < _sums.Length; column++)
        {
            _parts[(int)(_completed % Parts) * _sums.Length + column] = _sums[column] / _counts[column];
        }

        Array.Clear(_sums);
        Array.Clear(_counts);
        _rows = 0;

        if (++_completed % WindowParts == 0)
        {
            bool isForecast = _outside <= OutsideMax;
            _asForecast = isForecast ? _asForecast + 1 : 0;
            StableWindows = isForecast || Agree(0, 1, WindowParts) ? StableWindows + 1 : 0;
            _outside = 0;
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_sums.Length);
        writer.Write(_completed);

        foreach (int number in (ReadOnlySpan<int>)[_rows, _outside, _asForecast, StableWindows, .. _counts])
        {
            writer.Write(number);
        }

        foreach (double number in (IEnumerable<double>)[.. _parts, .. _sums])
        {
            writer.Write(number);
        }
    }

    public void Load(BinaryReader reader)
    {
        int columns = reader.ReadInt32();

        if (columns is < 0 or > Records.VectorOptions.ColumnsMax)
        {
            throw new InvalidDataException($"settling: {columns} values, expected 0 to {Records.VectorOptions.ColumnsMax}");
        }

        _completed = reader.ReadInt64();
        _rows = reader.ReadInt32();
        _outside = reader.ReadInt32();
        _asForecast = reader.ReadInt32();
        StableWindows = reader.ReadInt32();
        (_parts, _sums, _counts) = (new double[Parts * columns], new double[columns], new int[columns]);

        for (int i = 0; i < columns; i++)
        {
            _counts[i] = reader.ReadInt32();
        }

        foreach (double[] numbers in (double[][])[_parts, _sums])
        {
            for (int i = 0; i < numbers.Length; i++)
            {
                numbers[i] = reader.ReadDouble();
            }
        }
    }

    /// <summary>Whether two spans of so many parts agree in every value; 0 is the newest. Where there are not so many yet they do not.</summary>
    private bool Agree(int one, int other, int parts)
    {
        bool agree = _completed >= (long)(Math.Max(one, other) + 1) * parts;

        for (int column = 0; column < _sums.Length && agree; column++)
        {
            (double mean, double error) = Mean(one, parts, column);
            (double otherMean, double otherError) = Mean(other, parts, column);
            double rounding = 1e-9 * (Math.Abs(mean) + Math.Abs(otherMean));

            // A column that has no values agrees with itself.
            agree = !(Math.Abs(mean - otherMean) > ErrorsMax * Math.Sqrt(error + otherError) + rounding);
        }

        return agree;
    }

    /// <summary>The mean of a span and its variance.</summary>
    private (double Mean, double Error) Mean(int span, int parts, int column)
    {
        double sum = 0, squares = 0;

        for (int part = 1; part <= parts; part++)
        {
            double value = _parts[(int)((_completed - span * parts - part) % Parts) * _sums.Length + column];
            sum += value;
            squares += value * value;
        }

        double mean = sum / parts;
        return (mean, Math.Max(0, squares / parts - mean * mean) / (parts - 1));
    }
}
