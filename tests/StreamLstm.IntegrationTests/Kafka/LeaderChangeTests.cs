using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>Three brokers, of which the one that leads is killed again and again: each record counts once, by itself and in a cluster.</summary>
[Collection(KafkaTests.Name)]
public sealed class LeaderChangeTests
{
    private const int Rows = 1_200;

    [Fact]
    public async Task Each_record_counts_once_while_the_leader_is_killed_again_and_again()
    {
        using TemporaryDirectory brokers = new(), directory = new();
        await using KafkaBroker broker = await KafkaTests.ThreeAsync(brokers.Path);
        string topic = KafkaDaemon.NewTopic("led");
        await broker.CreateTopicAsync(topic);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        await nodes.StartAsync(2);
        await using DaemonProcess byItself = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic);
        using IProducer<string?, string> producer = broker.Producer();
        List<int> leaders = [];

        for (int row = 0; row < Rows; row += Rows / 3)
        {
            Task sending = KafkaDaemon.SendAsync(producer, topic, "a", row, Rows / 3);
            leaders.Add(broker.LeaderOf(topic));
            await broker.StopAsync(kill: true, leaders[^1]);
            await sending;
            await broker.StartAsync(leaders[^1]);
        }

        await KafkaDaemon.UntilTotalAsync(byItself, Rows);
        await nodes.UntilReadAsync(Rows);
        Assert.Equal(0, await byItself.TerminateAsync());
        await nodes.StopAsync();
        Assert.InRange(leaders.Distinct().Count(), 2, 3);
        Assert.Equal(KafkaDaemon.Rows(0, Rows), Scored.In(Path.Combine(directory.Path, "state"))["a"]);
        Assert.Equal(
            KafkaDaemon.Rows(0, Rows), nodes.Read("scores").Select(record => System.Text.Json.JsonDocument.Parse(record.Message.Value).RootElement.GetProperty("value").GetDouble()));
    }
}
