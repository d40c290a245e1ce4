using System.Runtime.CompilerServices;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>Judges single values in less than two kilobytes: base weights, a few means, and what is usual of fifteen indicators.</summary>
/// <remarks>What it knows of the stream is <see cref="SharedPast"/>. The network is stepped by <see cref="SharedSteps"/>, many streams at a time.</remarks>
internal sealed class SharedJudge : IJudge
{
    /// <summary>Last rows of a judge that remembers more which are judged anew: some milliseconds.</summary>
    private const int ReplayedRows = 1024;

    /// <summary>Rows after a long gap before the stream may alert again.</summary>
    private const int RewarmRows = 64;

    /// <summary>Decades below which an indicator is calm, and calm rows after which those that were accepted are heard again.</summary>
    private const double Calm = 1.2;
    private const int CalmRows = 50;

    private static readonly IndicatorWords _words = IndicatorSentences.WordsOf(SharedIndicators.Asked);

    private readonly SharedSettings _settings;
    private SharedSteps _steps;
    private double[]? _ordinary;
    private WindowUnderWay? _window;
    private SharedPast _past;

    /// <param name="stream">The stream's name.</param>
    /// <param name="settings">What all such streams of a shard have in common.</param>
    /// <param name="scratch">Buffers of the thread that owns the stream.</param>
    public SharedJudge(string stream, SharedSettings settings, DetectionScratch scratch)
    {
        (_settings, _steps) = (settings, scratch.Shared);
        _past = new SharedPast(SeededRandom.Of(stream, settings.Options.Seed));
    }

    public long Rows => _past.Count + _past.Restarts;

    public (long Rows, long Needed) WarmUp => (_past.Count, _settings.Options.WarmUpRows);

    public bool IsLearning => _past.Count < _settings.Options.LearningRows;

    public (long Left, long Of) Rewarming => (_past.RewarmLeft, RewarmRows);

    public int CadenceRows => _settings.Options.LearningRows;

    public bool TakesAnyTime => false;

    public bool HasOwnWeights => false;

    public double Threshold => _steps.DecadesOf(Asked);

    public double? RowsPerAlert => float.IsNaN(_past.UsualSeconds) ? null : Asked;

    public bool IsSettled => _past.Settling?.IsSettled ?? false;

    public bool IsMoving => _past.Settling?.IsMoving ?? false;

    public int StableWindows => _past.Settling?.StableWindows ?? 0;

    public int Indicators => SharedIndicators.Count;

    public IndicatorWords Words => _words;

    public Judgement Last
    {
        get
        {
            if (_steps.SaidOf != this)
            {
                _past.Said.Recall(_steps.Said, _past.Value, _past.Origin);
                _steps.SaidOf = this;
            }

            return _steps.Said;
        }
    }

    /// <summary>h and c: (state).</summary>
    public Span<float> State => _past.Forecasts.State;

    /// <summary>Clean rows between two alerts that are asked for: some 10,000, and a day of them.</summary>
    private double Asked
    {
        get
        {
            double rowsADay = AlertRate.DaySeconds / Math.Max(1, _past.UsualSeconds);
            AlertTerms terms = _settings.Terms();
            return Math.Max(terms.CleanRowsPerAlert, double.IsFinite(rowsADay) ? rowsADay * terms.CleanDaysPerAlert : 0);
        }
    }

    /// <summary>Calls all that is kept of the stream into the cache.</summary>
    public void Fetch() => CacheLines.Fetch(ref _past, Unsafe.SizeOf<SharedPast>());

    /// <summary>Begins where a judge that remembers more leaves off: its last values are judged and remembered anew.</summary>
    /// <param name="judge">That judge.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    public void TakeOver(ValueJudge judge, BaseModel model, DetectionScratch scratch)
    {
        ValueRing ring = judge.Ring;
        var output = new ShardOutput();
        _past.Counter = null;

        for (long row = Math.Max(ring.First, ring.Count - ReplayedRows); row < ring.Count; row++)
        {
            var time = new DateTimeOffset((long)(ring.Seconds(row) * TimeSpan.TicksPerSecond), TimeSpan.Zero);
            var circumstances = new Circumstances
            {
                Time = time,
                GapRatio = Math.Pow(2, ring.Gap(row)),
                UsualSeconds = judge.UsualSeconds,
                Model = model,
                Scratch = scratch,
                Output = output,
            };
            Judge(new Observation("", time, ring[row]), circumstances);
            Remember(ring.IsAbnormal(row) ? Lesson.Abnormal : Lesson.Normal, circumstances);
        }

        Settle();
        _past.Counter = judge.Counter.IsSettled ? null : judge.Counter;
        _past.Value = judge.Last.Value;
        _past.Settling = null;
        _past.Restarts = judge.Rows - _past.Count;
    }

