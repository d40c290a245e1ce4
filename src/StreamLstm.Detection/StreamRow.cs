using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Judging.Values.Shared;
using StreamLstm.Detection.Learning;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Detection;

/// <summary>All that one stream remembers, and what happens to an observation of it. One owner: its shard.</summary>
/// <remarks>
/// The same for values, records and events, which differ in their judge alone. In this order: admit, arrive, judge,
/// decide, remember.
/// </remarks>
public sealed class StreamRow
{
    /// <summary>About what a row's own fields take.</summary>
    private const int RowBytes = 160;

    private IJudge _judge;
    private readonly Decider _decider;
    private readonly Cadence _cadence;
    private readonly string? _group;   // whose weights it shares
    private SeededRandom _random;
    private long _alerts;
    private double _activeSeconds;
    private ValueJudge? _successor;   // is fed beside the judge until it knows enough to take its place
    private StreamForm _successorForm;

    internal StreamRow(string stream, StreamKind kind, StreamForm form, IJudge judge, DetectionOptions options, AlertGate gate, BaseModel model)
    {
        Stream = stream;
        Kind = kind;
        Form = form;
        _group = ModelGroup.Of(options.ModelGroups, stream);
        ModelVersion = model.Version;
        NoticedVersion = model.Of(_group).Since;
        _judge = judge;
        _decider = new Decider(stream, judge, gate, MemorySizes.Of(SizeOf(kind, form)).Decisions);
        _cadence = new Cadence(MemorySizes.Of(SizeOf(kind, form)).Gaps);
        _random = SeededRandom.Of(stream, options.Seed);
    }

    /// <summary>The stream's name.</summary>
    public string Stream { get; }

    /// <summary>The how manieth stream of its shard it is: the order in which streams are gone through, the same after a restart.</summary>
    internal long Birth { get; set; }

    /// <summary>The round of snapshots that last took the row's bytes; 0 for none.</summary>
    internal long SavedIn { get; set; }

    /// <summary>Whether they are others since.</summary>
    internal bool HasChanged { get; set; } = true;

    /// <summary>What its observations are.</summary>
    public StreamKind Kind { get; }

    /// <summary>How much what judges it may remember.</summary>
    public StreamForm Form { get; private set; }

    /// <summary>Observations taken so far.</summary>
    public long Rows => _judge.Rows;

    /// <summary>Where the stream stands.</summary>
    public Lifecycle Lifecycle => _cadence.IsSilent ? Lifecycle.Silent : Stage;

    /// <summary>Share of the warm-up that is done, 0 to 1.</summary>
    public double Progress => Math.Min(1, (double)_judge.WarmUp.Rows / _judge.WarmUp.Needed);

    /// <summary>The version of the base weights that served when its last observation came.</summary>
    public long ModelVersion { get; private set; }

    /// <summary>The version its judge goes by: weights of its own are held against others a few rows after those came.</summary>
    internal long NoticedVersion { get; private set; }

    /// <summary>Whether the stream has weights of its own.</summary>
    public bool HasOwnWeights => _judge.HasOwnWeights;

    /// <summary>How many alerts it was asked for, and how many it got.</summary>
    public AlertRate Alerts => new(
        _judge.RowsPerAlert is { } rows && _cadence.UsualSeconds is > 0 and { } seconds ? AlertRate.DaySeconds / seconds / rows : null,
        _alerts,
        _activeSeconds);

    /// <summary>What judges it.</summary>
    internal IJudge Judge => _judge;

    /// <summary>What its alerts must pass.</summary>
    internal AlertGate Gate => _decider.Gate;

    private Lifecycle Stage =>
        _judge.IsLearning ? Lifecycle.Learning
        : _judge.WarmUp.Rows < _judge.WarmUp.Needed ? Lifecycle.Calibrating
        : Lifecycle.Active;

    /// <summary>Calls the row into the cache, and by the next observation's time what it consists of.</summary>
    internal void Fetch() => CacheLines.Fetch(ref _judge, RowBytes);

    /// <summary>Calls what the row consists of into the cache; the row itself is there.</summary>
    internal void FetchParts()
    {
        _cadence.Fetch();
        _decider.Fetch();
        (_judge as SharedJudge)?.Fetch();
    }

