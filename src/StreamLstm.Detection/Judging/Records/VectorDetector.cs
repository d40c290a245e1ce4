using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>Judges a stream whose rows hold D values by analogy: what was normal operation when it looked like this?</summary>
/// <remarks>
/// A row's window is its columns at lags 0 to 31. The mean of its 5 nearest windows among those of normal operation is what
/// was to be expected. A column's distance from it, over the window and smoothed, and that of its last value alone, are each
/// as rare as the tail of such distances says (-log10); their mean, the window counting twice, is the column's rarity, and
/// the root of the mean of its squares over columns the score: neither one column far out nor many a little is lost in it.
/// Judging learns nothing. Normal rows enter memory, scales and tails 400 rows later, unless an incident began within the
/// reach of a window after them; rows of an incident, and those whose windows still hold some, do not. They are remembered
/// apart: when they have lasted for a quarter of the stream's normal life and are like each other, they have settled, and
/// <see cref="Accept"/> takes them for a new manner: its last rows are learnt as the first ones of the stream were. Windows
/// of before stay.
/// The first rows enter at once; how far a normal row lies from its expectation is learnt from them in a second pass, which
/// lets none be expected from windows it shares rows with: so are the rows that come after judged.
/// State: about 21 KB a column for samples and the rows held, and 48 KB a column once all windows are remembered.
/// </remarks>
internal sealed class VectorDetector
{
    /// <summary>Rows before the first one that is given a score: those recalled make the blocks from which evidence can be told.</summary>
    public const int LearningRows = WindowRows + ((CleanTail.BlocksMin + 1) * CleanTail.BlockRows);

    /// <summary>Rows after a gap in which a window still reaches over it.</summary>
    public const int WindowRows = 32;

    /// <summary>Rows for which a normal one waits: the first ones of a fault that grows slowly are not known as such at once.</summary>
    private const int WaitingRows = 400;

    /// <summary>Rows that say something of a row: a window, and what smoothing adds to it.</summary>
    private const int ReachRows = WindowRows + SmoothedRows;

    private const int RecalledPerRow = 2;

    /// <summary>Rows held: those of a new manner, and those that come while it is recalled.</summary>
    private const int HeldRows = LearningRows + (LearningRows / RecalledPerRow) + WindowRows;
    private const int Windows = 896;
    private const int IncidentWindows = 96;

    /// <summary>Share of its normal life that a new manner must have lasted, and the most rows asked for, by which memory forgets too.</summary>
    private const double LastingShare = 0.25;
    private const double LastingMax = 3000;

    /// <summary>Rows of a window of an incident, and those of it that are like its earlier ones where it is stable.</summary>
    private const int StableRows = 30;
    private const int AlikeRows = 27;

    /// <summary>What a window's residual counts of a column's rarity; the rest is the last value's.</summary>
    private const double WindowShare = 2.0 / 3;

    private const int SmoothedRows = 10;
    private const float Smoothing = 1f / SmoothedRows;

    private static readonly int[] Lags = [0, 1, 3, 7, 15, 31];

    private readonly int _columns;
    private readonly int _scored;
    private readonly int _stride;
    private readonly ColumnScale[] _scales;
    private readonly ResidualTail[] _tails;    // (2, scored): of the window's residuals, then of the last values'
    private readonly WindowMemory _memory;
    private readonly WindowMemory _incident;   // windows of what is kept from teaching
    private readonly double[] _origin;         // (D): the first value, taken off so that floats suffice; NaN before
    private readonly float[] _held;            // (HeldRows, D): the last rows, less the origin
    private readonly float[] _residuals;       // (HeldRows, 2, scored): their smoothed residuals and their last values', NaN where not known
    private readonly Lesson[] _lessons;        // (HeldRows)
    private readonly float[] _smoothed;        // (scored); NaN before the first
    private readonly float[] _incidentSmoothed;    // (scored): the same of distances from what the incident showed, too
    private readonly float[] _recalled;        // (scored): the same of the rows judged a second time
    private readonly double[] _expected;       // (3, D): mean, least and greatest of the neighbours
    private readonly float[] _centre, _inverse, _window, _query;   // (stride)
    private readonly float[] _judged, _judgedIncident;             // (2, scored): the judged row's residuals
    private SeededRandom _random;
    private long _row;
    private long _taught;            // rows that entered, since the last acceptance
    private long _cleanFrom;         // the first row whose window holds none that does not teach
    private long _incidentRows;      // rows of the present incident, and of what is within reach of it
    private long _ripeFrom = LearningRows;     // rows before have entered, or never will
    private long _recallNext = WindowRows - 1, _recallEnd = LearningRows;  // rows to be judged a second time
    private double _settled;         // share of the incident's late rows that are like its earlier ones
    private bool _isLikeIncident;
    private int _alikeRows;                  // of the last rows of the incident's present window

