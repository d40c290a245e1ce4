using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>Judges records, whose values are looked at together: by analogy with the stream's past.</summary>
/// <remarks>
/// What that is worth as evidence is <see cref="JointEvidence"/>'s to say. What each column was expected to be is said
/// before the record comes (<see cref="JointForecaster"/>), and decides nothing.
/// </remarks>
internal sealed class RecordJudge : IJudge
{
    /// <summary>Scored rows before the stream may alert: what was recalled is not yet all that will be usual.</summary>
    private const int CalibrationRows = 5 * CleanTail.BlockRows;

    /// <summary>Columns an explanation names at most.</summary>
    private const int ExplainedMax = 3;

    /// <summary>Share below which a column is not worth naming.</summary>
    private const double ExplainedShare = 0.1;

    /// <summary>Decades of blocks of clean rows between two alerts: some 12,000 rows.</summary>
    private const double LeastEvidence = 2.6;

    private readonly DetectionOptions _options;
    private readonly VectorOptions _vector;
    private readonly ColumnTable _table;
    private readonly JointEvidence _evidence = new();
    private VectorDetector? _detector;
    private JointForecaster? _forecaster;
    private ObservedRecord? _last;
    private double[] _values = [];      // (D): the row that is judged
    private double[] _previous = [];    // (D): each column's last value, NaN before the first
    private bool[] _imputed = [];       // (D)
    private double[] _observed = [];    // (D): the judged row without what stood in for missing values
    private (double Median, double Lower, double Upper)?[] _forecast = [];   // (D): made before the row that is judged
    private long _scoredRows;
    private long _wholeFromRow;

    public RecordJudge(DetectionOptions options, VectorOptions vector)
    {
        _options = options;
        _vector = vector;
        _table = new ColumnTable(vector);
        _table.UseConfigured();

        if (_table.IsKnown)
        {
            Prepare();
        }
    }

    public long Rows { get; private set; }

    /// <summary>Names of its columns, the scored ones first; empty while they are not known.</summary>
    public IReadOnlyList<string> Columns => _table.Names;

    /// <summary>How many of the columns, from the first, are scored; the others are context.</summary>
    public int ScoredColumns => _table.Scored;

    public (long Rows, long Needed) WarmUp => (
        _scoredRows == 0 ? Math.Min(Rows, VectorDetector.LearningRows) : VectorDetector.LearningRows + _scoredRows,
        VectorDetector.LearningRows + CalibrationRows);

    public bool IsLearning => _scoredRows == 0;

    /// <summary>A window that reaches over a gap is like none before: nothing is decided until windows are whole again.</summary>
    public (long Left, long Of) Rewarming => (Math.Max(0, _wholeFromRow - Rows), VectorDetector.WindowRows);

    public int CadenceRows => _options.LearningRows;

    public bool TakesAnyTime => false;

    public bool HasOwnWeights => false;

    public double Threshold => LeastEvidence;

    public bool IsSettled => _detector?.HasSettled == true;

    public int StableWindows => _detector?.StableWindows ?? 0;

    public int Indicators => JointEvidence.Indicators;

    public IndicatorWords Words => JointEvidence.Words;

    public Judgement Last { get; } = new(JointEvidence.Indicators);

    public RejectionReason? Admit(in Observation observation) =>
        _table.HasTooFewWith(observation.Record!) ? RejectionReason.TooFewColumns : null;

    public bool IsSame(in Observation observation) => _last?.Holds(observation.Record!) == true;

    public void Arrive(in Arrival arrival)
    {
        if (arrival.IsBroken)
        {
            _wholeFromRow = Rows + VectorDetector.WindowRows;
            _forecaster?.Reset();
        }
    }

    public void Pass(in Observation observation)
    {
        _last = observation.Record;
        _wholeFromRow = Rows + VectorDetector.WindowRows;
        _forecaster?.Reset();
        Last.Clear();
        Last.Columns = Unjudged(observation.Record!);
    }

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        _last = observation.Record!;
        Last.Clear();

        if (!_table.IsKnown)
        {
            Last.Columns = Unjudged(_last);
            return;
        }

