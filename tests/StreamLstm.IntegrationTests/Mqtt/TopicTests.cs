using System.Globalization;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>What the levels of topics say, and fields of one device that come in messages of their own; a real mosquitto.</summary>
public sealed class TopicTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-12);
    private static readonly string[] Settings =
    [
        "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false", "sources.mqtt_embedded.enabled=false",
        "sources.mqtt.0.topics.0=plant/#", "sources.mqtt.0.templates.0.topic=plant/{site}/{device}/{field}",
    ];

    private readonly Random _random = new(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Labels_stand_at_the_stream_and_in_its_incidents_also_after_a_restart()
    {
        using var directory = new TemporaryDirectory();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"));
        DaemonProcess daemon = await StartAsync(directory, broker);

        try
        {
            using IMqttClient client = await ConnectAsync(broker);
            double[] values = Series.Daily(2, 1500);
            values[1450] += 30;

            foreach ((int row, double value) in values.Index())
            {
                await PublishAsync(client, "plant/hamburg/pump3/flow", row, value);
            }

            await daemon.UntilScoredAsync(1500);
            await daemon.UntilSettledAsync("history");
            await LookAsync();
            await daemon.KillAsync();
            await daemon.DisposeAsync();
            daemon = await StartAsync(directory, broker);
            await daemon.UntilSettledAsync("live");
            await LookAsync();
        }
        finally
        {
            await daemon.DisposeAsync();
        }

        async Task LookAsync()
        {
            JsonElement stream = (await daemon.GetAsync("/api/v1/streams?filter=pump3")).GetProperty("streams")[0];
            JsonElement incident = (await daemon.GetAsync("/api/v1/incidents")).GetProperty("incidents")[0];
            Assert.Equal("""{"site":"hamburg","device":"pump3","field":"flow"}""", stream.GetProperty("labels").GetRawText());
            Assert.Equal("""{"site":"hamburg","device":"pump3","field":"flow"}""", incident.GetProperty("labels").GetRawText());
        }
    }

    /// <summary>STREAMLSTM_TEST_FAULTS sets how many kills there are.</summary>
    [Fact]
    public async Task Fields_in_messages_of_their_own_are_one_record_each_also_when_the_daemon_is_killed_between_them()
    {
        string[] join = ["sources.mqtt.0.templates.0.join.fields.0=flow", "sources.mqtt.0.templates.0.join.fields.1=pressure", "sources.mqtt.0.templates.0.join.window=1h"];
        int kills = int.TryParse(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_FAULTS"), CultureInfo.InvariantCulture, out int wanted) ? wanted : 4;
        using var directory = new TemporaryDirectory();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"));
        DaemonProcess daemon = await StartAsync(directory, broker, join);

        try
        {
            using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            Task<int> publishing = PublishPairsAsync(broker, done.Token);

            for (int i = 0; i < kills; i++)
            {
                await Task.Delay(_random.Next(100, 500), Cancellation);
                await daemon.KillAsync();
                await daemon.DisposeAsync();
                daemon = await StartAsync(directory, broker, join);
            }

            await done.CancelAsync();
            int rows = await publishing;
            await daemon.UntilAsync(
                async () => (await daemon.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64() >= rows, $"scored {rows} records");
            Assert.Equal(0, await daemon.TerminateAsync());
            string[] scored =
            [
                .. File.ReadLines(Path.Combine(directory.Path, "state", "events.jsonl"))
                    .Select(line => JsonDocument.Parse(line).RootElement)
                    .Where(line => line.GetProperty("type").GetString() == "score")
                    .Select(line => $"{line.GetProperty("stream").GetString()} {string.Join(' ', line.GetProperty("columns").EnumerateArray().Select(column => column.GetProperty("actual").GetRawText()))}"),
            ];
            TestContext.Current.TestOutputHelper?.WriteLine($"{kills} kills, {rows} records published as {2 * rows} messages, {scored.Length} scored");
            Assert.Equal(Enumerable.Range(0, rows).Select(row => $"plant/hamburg/pump3 {row} {10_000 + row}"), scored);
        }
        finally
        {
            await daemon.DisposeAsync();
        }
    }

    private static async Task<int> PublishPairsAsync(Mosquitto broker, CancellationToken done)
    {
        using IMqttClient client = await ConnectAsync(broker);
        int row = 0;

        for (; !done.IsCancellationRequested; row++)
        {
            // Now the one first, now the other.
            foreach (string field in row % 2 == 0 ? new[] { "flow", "pressure" } : ["pressure", "flow"])
            {
                await PublishAsync(client, $"plant/hamburg/pump3/{field}", row, field == "flow" ? row : 10_000 + row);
            }
        }

        return row;
    }

    private static Task<MqttClientPublishResult> PublishAsync(IMqttClient client, string topic, int row, double value) => client.PublishStringAsync(
        topic, FormattableString.Invariant($"{{\"timestamp\":\"{Start.AddSeconds(row):O}\",\"value\":{value}}}"), MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Cancellation);

    private static async Task<IMqttClient> ConnectAsync(Mosquitto broker)
    {
        IMqttClient client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(
            new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port).WithClientId("publisher").WithCleanSession(false).Build(), Cancellation);
        return client;
    }

    private static Task<DaemonProcess> StartAsync(TemporaryDirectory directory, Mosquitto broker, params string[] settings) =>
        DaemonProcess.StartAsync(Path.Combine(directory.Path, "state"), [.. Settings, $"sources.mqtt.0.url={broker.Url}", .. settings]);
}
