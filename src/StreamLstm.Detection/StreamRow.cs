using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model;

namespace StreamLstm.Detection;

/// <summary>All that one stream remembers, and what happens to an observation of it. One owner: its shard.</summary>
public sealed class StreamRow
{
    /// <summary>Values beyond this are taken for a fault of the sender.</summary>
    private const double ValueMax = 1e12;

    /// <summary>Rows after a long gap before the stream may alert again.</summary>
    private const int RewarmRows = 64;

    /// <summary>What a silence is worth, in decades.</summary>
    private const double SilenceScore = 4;

    private readonly DetectionOptions _options;
    private readonly Cadence _cadence = new();
    private readonly ValueDetector _detector;
    private readonly CoarseClock? _coarse;
    private readonly StreamEvidence _evidence;
    private readonly RecordBudget _records = new();
    private readonly AlertBudget _budget;
    private readonly AlertGate _gate;
    private readonly IncidentTracker _incident = new();
    private readonly RegimeAcceptance _regime = new();
    private readonly DecisionLog _decisions;
    private readonly IncidentMemory _incidents = new(Channels.AllCount);
    private SeededRandom _random;
    private long _mutedUntil;

    internal StreamRow(string stream, DetectionOptions options, AlertPolicy policy, BaseModel model, StreamForm form, bool ownWeights)
    {
        Stream = stream;
        Form = form;
        _options = options;
        _detector = new ValueDetector(options.LearningRows, MemorySizes.Of(form), model, ownWeights);
        _coarse = form == StreamForm.Full ? new CoarseClock(stream, options, model) : null;
        _evidence = new StreamEvidence(_detector.Evidence, _coarse);
        _decisions = new DecisionLog(MemorySizes.Of(form).Decisions, _coarse is null ? Channels.Count : Channels.AllCount);
        _budget = new AlertBudget(options.Alerts);
        _gate = policy.NewGate(stream);
        _random = SeededRandom.Of(stream, options.Seed);
        ModelVersion = model.Version;
    }

    /// <summary>The stream's name.</summary>
    public string Stream { get; }

    /// <summary>How much it may remember: as it was when the stream began.</summary>
    public StreamForm Form { get; }

    /// <summary>Observations learnt from so far.</summary>
    public long Rows => _detector.Rows;

    /// <summary>Where the stream stands.</summary>
    public Lifecycle Lifecycle =>
        _cadence.IsSilent ? Lifecycle.Silent
        : Rows < _options.LearningRows ? Lifecycle.Learning
        : Rows < _options.WarmUpRows ? Lifecycle.Calibrating
        : Lifecycle.Active;

    /// <summary>Share of the warm-up that is done, 0 to 1.</summary>
    public double Progress => Math.Min(1, (double)Rows / _options.WarmUpRows);

    /// <summary>The version of the base weights the stream last took notice of.</summary>
    public long ModelVersion { get; private set; }

    /// <summary>Whether the stream has weights of its own.</summary>
    public bool HasOwnWeights => _detector.HasOwnWeights;

    /// <summary>What its alerts must pass.</summary>
    internal AlertGate Gate => _gate;

    /// <summary>Seconds on the shard's clock at which the last observation came; for silence.</summary>
    internal double LastArrivalSeconds
    {
        get => _cadence.LastArrivalSeconds;
        set => _cadence.LastArrivalSeconds = value;
    }

    /// <summary>Whether the stream's records carry the present time: one that replays the past cannot fall silent.</summary>
    internal bool IsLive => _cadence.IsLive;

    /// <summary>How long the stream may be quiet before that is an incident: by the gaps it has shown.</summary>
    internal double SilenceAfterSeconds => _cadence.SilenceAfterSeconds;

    /// <summary>Whether the record policy admits the observation; if not, why.</summary>
    internal RejectionReason? Admit(in Observation observation, DateTimeOffset ingestedAt)
    {
        if (!double.IsFinite(observation.Value) || Math.Abs(observation.Value) > ValueMax)
        {
            return RejectionReason.BadValue;
        }

        return _cadence.Admit(observation.Time, ingestedAt, isSame: observation.Value.Equals(_detector.LastValue));
    }

