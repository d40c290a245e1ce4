using System.Text;
using MQTTnet;
using MQTTnet.Protocol;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>An edge node of Sparkplug B, <c>plant/edge</c>, with one metric in %, declared 0 to 100: <c>Tank/Level</c>.</summary>
internal sealed class SparkplugNode : IAsyncDisposable
{
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private int _sequence;

    /// <summary>The stream that its metric becomes.</summary>
    public const string Stream = "plant/edge/Tank/Level";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Connects and is born with a first value.</summary>
    public static async Task<SparkplugNode> StartAsync(int port, double value, DateTimeOffset time)
    {
        var node = new SparkplugNode();
        await node._client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).Build(), Cancellation);
        await node.PublishAsync("NBIRTH", Metric(1, value, time, "Tank/Level"), time);
        return node;
    }

    public Task SendAsync(double value, DateTimeOffset time) => PublishAsync("NDATA", Metric(1, value, time), time);

    public async ValueTask DisposeAsync()
    {
        await _client.DisconnectAsync(cancellationToken: Cancellation);
        _client.Dispose();
    }

    /// <summary>timestamp (1), metrics (2), seq (3).</summary>
    private Task<MqttClientPublishResult> PublishAsync(string type, byte[] metric, DateTimeOffset time)
    {
        byte[] payload = [0x08, .. Varint((ulong)time.ToUnixTimeMilliseconds()), 0x12, .. Sized(metric), 0x18, .. Varint((ulong)(_sequence++ % 256))];
        return _client.PublishBinaryAsync($"spBv1.0/plant/{type}/edge", payload, MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Cancellation);
    }

    /// <summary>alias (2), timestamp (3), datatype (4) Double, double_value (13), and of a birth name (1) and properties (9).</summary>
    private static byte[] Metric(int alias, double value, DateTimeOffset time, string? name = null)
    {
        // PropertySet: keys (1), values (2) with type (1) and string_value (8) or double_value (6).
        byte[] properties =
        [
            0x0A, .. Sized("engUnit"u8), 0x0A, .. Sized("engLow"u8), 0x0A, .. Sized("engHigh"u8),
            0x12, .. Sized([0x08, 12, 0x42, .. Sized("%"u8)]), 0x12, .. Sized([0x08, 10, 0x31, .. BitConverter.GetBytes(0d)]), 0x12, .. Sized([0x08, 10, 0x31, .. BitConverter.GetBytes(100d)]),
        ];
        byte[] born = name is null ? [] : [0x0A, .. Sized(Encoding.UTF8.GetBytes(name)), 0x4A, .. Sized(properties)];
        return [.. born, 0x10, (byte)alias, 0x18, .. Varint((ulong)time.ToUnixTimeMilliseconds()), 0x20, 10, 0x69, .. BitConverter.GetBytes(value)];
    }

    private static byte[] Sized(ReadOnlySpan<byte> bytes) => [.. Varint((ulong)bytes.Length), .. bytes];

    private static byte[] Varint(ulong number)
    {
        List<byte> bytes = [];

        for (; number > 127; number >>= 7)
        {
            bytes.Add((byte)(number | 128));
        }

        return [.. bytes, (byte)number];
    }
}
