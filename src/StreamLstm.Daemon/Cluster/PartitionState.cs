using System.Diagnostics;
using System.Globalization;
using System.Text;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;
using StreamLstm.Detection.Learning;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Cluster;

/// <summary>How the streams of a partition are read and judged.</summary>
/// <param name="Source">How records are read.</param>
/// <param name="Rules">Which records are judged together.</param>
/// <param name="Detection">How streams are judged.</param>
/// <param name="Limits">Bounds on the streams of one partition.</param>
/// <param name="Schemas">Where records name their schemas: those; null where they name none.</param>
internal sealed record PartitionRules(KafkaSourceOptions Source, RecordRules Rules, DetectionOptions Detection, StreamLimits Limits, KafkaSchemas? Schemas = null);

/// <summary>All that is known of one partition's streams: a function of the partition's records, of weights and of configuration.</summary>
/// <remarks>
/// No other partition, no clock and no batch has a part in it, so whoever owns it gets the same bits. A person's word stands at a place of its own between two
/// records, and is in the state that is written there. Time is that of the records: Kafka's
/// own stamps, which a record moves on by a minute at most, so that a wrong one does not make every stream look silent.
/// </remarks>
internal sealed class PartitionState
{
    private const int Format = 1;

    /// <summary>As many share the windows that a daemon keeps, as a rule.</summary>
    private const int PartitionsOfADaemon = 16;

    private static readonly long TickTicks = TimeSpan.TicksPerSecond;
    private static readonly long LeapMaxTicks = TimeSpan.TicksPerMinute;

    private readonly PartitionRules _rules;
    private readonly int _partition;
    private readonly KafkaRecordDecoder _decoder;
    private readonly RecordStamp _stamp = new();
    private readonly Decoded _decoded;
    private readonly DetectionShard _shard;
    private readonly StreamPlaces _places;
    private readonly IncidentGrouping _grouping = new();
    private readonly ShardOutput _output = new();
    private readonly StateRecords _records;
    private readonly HashSet<string> _touched = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _births = new(StringComparer.Ordinal);
    private readonly long[] _rejected = new long[Enum.GetValues<RejectionReason>().Length];
    private readonly List<ForgottenStream> _forgotten = [];
    private bool _haveGroupsChanged;
    private bool _haveWeightsChanged;
    private long _clock;    // in ticks of UTC; 0 before the first record
    private long _ticked;   // up to which time has been told to the streams

    /// <param name="rules">How it is read and judged.</param>
    /// <param name="partition">Its number.</param>
    /// <param name="records">What the topic of state holds of it; nothing for a new one.</param>
    /// <param name="model">The base weights to start with, where the topic holds none.</param>
    /// <exception cref="InvalidDataException">The topic holds something else than this version writes.</exception>
    public PartitionState(PartitionRules rules, int partition, StateRecords records, BaseModel model)
    {
        (_rules, _partition, _records) = (rules, partition, records);
        _decoder = new KafkaRecordDecoder(rules.Source, rules.Schemas);
        _decoded = new Decoded(_stamp, rules.Rules);
        _places = new StreamPlaces(rules.Detection, rules.Limits);

        // Who has a place is for StreamPlaces to say. Windows to train on are no part of the state: who takes over gathers its own.
        _shard = new DetectionShard(rules.Detection, new StreamQuota(int.MaxValue, int.MaxValue), partition, PartitionsOfADaemon, new DetectionScratch());
        _haveWeightsChanged = records.Of(StateRecords.Weights) is null;
        Model = records.Of(StateRecords.Weights) is { } weights ? ModelBytes.Read(weights) : model;

        if (records.Of(StateRecords.Partition) is { } head)
        {
            Load(head);
        }
    }

    /// <summary>The base weights that serve its streams: those of its first owner, whatever a later one is configured with, until others came.</summary>
    public BaseModel Model { get; private set; }

    /// <summary>Recent clean windows of its streams, since this owner has it.</summary>
    public IReadOnlyList<TrainingWindow> TrainingWindows => _shard.TrainingWindows;

    /// <summary>What comes next; null where it was never read.</summary>
    public KafkaPosition? At { get; private set; }

    /// <summary>Whether anything is so now that the topic of state does not hold.</summary>
    public bool HasChanged { get; private set; }

    /// <summary>Streams that have a place.</summary>
    public IReadOnlyCollection<StreamRow> Streams => _shard.Rows;