    /// <summary>Scores an admitted observation against what was forecast for it, decides, and learns from it.</summary>
    internal ScoredObservation Apply(
        in Observation observation, DateTimeOffset ingestedAt, BaseModel model, DetectionScratch scratch, ShardOutput output)
    {
        long row = _detector.Rows;
        double value = observation.Value;
        Maintenance maintenance = _gate.MaintenanceAt(observation.Time);
        bool learns = !maintenance.FreezeLearning;
        double gapRatio = Arrive(observation, ingestedAt, learns, output);

        if (!learns && row < _options.WarmUpRows)
        {
            return Wait(observation);
        }

        if (model.Version != ModelVersion)
        {
            ModelVersion = model.Version;
            _detector.TakeNoticeOf(model, scratch);
            _coarse?.TakeNoticeOf(model, scratch);
        }

        // 1 score: the value against the forecasts made for it
        bool teaches = learns && !IsLabelledReal();
        _detector.Judge(value, teaches, scratch, ref _random);
        bool judged = _detector.IsJudged;
        (double Median, double Lower, double Upper)? expected = _detector.Expected;

        if (_coarse?.Observe(value, gapRatio, learns, teaches, _cadence.UsualSeconds, model, scratch) == false)
        {
            output.StateResets++;
        }

        _evidence.Update();

        // 2 decide
        double threshold = Threshold;
        (SuppressedBy Reason, long Rows) suppressed = Suppression(row, maintenance.MuteAlerts);
        SuppressedBy refused = SuppressedBy.None;
        bool alert = judged && Decide(observation, row, expected, maintenance.MuteAlerts, suppressed.Reason, output, out refused);
        _decisions.Add(
            Decision.Of(
                row, observation.Time, value, judged ? _evidence.Fast : null, judged ? _evidence.Plain : null, threshold, suppressed, refused, alert,
                _incident, ModelVersion) with
            {
                ExpectedOffset = expected is { } e ? (float)(e.Median - value) : float.NaN,
                LowerOffset = expected is { } l ? (float)(l.Lower - value) : float.NaN,
                UpperOffset = expected is { } u ? (float)(u.Upper - value) : float.NaN,
                FlatRows = _detector.Evidence.FlatRows,
            },
            _evidence.Scores);

        if (_incident.IsOpen && !_incident.IsSilence)
        {
            _incidents.Follow(_incident.OpenedRow, row, _evidence.Values, _evidence.Scores);
        }

        // 3 remember
        _detector.Remember(
            value, gapRatio, teaches, isAbnormal: !teaches || (_incident.IsOpen && !_incident.IsSilence), ref _random);
        ReportBank report = _detector.Report;
        double? alertScore = judged && row >= ReportBank.FirstScoredRow && row >= _mutedUntil ? _records.Observe(report.Fast, row) : null;

        // 4 learn
        if (learns)
        {
            Learn(scratch, output);
        }

        // 5 step: h, c and the forecasts of the rows to come
        if (!_detector.Step(model, scratch))
        {
            output.StateResets++;
        }

        bool active = Lifecycle == Lifecycle.Active;
        return new ScoredObservation(
            Stream,
            observation.Time,
            value,
            Lifecycle,
            Progress,
            active ? report.Slow : null,
            active ? ScoreCombination.ForPeople(Math.Max(report.Slow, _incident.IsOpen ? _evidence.Fast : BlockMaximaTail.Unknown)) : 0,
            expected?.Median,
            expected?.Lower,
            expected?.Upper,
            alert,
            active ? report.Strongest : "",
            ModelVersion)
        {
            AlertScore = alertScore,
            Evidence = active && row >= _mutedUntil ? Reported() : null,
            WarmUp = WarmUpAt(row),
        };
    }

    /// <summary>A stream in its warm-up does not get on with it while nothing may be learnt: the observation is taken and left aside.</summary>
    private ScoredObservation Wait(in Observation observation)
    {
        _detector.Pass(observation.Value);
        _coarse?.Break(gapRatio: 1, isNewBeginning: true);
        return new ScoredObservation(
            Stream, observation.Time, observation.Value, Lifecycle, Progress, AnomalyScore: null, Score: 0,
            Expected: null, Lower: null, Upper: null, IsAlert: false, Channel: "", ModelVersion)
        {
            WarmUp = WarmUpAt(_detector.Rows - 1)?.Standing(),
        };
    }

