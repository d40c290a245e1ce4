using System.Text.Json;
using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>What one daemon of a group trains serves the partitions of all, and goes with a partition to its next owner.</summary>
[Collection(KafkaTests.Name)]
public sealed class ClusterWeightsTests(KafkaTests kafka)
{
    private const int Streams = 8;
    private const int Rows = 1_200;

    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_owner_of_the_first_partition_trains_serves_everywhere_and_stays_where_a_partition_goes_over()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("weights");
        await SharedTopic.CreateAsync(broker, topic, partitions: 2);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        using IProducer<string?, string> producer = broker.Producer();
        await SendAsync(producer, topic, 0, Rows);

        // From weights that know nothing: whatever is trained is better.
        string[] settings = ["retrain.enabled=true", "retrain.first_after=5s", "retrain.period=5s", "retrain.windows_min=20", "detection.base_weights=random", "cluster.state_interval=1h"];
        await nodes.StartAsync(2, settings);
        await nodes.UntilReadAsync(Streams * Rows);
        await nodes.UntilAsync(() => AllAsync(node => ServingAsync(node), 1), "served version 1 at both");

        // What comes from now on is scored by them in both partitions, also by an owner that was not there.
        Assert.Single(nodes.Running, node => node.Output.Contains("Training promoted", StringComparison.Ordinal));
        await SendAsync(producer, topic, Rows, Rows + 100);
        await nodes.UntilReadAsync(Streams * (Rows + 100));
        await nodes.KillAsync(1);
        await nodes.UntilAllOwnedAsync();
        await SendAsync(producer, topic, Rows + 100, Rows + 200);
        await nodes.UntilReadAsync(Streams * (Rows + 200));
        await nodes.StopAsync();

        JsonElement[] scores = [.. nodes.Read("scores").Select(record => JsonDocument.Parse(record.Message.Value).RootElement)];
        Assert.Equal(Streams * (Rows + 200), scores.Length);

        foreach (IGrouping<string?, JsonElement> stream in scores.GroupBy(score => score.GetProperty("stream").GetString()))
        {
            long[] versions = [.. stream.Select(score => score.GetProperty("model").GetProperty("version").GetInt64())];
            Assert.Equal(versions.Order(), versions);
            Assert.Equal(0, versions[0]);
            Assert.All(versions[^100..], version => Assert.InRange(version, 1, long.MaxValue));
        }

        async Task<bool> AllAsync(Func<DaemonProcess, Task<int>> figure, int wanted) => (await Task.WhenAll(nodes.Running.Select(figure))).All(one => one >= wanted);
    }

    private static async Task<int> ServingAsync(DaemonProcess node) => (await node.GetAsync("/api/v1/models")).GetProperty("serving").GetInt32();

    /// <summary>The same rows to four streams of each partition.</summary>
    private static async Task SendAsync(IProducer<string?, string> producer, string topic, int from, int to)
    {
        double[][] values = [.. Enumerable.Range(0, Streams).Select(stream => Series.Daily(stream, Rows + 200))];
        List<Task> sent = [];

        for (int row = from; row < to; row++)
        {
            for (int stream = 0; stream < Streams; stream++)
            {
                DateTimeOffset time = Start.AddSeconds(row);
                sent.Add(producer.ProduceAsync(
                    new TopicPartition(topic, stream % 2),
                    new Message<string?, string> { Key = $"m{stream}", Value = FormattableString.Invariant($"{{\"timestamp\":\"{time:O}\",\"value\":{values[stream][row]:R}}}"), Timestamp = new Timestamp(time.UtcDateTime) },
                    Cancellation));
            }
        }

        await Task.WhenAll(sent);
    }
}
