using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>Judges single values: some forty indicators, each held against clean rows, read by a small LSTM.</summary>
internal sealed class ValueJudge : IJudge
{
    /// <summary>Values beyond this are taken for a fault of the sender: counters of 64 bits and times in nanoseconds are not.</summary>
    public const double ValueMax = 1e20;

    /// <summary>Rows after a long gap before the stream may alert again.</summary>
    private const int RewarmRows = 64;

    /// <summary>
    /// What a decade of the strongest witnesses' mean adds to the judge's own evidence once an incident may open, and what it adds
    /// beyond a knee: there all is certain, and only how large it is differs. On the job bench any from .2 to 1 tells faults from false
    /// alarms as well (area under the curve .844 to .845); from .2 on a larger spike scores more.
    /// </summary>
    private const double PerDecade = 0.2;
    private const double PerDecadeBeyond = 0.7;
    private const double SizeKnee = 8;

    /// <summary>The strongest witnesses whose mean is the size.</summary>
    private const int SizeOf = 4;

    /// <summary>
    /// Decades that the mean of two witnesses must come to where it is the judge that speaks: what is weak in all is no fault
    /// on streams unlike those it learnt from, nor is what one witness alone finds but moderately odd.
    /// </summary>
    private const double Least = 2.7;
    private const int LeastOf = 2;

    /// <summary>What a decade more or less than that moves the line.</summary>
    private const double PerLeast = 0.5;

    /// <summary>Decades that a standstill must come to by itself.</summary>
    private const double StandstillLeast = 3;

    /// <summary>The strongest witnesses that may open an incident without the judge where their mean comes to what is asked for, and decades that one of them counts for at most.</summary>
    private const int AgreedOf = 4;
    private const double AgreedMost = 6;

    private readonly string _stream;
    private readonly DetectionOptions _options;
    private readonly Func<AlertTerms> _terms;
    private readonly BaseModel _model;
    private MemorySizes _sizes;
    private readonly CounterRate _counter = new();
    /// <summary>Windows in a row like the one before that a new state must show.</summary>
    private const int NewStateWindows = 2;

    private readonly Settling _settling = new();
    private readonly LearntJudge? _judge;
    private LearntJudge? _plainJudge;   // as if nobody had called a level ordinary; the other one while nobody has
    private ValueForecast _forecast;
    private ValueIndicators _indicators;
    private IndicatorBank _bank;
    private SeededRandom _random;
    private double _value, _rate, _seconds, _usualSeconds = double.NaN;
    private bool _isAbnormal, _isBroken, _isSpared, _isRestart;
    private long _restarts;
    private long _mutedUntil;

    /// <param name="stream">The stream's name.</param>
    /// <param name="options">How streams are learnt and judged.</param>
    /// <param name="terms">What is asked of alerts at present.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="form">How much it may remember.</param>
    /// <param name="ownWeights">Whether it adapts weights of its own.</param>
    public ValueJudge(string stream, DetectionOptions options, Func<AlertTerms> terms, BaseModel model, StreamForm form, bool ownWeights)
    {
        (_stream, _options, _terms, _model, _sizes) = (stream, options, terms, model, MemorySizes.Of(form));
        HasOwnWeights = ownWeights;
        LstmWeights? weights = options.JudgeWeights();
        _judge = weights is null ? null : new LearntJudge(weights);
        (_forecast, _indicators, _bank) = New();
        _random = SeededRandom.Of(stream, options.Seed);
    }

    public long Rows => _forecast.Ring.Count + _restarts;

    public (long Rows, long Needed) WarmUp => (_forecast.Ring.Count, _options.WarmUpRows);

    public bool IsLearning => _forecast.Ring.Count < _options.LearningRows;

    public (long Left, long Of) Rewarming => (Math.Max(0, _mutedUntil - Rows), RewarmRows);

    public int CadenceRows => _options.LearningRows;

    public bool TakesAnyTime => false;

    public bool HasOwnWeights { get; private set; }

    /// <summary>Decades of clean rows between two alerts that are asked for.</summary>
    public double Threshold => Math.Log10(Asked);

    public double? RowsPerAlert => double.IsNaN(_usualSeconds) ? null : Asked;