    /// <summary>Decades that open an incident: what the budget asks, and a decade more of a stream just warmed up, whose calibration rests on few blocks.</summary>
    private double Threshold
    {
        get
        {
            double youth = (double)_options.WarmUpRows / Math.Max(Rows, _options.WarmUpRows);
            return _budget.Threshold + youth * youth;
        }
    }

    /// <summary>Why the stream's last decision, or the one in force at a time, was made; null where it is not held, with the reason.</summary>
    internal Explanation? Explain(DateTimeOffset? at, out string? missing)
    {
        double interval = double.IsNaN(_cadence.UsualSeconds) ? 1 : _cadence.UsualSeconds;
        return _decisions.TryFind(at, interval, out Decision decision, out ReadOnlySpan<Half> scores, out missing)
            ? Explaining.Explain(
                Stream,
                Channels.Words,
                decision,
                scores,
                decision.Row < _options.LearningRows ? Lifecycle.Learning
                    : decision.Row < _options.WarmUpRows ? Lifecycle.Calibrating
                    : Lifecycle.Active,
                decision.SuppressedBy == SuppressedBy.WarmUp ? WarmUpAt(decision.Row) : null,
                _incidents.Of(decision.Row),
                _decisions.Held)
            : null;
    }

    /// <summary>Opens a silence incident when the stream has been quiet for too long.</summary>
    /// <param name="now">The wall clock, for the event.</param>
    /// <param name="clockSeconds">The shard's clock, which stands still while the machine does.</param>
    /// <param name="output">Where the event goes.</param>
    internal void CheckSilence(DateTimeOffset now, double clockSeconds, ShardOutput output)
    {
        bool again = _cadence.IsSilent;

        if (Rows < _options.LearningRows || !_cadence.FallsSilent(clockSeconds))
        {
            return;
        }

        // Asked before an incident is closed: that one has ended in this silence.
        SuppressedBy refused = _gate.AdmitSilence(now, SilenceScore);

        if (refused != SuppressedBy.None && !again)
        {
            _gate.Count(_detector.Rows, refused, output);
        }

        _cadence.IsSilenceHeld = AlertGate.IsForATime(refused);

        if (_incident.IsOpen)
        {
            output.Incidents.Add(Ended(_incident.Close(SilenceVerdict(now, ""), "the stream fell silent")));
        }

        if (refused != SuppressedBy.None)
        {
            return;
        }

        output.Incidents.Add(_incident.Open(SilenceVerdict(now, _cadence.ExplainSilence(clockSeconds))));
        FollowSilence(_incident.OpenedRow, clockSeconds - LastArrivalSeconds);
    }

    /// <summary>Takes a person's word that the present level is the new normal; false where no incident of a value is open.</summary>
    internal bool Accept(ShardOutput output)
    {
        if (!_incident.IsOpen || _incident.IsSilence)
        {
            return false;
        }

        Accept(
            NewVerdict(new Observation(Stream, _cadence.LastTime, _detector.LastValue), _detector.Rows - 1, expected: null),
            "accepted as the new normal",
            _detector.Rows,
            output);
        return true;
    }

