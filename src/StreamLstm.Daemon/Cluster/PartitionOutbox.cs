using System.Text;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Cluster;

/// <summary>What came of a partition's records and is not written down yet: it goes out in one transaction with the place up to which it is told.</summary>
/// <remarks>
/// A former owner may have told more than the state goes up to: what lies between is scored again, and neither told nor counted.
/// The page, the console and the file of dead letters hear of it once it is written down. Dead letters are in the transaction too, so each is there once; where their
/// topic does not take them they hold nothing up: they are written beside it, until it does.
/// </remarks>
internal sealed class PartitionOutbox(
    KafkaPartition partition, PartitionSetting setting, Ledger ledger, IDeadLetters deadLetters, DaemonMetrics metrics, TimeProvider time, ILogger logger)
{
    private const int MessagesMax = 4_096;

    private readonly string _source = setting.Rules.Source.Name.Length > 0 ? setting.Rules.Source.Name : "kafka";
    private readonly List<KafkaMessage> _messages = [];
    private readonly List<ScoredBatch> _waiting = [];
    private readonly List<KafkaMessage> _letters = [];
    private readonly List<(RejectionReason Reason, string Detail, byte[] Payload)> _kept = [];   // for the file
    private KafkaDeadLetters? _beside;   // while their topic does not take letters
    private bool _areRefused;
    private long _told;
    private long _committedAt;
    private long _stateAt;

    /// <summary>Bytes of state written by this daemon.</summary>
    public long StateBytes { get; private set; }

    public bool HasSomething => _messages.Count > 0 || _kept.Count > 0;

    /// <summary>Why the last dead letters were not taken; null where they were, or none are asked for.</summary>
    public string? Unkept => _beside?.Trouble is { } why ? $"sources.kafka.0.dead_letters: {setting.Rules.Source.Brokers} does not take them: {why.Detail}" : null;

    /// <summary>Whether it is time to tell what there is.</summary>
    public bool IsDue => _messages.Count + _kept.Count >= MessagesMax || (_waiting.Count + _kept.Count > 0 && time.GetElapsedTime(_committedAt) >= setting.Options.CommitInterval);

    /// <summary>Whether it is time to write down what changed of the streams.</summary>
    public bool IsStateDue => time.GetElapsedTime(_stateAt) >= setting.Options.StateInterval;

    /// <summary>Whether all up to an offset is new: what a former owner told beyond its state has been scored again.</summary>
    public bool HasCaughtUp(long offset) => offset >= _told;

    /// <summary>Goes on from where things are told up to.</summary>
    /// <param name="told">The first offset of which nothing was told.</param>
    public void Begin(long told)
    {
        Clear();
        (_told, _committedAt, _stateAt) = (told, time.GetTimestamp(), time.GetTimestamp());
    }

    /// <summary>Nothing of it counts.</summary>
    public void Clear()
    {
        _messages.Clear();
        _waiting.Clear();
        _letters.Clear();
        _kept.Clear();
    }

    /// <summary>Lets go of what it has open.</summary>
    public void Close()
    {
        _beside?.Dispose();
        _beside = null;
    }

    /// <summary>Takes what came of a record.</summary>
    public void Add(KafkaRecord record, TakenRecord taken, TimeSpan duration)
    {
        if (record.Kind == KafkaReadKind.End || record.Offset < _told)
        {
            _ = taken.Decoded.LeftOut.Take().Count();
            return;
        }

        Count(record, taken);
        metrics.Scored(taken.Output, duration);
        Add(taken);
    }

    /// <summary>Takes what came of a person's word.</summary>
    public void Add(TakenRecord taken)
    {
        if (!taken.Batch.IsEmpty)
        {
            _waiting.Add(taken.Batch);

            if (setting.Sink is not null)
            {
                _messages.AddRange(KafkaEvents.Of(setting.Sink, taken.Batch, taken.Place));
            }
        }
    }

    /// <summary>One transaction: what is to be told, up to where it is told, how far it was read, and where it is time what changed of the streams.</summary>
    public async Task CommitAsync(KafkaWriter writer, PartitionState state, bool withState, CancellationToken cut)
    {
        KafkaPosition at = state.At!;
        string topic = setting.Options.StateTopicName();
        await WriteBesideAsync(cut);

        if (withState || HasSomething)
        {
            // While what a former owner told is scored again, what was told stays so.
            KafkaPosition told = at with { Offset = Math.Max(at.Offset, _told) };
            List<StateRecord> changes = [.. withState ? state.TakeChanges() : [], new StateRecord(StateRecords.Told, Encoding.UTF8.GetBytes(told.ToString()))];
            _messages.AddRange(changes.Select(change => new KafkaMessage(topic, Encoding.UTF8.GetBytes(change.Key), change.Value, []) { Partition = partition.Number }));
            await CommitAsync(writer, [.. _messages, .. _letters], [new KafkaStart(partition, told.Offset, at.Offset == told.Offset ? at.LeaderEpoch : -1)], cut);
            _messages.Clear();
            _letters.Clear();
            _told = told.Offset;
            long bytes = changes.Sum(change => (long)change.Key.Length + (change.Value?.Length ?? 0));
            StateBytes += bytes;
            metrics.StateWritten(bytes);
        }

        _committedAt = time.GetTimestamp();
        _stateAt = withState ? _committedAt : _stateAt;

        foreach ((RejectionReason reason, string detail, byte[] payload) in _kept)
        {
            deadLetters.Add(_source, reason, detail, payload);
        }

        _kept.Clear();

        foreach (ScoredBatch batch in _waiting)
        {
            metrics.Handed(batch, time.GetUtcNow() - batch.IngestedAt);
            await setting.Tell(batch, cut);
        }

        _waiting.Clear();
    }

    /// <summary>Commits, and notices where it is the topic of dead letters that does not take what is written.</summary>
    private async Task CommitAsync(KafkaWriter writer, IReadOnlyList<KafkaMessage> messages, IReadOnlyList<KafkaStart> positions, CancellationToken cut)
    {
        try
        {
            await writer.CommitAsync(messages, positions, setting.Member, cut);
        }
        catch (KafkaTroubleException refused) when (_letters.Count > 0 && refused.Trouble.Concern == KafkaConcern.Topics
            && refused.Trouble.Detail.StartsWith($"'{setting.Rules.Source.DeadLetters}'", StringComparison.Ordinal))
        {
            _areRefused = true;
            throw;
        }
    }

    /// <summary>Writes letters that their topic refused, by themselves: a kill may bring them twice then, and nothing waits for them.</summary>
    private async Task WriteBesideAsync(CancellationToken cut)
    {
        if (!_areRefused || _letters.Count == 0)
        {
            return;
        }

        _beside ??= new KafkaDeadLetters(setting.Rules.Source.DeadLetters, setting.Access);
        _letters.ForEach(_beside.Add);
        _letters.Clear();
        await _beside.WriteAsync(cut);
        _areRefused = _beside.Trouble is not null;
    }

    private void Count(KafkaRecord record, TakenRecord taken)
    {
        ledger.Receive(_source, taken.Observations);
        ledger.Settle(taken.Batch.Observations.Count, taken.Output.Rejected);
        taken.Decoded.LeftOut.TakeFields();
        ledger.LeaveOut(_source, taken.Decoded.LeftOut);

        int before = _kept.Count;

        foreach (DecodeError error in taken.Decoded.Errors)
        {
            ledger.ReceiveRejected(_source, error.Reason);
            _kept.Add((error.Reason, $"{record.Partition} offset {record.Offset}: {error.Detail}", error.Payload));
        }

        foreach ((Observation observation, RejectionReason reason) in taken.Output.Refused.Where(refused => !RefusedObservation.LosesNothing(refused.Reason)))
        {
            _kept.Add((reason, $"{record.Partition} offset {record.Offset}: {RefusedObservation.Detail(observation, reason, taken.Batch.IngestedAt)}", RefusedObservation.Payload(observation)));
        }

        if (_kept.Count > before && setting.Rules.Source.DeadLetters is { Length: > 0 } topic)
        {
            (RejectionReason reason, string detail, _) = _kept[before];
            _letters.Add(KafkaDeadLetters.Of(topic, record, EventJson.Word(reason), detail));
        }

        foreach ((Observation observation, Exception fault) in taken.Output.Faults)
        {
            LogMessages.ScoringFault(logger, observation.Stream, fault);
        }
    }
}
