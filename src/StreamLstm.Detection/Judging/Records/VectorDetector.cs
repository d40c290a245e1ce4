using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>Judges a stream whose rows hold D values by analogy: what followed when the stream last looked like this?</summary>
/// <remarks>
/// A row's window is its columns at lags 0 to 31. The mean of its 5 nearest windows among 1,000 of the past is the
/// forecast; how rare a column's distance from it is, smoothed, is the column's score, and J their mean over columns.
/// What is remembered enters 400 rows late, so that a fault does not teach its own score away; a column's score is the
/// mean of two, and the second takes only what is 1,000 rows old for known, so that a long fault does not either.
/// The first 400 rows enter at once; how far a normal row lies from its forecast is learned from them in a second
/// pass, which lets none be forecast from windows it shares rows with: so are the rows that come after judged.
/// State: about 20 KB a column for samples and delays, and 48 KB a column once 1,000 windows are remembered.
/// </remarks>
public sealed class VectorDetector
{
    /// <summary>Least number of values in a row.</summary>
    public const int ColumnsMin = 2;

    /// <summary>Greatest number of values in a row.</summary>
    public const int ColumnsMax = 128;

    /// <summary>J above which a row is abnormal, the same for every stream.</summary>
    public const double Threshold = 0.8;

    /// <summary>Rows before the first one that is given a score.</summary>
    internal const int LearningRows = ScoredFromRow;

    /// <summary>Rows after a gap in which a window still reaches over it.</summary>
    internal const int WindowRows = 32;

    private const int DelayRows = 400;
    private const int SlowDelayRows = 1000;
    private const int SlowHeldRows = SlowDelayRows + 1;
    private const int ScoredFromRow = DelayRows;
    private const int RecalledFromRow = ScoredFromRow / 2;
    private const int HeldRows = DelayRows + 32;
    private const double ValueMax = 1e12;
    private const int SmoothedRows = 10;
    private const float Smoothing = 1f / SmoothedRows;

    private static readonly int[] Lags = [0, 1, 3, 7, 15, 31];

    private readonly int _columns;
    private readonly int _scored;
    private readonly int _stride;
    private readonly ColumnScale[] _scales;
    private readonly ResidualTail[] _tails, _slowTails;
    private readonly WindowMemory _memory;
    private readonly double[] _origin;     // (D): the first value, taken off so that floats suffice; NaN before
    private readonly float[] _held;        // (HeldRows, D): the last rows, less the origin
    private readonly float[] _residuals;   // (HeldRows, scored): the last rows' smoothed residuals, NaN where missing or not to teach
    private readonly float[] _smoothed;    // (scored), of the recalled rows until rows are scored; NaN before the first
    private readonly float[] _slowResiduals;   // (SlowHeldRows, scored): the same of the old windows' residuals
    private readonly float[] _slowSmoothed;    // (scored)
    private readonly double[] _expected;   // (3, D): mean, least and greatest of the neighbours
    private readonly float[] _centre, _inverse, _window, _query;   // (stride)
    private readonly bool[] _teaches;      // (HeldRows): whether the last rows may be remembered
    private SeededRandom _random;
    private long _row;
    private long _teachesFrom;
    private bool _wasAbnormal;

