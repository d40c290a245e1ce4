using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>What a real Kafka holds becomes observations, each record once; what cannot be read is told.</summary>
[Collection(KafkaTests.Name)]
public sealed class KafkaSourceTests(KafkaTests kafka)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_record_is_taken_once_over_a_restart_and_the_group_is_told_how_far()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("plant");
        await broker.CreateTopicAsync(topic, partitions: 3);
        using IProducer<string?, string> producer = broker.Producer();
        await Task.WhenAll(Streams.Select(stream => KafkaDaemon.SendAsync(producer, topic, stream, 0, 500)));

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic, $"sources.kafka.0.group={topic}"))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, 4 * 500);
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        await Task.WhenAll(Streams.Select(stream => KafkaDaemon.SendAsync(producer, topic, stream, 500, 300)));

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic, $"sources.kafka.0.group={topic}"))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, 4 * 800);
            await daemon.UntilAsync(async () => await CommittedAsync(broker, topic, 3) == 4 * 800, "committed for the group");
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        Dictionary<string, double[]> scored = Scored.In(Path.Combine(directory.Path, "state"));
        Assert.Equal(Streams, scored.Keys.Order());
        Assert.All(scored.Values, values => Assert.Equal(KafkaDaemon.Rows(0, 800), values));
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_is_a_dead_letter_and_stops_nothing()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("poison");
        await broker.CreateTopicAsync(topic);
        await broker.CreateTopicAsync(topic + ".dead");
        using IProducer<string?, string> producer = broker.Producer();
        await KafkaDaemon.SendAsync(producer, topic, "a", 0, 10);
        await producer.ProduceAsync(topic, new Message<string?, string> { Key = "a", Value = "{\"value\":", Headers = [new Header("from", "x"u8.ToArray())] }, Cancellation);
        await producer.ProduceAsync(topic, new Message<string?, string> { Key = "a", Value = new string('x', 5_000) }, Cancellation);
        await producer.ProduceAsync(topic, new Message<string?, string> { Key = "a", Value = null! }, Cancellation);
        await KafkaDaemon.SendAsync(producer, topic, "a", 10, 10);
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic, "sources.kafka.0.record_max_bytes=4096", $"sources.kafka.0.dead_letters={topic}.dead");
        await KafkaDaemon.UntilTotalAsync(daemon, 20);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Equal(KafkaDaemon.Rows(0, 20), Scored.In(Path.Combine(directory.Path, "state"))["a"]);
        string[] letters = File.ReadAllLines(Path.Combine(directory.Path, "state", "dead-letters.ndjson"));
        Assert.Equal(2, letters.Length);
        Assert.Contains($"{topic}/0 offset 10: not valid JSON", letters[0], StringComparison.Ordinal);
        Assert.Contains($"{topic}/0 offset 11: 5000 bytes, expected at most 4096", letters[1], StringComparison.Ordinal);

        List<ConsumeResult<string, string>> dead = broker.Read(topic + ".dead");
        Assert.Equal(["{\"value\":", new string('x', 5_000)], dead.Select(record => record.Message.Value));
        Assert.All(dead, record => Assert.Equal("a", record.Message.Key));
        Assert.Equal(
            ["from=x", "streamlstm.reason=malformed", "streamlstm.topic=" + topic, "streamlstm.partition=0", "streamlstm.offset=10"],
            dead[0].Message.Headers.Where(header => header.Key != "streamlstm.detail").Select(header => $"{header.Key}={Encoding.UTF8.GetString(header.GetValueBytes())}"));
    }

    [Fact]
    public async Task Dead_letters_that_their_topic_does_not_take_hold_nothing_up_and_are_told_and_kept_in_the_file()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("refused");
        await broker.CreateTopicAsync(topic);
        using IProducer<string?, string> producer = broker.Producer();
        await producer.ProduceAsync(topic, new Message<string?, string> { Key = "a", Value = "{\"value\":" }, Cancellation);
        await KafkaDaemon.SendAsync(producer, topic, "a", 0, 10);
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic, "sources.kafka.0.dead_letters=nowhere");
        await KafkaDaemon.UntilTotalAsync(daemon, 10);
        await KafkaDaemon.UntilReadySaysAsync(daemon, "sources.kafka.0.dead_letters: ");
        await KafkaDaemon.SendAsync(producer, topic, "a", 10, 10);
        await KafkaDaemon.UntilTotalAsync(daemon, 20);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Equal(KafkaDaemon.Rows(0, 20), Scored.In(Path.Combine(directory.Path, "state"))["a"]);
        Assert.Contains("not valid JSON", Assert.Single(File.ReadAllLines(Path.Combine(directory.Path, "state", "dead-letters.ndjson"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Partitions_and_matching_topics_that_come_later_are_read_from_their_beginning()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("grows");
        await broker.CreateTopicAsync(topic);
        using IProducer<string?, string> producer = broker.Producer();
        await KafkaDaemon.SendAsync(producer, topic, "before", 0, 10);
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, $"^{topic}.*", "sources.kafka.0.start=latest");
        await daemon.UntilAsync(() => Task.FromResult(daemon.Output.Contains("1 partitions of", StringComparison.Ordinal)), "reading");
        using IAdminClient admin = broker.Admin();
        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 2 }]);
        await broker.CreateTopicAsync(topic + ".more");
        using IProducer<string?, string> later = broker.Producer();
        await KafkaDaemon.SendAsync(later, topic, "first", 0, 10, partition: 0);
        await KafkaDaemon.SendAsync(later, topic, "second", 0, 10, partition: 1);
        await KafkaDaemon.SendAsync(later, topic + ".more", "third", 0, 10);
        await KafkaDaemon.UntilTotalAsync(daemon, 30);
        Assert.Equal(0, await daemon.TerminateAsync());
        Dictionary<string, double[]> scored = Scored.In(Path.Combine(directory.Path, "state"));
        Assert.Equal(["first", "second", "third"], scored.Keys.Order());
        Assert.All(scored.Values, values => Assert.Equal(KafkaDaemon.Rows(0, 10), values));
    }

    [Fact]
    public async Task Streams_are_named_by_header_field_or_topic_and_a_time_is_a_place_to_start()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("names"), logs = KafkaDaemon.NewTopic("app");
        await broker.CreateTopicAsync(topic);
        await broker.CreateTopicAsync(logs);
        using IProducer<string?, string> producer = broker.Producer();
        DateTimeOffset hour = DateTimeOffset.UtcNow.AddHours(-1);

        for (int row = 0; row < 10; row++)
        {
            await producer.ProduceAsync(
                topic,
                new Message<string?, string>
                {
                    Value = $"{{\"device\":{{\"id\":\"d7\"}},\"temperature\":{row}}}",
                    Headers = [new Header("unit", Encoding.UTF8.GetBytes("u1"))],
                    Timestamp = new Timestamp(hour.AddMinutes(row).UtcDateTime),
                },
                Cancellation);
            await producer.ProduceAsync(logs, new Message<string?, string> { Value = $"request {row} done\nanswered" }, Cancellation);
        }

        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(
            directory.Path, broker.Bootstrap, topic, "sources.kafka.0.name=field", "sources.kafka.0.stream=json:device.id", "sources.kafka.0.prefix=plant",
            "sources.kafka.1.name=header", $"sources.kafka.1.brokers={broker.Bootstrap}", $"sources.kafka.1.topics.0={topic}", "sources.kafka.1.stream=header:unit",
            $"sources.kafka.1.start={hour.AddMinutes(4):O}",
            "sources.kafka.2.name=log", $"sources.kafka.2.brokers={broker.Bootstrap}", $"sources.kafka.2.topics.0={logs}", "sources.kafka.2.format=log", "sources.kafka.2.start=earliest");
        await KafkaDaemon.UntilTotalAsync(daemon, 10 + 6 + 20);
        Assert.Equal(0, await daemon.TerminateAsync());
        Dictionary<string, double[]> scored = Scored.In(Path.Combine(directory.Path, "state"));
        Assert.Equal(KafkaDaemon.Rows(0, 10), scored["plant/d7/temperature"]);
        Assert.Equal(KafkaDaemon.Rows(4, 6), scored["u1/temperature"]);
        Assert.Equal(20, scored[logs].Length);

        // Where a record's value says no time, the record's own is taken.
        string first = File.ReadLines(Path.Combine(directory.Path, "state", "events.jsonl")).First(line => line.Contains("\"stream\":\"u1/temperature\"", StringComparison.Ordinal));
        Assert.Equal(hour.AddMinutes(4).ToUnixTimeMilliseconds(), JsonDocument.Parse(first).RootElement.GetProperty("time").GetDateTimeOffset().ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task What_is_simulated_into_a_topic_has_its_stream_as_key_and_is_the_same_as_into_a_file()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        string topic = KafkaDaemon.NewTopic("simulated");
        await broker.CreateTopicAsync(topic);
        using StringWriter file = new(), none = new(), error = new();
        Assert.Equal(0, await CommandLine.InvokeAsync(["simulate", "--streams", "3", "--rows", "700"], file, error));
        Assert.Equal(0, await CommandLine.InvokeAsync(["simulate", "--streams", "3", "--rows", "700", "--to", $"kafka://{broker.Bootstrap}/{topic}"], none, error));
        List<ConsumeResult<string, string>> told = broker.Read(topic);
        Assert.Equal(file.ToString().Split('\n')[..^1], told.Select(record => record.Message.Value));
        Assert.All(told, record => Assert.StartsWith($"{{\"stream\":\"{record.Message.Key}\",", record.Message.Value, StringComparison.Ordinal));
        Assert.Empty(none.ToString());
    }

    private static string[] Streams => ["boiler", "mill", "press", "pump"];

    private static async Task<long> CommittedAsync(KafkaBroker broker, string group, int partitions)
    {
        using IConsumer<Ignore, Ignore> onlooker = broker.Onlooker(group);
        return await KafkaBroker.CommittedAsync(onlooker, Enumerable.Range(0, partitions).Select(number => new TopicPartition(group, number)));
    }
}
