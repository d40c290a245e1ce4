using System.Globalization;
using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Detection.Deciding;

/// <summary>Makes incidents of what a stream's judge says, and says what may be learnt of it. Knows no values.</summary>
/// <remarks>
/// An incident opens at the threshold, goes on down to a decade below it, and is over after 30 rows below that. Three things make the
/// abnormal normal: a person's word, persistence (it has lasted for 300 rows and an hour, and has settled, or for a quarter of the
/// stream's life before it) and regularity (<see cref="Recurrence"/>). What is other than before after a new beginning, behind a
/// long gap, is accepted untold: nobody knows what happened meanwhile.
/// </remarks>
/// <param name="stream">The stream's name.</param>
/// <param name="judge">Its judge.</param>
/// <param name="gate">What its alerts must pass.</param>
/// <param name="decisions">Last decisions that can be explained.</param>
internal sealed class Decider(string stream, IJudge judge, AlertGate gate, int decisions)
{
    /// <summary>Rows, and time, after which what has settled is the new normal; no more rows than can be looked back on.</summary>
    private const int PersistentRows = 300;
    private const double PersistentSeconds = 3_600;
    private const int PersistentRowsMax = 4_096;

    /// <summary>Share of the stream's life before it after which a manner is normal that settles at nothing, such as a swing: no incident is open for ever.</summary>
    private const double LifeShare = 0.25;

    /// <summary>Decades below the threshold down to which a row is part of what opened an incident, or suspicious: ten times as frequent.</summary>
    private const double PartDecades = 1;

    /// <summary>Rows before an incident that are not learnt, as far as they have not been yet.</summary>
    private const int MarginRows = 8;

    /// <summary>
    /// Rows in which a stream's normal operation is still being learnt: what comes four times in a thousand of them, forty times
    /// as often as an alert is asked for, is part of it.
    /// </summary>
    private const int YoungRows = 4_096;
    private const int FrequentRows = 1_000;

    /// <summary>What a silence is worth, in decades.</summary>
    private const double SilenceEvidence = 4;

    /// <summary>Score of what goes on of an incident, at most: a half is news, and what was told is none.</summary>
    private const double GoesOn = 0.49;

    /// <summary>About what its own fields take.</summary>
    private const int OwnBytes = 128;

    // Of a stream where nothing ever happened these are the empty ones that all such streams share.
    private Incident _incident = Incident.None;
    private Recurrence _recurrence = Recurrence.None;
    private ToldDeviations _told = ToldDeviations.None;
    private IncidentMemory? _incidents;
    private DecisionNotes _notes = new(decisions);
    private IJudge _judge = judge;
    private Stretch _stretch = Stretch.None;
    private Acceptance _acceptance = new();

    /// <summary>What its alerts must pass.</summary>
    public AlertGate Gate => gate;

    /// <summary>A judge that is to take the present one's place once it knows enough: what is accepted or spared is so for it too; null for none.</summary>
    public IJudge? Successor { get; set; }

    /// <summary>A silence shorter than this is ordinary, as labels say; 0 without such a label.</summary>
    public double OrdinaryQuietSeconds => _incidents?.OrdinaryQuietSeconds ?? 0;

    /// <summary>How far evidence goes towards an incident, 0 to 1: half is where one opens.</summary>
    public static double Score(double evidence, double threshold) => evidence <= 0 ? 0 : 1 - Math.Pow(2, -evidence / threshold);

    /// <summary>Calls it into the cache.</summary>
    public void Fetch() => CacheLines.Fetch(ref _incident, OwnBytes);

