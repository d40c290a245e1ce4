using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>All that one stream of records remembers, and what happens to a record of it. One owner: its shard.</summary>
/// <remarks>
/// The values of a record are judged together (<see cref="VectorDetector"/>); what that is worth as evidence
/// (<see cref="JointEvidence"/>) opens and closes incidents as it does for single values. What each column was expected to
/// be is said before the record comes (<see cref="JointForecaster"/>), and decides nothing. Of an alert rule all is asked
/// but direction and deviations: a record's columns have each their own unit, and may deviate to both sides at once.
/// </remarks>
public sealed class VectorRow
{
    /// <summary>Values beyond this are taken for a fault of the sender.</summary>
    private const double ValueMax = 1e12;

    /// <summary>Scored rows before the stream may alert: eight blocks of maxima.</summary>
    private const int CalibrationRows = 200;

    /// <summary>Columns an explanation names at most.</summary>
    private const int ExplainedMax = 3;

    /// <summary>Share below which a column is not worth naming.</summary>
    private const double ExplainedShare = 0.1;

    /// <summary>Last decisions that can be explained.</summary>
    private const int DecisionsMax = 64;

    /// <summary>What a silence is worth, in decades.</summary>
    private const double SilenceScore = 4;

    /// <summary>Two alerts a day at one row a second. Two memories are asked: twice the evidence.</summary>
    private static readonly AlertBudgetOptions Budget = new() { ThresholdMin = 2.3, RowsPerAlert = 43_200 };

    private readonly DetectionOptions _options;
    private readonly VectorOptions _vector;
    private readonly ColumnTable _table;
    private readonly Cadence _cadence = new();
    private readonly JointEvidence _evidence = new();
    private readonly AlertBudget _budget = new(Budget);
    private readonly AlertGate _gate;
    private readonly IncidentTracker _incident = new();
    private readonly RegimeAcceptance _regime = new();
    private readonly IncidentMemory _incidents = new(JointEvidence.Indicators);
    private DecisionLog _decisions = new(DecisionsMax, JointEvidence.Indicators);
    private VectorDetector? _detector;
    private JointForecaster? _forecaster;
    private ObservedRecord? _last;
    private double[] _values = [];      // (D): the row that is judged
    private double[] _previous = [];    // (D): each column's last value, NaN before the first
    private double[] _shares = [];      // (scored)
    private bool[] _imputed = [];       // (D)
    private double[] _observed = [];    // (D): the judged row without what stood in for missing values
    private (double Median, double Lower, double Upper)?[] _forecast = [];   // (D): made before the row that is judged
    private SeededRandom _random;
    private long _scoredRows;
    private long _wholeFromRow;
    private long _acceptedUntilRow; // what was accepted is news to the slow tails until then

    internal VectorRow(string stream, DetectionOptions options, AlertPolicy policy, VectorOptions vector)
    {
        Stream = stream;
        _options = options;
        _vector = vector;
        _gate = policy.NewGate(stream);
        _random = SeededRandom.Of(stream, options.Seed);
        _table = new ColumnTable(vector);
        _table.UseConfigured();

        if (_table.IsKnown)
        {
            Prepare();
        }
    }

    /// <summary>The stream's name.</summary>
    public string Stream { get; }

    /// <summary>Records taken so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Names of its columns, the scored ones first; empty while they are not known.</summary>
    public IReadOnlyList<string> Columns => _table.Names;

    /// <summary>How many of the columns, from the first, are scored; the others are context.</summary>
    public int ScoredColumns => _table.Scored;

    /// <summary>Where the stream stands.</summary>
    public Lifecycle Lifecycle =>
        _cadence.IsSilent ? Lifecycle.Silent
        : _scoredRows == 0 ? Lifecycle.Learning
        : _scoredRows < CalibrationRows ? Lifecycle.Calibrating
        : Lifecycle.Active;

    /// <summary>Share of the warm-up that is done, 0 to 1.</summary>
    public double Progress => Math.Min(1, (double)WarmUpRowsDone / WarmUpRows);