    /// <summary>Takes an observation, if the record policy admits it: scores it, decides, and learns from it.</summary>
    /// <param name="observation">The observation.</param>
    /// <param name="ingestedAt">When it was taken in.</param>
    /// <param name="clockSeconds">The shard's clock.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    /// <param name="output">Where the verdict and incidents go.</param>
    /// <returns>Why it was not admitted; null where it was.</returns>
    internal RejectionReason? Take(
        in Observation observation, DateTimeOffset ingestedAt, double clockSeconds, BaseModel model, DetectionScratch scratch, ShardOutput output)
    {
        // 1 admit
        DateTimeOffset time = observation.Time;

        if ((_judge.Admit(observation)
            ?? _cadence.Admit(ref time, ingestedAt, _judge.IsSame(observation), _judge.TakesAnyTime)) is { } reason)
        {
            return reason;
        }

        // 2 arrive
        Maintenance maintenance = Gate.MaintenanceAt(time);
        Arrival arrival = _cadence.Arrive(time, ingestedAt, clockSeconds, isFirst: _judge.Rows == 0);

        if (arrival.WasSilent)
        {
            _decider.Return(RowAt(time), arrival.QuietSeconds, output);
        }

        if (arrival.IsNewBeginning)
        {
            _decider.BeginAnew(arrival.GapRatio);
        }

        _judge.Arrive(arrival);
        _successor?.Arrive(arrival);

        if (maintenance.FreezeLearning && Stage != Lifecycle.Active)
        {
            _judge.Pass(observation);
            _successor?.Pass(observation);
            output.Scored.Add(Scored(time, WarmUpNow()?.Standing(), isActive: false, score: 0, isAlert: false));
            return null;
        }

        ModelVersion = model.Version;
        BaseModel shared = model.Of(_group);

        if (shared.Since != NoticedVersion && _judge.TakeNoticeOf(shared, scratch))
        {
            NoticedVersion = shared.Since;
            _successor?.TakeNoticeOf(shared, scratch);
        }

        var circumstances = new Circumstances
        {
            Time = time,
            Stream = Stream,
            GapRatio = arrival.GapRatio,
            UsualSeconds = _cadence.UsualSeconds,
            Model = shared,
            Scratch = scratch,
            Output = output,
        };

        // 3 judge
        _judge.Judge(observation, circumstances);

        // 4 decide
        RowOf row = RowAt(time);
        int told = output.Incidents.Count;
        (Lesson lesson, bool isAlert, double score) = _decider.Decide(row, maintenance, output);

        // 5 remember, and learn
        _judge.Remember(lesson, circumstances);

        if (lesson <= Lesson.Suspicious)
        {
            _cadence.Learn(ref _random);
        }

        bool isActive = row.Lifecycle == Lifecycle.Active;
        _activeSeconds += isActive && !arrival.IsBroken ? arrival.QuietSeconds : 0;
        _alerts += output.Incidents.FindIndex(told, incident => incident.State == IncidentState.Opened) >= 0 ? 1 : 0;
        output.Scored.Add(Scored(time, WarmUpNow(), isActive, score, isAlert));
        Grow(observation, lesson, circumstances);
        return null;
    }

    /// <summary>
    /// Gives the stream another form, with all it knows that has room there: of form shared it is at once, out of it another judge is fed beside
    /// the present one and takes its place when its warm-up is over. Incidents, their history and what comes again stay.
    /// </summary>
    /// <param name="form">The form.</param>
    /// <param name="ownWeights">Whether it adapts weights of its own from now on.</param>
    /// <param name="newJudge">Makes a judge of a form, with base weights alone.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    internal void Resize(StreamForm form, bool ownWeights, Func<StreamForm, IJudge> newJudge, BaseModel model, DetectionScratch scratch)
    {
        (_successor, _decider.Successor) = (null, null);
        BaseModel shared = model.Of(_group);

        switch (_judge)
        {
            case ValueJudge values when form == StreamForm.Shared:
                var small = (SharedJudge)newJudge(form);
                small.TakeOver(values, shared, scratch);
                Become(small, form);
                break;
            case ValueJudge values when form != Form || ownWeights != HasOwnWeights:
                values.Resize(form, ownWeights, shared, scratch);
                _decider.Resize(MemorySizes.Of(form).Decisions);
                Form = form;
                break;
            case SharedJudge when form != StreamForm.Shared:
                BeginSuccessor((ValueJudge)newJudge(form), form);
                _successor!.ContinueAt(Rows);
                break;
        }
    }

