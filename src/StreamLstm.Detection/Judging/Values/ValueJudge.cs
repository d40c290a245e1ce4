using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>Judges single values: forecasts, seasons, levels, shapes, by each value and by means of eight.</summary>
internal sealed class ValueJudge : IJudge
{
    /// <summary>Values beyond this are taken for a fault of the sender.</summary>
    public const double ValueMax = 1e12;

    /// <summary>Rows after a long gap before the stream may alert again.</summary>
    private const int RewarmRows = 64;

    /// <summary>A fiftieth of a comparable event was to be expected.</summary>
    private const double LeastEvidence = 1.7;

    private readonly DetectionOptions _options;
    private readonly ValueDetector _detector;
    private readonly CoarseClock? _coarse;
    private readonly StreamEvidence _evidence;
    private readonly Settling _settling = new();
    private SeededRandom _random;
    private long _mutedUntil;

    public ValueJudge(string stream, DetectionOptions options, BaseModel model, StreamForm form, bool ownWeights)
    {
        _options = options;
        _detector = new ValueDetector(options.LearningRows, MemorySizes.Of(form), model, ownWeights);
        _coarse = form == StreamForm.Full ? new CoarseClock(stream, options, model) : null;
        _evidence = new StreamEvidence(_detector.Evidence, _coarse);
        _random = SeededRandom.Of(stream, options.Seed);
        Indicators = _coarse is null ? Channels.Count : Channels.AllCount;
    }

    public long Rows => _detector.Rows;

    public (long Rows, long Needed) WarmUp => (Rows, _options.WarmUpRows);

    public bool IsLearning => Rows < _options.LearningRows;

    public (long Left, long Of) Rewarming => (Math.Max(Math.Max(0, _mutedUntil - Rows), _detector.RowsUntilWarm), RewarmRows);

    public int CadenceRows => _options.LearningRows;

    public bool TakesAnyTime => false;

    public bool HasOwnWeights => _detector.HasOwnWeights;

    /// <summary>A decade more is asked of a stream just warmed up, whose calibration rests on few blocks.</summary>
    public double Threshold
    {
        get
        {
            double youth = (double)_options.WarmUpRows / Math.Max(Rows, _options.WarmUpRows);
            return LeastEvidence + youth * youth;
        }
    }

    public bool IsSettled => _settling.IsSettled;

    public int StableWindows => _settling.StableWindows;

    public int Indicators { get; }

    public IndicatorWords Words => Channels.Words;

    public Judgement Last { get; } = new(Channels.AllCount);

    public RejectionReason? Admit(in Observation observation) =>
        !double.IsFinite(observation.Value) || Math.Abs(observation.Value) > ValueMax ? RejectionReason.BadValue : null;

    public bool IsSame(in Observation observation) => observation.Value.Equals(_detector.LastValue);

    /// <summary>What was forecast six rows on was forecast for another time: nothing is judged until the horizons are whole.</summary>
    public void Arrive(in Arrival arrival)
    {
        if (arrival.IsBroken)
        {
            _detector.Reset();
            _coarse?.Break(arrival.GapRatio, arrival.IsNewBeginning);
        }

        _mutedUntil = arrival.IsNewBeginning ? Rows + RewarmRows : _mutedUntil;
    }

    public void Pass(in Observation observation)
    {
        _detector.Pass(observation.Value);
        _coarse?.Break(gapRatio: 1, isNewBeginning: true);
        Last.Clear();
        Last.Value = observation.Value;
    }

    public void TakeNoticeOf(BaseModel model, DetectionScratch scratch)
    {
        _detector.TakeNoticeOf(model, scratch);
        _coarse?.TakeNoticeOf(model, scratch);
    }

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        double value = observation.Value;
        _detector.Judge(value, circumstances.Scratch);
        _coarse?.Judge(value, circumstances.GapRatio, circumstances.Scratch);
        Last.Clear();
        Last.IsJudged = _detector.IsJudged;
        Last.Value = value;
        Last.Actual = value;
        Last.Expected = _detector.Expected;
        Last.FlatRows = _detector.Evidence.FlatRows;
        Last.IsAsForecast = Last.Expected is { } e && value >= e.Lower && value <= e.Upper;
        Last.Side = Last.Expected is { } expected ? Math.Sign(value - expected.Median) : 0;
        _evidence.Into(Last);
        Last.Kind = Channels.KindOf(Last.Strongest);
        Last.Likeness = Channels.LikenessOf(Last.Kind);
    }

    public void Remember(Lesson lesson, in Circumstances circumstances)
    {
        ShardOutput output = circumstances.Output;
        DetectionScratch scratch = circumstances.Scratch;
        double value = Last.Value;
        _settling.Observe([value], isOrdinary: lesson is Lesson.Normal or Lesson.Frozen, isAsForecast: Last.IsAsForecast);
        _detector.Remember(value, circumstances.GapRatio, lesson, ref _random);

        if (lesson <= Lesson.Suspicious)
        {
            output.TrainingStepsUndone += _detector.Learn(circumstances.UsualSeconds, scratch, ref _random) ? 0 : 1;

            if (_detector.CleanWindow() is { } window)
            {
                output.Windows.Add(window);
            }
        }

        output.StateResets += _detector.Step(circumstances.Model, scratch) ? 0 : 1;
        output.StateResets += _coarse?.Remember(lesson, circumstances.UsualSeconds, circumstances.Model, scratch) == false ? 1 : 0;
    }

    public void Spare(long firstRow, long endRow)
    {
        _detector.Spare(firstRow, endRow);
        _coarse?.Spare(Rows - firstRow, Rows - endRow + 1);
    }

    public void Accept(long firstRow, long endRow)
    {
        _detector.Accept(firstRow, endRow, ref _random);
        _coarse?.Accept(Rows - firstRow, Rows - endRow + 1);
    }

    public void Ordinary(ReadOnlySpan<double> levels) => _evidence.Ordinary(levels);

    public string Sentence()
    {
        int strongest = Math.Max(0, Last.Strongest);

        // A value inside its band is not odd by that band: what is, is said instead.
        string band = Last.Expected is { } e && !Last.IsAsForecast
            ? $", expected {Figures.Of(e.Median)} ({Figures.Of(e.Lower)} to {Figures.Of(e.Upper)})"
            : "";
        string range = Last.Kind == IncidentKind.Range
            ? $"; seen so far {Figures.Of(_detector.Seen.Low)} to {Figures.Of(_detector.Seen.High)}"
            : "";
        return string.Create(CultureInfo.InvariantCulture, $"{Figures.Of(Last.Value)}{band}: {Channels.Sentence(strongest, Last.FlatRows)}{range}");
    }

    public Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast) => default;

    public void Save(BinaryWriter writer)
    {
        writer.Write(_random.State);
        writer.Write(_mutedUntil);
        Last.Save(writer);
        _settling.Save(writer);
        _detector.Save(writer);
        _coarse?.Save(writer);
    }

    public bool Load(BinaryReader reader)
    {
        _random = new SeededRandom(reader.ReadUInt64());
        _mutedUntil = reader.ReadInt64();
        Last.Load(reader);
        _settling.Load(reader);
        _detector.Load(reader);
        _coarse?.Load(reader);
        return true;
    }
}
