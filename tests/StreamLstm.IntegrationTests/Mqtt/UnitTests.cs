using System.Text;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>What a node of Sparkplug B declares of its metrics in a birth, once: unit and range, in all that is told, also after a kill.</summary>
public sealed class UnitTests
{
    private const int Rows = 1_000;

    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-12);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Unit_and_range_of_a_birth_stand_at_the_stream_and_in_the_incident_also_after_a_kill()
    {
        using var directory = new TemporaryDirectory();
        DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "retrain.enabled=false");

        try
        {
            using IMqttClient node = new MqttClientFactory().CreateMqttClient();
            await node.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", daemon.MqttPort).Build(), Cancellation);
            await PublishAsync(node, "NBIRTH", Payload(0, 0, Metric(1, Series.Daily(2, 1)[0], Start, "Tank/Level")));
            double[] values = Series.Daily(2, Rows);
            values[^10] = 140;

            for (int row = 1; row < Rows; row++)
            {
                await PublishAsync(node, "NDATA", Payload(row % 256, row, Metric(1, values[row], Start.AddSeconds(row))));
            }

            await daemon.UntilScoredAsync(Rows);
            await daemon.UntilSettledAsync("history");
            await LookAsync();
            await daemon.KillAsync();
            await daemon.DisposeAsync();
            daemon = await DaemonProcess.StartAsync(directory.Path, "retrain.enabled=false");
            await daemon.UntilSettledAsync("live");
            await LookAsync();
        }
        finally
        {
            await daemon.DisposeAsync();
        }

        async Task LookAsync()
        {
            JsonElement state = (await daemon.GetAsync("/api/v1/streams/plant/edge/Tank/Level")).GetProperty("state");
            Assert.Equal(("%", 0d, 100d), (state.GetProperty("unit").GetString(), state.GetProperty("declared_low").GetDouble(), state.GetProperty("declared_high").GetDouble()));
            JsonElement incident = Assert.Single(
                (await daemon.GetAsync("/api/v1/incidents?stream=plant/edge/Tank/Level")).GetProperty("incidents").EnumerateArray(),
                incident => incident.GetProperty("kind").GetString() != "silence");
            Assert.StartsWith("140%, out of the declared 0 to 100%: ", incident.GetProperty("explanation").GetString(), StringComparison.Ordinal);
            Assert.Equal("%", incident.GetProperty("unit").GetString());
        }
    }

    private static Task<MqttClientPublishResult> PublishAsync(IMqttClient node, string type, byte[] payload) =>
        node.PublishBinaryAsync($"spBv1.0/plant/{type}/edge", payload, MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Cancellation);

    /// <summary>timestamp (1), metrics (2), seq (3).</summary>
    private static byte[] Payload(int sequence, int row, byte[] metric) =>
        [0x08, .. Varint((ulong)Start.AddSeconds(row).ToUnixTimeMilliseconds()), 0x12, .. Sized(metric), 0x18, .. Varint((ulong)sequence)];

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