    /// <summary>Another shard, and another thread, owns the stream from now on.</summary>
    internal void MoveTo(AlertPolicy policy, DetectionScratch scratch)
    {
        Gate.MoveTo(policy);
        (_judge as SharedJudge)?.MoveTo(scratch);
    }

    /// <summary>Whether the stream has been quiet for too long. Changes nothing.</summary>
    /// <param name="clockSeconds">The shard's clock, which stands still while the machine does.</param>
    internal bool FallsSilent(double clockSeconds) =>
        Rows >= _judge.CadenceRows && _cadence.FallsSilent(clockSeconds, _decider.OrdinaryQuietSeconds);

    /// <summary>Opens a silence incident.</summary>
    /// <param name="now">The wall clock, for the event.</param>
    /// <param name="clockSeconds">The shard's clock.</param>
    /// <param name="output">Where the event goes.</param>
    internal void FallSilent(DateTimeOffset now, double clockSeconds, ShardOutput output)
    {
        bool isAgain = _cadence.IsSilent;
        _cadence.FallSilent();
        _cadence.IsSilenceHeld = _decider.FallSilent(
            RowAt(now), _cadence.LastTime, clockSeconds - _cadence.LastArrivalSeconds, _cadence.ExplainSilence(clockSeconds), isAgain, output);
    }

    /// <summary>Why the stream's last decision, or the one in force at a time, was made; null where it is not held, with the reason.</summary>
    internal Explanation? Explain(DateTimeOffset? at, out string? missing) =>
        _decider.Explain(at, _cadence.IntervalSeconds, _cadence.UsualSeconds, RowAt(_cadence.LastTime) with { Row = Rows - 1 }, out missing);

    /// <summary>The gates of the stream's LSTM over what came last; null where there are none to show.</summary>
    internal Model.GateTrace? Gates() => _judge.Gates();

    /// <summary>The incident at a time, or the last one, to be reconstructed; null where it cannot be, with the reason.</summary>
    internal Reconstructing.Excerpt? Excerpt(DateTimeOffset? at, out string? missing) => _judge.Excerpt(at, out missing);

    /// <summary>Takes a person's word that the present level is the new normal; false where no incident of observations is open.</summary>
    internal bool Accept(ShardOutput output) => _decider.Accept(RowAt(_cadence.LastTime), output);

    /// <summary>Whether an incident is one of those that can still be labelled.</summary>
    internal bool Remembers(string incidentId) => _decider.Remembers(incidentId);

    /// <summary>Takes a person's word on an incident, or with null takes it back; false where it is not known.</summary>
    /// <param name="incidentId">Its id.</param>
    /// <param name="label">What it was.</param>
    /// <param name="now">The wall clock, for a silence that ends by it.</param>
    /// <param name="clockSeconds">The shard's clock.</param>
    /// <param name="output">Where it is said that an incident is closed by it.</param>
    internal bool Label(string incidentId, IncidentLabel? label, DateTimeOffset now, double clockSeconds, ShardOutput output) =>
        _decider.Label(
            incidentId, label, RowAt(_cadence.IsSilent ? now : _cadence.LastTime), clockSeconds - _cadence.LastArrivalSeconds, output);

    /// <summary>The stream ends here: what is open is closed.</summary>
    /// <param name="why">For people.</param>
    /// <param name="output">Where it is said.</param>
    internal void Abandon(string why, ShardOutput output) => _decider.Abandon(RowAt(_cadence.LastTime), why, output);

