using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.SelfTest;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>Many messages wait in the session when the daemon comes back, and it is killed while it takes them.</summary>
/// <remarks>
/// mosquitto then has far more of them under way than it was asked for, and sends again whatever it had not read the acknowledgement of.
/// The messages carry no time, so nothing but what the source remembers of them keeps one that comes again from being scored twice.
/// STREAMLSTM_TEST_BACKLOG sets how many they are, STREAMLSTM_TEST_FAULTS how often the daemon is killed, STREAMLSTM_TEST_SEED when.
/// </remarks>
public sealed class BacklogTests : IDisposable
{
    /// <summary>A text becomes no observation.</summary>
    private const string Nothing = """{"a":"b"}""";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly TemporaryDirectory _directory = new();
    private readonly int _messages = Number("STREAMLSTM_TEST_BACKLOG", 20_000);
    private readonly int _kills = Number("STREAMLSTM_TEST_FAULTS", 4);
    private readonly Random _random = new(Number("STREAMLSTM_TEST_SEED", 1));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_directory.Path, "state");

    [Fact]
    public async Task Of_a_backlog_every_message_counts_once_however_often_the_daemon_is_killed_over_it()
    {
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(_directory.Path, "broker"), isKept: false);
        await SubscribeAsync(broker);
        await PublishAsync(broker, Enumerable.Range(0, _messages).Select(row => row.ToString(CultureInfo.InvariantCulture)));
        List<string> kills = [];
        long again = 0;

        for (int kill = 0; kill < _kills; kill++)
        {
            // Every other time where all of it is sure to come again: on the disk, and not acknowledged. A slow disk is given all that is under way at once, so few
            // times; behind the three decisions that a life begins with.
            string? point = kill % 2 == 0 ? $"{KillPoint.R1SyncedNotAcknowledged}:{_random.Next(4, 8)}" : null;
            await using ChildDaemon daemon = Start(broker, point);
            long until = (long)(_messages * (kill + 1.0) / (_kills + 1));
            long taken = 0;

            try
            {
                while (!daemon.HasExited && (point is not null || taken < until))
                {
                    taken = await TotalAsync(daemon, "received");
                }

                again += await AgainAsync(daemon);
                await daemon.KillAsync();
            }
            catch (HttpRequestException)
            {
                // It has killed itself.
            }

            kills.Add(point ?? $"{taken} taken");
            Assert.InRange(taken, 0, _messages - 1);
        }

        await using ChildDaemon last = Start(broker);
        var waited = Stopwatch.StartNew();

        while (await TotalAsync(last, "scored") is var all && all < _messages)
        {
            Assert.True(waited.Elapsed < Patience, $"{all} scored in {Patience}");

            // mosquitto 2.0.11 may keep the end of a session that it went on with until something else is published to it.
            await Task.Delay(200, Cancellation);
            await PublishAsync(broker, [Nothing]);
        }

        // What comes again stands before what is new, so by now all of it has come.
        again += await AgainAsync(last);
        JsonElement books = (await last.GetAsync("/api/v1/status", Cancellation)).GetProperty("total");
        Assert.Equal(0, await last.TerminateAsync(Cancellation));
        double[] scored = Scored.In(State)["plant/row"];
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{_messages} published, killed at {string.Join(", ", kills)}; {again} sent again and known, {scored.Length} scored,"
            + $" {_messages - scored.Distinct().Count()} lost, {scored.Length - scored.Distinct().Count()} twice; {books}");
        Assert.Equal(Enumerable.Range(0, _messages).Select(row => (double)row), scored);
        Assert.NotEqual(0, again);
        Assert.All(books.GetProperty("rejected_by_reason").EnumerateObject(), reason => Assert.Equal("malformed", reason.Name));
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>A first life, from which on the broker keeps what comes.</summary>
    private async Task SubscribeAsync(Mosquitto broker)
    {
        await using ChildDaemon first = Start(broker);

        do
        {
            await PublishAsync(broker, [Nothing]);
        }
        while (await TotalAsync(first, "rejected") == 0);

        Assert.Equal(0, await first.TerminateAsync(Cancellation));
    }

    private ChildDaemon Start(Mosquitto broker, string? killAt = null) => ChildDaemon.Start(
        State,
        [
            "sources.host.enabled=false", "sinks.console.enabled=false", "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false", "storage.snapshot_interval=1s",
            "sources.mqtt_embedded.enabled=false", $"sources.mqtt.0.url={broker.Url}", "sources.mqtt.0.topics.0=plant/#",
        ],
        killAt);

    private static async Task PublishAsync(Mosquitto broker, IEnumerable<string> lines)
    {
        var start = new ProcessStartInfo(Parts.Require("mosquitto_pub", "mosquitto-clients"), ["-h", "127.0.0.1", "-p", $"{broker.Port}", "-q", "1", "-t", "plant/row", "-l"])
        {
            RedirectStandardInput = true,
        };
        using Process publishing = Process.Start(start)!;

        foreach (string line in lines)
        {
            await publishing.StandardInput.WriteLineAsync(line);
        }

        publishing.StandardInput.Close();
        await publishing.WaitForExitAsync(Cancellation);
        Assert.Equal(0, publishing.ExitCode);
    }

    /// <summary>A figure of the books of all lives.</summary>
    private static async Task<long> TotalAsync(ChildDaemon daemon, string figure) =>
        (await daemon.GetAsync("/api/v1/status", Cancellation)).GetProperty("total").GetProperty(figure).GetInt64();

    /// <summary>How many messages this life has known again.</summary>
    private static async Task<long> AgainAsync(ChildDaemon daemon) =>
        (await daemon.GetTextAsync("/metrics", Cancellation)).Split('\n')
            .Where(line => line.StartsWith("streamlstm_source_redelivered", StringComparison.Ordinal))
            .Sum(line => long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
