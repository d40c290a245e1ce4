using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Events;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>All that one stream of events remembers, and what happens to an event of it. One owner: its shard.</summary>
/// <remarks>
/// An event's text finds its template (<see cref="LogTemplateTree"/>), the template its place; the place is judged against
/// what its session was forecast to bring (<see cref="EventForecaster"/>), calibrated (<see cref="EventChannelBank"/>,
/// <see cref="EventRate"/>), decided on, and learnt from. Everything is bounded: 512 templates, 254 of them with a place,
/// the sessions the options allow.
/// </remarks>
public sealed class EventRow
{
    private const int TemplatesMax = 512;

    /// <summary>Events that <see cref="EventChannel.Repeat"/> looks back on.</summary>
    private const double RepeatEvents = 100;

    /// <summary>Sessions that may end with one event, so that no event takes long.</summary>
    private const int EndsPerEvent = 16;

    private const int KeyMax = 256;

    /// <summary>Last decisions that can be explained.</summary>
    private const int DecisionsMax = 64;

    /// <summary>What a silence is worth, in decades.</summary>
    private const double SilenceScore = 4;

    /// <summary>Events in a row that must be late before the stream's clock is set back to theirs.</summary>
    private const int LateMax = 64;

    /// <summary>What stays of the longest gap per event: it is half forgotten after 7,000.</summary>
    private const double GapStays = 0.9999;

    private static readonly AlertBudgetOptions Budget = new() { ThresholdMin = 2, RowsPerAlert = 33_000 };

    private static readonly TimeSpan FutureMax = TimeSpan.FromMinutes(5);

    private readonly EventStreamOptions _options;
    private readonly LogTemplateTree _tree = new(TemplatesMax);
    private readonly int[] _placeOf = new int[TemplatesMax + 1];
    private readonly int[] _templateAt = new int[EventNetwork.PlacesMax];
    private readonly float[] _recent = new float[TemplatesMax + 1];
    private readonly long[] _recentAt = new long[TemplatesMax + 1];
    private readonly EventForecaster _forecaster;
    private readonly EventChannelBank _channels = new();
    private readonly EventRate _rate = new();
    private readonly AlertBudget _budget = new(Budget);
    private readonly AlertGate _gate;
    private readonly IncidentTracker _incident = new();
    private readonly IncidentMemory _incidents = new(EventChannelBank.Count);
    private readonly DecisionLog _decisions = new(DecisionsMax, EventChannelBank.Count);
    private readonly LiveSessions _sessions = new();
    private LiveSession _alone = new("");
    private SeededRandom _random;
    private DateTimeOffset _lastTime = DateTimeOffset.MinValue;
    private double _longestGapSeconds;
    private int _late;
    private bool _silent;
    private bool _silenceHeld;

    internal EventRow(string stream, DetectionOptions options, AlertPolicy policy, bool ownWeights)
    {
        Stream = stream;
        _options = options.Events;
        _gate = policy.NewGate(stream);
        ulong start = Seed(stream, options.Seed);
        _random = new SeededRandom(start);
        _forecaster = new EventForecaster(ownWeights ? new EventNetwork(start) : null);
    }

    /// <summary>The stream's name.</summary>
    public string Stream { get; }

    /// <summary>Events learnt from so far.</summary>
    public long Events { get; private set; }

    /// <summary>Templates known.</summary>
    public int Templates => _tree.Count;

    /// <summary>Sessions that are open.</summary>
    public int OpenSessions => _sessions.Count;

    /// <summary>How far the network is believed against plain counts, 0 to 1.</summary>
    public double Trust => _forecaster.Trust;

    /// <summary>Where the stream stands.</summary>
    public Lifecycle Lifecycle =>
        _silent ? Lifecycle.Silent
        : Events < _options.LearningEvents ? Lifecycle.Learning
        : Events < _options.WarmUpEvents ? Lifecycle.Calibrating
        : Lifecycle.Active;

    /// <summary>Share of the warm-up that is done, 0 to 1.</summary>
    public double Progress => Math.Min(1, (double)Events / _options.WarmUpEvents);

    internal bool HasOwnWeights => _forecaster.HasNetwork;

    /// <summary>What its alerts must pass.</summary>
    internal AlertGate Gate => _gate;