    /// <summary>Clean rows between two alerts that are asked for: some 10,000, and a day of them.</summary>
    private double Asked
    {
        get
        {
            double rowsADay = AlertRate.DaySeconds / Math.Max(1, _usualSeconds);   // of those within a second one is much like the other
            AlertTerms terms = _terms();
            return Math.Max(terms.CleanRowsPerAlert, double.IsFinite(rowsADay) ? rowsADay * terms.CleanDaysPerAlert : 0);
        }
    }

    public bool IsSettled => _settling.IsSettled;

    public bool IsMoving => _settling.IsMoving;

    /// <remarks>A level where the stream has never been, held for half as long as it stays in its states.</remarks>
    public bool IsNewState => _settling.StableWindows >= NewStateWindows && _indicators.Rarity.FarRows >= 0.5 * _indicators.Stays.UsualRows;

    public int StableWindows => _settling.StableWindows;

    public int Indicators => ValueIndicators.Count;

    public IndicatorWords Words => IndicatorSentences.Words;

    public Judgement Last { get; } = new(ValueIndicators.Count);

    /// <summary>The last values that were judged: of a counter its rates.</summary>
    public ValueRing Ring => _forecast.Ring;

    /// <summary>The usual gap between two values; NaN while unknown.</summary>
    public double UsualSeconds => _usualSeconds;

    /// <summary>What makes a rate of a counter.</summary>
    public CounterRate Counter => _counter;

    /// <summary>The next observation is that row of the stream, whatever this judge has seen of it.</summary>
    public void ContinueAt(long row) => _restarts = row - _forecast.Ring.Count;

    /// <summary>Whether a value is none that can be judged.</summary>
    public static bool IsBad(double value) => !double.IsFinite(value) || Math.Abs(value) > ValueMax;

    public RejectionReason? Admit(in Observation observation) =>
        IsBad(observation.Value) ? RejectionReason.BadValue : null;

    public bool IsSame(in Observation observation) => observation.Value.Equals(_value);

    public void Arrive(in Arrival arrival)
    {
        _isBroken = arrival.IsBroken;

        if (arrival.IsBroken)
        {
            _forecast.Reset();
        }

        _mutedUntil = arrival.IsNewBeginning ? Rows + RewarmRows : _mutedUntil;
    }

    public void Pass(in Observation observation)
    {
        _forecast.Reset();
        _value = observation.Value;
        _counter.Take(_value);
        Last.Clear();
        Last.Value = _value;
    }

    public bool TakeNoticeOf(BaseModel model, DetectionScratch scratch) => _forecast.TakeNoticeOf(model, scratch);

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        DetectionScratch scratch = circumstances.Scratch;
        Last.Clear();
        (_value, Last.Value, Last.Actual) = (observation.Value, observation.Value, observation.Value);
        _seconds = circumstances.Time.UtcTicks / (double)TimeSpan.TicksPerSecond;
        _usualSeconds = circumstances.UsualSeconds;
        double? judged = _counter.Of(observation.Value, circumstances.GapRatio);
        _isRestart = judged is null;

        if (_counter.HasJustBecome)
        {
            (_forecast, _indicators, _bank) = New();
        }

        if (judged is not { } value)
        {
            return;
        }

        _rate = value;
        long row = _forecast.Ring.Count;

        if (row == 0)
        {
            _indicators.Begin(value);
        }

        _forecast.Judge(value, scratch);

        if (row < _options.LearningRows)
        {
            return;
        }