    /// <summary>Decides on what the judge said last.</summary>
    /// <param name="row">Which row that was.</param>
    /// <param name="maintenance">What maintenance asks for.</param>
    /// <param name="output">Where incidents go.</param>
    /// <returns>What the row may teach, whether it opened an incident or raised one, and how far it went towards that.</returns>
    public (Lesson Lesson, bool IsAlert, double Score) Decide(in RowOf row, Maintenance maintenance, ShardOutput output)
    {
        Judgement said = _judge.Last;
        double threshold = _judge.Threshold;

        if (said.Evidence >= threshold && Deviation(said) is { } deviation)
        {
            said.Evidence = Math.Max(said.Evidence, _told.Least(said.Side, deviation));
        }

        double evidence = said.Evidence;
        bool mayAlert = said.IsJudged && row.KeptBack == SuppressedBy.None;
        bool isAbove = mayAlert && evidence >= threshold, isPart = mayAlert && evidence >= threshold - PartDecades;
        double score = mayAlert ? Score(evidence, _acceptance.Needed(threshold)) : 0, news = score;
        SuppressedBy suppressed = Suppression(row, maintenance.MuteAlerts), refused = SuppressedBy.None;
        bool isAlert = false;
        Follow(row, isPart, evidence);

        if (said.IsJudged)
        {
            SuppressedBy ruled = gate.Weigh(
                new AlertCandidate(said.Kind, 100 * score, said.Actual, said.Expected?.Median), isAbove);

            if (_incident.IsOpen)
            {
                news = 100 * score > _incident.MaxScore ? score : Math.Min(score, GoesOn);
                isAlert = GoOn(row, isPart, maintenance.MuteAlerts, output) && isAbove;
            }
            else if (evidence >= threshold)
            {
                refused = Refuses(row, suppressed, ruled, evidence, threshold);
                isAlert = refused == SuppressedBy.None;

                if (isAlert)
                {
                    Open(row, output);
                }
                else
                {
                    gate.Count(row.Row, refused, output);
                }
            }

            if (!maintenance.FreezeLearning)
            {
                Persist(row, isPart, output);
            }

            if (row.KeptBack == SuppressedBy.Gap)
            {
                WarmUpAgain(row, evidence, threshold);
            }
            else if (mayAlert)
            {
                _acceptance.Follow(isAbove, evidence);
            }
        }

        _notes.Add(row, said, _judge.Indicators, _judge.WarmUp.Rows, StandingOf(threshold, suppressed, refused, isAlert));

        if (_incident.HoldsObservations)
        {
            Incidents.Follow(_incident, row.Row, said.Values, said.Scores);
        }

        return (LessonOf(maintenance, isPart), isAlert, news);
    }

    /// <summary>Another judge judges from the next observation on: incidents, what comes again and what was told stay, the decisions that can be explained begin anew.</summary>
    /// <param name="other">The other judge.</param>
    /// <param name="decisions">Last decisions that can be explained.</param>
    public void Exchange(IJudge other, int decisions)
    {
        _incidents?.Exchange(_judge.Words, other.Words, other.Indicators);
        (_judge, Successor, _notes) = (other, null, new DecisionNotes(decisions));
        TeachOrdinary();
    }

    /// <summary>So many of the last decisions can be explained from now on.</summary>
    public void Resize(int decisions) => _notes.Resize(decisions);

    /// <summary>The stream goes on after a long gap: nobody knows what happened meanwhile.</summary>
    /// <param name="rows">Rows that are missing.</param>
    public void BeginAnew(double rows) => _acceptance.BeginAnew(_judge.Threshold, Math.Min(rows, _judge.WarmUp.Needed));

    /// <summary>An observation has come after a silence.</summary>
    public void Return(in RowOf row, double quietSeconds, ShardOutput output)
    {
        if (_incident.IsSilence)
        {
            Close(row.Silence(100 * Score(SilenceEvidence, _judge.Threshold), _judge.Words), $"over after {Figures.Duration(quietSeconds)}: the stream is back", output);
        }

        if (_incidents?.SilenceAt(row.Row) is { } silence)
        {
            _incidents!.Extend(silence, quietSeconds);
        }
    }