    /// <summary>Takes a person's word on an incident, or with null takes it back; false where it is not known.</summary>
    /// <param name="incidentId">Its id.</param>
    /// <param name="label">What it was.</param>
    /// <param name="now">The wall clock, for a silence that ends by it.</param>
    /// <param name="clockSeconds">The shard's clock.</param>
    /// <param name="output">Where it is said that an incident is closed by it.</param>
    internal bool Label(string incidentId, IncidentLabel? label, DateTimeOffset now, double clockSeconds, ShardOutput output)
    {
        if (!_incidents.TryLabel(Stream, incidentId, label, _budget, _detector.Rows, out RememberedIncident? incident))
        {
            return false;
        }

        if (incident is null)
        {
            return true;
        }

        long opened = incident.OpenedRow;
        bool isOpen = _incident.IsOpen && _incident.OpenedRow == opened;

        if (incident.IsSilence && isOpen)
        {
            FollowSilence(opened, clockSeconds - LastArrivalSeconds);
        }

        if (!incident.IsSilence)
        {
            bool isAccepted = incident.EndRow - opened >= IncidentTracker.AcceptedRows;
            _detector.Mark(opened, incident.EndRow, abnormal: label switch
            {
                IncidentLabel.FalseAlarm => false,
                IncidentLabel.Real => true,
                _ => !isAccepted,
            });
        }

        if (label == IncidentLabel.Real && !incident.IsSilence)
        {
            // Row n-1 is the last that was observed: one ago.
            _detector.Exclude(_detector.Rows - opened, _detector.Rows - incident.EndRow + 1);
            _coarse?.Exclude(_detector.Rows - opened, _detector.Rows - incident.EndRow + 1);
        }

        _cadence.OrdinaryQuietSeconds = _incidents.OrdinaryQuietSeconds;
        TeachOrdinary();

        if (isOpen && label == IncidentLabel.FalseAlarm)
        {
            output.Incidents.Add(Ended(_incident.Close(
                incident.IsSilence
                    ? SilenceVerdict(now, "")
                    : NewVerdict(new Observation(Stream, _cadence.LastTime, _detector.LastValue), _detector.Rows - 1, expected: null),
                "labelled a false alarm")));
        }

        return true;
    }

    internal void Save(BinaryWriter writer)
    {
        writer.Write((byte)Form);
        writer.Write(_detector.HasOwnWeights);
        writer.Write(ModelVersion);
        writer.Write(_random.State);
        writer.Write(_mutedUntil);
        _cadence.Save(writer);
        _records.Save(writer);
        _budget.Save(writer);
        _gate.Save(writer);
        _incident.Save(writer);
        _regime.Save(writer);
        _incidents.Save(writer);
        _detector.Save(writer);
        _coarse?.Save(writer);
    }

    internal static StreamRow Load(string stream, DetectionOptions options, AlertPolicy policy, BaseModel model, BinaryReader reader)
    {
        var row = new StreamRow(stream, options, policy, model, LoadForm(stream, reader), ownWeights: reader.ReadBoolean())
        {
            ModelVersion = reader.ReadInt64(),
        };
        row._random = new SeededRandom(reader.ReadUInt64());
        row._mutedUntil = reader.ReadInt64();
        row._cadence.Load(reader);
        row._records.Load(reader);
        row._budget.Load(reader);
        row._gate.Load(reader);
        row._incident.Load(reader);
        row._regime.Load(reader);
        row._incidents.Load(reader);
        row._cadence.OrdinaryQuietSeconds = row._incidents.OrdinaryQuietSeconds;
        row._detector.Load(reader);
        row._coarse?.Load(reader);
        row.TeachOrdinary();
        return row;
    }

    private static StreamForm LoadForm(string stream, BinaryReader reader)
    {
        var form = (StreamForm)reader.ReadByte();
        return Enum.IsDefined(form) ? form : throw new InvalidDataException($"stream {stream}: form {(byte)form}, expected 0 or 1");
    }

    private double Arrive(in Observation observation, DateTimeOffset ingestedAt, bool learns, ShardOutput output)
    {
        double quietSeconds = (observation.Time - _cadence.LastTime).TotalSeconds;
        Arrival arrival = _cadence.Arrive(observation.Time, ingestedAt, isFirst: _detector.Rows == 0, learns, ref _random);

        if (arrival.WasSilent && _incident.IsSilence)
        {
            output.Incidents.Add(Ended(_incident.Close(SilenceVerdict(observation.Time, ""), "the stream is back")));
        }

        if (arrival.WasSilent && _incidents.Find(_detector.Rows) is not null)
        {
            FollowSilence(_detector.Rows, quietSeconds);
        }

        // What was forecast six rows on was forecast for another time: nothing is judged until the horizons are whole.
        if (arrival.IsBroken)
        {
            _detector.Reset();
            _coarse?.Break(arrival.GapRatio, arrival.IsNewBeginning);
        }

        if (arrival.IsNewBeginning)
        {
            _mutedUntil = _detector.Rows + RewarmRows;
        }

        return arrival.GapRatio;
    }

