using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>A person's word on a stream is taken by any daemon of the group, carried out by the one that has the stream, and goes with it to the next.</summary>
[Collection(KafkaTests.Name)]
public sealed class ClusterVerbsTests(KafkaTests kafka)
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_label_given_to_any_daemon_still_counts_after_its_streams_owner_was_killed()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("verbs");
        await SharedTopic.CreateAsync(broker, topic, partitions: 2);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        using IProducer<string?, string> producer = broker.Producer();
        double[] values = Series.Daily(3, 1200);
        values[899] = 60;
        values[1180] = 75;

        // State is written by nothing but the words themselves, or as a partition is given back.
        await nodes.StartAsync(2, "cluster.state_interval=1h");
        await SendAsync(producer, topic, values, 0, 950);
        await nodes.UntilReadAsync(4 * 950);
        await nodes.UntilSharedOutAsync();
        string id = (await OpenedAsync(nodes, "boiler")).Single();
        string other = (await OpenedAsync(nodes, "pump")).Single();
        int owner = await OwnerAsync(nodes, partition: 0), asked = 1 - owner;
        HttpClient http = nodes.Node(asked).Http;

        using (HttpResponseMessage labelled = await http.PostAsJsonAsync("/api/v1/labels", new { incident_id = id, label = "false_alarm" }, Cancellation))
        {
            Assert.Equal((HttpStatusCode.Created, "boiler"), (labelled.StatusCode, (await labelled.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("stream").GetString()));
        }

        // One that was taken back is as if it had never been given.
        using (HttpResponseMessage labelled = await http.PostAsJsonAsync("/api/v1/labels", new { incident_id = other, label = "false_alarm" }, Cancellation))
        using (HttpResponseMessage back = await http.DeleteAsync($"/api/v1/labels/{other}", Cancellation))
        {
            Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (labelled.StatusCode, back.StatusCode));
        }

        Assert.Equal("boiler", (await nodes.Node(asked).GetAsync("/api/v1/streams/boiler")).GetProperty("state").GetProperty("stream").GetString());
        Assert.Equal("boiler", (await nodes.Node(asked).GetAsync("/api/v1/explain?stream=boiler")).GetProperty("stream").GetString());
        await RefusedAsync(await http.PostAsJsonAsync("/api/v1/labels", new { incident_id = "nowhere", label = "real" }, Cancellation), HttpStatusCode.NotFound, "not known to any daemon of group");
        await RefusedAsync(await http.PostAsJsonAsync("/api/v1/streams/boiler/accept", new { }, Cancellation), HttpStatusCode.Conflict, "nothing to accept");
        await RefusedAsync(await http.PostAsJsonAsync("/api/v1/maintenance", new { streams = "*", @for = "2h" }, Cancellation), HttpStatusCode.Conflict, "takes maintenance from its configuration alone");
        await nodes.KillAsync(owner);
        await RefusedAsync(await http.GetAsync("/api/v1/explain?stream=boiler", Cancellation), HttpStatusCode.ServiceUnavailable, $"node-{owner} at http://127.0.0.1:");
        await nodes.UntilAllOwnedAsync();
        await SendAsync(producer, topic, values, 950, 1200);
        await nodes.UntilReadAsync(4 * 1200);
        Assert.Single(await OpenedAsync(nodes, "boiler"));
        Assert.Equal(2, (await OpenedAsync(nodes, "pump")).Distinct().Count());
        Assert.Equal(2, (await OpenedAsync(nodes, "mill")).Distinct().Count());
        JsonElement why = await nodes.Node(asked).GetAsync($"/api/v1/explain?stream=boiler&at={Uri.EscapeDataString(Start.AddSeconds(1180).ToString("O"))}");
        Assert.True(why.GetProperty("evidence_without_labels").GetDouble() > why.GetProperty("needed").GetDouble(), why.ToString());
        Assert.False(why.GetProperty("is_alert").GetBoolean());

        // Each score once and the same, words or not.
        List<ConsumeResult<string, string>> scores = nodes.Read("scores");
        Assert.Equal(4 * 1200, scores.Count);
        Assert.Equal(4 * 1200, scores.Select(record => JsonDocument.Parse(record.Message.Value).RootElement).Select(score => (score.GetProperty("stream").GetString(), score.GetProperty("time").GetString())).Distinct().Count());
        await nodes.StopAsync();
    }

    [Fact]
    public async Task What_is_accepted_or_forgotten_through_another_daemon_is_told_once_and_stays_so()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("accepts");
        await SharedTopic.CreateAsync(broker, topic, partitions: 2);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        using IProducer<string?, string> producer = broker.Producer();
        double[] values = Series.Daily(3, 960);
        values.AsSpan(930).Fill(90);
        await nodes.StartAsync(2, "cluster.state_interval=1h");
        await SendAsync(producer, topic, values, 0, 960);
        await nodes.UntilReadAsync(4 * 960);
        await nodes.UntilSharedOutAsync();
        int owner = await OwnerAsync(nodes, partition: 0);
        HttpClient http = nodes.Node(1 - owner).Http;

        using (HttpResponseMessage accepted = await http.PostAsJsonAsync("/api/v1/streams/boiler/accept", new { }, Cancellation))
        using (HttpResponseMessage forgotten = await http.DeleteAsync("/api/v1/streams/pump", Cancellation))
        {
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (accepted.StatusCode, forgotten.StatusCode));
        }

        await nodes.KillAsync(owner);
        await nodes.UntilAllOwnedAsync();
        await RefusedAsync(await http.PostAsJsonAsync("/api/v1/streams/boiler/accept", new { }, Cancellation), HttpStatusCode.Conflict, "nothing to accept");

        // As long as the one that was killed may be there it is not known whether it has the stream.
        await nodes.UntilAsync(async () => (await http.DeleteAsync("/api/v1/streams/pump", Cancellation)).StatusCode == HttpStatusCode.NotFound, "missed the killed one");
        await nodes.StopAsync();
        string[] boiler = [.. Incidents(nodes, "boiler").Select(incident => incident.GetProperty("state").GetString()!)];
        Assert.Equal(1, boiler.Count(state => state == "closed"));
        Assert.Equal(1, boiler.Count(state => state == "opened"));
        Assert.Contains("forgotten", Incidents(nodes, "pump").Last().ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_may_be_in_a_partition_of_nobody_asked_is_not_said_to_be_unknown()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("elsewhere");
        await SharedTopic.CreateAsync(broker, topic, partitions: 2);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        await nodes.StartAsync(1);
        HttpClient http = nodes.Node(0).Http;
        await UntilAnsweredAsync(HttpStatusCode.NotFound, "not known to any daemon");
        await nodes.VisitAsync(async () =>
        {
            await UntilAnsweredAsync(HttpStatusCode.ServiceUnavailable, $"{topic}/");
            await RefusedAsync(await http.DeleteAsync("/api/v1/streams/boiler", Cancellation), HttpStatusCode.ServiceUnavailable, "may be going from one daemon to another; ask again in a moment");
            await RefusedAsync(await http.GetAsync("/api/v1/streams/boiler", Cancellation), HttpStatusCode.ServiceUnavailable, "not known to those that answer");
        });
        await UntilAnsweredAsync(HttpStatusCode.NotFound, "not known to any daemon");
        await nodes.StopAsync();

        async Task UntilAnsweredAsync(HttpStatusCode status, string words) => await nodes.UntilAsync(
            async () =>
            {
                using HttpResponseMessage answer = await http.DeleteAsync("/api/v1/streams/boiler", Cancellation);
                return answer.StatusCode == status && (await answer.Content.ReadAsStringAsync(Cancellation)).Contains(words, StringComparison.Ordinal);
            },
            $"answered {status}, {words}");
    }

    private static async Task RefusedAsync(HttpResponseMessage answer, HttpStatusCode status, string words)
    {
        using (answer)
        {
            string said = await answer.Content.ReadAsStringAsync(Cancellation);
            Assert.Contains(words, said.Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    private static IEnumerable<JsonElement> Incidents(ClusterNodes nodes, string stream) =>
        nodes.Read("incidents").Where(record => record.Message.Key == stream).Select(record => JsonDocument.Parse(record.Message.Value).RootElement);

    private static Task<string[]> OpenedAsync(ClusterNodes nodes, string stream) => Task.Run(() => Incidents(nodes, stream)
        .Where(incident => incident.GetProperty("state").GetString() == "opened").Select(incident => incident.GetProperty("incident_id").GetString()!).ToArray());

    private static async Task<int> OwnerAsync(ClusterNodes nodes, int partition)
    {
        for (int node = 0; node < 2; node++)
        {
            JsonElement partitions = (await nodes.Node(node).GetAsync("/api/v1/status")).GetProperty("partitions");

            if (partitions.EnumerateArray().Any(one => one.GetProperty("partition").GetString()!.EndsWith($"/{partition}", StringComparison.Ordinal)))
            {
                return node;
            }
        }

        throw new InvalidOperationException("nobody has it");
    }

    /// <summary>The same rows to three streams of the first partition and one of the second.</summary>
    private static async Task SendAsync(IProducer<string?, string> producer, string topic, double[] values, int from, int to)
    {
        List<Task> sent = [];

        for (int row = from; row < to; row++)
        {
            foreach ((string stream, int partition) in new[] { ("boiler", 0), ("pump", 0), ("mill", 0), ("press", 1) })
            {
                DateTimeOffset time = Start.AddSeconds(row);
                sent.Add(producer.ProduceAsync(
                    new TopicPartition(topic, partition),
                    new Message<string?, string> { Key = stream, Value = FormattableString.Invariant($"{{\"timestamp\":\"{time:O}\",\"value\":{values[row]:R}}}"), Timestamp = new Timestamp(time.UtcDateTime) },
                    Cancellation));
            }
        }

        await Task.WhenAll(sent);
    }
}
