using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>The load that <c>simulate</c> makes, on a real broker and a real daemon.</summary>
public sealed class SimulateTests
{
    [Fact]
    public async Task What_is_simulated_into_a_broker_is_acknowledged_by_it_and_scored_under_its_topics()
    {
        using var directory = new TemporaryDirectory();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"), isKept: false);
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            Path.Combine(directory.Path, "state"), $"sources.mqtt.0.url={broker.Url}", "sources.mqtt.0.topics.0=plant/#", "retrain.enabled=false");
        await daemon.UntilAsync(() => Task.FromResult(daemon.Output.Contains("new session", StringComparison.Ordinal)), "connected");
        using StringWriter output = new(), error = new();

        int code = await CommandLine.InvokeAsync(
            ["simulate", "--streams", "5", "--rate", "400", "--for", "3s", "--to", $"{broker.Url}/plant", "--labels", Path.Combine(directory.Path, "faults.csv")], output, error);

        Assert.True(code == 0, error.ToString());

        // All of them, where the machine keeps up.
        Match said = Regex.Match(error.ToString(), "sent ([0-9,]+), acknowledged ([0-9,]+), refused 0; ");
        Assert.True(said.Success, error.ToString());
        Assert.Equal(said.Groups[1].Value, said.Groups[2].Value);
        int sent = int.Parse(said.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        Assert.InRange(sent, 5, 1200);
        Assert.Contains("observations/s of 400 asked for; acknowledged after ", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(output.ToString());
        Assert.True(File.Exists(Path.Combine(directory.Path, "faults.csv")));
        await daemon.UntilScoredAsync(sent);
        JsonElement stream = await daemon.GetAsync("/api/v1/streams/plant/white-0");
        Assert.Equal((sent + 4) / 5, stream.GetProperty("points").GetArrayLength());
    }

    [Fact]
    public async Task What_is_simulated_into_a_daemon_is_taken_in_whole()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "retrain.enabled=false");
        using StringWriter output = new(), error = new();

        // Without a rate as fast as it is taken: thousands of lines wait at the door together.
        int code = await CommandLine.InvokeAsync(
            ["simulate", "--streams", "13", "--rows", "800", "--to", $"http://127.0.0.1:{daemon.HttpPort}"], output, error);

        Assert.True(code == 0, error.ToString());
        Assert.Contains("sent 10,400, acknowledged 10,400, refused 0", error.ToString(), StringComparison.Ordinal);
        await daemon.UntilScoredAsync(10_400);
        JsonElement status = await daemon.GetAsync("/api/v1/status");
        Assert.True(status.GetProperty("books").GetProperty("balances").GetBoolean());
    }

    [Fact]
    public async Task A_topic_that_the_broker_lets_nobody_write_to_is_refused_and_said()
    {
        using var directory = new TemporaryDirectory();
        string rights = Path.Combine(directory.Path, "rights");
        await File.WriteAllTextAsync(rights, "topic read #\n", TestContext.Current.CancellationToken);
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"), $"acl_file {rights}", isKept: false);
        using StringWriter output = new(), error = new();

        int code = await CommandLine.InvokeAsync(["simulate", "--streams", "2", "--rows", "10", "--to", $"{broker.Url}/plant"], output, error);

        Assert.Equal(1, code);
        Assert.Contains("sent 20, acknowledged 0, refused 20; ", error.ToString(), StringComparison.Ordinal);
    }
}
