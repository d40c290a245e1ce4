using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>Judges single values in less than a kilobyte and a half: base weights, a few means, and what is usual of fifteen indicators.</summary>
/// <remarks>
/// What it remembers is of fixed size and lies in one piece. Values are kept as floats from the stream's first one, so that what is
/// large and hardly moves is told apart. The network is stepped by <see cref="SharedSteps"/>, many streams at a time.
/// </remarks>
internal sealed class SharedJudge : IJudge
{
    /// <summary>Last values that are kept.</summary>
    public const int RingRows = 32;

    /// <summary>Rows after which a value counts as one of the stream's: a margin before an incident can still be left out.</summary>
    private const int QuarantineRows = 24;

    /// <summary>Rows between two refreshes of the scale.</summary>
    private const int RefreshEvery = 16;

    /// <summary>Last rows of a judge that remembers more which are judged anew: some milliseconds.</summary>
    private const int ReplayedRows = 1024;

    /// <summary>Rows before there are bins, and the network is stepped.</summary>
    private const int FirstBins = 32;

    /// <summary>Rows after a long gap before the stream may alert again.</summary>
    private const int RewarmRows = 64;

    /// <summary>Decades below which an indicator is calm, and calm rows after which those that were accepted are heard again.</summary>
    private const double Calm = 1.2;
    private const int CalmRows = 50;

    /// <summary>A day of fewer rows has no shape to compare with.</summary>
    private const int DayRowsMin = 16;

    /// <summary>Decades that one indicator counts for at most where the strongest few are to agree, and how many they are.</summary>
    private const double AgreedMost = 6;
    private const int AgreedOf = 4;

    /// <summary>What the indicators' mean is worth more in rows than in blocks; less than <see cref="LearntJudge.WithoutJudge"/>, as a tail of sixteen blocks is known less well.</summary>
    private const double InRows = 1;

    /// <summary>What a decade of the strongest indicators' mean adds above the line.</summary>
    private const double PerDecade = 0.5;

    /// <summary>The ratio by which the stream's scale must have changed for measures to be counted in another unit.</summary>
    private const double UnitRatio = 8;

    private static readonly IndicatorWords _words = IndicatorSentences.WordsOf(SharedIndicators.Asked);

    private readonly SharedSettings _settings;
    private SharedSteps _steps;
    private CounterRate? _counter = new();
    private Settling? _settling;
    private double[]? _ordinary;
    private WindowUnderWay? _window;
    private SeededRandom _random;
    private double _value;
    private double _origin;
    private long _count;
    private long _restarts;
    private SharedSample _sample;
    private SharedTails _tails;
    private SharedForecasts _forecasts;
    private SharedIndicators _indicators;
    private DayProfile _day;
    private Ring _ring;
    private Said _said;
    private float _judged;        // what is judged of the last value, from the origin
    private float _usualSeconds = float.NaN;
    private float _unit;
    private uint _abnormal;       // bit i: the row i rows ago
    private uint _muted;
    private byte _calmRows;
    private byte _rewarmLeft;
    private bool _isBroken, _isAbnormal, _isRestart, _isWaiting, _isCold;

    [InlineArray(RingRows)]
    private struct Ring
    {
        private float _first;
    }

    /// <summary>What was said last, for when it is asked again after another stream was judged.</summary>
    private struct Said
    {
        public float Evidence, Plain, Expected, Lower, Upper;
        public ushort FlatRows;
        public byte Kind;
        public sbyte Side;
        public bool IsJudged, IsAsForecast;
        public Decades Scores;
    }

    [InlineArray(SharedIndicators.Count)]
    private struct Decades
    {
        private byte _first;
    }

    /// <param name="stream">The stream's name.</param>
    /// <param name="settings">What all such streams of a shard have in common.</param>
    /// <param name="scratch">Buffers of the thread that owns the stream.</param>
    public SharedJudge(string stream, SharedSettings settings, DetectionScratch scratch)
    {
        (_settings, _steps) = (settings, scratch.Shared);
        _random = SeededRandom.Of(stream, settings.Options.Seed);
        _forecasts.Reset();
        _said.Evidence = (float)Judgement.Unknown;
    }

    public long Rows => _count + _restarts;

    public (long Rows, long Needed) WarmUp => (_count, _settings.Options.WarmUpRows);

    public bool IsLearning => _count < _settings.Options.LearningRows;