    /// <summary>Seconds on the shard's clock at which the last event came; for silence.</summary>
    internal double LastArrivalSeconds { get; set; }

    /// <summary>Whether events carry the present time: a stream that replays the past cannot fall silent.</summary>
    internal bool IsLive { get; private set; }

    /// <summary>How long the stream may be quiet before that is an incident: three times its longest gap of late.</summary>
    internal double SilenceAfterSeconds => Math.Max(Math.Max(5, _incidents.OrdinaryQuietSeconds), 3 * _longestGapSeconds);

    /// <summary>Whether the event is one; if not, why not.</summary>
    internal static RejectionReason? Admit(TextEvent what) =>
        string.IsNullOrEmpty(what.Text) || (!what.IsKind && string.IsNullOrWhiteSpace(what.Text)) ? RejectionReason.Malformed : null;

    /// <summary>Judges an event against what was forecast, decides, and learns from it.</summary>
    internal ScoredObservation Apply(
        in Observation observation, DateTimeOffset ingestedAt, long modelVersion, EventScratch scratch, ShardOutput output)
    {
        TextEvent what = observation.Event!;
        DateTimeOffset time = Arrive(observation.Time, ingestedAt, modelVersion, output);

        if (_gate.MaintenanceAt(time).FreezeLearning)
        {
            return LeaveAside(what, time, modelVersion);
        }

        TemplateMatch match = what.IsKind ? _tree.MatchKind(what.Text) : _tree.Match(what.Text);

        if (match.IsNew && _placeOf[match.Template] != 0)
        {
            // The tree was full: the number is another template's now.
            Release(_placeOf[match.Template]);
        }

        // 1 sessions: those that have waited too long have ended, and are judged by how
        var judgement = new Judgement { Session = what.Key, Template = match.Template };
        EndIdleSessions(time, ref judgement, scratch);
        LiveSession session = SessionOf(what.Key);

        // 2 score: the event against what its session was forecast to bring
        bool judged = Events >= _options.LearningEvents;
        Judge(match, session, ref judgement, scratch);
        _rate.Observe(time);

        if (judged)
        {
            _channels.Observe(judgement.Indicators, _rate);
        }

        // 3 decide
        bool muted = _gate.MaintenanceAt(time).MuteAlerts;
        double threshold = _budget.Threshold;
        (SuppressedBy Reason, long Events) suppressed = Suppression(muted);
        SuppressedBy refused = SuppressedBy.None;
        bool alert = judged && Decide(judgement, time, muted, suppressed.Reason, modelVersion, output, out refused);
        _decisions.Add(
            Decision.Of(
                Events, time, judgement.Indicators.EventSurprise, judged ? _channels.Fast : null, judged ? _channels.Plain : null, threshold,
                suppressed, refused, alert, _incident, modelVersion) with
            {
                Template = match.Template,
            },
            _channels.FastScores);

        if (_incident.IsOpen && !_incident.IsSilence)
        {
            _incidents.Follow(_incident.OpenedRow, Events, _channels.Values, _channels.FastScores);
        }

        // 4 remember and learn
        Learn(match, session, time, scratch, output);
        bool active = Lifecycle == Lifecycle.Active;
        return new ScoredObservation(
            Stream,
            time,
            judgement.Indicators.EventSurprise,
            Lifecycle,
            Progress,
            active ? _channels.Slow : null,
            active ? ScoreCombination.ForPeople(Math.Max(_channels.Slow, _incident.IsOpen ? _channels.Fast : BlockMaximaTail.Unknown)) : 0,
            Expected: null,
            Lower: null,
            Upper: null,
            alert,
            active ? EventChannelBank.Names[(int)_channels.StrongestReported] : "",
            modelVersion)
        {
            WarmUp = active ? null : WarmUpAt(Events),
            Template = _tree[match.Template],
            ExpectedTemplate = judged ? Name(judgement.Expected.Place) : null,
        };
    }