    /// <summary>Observations of all its owners.</summary>
    public long Received { get; private set; }

    /// <summary>Observations scored or learnt from, of all its owners.</summary>
    public long Scored { get; private set; }

    /// <summary>The rest.</summary>
    public long Rejected => _rejected.Sum();

    /// <summary>Goes on from another place: where it begins, or behind a gap.</summary>
    public void Begin(KafkaPosition at) => (At, HasChanged) = (at, true);

    /// <summary>Takes the partition's next record, or that only marks of transactions are left before an offset.</summary>
    /// <returns>What came of it; valid until the next one.</returns>
    public TakenRecord Take(KafkaRecord record)
    {
        KafkaPosition at = At!;
        Begin();

        if (record.Kind == KafkaReadKind.End)
        {
            At = at with { Offset = record.Offset };
            return Taken(Place(record), DateTimeOffset.UnixEpoch);
        }

        long stamp = record.Timestamp >= 0 ? DateTimeOffset.FromUnixTimeMilliseconds(record.Timestamp).UtcTicks : _clock;
        _stamp.Begin(stamp, at.StampTicks);
        TickTo(stamp);

        if (record.Value?.Length > _rules.Source.RecordMaxBytes)
        {
            _decoded.Reject(1, $"{record.Value.Length} bytes, expected at most {_rules.Source.RecordMaxBytes}", record.Value, RejectionReason.Oversize);
        }
        else if (record.Value is not null)
        {
            _decoder.Decode(record, _decoded);
        }

        var came = new DateTimeOffset(stamp, TimeSpan.Zero);
        Apply(came);
        At = new KafkaPosition(at.TopicId, record.Offset + 1, record.LeaderEpoch, 0, _stamp.LastTicks);
        return Taken(Place(record), came);
    }

    /// <summary>Has other base weights serve from here on: each stream goes over to them with its next observation, or keeps its own where those are better.</summary>
    /// <returns>Whether they are newer than those that serve.</returns>
    public bool Serve(BaseModel model)
    {
        if (model.Version <= Model.Version)
        {
            return false;
        }

        Begin();
        (Model, _haveWeightsChanged) = (model, true);
        return true;
    }

    /// <summary>Takes a person's word on an incident, or with null takes it back.</summary>
    /// <param name="incidentId">The incident.</param>
    /// <param name="label">What it was.</param>
    /// <param name="now">The wall clock.</param>
    /// <returns>Its stream; null where none of this partition remembers it.</returns>
    public string? Label(string incidentId, IncidentLabel? label, DateTimeOffset now)
    {
        if (_shard.StreamOf(incidentId) is not { } stream)
        {
            return null;
        }

        Begin();
        _shard.Label(stream, incidentId, label, now, _output);
        return stream;
    }

    /// <summary>Takes a person's word that a stream's present level is its new normal.</summary>
    public AcceptOutcome Accept(string stream)
    {
        Begin();
        return _shard.Accept(stream, _output);
    }

    /// <summary>Forgets a stream, as a person asked; false where there is none of that name.</summary>
    public bool Forget(string stream)
    {
        Begin();

        if (!_shard.Forget(stream, "a person had the stream forgotten", _output))
        {
            return false;
        }

        _places.Remove(stream);
        _touched.Add(stream);
        _forgotten.Add(new ForgottenStream(stream, ForgetReason.Asked));
        return true;
    }

    /// <summary>Why a stream's last decision, or the one in force at a time, was made; null with the reason where there is none.</summary>
    public Explanation? Explain(string stream, DateTimeOffset? at, out string? missing) => _shard.Explain(stream, at, out missing);

    /// <summary>Whether it has a stream of that name.</summary>
    public bool Has(string stream) => _shard.Rows.Any(row => row.Stream == stream);

    /// <summary>What came of the last word, to be told.</summary>
    public TakenRecord TakeSaid() => Taken(string.Create(CultureInfo.InvariantCulture, $"{_partition}-{At!.Offset}-said"), new DateTimeOffset(_clock, TimeSpan.Zero));

    /// <summary>What has changed since this was last asked, as records of the topic of state.</summary>
    public List<StateRecord> TakeChanges()
    {
        List<StateRecord> changes = [];
        long offset = At!.Offset;
        _touched.UnionWith(_shard.TakeChanged());
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);