        Judge(_last, circumstances.Output);
        Last.Columns = Figured();
    }

    public void Remember(Lesson lesson, in Circumstances circumstances)
    {
        if (_table.IsKnown)
        {
            Remember(lesson, circumstances.Scratch, circumstances.Output);
        }
        else if (_table.Gather(_last!))
        {
            Prepare();

            foreach (ObservedRecord gathered in _table.Gathered)
            {
                Judge(gathered, circumstances.Output);
                Remember(lesson, circumstances.Scratch, circumstances.Output);
            }

            _table.ClearGathered();
            Last.Clear();
            Last.Columns = Unjudged(_last!);
        }

        Rows++;
    }

    public void Spare(long firstRow, long endRow)
    {
        _evidence.Spare(Rows - firstRow);
        _detector!.Spare(Rows - firstRow, Rows - endRow);
    }

    public void Accept(long firstRow, long endRow) => _detector!.Accept();

    public void Ordinary(ReadOnlySpan<double> levels) => _evidence.Ordinary(levels);

    public string Sentence()
    {
        IReadOnlyList<ColumnFigure> figures = Last.Columns ?? [];
        int[] named = [.. Enumerable.Range(0, Last.Shares.Length).OrderByDescending(column => Last.Shares[column]).Take(ExplainedMax)];
        IEnumerable<string> parts = named
            .Where((column, i) => i == 0 || Last.Shares[column] >= ExplainedShare)
            .Select(column => Sentence(column, figures[column]));
        return $"the values do not go together as they did: {string.Join("; ", parts)}";
    }

    public Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast)
    {
        var columns = new ColumnFigure[shares.Length];

        for (int column = 0; column < columns.Length; column++)
        {
            columns[column] = new ColumnFigure { Column = _table.Names[column], Share = (double)shares[column] };
        }

        IEnumerable<string> parts = columns
            .OrderByDescending(figure => figure.Share)
            .Take(ExplainedMax)
            .Where(figure => figure.Share >= ExplainedShare)
            .Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Column} {figure.Share:0 %}"));
        string odd = string.Join(", ", parts);
        return new Particulars(odd.Length == 0 ? "the record" : $"the record ({odd} of what is odd)", isLast ? Last.Columns : columns);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Rows);
        writer.Write(_scoredRows);
        writer.Write(_wholeFromRow);
        _table.Save(writer);
        Last.Save(writer);
        _evidence.Save(writer);
        writer.Write(_last is not null);

        if (_last is not null)
        {
            ColumnTable.Save(writer, _last);
        }

        foreach (double number in (IEnumerable<double>)[.. _previous, .. Last.Shares])
        {
            writer.Write(number);
        }

        _detector?.Save(writer);
        _forecaster?.Save(writer);
    }

    public bool Load(BinaryReader reader)
    {
        string configured = string.Join('\n', Columns);
        int scored = ScoredColumns;
        Rows = reader.ReadInt64();
        _scoredRows = reader.ReadInt64();
        _wholeFromRow = reader.ReadInt64();
        _table.Load(reader);
        Last.Load(reader);
        _evidence.Load(reader);
        _last = reader.ReadBoolean() ? ColumnTable.LoadRecord(reader) : null;
        _detector = null;
        _forecaster = null;
        _previous = [];
        Last.Shares = [];

        if (_table.IsKnown)
        {
            Prepare();
        }

        foreach (double[] numbers in (double[][])[_previous, Last.Shares])
        {
            for (int column = 0; column < numbers.Length; column++)
            {
                numbers[column] = reader.ReadDouble();
            }
        }

        _detector?.Load(reader);
        _forecaster?.Load(reader);

        if (_last is not null && _table.IsKnown)
        {
            _table.Place(_last, _values);
            Last.Columns = Figured();
        }

        return _vector.Columns.Count == 0
            ? Columns.Skip(ScoredColumns).All(_vector.Context.Contains) && !Columns.Take(ScoredColumns).Any(_vector.Context.Contains)
            : configured == string.Join('\n', Columns) && scored == ScoredColumns;
    }

    private void Prepare()
    {
        int columns = _table.Names.Count;

        // One seed for all: what is sampled never depends on a stream's name, so a file's scores stay when it is renamed.
        _detector = new VectorDetector(columns, _table.Scored, (ulong)_options.Seed);
        _forecaster = new JointForecaster(columns, (ulong)_options.Seed);
        _values = new double[columns];
        _previous = new double[columns];
        _imputed = new bool[columns];
        _observed = new double[columns];
        _forecast = new (double Median, double Lower, double Upper)?[columns];
        Last.Shares = new double[_table.Scored];
        _previous.AsSpan().Fill(double.NaN);
    }

    private void Judge(ObservedRecord record, ShardOutput output)
    {
        output.ValuesOfUnknownColumns += _table.Place(record, _values);

        foreach (ref double value in _values.AsSpan())
        {
            if (Math.Abs(value) > ValueJudge.ValueMax)
            {
                output.ValuesMasked++;
                value = double.NaN;
            }
        }

        Impute();
        double? score = _detector!.Judge(_values, Last.Shares);

        for (int column = 0; column < _forecast.Length; column++)
        {
            _forecast[column] = _forecaster!.Expect(column);
        }

        Last.IsJudged = score is not null;
        Last.Value = score ?? 0;
        Last.Kind = IncidentKind.Contextual;

        if (!Last.IsJudged)
        {
            return;
        }

        int strongest = Last.Shares.AsSpan().IndexOf(Last.Shares.Max());
        Last.Likeness = strongest;
        double difference = _values[strongest] - _detector.Expected(strongest).Mean;
        Last.Side = double.IsNaN(difference) ? 0 : Math.Sign(difference);

        if (Rows >= _wholeFromRow)
        {
            _evidence.Judge(Last.Value, _detector.Strongest);
            _evidence.Values.CopyTo(Last.AllValues);
            _evidence.Scores.CopyTo(Last.AllScores);
            (Last.Count, Last.Evidence, Last.Plain) = (JointEvidence.Indicators, _evidence.Evidence, _evidence.Plain);
        }

        Last.IsAsForecast = IsAsForecast();
    }

    private void Remember(Lesson lesson, DetectionScratch scratch, ShardOutput output)
    {
        bool teaches = lesson == Lesson.Normal;
        _scoredRows += Last.IsJudged ? 1 : 0;

        // What was accepted is no part of what was usual before it; soon it is all that is.
        if (Last.Count > 0 && !_detector!.IsAccepting)
        {
            _evidence.Remember(lesson);
        }

        _detector!.Remember(lesson);

        // What is odd, opens no incident and lasts is a manner of its own; nobody is asked to accept it.
        if (lesson <= Lesson.Suspicious && _detector.HasSettled)
        {
            _detector.Accept();
        }

        if (_detector.HasRecalled)
        {
            _evidence.Begin(_detector.Recalled());
        }

        // What stood in for a missing value was not observed.
        for (int column = 0; column < _observed.Length; column++)
        {
            _observed[column] = _imputed[column] ? double.NaN : _values[column];
        }

        output.TrainingStepsUndone += _forecaster!.Take(_observed, teaches, isAbnormal: !teaches, scratch.Joint(_observed.Length)) ? 0 : 1;
    }

    private void Impute()
    {
        bool lacks = false;

        for (int column = 0; column < _values.Length; column++)
        {
            _imputed[column] = double.IsNaN(_values[column]);
            lacks |= _imputed[column];
        }

        switch (_vector.Missing)
        {
            case MissingPolicy.Model when lacks:
                _detector!.Impute(_values);
                break;
            case MissingPolicy.Previous or MissingPolicy.Fixed when lacks:
                for (int column = 0; column < _values.Length; column++)
                {
                    if (_imputed[column])
                    {
                        _values[column] = _vector.Missing == MissingPolicy.Fixed ? _vector.Fixed : _previous[column];
                    }
                }

                break;
        }

        for (int column = 0; column < _values.Length; column++)
        {
            _imputed[column] &= !double.IsNaN(_values[column]);
            _previous[column] = double.IsNaN(_values[column]) ? _previous[column] : _values[column];
        }
    }

    /// <summary>Whether nine in ten of its values lie in the band that was forecast for them.</summary>
    private bool IsAsForecast()
    {
        int inside = 0, known = 0;

        for (int column = 0; column < _values.Length; column++)
        {
            if (_forecast[column] is { } forecast && !double.IsNaN(_values[column]))
            {
                known++;
                inside += _values[column] >= forecast.Lower && _values[column] <= forecast.Upper ? 1 : 0;
            }
        }

        return known > 0 && 10 * inside >= 9 * known;
    }

    private static ColumnFigure[] Unjudged(ObservedRecord record) =>
        [.. record.Columns.Select((name, i) => new ColumnFigure { Column = name, Actual = Known(record.Values[i]) })];

    private ColumnFigure[] Figured()
    {
        var figures = new ColumnFigure[_values.Length];

        for (int column = 0; column < figures.Length; column++)
        {
            (double Median, double Lower, double Upper) expected = _forecast[column] ?? _detector!.Expected(column);
            figures[column] = new ColumnFigure
            {
                Column = _table.Names[column],
                Actual = Known(_values[column]),
                Expected = Known(expected.Median),
                Lower = Known(expected.Lower),
                Upper = Known(expected.Upper),
                Share = column < Last.Shares.Length ? Last.Shares[column] : 0,
                IsImputed = _imputed[column],
                IsContext = column >= Last.Shares.Length,
            };
        }

        return figures;
    }

    private static double? Known(double value) => double.IsNaN(value) ? null : value;

    /// <summary>What was forecast, and what the score is made of: a column may go on as forecast, and no longer go with the others.</summary>
    private string Sentence(int column, in ColumnFigure figure)
    {
        bool isInside = figure.Actual >= figure.Lower && figure.Actual <= figure.Upper;
        string forecast = _forecast[column] is not null && !isInside
            ? $"expected {Figures.Of(figure.Expected)} ({Figures.Of(figure.Lower)} to {Figures.Of(figure.Upper)}), "
            : "";
        (double mean, double least, double greatest) = _detector!.Expected(column);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{figure.Column} {Figures.Of(figure.Actual)}, {forecast}in similar stretches {Figures.Of(mean)} ({Figures.Of(least)} to {Figures.Of(greatest)}), {figure.Share:0 %} of what is odd");
    }
}