    /// <summary>Another thread's buffers are worked in from now on.</summary>
    public void MoveTo(DetectionScratch scratch) => _steps = scratch.Shared;

    public RejectionReason? Admit(in Observation observation) => ValueJudge.IsBad(observation.Value) ? RejectionReason.BadValue : null;

    public bool IsSame(in Observation observation) => observation.Value.Equals(_past.Value);

    public void Arrive(in Arrival arrival)
    {
        Settle();
        _past.IsBroken = arrival.IsBroken;

        if (arrival.IsBroken)
        {
            _past.Forecasts.Reset();
            _window = null;
        }

        _past.RewarmLeft = arrival.IsNewBeginning ? (byte)RewarmRows : _past.RewarmLeft;
    }

    public void Pass(in Observation observation)
    {
        Settle();
        _past.Forecasts.Reset();
        _window = null;
        _past.Value = observation.Value;
        _past.Counter?.Take(_past.Value);
        _past.Said = Said.Nothing;
        _steps.SaidOf = null;
    }

    public bool TakeNoticeOf(BaseModel model, DetectionScratch scratch)
    {
        Settle();

        // h and c mean nothing under other weights.
        _past.IsCold = true;
        return true;
    }

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        Settle();
        _past.Value = observation.Value;
        _past.UsualSeconds = (float)circumstances.UsualSeconds;
        _steps.SaidOf = this;
        Judgement said = _steps.Said;
        said.Clear();
        (said.Value, said.Actual) = (_past.Value, _past.Value);
        double? judged = _past.Counter is null ? _past.Value : _past.Counter.Of(_past.Value, circumstances.GapRatio);
        _past.IsRestart = judged is null;

        if (_past.Counter is { HasJustBecome: true })
        {
            _past.Begin();
            _window = null;
        }

        if (judged is not { } value)
        {
            _past.Said.Note(said, _past.Origin);
            return;
        }

        _past.Origin = _past.Count == 0 ? value : _past.Origin;
        _past.Judged = (float)(value - _past.Origin);

        if (_past.Count == 0)
        {
            _past.Indicators.Begin(_past.Judged);
        }

        if (_past.IsCold && _past.Count > SharedPast.FirstBins)
        {
            WarmAgain(circumstances.Model.Weights);
        }

        _past.IsCold = false;

        if (!IsLearning)
        {
            Say(said, circumstances);
        }