    public (long Left, long Of) Rewarming => (_rewarmLeft, RewarmRows);

    public int CadenceRows => _settings.Options.LearningRows;

    public bool TakesAnyTime => false;

    public bool HasOwnWeights => false;

    public double Threshold => _steps.DecadesOf(Asked);

    public double? RowsPerAlert => float.IsNaN(_usualSeconds) ? null : Asked;

    public bool IsSettled => _settling?.IsSettled ?? false;

    public int StableWindows => _settling?.StableWindows ?? 0;

    public int Indicators => SharedIndicators.Count;

    public IndicatorWords Words => _words;

    public Judgement Last
    {
        get
        {
            if (_steps.SaidOf != this)
            {
                Recall(_steps.Said);
                _steps.SaidOf = this;
            }

            return _steps.Said;
        }
    }

    /// <summary>h and c: (state).</summary>
    public Span<float> State => _forecasts.State;

    /// <summary>Clean rows between two alerts that are asked for: some 10,000, and a day of them.</summary>
    private double Asked
    {
        get
        {
            double rowsADay = AlertRate.DaySeconds / Math.Max(1, _usualSeconds);
            AlertTerms terms = _settings.Terms();
            return Math.Max(terms.CleanRowsPerAlert, double.IsFinite(rowsADay) ? rowsADay * terms.CleanDaysPerAlert : 0);
        }
    }

    /// <summary>Begins where a judge that remembers more leaves off: its last values are judged and remembered anew.</summary>
    /// <param name="judge">That judge.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    public void TakeOver(ValueJudge judge, BaseModel model, DetectionScratch scratch)
    {
        ValueRing ring = judge.Ring;
        var output = new ShardOutput();
        _counter = null;

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
        _counter = judge.Counter.IsSettled ? null : judge.Counter;
        _value = judge.Last.Value;
        _settling = null;
        _restarts = judge.Rows - _count;
    }

    /// <summary>Another thread's buffers are worked in from now on.</summary>
    public void MoveTo(DetectionScratch scratch) => _steps = scratch.Shared;

    public RejectionReason? Admit(in Observation observation) => ValueJudge.IsBad(observation.Value) ? RejectionReason.BadValue : null;

    public bool IsSame(in Observation observation) => observation.Value.Equals(_value);

    public void Arrive(in Arrival arrival)
    {
        Settle();
        _isBroken = arrival.IsBroken;

        if (arrival.IsBroken)
        {
            _forecasts.Reset();
            _window = null;
        }

        _rewarmLeft = arrival.IsNewBeginning ? (byte)RewarmRows : _rewarmLeft;
    }

    public void Pass(in Observation observation)
    {
        Settle();
        _forecasts.Reset();
        _window = null;
        _value = observation.Value;
        _counter?.Take(_value);
        _said = new Said { Evidence = (float)Judgement.Unknown };
        _steps.SaidOf = null;
    }

    public bool TakeNoticeOf(BaseModel model, DetectionScratch scratch)
    {
        Settle();

        // h and c mean nothing under other weights.
        _isCold = true;
        return true;
    }

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        Settle();
        _value = observation.Value;
        _usualSeconds = (float)circumstances.UsualSeconds;
        _steps.SaidOf = this;
        Judgement said = _steps.Said;
        said.Clear();
        (said.Value, said.Actual) = (_value, _value);
        double? judged = _counter is null ? _value : _counter.Of(_value, circumstances.GapRatio);
        _isRestart = judged is null;

        if (_counter is { HasJustBecome: true })
        {
            Begin();
        }

        if (judged is not { } value)
        {
            Note(said);
            return;
        }

        _origin = _count == 0 ? value : _origin;
        _judged = (float)(value - _origin);

        if (_count == 0)
        {
            _indicators.Begin(_judged);
        }

        if (_isCold && _count > FirstBins)
        {
            WarmAgain(circumstances.Model.Weights);
        }

        _isCold = false;

        if (!IsLearning)
        {
            Say(said, circumstances);
        }

