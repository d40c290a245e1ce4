using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamLstm.Kafka;

/// <summary>A record to be written.</summary>
/// <param name="Topic">Where to.</param>
/// <param name="Key">What says which partition; null for any.</param>
/// <param name="Value">What it says.</param>
/// <param name="Headers">Names and values, in their order.</param>
internal sealed record KafkaMessage(string Topic, byte[]? Key, byte[]? Value, IReadOnlyList<(string Name, byte[]? Value)> Headers)
{
    /// <summary>The partition; -1 where the key says which.</summary>
    public int Partition { get; init; } = -1;

    /// <summary>What it takes of the memory of whoever writes it.</summary>
    internal long Bytes => 100 + (Key?.Length ?? 0) + (Value?.Length ?? 0);
}

/// <summary>Writes records: each once in the life of this object, in order, to all replicas that keep up; in transactions with a cursor where asked to.</summary>
/// <remarks>
/// After any failure it is of no use any more: whether what it was writing is there is not known, and a fresh one is the only way
/// to be sure that nothing of it comes later. In transactions the fresh one fences it off, and the cursor says
/// what was written: the log itself answers whether the last commit happened.
/// </remarks>
internal sealed class KafkaWriter : IDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan TryInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>As long as a group may take to share its partitions out; beyond it a fresh writer is the better try.</summary>
    private static readonly TimeSpan TriesMax = TimeSpan.FromSeconds(10);

    /// <summary>Records under way at once: the queue of librdkafka holds four times as much.</summary>
    private const long SentMaxBytes = 8 << 20;

    private readonly KafkaAccess _access;
    private readonly string? _transactionalId;
    private readonly string _cursorTopic;
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly KafkaCalls _calls = new();
    private readonly CancellationTokenSource _ended = new();
    private volatile KafkaTrouble? _trouble;
    private Task _watching = Task.CompletedTask;
    private int _isWatched;

    /// <param name="access">The cluster.</param>
    /// <param name="transactionalId">Under which it writes in transactions, the same in every life of the program; null for none.</param>
    /// <param name="cursorTopic">Where cursors stand; of no account without transactions.</param>
    /// <exception cref="ArgumentException">A setting is none, or has a value it cannot have; the message is librdkafka's.</exception>
    public KafkaWriter(KafkaAccess access, string? transactionalId = null, string cursorTopic = "")
    {
        (_access, _transactionalId, _cursorTopic) = (access, transactionalId, cursorTopic);
        var configuration = new ProducerConfig(access.Configuration(new Dictionary<string, string>
        {
            ["enable.idempotence"] = "true",
            ["acks"] = "all",
            ["linger.ms"] = "5",
            ["message.timeout.ms"] = $"{AnswerMax.TotalMilliseconds}",
            ["queue.buffering.max.kbytes"] = "32768",
            ["transaction.timeout.ms"] = "60000",

            // A topic that is not there is told as that, and not as an answer that did not come.
            ["topic.metadata.propagation.max.ms"] = "5000",
        }));

        if (transactionalId is not null)
        {
            configuration.TransactionalId = transactionalId;
        }

        try
        {
            _producer = new ProducerBuilder<byte[]?, byte[]?>(configuration)
                .SetErrorHandler((_, error) => Note(KafkaTrouble.Of(error)))
                .SetLogHandler((_, _) => { })
                .Build();
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or KafkaException)
        {
            throw new ArgumentException(wrong.Message, nameof(access), wrong);
        }
    }

    /// <summary>What the brokers or librdkafka last complained of since something was written; null where nothing.</summary>
    public KafkaTrouble? Trouble => _trouble;

    /// <summary>Writes records; ends once the brokers have them.</summary>
    /// <exception cref="KafkaTroubleException">They may be there or not.</exception>
    public async Task WriteAsync(IReadOnlyList<KafkaMessage> messages, CancellationToken cancellationToken)
    {
        await _calls.AskAsync(() => Task.WhenAll(messages.Select(message => SendAsync(message, cancellationToken))));
        _trouble = null;
    }

    /// <summary>Fences off whoever wrote under this id before, ends what it had begun, and finds its cursor.</summary>
    /// <returns>What <see cref="CommitAsync"/> last wrote; null where it never did.</returns>
    /// <exception cref="KafkaTroubleException">The cluster does not answer, or refuses.</exception>
    public Task<string?> RecoverAsync() => _calls.AskAsync(() => Task.Run(async () =>
    {
        _producer.InitTransactions(AnswerMax);
        await CreateCursorTopicAsync();
        return Cursor();
    }));

    /// <summary>Writes records and the cursor behind them: all of it is there for who reads what is committed, or nothing.</summary>
    /// <exception cref="KafkaTroubleException">It may be there or not: the next writer's <see cref="RecoverAsync"/> says.</exception>
    public async Task CommitAsync(IReadOnlyList<KafkaMessage> messages, string cursor, CancellationToken cancellationToken)
    {
        var position = new KafkaMessage(_cursorTopic, Encoding.UTF8.GetBytes(_transactionalId!), Encoding.UTF8.GetBytes(cursor), []) { Partition = 0 };
        await _calls.AskAsync(async () =>
        {
            _producer.BeginTransaction();
            await Task.WhenAll(messages.Append(position).Select(message => SendAsync(message, cancellationToken)));
            await Task.Run(() => _producer.CommitTransaction(AnswerMax), cancellationToken);
            return true;
        });
        _trouble = null;
    }

    /// <summary>Fences off whoever wrote under this id before, and ends what it had begun: it can write nothing more.</summary>
    /// <exception cref="KafkaTroubleException">The cluster does not answer, or refuses.</exception>
    public Task FenceAsync() => _calls.AskAsync(() => _producer.InitTransactions(AnswerMax));

    /// <summary>Writes records, and how far a member of a group has read, in one transaction: all of it is there for who reads what is committed, or nothing.</summary>
    /// <param name="messages">The records.</param>
    /// <param name="positions">What comes next, of each partition.</param>
    /// <param name="member">Whose partitions they are; asked anew at every try, as a group that shares its partitions out refuses who does not know of it yet.</param>
    /// <param name="cancellationToken">Ends the tries: nothing of it is there, or it may be.</param>
    /// <exception cref="KafkaTroubleException">It may be there or not: whoever fences this writer off and reads what is committed knows.</exception>
    public async Task CommitAsync(IReadOnlyList<KafkaMessage> messages, IReadOnlyList<KafkaStart> positions, Func<KafkaMember> member, CancellationToken cancellationToken)
    {
        TopicPartitionOffset[] offsets = [.. positions.Select(one => new TopicPartitionOffset(
            one.Partition.Topic, one.Partition.Number, one.Offset, one.LeaderEpoch >= 0 ? one.LeaderEpoch : null))];

        for (long began = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                await _calls.AskAsync(() => TryCommitAsync(messages, offsets, member(), cancellationToken));
                _trouble = null;
                return;
            }
            catch (KafkaTroubleException refused) when (refused.InnerException is KafkaTxnRequiresAbortException && Stopwatch.GetElapsedTime(began) < TriesMax)
            {
                // Once it is taken back nothing of it is there, and the same may be written again.
                await _calls.AskAsync(() => _producer.AbortTransaction(AnswerMax));
                await Task.Delay(TryInterval, cancellationToken);
            }
        }
    }

    public void Dispose()
    {
        _ended.Cancel();
        bool areAnswered = _calls.End();
        _watching.GetAwaiter().GetResult();
        _ended.Dispose();

        if (areAnswered)
        {
            _producer.Dispose();
        }
    }

    private Task<DeliveryResult<byte[]?, byte[]?>> SendAsync(KafkaMessage message, CancellationToken cancellationToken)
    {
        var record = new Message<byte[]?, byte[]?> { Key = message.Key, Value = message.Value };

        if (message.Headers.Count > 0)
        {
            record.Headers = [];

            foreach ((string name, byte[]? value) in message.Headers)
            {
                record.Headers.Add(name, value);
            }
        }

        return _producer.ProduceAsync(new TopicPartition(message.Topic, message.Partition >= 0 ? message.Partition : Partition.Any), record, cancellationToken);
    }

    private async Task<bool> TryCommitAsync(IReadOnlyList<KafkaMessage> messages, TopicPartitionOffset[] offsets, KafkaMember member, CancellationToken cancellationToken)
    {
        List<Task> sent = [];
        long bytes = 0;
        _producer.BeginTransaction();

        foreach (KafkaMessage message in messages)
        {
            sent.Add(SendAsync(message, cancellationToken));
            bytes += message.Bytes;

            if (bytes > SentMaxBytes)
            {
                await Task.WhenAll(sent);
                sent.Clear();
                bytes = 0;
            }
        }

        await Task.WhenAll(sent);
        await Task.Run(
            () =>
            {
                _producer.SendOffsetsToTransaction(offsets, member.Metadata, AnswerMax);
                _producer.CommitTransaction(AnswerMax);
            },
            cancellationToken);
        return true;
    }

    private async Task CreateCursorTopicAsync()
    {
        using IAdminClient admin = new DependentAdminClientBuilder(_producer.Handle).Build();

        if (admin.GetMetadata(_cursorTopic, AnswerMax).Topics is [{ Error.IsError: false }])
        {
            return;
        }

        try
        {
            await admin.CreateTopicsAsync([
                new TopicSpecification
                {
                    Name = _cursorTopic, NumPartitions = 1, ReplicationFactor = -1,
                    Configs = new() { ["cleanup.policy"] = "compact", ["segment.bytes"] = "1048576", ["segment.ms"] = "86400000" },
                },
            ]);
        }
        catch (CreateTopicsException refused) when (refused.Results.All(result => result.Error.Code is ErrorCode.TopicAlreadyExists or ErrorCode.NoError))
        {
            // Another daemon was faster.
        }
        catch (CreateTopicsException refused)
        {
            throw new KafkaException(new Error(
                refused.Results[0].Error.Code, $"topic '{_cursorTopic}', where exactly_once keeps its cursor, is not there and cannot be created ({refused.Results[0].Error.Reason}); create it, compacted, with one partition"));
        }
    }

    /// <summary>The last cursor under this id. All that was written before now counts, so it waits for other daemons' transactions to end.</summary>
    private string? Cursor()
    {
        byte[] id = Encoding.UTF8.GetBytes(_transactionalId!);
        string? cursor = null;
        KafkaLog.Read(
            _access, new KafkaPartition(_cursorTopic, 0),
            (key, value) => cursor = id.AsSpan().SequenceEqual(key) ? Encoding.UTF8.GetString(value ?? []) : cursor, _ended.Token);
        return cursor;
    }

    private void Note(KafkaTrouble trouble)
    {
        if (!trouble.IsVague || _trouble is null)
        {
            _trouble = trouble;
        }

        if (Interlocked.Exchange(ref _isWatched, 1) == 0)
        {
            _watching = Task.Run(WatchAsync);
        }
    }

    /// <summary>Until the brokers answer again: nothing may be written for long, and nobody else would notice.</summary>
    private async Task WatchAsync()
    {
        try
        {
            using IAdminClient admin = new DependentAdminClientBuilder(_producer.Handle).Build();

            while (_trouble is not null)
            {
                await Task.Delay(WatchInterval, _ended.Token);

                try
                {
                    _ = admin.GetMetadata(WatchInterval);
                    _trouble = null;
                }
                catch (KafkaException)
                {
                    // Not yet.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Of no use any more.
        }
        finally
        {
            Volatile.Write(ref _isWatched, 0);
        }
    }
}