    /// <summary>A detector that has seen nothing.</summary>
    /// <param name="columns">D, 2 to 128.</param>
    /// <param name="scoredColumns">How many of them, from the first, are scored; the others are context.</param>
    /// <param name="seed">Of what is remembered.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number of columns is not in its range.</exception>
    public VectorDetector(int columns, int scoredColumns, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, ColumnsMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(columns, ColumnsMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(scoredColumns, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(scoredColumns, columns);
        _columns = columns;
        _scored = scoredColumns;
        _stride = (columns * Lags.Length + 7) / 8 * 8;
        _random = new SeededRandom(seed);
        _scales = [.. Enumerable.Range(0, columns).Select(_ => new ColumnScale())];
        _tails = [.. Enumerable.Range(0, scoredColumns).Select(_ => new ResidualTail())];
        _slowTails = [.. Enumerable.Range(0, scoredColumns).Select(_ => new ResidualTail())];
        _memory = new WindowMemory(_stride);
        _origin = new double[columns];
        _held = new float[HeldRows * columns];
        _residuals = new float[HeldRows * scoredColumns];
        _smoothed = new float[scoredColumns];
        _slowResiduals = new float[SlowHeldRows * scoredColumns];
        _slowSmoothed = new float[scoredColumns];
        _expected = new double[3 * columns];
        _centre = new float[_stride];
        _inverse = new float[_stride];
        _window = new float[_stride];
        _query = new float[_stride];
        _teaches = new bool[HeldRows];
        _origin.AsSpan().Fill(double.NaN);
        _smoothed.AsSpan().Fill(float.NaN);
        _slowSmoothed.AsSpan().Fill(float.NaN);
    }

    /// <summary>Judges a row, then learns from it.</summary>
    /// <param name="values">(D), NaN where a value is missing.</param>
    /// <param name="attribution">(scored columns): shares of the score, summing to 1; all 0 where there is none.</param>
    /// <param name="learns">Whether the row may ever be remembered; where not, no window that holds it is.</param>
    public VectorVerdict Apply(ReadOnlySpan<double> values, Span<double> attribution, bool learns = true)
    {
        VectorVerdict verdict = Judge(values, attribution);
        Remember(learns);
        return verdict;
    }

    /// <summary>Judges a row, and learns nothing from it before <see cref="Remember"/>.</summary>
    /// <param name="values">(D), NaN where a value is missing.</param>
    /// <param name="attribution">(scored columns): shares of the score, summing to 1; all 0 where there is none.</param>
    internal VectorVerdict Judge(ReadOnlySpan<double> values, Span<double> attribution)
    {
        bool bad = Hold(values);
        RefreshScales();
        _expected.AsSpan().Fill(double.NaN);
        attribution.Clear();
        double? score = null;

        if (_row >= Lags[^1])
        {
            Window(_row, _window);
            WindowMemory.Express(_window, _centre, _inverse, _query);
            double total = Residuals(attribution);

            if (_row >= ScoredFromRow)
            {
                score = total;
            }
        }

        if (score is > 0)
        {
            double sum = 0;

            foreach (double share in attribution)
            {
                sum += share;
            }

            foreach (ref double share in attribution)
            {
                share /= sum;
            }
        }
        else
        {
            attribution.Clear();
        }

        bool abnormal = score > Threshold && _row >= DelayRows;
        bool opened = abnormal && !_wasAbnormal;
        _wasAbnormal = abnormal;
        return new VectorVerdict { Score = score, IsAbnormal = abnormal, IsAlert = opened, HasBadValue = bad };
    }

    /// <summary>Takes the row just judged into the memory.</summary>
    /// <param name="learns">Whether it may ever be remembered; where not, no window that holds it is.</param>
    internal void Remember(bool learns)
    {
        _teachesFrom = learns ? _teachesFrom : _row + WindowRows;
        _teaches[_row % HeldRows] = _row >= _teachesFrom;

        if (_row < _teachesFrom && _row >= ScoredFromRow)
        {
            ResidualsOf(_row, _residuals, HeldRows).Fill(float.NaN);
            ResidualsOf(_row, _slowResiduals, SlowHeldRows).Fill(float.NaN);
        }

        Learn();
        _row++;
    }

    /// <summary>Lets rows be remembered after all, as far as it is not their turn yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row remembered.</param>
    /// <param name="lastRowsAgo">The last of them.</param>
    internal void Allow(long firstRowsAgo, long lastRowsAgo)
    {
        for (long ago = Math.Max(1, lastRowsAgo); ago <= Math.Min(firstRowsAgo, Math.Min(_row, DelayRows)); ago++)
        {
            _teaches[(_row - ago) % HeldRows] = true;
        }

        _teachesFrom = lastRowsAgo <= 1 ? Math.Min(_teachesFrom, _row) : _teachesFrom;
    }

    /// <summary>What the last row's neighbours had in a column: their mean, least and greatest value; NaN where nothing is known.</summary>
    /// <param name="column">0 to D - 1.</param>
    public (double Mean, double Least, double Greatest) Expected(int column) =>
        (_expected[column], _expected[_columns + column], _expected[2 * _columns + column]);

    /// <summary>Puts what the row's nearest windows have, their mean, where the row has no value; nothing while nothing is known.</summary>
    /// <remarks>The row is the one that <see cref="Apply"/> is to be given next.</remarks>
    /// <param name="values">(D), NaN where a value is missing.</param>
    public void Impute(Span<double> values)
    {
        if (_row < Lags[^1])
        {
            return;
        }

        Hold(values);
        Window(_row, _window);
        WindowMemory.Express(_window, _centre, _inverse, _query);
        Span<int> nearest = stackalloc int[WindowMemory.Neighbours];
        nearest = nearest[.._memory.Nearest(_query, Lags.Length * _columns, nearest)];
        _expected.AsSpan().Fill(double.NaN);

        for (int column = 0; column < _columns; column++)
        {
            if (double.IsNaN(values[column]))
            {
                Expect(column, nearest);
                values[column] = _expected[column];
            }
        }
    }

    /// <summary>Keeps rows from being remembered, as far as they have not been yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row applied.</param>
    /// <param name="lastRowsAgo">The last of them.</param>
    public void Exclude(long firstRowsAgo, long lastRowsAgo)
    {
        for (long ago = Math.Max(1, lastRowsAgo); ago <= Math.Min(firstRowsAgo, Math.Min(_row, SlowHeldRows)); ago++)
        {
            long row = _row - ago;
            _slowResiduals.AsSpan((int)(row % SlowHeldRows) * _scored, _scored).Fill(float.NaN);

            if (ago <= HeldRows)
            {
                _residuals.AsSpan((int)(row % HeldRows) * _scored, _scored).Fill(float.NaN);
                _teaches[row % HeldRows] = false;
            }
        }
    }

    /// <summary>Writes the state.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(_columns);
        writer.Write(_scored);
        writer.Write(_row);
        writer.Write(_teachesFrom);
        writer.Write(_wasAbnormal);
        writer.Write(_random.State);
        writer.Write(MemoryMarshal.AsBytes(_teaches.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_origin.AsSpan()));

        foreach (float[] part in (float[][])[_held, _residuals, _smoothed, _slowResiduals, _slowSmoothed, _centre, _inverse])
        {
            writer.Write(MemoryMarshal.AsBytes(part.AsSpan()));
        }

        Array.ForEach(_scales, scale => scale.Save(writer));
        Array.ForEach(_tails, tail => tail.Save(writer));
        Array.ForEach(_slowTails, tail => tail.Save(writer));
        _memory.Save(writer);
    }

    /// <summary>Takes over a state that was written.</summary>
    /// <exception cref="InvalidDataException">It is another shape's, or damaged.</exception>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        (int columns, int scored) = (reader.ReadInt32(), reader.ReadInt32());

        if (columns != _columns || scored != _scored)
        {
            throw new InvalidDataException($"vector detector: {columns} columns, {scored} scored, expected {_columns} and {_scored}");
        }

        _row = reader.ReadInt64();
        _teachesFrom = reader.ReadInt64();
        _wasAbnormal = reader.ReadBoolean();
        _random = new SeededRandom(reader.ReadUInt64());
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_teaches.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_origin.AsSpan()));

        foreach (float[] part in (float[][])[_held, _residuals, _smoothed, _slowResiduals, _slowSmoothed, _centre, _inverse])
        {
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(part.AsSpan()));
        }

        Array.ForEach(_scales, scale => scale.Load(reader));
        Array.ForEach(_tails, tail => tail.Load(reader));
        Array.ForEach(_slowTails, tail => tail.Load(reader));
        _memory.Load(reader);
    }

    private bool Hold(ReadOnlySpan<double> values)
    {
        Span<float> row = Held(_row);
        bool bad = false;

        for (int column = 0; column < _columns; column++)
        {
            double value = values[column];

            if (Math.Abs(value) > ValueMax)
            {
                bad = true;
                value = double.NaN;
            }

            if (double.IsNaN(_origin[column]))
            {
                _origin[column] = value;
            }

            row[column] = (float)(value - _origin[column]);
        }

        return bad;
    }

    private Span<float> Held(long row) => _held.AsSpan((int)(row % HeldRows) * _columns, _columns);

    private void Window(long row, Span<float> window)
    {
        for (int lag = 0; lag < Lags.Length; lag++)
        {
            Held(row - Lags[lag]).CopyTo(window[(lag * _columns)..]);
        }
    }

    private void RefreshScales()
    {
        int every = _row < ScoredFromRow ? 8 : 64;

        if (_row % every == 0)
        {
            for (int column = 0; column < _columns; column++)
            {
                ColumnScale scale = _scales[column];
                scale.Refresh(every, _origin[column]);

                for (int lag = 0; lag < Lags.Length; lag++)
                {
                    _centre[lag * _columns + column] = (float)scale.Centre;
                    _inverse[lag * _columns + column] = (float)(1 / scale.Scale);
                }
            }

            _memory.Invalidate();
        }

        _memory.Refresh(_centre, _inverse);
    }

    /// <summary>Every column's residual, its rarity into <paramref name="scores"/>; gives their mean.</summary>
    /// <remarks>A missing value counts as unsuspicious, so that it never raises the mean.</remarks>
    private double Residuals(Span<double> scores)
    {
        Span<int> nearest = stackalloc int[WindowMemory.Neighbours];
        Span<int> old = stackalloc int[WindowMemory.Neighbours];
        (int found, int foundOld) = _memory.Nearest(_query, Lags.Length * _columns, nearest, old, _row - SlowDelayRows);
        nearest = nearest[..found];
        // Before, what is old enough is too little of the past to judge by.
        old = _row >= 2 * SlowDelayRows ? old[..foundOld] : nearest;
        bool differ = !old.SequenceEqual(nearest);
        int known = 0;
        double sum = 0;

        for (int column = 0; column < _columns; column++)
        {
            Expect(column, nearest);

            if (column >= _scored || _row < ScoredFromRow)
            {
                continue;
            }

            known += double.IsNaN(_origin[column]) ? 0 : 1;
            float residual = Residual(column, nearest);
            float kept = Smooth(ref _smoothed[column], residual);
            float slow = Smooth(ref _slowSmoothed[column], differ ? Residual(column, old) : residual);

            if (!float.IsNaN(kept))
            {
                scores[column] = (_tails[column].Score(kept) + _slowTails[column].Score(float.IsNaN(slow) ? kept : slow)) / 2;
                sum += scores[column];
            }

            _residuals[(int)(_row % HeldRows) * _scored + column] = kept;
            _slowResiduals[(int)(_row % SlowHeldRows) * _scored + column] = slow;
        }

        return known == 0 ? 0 : sum / known;
    }

    /// <summary>A residual smoothed over rows; NaN where there is none.</summary>
    private static float Smooth(ref float smoothed, float residual)
    {
        if (float.IsNaN(residual))
        {
            return float.NaN;
        }

        smoothed = float.IsNaN(smoothed) ? residual : smoothed + Smoothing * (residual - smoothed);
        return smoothed;
    }

    /// <summary>Mean over lags of |y - mean of the neighbours' y|; NaN where this row has no value or no neighbour has one.</summary>
    private float Residual(int column, ReadOnlySpan<int> nearest)
    {
        if (float.IsNaN(_query[column]))
        {
            return float.NaN;
        }

        float sum = 0;
        int lags = 0;

        for (int place = column; place < Lags.Length * _columns; place += _columns)
        {
            float mean = 0;
            int present = 0;

            foreach (int window in nearest)
            {
                float y = _memory.Scaled(window)[place];
                (mean, present) = float.IsNaN(y) ? (mean, present) : (mean + y, present + 1);
            }

            float difference = Math.Abs(_query[place] - mean / present);
            (sum, lags) = float.IsNaN(difference) ? (sum, lags) : (sum + difference, lags + 1);
        }

        return lags == 0 ? float.NaN : sum / lags;
    }

    private void Expect(int column, ReadOnlySpan<int> nearest)
    {
        double sum = 0, least = double.PositiveInfinity, greatest = double.NegativeInfinity;
        int present = 0;

        foreach (int window in nearest)
        {
            double y = _memory.Scaled(window)[column];

            if (!double.IsNaN(y))
            {
                sum += y;
                least = Math.Min(least, y);
                greatest = Math.Max(greatest, y);
                present++;
            }
        }

        if (present > 0)
        {
            _expected[column] = Value(column, sum / present);
            _expected[_columns + column] = Value(column, least);
            _expected[2 * _columns + column] = Value(column, greatest);
        }
    }

    private double Value(int column, double y) => _origin[column] + _scales[column].Centre + _scales[column].Scale * Math.Sinh(y);

    /// <summary>The first 400 rows at once, later ones 400 rows late.</summary>
    private void Learn()
    {
        if (_row < DelayRows)
        {
            Admit(_row);
            Recall();
        }
        else if (_row >= 2 * DelayRows)
        {
            Admit(_row - DelayRows);
        }

        if (_row >= 2 * SlowDelayRows)
        {
            Add(_slowTails, ResidualsOf(_row - SlowDelayRows, _slowResiduals, SlowHeldRows));
        }
    }

    /// <summary>Judges some of the first rows a second time, and takes their residuals for what is normal.</summary>
    /// <remarks>
    /// When they came, little was remembered, and most of it overlapped them. All are recalled while the second half of
    /// them comes, two a row, so that no row costs more than a later one does.
    /// </remarks>
    private void Recall()
    {
        Span<int> nearest = stackalloc int[WindowMemory.Neighbours];
        Span<int> old = stackalloc int[WindowMemory.Neighbours];
        int apart = Lags[^1] + SmoothedRows;   // a smoothed residual is of the rows before, too

        for (long row = RecalledBefore(_row); row < RecalledBefore(_row + 1); row++)
        {
            if (!_teaches[row % HeldRows])
            {
                continue;
            }

            Window(row, _window);
            WindowMemory.Express(_window, _centre, _inverse, _query);
            (int found, _) = _memory.Nearest(
                _query, Lags.Length * _columns, nearest, old, long.MinValue, row - apart, row + apart + 1);

            for (int column = 0; column < _scored; column++)
            {
                float kept = Smooth(ref _smoothed[column], Residual(column, nearest[..found]));
                _slowSmoothed[column] = _smoothed[column];

                if (!float.IsNaN(kept))
                {
                    _tails[column].Add(kept, ref _random);
                    _slowTails[column].Add(kept, ref _random);
                }
            }
        }
    }

    /// <summary>The first row not yet recalled when a row comes.</summary>
    private static long RecalledBefore(long row) =>
        Lags[^1] + (ScoredFromRow - Lags[^1]) * Math.Max(0, row - RecalledFromRow) / (ScoredFromRow - RecalledFromRow);

    private void Admit(long row)
    {
        if (!_teaches[row % HeldRows])
        {
            return;
        }

        Span<float> values = Held(row);

        for (int column = 0; column < _columns; column++)
        {
            if (!float.IsNaN(values[column]))
            {
                _scales[column].Add(values[column], ref _random);
            }
        }

        if (row < Lags[^1])
        {
            return;
        }

        if (row >= ScoredFromRow)
        {
            Span<float> residuals = ResidualsOf(row, _residuals, HeldRows);
            Add(_tails, residuals);

            // Until it has a past of its own, the slow tail has the fast one's.
            if (row < SlowDelayRows)
            {
                Add(_slowTails, residuals);
            }
        }

        Window(row, _window);
        _memory.Add(row, _window, _centre, _inverse, ref _random);
    }

    private Span<float> ResidualsOf(long row, float[] held, int rows) => held.AsSpan((int)(row % rows) * _scored, _scored);

    private void Add(ResidualTail[] tails, ReadOnlySpan<float> residuals)
    {
        for (int column = 0; column < residuals.Length; column++)
        {
            if (!float.IsNaN(residuals[column]))
            {
                tails[column].Add(residuals[column], ref _random);
            }
        }
    }
}
