using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>Several daemons that share a topic tell together what one undisturbed daemon tells: each event once, each score the same bits.</summary>
/// <remarks>
/// STREAMLSTM_TEST_MINUTES lengthens the trial by kills, STREAMLSTM_TEST_PROGRESS names a file that says how it goes.
/// </remarks>
[Collection(KafkaTests.Name)]
public sealed class ClusterTests(KafkaTests kafka)
{
    private const int Partitions = 12;
    private const int Nodes = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static double Minutes => double.Parse(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_MINUTES") ?? "0.6", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("classic")]
    [InlineData("consumer")]
    public async Task Three_daemons_that_are_killed_again_and_again_tell_what_one_undisturbed_tells(string protocol)
    {
        await using Shared shared = await ShareAsync("shared", protocol);
        (SharedTopic trial, ClusterNodes nodes) = (shared.Trial, shared.Nodes);
        var elapsed = Stopwatch.StartNew();
        TimeSpan length = TimeSpan.FromMinutes(Minutes), between = TimeSpan.FromSeconds(Minutes > 2 ? 20 : 9);
        await nodes.StartAsync(Nodes);
        Task sending = trial.SendAsync(length);
        List<double> takenOver = [];

        for (int kill = 0; !sending.IsCompleted; kill++)
        {
            await Task.WhenAny(sending, Task.Delay(between, Cancellation));
            int victim = kill % Nodes;

            // One is away until what it had is others', one comes back under its name before anybody has noticed, one stands still and goes on.
            if (kill % 3 == 2)
            {
                takenOver.Add(await nodes.StallAsync(victim));
                continue;
            }

            await nodes.KillAsync(victim);

            if (kill % 3 == 0)
            {
                takenOver.Add(await nodes.UntilAllOwnedAsync());
            }

            await nodes.RestartAsync(victim);
        }

        await sending;
        await nodes.UntilReadAsync(trial.Sent);
        string books = await nodes.BooksAsync();
        await nodes.StopAsync();
        ClusterNodes alone = await shared.AloneAsync();
        Report($"{protocol}: {trial.Sent} records in {elapsed.Elapsed.TotalSeconds:0} s, taken over in {string.Join(", ", takenOver.Select(seconds => $"{seconds:0.0}"))} s, {books}");
        int scores = Same(alone.Read("scores"), nodes.Read("scores"), "scores"), incidents = Same(alone.Read("incidents"), nodes.Read("incidents"), "incidents");
        Assert.Equal(trial.Observations, scores);
        Assert.InRange(incidents, trial.Streams / 4, int.MaxValue);
    }

    [Fact]
    public async Task A_group_that_is_shared_out_anew_all_the_time_tells_what_one_undisturbed_tells()
    {
        await using Shared shared = await ShareAsync("restless", rows: 1_100);
        (SharedTopic trial, ClusterNodes nodes) = (shared.Trial, shared.Nodes);
        await nodes.StartAsync(2);
        Task sending = trial.SendAsync(TimeSpan.FromMinutes(Minutes / 2));
        int rebalances = 0;

        // Each comes and goes, and so the group's partitions are shared out twice.
        while (!sending.IsCompleted)
        {
            await nodes.VisitAsync();
            rebalances += 2;
        }

        await sending;
        await nodes.UntilReadAsync(trial.Sent);
        string books = await nodes.BooksAsync();
        await nodes.StopAsync();
        ClusterNodes alone = await shared.AloneAsync();
        Report($"{rebalances} rebalances, {books}");
        Assert.InRange(rebalances, 4, int.MaxValue);
        Assert.Equal(trial.Observations, Same(alone.Read("scores"), nodes.Read("scores"), "scores"));
        Same(alone.Read("incidents"), nodes.Read("incidents"), "incidents");
    }

    [Fact]
    public async Task A_topic_made_anew_and_records_deleted_before_they_were_read_stop_a_partition_until_it_may_pass_over_them()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("lost");
        await broker.CreateTopicAsync(topic, 2);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        using IProducer<string?, string> producer = broker.Producer();
        await KafkaDaemon.SendAsync(producer, topic, "a", 0, 50, partition: 0);
        await KafkaDaemon.SendAsync(producer, topic, "b", 0, 50, partition: 1);
        await nodes.StartAsync(1);
        await nodes.UntilReadAsync(100);
        await nodes.StopAsync();

        // Deleted while nobody read: that partition stands still, and the other one goes on.
        await KafkaDaemon.SendAsync(producer, topic, "a", 50, 50, partition: 0);
        await KafkaDaemon.SendAsync(producer, topic, "b", 50, 50, partition: 1);
        using (IAdminClient admin = broker.Admin())
        {
            await admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, 70)]);
        }

        await nodes.StartAsync(1);
        await KafkaDaemon.UntilReadySaysAsync(nodes.Running.First(), $"20 records of {topic}/0 from offset 50 on were deleted before they were read; set sources.kafka.0.gap: reset");
        await nodes.UntilReadAsync(150);
        await nodes.StopAsync();
        await nodes.StartAsync(1, "sources.kafka.0.gap=reset");
        await nodes.UntilReadAsync(200);
        Assert.Equal(20, await KafkaDaemon.MetricAsync(nodes.Running.First(), "streamlstm_source_gap_records_total"));

        // Made anew while it is read, with more records than the one before had: by offsets alone nobody could tell.
        await KafkaGapTests.AnewAsync(broker, topic, 2);
        await nodes.Running.First().UntilAsync(() => Task.FromResult(nodes.Running.First().Output.Contains("was deleted and created anew", StringComparison.Ordinal)), "noticed it");
        using IProducer<string?, string> second = broker.Producer();
        await KafkaDaemon.SendAsync(second, topic, "c", 0, 120, partition: 0);
        await nodes.UntilAsync(() => Task.FromResult(nodes.Read("scores").Count(record => record.Message.Key == "c") == 120), "read it");
        await nodes.StopAsync();
        double[] Values(string stream) => [.. nodes.Read("scores").Where(record => record.Message.Key == stream).Select(record => JsonDocument.Parse(record.Message.Value).RootElement.GetProperty("value").GetDouble())];
        Assert.Equal([.. KafkaDaemon.Rows(0, 50), .. KafkaDaemon.Rows(70, 30)], Values("a"));
        Assert.Equal(KafkaDaemon.Rows(0, 100), Values("b"));
        Assert.Equal(KafkaDaemon.Rows(0, 120), Values("c"));
    }

    [Fact]
    public async Task What_scoring_refuses_is_a_dead_letter_once_whoever_is_killed_meanwhile()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("refused-later");
        await broker.CreateTopicAsync(topic, 2);
        await broker.CreateTopicAsync($"{topic}.dead");
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        using IProducer<string?, string> producer = broker.Producer();
        string[] settings = [$"sources.kafka.0.dead_letters={topic}.dead", "cluster.state_interval=1h"];
        await nodes.StartAsync(2, settings);
        List<string> refused = [];

        for (int round = 0; round < 4; round++)
        {
            foreach (int partition in (int[])[0, 1])
            {
                await KafkaDaemon.SendAsync(producer, topic, $"s{partition}", 20 * round, 20, partition);

                // Late, another value of a time that is there, beyond what is a value, no JSON; and the same once more, which loses nothing.
                string last = KafkaDaemon.Row((20 * round) + 19);
                string[] odd = [last.Replace("value\":", "value\":1", StringComparison.Ordinal), KafkaDaemon.Row(20 * round), last.Replace("value\":", "value\":9e2", StringComparison.Ordinal), $"{{{round}"];

                foreach (string value in (string[])[.. odd, last])
                {
                    await producer.ProduceAsync(new TopicPartition(topic, partition), new Message<string?, string> { Key = $"s{partition}", Value = value }, Cancellation);
                }

                refused.AddRange(odd.Select(value => $"s{partition}: {value}"));
            }

            // What was told and is behind the state is scored again by whoever has it next.
            await nodes.KillAsync(round % 2);
            await nodes.UntilAllOwnedAsync();
            await nodes.RestartAsync(round % 2, settings);
        }

        await nodes.UntilReadAsync(200);
        await nodes.StopAsync();

        List<ConsumeResult<string, string>> dead = broker.Read($"{topic}.dead");
        Assert.Equal(refused.Order(), dead.Select(record => $"{record.Message.Key}: {record.Message.Value}").Order());
        Assert.Equal(
            ["bad_value", "conflict", "late", "malformed"],
            dead.Select(record => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes("streamlstm.reason"))).Distinct().Order());
        string[] kept = [.. Enumerable.Range(0, 2).SelectMany(node => File.ReadAllLines(Path.Combine(directory.Path, $"many-{node}", "dead-letters.ndjson")))];
        Assert.Equal(kept.Length, kept.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("detail").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Dead_letters_that_their_topic_does_not_take_hold_no_partition_up()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("nowhere");
        await broker.CreateTopicAsync(topic);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        using IProducer<string?, string> producer = broker.Producer();
        await KafkaDaemon.SendAsync(producer, topic, "a", 0, 20);
        await KafkaDaemon.SendAsync(producer, topic, "a", 0, 1);
        await producer.ProduceAsync(topic, new Message<string?, string> { Key = "a", Value = "{" }, Cancellation);
        await nodes.StartAsync(1, "sources.kafka.0.dead_letters=not-there");

        await nodes.UntilReadAsync(22);
        await KafkaDaemon.UntilReadySaysAsync(nodes.Running.First(), "sources.kafka.0.dead_letters: ");
        await KafkaDaemon.SendAsync(producer, topic, "a", 20, 20);
        await nodes.UntilReadAsync(42);
        await nodes.StopAsync();
        Assert.Equal(KafkaDaemon.Rows(0, 40), nodes.Read("scores").Select(record => JsonDocument.Parse(record.Message.Value).RootElement.GetProperty("value").GetDouble()));
        Assert.Contains("not valid JSON", string.Concat(File.ReadAllLines(Path.Combine(directory.Path, "many-0", "dead-letters.ndjson"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_of_any_member_has_all_of_the_group()
    {
        await using Shared shared = await ShareAsync("fleet", rows: 1_190, streamsPerPartition: 2);
        (SharedTopic trial, ClusterNodes nodes) = (shared.Trial, shared.Nodes);
        await nodes.StartAsync(Nodes);
        await trial.SendAsync(TimeSpan.FromSeconds(1));
        await nodes.UntilReadAsync(trial.Sent);

        foreach (DaemonProcess node in nodes.Running)
        {
            await node.UntilAsync(async () => Said(await node.GetAsync("/api/v1/fleet")) == (Nodes, Partitions, trial.Observations), "heard of all");
            JsonElement fleet = await node.GetAsync("/api/v1/fleet?limit=1000");
            Assert.Equal(trial.Streams, fleet.GetProperty("streams").GetArrayLength());
            Assert.Equal(trial.Streams, fleet.GetProperty("lifecycles").EnumerateObject().Sum(state => state.Value.GetInt32()));

            // One of each partition's is silent.
            Assert.Equal(Partitions, fleet.GetProperty("incidents").EnumerateArray().Count(open => open.GetProperty("kind").GetString() == "silence"));
            Assert.Equal(Nodes, fleet.GetProperty("incidents").EnumerateArray().Select(open => open.GetProperty("node").GetString()).Distinct().Count());
        }

        DaemonProcess left = nodes.Running.First();
        await nodes.KillAsync(1);
        await left.UntilAsync(
            async () => (await left.GetAsync("/api/v1/fleet")).GetProperty("nodes").EnumerateArray().Count(node => node.GetProperty("is_away").GetBoolean()) == 1, "missed the one that was killed");
        await left.UntilAsync(async () => Said(await left.GetAsync("/api/v1/fleet")) == (Nodes, Partitions, trial.Observations), "its partitions are others'");
        Assert.Empty((await left.GetAsync("/api/v1/fleet")).GetProperty("nodes").EnumerateArray().First(node => node.GetProperty("is_away").GetBoolean()).GetProperty("partitions").EnumerateArray());
        await nodes.StopAsync();

        static (int Nodes, int Partitions, long Scored) Said(JsonElement fleet) => (
            fleet.GetProperty("nodes").GetArrayLength(), fleet.GetProperty("nodes").EnumerateArray().Sum(node => node.GetProperty("partitions").GetArrayLength()),
            fleet.GetProperty("books").GetProperty("scored").GetInt64());
    }

    [Fact]
    public async Task A_member_gives_the_scores_that_a_daemon_by_itself_gives()
    {
        // Nobody falls silent: a daemon by itself has the wall's clock, and a member that of the records.
        await using Shared shared = await ShareAsync("alone", rows: 1_100, fallsSilent: false);
        (SharedTopic trial, ClusterNodes nodes, TemporaryDirectory directory) = (shared.Trial, shared.Nodes, shared.Directory);
        await trial.SendAsync(TimeSpan.FromSeconds(1));
        await nodes.StartAsync(1);
        await nodes.UntilReadAsync(trial.Sent);
        await nodes.StopAsync();
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, shared.Broker.Bootstrap, shared.Topic);
        await KafkaDaemon.UntilTotalAsync(daemon, trial.Observations);
        Assert.Equal(0, await daemon.TerminateAsync());
        Dictionary<string, string[]> byItself = File.ReadLines(Path.Combine(directory.Path, "state", "events.jsonl"))
            .Where(line => line.Contains("\"type\":\"score\"", StringComparison.Ordinal))
            .GroupBy(StreamOf).ToDictionary(stream => stream.Key, stream => stream.ToArray());
        Dictionary<string, string[]> member = nodes.Read("scores")
            .GroupBy(record => record.Message.Key).ToDictionary(stream => stream.Key, stream => stream.Select(record => record.Message.Value).ToArray());
        Assert.Equal(byItself.Keys.Order(), member.Keys.Order());
        Assert.All(byItself, stream => Assert.Equal(stream.Value, member[stream.Key]));
    }

    /// <summary>A topic of its own with what is sent to it, and daemons that are yet to be started.</summary>
    private async Task<Shared> ShareAsync(string name, string protocol = "classic", int rows = 1_500, int streamsPerPartition = 3, bool fallsSilent = true)
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        string topic = KafkaDaemon.NewTopic(name);
        await SharedTopic.CreateAsync(broker, topic, Partitions);
        var directory = new TemporaryDirectory();
        var nodes = new ClusterNodes(broker, topic, directory.Path, "many", protocol);
        await nodes.CreateTopicsAsync();
        return new Shared(broker, topic, directory, nodes, new SharedTopic(broker, topic, Partitions, streamsPerPartition, rows, fallsSilent), protocol);
    }

    /// <summary>Each stream's events in their order, none missing, none twice, none other.</summary>
    /// <returns>How many there are.</returns>
    private static int Same(List<ConsumeResult<string, string>> one, List<ConsumeResult<string, string>> many, string what)
    {
        Dictionary<string, string[]> expected = ById(one), told = ById(many);
        int lost = expected.Keys.Except(told.Keys).Count(), foreign = told.Keys.Except(expected.Keys).Count();
        int twice = told.Values.Count(values => values.Length > 1), other = expected.Count(pair => told.TryGetValue(pair.Key, out string[]? values) && values[0] != pair.Value[0]);
        Report($"{what}: {expected.Count} expected, {told.Count} told, {lost} lost, {foreign} foreign, {twice} more than once, {other} different");
        Assert.Equal((0, 0, 0, 0), (lost, foreign, twice, other));
        Assert.All(
            one.GroupBy(record => record.Message.Key).Join(many.GroupBy(record => record.Message.Key), stream => stream.Key, stream => stream.Key, (a, b) => (a, b)),
            stream => Assert.Equal(stream.a.Select(Id), stream.b.Select(Id)));
        return expected.Count;
    }

    private static Dictionary<string, string[]> ById(List<ConsumeResult<string, string>> records) =>
        records.GroupBy(Id).ToDictionary(same => same.Key, same => same.Select(record => record.Message.Value).ToArray());

    private static string Id(ConsumeResult<string, string> record) => System.Text.Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes("id"));

    private static string StreamOf(string line) => JsonDocument.Parse(line).RootElement.GetProperty("stream").GetString()!;

    private static void Report(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);

        if (Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PROGRESS") is { Length: > 0 } file)
        {
            File.AppendAllText(file, line + "\n");
        }
    }

    private sealed record Shared(KafkaBroker Broker, string Topic, TemporaryDirectory Directory, ClusterNodes Nodes, SharedTopic Trial, string Protocol) : IAsyncDisposable
    {
        /// <summary>One undisturbed daemon of another group, once it has read all and has ended.</summary>
        public async Task<ClusterNodes> AloneAsync()
        {
            var alone = new ClusterNodes(Broker, Topic, Directory.Path, "one", Protocol);
            await alone.CreateTopicsAsync();

            try
            {
                await alone.StartAsync(1);
                await alone.UntilReadAsync(Trial.Sent);
                await alone.StopAsync();
            }
            finally
            {
                await alone.DisposeAsync();
            }

            return alone;
        }

        public async ValueTask DisposeAsync()
        {
            await Nodes.DisposeAsync();
            Directory.Dispose();
        }
    }
}
