using System.Net;
using System.Text;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

public sealed class LogTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_log_that_is_followed_is_learnt_and_what_never_stood_in_it_is_told_also_after_a_kill()
    {
        using var directory = new TemporaryDirectory();
        string file = Path.Combine(directory.Path, "app.log");
        string state = Path.Combine(directory.Path, "state");
        DateTimeOffset start = DateTimeOffset.UtcNow.AddHours(-1);
        int request = 0;
        File.WriteAllText(file, Requests(700));
        string[] settings = [$"sources.files.0.path={file}", "sources.files.0.follow=true", @"sources.files.0.key=\[(?<key>r\d+)\]"];
        await using (DaemonProcess first = await DaemonProcess.StartAsync(state, settings))
        {
            await first.UntilScoredAsync(2_800);
            await first.UntilAsync(() => Task.FromResult(File.Exists(Path.Combine(state, "MANIFEST-0000000002"))), "saved");
            await Task.Delay(1_500, Cancellation);
            await first.KillAsync();
        }

        File.WriteAllText(file, "");
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(state, settings);
        await daemon.UntilAsync(async () => (await daemon.GetAsync("/api/v1/status")).GetProperty("books").GetProperty("queued").GetInt64() == 0, "ready");
        File.AppendAllText(file, Requests(20) + string.Concat(Enumerable.Range(0, 15).Select(i => Line(2_890 + i, $"ERROR disk sda{i} failed with code 5"))));
        await daemon.UntilAsync(
            async () => (await daemon.GetAsync("/api/v1/incidents")).GetProperty("incidents").GetArrayLength() > 0, "told of");
        await daemon.UntilSettledAsync("live");

        JsonElement incident = (await daemon.GetAsync("/api/v1/incidents")).GetProperty("incidents")[0];
        Assert.Equal(("app", "log"), (incident.GetProperty("stream").GetString(), incident.GetProperty("kind").GetString()));
        Assert.Contains("ERROR disk <*> failed with code <num>", incident.GetProperty("template").GetString()!.Replace("sda0", "<*>", StringComparison.Ordinal), StringComparison.Ordinal);
        JsonElement stream = (await daemon.GetAsync("/api/v1/streams/app")).GetProperty("state");
        Assert.Equal("active", stream.GetProperty("lifecycle").GetString());
        Assert.True((await daemon.GetAsync("/api/v1/status")).GetProperty("books").GetProperty("balances").GetBoolean());

        string Requests(int count) => string.Concat(Enumerable.Range(0, count).Select(_ =>
        {
            int key = request++;
            return string.Concat(((string[])["GET /shop/basket began", "user 42 is known", "SELECT took 3 ms", "answered 200"])
                .Select((text, step) => Line(4 * key + step, $"INFO [r{key}] {text}")));
        }));

        string Line(int second, string text) => $"{start.AddSeconds(second):yyyy-MM-dd'T'HH:mm:ss'Z'} {text}\n";
    }

    [Fact]
    public async Task Log_lines_come_over_http_too()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);

        Assert.Equal(HttpStatusCode.Accepted, await PostAsync("?format=log&stream=shop/app&key=r%5Cd%2B"));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("?format=log"));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("?format=xml&stream=a"));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("?format=log&stream=a&key=("));

        // Counted as scored, they are on their way to the page.
        await daemon.UntilScoredAsync(2);
        await daemon.UntilAsync(
            async () => (await daemon.Http.GetAsync("/api/v1/streams/shop/app", Cancellation)).IsSuccessStatusCode, "the stream is on the page");
        JsonElement stream = (await daemon.GetAsync("/api/v1/streams/shop/app")).GetProperty("state");
        Assert.Equal(("learning", "INFO <key> has ended"), (stream.GetProperty("lifecycle").GetString(), stream.GetProperty("template").GetString()));

        async Task<HttpStatusCode> PostAsync(string query)
        {
            using var content = new StringContent("2026-05-01T10:00:00Z INFO r1 began\n2026-05-01T10:00:01Z INFO r1 has ended\n", Encoding.UTF8, "text/plain");
            using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations" + query, content, Cancellation);
            return answer.StatusCode;
        }
    }
}