        _indicators.Observe(value, _seconds, _isBroken, _usualSeconds, _forecast, _isSpared);
        _bank.Weigh(_indicators, _forecast.Scale.Scale);
        Say(value, row, scratch);
    }

    public void Remember(Lesson lesson, in Circumstances circumstances)
    {
        _counter.Take(_value);

        if (_isRestart)
        {
            _restarts++;
            return;
        }

        ShardOutput output = circumstances.Output;
        DetectionScratch scratch = circumstances.Scratch;
        long row = _forecast.Ring.Count;
        bool teaches = lesson == Lesson.Normal;
        // A season goes on when a level has changed: what is to settle is the distance from it.
        _settling.Observe([_rate - (_indicators.SeasonBefore ?? 0)], isOrdinary: lesson is Lesson.Normal or Lesson.Frozen, isAsForecast: Last.IsAsForecast);

        if (Last.IsJudged)
        {
            // Calibration takes what is suspicious too, clipped: else the tail would end where suspicion begins.
            _bank.Remember(_indicators, teaches: lesson <= Lesson.Suspicious || (lesson == Lesson.Abnormal && !_isAbnormal));
            _isAbnormal = lesson == Lesson.Abnormal;
            _indicators.Remember(row, teaches, ref _random);
        }

        _forecast.Remember(_rate, _seconds, circumstances.GapRatio, teaches, ref _random);
        _isSpared = !teaches;
        bool isWhole = _forecast.Learn(circumstances.UsualSeconds, lesson <= Lesson.Suspicious, scratch, ref _random);
        output.TrainingStepsUndone += isWhole ? 0 : 1;
        _indicators.Refresh(_forecast, scratch.Series);

        if (teaches && _forecast.CleanWindow(_stream, circumstances.Scratch) is { } window)
        {
            output.Windows.Add(window);
        }

        output.StateResets += _forecast.Step(circumstances.Model, scratch) ? 0 : 1;
    }

    public void Spare(long firstRow, long endRow)
    {
        (firstRow, endRow) = (firstRow - _restarts, endRow - _restarts);
        _forecast.Ring.Mark(firstRow, endRow, abnormal: true);
        _indicators.Spare(firstRow, endRow, _forecast.Ring.Count);

        if (endRow >= _forecast.Ring.Count)
        {
            _bank.Spare();
        }
    }

    public void Accept(long firstRow, long endRow)
    {
        (firstRow, endRow) = (firstRow - _restarts, endRow - _restarts);
        _forecast.Accept(firstRow, endRow, ref _random);
        _indicators.Accept(firstRow, endRow, ref _random);
        _bank.Accept();
    }

    public void Ordinary(ReadOnlySpan<double> levels) => _bank.Ordinary(levels);

    public string Sentence()
    {
        var strongest = (Indicator)Math.Max(0, Last.Strongest);
        return IndicatorSentences.Of(
            strongest, _indicators.Values[(int)strongest], _bank.Usual(strongest), Last.Value, Last.Expected,
            new IndicatorFigures(_indicators.SeasonBefore, _indicators.Standstills.Rows, _indicators.Stays.Present, _indicators.Cycles.Present) { Factor = _indicators.Factor })
            + (_counter.IsCounter ? $" (of a counter: judged by its rate, now {Figures.Of(_rate)} a row)" : "");
    }

    public GateTrace? Gates() => _forecast.Gates();

    public Excerpt? Excerpt(DateTimeOffset? at, out string? missing) => _forecast.Excerpt(at, _counter.IsCounter, out missing);

    public Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast) => default;

    /// <summary>Goes on with what it knows in another form: a smaller one keeps the last of it, a larger one grows from here on.</summary>
    /// <param name="form">How much it may remember.</param>
    /// <param name="ownWeights">Whether it adapts weights of its own, which begin anew.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    public void Resize(StreamForm form, bool ownWeights, BaseModel model, DetectionScratch scratch)
    {
        (_sizes, HasOwnWeights) = (MemorySizes.Of(form), ownWeights);
        _forecast.Resize(_sizes, ownWeights, model, scratch);
        _indicators.Resize(_sizes);
        _bank.Resize(_sizes);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_random.State);
        writer.Write(_mutedUntil);
        writer.Write(_restarts);
        writer.Write(_isAbnormal);
        writer.Write(_isSpared);
        writer.Write(_isRestart);
        writer.Write(_value);
        writer.Write(_rate);
        writer.Write(_seconds);
        writer.Write(_usualSeconds);
        Last.Save(writer);
        _counter.Save(writer);
        _settling.Save(writer);
        _forecast.Save(writer);
        _indicators.Save(writer);
        _bank.Save(writer);
        _judge?.Save(writer);
        writer.Write(_plainJudge is not null);
        _plainJudge?.Save(writer);
    }

    public bool Load(BinaryReader reader)
    {
        _random = new SeededRandom(reader.ReadUInt64());
        _mutedUntil = reader.ReadInt64();
        _restarts = reader.ReadInt64();
        _isAbnormal = reader.ReadBoolean();
        _isSpared = reader.ReadBoolean();
        _isRestart = reader.ReadBoolean();
        (_value, _rate, _seconds, _usualSeconds) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        Last.Load(reader);
        _counter.Load(reader);
        _settling.Load(reader);
        _forecast.Load(reader);
        _indicators.Load(reader);
        _bank.Load(reader);
        _judge?.Load(reader);
        _plainJudge = reader.ReadBoolean() ? _judge?.Copy() : null;
        _plainJudge?.Load(reader);
        return true;
    }

    private (ValueForecast Forecast, ValueIndicators Indicators, IndicatorBank Bank) New() => (
        new ValueForecast(_options.LearningRows, _sizes, _model, HasOwnWeights, SeededRandom.Of(_stream, _options.Seed)),
        new ValueIndicators(_sizes),
        new IndicatorBank(_sizes));

    /// <summary>Makes one number of what the indicators say.</summary>
    private void Say(double value, long row, DetectionScratch scratch)
    {
        Last.IsJudged = true;
        Last.Count = ValueIndicators.Count;
        _indicators.Values.CopyTo(Last.AllValues);
        _bank.Decades.CopyTo(Last.AllScores);
        Last.Expected = _counter.IsCounter ? null : _forecast.Expected;
        Last.FlatRows = _indicators.Standstills.Rows;
        Last.IsAsForecast = _forecast.Expected is { } e && value >= e.Lower && value <= e.Upper;
        Last.Side = _forecast.Expected is { } expected ? Math.Sign(value - expected.Median) : 0;
        Last.Kind = IndicatorSentences.KindOf((Indicator)Last.Strongest);
        Last.Likeness = IndicatorSentences.LikenessOf(Last.Kind);
        double most = MostOfConstant(value);
        _plainJudge = _bank.HasOrdinary ? _plainJudge ?? _judge?.Copy() : null;
        Last.Plain = _bank.HasOrdinary ? Math.Min(most, Evidence(_bank.Plain, row, _plainJudge, scratch)) : null;
        Last.Evidence = Math.Min(most, Evidence(_bank.Decades, row, _judge, scratch));
    }

    /// <summary>
    /// What a row of a stream may be worth that never had but one value: nothing says how large its changes are, so their first
    /// is as rare as it has stood still for long, and more as it is further away than the next digit.
    /// </summary>
    private double MostOfConstant(double value) =>
        double.IsNaN(_indicators.Constant) ? double.PositiveInfinity
        : Math.Log10(_forecast.Ring.Count) + Math.Log10(Math.Max(1, Math.Abs(value - _indicators.Constant) / _indicators.Resolution));

    /// <summary>
    /// The judge says whether there is a fault, unless the strongest few agree on what is asked for. Where there is one, it is as
    /// large as the judge is sure, and more as they are stronger: sizes alone rank false alarms of the job bench among its faults (area under
    /// the curve .76, now .85).
    /// </summary>
    private double Evidence(ReadOnlySpan<double> decades, long row, LearntJudge? judge, DetectionScratch scratch)
    {
        if (!_bank.IsKnown)
        {
            return 0;
        }

        double said = judge?.Read(decades, row, scratch) ?? WithoutJudge(decades), evidence = said;

        if (said >= LearntJudge.Line && !IsStandstill(decades))
        {
            double more = PerLeast * (Witnesses.Mean(decades, LeastOf) - Least);
            evidence = more < 0 ? LearntJudge.Line + Math.Max(more, -1) : Math.Max(said, LearntJudge.Line + more);
        }

        return evidence >= Threshold || Witnesses.Mean(decades, AgreedOf, AgreedMost) >= Threshold
            ? Threshold + Math.Max(0, said - LearntJudge.Line) + Worth(Witnesses.Mean(decades, SizeOf))
            : evidence;
    }

    private static double Worth(double size) => (PerDecade * Math.Min(size, SizeKnee)) + (PerDecadeBeyond * Math.Max(0, size - SizeKnee));

    /// <summary>In the training of the first judge the mean of the indicators alone decides.</summary>
    private double WithoutJudge(ReadOnlySpan<double> decades) =>
        LearntJudge.WithoutJudge + Math.Max(0, ScoreCombination.Combine(decades, _indicators.Known));

    /// <summary>Whether what is odd is that nothing changes: one indicator alone can see that, all others are content.</summary>
    private static bool IsStandstill(ReadOnlySpan<double> decades) =>
        System.Numerics.Tensors.TensorPrimitives.IndexOfMax(decades) == (int)Indicator.Standstill && decades[(int)Indicator.Standstill] >= StandstillLeast;
}
