using System.Net;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>Maintenance, acceptance, explanations and labels as their users ask for them: by commands to a running daemon.</summary>
public sealed class MaintenanceTests
{
    private const int Fault = 1_520;
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-2);
    private static readonly string[] Records = ["vectors.0.streams=plant/*", "vectors.0.fields=joint"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Records_are_muted_by_a_command_open_an_incident_after_it_are_explained_labelled_and_accepted_over_kills()
    {
        using var directory = new TemporaryDirectory();
        string[] rows = Rows(1_640);

        await using (DaemonProcess first = await DaemonProcess.StartAsync(directory.Path, Records))
        {
            (int code, string said) = await AskAsync(
                first, "maintenance", "add", "--streams", "plant/*", "--from", $"{Start.AddSeconds(1_490):O}", "--to", $"{Start.AddSeconds(1_590):O}", "--note", "new valve");
            Assert.Equal((0, true), (code, said.StartsWith("maintenance maintenance-1 of plant/*: from ", StringComparison.Ordinal)));
            await PostAsync(first, rows[..1_590]);
            Assert.Empty(await IncidentsAsync(first));
            Assert.Equal(1, (await first.GetAsync("/api/v1/status")).GetProperty("suppressed_by_reason").GetProperty("maintenance").GetInt32());
            Assert.Equal(0, await first.TerminateAsync());
        }

        await using (DaemonProcess second = await DaemonProcess.StartAsync(directory.Path, [.. Records, "storage.snapshot_interval=1h"]))
        {
            Assert.Contains("new valve", (await AskAsync(second, "maintenance", "list")).Said, StringComparison.Ordinal);
            await PostAsync(second, rows[1_590..]);
            await second.UntilAsync(async () => (await IncidentsAsync(second)).Length == 1, "opened");
            string explained = (await AskAsync(second, "explain", "--stream", "plant/press")).Said;
            Assert.Contains("belongs to the incident that is open", explained, StringComparison.Ordinal);
            Assert.Matches(@"\n\s+c\s.*\d+ ?%", explained);
            string incident = (await IncidentsAsync(second))[0].GetProperty("incident_id").GetString()!;
            Assert.Equal(0, (await AskAsync(second, "label", "--incident", incident, "--as", "real")).Code);
            Assert.Contains("was labelled real", (await AskAsync(second, "explain", "--stream", "plant/press")).Said, StringComparison.Ordinal);

            Assert.Equal((0, "accepted: the incident of plant/press is closed, its level is the new normal"), await AskAsync(second, "accept", "plant/press"));
            await second.UntilAsync(async () => (await IncidentsAsync(second))[0].GetProperty("state").GetString() == "closed", "closed");
            Assert.Equal((0, "maintenance maintenance-1 removed"), await AskAsync(second, "maintenance", "remove", "maintenance-1"));
            await second.KillAsync();
        }

        await using DaemonProcess third = await DaemonProcess.StartAsync(directory.Path, Records);
        Assert.StartsWith("none; ", (await AskAsync(third, "maintenance", "list")).Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_command_cannot_do_ends_it_with_the_reason()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);
        await daemon.PostAsync("boiler", [1, 2, 3], Start);
        await daemon.UntilScoredAsync(3);

        Assert.Equal((1, "error: stream 'a/b' is not known; /api/v1/streams lists those that are"), await AskAsync(daemon, "accept", "a/b"));
        Assert.Equal((1, "error: stream 'boiler' has no incident open but a silence, if any: there is nothing to accept"), await AskAsync(daemon, "accept", "boiler"));
        Assert.Equal((1, "error: maintenance 'x' is not known; /api/v1/maintenance lists those that are"), await AskAsync(daemon, "maintenance", "remove", "x"));
        (int code, string said) = await AskAsync(daemon, "maintenance", "add", "--streams", "*", "--for", "2x");
        Assert.Equal((1, true), (code, said.StartsWith("error: for: '2x', expected a duration such as 30m or 2h", StringComparison.Ordinal)));
        (code, said) = await AskAsync(daemon, "maintenance", "add", "--streams", "*");
        Assert.Equal((2, true), (code, said.StartsWith("expected --for DURATION, --to TIME, or --days DAYS", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_weekly_window_is_listed_as_it_was_asked_for()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);

        (int code, string said) = await AskAsync(
            daemon, "maintenance", "add", "--streams", "q/*", "--days", "saturday,sunday", "--start", "22:00", "--end", "06:00",
            "--time-zone", "Europe/Berlin", "--mute-alerts", "false");
        (_, string listed) = await AskAsync(daemon, "maintenance", "list", "--output", "json");

        Assert.Equal((0, "maintenance maintenance-1 of q/*: saturday, sunday 22:00 to 06:00 Europe/Berlin, no learning"), (code, said));
        JsonElement window = JsonDocument.Parse(listed).RootElement.GetProperty("maintenance")[0];
        Assert.Equal((false, true), (window.GetProperty("mute_alerts").GetBoolean(), window.GetProperty("freeze_learning").GetBoolean()));
    }

    private static async Task<(int Code, string Said)> AskAsync(DaemonProcess daemon, params string[] words)
    {
        using var said = new StringWriter();
        int code = await CommandLine.InvokeAsync([.. words, "--url", $"http://127.0.0.1:{daemon.HttpPort}"], said, said);
        return (code, said.ToString().Trim());
    }

    private static async Task<JsonElement[]> IncidentsAsync(DaemonProcess daemon) =>
        [.. (await daemon.GetAsync("/api/v1/incidents")).GetProperty("incidents").EnumerateArray()];

    /// <summary>Records of four columns that follow one load; from the fault on the third lies beside it.</summary>
    private static string[] Rows(int count)
    {
        var random = new Random(3);
        double load = 0;
        string[] rows = new string[count];

        for (int row = 0; row < count; row++)
        {
            load = 0.9 * load + random.NextDouble() - 0.5;
            double beside = row >= Fault ? 15 : 0;
            double[] values = [.. Enumerable.Range(1, 4).Select(gain => gain * load + 0.3 * (random.NextDouble() - 0.5))];
            rows[row] = FormattableString.Invariant(
                $"{{\"stream\":\"plant/press\",\"timestamp\":\"{Start.AddSeconds(row):O}\",\"values\":{{\"a\":{values[0]},\"b\":{values[1]},\"c\":{values[2] + beside},\"d\":{values[3]}}}}}");
        }

        return rows;
    }

    private static async Task PostAsync(DaemonProcess daemon, string[] rows)
    {
        using var content = new StringContent(string.Join('\n', rows), Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations", content, Cancellation);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await daemon.UntilScoredAsync(rows.Length);
    }
}
