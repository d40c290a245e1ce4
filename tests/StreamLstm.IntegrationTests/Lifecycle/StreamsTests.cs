using System.Net;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>Streams that go, and those for which there is no room, on the real program and over kill -9.</summary>
public sealed class StreamsTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_stream_that_was_deleted_is_gone_from_page_and_history_and_after_a_kill_and_its_name_begins_anew()
    {
        using var directory = new TemporaryDirectory();
        double[] values = Series.Daily(3, 700);

        // No snapshot: what was deleted is so because the journal says it.
        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "storage.snapshot_interval=1h"))
        {
            await daemon.PostAsync("plant/pump", values, Start);
            await daemon.PostAsync("plant/boiler", values, Start);
            await daemon.UntilScoredAsync(1400);
            Assert.NotEmpty(await HistoryAsync(daemon, "plant/pump"));
            Assert.Equal(0, await DeleteAsync(daemon, "plant/pump"));
            Assert.Equal(1, await DeleteAsync(daemon, "plant/pump"));
            await GoneAsync(daemon);
            Assert.Empty(await HistoryAsync(daemon, "plant/pump"));
            await daemon.KillAsync();
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
        await again.UntilSettledAsync("live");
        await GoneAsync(again);
        await again.UntilSettledAsync("history");
        Assert.Empty(await HistoryAsync(again, "plant/pump"));
        Assert.Equal(70, (await HistoryAsync(again, "plant/boiler")).Length);
        Assert.Equal("active", (await again.GetAsync("/api/v1/streams/plant/boiler")).GetProperty("state").GetProperty("lifecycle").GetString());
        await again.PostAsync("plant/pump", values[..1], Start);
        await again.UntilScoredAsync(1);
        await again.UntilSettledAsync("live");
        Assert.Equal("learning", (await again.GetAsync("/api/v1/streams/plant/pump")).GetProperty("state").GetProperty("lifecycle").GetString());
    }

    [Theory]
    [InlineData("full", 200, 60, 180)]
    [InlineData("auto", 1_000, 300, 900)]
    public async Task New_streams_beyond_the_memory_are_refused_and_counted_and_a_kill_changes_nothing_in_who_is_there(string form, int sent, int least, int most)
    {
        using var directory = new TemporaryDirectory();
        string[] settings = ["limits.memory_mib=2", $"detection.form={form}", "storage.snapshot_interval=1h"];
        JsonElement known;

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, settings))
        {
            using var body = new StringContent(
                string.Concat(Enumerable.Range(0, sent).Select(stream => $"{{\"stream\":\"s{stream:000}\",\"timestamp\":\"{Start:O}\",\"value\":1}}\n")), Encoding.UTF8, "application/x-ndjson");
            Assert.Equal(HttpStatusCode.Accepted, (await daemon.Http.PostAsync("/api/v1/observations", body, TestContext.Current.CancellationToken)).StatusCode);
            await daemon.UntilAsync(async () => Books(await daemon.GetAsync("/api/v1/status")).GetProperty("queued").GetInt64() == 0, "taken in");
            await daemon.UntilSettledAsync("live");
            JsonElement books = Books(await daemon.GetAsync("/api/v1/status"));
            long scored = books.GetProperty("scored").GetInt64();
            Assert.InRange(scored, least, most);
            Assert.Equal(sent - scored, books.GetProperty("rejected_by_reason").GetProperty("stream_limit").GetInt64());
            Assert.True(books.GetProperty("balances").GetBoolean());
            known = (await daemon.GetAsync("/api/v1/streams?limit=1000")).GetProperty("streams");
            Assert.Equal(scored, known.GetArrayLength());
            string metrics = await daemon.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
            Assert.Contains("streamlstm_streams_memory", metrics, StringComparison.Ordinal);
            await daemon.KillAsync();
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path, settings);
        await again.UntilSettledAsync("live");
        Assert.Equal(Names(known), Names((await again.GetAsync("/api/v1/streams?limit=1000")).GetProperty("streams")));
    }

    private static string[] Names(JsonElement streams) => [.. streams.EnumerateArray().Select(stream => stream.GetProperty("stream").GetString()!)];

    private static JsonElement Books(JsonElement status) => status.GetProperty("books");

    private static async Task<int> DeleteAsync(DaemonProcess daemon, string stream)
    {
        using var said = new StringWriter();
        return await CommandLine.InvokeAsync(["streams", "delete", stream, "--url", $"http://127.0.0.1:{daemon.HttpPort}"], said, said);
    }

    private static async Task<JsonElement[]> HistoryAsync(DaemonProcess daemon, string stream) =>
        [.. (await daemon.GetAsync($"/api/v1/history/{stream}?since={Uri.EscapeDataString(Start.ToString("O"))}&until={Uri.EscapeDataString(Start.AddHours(1).ToString("O"))}")).GetProperty("scores").EnumerateArray()];

    private static async Task GoneAsync(DaemonProcess daemon)
    {
        using HttpResponseMessage answer = await daemon.Http.GetAsync("/api/v1/streams/plant/pump", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }
}