    private bool Decide(
        in Observation observation, long row, (double Median, double Lower, double Upper)? expected, bool muted, SuppressedBy suppressed,
        ShardOutput output, out SuppressedBy refused)
    {
        double score = _evidence.Fast;
        bool mayAlert = row >= _options.WarmUpRows && row >= _mutedUntil && _detector.IsWarm;
        bool above = mayAlert && score >= Threshold;
        SuppressedBy ruled = _gate.Weigh(
            new AlertCandidate(
                Channels.KindOf(_evidence.Strongest), ScoreCombination.ForPeople(Math.Max(score, _evidence.Slow)), observation.Value, expected?.Median),
            above);
        refused = SuppressedBy.None;

        if (_incident.IsOpen)
        {
            Verdict verdict = NewVerdict(observation, row, expected);
            double before = output.Incidents.Count;

            if (_incident.Follow(verdict, stillAbnormal: score >= Threshold / 2, muted) is { } followed)
            {
                output.Incidents.Add(followed.State == IncidentState.Closed ? Ended(followed) : followed);
                MarkIncident(row, followed);
            }

            AcceptStable(observation, row, expected, output);

            return above && output.Incidents.Count > before;
        }

        if (_regime.IsSettling)
        {
            _incident.FollowAccepted(row, score);
        }

        _regime.Settle(_incident, row, IsInBand(observation.Value, expected), alerts: above);
        bool alert = _gate.Opens(_incident, row, observation.Time, score, Threshold, mayAlert, ruled, suppressed, output, out refused);

        if (alert)
        {
            output.Incidents.Add(_incident.Open(NewVerdict(observation, row, expected)));
            _regime.Begin(settling: false);
        }

        if (row >= _options.WarmUpRows)
        {
            _budget.Observe(alert);
        }

        return alert;
    }

    private static bool IsInBand(double value, (double Median, double Lower, double Upper)? expected) =>
        expected is { } e && value >= e.Lower && value <= e.Upper;

