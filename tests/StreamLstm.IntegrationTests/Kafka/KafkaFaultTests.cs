using System.Globalization;
using Confluent.Kafka;
using StreamLstm.Daemon.SelfTest;
using StreamLstm.IntegrationTests.Kill;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>Kills and restarts on both sides: every record is scored once, in order, to the same bits.</summary>
/// <remarks>STREAMLSTM_TEST_FAULTS sets how often the broker goes, STREAMLSTM_TEST_KILLS how often the daemon.</remarks>
[Collection(KafkaTests.Name)]
public sealed class KafkaFaultTests(KafkaTests kafka)
{
    private static readonly string[] Streams = ["boiler", "mill", "press"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_that_is_killed_or_restarted_under_load_costs_nothing()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("faults");
        await broker.CreateTopicAsync(topic, partitions: 2);
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<int> producing = ProduceAsync(broker, topic, done.Token);
        var random = new Random(Killing.Number("STREAMLSTM_TEST_SEED", 1));

        for (int fault = 0; fault < Killing.Number("STREAMLSTM_TEST_FAULTS", 3); fault++)
        {
            await Task.Delay(random.Next(300, 1_200), Cancellation);
            await broker.StopAsync(kill: fault % 3 != 2);
            await Task.Delay(random.Next(1_000), Cancellation);
            await broker.StartAsync();
        }

        await Task.Delay(500, Cancellation);
        await done.CancelAsync();
        int rows = await producing;
        long back = TimeProvider.System.GetTimestamp();
        await KafkaDaemon.UntilTotalAsync(daemon, (long)rows * Streams.Length);
        TimeSpan caughtUp = TimeProvider.System.GetElapsedTime(back);
        Assert.Equal(0, await daemon.TerminateAsync());
        Dictionary<string, double[]> scored = Scored.In(Path.Combine(directory.Path, "state"));
        TestContext.Current.SendDiagnosticMessage("kafka: {0} rows of {1} streams acknowledged, {2} scored, {3:0.0} s behind the last one", rows, Streams.Length, scored.Values.Sum(values => values.Length), caughtUp.TotalSeconds);
        Assert.Equal(Streams, scored.Keys.Order());
        Assert.All(scored.Values, values => Assert.Equal(KafkaDaemon.Rows(0, rows), values));
    }

    [Fact]
    public async Task A_daemon_that_is_killed_loses_no_record_tells_nothing_twice_and_every_score_is_the_same()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("kills");
        await broker.CreateTopicAsync(topic);
        using IProducer<string?, string> producer = broker.Producer();
        KillTrial trial = Killing.Trial(directory.Path);

        // What stands in the topic is there: it needs no acknowledgement of the daemon's.
        await Killing.RunAsync(
            "kafka",
            trial,
            (_, from, count, _) => Task.WhenAll(Enumerable.Range(from, count).Select(row => producer.ProduceAsync(topic, new Message<string?, string> { Key = "boiler", Value = trial.Payload(row) }, Cancellation))),
            ["sources.mqtt_embedded.enabled=false", $"sources.kafka.0.brokers={broker.Bootstrap}", $"sources.kafka.0.topics.0={topic}", "sources.kafka.0.start=earliest"]);
    }

    /// <summary>Rows of each stream until it is time to end; gives how many of each the broker has.</summary>
    private static async Task<int> ProduceAsync(KafkaBroker broker, string topic, CancellationToken done)
    {
        using IProducer<string?, string> producer = broker.Producer();
        int row = 0;

        for (; !done.IsCancellationRequested; row += 5)
        {
            await Task.WhenAll(Streams.Select(stream => KafkaDaemon.SendAsync(producer, topic, stream, row, 5)));
            await Task.Delay(5, Cancellation);
        }

        return row;
    }
}
