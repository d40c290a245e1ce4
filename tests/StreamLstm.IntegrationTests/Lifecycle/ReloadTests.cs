using System.Diagnostics;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>The configuration changed under a daemon that runs: by SIGHUP, and by its files.</summary>
public sealed class ReloadTests
{
    private const string Stream = "boiler";

    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task At_a_hangup_what_waits_for_a_receiver_that_is_away_goes_to_the_one_the_file_names_now()
    {
        await using HttpReceiver receiver = await HttpReceiver.StartAsync(_ => 204);
        using var directory = new TemporaryDirectory();
        string config = Path.Combine(directory.Path, "my.yaml");
        await File.WriteAllTextAsync(config, Webhook($"http://127.0.0.1:{DaemonProcess.FreePort()}/away"), TestContext.Current.CancellationToken);
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(Path.Combine(directory.Path, "state"), killAt: null, ["sinks.jsonl.enabled=true", "sinks.jsonl.scores=false"], config);
        double[] values = Spiked(900, 1430, 2100);
        await daemon.PostAsync(Stream, values[..1600], Start);
        await daemon.UntilAsync(() => Task.FromResult(daemon.Output.Contains("Sink webhook takes nothing", StringComparison.Ordinal)), "waiting for the receiver");

        await File.WriteAllTextAsync(config, Webhook(receiver.Url), TestContext.Current.CancellationToken);
        await daemon.SignalAsync("HUP");
        await daemon.UntilAsync(() => Task.FromResult(!receiver.Got.IsEmpty), "told the new receiver");
        await daemon.PostAsync(Stream, values[1600..], Start.AddSeconds(1600));
        await daemon.UntilSettledAsync("webhook");

        JsonElement[] told = [.. receiver.Got.Select(one => JsonDocument.Parse(one.Body).RootElement)];
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(directory.Path, "state", "events.jsonl"), TestContext.Current.CancellationToken);
        Assert.Equal(
            lines.Where(line => line.Contains("\"type\":\"incident\"", StringComparison.Ordinal)).Select(line => Id(JsonDocument.Parse(line).RootElement)),
            told.Select(Id));
        Assert.Equal(3, told.Count(one => one.GetProperty("state").GetString() == "opened"));
        Assert.Contains("(in force)", daemon.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-path", daemon.Output, StringComparison.Ordinal);
        JsonElement status = await daemon.GetAsync("/api/v1/status");
        Assert.Equal(1, status.GetProperty("streams").GetProperty("active").GetInt32());
    }

