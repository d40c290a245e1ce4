using System.Text;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Judging.Events;
using StreamLstm.Detection.Judging.Records;
using StreamLstm.Detection.Judging.Texts;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Judging.Values.Shared;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection;

/// <summary>Many streams with one owner. A pure function of its state, the batch and the weights: no clock, no I/O, no locks.</summary>
public sealed class DetectionShard
{
    private const int StreamNameMaxBytes = 256;

    private readonly Dictionary<string, StreamRow> _rows = new(StringComparer.Ordinal);
    private readonly DetectionOptions _options;
    private readonly AlertPolicy _policy;
    private readonly SharedSettings _shared;
    private readonly StreamQuota _quota;
    private readonly DetectionScratch _scratch;
    private readonly Dictionary<string, TrainingBuffer> _training = new(StringComparer.Ordinal);   // by group; "" for streams of none
    private readonly BirthOrder _byBirth = new();
    private SeededRandom _random;
    private long _births;
    private ShardCut? _cut;
    private readonly int _number, _shardCount;
    private double _clockSeconds;
    private Canary? _canary;
    private BaseModel _model = BaseModel.Pretrained;   // as of the last batch

    /// <summary>An empty shard.</summary>
    /// <param name="options">How streams are learnt and judged.</param>
    /// <param name="quota">How many streams all shards together may hold.</param>
    /// <param name="number">The shard's number among <paramref name="shardCount"/>; part of its seed.</param>
    /// <param name="shardCount">How many shards share the training windows that are kept.</param>
    /// <param name="scratch">Buffers of the thread that owns the shard; its other shards may have the same.</param>
    /// <exception cref="ArgumentException">The columns of a stream of records cannot be judged together.</exception>
    public DetectionShard(DetectionOptions options, StreamQuota quota, int number, int shardCount, DetectionScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(quota);
        ArgumentNullException.ThrowIfNull(scratch);
        options.Events.Require();

        foreach (VectorOptions vector in options.Vectors)
        {
            if (vector.Wrong() is { } wrong)
            {
                throw new ArgumentException($"streams '{vector.Streams}': {wrong}", nameof(options));
            }
        }

        (_options, _number, _shardCount) = (options, number, shardCount);
        _policy = new AlertPolicy(options);
        _shared = new SharedSettings(options, () => _policy.Terms);
        _quota = quota;
        _scratch = scratch;
        _random = new SeededRandom(((ulong)options.Seed << 32) ^ (ulong)number);
    }

    /// <summary>The streams of this shard.</summary>
    public IReadOnlyCollection<StreamRow> Rows => _rows.Values;

    /// <summary>Recent clean windows of this shard's streams, of each group of streams as many.</summary>
    public IReadOnlyList<TrainingWindow> TrainingWindows => [.. _training.OrderBy(one => one.Key, StringComparer.Ordinal).SelectMany(one => one.Value.Windows)];