    /// <summary>Opens a silence incident when the stream has been quiet for too long.</summary>
    /// <param name="now">The wall clock, for the event.</param>
    /// <param name="clockSeconds">The shard's clock, which stands still while the machine does.</param>
    /// <param name="modelVersion">The base weights in service.</param>
    /// <param name="output">Where the event goes.</param>
    internal void CheckSilence(DateTimeOffset now, double clockSeconds, long modelVersion, ShardOutput output)
    {
        double quietSeconds = clockSeconds - LastArrivalSeconds;

        if ((_silent && !_silenceHeld) || !IsLive || Events < _options.WarmUpEvents || quietSeconds < SilenceAfterSeconds)
        {
            return;
        }

        // Asked before an incident is closed: that one has ended in this silence.
        SuppressedBy refused = _gate.AdmitSilence(now, SilenceScore);

        if (refused != SuppressedBy.None && !_silent)
        {
            _gate.Count(Events, refused, output);
        }

        _silent = true;
        _silenceHeld = AlertGate.IsForATime(refused);

        if (_incident.IsOpen)
        {
            output.Incidents.Add(Ended(_incident.Close(SilenceVerdict(now, "", modelVersion), "the stream fell silent")));
        }

        if (refused != SuppressedBy.None)
        {
            return;
        }

        string explanation = string.Create(
            CultureInfo.InvariantCulture, $"nothing for {quietSeconds:0.#} s; usually at most {_longestGapSeconds:0.###} s apart");
        output.Incidents.Add(_incident.Open(SilenceVerdict(now, explanation, modelVersion)));
        _incidents.FollowSilence(_incident.OpenedRow, quietSeconds);
    }

    /// <summary>Why the stream's last decision, or the one in force at a time, was made; null where it is not held, with the reason.</summary>
    internal Explanation? Explain(DateTimeOffset? at, out string? missing)
    {
        if (!_decisions.TryFind(at, toleranceSeconds: 1, out Decision decision, out ReadOnlySpan<Half> scores, out missing))
        {
            return null;
        }

        string template = _tree[decision.Template];
        return Explaining.Explain(
            Stream,
            EventChannelBank.Words,
            decision,
            scores,
            decision.Row < _options.LearningEvents ? Lifecycle.Learning
                : decision.Row < _options.WarmUpEvents ? Lifecycle.Calibrating
                : Lifecycle.Active,
            decision.SuppressedBy == SuppressedBy.WarmUp ? WarmUpAt(decision.Row) : null,
            _incidents.Of(decision.Row),
            _decisions.Held,
            $"'{template}'") with
        {
            Template = template,
        };
    }

    /// <summary>Takes a person's word on an incident, or with null takes it back; false where it is not known.</summary>
    /// <remarks>What network and counts have learnt of a real incident's events stays: they come among thousands.</remarks>
    /// <param name="incidentId">Its id.</param>
    /// <param name="label">What it was.</param>
    /// <param name="now">The wall clock, for a silence that ends by it.</param>
    /// <param name="clockSeconds">The shard's clock.</param>
    /// <param name="modelVersion">The base weights in service.</param>
    /// <param name="output">Where it is said that an incident is closed by it.</param>
    internal bool Label(
        string incidentId, IncidentLabel? label, DateTimeOffset now, double clockSeconds, long modelVersion, ShardOutput output)
    {
        if (!_incidents.TryLabel(Stream, incidentId, label, _budget, Events, out RememberedIncident? incident))
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
            _incidents.FollowSilence(incident.OpenedRow, clockSeconds - LastArrivalSeconds);
        }

        if (label == IncidentLabel.Real && !incident.IsSilence)
        {
            // Event n-1 is the last that was observed: one ago.
            _channels.Exclude(Events - incident.OpenedRow, Events - incident.EndRow + 1);
        }

        TeachOrdinary();

        if (isOpen && label == IncidentLabel.FalseAlarm)
        {
            output.Incidents.Add(Ended(_incident.Close(
                incident.IsSilence ? SilenceVerdict(now, "", modelVersion) : NewVerdict(new Judgement(), _lastTime, modelVersion, explained: false),
                "labelled a false alarm")));
        }

