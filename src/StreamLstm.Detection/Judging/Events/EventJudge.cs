using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Events;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>Judges events: log lines, words.</summary>
/// <remarks>
/// An event's text finds its template (<see cref="LogTemplateTree"/>), the template its place; the place is judged against
/// what its session was forecast to bring (<see cref="EventForecaster"/>), how many come in a time (<see cref="EventRate"/>),
/// and all of it against clean events (<see cref="EventChannelBank"/>). What is suspicious still teaches templates and counts,
/// as how often a rare line comes is what makes it one; the network learns nothing of it. Of an incident it is known
/// afterwards which templates there were, and no more. Everything is bounded: 512 templates, 254 of them with a place,
/// the sessions the options allow.
/// </remarks>
internal sealed class EventJudge : IJudge
{
    private const int TemplatesMax = 512;

    /// <summary>Events that <see cref="EventChannel.Repeat"/> looks back on.</summary>
    private const double RepeatEvents = 100;

    /// <summary>Sessions that may end with one event, so that no event takes long.</summary>
    private const int EndsPerEvent = 16;

    private const int KeyMax = 256;

    /// <summary>Templates that one incident may found: a flood of garbage must not use up the tree's words.</summary>
    private const int FoundedMax = 16;

    private const double DaySeconds = 86_400;

    private readonly Func<AlertTerms> _terms;
    private readonly EventStreamOptions _options;
    private readonly LogTemplateTree _tree = new(TemplatesMax);
    private readonly int[] _placeOf = new int[TemplatesMax + 1];
    private readonly int[] _templateAt = new int[EventNetwork.PlacesMax];
    private readonly float[] _recent = new float[TemplatesMax + 1];
    private readonly long[] _recentAt = new long[TemplatesMax + 1];
    private readonly EventForecaster _forecaster;
    private readonly EventChannelBank _channels = new();
    private readonly EventRate _rate = new();
    private readonly Settling _settling = new();
    private readonly LiveSessions _sessions = new();
    private readonly List<LiveSession> _ended = [];   // with the event that is judged
    private LiveSession _alone = new("");
    private LiveSession _session;
    private string[] _tokens = [];
    private TemplateMatch _match;
    private Facts _facts;
    private SeededRandom _random;
    private DateTimeOffset _lastTime;
    private double _dayRows, _daySeconds;   // clean events of the last day or so, and how long that is so far
    private bool _isAbnormal;
    private int _founded;                   // templates by the present incident

    /// <param name="stream">The stream's name.</param>
    /// <param name="options">How streams are learnt and judged.</param>
    /// <param name="terms">What is asked of alerts at present.</param>
    /// <param name="ownWeights">Whether it may train a network of its own.</param>
    public EventJudge(string stream, DetectionOptions options, Func<AlertTerms> terms, bool ownWeights)
    {
        (_terms, _options) = (terms, options.Events);
        ulong start = Seed(stream, options.Seed);
        _random = new SeededRandom(start);
        _forecaster = new EventForecaster(ownWeights ? new EventNetwork() : null);
        _session = _alone;
    }

    public long Rows { get; private set; }

    /// <summary>Templates known.</summary>
    public int Templates => _tree.Count;

    /// <summary>Sessions that are open.</summary>
    public int OpenSessions => _sessions.Count;

    /// <summary>How far the network is believed against plain counts, 0 to 1.</summary>
    public double Trust => _forecaster.Trust;

    public (long Rows, long Needed) WarmUp => (Rows, _options.WarmUpEvents);

    public bool IsLearning => Rows < _options.LearningEvents;

    public (long Left, long Of) Rewarming => default;

    public int CadenceRows => _options.WarmUpEvents;

    /// <summary>Writers on several threads are a little out of order, and a line is worth as much under a wrong clock.</summary>
    public bool TakesAnyTime => true;

    public bool HasOwnWeights => _forecaster.HasNetwork;

    /// <summary>Decades of clean events between two alerts that are asked for: some 10,000 events, and a day.</summary>
    public double Threshold => Math.Log10(Math.Max(
        _terms().CleanRowsPerAlert,
        _daySeconds >= 1 ? _dayRows / _daySeconds * DaySeconds * _terms().CleanDaysPerAlert : 0));

    public bool IsSettled => _settling.IsSettled;

    public int StableWindows => _settling.StableWindows;