    /// <summary>Applies observations in their order; what comes of them is added to <paramref name="output"/>.</summary>
    /// <param name="observations">Observations of streams of this shard.</param>
    /// <param name="ingestedAt">When they were taken in.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="output">Where verdicts, rejections and incidents go.</param>
    /// <param name="begins">Streams that begin with these observations, and what each begins with, where that was
    /// decided outside; a new stream that is not among them gets no place. Null: the quota and the options decide.</param>
    public void Apply(
        ReadOnlySpan<Observation> observations, DateTimeOffset ingestedAt, BaseModel model, ShardOutput output,
        IReadOnlyDictionary<string, StreamBirth>? begins = null)
    {
        // The next two streams' memory is called while one is judged: the row first, as it says where the rest is.
        StreamRow? next = Coming(observations, 0), afterNext = Coming(observations, 1);

        for (int i = 0; i < observations.Length; i++)
        {
            ref readonly Observation observation = ref observations[i];
            StreamRow? row = next;
            (next, afterNext) = (afterNext, Coming(observations, i + 2));
            next?.FetchParts();

            if (row is null && !_rows.TryGetValue(observation.Stream ?? "", out row) && (row = Begin(observation, model, output, begins)) is null)
            {
                continue;
            }

            if (row.Kind != KindOf(observation))
            {
                output.Refuse(observation, RejectionReason.OtherKind);
                continue;
            }

            // The one place where a fault in scoring is caught: the stream starts again, every other one goes on.
            try
            {
                Change(row);

                if (row.Take(observation, ingestedAt, _clockSeconds, model, _scratch, output) is { } reason)
                {
                    output.Refuse(observation, reason);
                }
            }
#pragma warning disable CA1031 // whatever the fault is, it must not take the other streams down
            catch (Exception fault)
#pragma warning restore CA1031
            {
                output.Rejected[(int)RejectionReason.Fault]++;
                BeginAgain(row, observation, fault, model, output);
                (next, afterNext) = (Coming(observations, i + 1), Coming(observations, i + 2));
            }
        }

        _scratch.Shared.Take();
        output.StateResets += _scratch.Shared.TakeResets();

        foreach (TrainingWindow window in output.Windows)
        {
            // Of each group as many: a large one would else leave a small one none.
            string group = ModelGroup.Of(_options.ModelGroups, window.Stream) ?? "";

            if (!_training.TryGetValue(group, out TrainingBuffer? windows))
            {
                _training.Add(group, windows = new TrainingBuffer(Math.Max(8, _options.TrainingWindowsMax / _shardCount)));
            }

            windows.Add(window, ref _random);
        }

        output.Windows.Clear();
        _model = model;
    }

    /// <summary>Time goes on: streams that have been quiet for too long open an incident.</summary>
    /// <param name="now">The wall clock.</param>
    /// <param name="elapsed">Time since the last tick, without the time in which the machine stood still.</param>
    /// <param name="output">Where incidents go.</param>
    public void Tick(DateTimeOffset now, TimeSpan elapsed, ShardOutput output)
    {
        ArgumentNullException.ThrowIfNull(output);
        _clockSeconds += elapsed.TotalSeconds;
        List<(StreamRow Row, Exception Fault)>? faults = null;

        foreach (StreamRow row in _byBirth.Rows)
        {
            try
            {
                if (row.FallsSilent(_clockSeconds))
                {
                    Change(row);
                    row.FallSilent(now, _clockSeconds, output);
                }
            }
#pragma warning disable CA1031 // as above
            catch (Exception fault)
#pragma warning restore CA1031
            {
                (faults ??= []).Add((row, fault));
            }
        }

        foreach ((StreamRow row, Exception fault) in faults ?? [])
        {
            BeginAgain(row, new Observation(row.Stream, now, double.NaN), fault, _model, output);
        }
    }

    /// <summary>Time goes on for the shard's canary, which begins with the first call: a made-up stream with planted faults, judged as any other.</summary>
    /// <param name="elapsed">Time since the last call, without the time in which the machine stood still.</param>
    /// <param name="model">The base weights in service.</param>
    /// <returns>Whether its detector is alive.</returns>
    /// <remarks>It is none of the shard's streams, in no quota, and begins anew after a restart.</remarks>
    public CanaryReport AdvanceCanary(TimeSpan elapsed, BaseModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _canary ??= NewCanary(model);
        _canary.Advance(elapsed, model);
        return _canary.Report;
    }

    /// <summary>Other maintenance windows hold from the next observation on.</summary>
    /// <param name="windows">All of them, those of the options too.</param>
    public void Maintain(IReadOnlyList<MaintenanceWindow> windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        _policy.Maintenance = windows;
    }

    /// <summary>Other things are asked of alerts from the next observation on.</summary>
    /// <param name="terms">All that is asked; the same streams share a budget as before.</param>
    /// <exception cref="ArgumentException">Other streams share a budget.</exception>
    public void Ask(AlertTerms terms)
    {
        ArgumentNullException.ThrowIfNull(terms);
        _policy.Terms = terms.HasGroupsOf(_policy.Terms)
            ? terms
            : throw new ArgumentException("other streams share a budget; expected the groups that streams were sorted into shards by", nameof(terms));
    }

    /// <summary>Why a stream's last decision, or the one in force at a time, was made.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="at">The time asked for; null for the last decision.</param>
    /// <param name="missing">Why there is no answer, for people; null where there is one.</param>
    public Explanation? Explain(string stream, DateTimeOffset? at, out string? missing)
    {
        ArgumentNullException.ThrowIfNull(stream);
        missing = $"stream '{stream}' is not known";
        return _rows.TryGetValue(stream, out StreamRow? row) ? row.Explain(at, out missing) : null;
    }