        return true;
    }

    /// <summary>Hands on what labels say is ordinary.</summary>
    private void TeachOrdinary()
    {
        Span<double> levels = stackalloc double[EventChannelBank.Count];
        _incidents.OrdinaryLevels(levels);
        _channels.Teach(levels, _rate);
    }

    /// <summary>Takes a person's word that what goes on is ordinary; false where no incident of events is open.</summary>
    internal bool Accept(long modelVersion, ShardOutput output)
    {
        if (!_incident.IsOpen || _incident.IsSilence)
        {
            return false;
        }

        output.Incidents.Add(Ended(_incident.Close(
            NewVerdict(new Judgement(), _lastTime, modelVersion, explained: false), "accepted as the new normal")));
        return true;
    }

    internal void Save(BinaryWriter writer)
    {
        writer.Write(HasOwnWeights);
        writer.Write(Events);
        writer.Write(_random.State);
        writer.Write(_lastTime.UtcTicks);
        writer.Write(_longestGapSeconds);
        writer.Write(_late);
        writer.Write(_silent);
        writer.Write(_silenceHeld);
        writer.Write(IsLive);
        _tree.Save(writer);

        for (int place = EventNetwork.FirstKind; place < EventNetwork.PlacesMax; place++)
        {
            writer.Write((short)_templateAt[place]);
        }

        for (int template = 0; template <= TemplatesMax; template++)
        {
            writer.Write(_recent[template]);
            writer.Write(_recentAt[template]);
        }

        _forecaster.Save(writer);
        _channels.Save(writer);
        _rate.Save(writer);
        _budget.Save(writer);
        _gate.Save(writer);
        _incident.Save(writer);
        _incidents.Save(writer);
        _alone.Save(writer);
        writer.Write(_sessions.Count);

        foreach (LiveSession session in _sessions.All)
        {
            session.Save(writer);
        }
    }

    internal static EventRow Load(string stream, DetectionOptions options, AlertPolicy policy, BinaryReader reader)
    {
        var row = new EventRow(stream, options, policy, ownWeights: reader.ReadBoolean())
        {
            Events = reader.ReadInt64(),
        };
        row._random = new SeededRandom(reader.ReadUInt64());
        row._lastTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        row._longestGapSeconds = reader.ReadDouble();
        row._late = reader.ReadInt32();
        row._silent = reader.ReadBoolean();
        row._silenceHeld = reader.ReadBoolean();
        row.IsLive = reader.ReadBoolean();
        row._tree.Load(reader);

        for (int place = EventNetwork.FirstKind; place < EventNetwork.PlacesMax; place++)
        {
            int template = reader.ReadInt16();
            row._templateAt[place] = template is >= 0 and <= TemplatesMax
                ? template
                : throw new InvalidDataException($"stream {stream}: template {template} at place {place}, expected 0 to {TemplatesMax}");
            row._placeOf[template] = template == 0 ? 0 : place;
        }

        for (int template = 0; template <= TemplatesMax; template++)
        {
            row._recent[template] = reader.ReadSingle();
            row._recentAt[template] = reader.ReadInt64();
        }

        row._forecaster.Load(reader);
        row._channels.Load(reader);
        row._rate.Load(reader);
        row._budget.Load(reader);
        row._gate.Load(reader);
        row._incident.Load(reader);
        row._incidents.Load(reader);
        row.TeachOrdinary();
        row._alone = LiveSession.Load(reader);

        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            row._sessions.Add(LiveSession.Load(reader));
        }

        return row;
    }

    /// <summary>The event's time by the stream's clock, which never goes back: writers on several threads are a little out of order.</summary>
    private DateTimeOffset Arrive(DateTimeOffset time, DateTimeOffset ingestedAt, long modelVersion, ShardOutput output)
    {
        // A line is worth as much under a wrong clock: it is taken when it came.
        time = time > ingestedAt + FutureMax ? ingestedAt : time;
        _late = _lastTime - time > FutureMax ? _late + 1 : 0;

        if (_late >= LateMax)
        {
            _lastTime = time;
            _late = 0;
            _rate.Skip();
        }

        time = time < _lastTime ? _lastTime : time;
        IsLive = (ingestedAt - time).Duration() < FutureMax;

        if (_silent)
        {
            if (_incidents.Find(Events) is { IsSilence: true })
            {
                _incidents.FollowSilence(Events, (time - _lastTime).TotalSeconds);
            }

            _silent = _silenceHeld = false;
            _rate.Skip();

            if (_incident.IsSilence)
            {
                output.Incidents.Add(Ended(_incident.Close(SilenceVerdict(time, "", modelVersion), "the stream is back")));
            }
        }
        else if (Events > 0)
        {
            _longestGapSeconds = Math.Max((time - _lastTime).TotalSeconds, GapStays * _longestGapSeconds);
        }

        _lastTime = time;
        return time;
    }

    /// <summary>To judge a line is to learn its template: where nothing may be learnt it is taken, and left at that.</summary>
    private ScoredObservation LeaveAside(TextEvent what, DateTimeOffset time, long modelVersion)
    {
        _rate.Skip();
        return new ScoredObservation(
            Stream, time, Value: 0, Lifecycle, Progress, AnomalyScore: null, Score: 0,
            Expected: null, Lower: null, Upper: null, IsAlert: false, Channel: "", modelVersion)
        {
            Template = what.Text,
        };
    }

    private LiveSession SessionOf(string? key)
    {
        if (string.IsNullOrEmpty(key) || !HasOwnWeights)
        {
            return _alone;
        }

        key = key.Length > KeyMax ? key[..KeyMax] : key;

        if (_sessions.Touch(key) is { } known)
        {
            return known;
        }

        if (_sessions.Count >= _options.SessionsMax)
        {
            // Dropped to make room, not ended: nothing is said of how.
            LiveSession dropped = _sessions.Oldest!;
            _forecaster.Close(dropped);
            _sessions.Remove(dropped);
        }

        var session = new LiveSession(key);
        _sessions.Add(session);
        return session;
    }

    private void EndIdleSessions(DateTimeOffset time, ref Judgement judgement, EventScratch scratch)
    {
        for (int ended = 0; ended < EndsPerEvent && _sessions.Oldest is { } session && time - session.LastTime > _options.SessionIdle; ended++)
        {
            _forecaster.Forecast(session, scratch);
            (double surprise, double order) = _forecaster.Judge(EventNetwork.Boundary, 1, scratch);

            if (Math.Max(surprise, order) > Math.Max(judgement.Indicators.Surprise, judgement.Indicators.Order))
            {
                judgement.Session = session.Key;
                judgement.Template = session.LastTemplate;
                judgement.IsEnd = true;
                judgement.Expected = Likeliest(scratch);
            }

            judgement.Indicators.Surprise = Math.Max(judgement.Indicators.Surprise, surprise);
            judgement.Indicators.Order = Math.Max(judgement.Indicators.Order, order);
            _forecaster.Take(session, EventNetwork.Boundary);
            _forecaster.Close(session);
            _sessions.Remove(session);
        }
    }

    private void Judge(TemplateMatch match, LiveSession session, ref Judgement judgement, EventScratch scratch)
    {
        int place = _placeOf[match.Template];
        double newProbability = _forecaster.Counts.NewProbability;
        _forecaster.Forecast(session, scratch);
        double surprise, order = 0;
        int rank = _forecaster.Used;

        if (place != 0)
        {
            (surprise, order) = _forecaster.Judge(place, 1 - newProbability, scratch);
            rank = _forecaster.Rank(place, scratch);
        }
        else
        {
            // Known, but too rare for a place: as likely as its lines are among all.
            surprise = -Math.Log(match.IsNew ? newProbability : (_tree.Lines(match.Template) - 0.5) / (_forecaster.Counts.Total + 1));
        }

        if (!judgement.IsEnd || Math.Max(surprise, order) >= Math.Max(judgement.Indicators.Surprise, judgement.Indicators.Order))
        {
            judgement.IsEnd = false;
            judgement.Session = session.Key;
            judgement.Template = match.Template;
            judgement.Expected = Likeliest(scratch);
        }

        judgement.Rank = rank;
        judgement.IsNew = match.IsNew;
        judgement.NewEvery = 1 / newProbability;
        judgement.Indicators.EventSurprise = surprise;
        judgement.Indicators.Surprise = Math.Max(judgement.Indicators.Surprise, surprise);
        judgement.Indicators.Order = Math.Max(judgement.Indicators.Order, order);
        judgement.Indicators.Rank = _forecaster.Counts.RankSurprise(rank);
        judgement.Indicators.New = match.IsNew ? surprise : 0;
        (judgement.Indicators.Repeat, judgement.Repeats, judgement.UsualRepeats) = Repeat(match, place);
        _forecaster.Counts.AddRank(rank);
    }

    /// <summary>How far the events of this kind among the last hundred or so exceed their share: n ln(n / m) - n + m, half a Poisson deviance.</summary>
    private (double Value, double Events, double Usual) Repeat(TemplateMatch match, int place)
    {
        int template = match.Template;

        if (match.IsNew)
        {
            _recent[template] = 0;
        }

        double n = _recent[template] * Math.Exp((_recentAt[template] - Events) / RepeatEvents) + 1;
        double share = place != 0
            ? _forecaster.Counts.Probability(place, _forecaster.Used)
            : (_tree.Lines(template) - 0.5) / (_forecaster.Counts.Total + 1);
        double usual = RepeatEvents * share;
        _recent[template] = (float)n;
        _recentAt[template] = Events;
        return (n > usual ? n * Math.Log(n / usual) - n + usual : 0, n, usual);
    }

    /// <summary>What keeps the event from opening an incident whatever its evidence, and for how many events more.</summary>
    private (SuppressedBy Reason, long Events) Suppression(bool muted) =>
        Events < _options.WarmUpEvents ? (SuppressedBy.WarmUp, _options.WarmUpEvents - Events)
        : _incident.Suppression(Events, muted, isSettling: false);

    private WarmUp WarmUpAt(long events) => new(events, _options.WarmUpEvents, IntervalSeconds: null, IsAfterGap: false);

    private bool Decide(
        in Judgement judgement, DateTimeOffset time, bool muted, SuppressedBy suppressed, long modelVersion, ShardOutput output,
        out SuppressedBy refused)
    {
        refused = SuppressedBy.None;
        double score = _channels.Fast;
        bool mayAlert = Events >= _options.WarmUpEvents;
        bool above = mayAlert && score >= _budget.Threshold;
        SuppressedBy ruled = _gate.Weigh(
            new AlertCandidate(IncidentKind.Log, ScoreCombination.ForPeople(Math.Max(score, _channels.Slow))), above);

        if (_incident.IsOpen)
        {
            int before = output.Incidents.Count;

            if (_incident.Follow(NewVerdict(judgement, time, modelVersion, above), stillAbnormal: score >= _budget.Threshold / 2, muted) is { } followed)
            {
                output.Incidents.Add(followed.State == IncidentState.Closed ? Ended(followed) : followed);
            }

            return above && output.Incidents.Count > before;
        }

        bool alert = _gate.Opens(_incident, Events, time, score, _budget.Threshold, mayAlert, ruled, suppressed, output, out refused);

        if (alert)
        {
            output.Incidents.Add(_incident.Open(NewVerdict(judgement, time, modelVersion, explained: true)));
        }

        if (mayAlert)
        {
            _budget.Observe(alert);
        }

        return alert;
    }

    private IncidentEvent Ended(IncidentEvent closed)
    {
        _gate.Ended(closed.Time);
        return closed;
    }

    private void Learn(TemplateMatch match, LiveSession session, DateTimeOffset time, EventScratch scratch, ShardOutput output)
    {
        Events++;
        int place = _placeOf[match.Template];
        _forecaster.Take(session, place);
        _forecaster.Share(_alone, Events);
        _forecaster.Counts.AddNovelty(match.IsNew, Events);
        session.LastTime = time;
        session.LastTemplate = match.Template;

        if (place == 0 && !match.IsNew && match.Template != LogTemplateTree.Other)
        {
            GivePlace(match.Template);
        }

        if (session.ResetUnlessFinite())
        {
            output.StateResets++;
        }

        if (!_forecaster.Learn(Events, scratch, ref _random))
        {
            output.TrainingStepsUndone++;
        }
    }

    /// <summary>What came twice may have a place of its own: a free one, or that of a kind that comes less often.</summary>
    private void GivePlace(int template)
    {
        int place = _forecaster.Open() ?? LeastUsed();

        if (_templateAt[place] != 0)
        {
            if (_tree.Lines(template) <= _forecaster.Counts.Of(place) + 1)
            {
                return;
            }

            Release(place);
        }

        _placeOf[template] = place;
        _templateAt[place] = template;
    }

    private int LeastUsed()
    {
        int least = EventNetwork.FirstKind;

        for (int place = least + 1; place < EventNetwork.PlacesMax; place++)
        {
            least = _forecaster.Counts.Of(place) < _forecaster.Counts.Of(least) ? place : least;
        }

        return least;
    }

    private void Release(int place)
    {
        _placeOf[_templateAt[place]] = 0;
        _templateAt[place] = 0;
        _forecaster.Forget(place, _alone, _sessions);
    }

    private (int Place, double Probability) Likeliest(EventScratch scratch) =>
        Events < _options.LearningEvents ? (0, 0) : _forecaster.Likeliest(scratch);

    /// <summary>What a place stands for, in words; null for nothing.</summary>
    private string? Name(int place) =>
        place == EventNetwork.Boundary ? "<end of the session>"
        : _templateAt[place] != 0 ? _tree[_templateAt[place]]
        : null;

    private Verdict NewVerdict(in Judgement judgement, DateTimeOffset time, long modelVersion, bool explained)
    {
        double score = Math.Max(_channels.Fast, _channels.Slow);
        return new Verdict
        {
            Stream = Stream,
            Row = Events,
            Time = time,
            Onset = time,
            Kind = IncidentKind.Log,
            AnomalyScore = score,
            Score = ScoreCombination.ForPeople(score),
            ChannelScores = _channels.FastScores,
            ChannelNames = EventChannelBank.Names,
            Template = _tree[judgement.Template],
            ExpectedTemplate = Name(judgement.Expected.Place),
            Explanation = explained ? Explain(judgement) : "",
            ModelVersion = modelVersion,
        };
    }

    private string Explain(in Judgement judgement)
    {
        EventChannel strongest = _channels.Strongest;
        string came = judgement.IsEnd
            ? $"the session ended after '{_tree[judgement.Template]}'"
            : $"'{_tree[judgement.Template]}'";
        string expected = Name(judgement.Expected.Place) is { } name
            ? string.Create(CultureInfo.InvariantCulture, $"expected '{name}' ({100 * judgement.Expected.Probability:0.#} %)")
            : "nothing in particular was expected";
        string why = strongest switch
        {
            EventChannel.New => string.Create(CultureInfo.InvariantCulture, $"{came}, never seen before: something new was due once in {judgement.NewEvery:0} events; {expected}"),
            EventChannel.Order => $"{came} is no rarity, but not after what went before; {expected}",
            EventChannel.Rank => string.Create(CultureInfo.InvariantCulture, $"{came}: {judgement.Rank} kinds were held likelier; {expected}"),
            EventChannel.Run => $"the last events are unlikely together, at the end {came}; {expected}",
            EventChannel.Repeat => string.Create(CultureInfo.InvariantCulture, $"{came} came {judgement.Repeats:0.#} times in the last {RepeatEvents:0} events, usually {judgement.UsualRepeats:0.##}; {expected}"),
            EventChannel.Rate => string.Create(CultureInfo.InvariantCulture, $"{_rate.Figures.Events} events in {_rate.Figures.Seconds:0} s, usually {_rate.Figures.Usual:0}; now {came}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{came} had a chance of 1 in {Math.Exp(Math.Min(judgement.Indicators.Surprise, 30)):0}; {expected}"),
        };
        string session = string.IsNullOrEmpty(judgement.Session) ? "" : $" [session {judgement.Session}]";
        return string.Create(
            CultureInfo.InvariantCulture, $"{why}{session}; evidence {_channels.Fast:0.0} of {_budget.Threshold:0.0} decades needed");
    }

    private Verdict SilenceVerdict(DateTimeOffset now, string explanation, long modelVersion) => new()
    {
        Stream = Stream,
        Row = Events,
        Time = now,
        Onset = _lastTime,
        Kind = IncidentKind.Silence,
        AnomalyScore = SilenceScore,
        Score = ScoreCombination.ForPeople(SilenceScore),
        Explanation = explanation,
        ModelVersion = modelVersion,
    };

    private static ulong Seed(string stream, int seed)
    {
        ulong hash = 14695981039346656037UL ^ (ulong)seed;

        foreach (char c in stream)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return hash;
    }

    /// <summary>What is known of one event once it is judged; for the decision and its words.</summary>
    private record struct Judgement
    {
        public EventIndicators Indicators;

        public string? Session;

        public int Template;

        public (int Place, double Probability) Expected;

        /// <summary>Whether a session's end that came with the event says more than the event itself.</summary>
        public bool IsEnd;

        public bool IsNew;

        public double NewEvery;

        public int Rank;

        public double Repeats;

        public double UsualRepeats;
    }
}