    /// <summary>An incident in which the forecasts are right again for as long as the stream's rule asks is its new normal.</summary>
    private void AcceptStable(
        in Observation observation, long row, (double Median, double Lower, double Upper)? expected, ShardOutput output)
    {
        if (_gate.AcceptAfter == 0 || !_incident.IsOpen)
        {
            return;
        }

        _regime.Observe(IsInBand(observation.Value, expected), alerts: false);

        if (_regime.StableWindows >= _gate.AcceptAfter)
        {
            Accept(
                NewVerdict(observation, row, expected),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"accepted: as forecast for {_regime.StableWindows} windows of {IncidentTracker.QuietRows} observations"),
                row + 1,
                output);
        }
    }

    private void Accept(in Verdict verdict, string reason, long endRow, ShardOutput output)
    {
        if (_incidents.Find(_incident.OpenedRow)?.Label != IncidentLabel.Real)
        {
            _detector.Mark(_incident.OpenedRow, endRow, abnormal: false);
        }

        output.Incidents.Add(Ended(_incident.Accept(verdict, reason)));
        _regime.Begin(settling: true);
        _coarse?.Rest(IncidentTracker.AcceptedRows);
    }

    private IncidentEvent Ended(IncidentEvent closed)
    {
        _gate.Ended(closed.Time);
        return closed;
    }

    /// <summary>What keeps the row from opening an incident whatever its evidence, and for how many rows more.</summary>
    private (SuppressedBy Reason, long Rows) Suppression(long row, bool muted)
    {
        if (row < _options.WarmUpRows)
        {
            return (SuppressedBy.WarmUp, _options.WarmUpRows - row);
        }

        if (row < _mutedUntil || !_detector.IsWarm)
        {
            return (SuppressedBy.Gap, Math.Max(_mutedUntil - row, _detector.RowsUntilWarm));
        }

        return _incident.Suppression(row, muted, _regime.IsSettling);
    }

    /// <summary>How far the warm-up is with this row; null where the next one may alert.</summary>
    private WarmUp? WarmUpAt(long row) =>
        row + 1 < _options.WarmUpRows ? new WarmUp(row + 1, _options.WarmUpRows, _cadence.IntervalSeconds, IsAfterGap: false)
        : row + 1 < _mutedUntil ? new WarmUp(RewarmRows - (_mutedUntil - row - 1), RewarmRows, _cadence.IntervalSeconds, IsAfterGap: true)
        : null;

    private void FollowSilence(long openedRow, double quietSeconds)
    {
        _incidents.FollowSilence(openedRow, quietSeconds);
        _cadence.OrdinaryQuietSeconds = _incidents.OrdinaryQuietSeconds;
    }

    /// <summary>What an incident covered does not teach; what was accepted as the new normal does.</summary>
    private void MarkIncident(long row, IncidentEvent followed)
    {
        if (followed.State == IncidentState.Closed && row - _incident.OpenedRow >= IncidentTracker.AcceptedRows
            && _incidents.Find(_incident.OpenedRow)?.Label != IncidentLabel.Real)
        {
            _detector.Mark(_incident.OpenedRow, row, abnormal: false);
        }
    }

    /// <summary>Hands on what labels say is ordinary.</summary>
    private void TeachOrdinary()
    {
        Span<double> levels = stackalloc double[Channels.AllCount];
        _incidents.OrdinaryLevels(levels);
        _evidence.Teach(levels);
    }

    /// <summary>Whether the open incident is one that a person called real: it must not become usual.</summary>
    private bool IsLabelledReal() =>
        _incident.IsOpen && !_incident.IsSilence && _incidents.Find(_incident.OpenedRow)?.Label == IncidentLabel.Real;

    private void Learn(DetectionScratch scratch, ShardOutput output)
    {
        if (!_detector.Learn(_cadence.UsualSeconds, scratch, ref _random))
        {
            output.TrainingStepsUndone++;
        }

        if (!_incident.IsOpen && _detector.CleanWindow() is { } window)
        {
            output.Windows.Add(window);
        }
    }

    /// <summary>What the observation says by itself, by both clocks.</summary>
    private double Reported() => _coarse is { IsActive: true } coarse
        ? ScoreCombination.PowerMean([_detector.Report.Fast, coarse.Reported], ReportBank.FastPower)
        : _detector.Report.Fast;

    private Verdict NewVerdict(in Observation observation, long row, (double Median, double Lower, double Upper)? expected)
    {
        int strongest = _evidence.Strongest;
        double score = Math.Max(_evidence.Fast, _evidence.Slow);
        return new Verdict
        {
            Stream = Stream,
            Row = row,
            Time = observation.Time,
            Onset = observation.Time,
            Kind = Channels.KindOf(strongest),
            AnomalyScore = score,
            Score = ScoreCombination.ForPeople(score),
            Actual = observation.Value,
            Expected = expected?.Median,
            Lower = expected?.Lower,
            Upper = expected?.Upper,
            ChannelScores = _evidence.Scores,
            Explanation = Explain(observation.Value, expected, strongest),
            ModelVersion = ModelVersion,
        };
    }

    private Verdict SilenceVerdict(DateTimeOffset now, string explanation) => new()
    {
        Stream = Stream,
        Row = _detector.Rows,
        Time = now,
        Onset = _cadence.LastTime,
        Kind = IncidentKind.Silence,
        AnomalyScore = SilenceScore,
        Score = ScoreCombination.ForPeople(SilenceScore),
        Explanation = explanation,
        ModelVersion = ModelVersion,
    };

    private string Explain(double value, (double Median, double Lower, double Upper)? expected, int strongest)
    {
        string band = expected is { } e
            ? string.Create(CultureInfo.InvariantCulture, $", expected {e.Median:G5} ({e.Lower:G5} to {e.Upper:G5})")
            : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{value:G6}{band}: {Channels.Sentence(strongest, _detector.Evidence.FlatRows)}; seen so far {_detector.Seen.Low:G5} to {_detector.Seen.High:G5}; evidence {_evidence.Fast:0.0} of {Threshold:0.0} decades needed");
    }
}