    private static int WarmUpRows => VectorDetector.LearningRows + CalibrationRows;

    /// <summary>What its alerts must pass.</summary>
    internal AlertGate Gate => _gate;

    private long WarmUpRowsDone => _scoredRows == 0 ? Math.Min(Rows, VectorDetector.LearningRows) : VectorDetector.LearningRows + _scoredRows;

    /// <summary>Seconds on the shard's clock at which the last record came; for silence.</summary>
    internal double LastArrivalSeconds
    {
        get => _cadence.LastArrivalSeconds;
        set => _cadence.LastArrivalSeconds = value;
    }

    /// <summary>Whether the record policy admits the record; if not, why.</summary>
    internal RejectionReason? Admit(in Observation observation, DateTimeOffset ingestedAt)
    {
        ObservedRecord record = observation.Record!;
        return _cadence.Admit(observation.Time, ingestedAt, isSame: _last?.Holds(record) == true)
            ?? (_table.HasTooFewWith(record) ? RejectionReason.TooFewColumns : null);
    }

    /// <summary>Scores an admitted record by analogy with the stream's past, decides, and learns from it.</summary>
    internal ScoredObservation Apply(
        in Observation observation, DateTimeOffset ingestedAt, long modelVersion, DetectionScratch scratch, ShardOutput output)
    {
        ObservedRecord record = observation.Record!;
        Maintenance maintenance = _gate.MaintenanceAt(observation.Time);
        bool learns = !maintenance.FreezeLearning;
        Arrive(observation.Time, ingestedAt, learns, modelVersion, output);

        if (!learns && Lifecycle != Lifecycle.Active)
        {
            return Wait(observation, modelVersion);
        }

        double? score = null;
        bool alert = false;
        IReadOnlyList<ColumnFigure> figures;

        if (_table.IsKnown)
        {
            bool teaches = learns && !IsLabelledReal();
            score = Judge(record, teaches, output);
            figures = Figures();

            if (score is { } decided)
            {
                (SuppressedBy Reason, long Rows) suppressed = Suppression(maintenance.MuteAlerts);
                double threshold = _budget.Threshold;
                alert = Decide(observation.Time, figures, maintenance.MuteAlerts, suppressed.Reason, modelVersion, output, out SuppressedBy refused);
                Note(observation.Time, decided, threshold, suppressed, refused, alert, modelVersion);
            }

            Forecast(teaches, scratch, output);
        }
        else
        {
            figures = Unjudged(record);

            if (_table.Gather(record))
            {
                Prepare();

                foreach (ObservedRecord gathered in _table.Gathered)
                {
                    Judge(gathered, learns, output);
                    Forecast(learns, scratch, output);
                }

                _table.ClearGathered();
            }
        }

        _last = record;
        Rows++;
        bool active = Lifecycle == Lifecycle.Active;
        return new ScoredObservation(
            Stream,
            observation.Time,
            score ?? 0,
            Lifecycle,
            Progress,
            score,
            active ? ScoreCombination.ForPeople(Math.Max(_evidence.Slow, _incident.IsOpen ? _evidence.Fast : BlockMaximaTail.Unknown)) : 0,
            Expected: null,
            Lower: null,
            Upper: null,
            alert,
            score is null ? "" : "analogy",
            modelVersion)
        {
            Columns = figures,
            WarmUp = active ? null : WarmUpNow(),
        };
    }

    /// <summary>A stream in its warm-up does not get on with it while nothing may be learnt: the record is taken and left aside.</summary>
    private ScoredObservation Wait(in Observation observation, long modelVersion)
    {
        _last = observation.Record;
        _wholeFromRow = Rows + VectorDetector.WindowRows;
        _forecaster?.Reset();
        return new ScoredObservation(
            Stream, observation.Time, Value: 0, Lifecycle, Progress, AnomalyScore: null, Score: 0,
            Expected: null, Lower: null, Upper: null, IsAlert: false, Channel: "", modelVersion)
        {
            Columns = Unjudged(observation.Record!),
            WarmUp = WarmUpNow().Standing(),
        };
    }