    /// <summary>A detector that has seen nothing.</summary>
    /// <param name="columns">D.</param>
    /// <param name="scoredColumns">How many of them, from the first, are scored; the others are context.</param>
    /// <param name="seed">Of what is remembered.</param>
    public VectorDetector(int columns, int scoredColumns, ulong seed)
    {
        _columns = columns;
        _scored = scoredColumns;
        _stride = (columns * Lags.Length + 7) / 8 * 8;
        _random = new SeededRandom(seed);
        _scales = [.. Enumerable.Range(0, columns).Select(_ => new ColumnScale())];
        _tails = [.. Enumerable.Range(0, 2 * scoredColumns).Select(_ => new ResidualTail())];
        _memory = new WindowMemory(_stride, Windows);
        _incident = new WindowMemory(_stride, IncidentWindows);
        _origin = new double[columns];
        _held = new float[HeldRows * columns];
        _residuals = new float[HeldRows * 2 * scoredColumns];
        _lessons = new Lesson[HeldRows];
        _smoothed = new float[scoredColumns];
        _incidentSmoothed = new float[scoredColumns];
        _recalled = new float[scoredColumns];
        _expected = new double[3 * columns];
        _centre = new float[_stride];
        _inverse = new float[_stride];
        _window = new float[_stride];
        _query = new float[_stride];
        _judged = new float[2 * scoredColumns];
        _judgedIncident = new float[2 * scoredColumns];
        Array.ForEach((float[][])[_smoothed, _incidentSmoothed, _recalled], part => part.AsSpan().Fill(float.NaN));
        _origin.AsSpan().Fill(double.NaN);
    }

    /// <summary>Whether a new manner is accepted of which there are too few rows yet to learn it.</summary>
    public bool IsAccepting { get; private set; }

    /// <summary>Whether the row remembered last ended the second pass over the first rows of a manner: <see cref="Recalled"/> has them.</summary>
    public bool HasRecalled { get; private set; }

    /// <summary>Whether what is kept from teaching has lasted, and is like itself.</summary>
    public bool HasSettled => _incidentRows >= LastingRows && _settled > 0.5;

    /// <summary>Windows of 30 rows in a row, kept from teaching, that were like those before.</summary>
    public int StableWindows { get; private set; }

    /// <summary>Rarity of the column that is rarest in the row judged last.</summary>
    public double Strongest { get; private set; }

    /// <summary>Rows that a new manner must last before it may be accepted for that.</summary>
    private double LastingRows => Math.Clamp(LastingShare * _taught, LearningRows, LastingMax);

    /// <summary>Judges a row and learns nothing from it; <see cref="Remember"/> is to follow.</summary>
    /// <param name="values">(D), NaN where a value is missing.</param>
    /// <param name="attribution">(scored columns): shares of the score, summing to 1; all 0 where there is none.</param>
    /// <returns>The score; null where nothing is known.</returns>
    public double? Judge(ReadOnlySpan<double> values, Span<double> attribution)
    {
        Hold(values);
        _expected.AsSpan().Fill(double.NaN);
        _judged.AsSpan().Fill(float.NaN);
        attribution.Clear();

        if (_row < Lags[^1])
        {
            return null;
        }

        Span<int> nearest = stackalloc int[WindowMemory.Neighbours];
        nearest = nearest[..Find(_row, nearest)];

        for (int column = 0; column < _columns; column++)
        {
            Expect(column, nearest);
        }

        if (_row < LearningRows)
        {
            return null;
        }

        Measure(_memory, nearest, _smoothed, _judged);
        _isLikeIncident = IsLikeIncident();
        return _recallNext < _recallEnd ? null : Rate(_judged, attribution);
    }

