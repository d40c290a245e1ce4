using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

public sealed class LabelTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_like_a_labelled_false_alarm_does_not_alert_even_after_a_kill()
    {
        using var directory = new TemporaryDirectory();
        double[] values = Series.Daily(3, 1200);
        values[899] = 60;
        values[1180] = 75;

        await using (DaemonProcess first = await DaemonProcess.StartAsync(directory.Path))
        {
            await first.PostAsync("boiler", values[..950], Start);
            await first.PostAsync("other", values[..950], Start);
            await first.UntilScoredAsync(1900);
            Assert.Equal(0, await first.TerminateAsync());
        }

        string id;

        // No snapshot after the label: it has to come from where it is written down.
        await using (DaemonProcess second = await DaemonProcess.StartAsync(directory.Path, "storage.snapshot_interval=1h"))
        {
            await second.UntilSettledAsync("history");
            JsonElement incident = (await second.GetAsync("/api/v1/incidents?stream=boiler")).GetProperty("incidents")[0];
            id = incident.GetProperty("incident_id").GetString()!;
            using HttpResponseMessage answer = await LabelAsync(second, id, "false_alarm");
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            await second.KillAsync();
        }

        await using DaemonProcess third = await DaemonProcess.StartAsync(directory.Path);
        await third.PostAsync("boiler", values[950..], Start.AddSeconds(950));
        await third.PostAsync("other", values[950..], Start.AddSeconds(950));
        await third.UntilScoredAsync(500);
        await third.UntilSettledAsync("history");
        Assert.Equal(2, await IncidentsAsync(third, "other"));
        Assert.Equal(1, await IncidentsAsync(third, "boiler"));
        JsonElement labelled = (await third.GetAsync("/api/v1/incidents?stream=boiler")).GetProperty("incidents")[0];
        Assert.Equal("false_alarm", labelled.GetProperty("label").GetProperty("label").GetString());
        JsonElement why = await third.GetAsync($"/api/v1/explain?stream=boiler&at={Uri.EscapeDataString(Start.AddSeconds(1180).ToString("O"))}");
        Assert.True(why.GetProperty("evidence_without_labels").GetDouble() > why.GetProperty("needed").GetDouble(), why.ToString());
        Assert.False(why.GetProperty("is_alert").GetBoolean());
    }

    [Fact]
    public async Task What_cannot_be_labelled_is_refused_with_the_reason()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);

        Assert.Equal((HttpStatusCode.NotFound, "incident_id: 'x-1-o' is not known; /api/v1/incidents lists those that are"), await RefusalAsync("x-1-o", "real"));
        Assert.Equal((HttpStatusCode.BadRequest, "label: 'odd', expected false_alarm or real"), await RefusalAsync("x-1-o", "odd"));
        using var form = new StringContent("incident_id=x-1-o&label=real", null, "application/x-www-form-urlencoded");
        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/labels", form, Cancellation);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        using HttpResponseMessage removal = await daemon.Http.DeleteAsync("/api/v1/labels/7", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, removal.StatusCode);

        async Task<(HttpStatusCode, string?)> RefusalAsync(string incident, string label)
        {
            using HttpResponseMessage refused = await LabelAsync(daemon, incident, label);
            JsonElement said = await refused.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
            return (refused.StatusCode, said.GetProperty("error").GetString());
        }
    }

    private static Task<HttpResponseMessage> LabelAsync(DaemonProcess daemon, string incident, string label) =>
        daemon.Http.PostAsJsonAsync("/api/v1/labels", new { incident_id = incident, label }, Cancellation);

    private static async Task<int> IncidentsAsync(DaemonProcess daemon, string stream) =>
        (await daemon.GetAsync($"/api/v1/incidents?stream={stream}")).GetProperty("incidents").GetArrayLength();
}
