using System.Threading.Channels;
using Confluent.Kafka;

namespace StreamLstm.Kafka;

/// <summary>What a reader may hold, and as whom it commits.</summary>
internal sealed record KafkaReaderOptions
{
    /// <summary>The group that offsets are committed for; empty for none.</summary>
    public string Group { get; init; } = "";

    /// <summary>Bytes of records read and not yet taken: as many again are fetched ahead.</summary>
    public int HeldMaxBytes { get; init; } = 32 << 20;
}

/// <summary>Reads the partitions it is told, from where it is told, on a thread of its own: only what was committed, in each partition's order.</summary>
/// <remarks><code>
///   brokers ──▶ librdkafka (fetches ahead) ──▶ own thread: Consume ──▶ [read] ──▶ TryRead
/// </code>
/// Nobody shares the partitions out, so there is no group to be thrown out of and no rebalance. Bounded by [read] and by bytes; where
/// nobody takes what was read, partitions are paused and the thread goes on listening to the brokers. An offset that
/// is not there is told, never passed over: what becomes of it is for whoever reads to say.
/// </remarks>
internal sealed class KafkaReader : IDisposable
{
    private const int ReadMax = 8_192;

    private static readonly TimeSpan PollMax = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PauseAfter = TimeSpan.FromSeconds(1);

    private readonly IConsumer<byte[]?, byte[]?> _consumer;
    private readonly Channel<KafkaRecord> _read = Channel.CreateBounded<KafkaRecord>(new BoundedChannelOptions(ReadMax) { SingleReader = true, SingleWriter = true });
    private readonly KafkaCalls _calls = new();
    private readonly SemaphoreSlim _room = new(0, 1);
    private readonly Queue<KafkaRecord> _late = new();   // what came while partitions were being paused; of the own thread
    private readonly Thread _thread;
    private readonly int _heldMax;
    private readonly bool _commits;
    private long _held;
    private volatile bool _isEnded;
    private volatile KafkaTrouble? _trouble;
    private volatile bool _isCutOff;

    /// <param name="access">The cluster.</param>
    /// <param name="options">Bounds, and the group.</param>
    /// <exception cref="ArgumentException">A setting is none, or has a value it cannot have; the message is librdkafka's.</exception>
    public KafkaReader(KafkaAccess access, KafkaReaderOptions options)
    {
        (_heldMax, _commits) = (options.HeldMaxBytes, options.Group.Length > 0);
        var configuration = new ConsumerConfig(access.Configuration(new Dictionary<string, string>
        {
            // A name must be there even where nothing is committed.
            ["group.id"] = _commits ? options.Group : "streamlstm",
            ["enable.auto.commit"] = "false",
            ["enable.auto.offset.store"] = "false",
            ["auto.offset.reset"] = "error",
            ["isolation.level"] = "read_committed",
            ["check.crcs"] = "true",
            ["allow.auto.create.topics"] = "false",
            ["enable.partition.eof"] = "true",
            ["queued.max.messages.kbytes"] = $"{Math.Max(1, options.HeldMaxBytes >> 10)}",
            ["fetch.wait.max.ms"] = "100",
        }));

        try
        {
            _consumer = new ConsumerBuilder<byte[]?, byte[]?>(configuration)
                .SetErrorHandler((_, error) =>
                {
                    Note(KafkaTrouble.Of(error));
                    _isCutOff |= error.Code == ErrorCode.Local_AllBrokersDown;
                })
                .SetLogHandler((_, _) => { })
                .Build();
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or KafkaException)
        {
            throw new ArgumentException(wrong.Message, nameof(access), wrong);
        }

        Topics = new KafkaTopics(_consumer.Handle);
        _thread = new Thread(Run) { IsBackground = true, Name = $"kafka {access.ClientId}" };
        _thread.Start();
    }

    /// <summary>The cluster's topics.</summary>
    public KafkaTopics Topics { get; }

    /// <summary>What the brokers or librdkafka last complained of, the most telling of it; null where nothing was since <see cref="Forgive"/>, or no more than a broker among others is away.</summary>
    public KafkaTrouble? Trouble => _trouble is { Concern: KafkaConcern.Brokers } && !_isCutOff ? null : _trouble;

    /// <summary>The same, of a single broker too.</summary>
    public KafkaTrouble? LastTrouble => _trouble;

    /// <summary>What was read and not taken holds, in bytes.</summary>
    public long HeldBytes => Interlocked.Read(ref _held);

    /// <summary>Records and what else is heard, as <see cref="TryRead"/> gives them.</summary>
    /// <returns>Ends when there is something; false where there never will be.</returns>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken) => _read.Reader.WaitToReadAsync(cancellationToken);