    /// <summary>The stream has been quiet for too long: opens an incident, unless something keeps it back.</summary>
    /// <param name="row">The row to come, at the wall clock's time.</param>
    /// <param name="since">Time of the last observation.</param>
    /// <param name="quietSeconds">Seconds since it, on the shard's clock.</param>
    /// <param name="sentence">The silence, for people.</param>
    /// <param name="isAgain">Whether it was kept back before.</param>
    /// <param name="output">Where incidents go.</param>
    /// <returns>Whether it is kept back for a time, and may be told later.</returns>
    public bool FallSilent(in RowOf row, DateTimeOffset since, double quietSeconds, string sentence, bool isAgain, ShardOutput output)
    {
        double score = 100 * Score(SilenceEvidence, _judge.Threshold);
        Telling telling = row.Silence(score, _judge.Words);

        // Asked before an incident is closed: that one has ended in this silence.
        SuppressedBy refused = gate.AdmitSilence(row.Time, SilenceEvidence, score);
        bool isRegular = _recurrence.IsRegular(Signature.Silence, since, row.IntervalSeconds);
        refused = refused == SuppressedBy.None && isRegular ? SuppressedBy.Regular : refused;

        if (!isAgain)
        {
            Beat(Signature.Silence, since);
        }

        if (refused != SuppressedBy.None && !isAgain)
        {
            gate.Count(row.Row, refused, output);
        }

        if (_incident.IsOpen)
        {
            Close(telling, "over: the stream fell silent", output);
        }

        if (refused == SuppressedBy.None)
        {
            _incident = _incident == Incident.None ? new Incident(stream) : _incident;
            output.Incidents.Add(_incident.Open(telling, IncidentKind.Silence, since, sentence, _recurrence.Told(Signature.Silence, since)));
            Incidents.FollowSilence(_incident, quietSeconds);
        }

        return AlertGate.IsForATime(refused);
    }

    /// <summary>Takes a person's word that what is abnormal now is the new normal; false where no incident of observations is open.</summary>
    public bool Accept(in RowOf row, ShardOutput output)
    {
        if (!_incident.HoldsObservations)
        {
            return false;
        }

        Accept(row, $"accepted as {NewNormal}", output);
        return true;
    }

    /// <summary>Whether an incident is one of those that can still be labelled.</summary>
    public bool Remembers(string incidentId) => _incidents?.Find(incidentId) is not null;

    /// <summary>Takes a person's word on an incident, or with null takes it back; false where it is not known.</summary>
    /// <param name="incidentId">Its id.</param>
    /// <param name="label">What it was.</param>
    /// <param name="row">The row to come.</param>
    /// <param name="quietSeconds">Seconds on the shard's clock since the last observation.</param>
    /// <param name="output">Where it is said that an incident is closed by it.</param>
    public bool Label(string incidentId, IncidentLabel? label, in RowOf row, double quietSeconds, ShardOutput output)
    {
        if (_incidents is null || !_incidents.TryLabel(incidentId, label, out RememberedIncident? incident))
        {
            return false;
        }

        if (incident is null)
        {
            return true;
        }

        bool isOpen = _incident.IsOpen && _incident.Id == incidentId;

        if (incident.IsSilence && isOpen)
        {
            _incidents.Extend(incident, quietSeconds);
        }

        if (label == IncidentLabel.Real && !incident.IsSilence)
        {
            Spare(incident.OpenedRow, incident.EndRow);
        }

        TeachOrdinary();

        if (isOpen && label == IncidentLabel.FalseAlarm)
        {
            const string How = "labelled a false alarm";

            if (incident.IsSilence)
            {
                Close(row.Silence(100 * Score(SilenceEvidence, _judge.Threshold), _judge.Words), How, output);
            }
            else
            {
                Accept(row, How, output);
            }
        }

        return true;
    }

    /// <summary>The stream starts again after a fault: what is open would never be closed.</summary>
    public void Abandon(in RowOf row, string why, ShardOutput output)
    {
        if (_incident.IsOpen)
        {
            Close(row.Silence(0, _judge.Words), why, output);
        }
    }

    /// <summary>Why the last decision, or the one in force at a time, was made; null where it is not held, with the reason.</summary>
    /// <param name="at">The time asked for; null for the last decision.</param>
    /// <param name="intervalSeconds">The usual gap; null where it says nothing about the clock on the wall.</param>
    /// <param name="usualSeconds">The usual gap; NaN while unknown.</param>
    /// <param name="last">The last row decided on.</param>
    /// <param name="missing">Why there is no answer, for people; null where there is one.</param>
    public Explanation? Explain(DateTimeOffset? at, double? intervalSeconds, double usualSeconds, in RowOf last, out string? missing)
    {
        Decision present = Decision.Of(last, _judge.Last, _judge.WarmUp.Rows, StandingOf(_judge.Threshold, Suppression(last, muted: false), SuppressedBy.None, isAlert: false));

        if (!_notes.TryFind(
            at, double.IsNaN(usualSeconds) ? 1 : usualSeconds, last.Time, present, _judge.Last.Scores, out Decision decision, out ReadOnlySpan<Half> scores, out missing))
        {
            return null;
        }

        int indicators = Math.Min(_judge.Indicators, scores.Length);
        return Explaining.Explain(
            stream,
            _judge.Words,
            decision,
            scores[..indicators],
            decision.SuppressedBy == SuppressedBy.WarmUp && decision.WarmUpRows < _judge.WarmUp.Needed
                ? new WarmUp(decision.WarmUpRows, _judge.WarmUp.Needed, intervalSeconds, IsAfterGap: false)
                : null,
            _incidents?.Of(decision.Row),
            _notes.Held ?? new HeldDecisions(1, last.Time, 0, last.Time),
            _judge.Describe(scores[indicators..], decision.Template, isLast: decision.Row == last.Row));
    }