    /// <summary>
    /// What a stream's LSTM kept, took in and gave out over what came last: of values the last 48 to 95 rows, of texts the characters of the
    /// last line. Null where the stream is not known, is of another kind, has no weights of its own, or too few rows.
    /// </summary>
    /// <param name="stream">The stream's name.</param>
    public Model.GateTrace? Gates(string stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return _rows.TryGetValue(stream, out StreamRow? row) ? row.Gates() : null;
    }

    /// <summary>
    /// The incident of a stream of values at a time, or its last one, with the rows before it: what it should have looked like, any thread may then
    /// ask it. Where nothing was wrong, what came around that time. Null where there is too little before it, or no row of that time is held.
    /// </summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="at">A time in the incident; null for the last one.</param>
    /// <param name="missing">Why there is none, for people; null where there is one.</param>
    public Reconstructing.Excerpt? Excerpt(string stream, DateTimeOffset? at, out string? missing)
    {
        ArgumentNullException.ThrowIfNull(stream);
        missing = $"stream '{stream}' is not known";
        return _rows.TryGetValue(stream, out StreamRow? row) ? row.Excerpt(at, out missing) : null;
    }

    /// <summary>Takes a person's word that a stream's present level is its new normal: its open incident is closed, and such a level opens no other.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="output">Where it is said that the incident is closed.</param>
    public AcceptOutcome Accept(string stream, ShardOutput output)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(output);
        return !_rows.TryGetValue(stream, out StreamRow? row) ? AcceptOutcome.UnknownStream
            : Change(row).Accept(output) ? AcceptOutcome.Applied
            : AcceptOutcome.NothingOpen;
    }

    /// <summary>Forgets a stream: what is open of it is closed, and one that comes under its name is a new one.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="why">For people, where an incident is closed by it.</param>
    /// <param name="output">Where that is said.</param>
    /// <returns>False where there is none of that name.</returns>
    public bool Forget(string stream, string why, ShardOutput output)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(output);

        if (!_rows.Remove(stream, out StreamRow? row))
        {
            return false;
        }

        Change(row);
        _byBirth.Remove(row);
        row.Abandon($"over: {why}", output);
        _quota.Release(stream, row.HasOwnWeights);
        return true;
    }

    /// <summary>
    /// Gives a stream of values another form, without its losing what it knows that has room there: of form shared it is at once, of shared it becomes
    /// another once that judge has warmed up beside the present one. Streams of another kind keep the form they have.
    /// </summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="form">The form.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="ownWeights">Whether it adapts weights of its own from now on, which begin anew; not where it grows out of form shared. Given where that was decided outside, as with <see cref="Apply"/>.</param>
    /// <returns>False where there is none of that name.</returns>
    public bool Resize(string stream, StreamForm form, BaseModel model, bool ownWeights = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(model);

        if (!_rows.TryGetValue(stream, out StreamRow? row))
        {
            return false;
        }

        bool had = row.HasOwnWeights;
        Change(row).Resize(form, ownWeights, NewSuccessor(row, model), model, _scratch);
        _quota.Exchange(had, row.HasOwnWeights);
        return true;
    }

    /// <summary>The stream that remembers an incident; null where none does.</summary>
    /// <param name="incidentId">The incident's id.</param>
    public string? StreamOf(string incidentId)
    {
        ArgumentNullException.ThrowIfNull(incidentId);
        return _rows.Values.FirstOrDefault(row => row.Remembers(incidentId))?.Stream;
    }

    /// <summary>Takes a person's word on an incident, so that the stream's next decisions heed it.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="incidentId">The incident's id.</param>
    /// <param name="label">What it was; null takes a label back.</param>
    /// <param name="now">The wall clock.</param>
    /// <param name="output">Where it is said that an incident is closed by it.</param>
    public LabelOutcome Label(string stream, string incidentId, IncidentLabel? label, DateTimeOffset now, ShardOutput output)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(incidentId);
        ArgumentNullException.ThrowIfNull(output);
        return !_rows.TryGetValue(stream, out StreamRow? row) ? LabelOutcome.UnknownStream
            : Change(row).Label(incidentId, label, now, _clockSeconds, output) ? LabelOutcome.Applied
            : LabelOutcome.UnknownIncident;
    }

    /// <summary>Hands streams over to the shards they belong to, as alert rules with groups may have changed. Before any observation.</summary>
    /// <param name="owner">The shard a stream belongs to; this one for most.</param>
    public void Rehome(Func<string, DetectionShard> owner)
    {
        ArgumentNullException.ThrowIfNull(owner);

        foreach (string stream in _rows.Keys.Where(stream => owner(stream) != this).ToArray())
        {
            DetectionShard home = owner(stream);
            _rows.Remove(stream, out StreamRow? row);
            _byBirth.Remove(row!);
            row!.MoveTo(home._policy, home._scratch);
            home.Add(row);
        }
    }

    /// <summary>Writes every stream's state.</summary>
    public void Save(BinaryWriter writer)
    {
        SaveHead(writer);

        foreach (StreamRow row in _byBirth.Rows)
        {
            SaveRow(writer, row);
        }
    }

    /// <summary>Writes what is the shard's own and no stream's, and how many streams it has.</summary>
    /// <param name="writer">Where to.</param>
    public void SaveHead(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(_random.State);
        writer.Write(_clockSeconds);
        _policy.Save(writer);
        writer.Write(_births);
        writer.Write(_rows.Count);
    }

    /// <summary>
    /// Cuts the shard as it is now, for its owner to take the bytes of its streams one by one while it goes on: a stream that changes
    /// meanwhile has its bytes taken first. One cut at a time.
    /// </summary>
    /// <param name="round">The number of the round of snapshots, above those before.</param>
    /// <param name="carriedFrom">The round whose bytes are at hand: of a stream that has not changed since nothing is encoded; 0 for none.</param>
    public ShardCut Cut(long round, long carriedFrom)
    {
        using var head = new MemoryStream();
        using var writer = new BinaryWriter(head);
        SaveHead(writer);
        writer.Flush();
        return _cut = new ShardCut(head.ToArray(), [.. _byBirth.Rows], round, carriedFrom, done: () => _cut = null);
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into an empty shard.</summary>
    /// <param name="reader">At the beginning of the shard's part.</param>
    /// <param name="model">The base weights in service.</param>
    /// <exception cref="InvalidDataException">A count is outside its range.</exception>
    /// <exception cref="EndOfStreamException">It ends too early.</exception>
    public void Load(BinaryReader reader, BaseModel model)
    {
        for (int left = LoadHead(reader); left > 0; left--)
        {
            LoadStream(reader, model);
        }

        _model = model;
    }

    /// <summary>Reads what <see cref="SaveHead"/> wrote, into an empty shard.</summary>
    /// <param name="reader">At its beginning.</param>
    /// <returns>How many streams there were.</returns>
    /// <exception cref="EndOfStreamException">It ends too early.</exception>
    public int LoadHead(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _random = new SeededRandom(reader.ReadUInt64());
        _clockSeconds = reader.ReadDouble();
        _policy.Load(reader);
        _births = reader.ReadInt64();
        return reader.ReadInt32();
    }

    /// <summary>Reads what <see cref="SaveStream"/> wrote; the shard's head has been read before, and streams may come in any order.</summary>
    /// <param name="reader">At the stream's beginning.</param>
    /// <param name="model">The base weights in service.</param>
    /// <exception cref="InvalidDataException">A count is outside its range.</exception>
    /// <exception cref="EndOfStreamException">It ends too early.</exception>
    public void LoadStream(BinaryReader reader, BaseModel model)
    {
        ArgumentNullException.ThrowIfNull(reader);
        string stream = reader.ReadString();
        var kind = (StreamKind)reader.ReadByte();
        var form = (StreamForm)reader.ReadByte();

        if (!Enum.IsDefined(kind) || !Enum.IsDefined(form))
        {
            throw new InvalidDataException($"stream {stream}: kind {kind}, form {form}, expected kind 0 to 4, form 0 to 2");
        }

        bool ownWeights = reader.ReadBoolean();
        long birth = reader.ReadInt64();
        bool isJudged = kind != StreamKind.Records || VectorOptions.Of(_options.Vectors, stream) is not null;
        StreamRow row = NewRow(stream, kind, form, ownWeights, model, birth);

        // One whose columns are others now begins anew; one whose records are no longer judged together would only fall silent.
        if (!row.Load(reader, NewSuccessor(row, model)))
        {
            row = NewRow(stream, kind, form, ownWeights, model, birth);
        }

        if (isJudged)
        {
            _quota.Restore(stream, ownWeights);
            _rows.Add(stream, row);
            _byBirth.Add(row);
        }

        _model = model;
    }

    /// <summary>Writes one stream's state; false where there is none of that name.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="stream">The stream's name.</param>
    public bool SaveStream(BinaryWriter writer, string stream)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(stream);

        if (!_rows.TryGetValue(stream, out StreamRow? row))
        {
            return false;
        }

        SaveRow(writer, row);
        return true;
    }

    /// <summary>Streams whose state is another one since this was last asked, in the order in which they began. Not to be mixed with <see cref="Cut"/>, which keeps account of the same.</summary>
    public IReadOnlyList<string> TakeChanged()
    {
        StreamRow[] changed = [.. _byBirth.Rows.Where(row => row.HasChanged)];
        Array.ForEach(changed, row => row.HasChanged = false);
        return [.. changed.Select(row => row.Stream)];
    }

    /// <summary>Why a new stream may not begin with an observation, wherever there is a place for it; null where it may.</summary>
    /// <param name="observation">The observation.</param>
    /// <param name="options">How streams are judged.</param>
    public static RejectionReason? MayNotBegin(in Observation observation, DetectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return IsBadName(observation.Stream) ? RejectionReason.BadStreamName
                : observation.Record is not null && VectorOptions.Of(options.Vectors, observation.Stream) is null ? RejectionReason.OtherKind
            : null;
    }

    /// <summary>Why an observation is taken by no stream, whatever there was before it; null where one may take it.</summary>
    /// <param name="observation">The observation.</param>
    /// <param name="ingestedAt">When it came.</param>
    public static RejectionReason? NeverTaken(in Observation observation, DateTimeOffset ingestedAt) =>
        IsBadName(observation.Stream) ? RejectionReason.BadStreamName
        : observation.Event is not null ? null
        : observation.Record is null && ValueJudge.IsBad(observation.Value) ? RejectionReason.BadValue
        : observation.Time - ingestedAt > Cadence.FutureMax ? RejectionReason.Future
        : null;

    private static bool IsBadName(string? stream) => string.IsNullOrEmpty(stream) || Encoding.UTF8.GetByteCount(stream) > StreamNameMaxBytes;

    /// <summary>The kind of stream an observation is of.</summary>
    /// <param name="observation">The observation.</param>
    public static StreamKind KindOf(in Observation observation) =>
        observation.Record is not null ? StreamKind.Records
        : observation.Event is { IsCharacters: true } ? StreamKind.Texts
        : observation.Event is { IsWords: true } ? StreamKind.Words
        : observation.Event is not null ? StreamKind.Events
        : StreamKind.Values;

    /// <summary>A row is about to change: a cut under way takes its bytes first.</summary>
    private StreamRow Change(StreamRow row)
    {
        if (_cut is { IsDone: false })
        {
            _cut.Take(row);
        }

        row.HasChanged = true;
        return row;
    }

    /// <summary>A stream that comes from another shard.</summary>
    private void Add(StreamRow row)
    {
        // The births of two shards may be the same: it comes behind those that are here.
        row.Birth = _births++;
        _rows.Add(row.Stream, row);
        _byBirth.Add(row);
    }

    internal static void SaveRow(BinaryWriter writer, StreamRow row)
    {
        writer.Write(row.Stream);
        writer.Write((byte)row.Kind);
        writer.Write((byte)row.Form);
        writer.Write(row.HasOwnWeights);
        writer.Write(row.Birth);
        row.Save(writer);
    }

    /// <summary>The stream of an observation whose name is new; null where there is to be none, which is counted.</summary>
    private StreamRow? Begin(in Observation observation, BaseModel model, ShardOutput output, IReadOnlyDictionary<string, StreamBirth>? begins)
    {
        string stream = observation.Stream;
        StreamKind kind = KindOf(observation);
        var birth = new StreamBirth(_options.Form, OwnWeights: false);

        if ((MayNotBegin(observation, _options)
            ?? ((begins is null ? TakesQuota(observation, ref birth) : begins.TryGetValue(stream, out birth))
                ? null
                : RejectionReason.StreamLimit)) is { } reason)
        {
            output.Refuse(observation, reason);
            return null;
        }

        StreamRow row = NewRow(stream, kind, birth.Form, birth.OwnWeights, model, _births++);
        _rows.Add(stream, row);
        _byBirth.Add(row);
        return row;
    }

    /// <summary>The stream of an observation to come, on its way into the cache; null where there is none yet.</summary>
    private StreamRow? Coming(ReadOnlySpan<Observation> observations, int place)
    {
        StreamRow? row = place < observations.Length ? _rows.GetValueOrDefault(observations[place].Stream ?? "") : null;
        row?.Fetch();
        return row;
    }

    private bool TakesQuota(in Observation observation, ref StreamBirth birth)
    {
        bool isThere = _quota.TryTake(observation.Stream, observation.Record is null, out bool ownWeights);
        birth = birth with { OwnWeights = ownWeights };
        return isThere;
    }

    /// <summary>A stream starts again after a fault.</summary>
    private void BeginAgain(StreamRow row, in Observation observation, Exception fault, BaseModel model, ShardOutput output)
    {
        row.Abandon("over: the stream starts again after a fault in judging it", output);
        StreamRow again = NewRow(row.Stream, row.Kind, row.Form, row.HasOwnWeights, model, row.Birth);
        _rows[row.Stream] = again;
        _byBirth.Replace(row, again);
        output.Faults.Add((observation, fault));
    }

    private Canary NewCanary(BaseModel model)
    {
        // A rule or a maintenance window for all streams must not keep it quiet.
        DetectionOptions options = _options with { AlertRules = [], Maintenance = [] };
        var policy = new AlertPolicy(options);
        return new Canary(NewCanaryRow, options, ((ulong)options.Seed << 32) ^ (ulong)_number, _scratch);

        StreamRow NewCanaryRow() => new(
            Canary.Stream, StreamKind.Values, StreamForm.Lean,
            new ValueJudge(Canary.Stream, options, () => policy.Terms, model, StreamForm.Lean, ownWeights: false), options, policy.NewGate(Canary.Stream), model);
    }

    private StreamRow NewRow(string stream, StreamKind kind, StreamForm form, bool ownWeights, BaseModel model, long birth)
    {
        AlertGate gate = _policy.NewGate(stream);
        IJudge judge = kind switch
        {
            StreamKind.Values => NewValueJudge(stream, form, ownWeights, gate, model),
            StreamKind.Records => new RecordJudge(_options, VectorOptions.Of(_options.Vectors, stream) ?? new VectorOptions()),
            StreamKind.Texts => new TextJudge(stream, _options, () => gate.Terms, ownWeights, new CharacterTokens(), TextSizes.Of(words: false, form)),
            StreamKind.Words => new TextJudge(stream, _options, () => gate.Terms, ownWeights, new WordTokens(), TextSizes.Of(words: true, form)),
            _ => new EventJudge(stream, _options, () => gate.Terms, ownWeights),
        };
        return new StreamRow(stream, kind, form, judge, _options, gate, model) { Birth = birth };
    }

    private IJudge NewValueJudge(string stream, StreamForm form, bool ownWeights, AlertGate gate, BaseModel model) =>
        form == StreamForm.Shared
            ? new SharedJudge(stream, _shared, _scratch)
            : new ValueJudge(stream, _options, () => gate.Terms, model.Of(ModelGroup.Of(_options.ModelGroups, stream)), form, ownWeights);

    /// <summary>Makes a judge that is to take the place of a row's present one.</summary>
    private Func<StreamForm, IJudge> NewSuccessor(StreamRow row, BaseModel model) =>
        form => NewValueJudge(row.Stream, form, ownWeights: false, row.Gate, model);
}
