using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.Mqtt;
using StreamLstm.Detection.Deciding;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Sinks;

/// <summary>Every incident reaches the broker once or more, however often it goes away.</summary>
public sealed class MqttSinkTests : IDisposable
{
    private readonly ScriptedBroker _broker = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_incident_is_an_event_a_retained_state_and_a_sensor_that_is_announced_once()
    {
        await using MqttSink sink = Sink(homeAssistant: true);
        using ScriptedBroker.Session session = await _broker.WelcomeAsync();
        Assert.Equal(("streamlstm/status", "offline", true), (session.Connect.WillTopic, Encoding.UTF8.GetString(session.Connect.WillMessage), session.Connect.WillRetain));
        await sink.WriteAsync(Batch(Incident("plant/a", IncidentState.Opened, 0), Incident("plant/a", IncidentState.Closed, 1)), Cancellation);

        Assert.Equal(("streamlstm/status", "online"), await NextAsync(session));
        (string topic, string payload) = await NextAsync(session);
        Assert.StartsWith("homeassistant/binary_sensor/streamlstm_0badcafe_", topic, StringComparison.Ordinal);
        JsonElement sensor = JsonDocument.Parse(payload).RootElement;
        Assert.Equal(
            ("plant/a", "streamlstm/state/plant/a", "open", "closed", "streamlstm/status"),
            (sensor.GetProperty("name").GetString(), sensor.GetProperty("state_topic").GetString(), sensor.GetProperty("payload_on").GetString(),
                sensor.GetProperty("payload_off").GetString(), sensor.GetProperty("availability_topic").GetString()));
        Assert.Equal(["incidents", "open", "incidents", "closed"], [await KindAsync(session), await KindAsync(session), await KindAsync(session), await KindAsync(session)]);
    }

    [Fact]
    public async Task What_is_not_acknowledged_comes_again_over_the_next_connection_in_order_and_nothing_else_does()
    {
        await using MqttSink sink = Sink();

        using (ScriptedBroker.Session first = await _broker.WelcomeAsync())
        {
            await sink.WriteAsync(Batch(Incident("a", IncidentState.Opened, 0)), Cancellation);
            await sink.WriteAsync(Batch(Incident("b", IncidentState.Opened, 0)), Cancellation);
            Assert.Equal("streamlstm/status", (await NextAsync(first)).Topic);
            Assert.Equal("streamlstm/incidents", (await NextAsync(first)).Topic);
            Assert.Equal("streamlstm/state/a", (await NextAsync(first)).Topic);
            MqttPublishPacket unanswered = await first.ReceiveAsync<MqttPublishPacket>();
            Assert.Equal("streamlstm/incidents", unanswered.Topic);
            first.Reset();
        }

        using ScriptedBroker.Session second = await _broker.WelcomeAsync();
        await sink.WriteAsync(Batch(Incident("c", IncidentState.Opened, 0)), Cancellation);
        List<string> streams = [];

        for (int i = 0; i < 5; i++)
        {
            (string topic, string payload) = await NextAsync(second);
            streams.Add(topic == "streamlstm/incidents" ? JsonDocument.Parse(payload).RootElement.GetProperty("stream").GetString()! : topic);
        }

        Assert.Equal(["streamlstm/status", "b", "streamlstm/state/b", "c", "streamlstm/state/c"], streams);
    }

    [Fact]
    public async Task What_waits_for_a_broker_that_is_away_outlives_the_program()
    {
        // Nobody answers: it waits.
        MqttSink waiting = Sink(url: "mqtt://127.0.0.1:1");
        await waiting.WriteAsync(Batch(Incident("a+b", IncidentState.Opened, 0)), Cancellation);
        await waiting.MarkAsync(Cancellation);
        await waiting.DisposeAsync();

        await using MqttSink next = Sink();
        using ScriptedBroker.Session session = await _broker.WelcomeAsync();
        Assert.Equal("streamlstm/status", (await NextAsync(session)).Topic);
        Assert.Equal("streamlstm/incidents", (await NextAsync(session)).Topic);
        Assert.Equal("streamlstm/state/a_b", (await NextAsync(session)).Topic);
    }

    [Fact]
    public async Task More_than_may_wait_is_not_taken_and_comes_again()
    {
        await using MqttSink sink = Sink(url: "mqtt://127.0.0.1:1", waitingMax: 100);
        IncidentEvent[] many = [.. Enumerable.Range(0, 60).Select(i => Incident($"s{i}", IncidentState.Opened, 0))];
        await sink.WriteAsync(Batch(many), Cancellation);
        await Assert.ThrowsAsync<IOException>(async () => await sink.WriteAsync(Batch(many), Cancellation));
    }

    public void Dispose()
    {
        _broker.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The next publication, which is acknowledged where it asks for it.</summary>
    private static async Task<(string Topic, string Payload)> NextAsync(ScriptedBroker.Session session)
    {
        MqttPublishPacket next = await session.ReceiveAsync<MqttPublishPacket>();

        if (next.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtLeastOnce)
        {
            await session.SendAsync(new MqttPubAckPacket { PacketIdentifier = next.PacketIdentifier });
        }

        return (next.Topic, Encoding.UTF8.GetString(next.Payload));
    }

    private static async Task<string> KindAsync(ScriptedBroker.Session session)
    {
        (string topic, string payload) = await NextAsync(session);
        return topic == "streamlstm/incidents" ? "incidents" : JsonDocument.Parse(payload).RootElement.GetProperty("state").GetString()!;
    }

    private MqttSink Sink(string? url = null, bool homeAssistant = false, int waitingMax = 10_000) => new(
        new MqttSinkOptions { Url = url ?? _broker.Url, HomeAssistant = homeAssistant, WaitingMax = waitingMax },
        0, "0badcafe", Path.Combine(_directory, "waiting.ndjson"), TimeProvider.System, NullLogger.Instance);

    private static ScoredBatch Batch(params IncidentEvent[] incidents) => new([], incidents, [], DateTimeOffset.UnixEpoch);

    private static IncidentEvent Incident(string stream, IncidentState state, int revision) => new()
    {
        Id = $"{stream}-{revision}",
        IncidentId = $"{stream}-0",
        Revision = revision,
        Stream = stream,
        State = state,
        Kind = IncidentKind.Point,
        Severity = IncidentSeverity.Warning,
        Onset = DateTimeOffset.UnixEpoch,
        Time = DateTimeOffset.UnixEpoch,
        Score = 60,
        MaxScore = 60,
        Attribution = new Dictionary<string, double> { ["point"] = 1 },
        Explanation = "odd",
        ModelVersion = 0,
    };
}