    public int Indicators => EventChannelBank.Count;

    public IndicatorWords Words => EventChannelBank.Words;

    public Judgement Last { get; } = new(EventChannelBank.Count);

    public RejectionReason? Admit(in Observation observation)
    {
        TextEvent what = observation.Event!;
        return string.IsNullOrEmpty(what.Text) || (!what.IsKind && string.IsNullOrWhiteSpace(what.Text)) ? RejectionReason.Malformed : null;
    }

    public bool IsSame(in Observation observation) => false;

    public void Arrive(in Arrival arrival)
    {
        if (arrival.WasSilent)
        {
            _rate.Skip();
        }
    }

    public void Pass(in Observation observation)
    {
        _rate.Skip();
        Last.Clear();
        Last.Template = observation.Event!.Text;
    }

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        TextEvent what = observation.Event!;
        EventScratch scratch = circumstances.Scratch.Events;
        _tokens = LogTemplateTree.Tokens(what.Text, what.IsKind);
        _match = _tree.Find(_tokens);
        string template = _match.IsNew ? string.Join(' ', _tokens) : _tree[_match.Template];

        // Sessions that have waited too long have ended, and are judged by how.
        _facts = default;
        EndIdleSessions(circumstances.Time, scratch);
        _session = SessionOf(what.Key);
        Weigh(template, scratch);
        _rate.Judge(circumstances.Time);
        Last.Clear();
        Last.IsJudged = !IsLearning;
        Last.Value = _facts.Indicators.EventSurprise;
        Last.Kind = IncidentKind.Log;
        Last.Template = template;

