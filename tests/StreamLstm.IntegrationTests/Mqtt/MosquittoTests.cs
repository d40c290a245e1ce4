using System.Diagnostics;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

public sealed class MosquittoTests
{
    [Theory]
    [InlineData("mqttv311", 0)]
    [InlineData("mqttv311", 1)]
    [InlineData("mqttv5", 1)]
    public async Task What_mosquitto_pub_publishes_is_scored_as_the_topics_stream(string version, int qos)
    {
        string publisher = Parts.Require("mosquitto_pub", "mosquitto-clients");
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);
        double[] values = Series.Daily(1, 600);

        await PublishAsync(publisher, daemon.MqttPort, version, qos, "plant/boiler/temperature", values);
        await daemon.UntilScoredAsync(600);
        await daemon.UntilSettledAsync("live");

        JsonElement stream = await daemon.GetAsync("/api/v1/streams/plant/boiler/temperature");
        Assert.Equal(600, stream.GetProperty("points").GetArrayLength());
        Assert.Equal("active", stream.GetProperty("state").GetProperty("lifecycle").GetString());
        Assert.Equal(values[^1], stream.GetProperty("state").GetProperty("value").GetDouble(), 1e-9);
    }

    [Fact]
    public async Task A_spike_published_by_mosquitto_pub_opens_an_incident_and_silence_opens_another()
    {
        string publisher = Parts.Require("mosquitto_pub", "mosquitto-clients");
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);
        double[] values = Series.Daily(2, 1500);
        values[1450] += 30;

        await PublishAsync(publisher, daemon.MqttPort, "mqttv311", 1, "plant/pump", values);
        await daemon.UntilScoredAsync(1500);
        await daemon.UntilAsync(async () => await KindsAsync(daemon) is ["silence", ..], "silent");
        await daemon.UntilSettledAsync("live");

        string[] kinds = await KindsAsync(daemon);
        Assert.Equal(2, kinds.Length);
        JsonElement status = await daemon.GetAsync("/api/v1/status");
        Assert.True(status.GetProperty("books").GetProperty("balances").GetBoolean());
        Assert.Equal(1, status.GetProperty("streams").GetProperty("silent").GetInt32());
    }

    private static async Task<string[]> KindsAsync(DaemonProcess daemon) =>
    [
        .. (await daemon.GetAsync("/api/v1/incidents")).GetProperty("incidents").EnumerateArray()
            .Select(incident => incident.GetProperty("kind").GetString()!),
    ];

    private static async Task PublishAsync(string publisher, int port, string version, int qos, string topic, double[] values)
    {
        var start = new ProcessStartInfo(publisher, ["-h", "127.0.0.1", "-p", $"{port}", "-V", version, "-q", $"{qos}", "-t", topic, "-l"])
        {
            RedirectStandardInput = true,
        };
        using Process process = Process.Start(start)!;

        foreach (double value in values)
        {
            await process.StandardInput.WriteLineAsync(FormattableString.Invariant($"{value}"));
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }
}