    [Fact]
    public async Task Files_that_are_watched_are_read_through_links_and_one_with_an_error_changes_nothing()
    {
        using var directory = new TemporaryDirectory();
        string mounted = Path.Combine(directory.Path, "my.yaml"), data = Path.Combine(directory.Path, "..data");
        Publish("1", "info");
        File.CreateSymbolicLink(mounted, Path.Combine("..data", "my.yaml"));
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(Path.Combine(directory.Path, "state"), killAt: null, [], mounted);

        Publish("2", "critical");
        await daemon.UntilAsync(() => Task.FromResult(Says("info", "critical")), "in force");
        Publish("3", "loud");
        await daemon.UntilAsync(async () => (await daemon.GetAsync("/health/ready")).GetProperty("degraded").GetBoolean(), "degraded by the error");
        JsonElement ready = await daemon.GetAsync("/health/ready");
        Assert.Contains("alerts.0.severity_min: 'loud', expected one of", ready.GetProperty("reasons")[0].GetString(), StringComparison.Ordinal);
        Publish("4", "warning");
        await daemon.UntilAsync(async () => !(await daemon.GetAsync("/health/ready")).GetProperty("degraded").GetBoolean(), "well again");
        Assert.True(Says("critical", "warning"), daemon.Output);

        // The log is JSON, and says so in escapes.
        bool Says(string before, string after) => daemon.Output.Contains(
            $@"alerts.0.severity_min: \u0027{before}\u0027 -\u003E \u0027{after}\u0027 (in force)", StringComparison.Ordinal);

        // As Kubernetes changes what it mounts: the files beside, then one link in another's place.
        void Publish(string version, string severity)
        {
            string folder = Path.Combine(directory.Path, $"..{version}"), link = Path.Combine(directory.Path, "..tmp");
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "my.yaml"), $$"""
                reload: {watch: true}
                alerts:
                  - {streams: "*", severity_min: {{severity}}}
                """);
            File.CreateSymbolicLink(link, $"..{version}");
            using Process move = Process.Start("mv", ["-T", link, data]);
            move.WaitForExit();
        }
    }

    [Fact]
    public async Task A_file_of_lines_that_takes_another_ones_place_begins_where_that_ends_also_where_the_daemon_is_killed_behind_it()
    {
        using var directory = new TemporaryDirectory();
        string config = Path.Combine(directory.Path, "my.yaml"), state = Path.Combine(directory.Path, "state");
        string[] settings = ["storage.snapshot_interval=1h"];
        double[] values = Spiked(900, 1430, 2100);
        await File.WriteAllTextAsync(config, Lines("one.jsonl"), TestContext.Current.CancellationToken);

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(state, killAt: null, settings, config))
        {
            await daemon.PostAsync(Stream, values[..1000], Start);
            await daemon.UntilSettledAsync("jsonl");
            await ChangeAsync(daemon, "two.jsonl");
            await daemon.PostAsync(Stream, values[1000..1500], Start.AddSeconds(1000));
            await daemon.UntilSettledAsync("jsonl");
            await ChangeAsync(daemon, "one.jsonl");
            await daemon.PostAsync(Stream, values[1500..1600], Start.AddSeconds(1500));
            await daemon.UntilSettledAsync("jsonl");
            await daemon.KillAsync();
        }

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(state, killAt: null, settings, config))
        {
            await daemon.PostAsync(Stream, values[1600..], Start.AddSeconds(1600));
            await daemon.UntilSettledAsync("jsonl");
            Assert.Equal(0, await daemon.TerminateAsync());
            Assert.DoesNotContain("\"EventId\":304", daemon.Output, StringComparison.Ordinal);
        }

        Assert.Equal([(0, 1000), (1500, 2200)], Stretches("one.jsonl"));
        Assert.Equal([(1000, 1500)], Stretches("two.jsonl"));

        async Task ChangeAsync(DaemonProcess daemon, string file)
        {
            await File.WriteAllTextAsync(config, Lines(file), TestContext.Current.CancellationToken);
            using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/reload", null, TestContext.Current.CancellationToken);
            answer.EnsureSuccessStatusCode();
        }

        static string Lines(string file) => $$"""
            sinks:
              jsonl: {enabled: true, scores: true, path: {{file}}}
            """;

        // From which row to which the file has one line a row, in their order.
        List<(int From, int To)> Stretches(string file)
        {
            List<(int From, int To)> stretches = [];

            foreach (JsonElement line in File.ReadLines(Path.Combine(state, file)).Select(line => JsonDocument.Parse(line).RootElement).Where(line => line.GetProperty("type").GetString() == "score"))
            {
                int row = (int)(line.GetProperty("time").GetDateTimeOffset() - Start).TotalSeconds;

                if (stretches.Count > 0 && stretches[^1].To == row)
                {
                    stretches[^1] = (stretches[^1].From, row + 1);
                }
                else
                {
                    stretches.Add((row, row + 1));
                }
            }

            return stretches;
        }
    }

    private static string Id(JsonElement incident) =>
        $"{incident.GetProperty("incident_id").GetString()} {incident.GetProperty("state").GetString()} {incident.GetProperty("revision").GetInt32()}";

    private static string Webhook(string url) => $$"""
        sinks:
          webhook: {enabled: true, url: "{{url}}"}
        """;

    private static double[] Spiked(params int[] at)
    {
        double[] values = Series.Daily(3, 2200);
        Array.ForEach(at, row => values[row] += 30);
        return values;
    }
}
