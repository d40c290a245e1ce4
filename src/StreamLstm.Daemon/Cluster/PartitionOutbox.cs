using System.Text;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Cluster;

/// <summary>What came of a partition's records and is not written down yet: it goes out in one transaction with the place up to which it is told.</summary>
/// <remarks>
/// A former owner may have told more than the state goes up to: what lies between is scored again, and neither told nor counted.
/// The page and the console hear of it once it is written down.
/// </remarks>
internal sealed class PartitionOutbox(
    KafkaPartition partition, PartitionSetting setting, Ledger ledger, IDeadLetters deadLetters, DaemonMetrics metrics, TimeProvider time, ILogger logger)
{
    private const int MessagesMax = 4_096;

    private readonly string _source = setting.Rules.Source.Name.Length > 0 ? setting.Rules.Source.Name : "kafka";
    private readonly List<KafkaMessage> _messages = [];
    private readonly List<ScoredBatch> _waiting = [];
    private KafkaDeadLetters? _deadLetters;
    private long _told;
    private long _committedAt;
    private long _stateAt;

    /// <summary>Bytes of state written by this daemon.</summary>
    public long StateBytes { get; private set; }

    public bool HasSomething => _messages.Count > 0;

    /// <summary>Whether it is time to tell what there is.</summary>
    public bool IsDue => _messages.Count >= MessagesMax || (_waiting.Count > 0 && time.GetElapsedTime(_committedAt) >= setting.Options.CommitInterval);

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
    }

    /// <summary>Lets go of what it has open.</summary>
    public void Close()
    {
        _deadLetters?.Dispose();
        _deadLetters = null;
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
        await (_deadLetters?.WriteAsync(cut) ?? Task.CompletedTask);

        if (withState || _messages.Count > 0)
        {
            // While what a former owner told is scored again, what was told stays so.
            KafkaPosition told = at with { Offset = Math.Max(at.Offset, _told) };
            List<StateRecord> changes = [.. withState ? state.TakeChanges() : [], new StateRecord(StateRecords.Told, Encoding.UTF8.GetBytes(told.ToString()))];
            _messages.AddRange(changes.Select(change => new KafkaMessage(topic, Encoding.UTF8.GetBytes(change.Key), change.Value, []) { Partition = partition.Number }));
            await writer.CommitAsync(_messages, [new KafkaStart(partition, told.Offset, at.Offset == told.Offset ? at.LeaderEpoch : -1)], setting.Member, cut);
            _messages.Clear();
            _told = told.Offset;
            long bytes = changes.Sum(change => (long)change.Key.Length + (change.Value?.Length ?? 0));
            StateBytes += bytes;
            metrics.StateWritten(bytes);
        }

        _committedAt = time.GetTimestamp();
        _stateAt = withState ? _committedAt : _stateAt;

        foreach (ScoredBatch batch in _waiting)
        {
            metrics.Handed(batch, time.GetUtcNow() - batch.IngestedAt);
            await setting.Tell(batch, cut);
        }

        _waiting.Clear();
    }

    private void Count(KafkaRecord record, TakenRecord taken)
    {
        ledger.Receive(_source, taken.Observations);
        ledger.Settle(taken.Batch.Observations.Count, taken.Output.Rejected);
        taken.Decoded.LeftOut.TakeFields();
        ledger.LeaveOut(_source, taken.Decoded.LeftOut);

        foreach (DecodeError error in taken.Decoded.Errors)
        {
            ledger.ReceiveRejected(_source, error.Reason);
            deadLetters.Add(_source, error.Reason, $"{record.Partition} offset {record.Offset}: {error.Detail}", error.Payload);
        }

        if (taken.Decoded.Errors.Count > 0)
        {
            _deadLetters ??= setting.Rules.Source.DeadLetters.Length == 0 ? null : new KafkaDeadLetters(setting.Rules.Source.DeadLetters, setting.Access);
            _deadLetters?.Add(record, EventJson.Word(taken.Decoded.Errors[0].Reason), taken.Decoded.Errors[0].Detail);
        }

        foreach ((Detection.Observation observation, Exception fault) in taken.Output.Faults)
        {
            LogMessages.ScoringFault(logger, observation.Stream, fault);
        }
    }
}
