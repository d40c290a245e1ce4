using System.Net;
using System.Net.Sockets;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Sources;

public sealed class MqttEmbeddedSourceTests : IDisposable
{
    private readonly CaughtIntake _caught = new();
    private readonly DaemonMetrics _metrics;

    public MqttEmbeddedSourceTests() => _metrics = new DaemonMetrics(_caught.Ledger);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task A_node_of_sparkplug_whose_birth_is_not_known_is_asked_for_it_once()
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var source = new MqttEmbeddedSource(new MqttEmbeddedOptions { Port = 0 }, RecordRules.None, _metrics, TimeProvider.System, NullLogger<MqttEmbeddedSource>.Instance);
        Task running = source.RunAsync(_caught.Intake, stopping.Token);
        using IMqttClient node = new MqttClientFactory().CreateMqttClient();
        var asked = System.Threading.Channels.Channel.CreateBounded<string>(16);
        node.ApplicationMessageReceivedAsync += message => asked.Writer.WriteAsync(message.ApplicationMessage.Topic, stopping.Token).AsTask();
        await node.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", await source.BoundPort).Build(), stopping.Token);
        await node.SubscribeAsync("spBv1.0/plant/NCMD/edge", cancellationToken: stopping.Token);
        await node.SubscribeAsync("end", cancellationToken: stopping.Token);

        // Data under aliases 1 and 2, twice.
        for (int i = 0; i < 2; i++)
        {
            await node.PublishBinaryAsync(
                "spBv1.0/plant/NDATA/edge", Convert.FromHexString("08b887fbdcac331210100118d486fbdcac332009650000b44112061002200350081802"), MqttQualityOfServiceLevel.AtLeastOnce,
                cancellationToken: stopping.Token);
        }

        Assert.Equal("spBv1.0/plant/NCMD/edge", await asked.Reader.ReadAsync(stopping.Token));
        await node.PublishStringAsync("end", "1", MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: stopping.Token);
        Assert.Equal("end", await asked.Reader.ReadAsync(stopping.Token));
        Assert.Equal(["end"], _caught.TakeAll().Select(observation => observation.Stream));
        Assert.Equal((LeftOutReason.UnknownAlias, 4L), _caught.Ledger.LeftOut().Select(left => (left.Reason, left.Count)).Single());
        await stopping.CancelAsync();
        await running;
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task A_topic_is_a_stream_and_what_is_acknowledged_was_taken_in(MqttProtocolVersion version)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var source = new MqttEmbeddedSource(new MqttEmbeddedOptions { Port = 0 }, RecordRules.None, _metrics, TimeProvider.System, NullLogger<MqttEmbeddedSource>.Instance);
        Task running = source.RunAsync(_caught.Intake, stopping.Token);
        int port = await source.BoundPort;
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(
            new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithProtocolVersion(version).WithClientId("").Build(), stopping.Token);

        await Publish("plant/boiler", "71.5");
        await Publish("plant/pump", """{"pressure":2,"flow":3,"name":"p1"}""");
        await Publish("plant/bad", "warm");

        Assert.Equal(
            [("plant/boiler", 71.5), ("plant/pump/pressure", 2), ("plant/pump/flow", 3)],
            _caught.TakeAll().Select(o => (o.Stream, o.Value)));
        (string letterSource, RejectionReason reason, string detail) = Assert.Single(_caught.Letters.Letters);
        Assert.Equal(("mqtt_embedded", RejectionReason.Malformed), (letterSource, reason));
        Assert.StartsWith("topic plant/bad: not valid JSON", detail, StringComparison.Ordinal);

        await client.DisconnectAsync(cancellationToken: stopping.Token);
        await stopping.CancelAsync();
        await running;

        async Task Publish(string topic, string payload) => await client.PublishStringAsync(
            topic, payload, MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: stopping.Token);
    }

    [Fact]
    public async Task A_payload_beyond_the_limit_is_rejected_and_the_next_one_taken()
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var source = new MqttEmbeddedSource(
            new MqttEmbeddedOptions { Port = 0, PayloadMaxBytes = 10 }, RecordRules.None, _metrics, TimeProvider.System, NullLogger<MqttEmbeddedSource>.Instance);
        Task running = source.RunAsync(_caught.Intake, stopping.Token);
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(
            new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", await source.BoundPort).Build(), stopping.Token);

        await client.PublishStringAsync("a", new string('1', 11), MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: stopping.Token);
        await client.PublishStringAsync("a", "2", MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: stopping.Token);

        Assert.Equal([2], _caught.TakeAll().Select(o => o.Value));
        Assert.Equal(RejectionReason.Oversize, Assert.Single(_caught.Letters.Letters).Reason);
        await stopping.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Where_the_port_is_taken_the_next_one_is_used()
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        int port = ((IPEndPoint)holder.LocalEndpoint).Port;
        var source = new MqttEmbeddedSource(new MqttEmbeddedOptions { Port = port }, RecordRules.None, _metrics, TimeProvider.System, NullLogger<MqttEmbeddedSource>.Instance);

        Task running = source.RunAsync(_caught.Intake, stopping.Token);

        Assert.InRange(await source.BoundPort, port + 1, port + 9);
        await stopping.CancelAsync();
        await running;
    }

    [Fact]
    public async Task An_address_that_is_not_this_computers_is_told_with_its_key_and_the_way_out()
    {
        var source = new MqttEmbeddedSource(
            new MqttEmbeddedOptions { Address = "192.0.2.1", Port = 1883 }, RecordRules.None, _metrics, TimeProvider.System, NullLogger<MqttEmbeddedSource>.Instance);

        var refused = await Assert.ThrowsAsync<SourceException>(
            () => source.RunAsync(_caught.Intake, TestContext.Current.CancellationToken));

        Assert.StartsWith("sources.mqtt_embedded.port: 1883 cannot be opened on 192.0.2.1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("0 for any free one", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_announces_256_megabytes_is_disconnected_and_counted_and_the_others_go_on()
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var source = new MqttEmbeddedSource(new MqttEmbeddedOptions { Port = 0 }, RecordRules.None, _metrics, TimeProvider.System, NullLogger<MqttEmbeddedSource>.Instance);
        Task running = source.RunAsync(_caught.Intake, stopping.Token);
        int port = await source.BoundPort;
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).Build(), stopping.Token);
        long before = GC.GetTotalAllocatedBytes(precise: true);

        for (int i = 0; i < 10; i++)
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, port, stopping.Token);
            await socket.GetStream().WriteAsync(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0x7F }, stopping.Token);
            Assert.Equal(0, await socket.GetStream().ReadAsync(new byte[1], stopping.Token));
        }

        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 64L << 20);
        await client.PublishStringAsync("a", "2", MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: stopping.Token);
        Assert.Equal([2], _caught.TakeAll().Select(o => o.Value));
        Assert.Equal(10, _caught.Letters.Letters.Count(letter => letter.Reason == RejectionReason.Oversize));
        await stopping.CancelAsync();
        await running;
    }
}
