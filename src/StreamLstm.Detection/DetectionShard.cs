using System.Text;
using StreamLstm.Detection.Judging.Events;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Detection;

/// <summary>Many streams with one owner. A pure function of its state, the batch and the weights: no clock, no I/O, no locks.</summary>
public sealed class DetectionShard
{
    private const int StreamNameMaxBytes = 256;

    private readonly Dictionary<string, StreamRow> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VectorRow> _vectorRows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EventRow> _eventRows = new(StringComparer.Ordinal);
    private readonly DetectionOptions _options;
    private readonly AlertPolicy _policy;
    private readonly StreamQuota _quota;
    private readonly DetectionScratch _scratch;
    private readonly TrainingBuffer _training;
    private SeededRandom _random;
    private double _clockSeconds;
    private long _modelVersion;

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

        _options = options;
        _policy = new AlertPolicy(options);
        _quota = quota;
        _scratch = scratch;
        _training = new TrainingBuffer(Math.Max(8, options.TrainingWindowsMax / shardCount));
        _random = new SeededRandom(((ulong)options.Seed << 32) ^ (ulong)number);
    }

    /// <summary>The streams of values of this shard.</summary>
    public IReadOnlyCollection<StreamRow> Rows => _rows.Values;

    /// <summary>The streams of records of this shard.</summary>
    public IReadOnlyCollection<VectorRow> VectorRows => _vectorRows.Values;

    /// <summary>The streams of events of this shard.</summary>
    public IReadOnlyCollection<EventRow> EventRows => _eventRows.Values;

    /// <summary>Recent clean windows of this shard's streams.</summary>
    public IReadOnlyList<TrainingWindow> TrainingWindows => _training.Windows;

    /// <summary>Applies observations in their order; what comes of them is added to <paramref name="output"/>.</summary>
    /// <param name="observations">Observations of streams of this shard.</param>
    /// <param name="ingestedAt">When they were taken in.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="output">Where verdicts, rejections and incidents go.</param>
    public void Apply(
        ReadOnlySpan<Observation> observations, DateTimeOffset ingestedAt, BaseModel model, ShardOutput output)
    {
        _modelVersion = model.Version;

        foreach (ref readonly Observation observation in observations)
        {
            if (observation.Record is not null)
            {
                ApplyRecord(observation, ingestedAt, output);
                continue;
            }

            if (observation.Event is { } what)
            {
                Apply(observation, what, ingestedAt, output);
                continue;
            }

            if (!_rows.TryGetValue(observation.Stream, out StreamRow? row))
            {
                if (RefusedAsNew(observation.Stream, out bool ownWeights) is { } refused)
                {
                    output.Rejected[(int)refused]++;
                    continue;
                }

                row = new StreamRow(observation.Stream, _options, _policy, model, _options.Form, ownWeights);
                _rows.Add(observation.Stream, row);
            }

            if (row.Admit(observation, ingestedAt) is { } reason)
            {
                output.Rejected[(int)reason]++;
                continue;
            }

            // The one place where a fault in scoring is caught: the stream starts again, every other one goes on.
            try
            {
                output.Scored.Add(row.Apply(observation, ingestedAt, model, _scratch, output));
                row.LastArrivalSeconds = _clockSeconds;
            }
#pragma warning disable CA1031 // whatever the fault is, it must not take the other streams down
            catch (Exception fault)
#pragma warning restore CA1031
            {
                _rows[observation.Stream] = new StreamRow(observation.Stream, _options, _policy, model, row.Form, row.HasOwnWeights);
                output.Rejected[(int)RejectionReason.Fault]++;
                output.Faults.Add((observation, fault));
            }
        }

        foreach (TrainingWindow window in output.Windows)
        {
            _training.Add(window, ref _random);
        }

        output.Windows.Clear();
    }

    /// <summary>Why there is to be no new stream of this name; null where there may be one.</summary>
    private RejectionReason? RefusesName(string stream) =>
        string.IsNullOrEmpty(stream) || Encoding.UTF8.GetByteCount(stream) > StreamNameMaxBytes ? RejectionReason.BadStreamName
        : _rows.ContainsKey(stream) || _vectorRows.ContainsKey(stream) || _eventRows.ContainsKey(stream) ? RejectionReason.OtherKind
        : null;

    /// <summary>Why there is to be no new stream of this name; null where there may be one, whose place is taken.</summary>
    private RejectionReason? RefusedAsNew(string stream, out bool ownWeights)
    {
        ownWeights = false;
        return RefusesName(stream) ?? (_quota.TryTake(out ownWeights) ? null : RejectionReason.StreamLimit);
    }

    /// <summary>The same way for a record whose values are judged together.</summary>
    private void ApplyRecord(in Observation observation, DateTimeOffset ingestedAt, ShardOutput output)
    {
        if (!_vectorRows.TryGetValue(observation.Stream, out VectorRow? row))
        {
            VectorOptions? vector = VectorOptions.Of(_options.Vectors, observation.Stream);
            RejectionReason? refused = RefusesName(observation.Stream)
                ?? (vector is null ? RejectionReason.OtherKind : !_quota.TryTake() ? RejectionReason.StreamLimit : null);

            if (refused is { } why)
            {
                output.Rejected[(int)why]++;
                return;
            }

            row = new VectorRow(observation.Stream, _options, _policy, vector!);
            _vectorRows.Add(observation.Stream, row);
        }

        if (row.Admit(observation, ingestedAt) is { } reason)
        {
            output.Rejected[(int)reason]++;
            return;
        }

        try
        {
            output.Scored.Add(row.Apply(observation, ingestedAt, _modelVersion, _scratch, output));
            row.LastArrivalSeconds = _clockSeconds;
        }
#pragma warning disable CA1031 // whatever the fault is, it must not take the other streams down
        catch (Exception fault)
#pragma warning restore CA1031
        {
            _vectorRows[observation.Stream] = new VectorRow(
                observation.Stream, _options, _policy, VectorOptions.Of(_options.Vectors, observation.Stream)!);
            output.Rejected[(int)RejectionReason.Fault]++;
            output.Faults.Add((observation, fault));
        }
    }

    /// <summary>The same way for an event.</summary>
    private void Apply(in Observation observation, TextEvent what, DateTimeOffset ingestedAt, ShardOutput output)
    {
        if (EventRow.Admit(what) is { } reason)
        {
            output.Rejected[(int)reason]++;
            return;
        }

        if (!_eventRows.TryGetValue(observation.Stream, out EventRow? row))
        {
            if (RefusedAsNew(observation.Stream, out bool ownWeights) is { } refused)
            {
                output.Rejected[(int)refused]++;
                return;
            }

            row = new EventRow(observation.Stream, _options, _policy, ownWeights);
            _eventRows.Add(observation.Stream, row);
        }

        try
        {
            output.Scored.Add(row.Apply(observation, ingestedAt, _modelVersion, _scratch.Events, output));
            row.LastArrivalSeconds = _clockSeconds;
        }
#pragma warning disable CA1031 // whatever the fault is, it must not take the other streams down
        catch (Exception fault)
#pragma warning restore CA1031
        {
            _eventRows[observation.Stream] = new EventRow(observation.Stream, _options, _policy, row.HasOwnWeights);
            output.Rejected[(int)RejectionReason.Fault]++;
            output.Faults.Add((observation, fault));
        }
    }

    /// <summary>Time goes on: streams that have been quiet for too long open an incident.</summary>
    /// <param name="now">The wall clock.</param>
    /// <param name="elapsed">Time since the last tick, without the time in which the machine stood still.</param>
    /// <param name="output">Where incidents go.</param>
    public void Tick(DateTimeOffset now, TimeSpan elapsed, ShardOutput output)
    {
        _clockSeconds += elapsed.TotalSeconds;

        foreach (StreamRow row in _rows.Values)
        {
            row.CheckSilence(now, _clockSeconds, output);
        }

        foreach (VectorRow row in _vectorRows.Values)
        {
            row.CheckSilence(now, _clockSeconds, _modelVersion, output);
        }

        foreach (EventRow row in _eventRows.Values)
        {
            row.CheckSilence(now, _clockSeconds, _modelVersion, output);
        }
    }

    /// <summary>Other maintenance windows hold from the next observation on.</summary>
    /// <param name="windows">All of them, those of the options too.</param>
    public void Maintain(IReadOnlyList<MaintenanceWindow> windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        _policy.Maintenance = windows;
    }

    /// <summary>Why a stream's last decision, or the one in force at a time, was made.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="at">The time asked for; null for the last decision.</param>
    /// <param name="missing">Why there is no answer, for people; null where there is one.</param>
    public Explanation? Explain(string stream, DateTimeOffset? at, out string? missing)
    {
        ArgumentNullException.ThrowIfNull(stream);
        missing = $"stream '{stream}' is not known";
        return _rows.TryGetValue(stream, out StreamRow? row) ? row.Explain(at, out missing)
            : _vectorRows.TryGetValue(stream, out VectorRow? records) ? records.Explain(at, out missing)
            : _eventRows.TryGetValue(stream, out EventRow? events) ? events.Explain(at, out missing)
            : null;
    }

    /// <summary>Takes a person's word that a stream's present level is its new normal: its open incident is closed, and such a level opens no other.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="output">Where it is said that the incident is closed.</param>
    public AcceptOutcome Accept(string stream, ShardOutput output)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(output);
        bool? accepted = _rows.TryGetValue(stream, out StreamRow? row) ? row.Accept(output)
            : _vectorRows.TryGetValue(stream, out VectorRow? records) ? records.Accept(_modelVersion, output)
            : _eventRows.TryGetValue(stream, out EventRow? events) ? events.Accept(_modelVersion, output)
            : null;
        return accepted switch
        {
            true => AcceptOutcome.Applied,
            false => AcceptOutcome.NothingOpen,
            null => AcceptOutcome.UnknownStream,
        };
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
        bool? applied =
            _rows.TryGetValue(stream, out StreamRow? row) ? row.Label(incidentId, label, now, _clockSeconds, output)
            : _vectorRows.TryGetValue(stream, out VectorRow? records) ? records.Label(incidentId, label, now, _clockSeconds, _modelVersion, output)
            : _eventRows.TryGetValue(stream, out EventRow? events) ? events.Label(incidentId, label, now, _clockSeconds, _modelVersion, output)
            : null;
        return applied switch
        {
            true => LabelOutcome.Applied,
            false => LabelOutcome.UnknownIncident,
            null => LabelOutcome.UnknownStream,
        };
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
            row!.Gate.MoveTo(home._policy);
            home._rows.Add(stream, row);
        }

        foreach (string stream in _vectorRows.Keys.Where(stream => owner(stream) != this).ToArray())
        {
            DetectionShard home = owner(stream);
            _vectorRows.Remove(stream, out VectorRow? row);
            row!.Gate.MoveTo(home._policy);
            home._vectorRows.Add(stream, row);
        }

        foreach (string stream in _eventRows.Keys.Where(stream => owner(stream) != this).ToArray())
        {
            DetectionShard home = owner(stream);
            _eventRows.Remove(stream, out EventRow? row);
            row!.Gate.MoveTo(home._policy);
            home._eventRows.Add(stream, row);
        }
    }

    /// <summary>Writes every stream's state.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(_random.State);
        _policy.Save(writer);
        writer.Write(_rows.Count);

        foreach ((string stream, StreamRow row) in _rows)
        {
            writer.Write(stream);
            row.Save(writer);
        }

        writer.Write(_vectorRows.Count);

        foreach ((string stream, VectorRow row) in _vectorRows)
        {
            writer.Write(stream);
            row.Save(writer);
        }

        writer.Write(_eventRows.Count);

        foreach ((string stream, EventRow row) in _eventRows)
        {
            writer.Write(stream);
            row.Save(writer);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into an empty shard.</summary>
    /// <param name="reader">At the beginning of the shard's part.</param>
    /// <param name="model">The base weights in service.</param>
    /// <exception cref="InvalidDataException">A count is outside its range.</exception>
    /// <exception cref="EndOfStreamException">It ends too early.</exception>
    public void Load(BinaryReader reader, BaseModel model)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _random = new SeededRandom(reader.ReadUInt64());
        _policy.Load(reader);
        int count = reader.ReadInt32();

        for (int i = 0; i < count; i++)
        {
            string stream = reader.ReadString();
            StreamRow row = StreamRow.Load(stream, _options, _policy, model, reader);
            _quota.Restore(row.HasOwnWeights);
            _rows.Add(stream, row);
        }

        for (int left = reader.ReadInt32(); left > 0; left--)
        {
            string stream = reader.ReadString();
            VectorOptions? vector = VectorOptions.Of(_options.Vectors, stream);
            VectorRow row = VectorRow.Load(stream, _options, _policy, vector ?? new VectorOptions(), reader);

            // One whose records are no longer judged together would only fall silent.
            if (vector is not null)
            {
                _quota.Restore(ownWeights: false);
                _vectorRows.Add(stream, row);
            }
        }

        for (int left = reader.ReadInt32(); left > 0; left--)
        {
            string stream = reader.ReadString();
            EventRow row = EventRow.Load(stream, _options, _policy, reader);
            _quota.Restore(row.HasOwnWeights);
            _eventRows.Add(stream, row);
        }

        _modelVersion = model.Version;
    }
}