    internal void Save(BinaryWriter writer)
    {
        writer.Write(ModelVersion);
        writer.Write(NoticedVersion);
        writer.Write(_random.State);
        writer.Write(_alerts);
        writer.Write(_activeSeconds);
        _cadence.Save(writer);
        _judge.Save(writer);
        _decider.Save(writer);
        writer.Write(_successor is not null);

        if (_successor is not null)
        {
            writer.Write((byte)_successorForm);
            _successor.Save(writer);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote; false where it is of no use any more.</summary>
    /// <param name="reader">At its beginning.</param>
    /// <param name="newJudge">Makes a judge of a form, with base weights alone.</param>
    internal bool Load(BinaryReader reader, Func<StreamForm, IJudge> newJudge)
    {
        (ModelVersion, NoticedVersion) = (reader.ReadInt64(), reader.ReadInt64());
        _random = new SeededRandom(reader.ReadUInt64());
        _alerts = reader.ReadInt64();
        _activeSeconds = reader.ReadDouble();
        _cadence.Load(reader);
        bool isOfUse = _judge.Load(reader);
        _decider.Load(reader);

        if (reader.ReadBoolean())
        {
            var form = (StreamForm)reader.ReadByte();

            if (form > StreamForm.Lean || newJudge(form) is not ValueJudge successor)
            {
                throw new InvalidDataException($"stream {Stream}: grows into form {form}, expected full or lean, and a stream of values");
            }

            BeginSuccessor(successor, form);
            successor.Load(reader);
        }

        return isOfUse;
    }

    /// <summary>Only streams of values have a form of their own for fleets.</summary>
    private static StreamForm SizeOf(StreamKind kind, StreamForm form) => kind != StreamKind.Values && form == StreamForm.Shared ? StreamForm.Lean : form;

    private void BeginSuccessor(ValueJudge successor, StreamForm form)
    {
        (_successor, _successorForm, _decider.Successor) = (successor, form, successor);
        _decider.TeachOrdinary();
    }

    /// <summary>Feeds the judge that is to take the present one's place, and gives it that when it knows enough.</summary>
    private void Grow(in Observation observation, Lesson lesson, in Circumstances circumstances)
    {
        if (_successor is not { } successor)
        {
            return;
        }

        successor.Judge(observation, circumstances);
        successor.Remember(lesson, circumstances);

        if (successor.WarmUp.Rows >= successor.WarmUp.Needed)
        {
            successor.ContinueAt(Rows);
            Become(successor, _successorForm);
        }
    }

    private void Become(IJudge judge, StreamForm form)
    {
        (_judge, Form, _successor) = (judge, form, null);
        _decider.Exchange(judge, MemorySizes.Of(form).Decisions);
        _cadence.Resize(MemorySizes.Of(form).Gaps);
    }

    /// <summary>The row that is judged, or to come.</summary>
    private RowOf RowAt(DateTimeOffset time)
    {
        Lifecycle stage = Stage;
        (long left, _) = _judge.Rewarming;
        (SuppressedBy keptBack, long rows) = stage != Lifecycle.Active ? (SuppressedBy.WarmUp, _judge.WarmUp.Needed - _judge.WarmUp.Rows)
            : left > 0 ? (SuppressedBy.Gap, left)
            : (SuppressedBy.None, 0);
        return new RowOf
        {
            Row = _judge.Rows,
            Time = time,
            Lifecycle = stage,
            KeptBack = keptBack,
            KeptBackRows = rows,
            IntervalSeconds = _cadence.UsualSeconds,
            ModelVersion = ModelVersion,
        };
    }

    /// <summary>How far the warm-up is; null where the next observation may alert.</summary>
    private WarmUp? WarmUpNow()
    {
        (long rows, long needed) = _judge.WarmUp;
        (long left, long of) = _judge.Rewarming;
        return rows < needed ? new WarmUp(rows, needed, _cadence.IntervalSeconds, IsAfterGap: false)
            : left > 0 ? new WarmUp(of - left, of, _cadence.IntervalSeconds, IsAfterGap: true)
            : null;
    }

    /// <summary>What goes out, written in one go: it is larger than what is cheaply copied.</summary>
    private ScoredObservation Scored(DateTimeOffset time, WarmUp? warmUp, bool isActive, double score, bool isAlert)
    {
        Judgement said = _judge.Last;
        return new ScoredObservation(Stream, time, said.Value, Stage, Progress, ModelVersion)
        {
            AnomalyScore = isActive ? score : 0,
            Evidence = said.IsJudged && isActive ? said.Evidence : null,
            Expected = said.Expected?.Median,
            Lower = said.Expected?.Lower,
            Upper = said.Expected?.Upper,
            IsAlert = isAlert,
            Alerts = isActive ? Alerts : null,
            Channel = isActive && said.Strongest is >= 0 and var strongest ? _judge.Words.Name(strongest) : "",
            Columns = said.Columns,
            WarmUp = warmUp,
            Form = Form,
            Template = said.Template,
            ExpectedTemplate = said.ExpectedTemplate,
        };
    }
}
