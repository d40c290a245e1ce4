using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;
using StreamLstm.Kafka;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>What a reader gives where nobody takes it for a while: no more than it may hold, and then all of it, once and in order.</summary>
[Collection(KafkaTests.Name)]
public sealed class KafkaReaderTests(KafkaTests kafka)
{
    private const int Records = 20_000;
    private const int RecordBytes = 500;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>It ended the process before: librdkafka answered into memory that was freed.</summary>
    [Fact]
    public async Task A_client_that_is_ended_while_it_is_asked_ends_behind_the_answers()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        string topic = KafkaDaemon.NewTopic("asked");
        await broker.CreateTopicAsync(topic, partitions: 3);
        KafkaPartition[] partitions = [new(topic, 0), new(topic, 1), new(topic, 2)];

        for (int round = 0; round < 100; round++)
        {
            var reader = new KafkaReader(new KafkaAccess(broker.Bootstrap, "test"), new KafkaReaderOptions { Group = topic });
            Task[] asked = [reader.Topics.FindAsync([topic]), reader.Topics.NextAsync(partitions), reader.CommitAsync([new KafkaStart(partitions[0], round)])];
            reader.Dispose();
            await Task.WhenAll(asked);
        }
    }

    [Fact]
    public async Task Nobody_taking_pauses_it_and_then_each_record_comes_once_also_of_what_was_begun_or_ended_meanwhile()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        string topic = KafkaDaemon.NewTopic("paused");
        await broker.CreateTopicAsync(topic, partitions: 3);
        using IProducer<string?, string> producer = broker.Producer();

        for (int partition = 0; partition < 3; partition++)
        {
            await Task.WhenAll(Enumerable.Range(0, Records).Select(_ => producer.ProduceAsync(
                new TopicPartition(topic, partition), new Message<string?, string> { Value = new string('x', RecordBytes) }, Cancellation)));
        }

        using var reader = new KafkaReader(new KafkaAccess(broker.Bootstrap, "test"), new KafkaReaderOptions { HeldMaxBytes = 100 * RecordBytes });
        KafkaPartition first = new(topic, 0), ended = new(topic, 1), begun = new(topic, 2);
        reader.Begin([new KafkaStart(first, 0), new KafkaStart(ended, 0)]);
        Dictionary<KafkaPartition, long> next = new() { [first] = 0, [ended] = 0, [begun] = 0 };
        await TakeAsync(500);

        // Longer than it waits before it pauses; one ends and one begins while it is paused.
        await Task.Delay(TimeSpan.FromSeconds(2.5), Cancellation);
        reader.End([ended]);
        reader.Begin([new KafkaStart(begun, 0)]);
        await Task.Delay(TimeSpan.FromSeconds(1.5), Cancellation);
        Assert.InRange(reader.HeldBytes, RecordBytes, 100 * RecordBytes);
        await TakeAsync(2_000);
        await Task.Delay(TimeSpan.FromSeconds(2.5), Cancellation);
        long stood = next[ended];
        await TakeAsync(int.MaxValue);
        Assert.Equal((Records, Records), (next[first], next[begun]));
        Assert.Equal(stood, next[ended]);

        // Until so many have come, or both partitions have ended.
        async Task TakeAsync(int count)
        {
            HashSet<KafkaPartition> done = [];

            while (count > 0 && done.Count < 2 && await reader.WaitToReadAsync(Cancellation))
            {
                while (count > 0 && reader.TryRead(out KafkaRecord? record))
                {
                    count -= Take(record, done);
                }
            }
        }

        int Take(KafkaRecord record, HashSet<KafkaPartition> done)
        {
            if (record.Kind == KafkaReadKind.Record)
            {
                Assert.Equal(next[record.Partition]++, record.Offset);
                return 1;
            }

            if (record.Kind == KafkaReadKind.End && record.Offset == Records)
            {
                done.Add(record.Partition);
            }

            return 0;
        }
    }
}
