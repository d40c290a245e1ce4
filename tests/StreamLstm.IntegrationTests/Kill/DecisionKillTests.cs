using System.Net.Http.Json;
using System.Text.Json;
using StreamLstm.Daemon.Durability;
using StreamLstm.Detection.Learning;
using StreamLstm.IntegrationTests.Support;
using StreamLstm.Model.Formats;

namespace StreamLstm.IntegrationTests.Kill;

/// <summary>R4 on the real program: it is killed when a decision is on the disk and not yet in force. It holds from the next start on, as though nothing had been.</summary>
public sealed class DecisionKillTests : IDisposable
{
    /// <summary>A life begins with three decisions of its own: limits, what is asked of alerts, and maintenance windows. Where a fourth one comes sooner, all are on the disk too.</summary>
    private static readonly string AtTheFourth = $"{KillPoint.R4OnDiskNotInForce}:4";

    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-3);
    private static readonly string[] Settings =
        ["storage.snapshot_interval=1h", "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false", "sources.mqtt_embedded.enabled=false"];

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_persons_decision_holds_and_what_follows_is_scored_as_without_the_kill()
    {
        string before = Folder("before");
        double[] values = Series.Daily(3, 1_000);

        for (int row = 880; row < values.Length; row++)
        {
            values[row] += 40;
        }

        await using (DaemonProcess first = await DaemonProcess.StartAsync(before, Settings))
        {
            await first.PostAsync("boiler", values[..900], Start);
            Assert.Equal(0, await first.TerminateAsync());
        }

        foreach ((string name, Func<HttpClient, Task<HttpResponseMessage>> decide, Func<DaemonProcess, Task> holds) in Decisions)
        {
            string undisturbed = Copy(before, Folder($"{name}-undisturbed")), killed = Copy(before, Folder($"{name}-killed"));

            await using (DaemonProcess second = await DaemonProcess.StartAsync(undisturbed, Settings))
            {
                using HttpResponseMessage answer = await decide(second.Http);
                Assert.True(answer.IsSuccessStatusCode, $"{name}: {await answer.Content.ReadAsStringAsync(Cancellation)}");
                Assert.Equal(0, await second.TerminateAsync());
            }

            await using (DaemonProcess second = await DaemonProcess.StartAsync(killed, AtTheFourth, Settings))
            {
                await Assert.ThrowsAsync<HttpRequestException>(() => decide(second.Http));
                Assert.Equal(137, await second.ExitAsync());
            }

            await GoOnAsync(undisturbed, holds);
            await GoOnAsync(killed, holds);
            Assert.Equal(Scores(undisturbed), Scores(killed));
        }

        async Task GoOnAsync(string state, Func<DaemonProcess, Task> holds)
        {
            await using DaemonProcess third = await DaemonProcess.StartAsync(state, Settings);
            await third.UntilSettledAsync("history");
            await third.UntilSettledAsync("live");
            await holds(third);
            await third.PostAsync("boiler", values[900..], Start.AddSeconds(900));
            Assert.Equal(0, await third.TerminateAsync());
        }
    }

    [Fact]
    public async Task Weights_that_were_promoted_serve_after_the_next_start()
    {
        string state = Folder("swap");
        string[] settings = [.. Settings, "retrain.enabled=true", "retrain.first_after=3s", "retrain.shadow=0s", "retrain.windows_min=20"];

        await using (DaemonProcess first = await DaemonProcess.StartAsync(state, AtTheFourth, settings))
        {
            for (int stream = 0; stream < 10; stream++)
            {
                await first.PostAsync($"hall/{stream}", Series.Daily(stream, 1_500), Start);
            }

            Assert.Equal(137, await first.ExitAsync());
        }

        await using DaemonProcess second = await DaemonProcess.StartAsync(state, Settings);
        await second.UntilSettledAsync("history");
        JsonElement models = await second.GetAsync("/api/v1/models");
        Assert.Equal(1, models.GetProperty("serving").GetInt64());
        Assert.Equal(15_000, (await second.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64());
    }

    public void Dispose() => _directory.Dispose();

    private static IEnumerable<(string Name, Func<HttpClient, Task<HttpResponseMessage>> Decide, Func<DaemonProcess, Task> Holds)> Decisions =>
    [
        (
            "label",
            async http => await http.PostAsJsonAsync("/api/v1/labels", new { incident_id = (await IncidentAsync(http)).GetProperty("incident_id").GetString(), label = "real" }, Cancellation),
            daemon => daemon.UntilAsync(
                async () => (await IncidentAsync(daemon.Http)).TryGetProperty("label", out JsonElement label) && label.GetProperty("label").GetString() == "real", "labelled")),
        (
            "accept",
            http => http.PostAsJsonAsync("/api/v1/streams/boiler/accept", new { }, Cancellation),
            async daemon => Assert.Equal("closed", (await IncidentAsync(daemon.Http)).GetProperty("state").GetString())),
        (
            "maintenance",
            http => http.PostAsJsonAsync("/api/v1/maintenance", new { streams = "boil*", from = Start, @for = "24h" }, Cancellation),
            async daemon => Assert.Single((await daemon.GetAsync("/api/v1/maintenance")).GetProperty("maintenance").EnumerateArray())),
        (
            "promote",
            async http =>
            {
                using var file = new MemoryStream();
                WeightsFile.Write(file, BaseModel.Untrained(7).Weights, new Dictionary<string, string>());
                using var content = new ByteArrayContent(file.ToArray());
                content.Headers.ContentType = new("application/octet-stream");
                return await http.PostAsync("/api/v1/models?promote=true&by=ann", content, Cancellation);
            },
            async daemon =>
            {
                JsonElement models = await daemon.GetAsync("/api/v1/models");
                Assert.Equal(1, models.GetProperty("serving").GetInt64());
                Assert.Equal("ann", Assert.Single(models.GetProperty("swaps").EnumerateArray()).GetProperty("by").GetString());
            }),
        (
            "forget",
            http => http.DeleteAsync("/api/v1/streams/boiler", Cancellation),
            async daemon => Assert.Empty((await daemon.GetAsync("/api/v1/streams")).GetProperty("streams").EnumerateArray())),
    ];

    private static async Task<JsonElement> IncidentAsync(HttpClient http)
    {
        JsonElement answer = await http.GetFromJsonAsync<JsonElement>("/api/v1/incidents?stream=boiler", Cancellation);
        return Assert.Single(answer.GetProperty("incidents").EnumerateArray());
    }

    private static string[] Scores(string state) =>
        [.. File.ReadLines(Path.Combine(state, "events.jsonl")).Where(line => line.Contains("\"type\":\"score\"", StringComparison.Ordinal))];

    private string Folder(string name) => Path.Combine(_directory.Path, name);

    private static string Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return to;
    }
}
