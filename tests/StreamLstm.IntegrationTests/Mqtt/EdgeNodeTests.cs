using System.Diagnostics;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>An edge node of Sparkplug B that is not ours: npm's sparkplug-client, with a real mosquitto between and with the broker inside.</summary>
public sealed class EdgeNodeTests : IDisposable
{
    private const int Rows = 100;

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_whose_births_nobody_heard_is_asked_for_them_and_its_data_is_named()
    {
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(_directory.Path, "broker"));
        using Process node = await NodeAsync(broker.Url);
        await SaysAsync(node, "born");

        // Only now is there somebody who listens.
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            Path.Combine(_directory.Path, "state"), "sources.mqtt_embedded.enabled=false", $"sources.mqtt.0.url={broker.Url}", "sources.mqtt.0.topics.0=spBv1.0/#", "retrain.enabled=false");
        await node.StandardInput.WriteLineAsync("go");
        await SaysAsync(node, "reborn");
        await SaysAsync(node, "done");
        await DataIsNamedAsync(daemon, atLeast: Rows / 4);
        await DiesAsync(node, daemon);
    }

    [Fact]
    public async Task A_node_at_the_broker_inside_is_read_to_its_last_value_and_its_death()
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(Path.Combine(_directory.Path, "state"), "retrain.enabled=false");
        using Process node = await NodeAsync($"mqtt://127.0.0.1:{daemon.MqttPort}");
        await SaysAsync(node, "born");
        await node.StandardInput.WriteLineAsync("go");
        await SaysAsync(node, "done");
        await DataIsNamedAsync(daemon, atLeast: Rows + 1);
        await DiesAsync(node, daemon);
    }

    public void Dispose() => _directory.Dispose();

    private static async Task DataIsNamedAsync(DaemonProcess daemon, int atLeast)
    {
        foreach ((string stream, double last) in new[] { ("plant/edge/Inputs/Temperature", 20d + Rows), ("plant/edge/press/Steps", -1d - Rows) })
        {
            JsonElement found = default;
            await daemon.UntilAsync(
                async () =>
                {
                    using HttpResponseMessage answer = await daemon.Http.GetAsync($"/api/v1/streams/{stream}", Cancellation);
                    found = answer.IsSuccessStatusCode ? JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation)).RootElement : default;
                    return answer.IsSuccessStatusCode && found.GetProperty("state").GetProperty("value").GetDouble() == last;
                },
                $"{last} as the last value of {stream}");
            double[] values = [.. found.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("value").GetDouble())];

            // Behind the birth's value, rows one after the other.
            Assert.InRange(values.Length, atLeast, Rows + 2);
            Assert.All(values[1..].Zip(values[2..]), pair => Assert.Equal(1, Math.Abs(pair.Second - pair.First)));
        }
    }

    private static async Task DiesAsync(Process node, DaemonProcess daemon)
    {
        node.Kill();
        await node.WaitForExitAsync(Cancellation);
        await daemon.UntilAsync(
            async () => (await daemon.GetAsync("/api/v1/streams/plant/edge/online")).GetProperty("state").GetProperty("value").GetDouble() == 0, "told of the node's death");
    }

    private async Task<Process> NodeAsync(string url)
    {
        string npm = Parts.Require("npm", "npm");
        string folder = Directory.CreateDirectory(Path.Combine(_directory.Path, "node")).FullName;
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Mqtt", "edge-node.cjs"), Path.Combine(folder, "edge-node.cjs"), overwrite: true);
        using Process install = Process.Start(new ProcessStartInfo(npm, ["install", "--no-audit", "--no-fund", "--silent", "sparkplug-client@3.2.4"]) { WorkingDirectory = folder })!;
        await install.WaitForExitAsync(Cancellation);

        if (install.ExitCode != 0)
        {
            Assert.Skip("npm cannot install sparkplug-client 3.2.4 here");
        }

        return Process.Start(new ProcessStartInfo(Parts.Require("node", "nodejs"), ["edge-node.cjs", url, $"{Rows}"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    private static async Task SaysAsync(Process node, string word)
    {
        string? line;

        do
        {
            line = await node.StandardOutput.ReadLineAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        }
        while (line is not null && line != word);

        Assert.NotNull(line);
    }
}