    /// <summary>Opens a silence incident when the stream has been quiet for too long.</summary>
    /// <param name="now">The wall clock, for the event.</param>
    /// <param name="clockSeconds">The shard's clock, which stands still while the machine does.</param>
    /// <param name="modelVersion">The version of the base weights in service.</param>
    /// <param name="output">Where the event goes.</param>
    internal void CheckSilence(DateTimeOffset now, double clockSeconds, long modelVersion, ShardOutput output)
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
            _gate.Count(Rows, refused, output);
        }

        _cadence.IsSilenceHeld = AlertGate.IsForATime(refused);

        if (_incident.IsOpen)
        {
            output.Incidents.Add(Ended(_incident.Close(SilenceVerdict(now, "", modelVersion), "the stream fell silent")));
        }

        if (refused != SuppressedBy.None)
        {
            return;
        }

        output.Incidents.Add(_incident.Open(SilenceVerdict(now, _cadence.ExplainSilence(clockSeconds), modelVersion)));
        FollowSilence(_incident.OpenedRow, clockSeconds - LastArrivalSeconds);
    }

    /// <summary>Why the stream's last decision, or the one in force at a time, was made; null where it is not held, with the reason.</summary>
    internal Explanation? Explain(DateTimeOffset? at, out string? missing)
    {
        double interval = double.IsNaN(_cadence.UsualSeconds) ? 1 : _cadence.UsualSeconds;

        if (!_decisions.TryFind(at, interval, out Decision decision, out ReadOnlySpan<Half> scores, out missing))
        {
            return null;
        }

        ReadOnlySpan<Half> shares = scores[JointEvidence.Indicators..];
        var columns = new ColumnFigure[shares.Length];

        for (int column = 0; column < columns.Length; column++)
        {
            columns[column] = new ColumnFigure { Column = _table.Names[column], Share = (double)shares[column] };
        }

        bool isLast = decision.Row == Rows - 1;
        return Explaining.Explain(
            Stream,
            JointEvidence.Words,
            decision,
            scores[..JointEvidence.Indicators],
            decision.SuppressedBy == SuppressedBy.WarmUp ? Lifecycle.Calibrating : Lifecycle.Active,
            decision.SuppressedBy == SuppressedBy.WarmUp ? WarmUpNow() : null,
            _incidents.Of(decision.Row),
            _decisions.Held,
            Subject(columns)) with
        {
            Columns = isLast ? Figures() : columns,
        };
    }

    /// <summary>Takes a person's word on an incident, or with null takes it back; false where it is not known.</summary>
    /// <param name="incidentId">Its id.</param>
    /// <param name="label">What it was.</param>
    /// <param name="now">The wall clock, for a silence that ends by it.</param>
    /// <param name="clockSeconds">The shard's clock.</param>
    /// <param name="modelVersion">The version of the base weights in service.</param>
    /// <param name="output">Where it is said that an incident is closed by it.</param>
    internal bool Label(
        string incidentId, IncidentLabel? label, DateTimeOffset now, double clockSeconds, long modelVersion, ShardOutput output)
    {
        if (!_incidents.TryLabel(Stream, incidentId, label, _budget, Rows, out RememberedIncident? incident))
        {
            return false;
        }

        if (incident is null)
        {
            return true;
        }

        bool isOpen = _incident.IsOpen && _incident.OpenedRow == incident.OpenedRow;

        if (incident.IsSilence && isOpen)
        {
            FollowSilence(incident.OpenedRow, clockSeconds - LastArrivalSeconds);
        }

        if (label == IncidentLabel.Real && !incident.IsSilence)
        {
            // Row n-1 is the last that was observed: one ago.
            _evidence.Exclude(Rows - incident.OpenedRow, Rows - incident.EndRow + 1);
            _detector!.Exclude(Rows - incident.OpenedRow, Rows - incident.EndRow + 1);
        }

        TeachOrdinary();

        if (isOpen && label == IncidentLabel.FalseAlarm)
        {
            output.Incidents.Add(Ended(_incident.Close(
                incident.IsSilence ? SilenceVerdict(now, "", modelVersion) : NewVerdict(_cadence.LastTime, Figures(), modelVersion),
                "labelled a false alarm")));
        }

        return true;
    }

    /// <summary>Takes a person's word that the present state is the new normal; false where no incident of records is open.</summary>
    internal bool Accept(long modelVersion, ShardOutput output)
    {
        if (!_incident.IsOpen || _incident.IsSilence)
        {
            return false;
        }

        Accept(NewVerdict(_cadence.LastTime, Figures(), modelVersion), "accepted as the new normal", output);
        return true;
    }

    internal void Save(BinaryWriter writer)
    {
        writer.Write(Rows);
        writer.Write(_scoredRows);
        writer.Write(_wholeFromRow);
        writer.Write(_random.State);
        _table.Save(writer);
        _cadence.Save(writer);
        _evidence.Save(writer);
        _budget.Save(writer);
        _gate.Save(writer);
        _incident.Save(writer);
        _regime.Save(writer);
        _incidents.Save(writer);
        writer.Write(_acceptedUntilRow);
        writer.Write(_last is not null);

        if (_last is not null)
        {
            ColumnTable.Save(writer, _last);
        }

        foreach (double value in _previous)
        {
            writer.Write(value);
        }

        _detector?.Save(writer);
        _forecaster?.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="options">How streams are judged.</param>
    /// <param name="policy">What is asked of alerts.</param>
    /// <param name="vector">How this one is.</param>
    /// <param name="reader">At the beginning of its part; afterwards at its end.</param>
    /// <returns>The stream as it was; one that has seen nothing where other columns are configured now.</returns>
    internal static VectorRow Load(
        string stream, DetectionOptions options, AlertPolicy policy, VectorOptions vector, BinaryReader reader)
    {
        var row = new VectorRow(stream, options, policy, vector);
        string configured = string.Join('\n', row.Columns);
        int scored = row.ScoredColumns;
        row.Rows = reader.ReadInt64();
        row._scoredRows = reader.ReadInt64();
        row._wholeFromRow = reader.ReadInt64();
        row._random = new SeededRandom(reader.ReadUInt64());
        row._table.Load(reader);
        row._cadence.Load(reader);
        row._evidence.Load(reader);
        row._budget.Load(reader);
        row._gate.Load(reader);
        row._incident.Load(reader);
        row._regime.Load(reader);
        row._incidents.Load(reader);
        row.TeachOrdinary();
        row._acceptedUntilRow = reader.ReadInt64();

        if (reader.ReadBoolean())
        {
            row._last = ColumnTable.LoadRecord(reader);
        }

        row._detector = null;
        row._forecaster = null;
        row._previous = [];

        if (row._table.IsKnown)
        {
            row.Prepare();
        }

        for (int column = 0; column < row._previous.Length; column++)
        {
            row._previous[column] = reader.ReadDouble();
        }

        row._detector?.Load(reader);
        row._forecaster?.Load(reader);

        if (row._last is not null && row._table.IsKnown)
        {
            row._table.Place(row._last, row._values);
        }

        bool isSame = vector.Columns.Count == 0
            ? row.Columns.Skip(row.ScoredColumns).All(vector.Context.Contains) && !row.Columns.Take(row.ScoredColumns).Any(vector.Context.Contains)
            : configured == string.Join('\n', row.Columns) && scored == row.ScoredColumns;
        return isSame ? row : new VectorRow(stream, options, policy, vector);
    }

    private void Prepare()
    {
        int columns = _table.Names.Count;

        // One seed for all: what is sampled never depends on a stream's name, so a file's scores stay when it is renamed.
        _detector = new VectorDetector(columns, _table.Scored, (ulong)_options.Seed);
        _forecaster = new JointForecaster(columns, (ulong)_options.Seed);
        _values = new double[columns];
        _previous = new double[columns];
        _shares = new double[_table.Scored];
        _decisions = new DecisionLog(DecisionsMax, JointEvidence.Indicators + _table.Scored);
        _imputed = new bool[columns];
        _observed = new double[columns];
        _forecast = new (double Median, double Lower, double Upper)?[columns];
        _previous.AsSpan().Fill(double.NaN);
    }

    private void Arrive(DateTimeOffset time, DateTimeOffset ingestedAt, bool learns, long modelVersion, ShardOutput output)
    {
        double quietSeconds = (time - _cadence.LastTime).TotalSeconds;
        Arrival arrival = _cadence.Arrive(time, ingestedAt, isFirst: Rows == 0, learns, ref _random);

        if (arrival.WasSilent && _incident.IsSilence)
        {
            output.Incidents.Add(Ended(_incident.Close(SilenceVerdict(time, "", modelVersion), "the stream is back")));
        }

        if (arrival.WasSilent && _incidents.Find(Rows) is { IsSilence: true })
        {
            FollowSilence(Rows, quietSeconds);
        }

        // A window that reaches over a gap is like none before: nothing is decided until windows are whole again.
        if (arrival.IsBroken)
        {
            _wholeFromRow = Rows + VectorDetector.WindowRows;
            _forecaster?.Reset();
        }
    }

    /// <summary>Takes the judged row for the last, and forecasts the next: what stood in for a missing value was not observed.</summary>
    private void Forecast(bool learns, DetectionScratch scratch, ShardOutput output)
    {
        for (int column = 0; column < _observed.Length; column++)
        {
            _observed[column] = _imputed[column] ? double.NaN : _values[column];
        }

        bool isAbnormal = _incident.IsOpen && !_incident.IsSilence;

        if (!_forecaster!.Take(_observed, learns, isAbnormal, scratch.Joint(_observed.Length)))
        {
            output.TrainingStepsUndone++;
        }
    }

    private void FollowSilence(long openedRow, double quietSeconds)
    {
        _incidents.FollowSilence(openedRow, quietSeconds);
        _cadence.OrdinaryQuietSeconds = _incidents.OrdinaryQuietSeconds;
    }

    /// <summary>Hands on what labels say is ordinary.</summary>
    private void TeachOrdinary()
    {
        Span<double> levels = stackalloc double[JointEvidence.Indicators];
        _incidents.OrdinaryLevels(levels);
        _evidence.Teach(levels);
        _cadence.OrdinaryQuietSeconds = _incidents.OrdinaryQuietSeconds;
    }

    /// <summary>The row's J; null while it has none.</summary>
    private double? Judge(ObservedRecord record, bool learns, ShardOutput output)
    {
        output.ValuesOfUnknownColumns += _table.Place(record, _values);

        foreach (ref double value in _values.AsSpan())
        {
            if (Math.Abs(value) > ValueMax)
            {
                output.ValuesMasked++;
                value = double.NaN;
            }
        }

        Impute();
        VectorVerdict verdict = _detector!.Apply(_values, _shares, learns);

        for (int column = 0; column < _forecast.Length; column++)
        {
            _forecast[column] = _forecaster!.Expect(column);
        }

        if (verdict.Score is not { } score)
        {
            return null;
        }

        _scoredRows++;

        if (Rows < _wholeFromRow)
        {
            _evidence.Skip();
        }
        else
        {
            // J is a mean over the scored columns, so the strongest one's part of it is its share of the sum.
            _evidence.Observe(score, score * _shares.AsSpan().Length * Highest(_shares), learns);
        }

        return score;
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

    private bool Decide(
        DateTimeOffset time, IReadOnlyList<ColumnFigure> figures, bool muted, SuppressedBy suppressed, long modelVersion, ShardOutput output,
        out SuppressedBy refused)
    {
        refused = SuppressedBy.None;
        double score = Opening();
        bool mayAlert = Lifecycle == Lifecycle.Active;
        bool above = mayAlert && score >= _budget.Threshold;
        SuppressedBy ruled = _gate.Weigh(
            new AlertCandidate(IncidentKind.Contextual, ScoreCombination.ForPeople(Math.Max(score, _evidence.Slow))), above);

        if (_incident.IsOpen)
        {
            IncidentEvent? followed = _incident.Follow(
                NewVerdict(time, figures, modelVersion), stillAbnormal: _evidence.Slow >= _budget.Threshold / 2, muted);

            if (followed is not null)
            {
                output.Incidents.Add(followed.State == IncidentState.Closed ? Ended(followed) : followed);
            }

            if (_incident.IsOpen)
            {
                Remember();
            }

            AcceptStable(time, figures, modelVersion, output);
            return above && followed is not null;
        }

        _regime.Settle(_incident, Rows, IsOrdinary(), alerts: above);
        bool alert = _gate.Opens(_incident, Rows, time, score, _budget.Threshold, mayAlert, ruled, suppressed, output, out refused);

        if (alert)
        {
            output.Incidents.Add(_incident.Open(NewVerdict(time, figures, modelVersion)));
            _regime.Begin(settling: false);
            Remember();
        }

        if (mayAlert)
        {
            _budget.Observe(alert);
        }

        return alert;
    }

    private void Remember() => _incidents.Follow(_incident.OpenedRow, Rows, _evidence.Values, _evidence.Scores);

    /// <summary>Whether the open incident is one that a person called real: it must not become usual.</summary>
    private bool IsLabelledReal() =>
        _incident.IsOpen && !_incident.IsSilence && _incidents.Find(_incident.OpenedRow)?.Label == IncidentLabel.Real;

    /// <summary>What keeps the row from opening an incident whatever its evidence, and for how many rows more.</summary>
    private (SuppressedBy Reason, long Rows) Suppression(bool muted) =>
        Lifecycle != Lifecycle.Active ? (SuppressedBy.WarmUp, WarmUpRows - WarmUpRowsDone)
        : Rows < _wholeFromRow ? (SuppressedBy.Gap, _wholeFromRow - Rows)
        : _incident.Suppression(Rows, muted, _regime.IsSettling);

    private void Note(
        DateTimeOffset time, double score, double threshold, (SuppressedBy Reason, long Rows) suppressed, SuppressedBy refused, bool alert,
        long modelVersion)
    {
        Span<double> scores = stackalloc double[JointEvidence.Indicators + _shares.Length];
        _evidence.Scores.CopyTo(scores);
        _shares.CopyTo(scores[JointEvidence.Indicators..]);
        _decisions.Add(
            Decision.Of(
                Rows, time, score, Opening(), _evidence.PlainOpening(slowCounts: Rows >= _acceptedUntilRow), threshold, suppressed, refused, alert,
                _incident, modelVersion),
            scores);
    }

    /// <summary>An incident in which records have become ordinary again for as long as the stream's rule asks is its new normal.</summary>
    private void AcceptStable(DateTimeOffset time, IReadOnlyList<ColumnFigure> figures, long modelVersion, ShardOutput output)
    {
        if (_gate.AcceptAfter == 0 || !_incident.IsOpen)
        {
            return;
        }

        _regime.Observe(IsOrdinary(), alerts: false);

        if (_regime.StableWindows >= _gate.AcceptAfter)
        {
            Accept(
                NewVerdict(time, figures, modelVersion),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"accepted: ordinary for {_regime.StableWindows} windows of {IncidentTracker.QuietRows} records"),
                output);
        }
    }

    /// <summary>Whether as much was to be expected, the incident itself counted in.</summary>
    private bool IsOrdinary() => _evidence.Fast < _budget.Threshold / 2;

    private void Accept(in Verdict verdict, string reason, ShardOutput output)
    {
        output.Incidents.Add(Ended(_incident.Accept(verdict, reason)));
        _regime.Begin(settling: true);
        _acceptedUntilRow = Rows + JointEvidence.SlowRows;
    }

    private double Opening() => _evidence.Opening(slowCounts: Rows >= _acceptedUntilRow);

    private IncidentEvent Ended(IncidentEvent closed)
    {
        _gate.Ended(closed.Time);
        return closed;
    }

    private WarmUp WarmUpNow() => new(WarmUpRowsDone, WarmUpRows, _cadence.IntervalSeconds, IsAfterGap: false);

    private static ColumnFigure[] Unjudged(ObservedRecord record) =>
        [.. record.Columns.Select((name, i) => new ColumnFigure { Column = name, Actual = Known(record.Values[i]) })];

    private ColumnFigure[] Figures()
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
                Share = column < _shares.Length ? _shares[column] : 0,
                IsImputed = _imputed[column],
                IsContext = column >= _shares.Length,
            };
        }

        return figures;
    }

    private static double? Known(double value) => double.IsNaN(value) ? null : value;

    private static double Highest(ReadOnlySpan<double> shares)
    {
        double highest = 0;

        foreach (double share in shares)
        {
            highest = Math.Max(highest, share);
        }

        return highest;
    }

    private Verdict NewVerdict(DateTimeOffset time, IReadOnlyList<ColumnFigure> figures, long modelVersion)
    {
        double score = Math.Max(_evidence.Fast, _evidence.Slow);
        return new Verdict
        {
            Stream = Stream,
            Row = Rows,
            Time = time,
            Onset = time,
            Kind = IncidentKind.Contextual,
            AnomalyScore = score,
            Score = ScoreCombination.ForPeople(score),
            Columns = figures,
            Explanation = Explain(figures),
            ModelVersion = modelVersion,
        };
    }

    /// <summary>What was judged, for people: the columns that said most of it.</summary>
    private static string Subject(IReadOnlyList<ColumnFigure> columns)
    {
        IEnumerable<string> parts = columns
            .OrderByDescending(figure => figure.Share)
            .Take(ExplainedMax)
            .Where(figure => figure.Share >= ExplainedShare)
            .Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Column} {figure.Share:0 %}"));
        string shares = string.Join(", ", parts);
        return shares.Length == 0 ? "the record" : $"the record ({shares} of what is odd)";
    }

    private string Explain(IReadOnlyList<ColumnFigure> figures)
    {
        int[] named = [.. Enumerable.Range(0, _shares.Length).OrderByDescending(column => figures[column].Share).Take(ExplainedMax)];
        IEnumerable<string> parts = named
            .Where((column, i) => i == 0 || figures[column].Share >= ExplainedShare)
            .Select(column => Explain(column, figures[column]));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"the values do not go together as they did: {string.Join("; ", parts)}; evidence {Opening():0.0} of {_budget.Threshold:0.0} decades needed");
    }

    /// <summary>What was forecast, and what the score is made of: a column may go on as forecast, and no longer go with the others.</summary>
    private string Explain(int column, in ColumnFigure figure)
    {
        string forecast = _forecast[column] is not null
            ? string.Create(CultureInfo.InvariantCulture, $"expected {figure.Expected:G5} ({figure.Lower:G5} to {figure.Upper:G5}), ")
            : "";
        (double mean, double least, double greatest) = _detector!.Expected(column);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{figure.Column} {figure.Actual:G5}, {forecast}in similar stretches {mean:G5} ({least:G5} to {greatest:G5}), {figure.Share:0 %} of the score");
    }

    private Verdict SilenceVerdict(DateTimeOffset now, string explanation, long modelVersion) => new()
    {
        Stream = Stream,
        Row = Rows,
        Time = now,
        Onset = _cadence.LastTime,
        Kind = IncidentKind.Silence,
        AnomalyScore = SilenceScore,
        Score = ScoreCombination.ForPeople(SilenceScore),
        Explanation = explanation,
        ModelVersion = modelVersion,
    };
}
