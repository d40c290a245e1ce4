using System.Diagnostics;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>Takes in what a reader reads: record → decode → gather by partition → journal, each batch with the partition's position behind it.</summary>
/// <remarks>
/// What a record brought and where the partition stands behind it are one entry, so both are there or neither. A partition has one
/// batch on its way to the disk at most: were one refused that others follow, its records would be passed over at the next
/// start. Meanwhile the next one is gathered, and the other partitions' are written with it.
/// </remarks>
internal sealed class KafkaIntake(
    string name, KafkaSourceOptions options, RecordRules rules, int batchMax, ObservationIntake intake, KafkaDeadLetters? deadLetters, TimeProvider time, KafkaSchemas? schemas = null)
{
    private const int RecordsMax = 4_096;

    private readonly KafkaRecordDecoder _decoder = new(options, schemas);
    private readonly RecordStamp _stamp = new();
    private readonly Dictionary<KafkaPartition, Taking> _partitions = [];
    private readonly List<Taking> _changed = [];
    private readonly List<(Taking Partition, KafkaStart Behind, Task OnDisk)> _underWay = [];
    private readonly Dictionary<KafkaPartition, KafkaStart> _onDisk = [];
    private Decoded? _decoded;
    private int _records;

    private string Births => $"kafka:{name}:births:";

    public bool HasSomething => _changed.Count > 0;

    /// <summary>Whether what was gathered should be handed in before more is taken.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Ends once all that was handed in is on the disk, or was refused.</summary>
    public Task UnderWay => _underWay.Count == 0 ? Task.CompletedTask : Task.WhenAll(_underWay.Select(batch => batch.OnDisk));

    public bool IsUnderWay => _underWay.Count > 0;

    /// <summary>The name of a partition's position.</summary>
    public string PositionName(KafkaPartition partition) => $"kafka:{name}:{partition}";

    /// <summary>What births told in former lives holds again.</summary>
    public void Restore()
    {
        foreach ((string of, string told) in intake.PositionsUnder(Births))
        {
            _decoder.Sparkplug.Restore(of, told);
        }
    }

    public void Begin(KafkaPartition partition, KafkaPosition at) => _partitions[partition] = new Taking(partition, at);

    public void Forget(KafkaPartition partition)
    {
        if (_partitions.Remove(partition, out Taking? taking))
        {
            _changed.Remove(taking);
        }
    }

    /// <summary>Where a partition stands; null where it is not taken.</summary>
    public KafkaPosition? PositionOf(KafkaPartition partition) => _partitions.GetValueOrDefault(partition)?.At;

    /// <summary>Partitions of a topic that are taken.</summary>
    public IEnumerable<KafkaPartition> Of(string topic) => _partitions.Keys.Where(partition => partition.Topic == topic);

    /// <summary>Takes a record, or that there is nothing more behind it but what is none.</summary>
    public void Take(KafkaRecord record)
    {
        // Given up meanwhile, or taken before.
        if (!_partitions.TryGetValue(record.Partition, out Taking? partition) || record.Offset < partition.At.Offset)
        {
            return;
        }

        if (record.Kind == KafkaReadKind.End)
        {
            if (record.Offset > partition.At.Offset)
            {
                Change(partition, partition.At with { Offset = record.Offset, Skip = 0 });
            }

            return;
        }

        Decoded decoded = _decoded ??= new Decoded(_stamp, rules);
        (partition.LastRecord, partition.BeforeLast) = (partition.At with { Offset = record.Offset, Skip = 0 }, partition.Pending.Count);
        _stamp.Begin(record.Timestamp >= 0 ? DateTimeOffset.FromUnixTimeMilliseconds(record.Timestamp).UtcTicks : partition.At.StampTicks, partition.At.StampTicks);

        if (record.Value?.Length > options.RecordMaxBytes)
        {
            decoded.Reject(1, $"{record.Value.Length} bytes, expected at most {options.RecordMaxBytes}", record.Value, RejectionReason.Oversize);
        }
        else if (record.Value is not null)
        {
            _decoder.Decode(record, decoded);
        }

        intake.LeaveOut(name, decoded.LeftOut);

        foreach (DecodeError error in decoded.Errors)
        {
            intake.Reject(name, error.Reason, $"{record.Partition} offset {record.Offset}: {error.Detail}", error.Payload);
        }

        if (decoded.Errors.Count > 0)
        {
            deadLetters?.Add(record, EventJson.Word(decoded.Errors[0].Reason), decoded.Errors[0].Detail);
        }

        int skip = record.Offset == partition.At.Offset ? Math.Min(partition.At.Skip, decoded.Observations.Count) : 0;
        partition.Skipped = skip;
        partition.Pending.AddRange(skip == 0 ? decoded.Observations : decoded.Observations.Skip(skip));
        decoded.Observations.Clear();
        decoded.Errors.Clear();
        Change(partition, new KafkaPosition(partition.At.TopicId, record.Offset + 1, record.LeaderEpoch, 0, _stamp.LastTicks));
        IsFull |= ++_records >= RecordsMax || partition.Pending.Count >= batchMax;
    }

    /// <summary>Hands in what was gathered, once all before it is on the disk.</summary>
    /// <exception cref="NotTakenException">Something could not be written down.</exception>
    public async Task HandInAsync(CancellationToken stopping)
    {
        await SettleAsync();
        await (deadLetters?.WriteAsync(stopping) ?? Task.CompletedTask);
        using Activity? span = DaemonActivitySource.Source.StartActivity("ingest kafka");

        // Before the data that needs it, in the one order of the journal.
        foreach ((string node, string told) in _decoder.Sparkplug.TakeNotes())
        {
            await await intake.AcceptAsync(new ObservationBatch(name, default, time.GetUtcNow()) { Position = new SourcePosition(Births + node, told) }, stopping);
        }

        foreach (Taking partition in _changed)
        {
            int taken = 0;

            // A record that holds more than a batch is the last one gathered.
            for (; partition.Pending.Count - taken > batchMax; taken += batchMax)
            {
                int ofLast = taken + batchMax - partition.BeforeLast + partition.Skipped;
                await await AcceptAsync(partition, taken, batchMax, partition.LastRecord with { Skip = ofLast }, span, stopping);
            }

            Task onDisk = await AcceptAsync(partition, taken, partition.Pending.Count - taken, partition.At, span, stopping);
            _underWay.Add((partition, new KafkaStart(partition.Partition, partition.At.Offset, partition.At.LeaderEpoch), onDisk));
            partition.Pending.Clear();
            partition.IsChanged = false;
        }

        _changed.Clear();
        (IsFull, _records) = (false, 0);
    }

    /// <summary>Waits until all that was handed in is on the disk.</summary>
    /// <exception cref="NotTakenException">It is not.</exception>
    public async Task SettleAsync()
    {
        foreach ((_, KafkaStart behind, Task onDisk) in _underWay)
        {
            await onDisk;
            _onDisk[behind.Partition] = behind;
        }

        _underWay.Clear();
    }

    /// <summary>Where partitions stand on the disk that have got further since this was last asked.</summary>
    public IReadOnlyList<KafkaStart> TakeOnDisk()
    {
        KafkaStart[] positions = [.. _onDisk.Values];
        _onDisk.Clear();
        return positions;
    }

    /// <summary>Writes down where partitions stand, without observations.</summary>
    /// <exception cref="NotTakenException">It could not be.</exception>
    public async Task NoteAsync(IEnumerable<(string Of, string At)> positions, CancellationToken stopping)
    {
        List<Task> onDisk = [];

        foreach ((string of, string at) in positions)
        {
            onDisk.Add(await intake.AcceptAsync(new ObservationBatch(name, default, time.GetUtcNow()) { Position = new SourcePosition(of, at) }, stopping));
        }

        await Task.WhenAll(onDisk);
    }

    private ValueTask<Task> AcceptAsync(Taking partition, int from, int count, KafkaPosition behind, Activity? span, CancellationToken stopping) => intake.AcceptAsync(
        new ObservationBatch(name, partition.Pending.GetRange(from, count).ToArray(), time.GetUtcNow(), span?.Context ?? default)
        {
            Position = new SourcePosition(PositionName(partition.Partition), behind.ToString()),
        },
        stopping);

    private void Change(Taking partition, KafkaPosition at)
    {
        partition.At = at;

        if (!partition.IsChanged)
        {
            partition.IsChanged = true;
            _changed.Add(partition);
        }
    }

    /// <summary>A partition that is taken.</summary>
    private sealed class Taking(KafkaPartition partition, KafkaPosition at)
    {
        public KafkaPartition Partition { get; } = partition;

        /// <summary>Behind what was gathered.</summary>
        public KafkaPosition At { get; set; } = at;

        /// <summary>Gathered and not handed in.</summary>
        public List<Observation> Pending { get; } = [];

        /// <summary>Before the last record that was gathered.</summary>
        public KafkaPosition LastRecord { get; set; } = at;

        /// <summary>Of <see cref="Pending"/>, how many are of records before the last.</summary>
        public int BeforeLast { get; set; }

        /// <summary>Of the last record, how many were taken in before.</summary>
        public int Skipped { get; set; }

        public bool IsChanged { get; set; }
    }
}
