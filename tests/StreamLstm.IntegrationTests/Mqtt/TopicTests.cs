using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>What the levels of topics say; a real mosquitto.</summary>
public sealed class TopicTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-12);
    private static readonly string[] Settings =
    [
        "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false", "sources.mqtt_embedded.enabled=false",
        "sources.mqtt.0.topics.0=plant/#", "sources.mqtt.0.templates.0.topic=plant/{site}/{device}/{field}",
    ];

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