        Note(said);
    }

    public void Remember(Lesson lesson, in Circumstances circumstances)
    {
        _counter?.Take(_value);
        _rewarmLeft -= (byte)(_rewarmLeft > 0 ? 1 : 0);

        if (_isRestart)
        {
            (_window, _restarts) = (null, _restarts + 1);
            return;
        }

        bool teaches = lesson == Lesson.Normal;
        double seconds = SecondsOf(circumstances.Time);
        Follow(lesson, seconds);

        if (_said.IsJudged)
        {
            Calibrate(lesson);
        }

        RememberValue(teaches, seconds);

        if (_count > FirstBins)
        {
            Span<float> input = _steps.Add(this, circumstances.Model.Weights, out Span<int> anchors);
            Encode(0, Math.Log2(Math.Max(circumstances.GapRatio, 1e-3)), seconds, input, anchors);
            _isWaiting = true;
            WriteDown(teaches, circumstances, input, anchors);
        }

        // What is no counter by now never will be.
        _counter = _counter is { IsSettled: true } ? null : _counter;
    }

    /// <summary>The step this stream was due has been taken; false where its state had to be forgotten.</summary>
    /// <param name="state">h and c: (state).</param>
    /// <param name="logits">(horizons, bins): overwritten.</param>
    public bool Stepped(ReadOnlySpan<float> state, Span<float> logits)
    {
        _isWaiting = false;
        return _forecasts.Stepped(_count - 1, state, logits);
    }

    public void Spare(long firstRow, long endRow)
    {
        for (long ago = Math.Max(0, Rows - endRow); ago < Math.Min(RingRows, Rows - firstRow); ago++)
        {
            _abnormal |= 1u << (int)ago;
        }
    }

    public void Accept(long firstRow, long endRow)
    {
        for (long ago = Math.Max(0, Rows - endRow); ago < Math.Min(Math.Min(RingRows, _count), Rows - firstRow); ago++)
        {
            if ((_abnormal & (1u << (int)ago)) != 0)
            {
                _abnormal &= ~(1u << (int)ago);
                _sample.Add(Ago((int)ago), ref _random, must: true);
            }
        }

        // Of a new level the day before says how it goes on, not where.
        if (endRow - firstRow >= CleanTail.BlockRows)
        {
            _day.Shift(_indicators.DayOffset);
            _indicators.Accept();
        }

        ReadOnlySpan<double> scores = Last.Scores;

        for (int i = 0; i < scores.Length; i++)
        {
            _muted |= scores[i] >= Calm ? 1u << i : 0;
        }

        _calmRows = 0;
    }

    public void Ordinary(ReadOnlySpan<double> levels) => _ordinary = levels.ContainsAnyExcept(0) ? levels.ToArray() : null;

    public string Sentence()
    {
        Judgement said = Last;
        int strongest = Math.Max(0, said.Strongest);
        int measure = _indicators.MeasureOf(strongest, _judged);
        double unit = SharedIndicators.UnitOf(measure) == MeasureUnit.Values ? _unit : 1;
        return IndicatorSentences.Of(
            SharedIndicators.Asked[strongest], said.Values.IsEmpty ? 0 : said.Values[strongest], _tails.Usual(measure) * unit, said.Value, said.Expected,
            new IndicatorFigures(null, _indicators.UnchangedRows, (_indicators.StayRows, _tails.Usual(measure)), default))
            + (_counter is { IsCounter: true } ? $" (of a counter: judged by its rate, now {Figures.Of(_judged + _origin)} a row)" : "");
    }

    public Excerpt? Excerpt(DateTimeOffset? at, out string? missing)
    {
        missing = $"the stream is of form shared, which keeps its last {RingRows} values alone";
        return null;
    }

    public Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast) => default;

    public void Save(BinaryWriter writer)
    {
        Settle();
        writer.Write(_random.State);
        writer.Write(_value);
        writer.Write(_origin);
        writer.Write(_count);
        writer.Write(_restarts);
        writer.Write(_judged);
        writer.Write(_usualSeconds);
        writer.Write(_unit);
        writer.Write(_abnormal);
        writer.Write(_muted);
        writer.Write(_calmRows);
        writer.Write(_rewarmLeft);

        foreach (bool flag in (ReadOnlySpan<bool>)[_isBroken, _isAbnormal, _isRestart, _isCold, _counter is not null, _settling is not null])
        {
            writer.Write(flag);
        }

        _counter?.Save(writer);
        _settling?.Save(writer);
        _sample.Save(writer);
        _tails.Save(writer);
        _forecasts.Save(writer);
        _indicators.Save(writer);
        _day.Save(writer);
        writer.Write(MemoryMarshal.AsBytes((ReadOnlySpan<float>)_ring));
        writer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<Said>(ref _said)));
    }

    public bool Load(BinaryReader reader)
    {
        _random = new SeededRandom(reader.ReadUInt64());
        (_value, _origin, _count, _restarts) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadInt64(), reader.ReadInt64());
        (_judged, _usualSeconds, _unit) = (reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle());
        (_abnormal, _muted, _calmRows, _rewarmLeft) = (reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadByte(), reader.ReadByte());
        (_isBroken, _isAbnormal, _isRestart, _isCold) = (reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean());
        bool mayBeCounter = reader.ReadBoolean(), isUnsettled = reader.ReadBoolean();
        _counter = mayBeCounter ? new CounterRate() : null;
        _settling = isUnsettled ? new Settling() : null;
        _counter?.Load(reader);
        _settling?.Load(reader);
        _sample.Load(reader);
        _tails.Load(reader);
        _forecasts.Load(reader);
        _indicators.Load(reader);
        _day.Load(reader);
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes((Span<float>)_ring));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(new Span<Said>(ref _said)));
        return true;
    }

    private static double SecondsOf(DateTimeOffset time) => time.UtcDateTime.TimeOfDay.TotalSeconds;

    /// <summary>A value so many rows ago; 0 is the last that was remembered.</summary>
    private float Ago(int rows) => _ring[(int)((_count - 1 - rows) & (RingRows - 1))];

    /// <summary>Writes a clean row down where a window for the retrainer is under way, or begins.</summary>
    private void WriteDown(bool teaches, in Circumstances circumstances, ReadOnlySpan<float> input, ReadOnlySpan<int> anchors)
    {
        if (circumstances.Stream is not { } stream)
        {
            return;
        }

        _window = !teaches ? null : _window ?? WindowUnderWay.At(stream, _count);

        if (_window?.Add(stream, circumstances.Time, _sample.PlaceOf(_judged).Bin, input, anchors) is { } whole)
        {
            circumstances.Output.Windows.Add(whole);
            _window = null;
        }
    }

    /// <summary>A step that waits is taken first.</summary>
    private void Settle()
    {
        if (_isWaiting)
        {
            _steps.Take();
        }
    }

    /// <summary>What was seen before had another meaning.</summary>
    private void Begin()
    {
        (_count, _abnormal, _muted, _unit, _window) = (0, 0, 0, 0, null);
        (_sample, _tails, _indicators, _day) = (default, default, default, default);
        _forecasts.Reset();
    }

    private void Say(Judgement said, in Circumstances circumstances)
    {
        float[] measures = _steps.Measures, mixture = _steps.Probabilities;
        double seconds = SecondsOf(circumstances.Time);
        (Tail? next, Tail? ahead) = _forecasts.Judge(_count, _sample.PlaceOf(_judged), _sample, mixture, out (float Next, float Ahead) trust);
        _steps.Trust = trust;

        if (next is not null && _counter is not { IsCounter: true })
        {
            Span<double> cumulative = stackalloc double[QuantileBins.Count + 1];
            SharedSample.Cumulate(mixture, cumulative);
            float middle = _sample.QuantileOf(mixture, cumulative, 0.5);
            float lower = _sample.QuantileOf(mixture, cumulative, 0.01), upper = _sample.QuantileOf(mixture, cumulative, 0.99);
            said.Expected = (_origin + middle, _origin + lower, _origin + upper);
            said.IsAsForecast = _judged >= lower && _judged <= upper;
            said.Side = Math.Sign(_judged - middle);
        }

        _unit = _unit > 0 ? _unit : (float)_sample.Scale.Scale;
        _indicators.Observe(
            _judged, HasDay ? _day.At(seconds) : float.NaN, _isBroken ? null : next, _isBroken ? null : ahead, _unit, _sample.Resolution, measures);
        Weigh(measures, said);
        said.IsJudged = true;
        said.FlatRows = _indicators.UnchangedRows;
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
        double resolution = _sample.Resolution / _unit;
        bool areCalm = true;
        SharedTails.Encode(measures, _steps.Codes);
        _tails.Score(measures, codes, resolution, decades);

        for (int i = 0; i < plain.Length; i++)
        {
            int measure = _indicators.MeasureOf(i, _judged);
            double value = measures[measure], unit = SharedIndicators.UnitOf(measure) == MeasureUnit.Values ? _unit : 1;
            known[i] = codes[measure] != 0;
            values[i] = known[i] ? value * unit : 0;
            plain[i] = scores[i] = decades[measure];

            if (plain[i] > 0 && _ordinary is { } ordinary && ordinary[i] > 0)
            {
                scores[i] = Math.Min(plain[i], _tails.Excess(measure, value, ordinary[i] / unit, resolution));
            }

            if ((_muted & (1u << i)) != 0)
            {
                areCalm &= plain[i] < Calm;
                plain[i] = scores[i] = 0;
            }
        }

        _calmRows = areCalm ? (byte)Math.Min(_calmRows + 1, CalmRows) : (byte)0;
        _muted = _calmRows == CalmRows ? 0 : _muted;
        double most = MostOfConstant();
        said.Evidence = Math.Min(most, Evidence(scores, known));
        said.Plain = _ordinary is null ? null : Math.Min(most, Evidence(plain, known));
    }

    private double Evidence(ReadOnlySpan<double> decades, ReadOnlySpan<bool> known)
    {
        if (!_tails.IsKnown)
        {
            return 0;
        }

        double evidence = InRows + Math.Max(0, ScoreCombination.Combine(decades, known)), threshold = Threshold;

        // The strongest few come to no more than the strongest.
        if (evidence < threshold && TensorPrimitives.Max(decades) < threshold)
        {
            return evidence;
        }

        Span<double> sorted = stackalloc double[decades.Length];
        decades.CopyTo(sorted);
        sorted.Sort();
        double strongest = TensorPrimitives.Average<double>(sorted[^AgreedOf..]);
        TensorPrimitives.Min(sorted, AgreedMost, sorted);
        return evidence < threshold && TensorPrimitives.Average<double>(sorted[^AgreedOf..]) < threshold ? evidence : threshold + PerDecade * strongest;
    }

    /// <summary>What a row may be worth of a stream that never had but one value: as rare as it has stood still for long, and more as it is further away.</summary>
    private double MostOfConstant() =>
        !_sample.IsConstant ? double.PositiveInfinity
        : Math.Log10(_count) + Math.Log10(Math.Max(1, Math.Abs(_judged - _sample.Least) / _sample.Scale.Scale));

    private bool HasDay => AlertRate.DaySeconds / _usualSeconds >= DayRowsMin;

    private void Follow(Lesson lesson, double seconds)
    {
        if (lesson is Lesson.Normal or Lesson.Frozen)
        {
            _settling = null;
            return;
        }

        // A season goes on when a level has changed: what is to settle is the distance from it.
        float usual = HasDay ? _day.At(seconds) : 0;
        (_settling ??= new Settling()).Observe([_judged - (float.IsNaN(usual) ? 0 : usual)], isOrdinary: false, isAsForecast: _said.IsAsForecast);
    }

    /// <summary>Calibration takes what is suspicious too, and an incident's first row, but for a few steps: else the tail would end where suspicion begins.</summary>
    private void Calibrate(Lesson lesson)
    {
        if (lesson <= Lesson.Suspicious || (lesson == Lesson.Abnormal && !_isAbnormal))
        {
            _tails.Add(_steps.Codes, isClean: lesson == Lesson.Normal);
            _tails.Count();
        }

        _isAbnormal = lesson == Lesson.Abnormal;
    }

    private void RememberValue(bool teaches, double seconds)
    {
        if (teaches)
        {
            if (_said.IsJudged)
            {
                _forecasts.Trust(_steps.Trust);
            }

            if (HasDay)
            {
                _day.Add(_judged, seconds, _sample.Scale.Scale);
            }
        }

        _ring[(int)(_count++ & (RingRows - 1))] = _judged;
        _abnormal = (_abnormal << 1) | (teaches ? 0u : 1u);

        // A stream that has just begun has no time for a quarantine.
        if (_count <= _settings.Options.LearningRows)
        {
            _sample.Add(_judged, ref _random);
        }
        else if ((_abnormal & (1u << QuarantineRows)) == 0)
        {
            _sample.Add(Ago(QuarantineRows), ref _random);
        }

        if (_count % RefreshEvery == 0 && _count >= FirstBins)
        {
            Refresh();
        }
    }

    private void Refresh()
    {
        _sample.Refresh();
        double centre = _origin + _sample.Scale.Centre;
        _sample.Suppose(Math.Max(0.1 * Math.Abs(centre), centre == Math.Round(centre) ? 1 : 1e-3));
        double ratio = _sample.Scale.Scale / _unit;

        if (_unit > 0 && ratio is > UnitRatio or < 1 / UnitRatio)
        {
            _tails.Rescale(ratio);
            _unit = (float)_sample.Scale.Scale;
        }
    }

    /// <summary>h and c from zero over the last rows: after a swap they mean something again.</summary>
    private void WarmAgain(Model.ForecastWeights weights)
    {
        _forecasts.Reset();
        long count = _count;

        for (int ago = RingRows - 2; ago >= 0; ago--)
        {
            Span<float> input = _steps.Add(this, weights, out Span<int> anchors);
            _count = count - ago;
            Encode(ago, 0, double.NaN, input, anchors);
            _steps.Take();
        }

        _count = count;
    }

    /// <summary>Writes what the network is told of a row; see <see cref="ForecastInput"/>. The day's profile stands for the season.</summary>
    private void Encode(int ago, double gap, double seconds, Span<float> input, Span<int> anchors)
    {
        float value = Ago(0), before = Ago(1), beforeThat = Ago(2);
        double difference = Math.Max(1.6 * _indicators.UsualStep, 0.01 * _sample.Scale.Scale);
        Place place = _sample.PlaceOf(value);
        input.Clear();
        input[0] = (float)(3 * _sample.CentredRank(place));
        input[1] = (float)(0.7 * _sample.Scale.Y(value));
        input[2] = (float)(0.7 * Math.Asinh((value - before) / difference));
        input[3] = (float)(0.7 * Math.Asinh((before - beforeThat) / difference));
        input[4] = (float)(0.25 * Math.Clamp(gap, -8, 8));
        anchors.Fill(-1);
        bool isDaily = HasDay && !double.IsNaN(seconds);

        for (int h = 0; h < ForecastInput.Horizons.Length; h++)
        {
            anchors[h * ForecastInput.AnchorsPerHorizon] = place.Bin;

            if (isDaily && _day.At(seconds + ForecastInput.Horizons[h] * (double)_usualSeconds) is var usual && !float.IsNaN(usual))
            {
                Place usualPlace = _sample.PlaceOf(usual);
                input[5 + h] = (float)(3 * _sample.CentredRank(usualPlace));
                anchors[h * ForecastInput.AnchorsPerHorizon + 1] = usualPlace.Bin;
                input[11] = 1;
            }
        }
    }

    private void Note(Judgement said)
    {
        _said.Evidence = (float)said.Evidence;
        _said.Plain = (float)(said.Plain ?? double.NaN);
        _said.Expected = (float)(said.Expected?.Median - _origin ?? double.NaN);
        _said.Lower = (float)(said.Expected?.Lower - _origin ?? double.NaN);
        _said.Upper = (float)(said.Expected?.Upper - _origin ?? double.NaN);
        (_said.FlatRows, _said.Kind, _said.Side) = ((ushort)said.FlatRows, (byte)said.Kind, (sbyte)said.Side);
        (_said.IsJudged, _said.IsAsForecast) = (said.IsJudged, said.IsAsForecast);

        for (int i = 0; i < said.Count; i++)
        {
            _said.Scores[i] = (byte)Math.Clamp(Math.Round(16 * said.Scores[i]), 0, byte.MaxValue);
        }
    }

    private void Recall(Judgement said)
    {
        said.Clear();
        (said.Value, said.Actual) = (_value, _value);
        (said.IsJudged, said.IsAsForecast) = (_said.IsJudged, _said.IsAsForecast);
        said.Evidence = _said.Evidence;
        said.Plain = float.IsNaN(_said.Plain) ? null : _said.Plain;
        said.Expected = float.IsNaN(_said.Expected) ? null : (_origin + _said.Expected, _origin + _said.Lower, _origin + _said.Upper);
        (said.FlatRows, said.Kind, said.Side) = (_said.FlatRows, (IncidentKind)_said.Kind, _said.Side);
        said.Likeness = IndicatorSentences.LikenessOf(said.Kind);
        said.Count = _said.IsJudged ? SharedIndicators.Count : 0;

        for (int i = 0; i < said.Count; i++)
        {
            (said.AllScores[i], said.AllValues[i]) = (_said.Scores[i] / 16.0, 0);
        }
    }
}

/// <summary>What all streams in shared form of a shard have in common.</summary>
/// <param name="Options">How streams are learnt and judged.</param>
/// <param name="Terms">What is asked of alerts at present.</param>
internal sealed record SharedSettings(DetectionOptions Options, Func<AlertTerms> Terms);