    /// <summary>Takes the row just judged into the memory, as far as it may teach.</summary>
    public void Remember(Lesson lesson)
    {
        Note(lesson);

        if (_row < LearningRows)
        {
            Admit(_row, isFirst: true);
        }
        else if (_row - WaitingRows >= _ripeFrom)
        {
            Admit(_row - WaitingRows, isFirst: false);
        }

        _row++;
        int every = _row < LearningRows ? 8 : 64;

        if (_row % every == 0)
        {
            RefreshScales(every);
        }

        _memory.Refresh(_centre, _inverse);
        _incident.Refresh(_centre, _inverse);

        if (IsAccepting)
        {
            Accept();
        }

        Recall();
    }

    /// <summary>Score and rarest column of a manner's first rows, judged a second time: what to expect of rows that come.</summary>
    public IEnumerable<(double Score, double Strongest)> Recalled()
    {
        var shares = new double[_scored];

        for (long row = Math.Max(Lags[^1], _recallEnd - LearningRows); row < _recallEnd; row++)
        {
            if (_lessons[row % HeldRows] != Lesson.Normal)
            {
                continue;
            }

            double score = Rate(ResidualsOf(row), shares);
            yield return (score, Strongest);
        }
    }

    /// <summary>Takes what is kept from teaching for normal operation too, as soon as there is as much of it as a stream begins with.</summary>
    public void Accept()
    {
        IsAccepting = _incidentRows < LearningRows;

        if (IsAccepting)
        {
            return;
        }

        // Where the new manner lies elsewhere, nothing in it could be seen on scales of before, or of both: as much is known as of a young stream.
        _taught = 0;
        Array.ForEach(_scales, scale => scale.Clear());
        Array.ForEach(_tails, tail => tail.Clear());
        _recalled.AsSpan().Fill(float.NaN);
        (_recallNext, _recallEnd) = (_row - LearningRows, _row);

        for (long row = _row - LearningRows; row < _row; row++)
        {
            ref Lesson lesson = ref _lessons[row % HeldRows];
            lesson = lesson == Lesson.Abnormal ? Lesson.Normal : lesson;
            Admit(row, isFirst: true);
        }

        _ripeFrom = _cleanFrom = _row;
        EndIncident();
        RefreshScales(1);
    }

    /// <summary>What the last row's neighbours had in a column: their mean, least and greatest value; NaN where nothing is known.</summary>
    /// <param name="column">0 to D - 1.</param>
    public (double Mean, double Least, double Greatest) Expected(int column) =>
        (_expected[column], _expected[_columns + column], _expected[2 * _columns + column]);

    /// <summary>Puts what the row's nearest windows have, their mean, where the row has no value; nothing while nothing is known.</summary>
    /// <remarks>The row is the one that <see cref="Judge"/> is to be given next.</remarks>
    /// <param name="values">(D), NaN where a value is missing.</param>
    public void Impute(Span<double> values)
    {
        if (_row < Lags[^1])
        {
            return;
        }

        Hold(values);
        Span<int> nearest = stackalloc int[WindowMemory.Neighbours];
        nearest = nearest[..Find(_row, nearest)];
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

    /// <summary>Keeps rows from teaching, and those whose windows hold them, as far as they have not taught yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row remembered.</param>
    /// <param name="endRowsAgo">The first one after them.</param>
    public void Spare(long firstRowsAgo, long endRowsAgo)
    {
        long end = _row - endRowsAgo + ReachRows;

        for (long row = Math.Max(_ripeFrom, _row - Math.Min(firstRowsAgo, WaitingRows)); row < Math.Min(_row, end); row++)
        {
            _lessons[row % HeldRows] = Lesson.Abnormal;
        }

        _cleanFrom = Math.Max(_cleanFrom, end);
    }

    /// <summary>Writes the state.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(_columns);
        writer.Write(_scored);
        Array.ForEach((long[])[_row, _taught, _cleanFrom, _incidentRows, _ripeFrom, _recallNext, _recallEnd], writer.Write);
        writer.Write(_settled);
        writer.Write(IsAccepting);
        writer.Write(_alikeRows);
        writer.Write(StableWindows);
        writer.Write(_random.State);
        writer.Write(MemoryMarshal.AsBytes(_lessons.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_origin.AsSpan()));

        foreach (float[] part in Floats())
        {
            writer.Write(MemoryMarshal.AsBytes(part.AsSpan()));
        }

        Array.ForEach(_scales, scale => scale.Save(writer));
        Array.ForEach(_tails, tail => tail.Save(writer));
        _memory.Save(writer);
        _incident.Save(writer);
    }

