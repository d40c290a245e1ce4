using System.Diagnostics;
using System.Globalization;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>The network between daemon and broker is gone for a while: no packet, no reset, no end of a connection.</summary>
public sealed class PartitionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>STREAMLSTM_TEST_FAULTS sets how often it is.</summary>
    [Fact]
    public async Task A_partition_costs_nothing_and_what_was_published_meanwhile_comes_behind_it()
    {
        string publisher = Parts.Require("mosquitto_pub", "mosquitto-clients");
        int faults = int.TryParse(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_FAULTS"), CultureInfo.InvariantCulture, out int wanted) ? wanted : 2;
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-12);
        using var directory = new TemporaryDirectory();
        using NetworkNamespace network = NetworkNamespace.Create();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"), network: network);
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            Path.Combine(directory.Path, "state"), "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false", "sources.mqtt_embedded.enabled=false",
            $"sources.mqtt.0.url={broker.Url}", "sources.mqtt.0.topics.0=plant/#", "sources.mqtt.0.keep_alive=2s");
        await daemon.UntilAsync(() => Task.FromResult(daemon.Output.Contains("new session", StringComparison.Ordinal)), "connected");

        // On the broker's side of the cable: it goes on publishing.
        ProcessStartInfo start = network.Within(publisher, ["-h", network.Inside, "-p", $"{broker.Port}", "-q", "1", "-t", "plant/row", "-l"]);
        start.RedirectStandardInput = true;
        using Process publishing = Process.Start(start)!;
        int row = 0;

        for (int fault = 0; fault < faults; fault++)
        {
            await PublishAsync(200);
            network.Pull();
            await PublishAsync(200);
            await daemon.UntilAsync(
                async () => (await daemon.Http.GetStringAsync("/health/ready", Cancellation)).Contains("sources.mqtt.0.url", StringComparison.Ordinal), "degraded while the cable is out");
            await PublishAsync(200);
            network.Plug();
            await daemon.UntilScoredAsync(row);
        }

        publishing.StandardInput.Close();
        await publishing.WaitForExitAsync(Cancellation);
        Assert.Equal(0, await daemon.TerminateAsync());
        double[] scored = Assert.Single(Scored.In(Path.Combine(directory.Path, "state"))).Value;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{faults} partitions, {row} published, {scored.Length} scored, {row - scored.Distinct().Count()} lost, {scored.Length - scored.Distinct().Count()} twice");
        Assert.Equal(Enumerable.Range(0, row).Select(value => (double)value), scored);

        async Task PublishAsync(int count)
        {
            for (int i = 0; i < count; i++, row++)
            {
                await publishing.StandardInput.WriteLineAsync(
                    string.Create(CultureInfo.InvariantCulture, $"{{\"timestamp\":\"{from.AddSeconds(row):O}\",\"value\":{row}}}"));
            }

            await publishing.StandardInput.FlushAsync(Cancellation);
        }
    }
}
