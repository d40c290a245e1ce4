using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Sources;

/// <summary>What was read and is not scored is in the answer where that is known by then, in the counts of who waits for scores, and among the dead letters.</summary>
public sealed class RefusedLaterTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private HostedDaemon? _daemon;

    public async ValueTask InitializeAsync() => _daemon = await HostedDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon!.DisposeAsync();

    [Fact]
    public async Task What_no_stream_would_take_is_answered_at_once_and_the_rest_is_taken()
    {
        (HttpStatusCode status, JsonElement answer) = await PostAsync(
            "", $"{Row("a", Now, "1")}\n{Row("a", Now.AddHours(2), "2")}\n{Row("b", Now, "1e30")}\n{Row(new string('n', 300), Now, "1")}\n");

        Assert.Equal((HttpStatusCode.Accepted, 1, 3), (status, answer.GetProperty("accepted").GetInt32(), answer.GetProperty("rejected").GetInt32()));
        Assert.Equal(["future", "bad_value", "bad_stream_name"], answer.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("reason").GetString()));
        Assert.StartsWith($"stream a: timestamp {Now.AddHours(2):O}, expected at most five minutes behind ", answer.GetProperty("errors")[0].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("stream b: value 1E+30, expected a finite number within 1e20", answer.GetProperty("errors")[1].GetProperty("detail").GetString());
        JsonElement[] letters = await LettersAsync(3);
        Assert.Equal(["future", "bad_value", "bad_stream_name"], letters.Select(letter => letter.GetProperty("reason").GetString()));
        Assert.StartsWith("{\"stream\":\"a\",\"timestamp\":", letters[0].GetProperty("payload").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync("", Row("a", Now.AddHours(2), "2"))).Status);
        await AssertBooksAsync(received: 5, scored: 1);
    }

    [Fact]
    public async Task What_its_stream_refuses_is_counted_for_who_waits_and_kept_for_everybody()
    {
        await PostAsync("", $"{Row("a", Now, "1")}\n{Row("a", Now.AddSeconds(1), "2")}\n");
        (HttpStatusCode status, JsonElement answer) = await PostAsync(
            "?wait=scored", $"{Row("a", Now.AddSeconds(1), "3")}\n{Row("a", Now, "4")}\n{Row("a", Now.AddSeconds(1), "2")}\n{Row("a", Now.AddSeconds(2), "5")}\n");

        Assert.Equal((HttpStatusCode.OK, 4, 1, 3), (status, answer.GetProperty("accepted").GetInt32(), answer.GetProperty("scored").GetInt32(), answer.GetProperty("rejected_by_scoring").GetInt32()));
        Assert.Equal("""{"duplicate":1,"conflict":1,"late":1}""", answer.GetProperty("rejected_by_reason").GetRawText());

        // The duplicate loses nothing, and is counted only.
        JsonElement[] letters = await LettersAsync(2);
        Assert.Equal([("http", "conflict"), ("http", "late")], letters.Select(letter => (letter.GetProperty("source").GetString()!, letter.GetProperty("reason").GetString()!)));
        Assert.Equal($"stream a: timestamp {Now.AddSeconds(1):O}, which the stream has with another value; the first one stands", letters[0].GetProperty("detail").GetString());
        await AssertBooksAsync(received: 6, scored: 3);
    }

    private static string Row(string stream, DateTimeOffset time, string value) => $"{{\"stream\":\"{stream}\",\"timestamp\":\"{time:O}\",\"value\":{value}}}";

    private async Task<(HttpStatusCode Status, JsonElement Answer)> PostAsync(string query, string body)
    {
        using var content = new StringContent(body, null, "application/x-ndjson");
        using HttpResponseMessage answer = await _daemon!.Http.PostAsync($"/api/v1/observations{query}", content, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken));
    }

    private async Task<JsonElement[]> LettersAsync(int count)
    {
        while (true)
        {
            string[] lines = _daemon!.Read("dead-letters.ndjson").Split('\n', StringSplitOptions.RemoveEmptyEntries);

            if (lines.Length >= count)
            {
                return [.. lines.Select(line => JsonDocument.Parse(line).RootElement)];
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private async Task AssertBooksAsync(long received, long scored)
    {
        while (true)
        {
            JsonElement books = (await _daemon!.Http.GetFromJsonAsync<JsonElement>("/api/v1/status", TestContext.Current.CancellationToken)).GetProperty("books");

            if (books.GetProperty("queued").GetInt64() == 0)
            {
                Assert.Equal((received, scored, received - scored), (books.GetProperty("received").GetInt64(), books.GetProperty("scored").GetInt64(), books.GetProperty("rejected").GetInt64()));
                return;
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