        if (Last.IsJudged)
        {
            _channels.Judge(_facts.Indicators, _rate, Last);
            bool isRate = Last.Strongest == (int)EventChannel.Rate;
            Last.ExpectedTemplate = Name(_facts.Expected.Place);
            Last.Likeness = isRate ? -1 : (int)Seed(_facts.Template ?? "", seed: 0) & int.MaxValue;
            Last.Side = isRate ? Math.Sign(_rate.Figures.Events - _rate.Figures.Usual) : 0;
        }
    }

    public void Remember(Lesson lesson, in Circumstances circumstances)
    {
        Rows++;
        bool learns = lesson <= Lesson.Suspicious;

        // What is alarmed counts once: a rate of alarms that nothing would teach would never be known.
        bool counts = learns || (lesson == Lesson.Abnormal && !_isAbnormal);
        _isAbnormal = lesson == Lesson.Abnormal;
        _founded = _isAbnormal ? _founded : 0;
        _settling.Observe([Last.Value], isOrdinary: lesson is Lesson.Normal or Lesson.Frozen, isAsForecast: Last.IsAsForecast);
        _forecaster.Follow(teaches: lesson == Lesson.Normal);

        if (Last.IsJudged)
        {
            _channels.Remember(Last.Values, counts);
        }

        _rate.Remember(circumstances.Time, lesson, counts);

        double stays = Rows == 1 ? 1 : Math.Exp(Math.Min(0, (_lastTime - circumstances.Time).TotalSeconds) / DaySeconds);
        _lastTime = circumstances.Time;
        (_dayRows, _daySeconds) = (_dayRows * stays + (learns ? 1 : 0), _daySeconds * stays + (1 - stays) * DaySeconds);

        foreach (LiveSession ended in _ended)
        {
            _forecaster.Take(ended, EventNetwork.Boundary, lesson);
            _forecaster.Close(ended);
        }

        TemplateMatch match = learns || (_isAbnormal && _match.IsNew && _founded++ < FoundedMax) ? Learn() : _match;
        int place = _placeOf[match.Template];
        _forecaster.Take(_session, place, lesson);
        _session.LastTime = circumstances.Time;
        _session.LastTemplate = match.Template;

        if (learns)
        {
            _forecaster.Counts.AddRank(_facts.Rank);
            _forecaster.Share(_alone, Rows);

            if (place == 0 && !match.IsNew && match.Template != LogTemplateTree.Other)
            {
                GivePlace(match.Template);
            }
        }

        if (counts)
        {
            _forecaster.Counts.AddNovelty(match.IsNew, Rows);
        }

        circumstances.Output.StateResets += _session.ResetUnlessFinite() ? 1 : 0;

        if (learns && !_forecaster.Learn(Rows, circumstances.Scratch.Events, ref _random))
        {
            circumstances.Output.TrainingStepsUndone++;
        }
    }

    /// <remarks>What network and counts have learnt of a real incident's events stays: they come among thousands.</remarks>
    public void Spare(long firstRow, long endRow)
    {
        _channels.Spare(Rows - firstRow);
        _rate.Spare();
    }

    public void Accept(long firstRow, long endRow)
    {
    }

    public void Ordinary(ReadOnlySpan<double> levels) => _channels.Ordinary(levels, _rate);

    public string Sentence()
    {
        string came = _facts.IsEnd ? $"the session ended after '{_facts.Template}'" : $"'{_facts.Template}'";
        string expected = Last.ExpectedTemplate is { } name
            ? string.Create(CultureInfo.InvariantCulture, $"expected '{name}' ({100 * _facts.Expected.Probability:0.#} %)")
            : "nothing in particular was expected";
        string why = (EventChannel)Math.Max(0, Last.Strongest) switch
        {
            EventChannel.New => $"{came}, never seen before: something new was due once in {Figures.Of(Math.Round(_facts.NewEvery))} events; {expected}",
            EventChannel.Order => $"{came} is no rarity, but not after what went before; {expected}",
            EventChannel.Rank => $"{came}: {_facts.Rank} kinds were held likelier; {expected}",
            EventChannel.Run => $"the last events are unlikely together, at the end {came}; {expected}",
            EventChannel.Repeat => string.Create(CultureInfo.InvariantCulture, $"{came} came {_facts.Repeats:0.#} times in the last {RepeatEvents:0} events, usually {_facts.UsualRepeats:0.##}; {expected}"),
            EventChannel.Rate => string.Create(CultureInfo.InvariantCulture, $"{_rate.Figures.Events:#,0} events in {_rate.Figures.Seconds:#,0} s, usually {_rate.Figures.Usual:#,0}; now {came}"),
            _ => $"{came} had a chance of 1 in {Figures.Of(Math.Round(Math.Exp(Math.Min(_facts.Indicators.Surprise, 30))))}; {expected}",
        };
        return string.IsNullOrEmpty(_facts.Session) ? why : $"{why} [session {_facts.Session}]";
    }

    public Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast) => new($"'{template}'", Columns: null);

    public void Save(BinaryWriter writer)
    {
        writer.Write(Rows);
        writer.Write(_random.State);
        writer.Write(_lastTime.UtcTicks);
        writer.Write(_dayRows);
        writer.Write(_daySeconds);
        writer.Write(_isAbnormal);
        writer.Write(_founded);
        Last.Save(writer);
        _settling.Save(writer);
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
        _alone.Save(writer);
        writer.Write(_sessions.Count);

        foreach (LiveSession session in _sessions.All)
        {
            session.Save(writer);
        }
    }

    public bool Load(BinaryReader reader)
    {
        Rows = reader.ReadInt64();
        _random = new SeededRandom(reader.ReadUInt64());
        _lastTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        (_dayRows, _daySeconds) = (reader.ReadDouble(), reader.ReadDouble());
        _isAbnormal = reader.ReadBoolean();
        _founded = reader.ReadInt32();
        Last.Load(reader);
        _settling.Load(reader);
        _tree.Load(reader);

        for (int place = EventNetwork.FirstKind; place < EventNetwork.PlacesMax; place++)
        {
            int template = reader.ReadInt16();
            _templateAt[place] = template is >= 0 and <= TemplatesMax
                ? template
                : throw new InvalidDataException($"events: template {template} at place {place}, expected 0 to {TemplatesMax}");
            _placeOf[template] = template == 0 ? 0 : place;
        }

        for (int template = 0; template <= TemplatesMax; template++)
        {
            _recent[template] = reader.ReadSingle();
            _recentAt[template] = reader.ReadInt64();
        }

        _forecaster.Load(reader);
        _channels.Load(reader);
        _rate.Load(reader);
        _session = _alone = LiveSession.Load(reader);

        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            _sessions.Add(LiveSession.Load(reader));
        }

        return true;
    }

    /// <summary>The event's template, learnt from it.</summary>
    private TemplateMatch Learn()
    {
        TemplateMatch match = _tree.Learn(_tokens);

        if (match.IsNew)
        {
            _recent[match.Template] = 1;
            _recentAt[match.Template] = Rows;

            // The tree was full: the number is another template's now.
            if (_placeOf[match.Template] != 0)
            {
                Release(_placeOf[match.Template]);
            }
        }

        return match;
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

    private void EndIdleSessions(DateTimeOffset time, EventScratch scratch)
    {
        _ended.Clear();

        while (_ended.Count < EndsPerEvent && _sessions.Oldest is { } session && time - session.LastTime > _options.SessionIdle)
        {
            _forecaster.Forecast(session, scratch);
            (double surprise, double order) = _forecaster.Judge(EventNetwork.Boundary, 1, scratch);

            if (Math.Max(surprise, order) > Math.Max(_facts.Indicators.Surprise, _facts.Indicators.Order))
            {
                _facts.Session = session.Key;
                _facts.Template = _tree[session.LastTemplate];
                _facts.IsEnd = true;
                _facts.Expected = Likeliest(scratch);
            }

            _facts.Indicators.Surprise = Math.Max(_facts.Indicators.Surprise, surprise);
            _facts.Indicators.Order = Math.Max(_facts.Indicators.Order, order);
            _sessions.Remove(session);
            _ended.Add(session);
        }
    }

    private void Weigh(string template, EventScratch scratch)
    {
        int place = _placeOf[_match.Template];
        double newProbability = _forecaster.Counts.NewProbability;
        _forecaster.Forecast(_session, scratch);
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
            surprise = -Math.Log(_match.IsNew ? newProbability : (_tree.Lines(_match.Template) + 0.5) / (_forecaster.Counts.Total + 1));
        }

        ref EventIndicators indicators = ref _facts.Indicators;

        if (!_facts.IsEnd || Math.Max(surprise, order) >= Math.Max(indicators.Surprise, indicators.Order))
        {
            _facts.IsEnd = false;
            _facts.Session = _session.Key;
            _facts.Template = template;
            _facts.Expected = Likeliest(scratch);
        }

        _facts.Rank = rank;
        _facts.NewEvery = 1 / newProbability;
        indicators.EventSurprise = surprise;
        indicators.Surprise = Math.Max(indicators.Surprise, surprise);
        indicators.Order = Math.Max(indicators.Order, order);
        indicators.Rank = _forecaster.Counts.RankSurprise(rank);
        indicators.New = _match.IsNew ? surprise : 0;
        indicators.Repeat = Repeat(place);
    }

    /// <summary>How far the events of this kind among the last hundred or so exceed their share: n ln(n / m) - n + m, half a Poisson deviance.</summary>
    private double Repeat(int place)
    {
        int template = _match.Template;
        double n = _match.IsNew ? 1 : _recent[template] * Math.Exp((_recentAt[template] - Rows) / RepeatEvents) + 1;
        double share = place != 0
            ? _forecaster.Counts.Probability(place, _forecaster.Used)
            : ((_match.IsNew ? 0 : _tree.Lines(template)) + 0.5) / (_forecaster.Counts.Total + 1);
        double usual = RepeatEvents * share;

        if (!_match.IsNew)
        {
            _recent[template] = (float)n;
            _recentAt[template] = Rows;
        }

        (_facts.Repeats, _facts.UsualRepeats) = (n, usual);
        return n > usual ? n * Math.Log(n / usual) - n + usual : 0;
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

    private (int Place, double Probability) Likeliest(EventScratch scratch) => IsLearning ? (0, 0) : _forecaster.Likeliest(scratch);

    /// <summary>What a place stands for, in words; null for nothing.</summary>
    private string? Name(int place) =>
        place == EventNetwork.Boundary ? "<end of the session>"
        : _templateAt[place] != 0 ? _tree[_templateAt[place]]
        : null;

    private static ulong Seed(string stream, int seed)
    {
        ulong hash = 14695981039346656037UL ^ (ulong)seed;

        foreach (char c in stream)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return hash;
    }

    /// <summary>What is known of the event that is judged, for its words.</summary>
    private struct Facts
    {
        public EventIndicators Indicators;

        public string? Session;

        public string? Template;

        public (int Place, double Probability) Expected;

        /// <summary>Whether a session's end that came with the event says more than the event itself.</summary>
        public bool IsEnd;

        public double NewEvery;

        public int Rank;

        public double Repeats;

        public double UsualRepeats;
    }
}
