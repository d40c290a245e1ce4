using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using StreamLstm.IntegrationTests.Kill;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>What a real Kafka is told of incidents: each event, with its id; in transactions each once, whoever is killed.</summary>
/// <remarks>STREAMLSTM_TEST_KILLS sets how often the daemon is killed, STREAMLSTM_TEST_FAULTS how often the broker.</remarks>
[Collection(KafkaTests.Name)]
public sealed class KafkaSinkTests(KafkaTests kafka)
{
    private const int StreamCount = 8;
    private const int RowsMax = 20_000;

    private static readonly double[][] AllValues = [.. Enumerable.Range(0, StreamCount).Select(Values)];
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-12);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Incidents_come_with_their_stream_as_key_and_their_id_as_header_and_scores_where_asked_for()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("anomalies");
        await broker.CreateTopicAsync(topic, partitions: 2);
        await broker.CreateTopicAsync(topic + ".scores");
        await using DaemonProcess daemon = await StartAsync(directory, broker, topic, $"sinks.kafka.0.scores_topic={topic}.scores");
        await PostAsync(daemon, 0, 900);
        await daemon.UntilSettledAsync("kafka");
        Assert.Equal(0, await daemon.TerminateAsync());
        List<ConsumeResult<string, string>> told = broker.Read(topic, partitions: 2);
        string[] expected = Expected(directory);
        Assert.InRange(expected.Length, StreamCount / 2, int.MaxValue);
        Assert.Equal(expected.Order(), told.Select(record => record.Message.Value).Order());

        // In a partition in the order in which they were told.
        Assert.All(told.GroupBy(record => record.Partition.Value), partition => Assert.Equal(
            expected.Intersect(partition.Select(record => record.Message.Value)), partition.Select(record => record.Message.Value)));
        Assert.All(told, record =>
        {
            JsonElement incident = JsonDocument.Parse(record.Message.Value).RootElement;
            Assert.Equal(incident.GetProperty("stream").GetString(), record.Message.Key);
            Assert.Equal(incident.GetProperty("id").GetString(), Header(record, "id"));
            Assert.Equal(("incident", "1"), (Header(record, "type"), Header(record, "schema_version")));
        });
        Assert.Equal(900 * StreamCount, broker.Read(topic + ".scores").Count);
    }

    [Fact]
    public async Task Who_reads_what_is_committed_sees_each_event_once_however_often_daemon_and_broker_are_killed()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("exactly");
        await broker.CreateTopicAsync(topic);
        await broker.CreateTopicAsync(topic + ".scores");

        // Scores too: so each batch is a transaction, and a kill falls into one.
        string[] settings = ["sinks.kafka.0.exactly_once=true", $"sinks.kafka.0.scores_topic={topic}.scores", "sinks.jsonl.scores=true"];
        int kills = Killing.Number("STREAMLSTM_TEST_KILLS", 6), faults = Killing.Number("STREAMLSTM_TEST_FAULTS", 2), sent = 0;
        int rows = 900 + (40 * (kills + faults));
        var random = new Random(Killing.Number("STREAMLSTM_TEST_SEED", 1));
        DaemonProcess daemon = await StartAsync(directory, broker, topic, settings);

        try
        {
            await SendAsync(640);

            for (int round = 0; round < kills + faults; round++)
            {
                Task sending = SendAsync(40);
                await Task.Delay(random.Next(150), Cancellation);

                if (round % ((kills + faults) / Math.Max(1, faults)) == 1)
                {
                    await broker.StopAsync(kill: true);
                    await sending;
                    await broker.StartAsync();
                }
                else
                {
                    // What was not answered was not taken, or was: sent again it counts once by its time.
                    int before = sent;
                    await daemon.KillAsync();
                    await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                    sent = sending.IsCompletedSuccessfully ? sent : before;
                    await daemon.DisposeAsync();
                    daemon = await StartAsync(directory, broker, topic, settings);
                }
            }

            await SendAsync(rows - sent);
            await daemon.UntilSettledAsync("kafka");
            Assert.Equal(0, await daemon.TerminateAsync());
        }
        finally
        {
            await daemon.DisposeAsync();
        }

        string[] incidents = Expected(directory), scores = Expected(directory, "score");
        string[] told = [.. broker.Read(topic).Select(record => record.Message.Value)], toldScores = [.. broker.Read(topic + ".scores").Select(record => record.Message.Value)];
        TestContext.Current.SendDiagnosticMessage(
            "kafka exactly once: {0} kills of the daemon, {1} of the broker; {2} incidents and {3} scores, {4} and {5} told", kills, faults, incidents.Length, scores.Length, told.Length, toldScores.Length);
        Assert.NotEmpty(incidents);
        Assert.Equal(rows * StreamCount, scores.Length);
        Assert.Equal(incidents, told);
        Assert.Equal(scores, toldScores);

        async Task SendAsync(int count)
        {
            await PostAsync(daemon, sent, count);
            sent += count;
        }
    }

    [Fact]
    public async Task A_commit_whose_answer_is_lost_tells_each_event_once_whether_the_daemon_goes_on_or_is_killed()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        using var proxy = new KafkaProxy(broker.ProxyPort, broker.BehindProxyPort);
        string topic = KafkaDaemon.NewTopic("ambiguous");
        await broker.CreateTopicAsync(topic);
        await broker.CreateTopicAsync(topic + ".scores");
        string[] settings =
        [
            "sinks.kafka.0.exactly_once=true", $"sinks.kafka.0.scores_topic={topic}.scores", "sinks.jsonl.scores=true", $"sinks.kafka.0.brokers=127.0.0.1:{proxy.Port}",
        ];
        int faults = Killing.Number("STREAMLSTM_TEST_FAULTS", 6), kills = 0, rows = 640;
        DaemonProcess daemon = await StartAsync(directory, broker, topic, settings);

        try
        {
            await PostAsync(daemon, 0, rows);
            await daemon.UntilSettledAsync("kafka");

            for (int fault = 0; fault < faults; fault++, rows += 40)
            {
                Task lost = proxy.LoseNextAnswer();
                await PostAsync(daemon, rows, 40);
                await lost.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);

                if (fault % 2 == 1)
                {
                    kills++;
                    await daemon.KillAsync();
                    await daemon.DisposeAsync();
                    daemon = await StartAsync(directory, broker, topic, settings);
                }

                await daemon.UntilSettledAsync("kafka");
            }

            Assert.Equal(0, await daemon.TerminateAsync());
        }
        finally
        {
            await daemon.DisposeAsync();
        }

        string[] incidents = Expected(directory), scores = Expected(directory, "score");
        string[] told = [.. broker.Read(topic).Select(record => record.Message.Value)], toldScores = [.. broker.Read(topic + ".scores").Select(record => record.Message.Value)];
        TestContext.Current.SendDiagnosticMessage(
            "kafka ambiguous commits: {0} answers lost, {1} kills; {2} incidents and {3} scores, {4} and {5} told", proxy.AnswersLost, kills, incidents.Length, scores.Length, told.Length, toldScores.Length);
        Assert.Equal(faults, proxy.AnswersLost);
        Assert.NotEmpty(incidents);
        Assert.Equal(rows * StreamCount, scores.Length);
        Assert.Equal(incidents, told);
        Assert.Equal(scores, toldScores);
    }

    /// <summary>The cluster's cursor is of entries that the directory does not hold: what takes their numbers is news.</summary>
    [Fact]
    public async Task After_a_backup_was_put_back_nothing_is_taken_for_what_the_topic_was_told_before()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("backup"), state = Path.Combine(directory.Path, "state"), backup = Path.Combine(directory.Path, "backup");
        await broker.CreateTopicAsync(topic);
        await LiveAsync(0, 700);
        CopyFolder(state, backup);
        await LiveAsync(700, 300);
        Directory.Delete(state, recursive: true);
        CopyFolder(backup, state);
        int before = broker.Read(topic).Count, known = Expected(directory).Length;
        string said = await LiveAsync(700, 300);
        Assert.Contains("kafka", said.Split('\n').First(line => line.Contains("\"EventId\":218", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.NotEmpty(Expected(directory)[known..]);
        Assert.Equal(Expected(directory)[known..], broker.Read(topic)[before..].Select(record => record.Message.Value));

        async Task<string> LiveAsync(int from, int count)
        {
            await using DaemonProcess daemon = await StartAsync(directory, broker, topic, "sinks.kafka.0.exactly_once=true");
            await PostAsync(daemon, from, count);
            await daemon.UntilSettledAsync("kafka");
            Assert.Equal(0, await daemon.TerminateAsync());
            return daemon.Output;
        }

        static void CopyFolder(string from, string to)
        {
            foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            {
                string copy = Path.Combine(to, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }
    }

    [Fact]
    public async Task Without_transactions_a_killed_daemon_loses_no_event_and_repeats_one_only_with_its_id()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("least");
        await broker.CreateTopicAsync(topic);
        await using (DaemonProcess daemon = await StartAsync(directory, broker, topic))
        {
            await PostAsync(daemon, 0, 900);
            await daemon.KillAsync();
        }

        await using (DaemonProcess daemon = await StartAsync(directory, broker, topic))
        {
            await PostAsync(daemon, 900, 100);
            await daemon.UntilSettledAsync("kafka");
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        List<ConsumeResult<string, string>> told = broker.Read(topic);
        Assert.Equal(Expected(directory), told.DistinctBy(record => Header(record, "id")).Select(record => record.Message.Value));
        Assert.All(told.GroupBy(record => Header(record, "id")), same => Assert.Single(same.Select(record => record.Message.Value).Distinct()));
    }

    [Fact]
    public async Task A_topic_that_is_not_there_is_told_by_its_setting_and_what_waits_is_written_once_it_is()
    {
        KafkaBroker broker = await kafka.BrokerAsync();

        // Others may make a topic that is asked for.
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("absent");
        await using DaemonProcess daemon = await StartAsync(directory, broker, topic);
        await PostAsync(daemon, 0, 900);
        await KafkaDaemon.UntilReadySaysAsync(daemon, $"sinks.kafka.0.topic: '{topic}': it is not there");
        await broker.CreateTopicAsync(topic);
        await daemon.UntilSettledAsync("kafka");
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Equal(Expected(directory), broker.Read(topic).Select(record => record.Message.Value));
    }

    private static Task<DaemonProcess> StartAsync(TemporaryDirectory directory, KafkaBroker broker, string topic, params string[] settings) => DaemonProcess.StartAsync(
        Path.Combine(directory.Path, "state"),
        [
            "sinks.jsonl.enabled=true", "retrain.enabled=false", "sources.mqtt_embedded.enabled=false",
            $"sinks.kafka.0.brokers={broker.Bootstrap}", $"sinks.kafka.0.topic={topic}", .. settings,
        ]);

    /// <summary>A noisy day of 144 rows, with faults at odd times once the stream may alert.</summary>
    private static double[] Values(int stream)
    {
        double[] values = Series.Daily(stream, RowsMax);
        var random = new Random(stream);

        for (int row = 640 + random.Next(20); row < RowsMax; row += 53 + random.Next(90))
        {
            values[row] += 60;
        }

        return values;
    }

    /// <summary>Rows of all streams.</summary>
    private static async Task PostAsync(DaemonProcess daemon, int from, int count)
    {
        string body = string.Concat(Enumerable.Range(from, count).SelectMany(row => AllValues.Select((values, stream) => string.Create(
            CultureInfo.InvariantCulture, $"{{\"stream\":\"boiler/{stream}\",\"timestamp\":\"{Start.AddSeconds(row):O}\",\"value\":{values[row]}}}\n"))));
        using var content = new StringContent(body, null, "application/x-ndjson");
        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations", content, Cancellation);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The events that the file has, each once, as this daemon and its former lives told them.</summary>
    private static string[] Expected(TemporaryDirectory directory, string type = "incident") =>
        [.. File.ReadLines(Path.Combine(directory.Path, "state", "events.jsonl")).Where(line => line.StartsWith($"{{\"type\":\"{type}\"", StringComparison.Ordinal))];

    private static string Header(ConsumeResult<string, string> record, string name) =>
        record.Message.Headers.TryGetLastBytes(name, out byte[] value) ? Encoding.UTF8.GetString(value) : "";
}