    /// <summary>Takes over a state that was written.</summary>
    /// <exception cref="InvalidDataException">It is another shape's, or damaged.</exception>
    public void Load(BinaryReader reader)
    {
        (int columns, int scored) = (reader.ReadInt32(), reader.ReadInt32());

        if (columns != _columns || scored != _scored)
        {
            throw new InvalidDataException($"vector detector: {columns} columns, {scored} scored, expected {_columns} and {_scored}");
        }

        (_row, _taught, _cleanFrom, _incidentRows) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        (_ripeFrom, _recallNext, _recallEnd) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        _settled = reader.ReadDouble();
        IsAccepting = reader.ReadBoolean();
        _alikeRows = reader.ReadInt32();
        StableWindows = reader.ReadInt32();
        _random = new SeededRandom(reader.ReadUInt64());
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_lessons.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_origin.AsSpan()));

        foreach (float[] part in Floats())
        {
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(part.AsSpan()));
        }

        Array.ForEach(_scales, scale => scale.Load(reader));
        Array.ForEach(_tails, tail => tail.Load(reader));
        _memory.Load(reader);
        _incident.Load(reader);
    }

    private float[][] Floats() => [_held, _residuals, _smoothed, _incidentSmoothed, _recalled, _centre, _inverse];

    private void Hold(ReadOnlySpan<double> values)
    {
        Span<float> row = Held(_row);

        for (int column = 0; column < _columns; column++)
        {
            _origin[column] = double.IsNaN(_origin[column]) ? values[column] : _origin[column];
            row[column] = (float)(values[column] - _origin[column]);
        }
    }

    private Span<float> Held(long row) => _held.AsSpan((int)(row % HeldRows) * _columns, _columns);

    private void Window(long row, Span<float> window)
    {
        for (int lag = 0; lag < Lags.Length; lag++)
        {
            Held(row - Lags[lag]).CopyTo(window[(lag * _columns)..]);
        }
    }

    /// <summary>Finds the windows of normal operation that are nearest to a row's, which stays in <see cref="_query"/>.</summary>
    private int Find(long row, Span<int> nearest, long skipFrom = 0, long skipTo = 0)
    {
        Window(row, _window);
        WindowMemory.Express(_window, _centre, _inverse, _query);
        return _memory.Nearest(_query, Lags.Length * _columns, nearest, skipFrom, skipTo);
    }

    private void RefreshScales(int rows)
    {
        for (int column = 0; column < _columns; column++)
        {
            ColumnScale scale = _scales[column];
            scale.Refresh(rows, _origin[column]);

            for (int lag = 0; lag < Lags.Length; lag++)
            {
                _centre[lag * _columns + column] = (float)scale.Centre;
                _inverse[lag * _columns + column] = (float)(1 / scale.Scale);
            }
        }

        _memory.Invalidate();
        _incident.Invalidate();
    }

    /// <summary>How far the row lies from some windows: (scored) smoothed, then (scored) of the last values alone.</summary>
    private void Measure(WindowMemory memory, ReadOnlySpan<int> nearest, ReadOnlySpan<float> smoothed, Span<float> residuals)
    {
        for (int column = 0; column < _scored; column++)
        {
            float residual = Residual(memory, column, nearest, out float last);
            residuals[column] = float.IsNaN(smoothed[column]) ? residual : smoothed[column] + Smoothing * (residual - smoothed[column]);
            residuals[_scored + column] = last;
        }
    }

    /// <summary>The score of such residuals, and what part of its square each column has.</summary>
    /// <remarks>A missing value counts as unsuspicious, so that it never raises the score.</remarks>
    private double Rate(ReadOnlySpan<float> residuals, Span<double> shares)
    {
        int known = 0;
        double sum = 0;
        Strongest = 0;

        for (int column = 0; column < _scored; column++)
        {
            known += double.IsNaN(_origin[column]) ? 0 : 1;
            double rarity = float.IsNaN(residuals[column])
                ? 0
                : WindowShare * _tails[column].Score(residuals[column]) + (1 - WindowShare) * _tails[_scored + column].Score(residuals[_scored + column]);
            Strongest = Math.Max(Strongest, rarity);
            shares[column] = rarity * rarity;
            sum += shares[column];
        }

        if (sum == 0)
        {
            shares.Clear();
            return 0;
        }

        foreach (ref double share in shares)
        {
            share /= sum;
        }

        return Math.Sqrt(sum / known);
    }

    /// <summary>Whether the row would be normal if what the present incident has shown were.</summary>
    private bool IsLikeIncident()
    {
        Span<int> nearest = stackalloc int[WindowMemory.Neighbours];
        int found = _incident.Nearest(_query, Lags.Length * _columns, nearest);
        _judgedIncident.AsSpan().Fill(float.NaN);

        if (found < WindowMemory.Neighbours)
        {
            return false;
        }

        Measure(_incident, nearest, _incidentSmoothed, _judgedIncident);
        Span<float> nearer = stackalloc float[2 * _scored];

        for (int i = 0; i < nearer.Length; i++)
        {
            nearer[i] = Math.Min(_judged[i], _judgedIncident[i]);
        }

        Span<double> shares = stackalloc double[_scored];
        double strongest = Strongest, score = Rate(nearer, shares);
        Strongest = strongest;
        return score <= VectorOptions.Threshold;
    }

    /// <summary>Mean over lags of |y - mean of the neighbours' y|, and the same of the last value; NaN where there is none, or no neighbour has one.</summary>
    private float Residual(WindowMemory memory, int column, ReadOnlySpan<int> nearest, out float last)
    {
        last = float.NaN;

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
                float y = memory.Scaled(window)[place];
                (mean, present) = float.IsNaN(y) ? (mean, present) : (mean + y, present + 1);
            }

            float difference = Math.Abs(_query[place] - mean / present);
            last = place == column ? difference : last;
            (sum, lags) = float.IsNaN(difference) ? (sum, lags) : (sum + difference, lags + 1);
        }

        return lags == 0 || float.IsNaN(last) ? float.NaN : sum / lags;
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

    /// <summary>Remembers what was found of the row, and what it may teach.</summary>
    private void Note(Lesson lesson)
    {
        int scored = _row >= LearningRows ? _scored : 0;
        Commit(_judged.AsSpan(0, scored), _smoothed);
        Commit(_judgedIncident.AsSpan(0, scored), _incidentSmoothed);
        _judged.CopyTo(ResidualsOf(_row));

        bool isKept = lesson is Lesson.Suspicious or Lesson.Abnormal || (IsAccepting && lesson == Lesson.Normal);

        if (isKept && _row >= LearningRows)
        {
            // What came just before may be the fault's beginning.
            for (long row = Math.Max(_ripeFrom, _row - ReachRows); row < _row; row++)
            {
                ref Lesson before = ref _lessons[row % HeldRows];
                _incidentRows += before == Lesson.Normal ? 1 : 0;
                before = before == Lesson.Normal ? Lesson.Abnormal : before;
            }
        }

        bool isClean = lesson == Lesson.Normal && !isKept && _row >= _cleanFrom;
        _cleanFrom = isKept || lesson == Lesson.Frozen ? _row + 1 + ReachRows : _cleanFrom;
        bool isIncident = _row >= LearningRows && lesson != Lesson.Frozen && (isKept || (!isClean && _incidentRows > 0));
        _lessons[_row % HeldRows] = isClean ? Lesson.Normal : isIncident ? Lesson.Abnormal : Lesson.Frozen;

        if (!isIncident)
        {
            EndIncident();
            return;
        }

        _incidentRows++;
        _settled += ((_isLikeIncident ? 1 : 0) - _settled) * 4 / LastingRows;
        _alikeRows += _isLikeIncident ? 1 : 0;

        if (_incidentRows % StableRows == 0)
        {
            StableWindows = _alikeRows >= AlikeRows ? StableWindows + 1 : 0;
            _alikeRows = 0;
        }

        long apart = _row - ReachRows;

        if (_incidentRows > ReachRows && _lessons[apart % HeldRows] == Lesson.Abnormal)
        {
            Window(apart, _window);
            _incident.Add(apart, _window, _centre, _inverse, double.PositiveInfinity, ref _random);
        }
    }

    private void EndIncident()
    {
        if (_incidentRows == 0)
        {
            return;
        }

        _incident.Clear();
        _incidentSmoothed.AsSpan().Fill(float.NaN);
        _incidentRows = 0;
        _settled = 0;
        IsAccepting = false;
        _alikeRows = StableWindows = 0;
    }

    private static void Commit(ReadOnlySpan<float> judged, Span<float> smoothed)
    {
        for (int column = 0; column < judged.Length; column++)
        {
            smoothed[column] = float.IsNaN(judged[column]) ? smoothed[column] : judged[column];
        }
    }

    /// <summary>Judges some of the rows that entered at once a second time, and takes their residuals for what is normal.</summary>
    /// <remarks>
    /// When they came, little like them was remembered, and most of it overlapped them. Two a row, so that no row costs more
    /// than a few; the stream's first ones while the second half of them comes.
    /// </remarks>
    private void Recall()
    {
        HasRecalled = false;

        if (_recallNext == _recallEnd || (_row < LearningRows ? _row <= LearningRows / 2 : !_memory.IsFresh))
        {
            return;
        }

        Span<int> nearest = stackalloc int[WindowMemory.Neighbours];

        for (long end = Math.Min(Math.Min(_row, _recallEnd), _recallNext + RecalledPerRow); _recallNext < end; _recallNext++)
        {
            if (_lessons[_recallNext % HeldRows] != Lesson.Normal)
            {
                continue;
            }

            int found = Find(_recallNext, nearest, _recallNext - ReachRows, _recallNext + ReachRows + 1);
            Measure(_memory, nearest[..found], _recalled, _judged);
            Commit(_judged.AsSpan(0, _scored), _recalled);
            _judged.CopyTo(ResidualsOf(_recallNext));
            Add(_judged);

            if (_recallNext == LearningRows - 1)
            {
                _recalled.CopyTo(_smoothed, 0);
            }
        }

        HasRecalled = _recallNext == _recallEnd;
    }

    /// <summary>Lets a row enter what is known; one of the first of a manner in any case, and its residuals once it is recalled.</summary>
    private void Admit(long row, bool isFirst)
    {
        if (_lessons[row % HeldRows] != Lesson.Normal)
        {
            return;
        }

        _taught++;
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

        if (!isFirst)
        {
            Add(ResidualsOf(row));
        }

        Window(row, _window);
        _memory.Add(row, _window, _centre, _inverse, isFirst ? 0 : LastingMax, ref _random);
    }

    private Span<float> ResidualsOf(long row) => _residuals.AsSpan((int)(row % HeldRows) * 2 * _scored, 2 * _scored);

    private void Add(ReadOnlySpan<float> residuals)
    {
        for (int tail = 0; tail < residuals.Length; tail++)
        {
            if (!float.IsNaN(residuals[tail]))
            {
                _tails[tail].Add(residuals[tail], ref _random);
            }
        }
    }
}
