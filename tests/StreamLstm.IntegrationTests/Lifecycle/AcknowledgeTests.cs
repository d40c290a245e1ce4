using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>Who looks after an incident is a decision as labels are: it outlives a kill, stands beside the incident, and is taken back.</summary>
public sealed class AcknowledgeTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_looks_after_an_incident_is_known_after_a_kill_and_until_it_is_taken_back()
    {
        using var directory = new TemporaryDirectory();
        string id, path;

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "storage.snapshot_interval=1h"))
        {
            double[] values = Series.Daily(3, 950);
            values[899] = 60;
            await daemon.PostAsync("boiler", values, Start);
            await daemon.UntilScoredAsync(950);
            await daemon.UntilSettledAsync("history");
            id = (await daemon.GetAsync("/api/v1/incidents?stream=boiler")).GetProperty("incidents")[0].GetProperty("incident_id").GetString()!;
            path = $"/api/v1/incidents/{Uri.EscapeDataString(id)}/acknowledgement";

            Assert.Equal((HttpStatusCode.NotFound, $"incident '{id}' is looked after by nobody"), await SaidAsync(daemon.Http.DeleteAsync(path, Cancellation)));
            Assert.Equal((HttpStatusCode.BadRequest, "by: missing, expected 1 to 100, as in {\"by\": \"who\", \"note\": \"...\"}"), await SaidAsync(daemon.Http.PostAsJsonAsync(path, new { note = "x" }, Cancellation)));
            Assert.Equal(HttpStatusCode.NotFound, (await SaidAsync(daemon.Http.PostAsJsonAsync("/api/v1/incidents/none/acknowledgement", new { by = "Ada" }, Cancellation))).Code);
            Assert.Equal(HttpStatusCode.Created, (await SaidAsync(daemon.Http.PostAsJsonAsync(path, new { by = "Ada", note = "on my way" }, Cancellation))).Code);
            Assert.Equal(HttpStatusCode.Created, (await SaidAsync(daemon.Http.PostAsJsonAsync(path, new { by = "Grace" }, Cancellation))).Code);
            await daemon.KillAsync();
        }

        // From the journal behind no snapshot; then from one.
        for (int life = 0; life < 2; life++)
        {
            await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
            await again.UntilSettledAsync("history");
            Assert.Equal("Grace", (await again.GetAsync($"/api/v1/incidents/{Uri.EscapeDataString(id)}")).GetProperty("acknowledged").GetProperty("by").GetString());
            Assert.Equal(
                "Grace", (await again.GetAsync("/api/v1/incidents?grouped=true")).GetProperty("groups")[0].GetProperty("members")[0].GetProperty("acknowledged").GetProperty("by").GetString());
            (int code, string said) = await Command.RunAsync("dotnet", typeof(CommandLine).Assembly.Location, "incidents", "--url", $"http://127.0.0.1:{again.HttpPort}");
            Assert.Equal(0, code);
            Assert.Contains("Grace", said, StringComparison.Ordinal);

            if (life == 1)
            {
                Assert.Equal(HttpStatusCode.OK, (await SaidAsync(again.Http.DeleteAsync(path, Cancellation))).Code);
                Assert.False((await again.GetAsync($"/api/v1/incidents/{Uri.EscapeDataString(id)}")).TryGetProperty("acknowledged", out _));

                // Why it was told is not in memory any more, and the history has it.
                JsonElement incident = await again.GetAsync($"/api/v1/incidents/{Uri.EscapeDataString(id)}");
                JsonElement why = await again.GetAsync($"/api/v1/explain?stream=boiler&at={Uri.EscapeDataString(Start.AddSeconds(899).ToString("O"))}");
                Assert.True(why.GetProperty("is_kept").GetBoolean(), $"{why} {incident}");
                Assert.Equal(id, why.GetProperty("incident_id").GetString());
                Assert.InRange(why.GetProperty("indicators").GetArrayLength(), 1, 100);
                Assert.Contains(
                    (await again.GetAsync($"/api/v1/history/boiler?since={Uri.EscapeDataString(Start.ToString("O"))}")).GetProperty("scores").EnumerateArray(), one => one.TryGetProperty("alert", out _));
            }

            Assert.Equal(0, await again.TerminateAsync());
        }

        await using DaemonProcess last = await DaemonProcess.StartAsync(directory.Path);
        Assert.False((await last.GetAsync($"/api/v1/incidents/{Uri.EscapeDataString(id)}")).TryGetProperty("acknowledged", out _));
    }

    private static async Task<(HttpStatusCode Code, string? Error)> SaidAsync(Task<HttpResponseMessage> asked)
    {
        using HttpResponseMessage answer = await asked;
        JsonElement said = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return (answer.StatusCode, said.TryGetProperty("error", out JsonElement error) ? error.GetString() : null);
    }
}
