using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet.Packets;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Sources.Mqtt;

/// <summary>A node's messages that come out of turn, at the source.</summary>
public sealed class MqttSparkplugTests : IDisposable
{
    private readonly ScriptedBroker _broker = new();
    private readonly CaughtIntake _caught = new();
    private readonly DaemonMetrics _metrics;
    private readonly CancellationTokenSource _stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    public MqttSparkplugTests() => _metrics = new DaemonMetrics(_caught.Ledger);

    [Fact]
    public async Task A_message_ahead_of_its_turn_waits_and_where_nothing_else_comes_it_is_taken_and_a_birth_asked_for()
    {
        Task running = Source(TimeSpan.FromMilliseconds(100)).RunAsync(_caught.Intake, _stopping.Token);
        using ScriptedBroker.Session session = await _broker.WelcomeAsync();
        await PublishAsync(session, "NBIRTH", [0x18, 0]);
        await PublishAsync(session, "NDATA", Data(1));

        await PublishAsync(session, "NDATA", Data(3));

        Assert.Equal(["online 1", "x 1", "x 3"], await TakeAsync(3));
        Assert.Equal("spBv1.0/plant/NCMD/edge", (await session.ReceiveAsync<MqttPublishPacket>()).Topic);
        await StopAsync(running);
    }

    [Fact]
    public async Task What_waits_over_a_lost_connection_has_its_turn_on_the_next_one()
    {
        Task running = Source(TimeSpan.FromMinutes(5)).RunAsync(_caught.Intake, _stopping.Token);

        using (ScriptedBroker.Session first = await _broker.WelcomeAsync())
        {
            await first.ReceiveAsync<MqttSubscribePacket>();
            await PublishAsync(first, "NBIRTH", [0x18, 0]);
            await PublishAsync(first, "NDATA", Data(2));
            Assert.Equal(["online 1"], await TakeAsync(1));
        }

        using ScriptedBroker.Session second = await _broker.WelcomeAsync(isSessionPresent: true);
        await PublishAsync(second, "NDATA", Data(1));

        Assert.Equal(["x 1", "x 2"], await TakeAsync(2));
        await StopAsync(running);
    }

    [Fact]
    public async Task Metrics_are_named_by_a_template_and_joined()
    {
        var template = new TopicTemplateOptions
        {
            Topic = "{group}/{node}/{field}", Stream = "{node}/{group}", Join = new JoinOptions { Fields = ["x", "y"], Window = TimeSpan.FromHours(1) },
        };
        Task running = Source(TimeSpan.Zero, template).RunAsync(_caught.Intake, _stopping.Token);
        using ScriptedBroker.Session session = await _broker.WelcomeAsync();
        await PublishAsync(session, "NBIRTH", [0x18, 0]);
        await PublishAsync(session, "NDATA", Data(1));
        await PublishAsync(session, "NDATA", Data(2, "y"));

        Observation[] observations = await _caught.TakeAsync(2);

        Assert.Equal(["edge/plant/online", "edge/plant"], observations.Select(observation => observation.Stream));
        Assert.Equal([1d, 2d], observations[1].Record!.Values.ToArray());
        await StopAsync(running);
    }

    public void Dispose()
    {
        _broker.Dispose();
        _metrics.Dispose();
        _stopping.Dispose();
    }

    private MqttSource Source(TimeSpan reorderTimeout, params TopicTemplateOptions[] templates) => new(
        new MqttSourceOptions { Url = _broker.Url, Topics = ["spBv1.0/#"], ReorderTimeout = reorderTimeout, Templates = templates },
        0, "0badcafe", RecordRules.None, batchMax: 64, _metrics, TimeProvider.System, NullLogger<MqttSource>.Instance);

    private static Task PublishAsync(ScriptedBroker.Session session, string type, byte[] payload) =>
        session.SendAsync(new MqttPublishPacket { Topic = $"spBv1.0/plant/{type}/edge", PayloadSegment = payload });

    /// <summary>metrics (2): name (1), datatype (4) Double, double_value (13), which is its number; seq (3).</summary>
    private static byte[] Data(int number, string name = "x")
    {
        byte[] metric = [0x0A, 1, (byte)name[0], 0x20, 10, 0x69, .. BitConverter.GetBytes((double)number)];
        return [0x12, (byte)metric.Length, .. metric, 0x18, (byte)number];
    }

    private async Task<string[]> TakeAsync(int count) =>
        [.. (await _caught.TakeAsync(count)).Select(observation => FormattableString.Invariant($"{observation.Stream[(observation.Stream.LastIndexOf('/') + 1)..]} {observation.Value}"))];

    private async Task StopAsync(Task running)
    {
        await _stopping.CancelAsync();
        await running;
    }
}
