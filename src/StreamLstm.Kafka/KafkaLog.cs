using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamLstm.Kafka;

/// <summary>Reads a partition that keeps the last value of each key, from its beginning to where it ends now.</summary>
internal static class KafkaLog
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    /// <summary>Every record that was committed before this was asked. It waits for transactions that are open to end.</summary>
    /// <param name="access">The cluster.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="each">Takes key and value of each, in order; a key without a value is no more.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Bytes read.</returns>
    /// <exception cref="KafkaTroubleException">The cluster does not answer, or a transaction stays open.</exception>
    public static Task<long> ReadAsync(KafkaAccess access, KafkaPartition partition, Action<byte[], byte[]?> each, CancellationToken cancellationToken) =>
        new KafkaCalls().AskAsync(() => Task.Run(() => Read(access, partition, each, cancellationToken), cancellationToken));

    /// <summary>The same, where the caller waits.</summary>
    internal static long Read(KafkaAccess access, KafkaPartition partition, Action<byte[], byte[]?> each, CancellationToken cancellationToken)
    {
        Error? heard = null;
        var configuration = new ConsumerConfig(access.Configuration(new Dictionary<string, string>
        {
            ["group.id"] = "streamlstm",
            ["enable.auto.commit"] = "false",
            ["auto.offset.reset"] = "error",
            ["isolation.level"] = "read_committed",
            ["enable.partition.eof"] = "true",
            ["fetch.wait.max.ms"] = "50",
        }));
        using IConsumer<byte[]?, byte[]?> consumer = new ConsumerBuilder<byte[]?, byte[]?>(configuration)
            .SetErrorHandler((_, error) => heard = error)
            .SetLogHandler((_, _) => { })
            .Build();
        var at = new TopicPartition(partition.Topic, partition.Number);
        long end, bytes = 0;

        using (IAdminClient admin = new DependentAdminClientBuilder(consumer.Handle).Build())
        {
            end = End(admin, at);
        }

        consumer.Assign(new TopicPartitionOffset(at, consumer.QueryWatermarkOffsets(at, AnswerMax).Low));

        for (long heardAt = Stopwatch.GetTimestamp(); ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ConsumeResult<byte[]?, byte[]?>? result = consumer.Consume(100);

            if (result is { IsPartitionEOF: true } && result.Offset.Value >= end)
            {
                return bytes;
            }

            if (result is { IsPartitionEOF: false })
            {
                each(result.Message.Key ?? [], result.Message.Value);
                bytes += (result.Message.Key?.Length ?? 0) + (result.Message.Value?.Length ?? 0);
                heardAt = Stopwatch.GetTimestamp();
            }
            else if (Stopwatch.GetElapsedTime(heardAt) > 3 * AnswerMax)
            {
                throw new KafkaException(new Error(
                    heard?.Code ?? ErrorCode.Local_TimedOut, $"topic '{partition.Topic}' could not be read to its end: another daemon's transaction is open, or the brokers do not answer"));
            }
        }
    }

    /// <summary>Where the partition ends, what is not committed included.</summary>
    private static long End(IAdminClient admin, TopicPartition partition) => admin
        .ListOffsetsAsync(
            [new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.Latest() }],
            new ListOffsetsOptions { RequestTimeout = AnswerMax, IsolationLevel = IsolationLevel.ReadUncommitted })
        .GetAwaiter().GetResult().ResultInfos[0].TopicPartitionOffsetError.Offset.Value;
}
