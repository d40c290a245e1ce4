using System.Net.Http.Json;
using System.Text.Json;
using Confluent.Kafka;
using StreamLstm.Detection.Learning;
using StreamLstm.IntegrationTests.Support;
using StreamLstm.Model.Formats;

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

        // From weights that know nothing: whatever is trained is better.
        string[] settings = ["retrain.enabled=true", "retrain.first_after=5s", "retrain.shadow=0s", "retrain.period=5s", "retrain.windows_min=20", "detection.base_weights=random", "cluster.state_interval=1h"];
        await nodes.StartAsync(2, settings);
        await nodes.UntilSharedOutAsync();
        await SendAsync(producer, topic, 0, Rows);
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

    [Fact]
    public async Task A_person_promotes_and_rolls_back_at_the_one_daemon_that_may_and_all_partitions_follow()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("promoted");
        await SharedTopic.CreateAsync(broker, topic, partitions: 2);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "chosen", "classic");
        await nodes.CreateTopicsAsync();
        using IProducer<string?, string> producer = broker.Producer();
        await nodes.StartAsync(2, "retrain.enabled=false", "detection.model_groups.0.name=odd", "detection.model_groups.0.streams=m?", "cluster.state_interval=1h");
        await nodes.UntilSharedOutAsync();
        await SendAsync(producer, topic, 0, 50);
        await nodes.UntilReadAsync(Streams * 50);

        // One may, and the other says which.
        byte[] bytes = Weights(seed: 7);
        List<DaemonProcess> may = [], mayNot = [];
        string hash = "";

        foreach (DaemonProcess node in nodes.Running)
        {
            using HttpResponseMessage brought = await ImportAsync(node, bytes, "by=ann");
            string kept = JsonDocument.Parse(await brought.Content.ReadAsStringAsync(Cancellation)).RootElement.GetProperty("sha256").GetString()!;
            using HttpResponseMessage answer = await SayAsync(node, $"/api/v1/models/{kept}/promote", null);
            (answer.IsSuccessStatusCode ? may : mayNot).Add(node);

            if (answer.IsSuccessStatusCode)
            {
                hash = kept;
            }
            else
            {
                Assert.Contains("partition 0", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
            }
        }

        DaemonProcess decider = Assert.Single(may);
        Assert.Single(mayNot);
        await ServedByAllAsync(1);
        await SendAsync(producer, topic, 50, 100);
        await nodes.UntilReadAsync(Streams * 100);

        // For a group alone, then back for all others.
        using (HttpResponseMessage ofGroup = await SayAsync(decider, $"/api/v1/models/{hash}/promote", "odd"))
        {
            Assert.Equal(System.Net.HttpStatusCode.Created, ofGroup.StatusCode);
        }

        await ServedByAllAsync(2);

        using (HttpResponseMessage back = await SayAsync(decider, "/api/v1/models/rollback", null))
        {
            Assert.Equal(System.Net.HttpStatusCode.Created, back.StatusCode);
        }

        await ServedByAllAsync(3);
        JsonElement models = await mayNot[0].GetAsync("/api/v1/models");
        Assert.Equal(("odd", 2), (models.GetProperty("groups")[0].GetProperty("group").GetString(), models.GetProperty("groups")[0].GetProperty("version").GetInt32()));
        await SendAsync(producer, topic, 100, 150);
        await nodes.UntilReadAsync(Streams * 150);

        // Whoever takes a partition over goes on with them.
        await nodes.KillAsync(1);
        await nodes.UntilAllOwnedAsync();
        await SendAsync(producer, topic, 150, 200);
        await nodes.UntilReadAsync(Streams * 200);
        Assert.Equal(3, await ServingAsync(nodes.Node(0)));
        await nodes.StopAsync();

        foreach (IGrouping<string?, JsonElement> stream in nodes.Read("scores").Select(record => JsonDocument.Parse(record.Message.Value).RootElement).GroupBy(score => score.GetProperty("stream").GetString()))
        {
            long[] versions = [.. stream.Select(score => score.GetProperty("model").GetProperty("version").GetInt64())];
            Assert.Equal([.. Enumerable.Repeat(0L, 50), .. Enumerable.Repeat(1L, 50), .. Enumerable.Repeat(3L, 100)], versions);
        }

        Task ServedByAllAsync(int version) => nodes.UntilAsync(
            async () => (await Task.WhenAll(nodes.Running.Select(ServingAsync))).All(one => one == version), $"served version {version} at both");
    }

    private static byte[] Weights(int seed)
    {
        using var file = new MemoryStream();
        WeightsFile.Write(file, BaseModel.Untrained(seed).Weights, new Dictionary<string, string>());
        return file.ToArray();
    }

    private static async Task<HttpResponseMessage> ImportAsync(DaemonProcess node, byte[] bytes, string query)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new("application/octet-stream");
        return await node.Http.PostAsync($"/api/v1/models?{query}", content, Cancellation);
    }

    private static Task<HttpResponseMessage> SayAsync(DaemonProcess node, string path, string? group) =>
        node.Http.PostAsJsonAsync(path, new { by = "ann", group }, Cancellation);

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