    /// <summary>The next record, or what is heard instead of one.</summary>
    public bool TryRead([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out KafkaRecord? record)
    {
        if (!_read.Reader.TryRead(out record))
        {
            return false;
        }

        Interlocked.Add(ref _held, -record.Bytes);

        SayThereIsRoom();
        return true;
    }

    /// <summary>Begins to read these partitions.</summary>
    public void Begin(IReadOnlyList<KafkaStart> starts) => _consumer.IncrementalAssign(starts.Select(start => new TopicPartitionOffset(
        start.Partition.Topic, start.Partition.Number, start.Offset, start.LeaderEpoch >= 0 ? start.LeaderEpoch : null)));

    /// <summary>Reads these partitions no more; what was read of them may still come.</summary>
    public void End(IReadOnlyList<KafkaPartition> partitions) =>
        _consumer.IncrementalUnassign(partitions.Select(partition => new TopicPartition(partition.Topic, partition.Number)));

    /// <summary>Tells the group's coordinator where this reader stands, for whoever looks how far behind it is. Nothing is ever read from there.</summary>
    /// <exception cref="KafkaTroubleException">It was not taken.</exception>
    public Task CommitAsync(IReadOnlyList<KafkaStart> positions) => !_commits || positions.Count == 0
        ? Task.CompletedTask
        : _calls.AskAsync(() => _consumer.Commit(
            positions.Select(position => new TopicPartitionOffset(position.Partition.Topic, position.Partition.Number, position.Offset))));

    /// <summary>Forgets the trouble: something has worked since.</summary>
    public void Forgive() => (_trouble, _isCutOff) = (null, false);

    public void Dispose()
    {
        _isEnded = true;
        SayThereIsRoom();
        _thread.Join();
        _room.Dispose();

        if (_calls.End() & Topics.TryDispose())
        {
            _consumer.Close();
            _consumer.Dispose();
        }
    }

    private void Run()
    {
        try
        {
            while (!_isEnded)
            {
                if ((_late.TryDequeue(out KafkaRecord? record) ? record : Next()) is { } next)
                {
                    Give(next);
                }
            }

            _read.Writer.TryComplete();
        }
#pragma warning disable CA1031 // whoever reads hears of it
        catch (Exception failed)
#pragma warning restore CA1031
        {
            _read.Writer.TryComplete(failed);
        }
    }

    private KafkaRecord? Next()
    {
        try
        {
            ConsumeResult<byte[]?, byte[]?>? result = _consumer.Consume((int)PollMax.TotalMilliseconds);
            return result is null ? null
                : result.IsPartitionEOF ? new KafkaRecord(KafkaReadKind.End, new KafkaPartition(result.Topic, result.Partition.Value), result.Offset.Value)
                : new KafkaRecord(KafkaReadKind.Record, new KafkaPartition(result.Topic, result.Partition.Value), result.Offset.Value)
                {
                    Key = result.Message.Key,
                    Value = result.Message.Value,
                    Headers = result.Message.Headers,
                    LeaderEpoch = result.LeaderEpoch ?? -1,
                    Timestamp = result.Message.Timestamp.Type == TimestampType.NotAvailable ? -1 : result.Message.Timestamp.UnixTimestampMs,
                };
        }
        catch (ConsumeException refused)
        {
            TopicPartitionOffset at = refused.ConsumerRecord.TopicPartitionOffset;

            if (refused.Error.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange)
            {
                return new KafkaRecord(KafkaReadKind.OutOfRange, new KafkaPartition(at.Topic, at.Partition.Value), at.Offset.Value);
            }

            var trouble = KafkaTrouble.Of(refused.Error);

            if (trouble.Concern == KafkaConcern.Topics && at.Topic is { Length: > 0 })
            {
                // Said once: it holds until something of the partition comes.
                return new KafkaRecord(KafkaReadKind.Refused, new KafkaPartition(at.Topic, at.Partition.Value), at.Offset.Value) { Trouble = trouble };
            }

            Note(trouble);
            return null;
        }
    }

    /// <summary>Waits until there is room; where that takes long the partitions are paused, so that the brokers are listened to.</summary>
    private void Give(KafkaRecord record)
    {
        List<TopicPartition>? paused = null;
        long waitedFrom = Environment.TickCount64;

        while (!_isEnded && !HasRoom(record))
        {
            _room.Wait(PollMax);

            if (paused is null && Environment.TickCount64 - waitedFrom > PauseAfter.TotalMilliseconds)
            {
                paused = _consumer.Assignment;
                _consumer.Pause(paused);
            }

            if (paused is not null)
            {
                // What the brokers say is heard. A record comes of a partition that was begun since.
                if (Next() is { } other)
                {
                    _late.Enqueue(other);
                    var begun = new TopicPartition(other.Partition.Topic, other.Partition.Number);

                    if (other.Kind == KafkaReadKind.Record && !paused.Contains(begun))
                    {
                        paused.Add(begun);
                        _consumer.Pause([begun]);
                    }
                }
            }
        }

        if (paused is not null)
        {
            // Some may have been given up meanwhile.
            _consumer.Resume(paused.Intersect(_consumer.Assignment));
        }
    }

    private void SayThereIsRoom()
    {
        if (_room.CurrentCount == 0)
        {
            try
            {
                _room.Release();
            }
            catch (SemaphoreFullException)
            {
                // Said by somebody else in between.
            }
        }
    }

    private bool HasRoom(KafkaRecord record)
    {
        long held = Interlocked.Read(ref _held);

        if ((held > 0 && held + record.Bytes > _heldMax) || !_read.Writer.TryWrite(record))
        {
            return false;
        }

        Interlocked.Add(ref _held, record.Bytes);
        return true;
    }

    /// <summary>What says why stays before what only says that nothing works.</summary>
    private void Note(KafkaTrouble trouble)
    {
        if (!trouble.IsVague || _trouble is null)
        {
            _trouble = trouble;
        }
    }
}