        foreach (string stream in _touched.Order(StringComparer.Ordinal))
        {
            buffer.SetLength(0);
            bool isThere = _places.SaveStream(writer, stream) && _shard.SaveStream(writer, stream);
            writer.Flush();
            changes.AddRange(_records.OfStream(stream, isThere ? buffer.GetBuffer().AsMemory(0, (int)buffer.Length) : default(ReadOnlyMemory<byte>?), offset));
        }

        foreach ((string node, string told) in _decoder.Sparkplug.TakeNotes())
        {
            changes.Add(StateRecords.OfBirth(node, told));
        }

        if (_haveGroupsChanged)
        {
            buffer.SetLength(0);
            _grouping.Save(writer);
            writer.Flush();
            changes.Add(new StateRecord(StateRecords.Groups, buffer.ToArray()));
        }

        if (_haveWeightsChanged)
        {
            changes.Add(new StateRecord(StateRecords.Weights, ModelBytes.Of(Model)));
        }

        changes.Add(new StateRecord(StateRecords.Partition, Head()));
        _touched.Clear();
        (_haveGroupsChanged, _haveWeightsChanged, HasChanged) = (false, false, false);
        return changes;
    }

    /// <summary>What people are shown of it, within bounds.</summary>
    public PartitionSummary Summary() => new(
        _partition, At?.Offset ?? 0, Received, Scored, Rejected,
        _shard.Rows.GroupBy(row => row.Lifecycle).OrderBy(rows => rows.Key).ToDictionary(rows => rows.Key, rows => rows.Count()),
        [.. _shard.Rows.Select(row => new StreamSummary(row.Stream, row.Lifecycle)).OrderBy(row => row.Stream, StringComparer.Ordinal).Take(PartitionSummary.StreamsMax)],
        [.. _grouping.Open().Take(PartitionSummary.OpenMax).Select(OpenIncident.Of)]);

    /// <summary>Time goes on to a record's: streams that were quiet for too long before it are told of before it.</summary>
    private void TickTo(long stamp)
    {
        _clock = _clock == 0 ? stamp : Math.Max(_clock, Math.Min(stamp, _clock + LeapMaxTicks));
        _ticked = _ticked == 0 ? _clock : _ticked;

        if (_clock - _ticked < TickTicks)
        {
            return;
        }

        var elapsed = TimeSpan.FromTicks(_clock - _ticked);
        _ticked = _clock;
        _shard.Tick(new DateTimeOffset(_clock, TimeSpan.Zero), elapsed, _output);

        IReadOnlyList<ForgottenStream> forgotten = _places.Tick(elapsed);
        Resize(_places.TakeResized());

        foreach (ForgottenStream gone in forgotten)
        {
            string why = gone.Reason == ForgetReason.Idle
                ? "the stream had no observation for longer than limits.stream_retention, and is forgotten"
                : "the stream was idle longest when streams outgrew limits.memory_mib, and is forgotten";
            _shard.Forget(gone.Stream, why, _output);
            _touched.Add(gone.Stream);
            _forgotten.Add(gone);
        }
    }

    private void Apply(DateTimeOffset came)
    {
        if (_decoded.Observations.Count == 0)
        {
            return;
        }

        Observation[] observations = [.. _decoded.Observations];
        Dictionary<string, StreamBirth>? begins = null;

        foreach (ref readonly Observation observation in observations.AsSpan())
        {
            _touched.Add(observation.Stream ?? "");

            if (_places.Route(observation) is { } birth)
            {
                (begins ??= new(StringComparer.Ordinal)).Add(observation.Stream!, birth);
            }
        }

        foreach (ResizedStream what in _places.TakeResized())
        {
            // One that has only begun begins as it is now.
            if (begins?.ContainsKey(what.Stream) == true)
            {
                begins[what.Stream] = new StreamBirth(what.Form, OwnWeights: false);
            }
            else
            {
                Resize([what]);
            }
        }

        _shard.Apply(observations, came, Model, _output, begins ?? NoneBegin);
    }

    private static readonly Dictionary<string, StreamBirth> NoneBegin = [];

    private void Resize(IReadOnlyList<ResizedStream> resized)
    {
        foreach (ResizedStream what in resized)
        {
            _shard.Resize(what.Stream, what.Form, Model);
            _touched.Add(what.Stream);
        }
    }

    private string Place(KafkaRecord record) => string.Create(CultureInfo.InvariantCulture, $"{_partition}-{record.Offset}");

    /// <summary>Nothing has come of what is taken now.</summary>
    private void Begin()
    {
        HasChanged = true;
        _output.Clear();
        _forgotten.Clear();
        _decoded.Observations.Clear();
        _decoded.Errors.Clear();
    }

    private TakenRecord Taken(string place, DateTimeOffset came)
    {
        GroupedIncidents? grouped = null;

        if (_output.Incidents.Count > 0)
        {
            grouped = _grouping.Apply(_output.Incidents);
            _haveGroupsChanged = true;
        }

        Received += _decoded.Observations.Count + _decoded.Errors.Count;
        Scored += _output.Scored.Count;

        for (int reason = 0; reason < _rejected.Length; reason++)
        {
            _rejected[reason] += _output.Rejected[reason];
        }

        foreach (DecodeError error in _decoded.Errors)
        {
            _rejected[(int)error.Reason]++;
        }

        return new TakenRecord(
            new ScoredBatch([.. _output.Scored], grouped?.Incidents ?? [], [], came)
            {
                Groups = grouped?.Groups ?? [],
                Forgotten = _forgotten.Count == 0 ? [] : [.. _forgotten],
            },
            place,
            _decoded,
            _output);
    }

    private byte[] Head()
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);
        writer.Write(Format);
        writer.Write(Generations.Layout);
        writer.Write(At!.ToString());
        writer.Write(_clock);
        writer.Write(_ticked);
        writer.Write(_places.ClockSeconds);
        writer.Write(Received);
        writer.Write(Scored);
        writer.Write(_rejected.Length);
        Array.ForEach(_rejected, writer.Write);
        _shard.SaveHead(writer);
        writer.Flush();
        return buffer.ToArray();
    }

    private void Load(byte[] head)
    {
        using var reader = new BinaryReader(new MemoryStream(head, writable: false), Encoding.UTF8);

        if (reader.ReadInt32() is var format && format != Format)
        {
            throw new InvalidDataException($"format {format}, expected {Format}: another version wrote it");
        }

        if (reader.ReadInt32() is var layout && layout != Generations.Layout)
        {
            throw new InvalidDataException($"streams of layout {layout}, expected {Generations.Layout}: another version wrote it");
        }

        At = KafkaPosition.Parse(reader.ReadString());
        (_clock, _ticked) = (reader.ReadInt64(), reader.ReadInt64());
        _places.Begin(reader.ReadDouble());
        (Received, Scored) = (reader.ReadInt64(), reader.ReadInt64());

        // A version that knows more reasons has them behind those that are known here.
        for (int reason = 0, count = reader.ReadInt32(); reason < count; reason++)
        {
            long rejected = reader.ReadInt64();
            _rejected[Math.Min(reason, _rejected.Length - 1)] += rejected;
        }

        int streams = _shard.LoadHead(reader), found = 0;

        foreach ((string node, string told) in _records.BirthsTold())
        {
            _decoder.Sparkplug.Restore(node, told);
        }

        if (_records.Of(StateRecords.Groups) is { } groups)
        {
            using var grouped = new BinaryReader(new MemoryStream(groups, writable: false), Encoding.UTF8);
            _grouping.Load(grouped);
        }

        foreach ((string name, byte[] bytes) in _records.TakeStreams())
        {
            using var stream = new BinaryReader(new MemoryStream(bytes, writable: false), Encoding.UTF8);
            _places.LoadStream(stream, name);
            _shard.LoadStream(stream, Model);
            found++;
        }

        if (found != streams)
        {
            throw new InvalidDataException($"{found} streams, expected the {streams} there were at offset {At?.Offset}");
        }

        // What was loaded is what the topic holds.
        _shard.TakeChanged();
    }
}

/// <summary>What came of a record.</summary>
/// <param name="Batch">Verdicts and incidents.</param>
/// <param name="Place">The record's place, the same whenever it is read.</param>
/// <param name="Decoded">What was read in it, and what could not be.</param>
/// <param name="Output">What the detector counted.</param>
internal readonly record struct TakenRecord(ScoredBatch Batch, string Place, Decoded Decoded, ShardOutput Output)
{
    /// <summary>Observations that it held.</summary>
    public int Observations => Decoded.Observations.Count;
}