    public void Save(BinaryWriter writer)
    {
        gate.Save(writer);
        writer.Write(_incident != Incident.None);

        if (_incident != Incident.None)
        {
            _incident.Save(writer);
        }

        _recurrence.Save(writer);
        _told.Save(writer);
        writer.Write(_incidents is not null);
        _incidents?.Save(writer);
        _stretch.Save(writer);
        _acceptance.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote; the judge has been read before.</summary>
    public void Load(BinaryReader reader)
    {
        gate.Load(reader);
        _incident = Incident.None;

        if (reader.ReadBoolean())
        {
            _incident = new Incident(stream);
            _incident.Load(reader);
        }

        _recurrence = Recurrence.Load(reader);
        _told = ToldDeviations.Load(reader);
        _incidents = null;

        if (reader.ReadBoolean())
        {
            Incidents.Load(reader);
        }

        _stretch = Stretch.Load(reader);
        _acceptance = Acceptance.Load(reader);
        TeachOrdinary();
    }

    /// <summary>Follows the stretch of rows that are part of an incident or suspicious: it ends as an incident does.</summary>
    private void Follow(in RowOf row, bool isPart, double evidence)
    {
        if (_stretch.IsOn && row.Row - _stretch.LastRow > Incident.QuietRows)
        {
            _recurrence.Ended(_stretch.Signature, _stretch.LastRow - _stretch.FirstRow + 1, _stretch.Highest);

            // What was suspicious alone came all the same. Of those that hold no decisions, the smallest, it would take too much.
            if (!_stretch.HasBeat && _notes.HoldsOrdinary)
            {
                Beat(_stretch.Signature.Suspected, _stretch.OnsetTime);
            }

            _stretch = Stretch.None;
        }

        if (!isPart)
        {
            return;
        }

        if (!_stretch.IsOn)
        {
            _stretch = new Stretch { IsOn = true, FirstRow = row.Row, LastRow = row.Row, MovedRow = row.Row, Highest = evidence };
            (_stretch.OnsetRow, _stretch.OnsetTime) = (row.Row, row.Time);
            BeatIfRegular(row);
        }

        // The onset of an incident: an earlier row that is not suspicious parts it from what was before.
        if (!_incident.IsOpen && !_stretch.HasBeat && row.Row - _stretch.LastRow > 1)
        {
            (_stretch.OnsetRow, _stretch.OnsetTime) = (row.Row, row.Time);
        }

        (_stretch.LastRow, _stretch.Highest) = (row.Row, Math.Max(_stretch.Highest, evidence));
    }

    /// <summary>Notes that what begins here comes where it always does: by what it is like now, which its first rows may not have shown.</summary>
    private void BeatIfRegular(in RowOf row)
    {
        _stretch.Signature = SignatureNow;
        _stretch.IsRegular = _stretch.HasBeat = _recurrence.IsRegular(_stretch.Signature, _stretch.OnsetTime, row.IntervalSeconds);

        if (_stretch.HasBeat)
        {
            Beat(_stretch.Signature, _stretch.OnsetTime);
        }
    }

    private static double? Deviation(Judgement said) =>
        said is { Side: not 0, Actual: { } actual, Expected: { } expected } ? Math.Abs(actual - expected.Median) : null;

    private Signature SignatureNow => new(_judge.Last.Likeness, _judge.Last.Side);

    /// <summary>Why a row with the evidence for it opens no incident.</summary>
    private SuppressedBy Refuses(in RowOf row, SuppressedBy suppressed, SuppressedBy ruled, double evidence, double threshold)
    {
        if (suppressed is SuppressedBy.WarmUp or SuppressedBy.Gap)
        {
            return suppressed;
        }

        if (evidence < _acceptance.Needed(threshold))
        {
            return SuppressedBy.Accepted;
        }

        if (ruled != SuppressedBy.None)
        {
            return ruled;
        }

        if (!_stretch.HasBeat)
        {
            BeatIfRegular(row);
        }

        if (_stretch.IsRegular)
        {
            if (!_recurrence.IsMore(_stretch.Signature, row.Row - _stretch.FirstRow, evidence, threshold))
            {
                return SuppressedBy.Regular;
            }

            _stretch.IsRegular = false;
        }

        if (row.Row < YoungRows && _recurrence.IsFrequent(_stretch.Signature, _stretch.OnsetTime, FrequentRows * row.IntervalSeconds, row.IntervalSeconds))
        {
            _stretch.IsRegular = true;

            if (!_stretch.HasBeat)
            {
                _stretch.HasBeat = true;
                Beat(_stretch.Signature, _stretch.OnsetTime);
            }

            return SuppressedBy.Regular;
        }

        return gate.Admit(row.Time, evidence);
    }

    private void Open(in RowOf row, ShardOutput output)
    {
        if (!_stretch.HasBeat)
        {
            _stretch.HasBeat = true;
            Beat(_stretch.Signature, _stretch.OnsetTime);
        }

        if (Deviation(_judge.Last) is { } deviation)
        {
            _told = _told == ToldDeviations.None ? new ToldDeviations() : _told;
            _told.Tell(_judge.Last.Side, deviation, _judge.Last.Evidence);
        }

        _acceptance.End();
        Spare(Math.Max(0, _stretch.OnsetRow - MarginRows), row.Row);
        _incident = _incident == Incident.None ? new Incident(stream) : _incident;
        output.Incidents.Add(_incident.Open(
            Tell(row), _judge.Last.Kind, _stretch.OnsetTime, _judge.Sentence(), _recurrence.Told(_stretch.Signature, _stretch.OnsetTime)));
    }

    /// <summary>Follows the open incident; true where something was told.</summary>
    private bool GoOn(in RowOf row, bool isPart, bool muted, ShardOutput output)
    {
        if (_incident.Follow(Tell(row), isPart, muted, _judge) is not { } told)
        {
            return false;
        }

        output.Incidents.Add(told);

        if (told.State == IncidentState.Closed)
        {
            gate.Ended(told.Time);
        }

        return true;
    }

    /// <summary>What has lasted and has settled is the new normal, told or not; a person may have said that it is a fault.</summary>
    private void Persist(in RowOf row, bool isPart, ShardOutput output)
    {
        if (!_stretch.IsOn || _acceptance.IsSettling || _stretch.IsRegular)
        {
            return;
        }

        // What goes one way is on its way somewhere: were it accepted, all between here and there would be, and the next drift go untold.
        _stretch.MovedRow = _judge.IsMoving ? row.Row : _stretch.MovedRow;

        // What has gone back, and was not followed while nothing might be learnt, is not what lasts.
        long lasts = row.Row - _stretch.FirstRow;
        bool isToStay = isPart && (_judge.IsNewState
            || (lasts >= Persistent(row.IntervalSeconds)
                && (_judge.IsSettled
                    || row.Row - _stretch.MovedRow >= Math.Min(LifeShare * _stretch.FirstRow, PersistentRowsMax)
                    || lasts >= Math.Min(_stretch.FirstRow, PersistentRowsMax))));

        if ((isToStay || (gate.AcceptAfter > 0 && _judge.StableWindows >= gate.AcceptAfter && _incident.HoldsObservations))
            && _incidents?.Find(_incident.Id)?.Label != IncidentLabel.Real)
        {
            string how = _judge.IsNewState ? "as long as its other states last"
                : _judge.IsSettled || !isToStay ? "lasts and has settled" : "has lasted for a quarter of the life before it";
            Accept(row, $"{how}: {NewNormal}", output);
        }
    }

    private static double Persistent(double intervalSeconds) =>
        double.IsNaN(intervalSeconds) ? PersistentRows : Math.Clamp(PersistentSeconds / intervalSeconds, PersistentRows, PersistentRowsMax);

    /// <summary>What is abnormal now is normal from here on: until that has settled only clearly more opens an incident.</summary>
    private void Accept(in RowOf row, string how, ShardOutput output)
    {
        long first = _incident.HoldsObservations ? Math.Min(_incident.OpenedRow, _stretch.IsOn ? _stretch.FirstRow : _incident.OpenedRow) : _stretch.FirstRow;
        Accept(first, row.Row);
        _told = ToldDeviations.None;

        if (_incident.HoldsObservations)
        {
            Close(Tell(row.LastOne), how, output);
        }

        _acceptance.Begin(Math.Max(_stretch.Highest, _judge.Last.Evidence));
        _stretch = Stretch.None;
    }

    private string NewNormal => string.Create(CultureInfo.InvariantCulture, $"the new normal since {_incident.Onset.UtcDateTime:yyyy-MM-dd HH:mm:ss}");

    /// <summary>What comes while a stream warms up again is accepted, and learnt as far as it is still odd at the end.</summary>
    private void WarmUpAgain(in RowOf row, double evidence, double threshold)
    {
        _acceptance.Rise(evidence);

        if (row.KeptBackRows == 1 && evidence >= threshold - PartDecades && !_incident.IsOpen)
        {
            Accept(row.Row + 1 - _judge.Rewarming.Of, row.Row + 1);
        }
    }

    /// <summary>What keeps the row from opening an incident whatever its evidence.</summary>
    private SuppressedBy Suppression(in RowOf row, bool muted) =>
        row.KeptBack != SuppressedBy.None ? row.KeptBack
        : _incident.IsOpen ? SuppressedBy.OpenIncident
        : muted ? SuppressedBy.Maintenance
        : _acceptance.IsSettling ? SuppressedBy.Accepted
        : SuppressedBy.None;

    private Lesson LessonOf(Maintenance maintenance, bool isPart) =>
        maintenance.FreezeLearning ? Lesson.Frozen
        : _incident.HoldsObservations ? Lesson.Abnormal
        : isPart && !_stretch.IsRegular && !_acceptance.IsSettling ? Lesson.Suspicious
        : Lesson.Normal;

    private Standing StandingOf(double threshold, SuppressedBy suppressed, SuppressedBy refused, bool isAlert) => new(
        threshold, _incident.IsOpen ? threshold : _acceptance.Needed(threshold), suppressed, refused, isAlert, _incident.IsOpen);

    private IncidentMemory Incidents => _incidents ??= new IncidentMemory(_judge.Indicators);

    /// <summary>It came at this time, told or not.</summary>
    private void Beat(Signature signature, DateTimeOffset time)
    {
        _recurrence = _recurrence == Recurrence.None ? new Recurrence() : _recurrence;
        _recurrence.Beat(signature, time);
    }

    private void Spare(long firstRow, long endRow)
    {
        _judge.Spare(firstRow, endRow);
        Successor?.Spare(firstRow, endRow);
    }

    private void Accept(long firstRow, long endRow)
    {
        _judge.Accept(firstRow, endRow);
        Successor?.Accept(firstRow, endRow);
    }

    private Telling Tell(in RowOf row) => new()
    {
        Row = row.Row,
        Time = row.Time,
        Score = 100 * Score(_judge.Last.Evidence, _acceptance.Needed(_judge.Threshold)),
        Judgement = _judge.Last,
        Words = _judge.Words,
        ModelVersion = row.ModelVersion,
        IntervalSeconds = double.IsNaN(row.IntervalSeconds) ? null : row.IntervalSeconds,
    };

    private void Close(in Telling telling, string how, ShardOutput output)
    {
        IncidentEvent closed = _incident.Close(telling, how);
        output.Incidents.Add(closed);
        gate.Ended(closed.Time);
    }

    /// <summary>Hands on what labels say is ordinary.</summary>
    public void TeachOrdinary()
    {
        Span<double> levels = stackalloc double[_judge.Indicators];
        _incidents?.OrdinaryLevels(levels);
        _judge.Ordinary(levels);

        if (Successor is { } successor)
        {
            Span<double> others = stackalloc double[successor.Indicators];
            _incidents?.OrdinaryLevels(others, successor.Words, _judge.Words);
            successor.Ordinary(others);
        }
    }
}