        _past.Said.Note(said, _past.Origin);
    }

    public void Remember(Lesson lesson, in Circumstances circumstances)
    {
        _past.Counter?.Take(_past.Value);
        _past.RewarmLeft -= (byte)(_past.RewarmLeft > 0 ? 1 : 0);

        if (_past.IsRestart)
        {
            (_window, _past.Restarts) = (null, _past.Restarts + 1);
            return;
        }

        bool teaches = lesson == Lesson.Normal;
        double seconds = SecondsOf(circumstances.Time);
        Follow(lesson, seconds);

        if (_past.Said.IsJudged)
        {
            Calibrate(lesson);
        }

        if (teaches && _past.Said.IsJudged)
        {
            _past.Forecasts.Trust(_steps.Trust);
        }

        _past.Remember(teaches, seconds, _settings.Options.LearningRows);

        if (_past.Count > SharedPast.FirstBins)
        {
            Span<float> input = _steps.Add(this, circumstances.Model.Weights, out Span<int> anchors);
            _past.Encode(Math.Log2(Math.Max(circumstances.GapRatio, 1e-3)), seconds, input, anchors);
            _past.IsWaiting = true;
            WriteDown(teaches, circumstances, input, anchors);
        }

        // What is no counter by now never will be.
        _past.Counter = _past.Counter is { IsSettled: true } ? null : _past.Counter;
    }

    /// <summary>The step this stream was due has been taken; false where its state had to be forgotten.</summary>
    /// <param name="state">h and c: (state).</param>
    /// <param name="logits">(horizons, bins): overwritten.</param>
    public bool Stepped(ReadOnlySpan<float> state, Span<float> logits)
    {
        _past.IsWaiting = false;
        return _past.Forecasts.Stepped(_past.Count - 1, state, logits);
    }

    public void Spare(long firstRow, long endRow) => _past.Spare(Math.Max(0, Rows - endRow), Rows - firstRow);

    public void Accept(long firstRow, long endRow)
    {
        _past.Accept(Math.Max(0, Rows - endRow), Rows - firstRow);

        if (endRow - firstRow >= CleanTail.BlockRows)
        {
            _past.AcceptLevel();
        }

        ReadOnlySpan<double> scores = Last.Scores;

        for (int i = 0; i < scores.Length; i++)
        {
            _past.Muted |= scores[i] >= Calm ? 1u << i : 0;
        }

        _past.CalmRows = 0;
    }

    public void Ordinary(ReadOnlySpan<double> levels) => _ordinary = levels.ContainsAnyExcept(0) ? levels.ToArray() : null;

    public string Sentence()
    {
        Judgement said = Last;
        int strongest = Math.Max(0, said.Strongest);
        int measure = _past.Indicators.MeasureOf(strongest, _past.Judged);
        double unit = SharedIndicators.UnitOf(measure) == MeasureUnit.Values ? _past.Unit : 1;
        return IndicatorSentences.Of(
            SharedIndicators.Asked[strongest], said.Values.IsEmpty ? 0 : said.Values[strongest], _past.Tails.Usual(measure) * unit, said.Value, said.Expected,
            new IndicatorFigures(null, _past.Indicators.UnchangedRows, (_past.Indicators.StayRows, _past.Tails.Usual(measure)), default))
            + (_past.Counter is { IsCounter: true } ? $" (of a counter: judged by its rate, now {Figures.Of(_past.Judged + _past.Origin)} a row)" : "");
    }

    public Excerpt? Excerpt(DateTimeOffset? at, out string? missing)
    {
        missing = $"the stream is of form shared, which keeps its last {SharedPast.RingRows} values alone";
        return null;
    }

    public Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast) => default;

    public void Save(BinaryWriter writer)
    {
        Settle();
        _past.Save(writer);
    }

    public bool Load(BinaryReader reader)
    {
        _past.Load(reader);
        return true;
    }

    private static double SecondsOf(DateTimeOffset time) => time.UtcDateTime.TimeOfDay.TotalSeconds;

    /// <summary>Writes a clean row down where a window for the retrainer is under way, or begins.</summary>
    private void WriteDown(bool teaches, in Circumstances circumstances, ReadOnlySpan<float> input, ReadOnlySpan<int> anchors)
    {
        if (circumstances.Stream is not { } stream)
        {
            return;
        }

        _window = !teaches ? null : _window ?? WindowUnderWay.At(stream, _past.Count);

        if (_window?.Add(stream, circumstances.Time, _past.Sample.PlaceOf(_past.Judged).Bin, input, anchors) is { } whole)
        {
            circumstances.Output.Windows.Add(whole);
            _window = null;
        }
    }

    /// <summary>A step that waits is taken first.</summary>
    private void Settle()
    {
        if (_past.IsWaiting)
        {
            _steps.Take();
        }
    }

    private void Say(Judgement said, in Circumstances circumstances)
    {
        float[] measures = _steps.Measures, mixture = _steps.Probabilities;
        double seconds = SecondsOf(circumstances.Time);
        (Tail? next, Tail? ahead) = _past.Forecasts.Judge(_past.Count, _past.Sample.PlaceOf(_past.Judged), _past.Sample, mixture, out (float Next, float Ahead) trust);
        _steps.Trust = trust;

        if (next is not null && _past.Counter is not { IsCounter: true })
        {
            Span<double> cumulative = stackalloc double[QuantileBins.Count + 1];
            SharedSample.Cumulate(mixture, cumulative);
            float middle = _past.Sample.QuantileOf(mixture, cumulative, 0.5);
            float lower = _past.Sample.QuantileOf(mixture, cumulative, 0.01), upper = _past.Sample.QuantileOf(mixture, cumulative, 0.99);
            said.Expected = (_past.Origin + middle, _past.Origin + lower, _past.Origin + upper);
            said.IsAsForecast = _past.Judged >= lower && _past.Judged <= upper;
            said.Side = Math.Sign(_past.Judged - middle);
        }

        _past.Unit = _past.Unit > 0 ? _past.Unit : (float)_past.Sample.Scale.Scale;
        _past.Indicators.Observe(
            _past.Judged, _past.UsualAt(seconds), _past.IsBroken ? null : next, _past.IsBroken ? null : ahead, _past.Unit, _past.Sample.Resolution, measures);
        Weigh(measures, said);
        said.IsJudged = true;
        said.FlatRows = _past.Indicators.UnchangedRows;
        said.Kind = IndicatorSentences.KindOf(SharedIndicators.Asked[Math.Max(0, said.Strongest)]);
        said.Likeness = IndicatorSentences.LikenessOf(said.Kind);
    }

    /// <summary>Makes one number of what the indicators say.</summary>
    private void Weigh(ReadOnlySpan<float> measures, Judgement said)
    {
        said.Count = SharedIndicators.Count;
        Span<double> plain = stackalloc double[SharedIndicators.Count], decades = stackalloc double[SharedIndicators.Measures];
        Span<double> values = said.AllValues, scores = said.AllScores;
        Span<bool> known = stackalloc bool[SharedIndicators.Count];
        ReadOnlySpan<byte> codes = _steps.Codes;
        double resolution = _past.Sample.Resolution / _past.Unit;
        bool areCalm = true;
        SharedTails.Encode(measures, _steps.Codes);
        _past.Tails.Score(measures, codes, resolution, decades);

        for (int i = 0; i < plain.Length; i++)
        {
            int measure = _past.Indicators.MeasureOf(i, _past.Judged);
            double value = measures[measure], unit = SharedIndicators.UnitOf(measure) == MeasureUnit.Values ? _past.Unit : 1;
            known[i] = codes[measure] != 0;
            values[i] = known[i] ? value * unit : 0;
            plain[i] = scores[i] = decades[measure];

            if (plain[i] > 0 && _ordinary is { } ordinary && ordinary[i] > 0)
            {
                scores[i] = Math.Min(plain[i], _past.Tails.Excess(measure, value, ordinary[i] / unit, resolution));
            }

            if ((_past.Muted & (1u << i)) != 0)
            {
                areCalm &= plain[i] < Calm;
                plain[i] = scores[i] = 0;
            }
        }

        _past.CalmRows = areCalm ? (byte)Math.Min(_past.CalmRows + 1, CalmRows) : (byte)0;
        _past.Muted = _past.CalmRows == CalmRows ? 0 : _past.Muted;
        double most = MostOfConstant(), threshold = Threshold;
        bool isKnown = _past.Tails.IsKnown;
        said.Evidence = Math.Min(most, isKnown ? SharedEvidence.Of(scores, known, threshold) : 0);
        said.Plain = _ordinary is null ? null : Math.Min(most, isKnown ? SharedEvidence.Of(plain, known, threshold) : 0);
    }

    /// <summary>What a row may be worth of a stream that never had but one value: as rare as it has stood still for long, and more as it is further away.</summary>
    private double MostOfConstant() =>
        !_past.Sample.IsConstant ? double.PositiveInfinity
        : Math.Log10(_past.Count) + Math.Log10(Math.Max(1, Math.Abs(_past.Judged - _past.Sample.Least) / _past.Sample.Scale.Scale));

    private void Follow(Lesson lesson, double seconds)
    {
        if (lesson is Lesson.Normal or Lesson.Frozen)
        {
            _past.Settling = null;
            return;
        }

        // A season goes on when a level has changed: what is to settle is the distance from it.
        float usual = _past.UsualAt(seconds);
        (_past.Settling ??= new Settling()).Observe([_past.Judged - (float.IsNaN(usual) ? 0 : usual)], isOrdinary: false, isAsForecast: _past.Said.IsAsForecast);
    }

    /// <summary>Calibration takes what is suspicious too, and an incident's first row, but for a few steps: else the tail would end where suspicion begins.</summary>
    private void Calibrate(Lesson lesson)
    {
        if (lesson <= Lesson.Suspicious || (lesson == Lesson.Abnormal && !_past.IsAbnormal))
        {
            _past.Tails.Add(_steps.Codes, isClean: lesson == Lesson.Normal);
            _past.Tails.Count();
        }

        _past.IsAbnormal = lesson == Lesson.Abnormal;
    }

    /// <summary>h and c from zero over the last rows: after a swap they mean something again.</summary>
    private void WarmAgain(Model.ForecastWeights weights)
    {
        _past.Forecasts.Reset();
        long count = _past.Count;

        for (int ago = SharedPast.RingRows - 2; ago >= 0; ago--)
        {
            Span<float> input = _steps.Add(this, weights, out Span<int> anchors);
            _past.Count = count - ago;
            _past.Encode(0, double.NaN, input, anchors);
            _steps.Take();
        }

        _past.Count = count;
    }
}

/// <summary>What all streams in shared form of a shard have in common.</summary>
/// <param name="Options">How streams are learnt and judged.</param>
/// <param name="Terms">What is asked of alerts at present.</param>
internal sealed record SharedSettings(DetectionOptions Options, Func<AlertTerms> Terms);
