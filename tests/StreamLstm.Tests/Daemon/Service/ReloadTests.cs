using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Service;

public sealed class ReloadTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_changed_is_told_with_what_waits_for_the_next_start()
    {
        await using HostedDaemon daemon = await HostedDaemon.StartAsync("limits.streams=100", "pipeline.workers=1");

        Assert.Equal(
            [
                "alerts.0.severity_min nothing critical in_force", "alerts.0.streams nothing * in_force", "limits.streams 100 7 in_force",
                "pipeline.workers 1 2 next_start", "retrain.period 15m 1h in_force",
            ],
            await ReloadAsync(daemon, "limits.streams=7", "pipeline.workers=2", "retrain.period=1h", "alerts.0.streams=*", "alerts.0.severity_min=critical"));
        Assert.Equal(["pipeline.workers 1 3 next_start"], await ReloadAsync(daemon, "limits.streams=7", "pipeline.workers=3", "retrain.period=1h", "alerts.0.streams=*", "alerts.0.severity_min=critical"));
    }

    [Fact]
    public async Task Bounds_and_rules_hold_for_what_comes_next_and_the_streams_there_go_on()
    {
        await using HostedDaemon daemon = await HostedDaemon.StartAsync();
        await PostAsync(daemon, "a", rows: 100);
        await ReloadAsync(daemon, "limits.streams=1");
        await PostAsync(daemon, "b", rows: 5);
        await PostAsync(daemon, "a", rows: 20, from: 100);

        await UntilScoredAsync(daemon, 120);
        JsonElement status = await daemon.Http.GetFromJsonAsync<JsonElement>("/api/v1/status", TestContext.Current.CancellationToken);
        Assert.Equal(5, status.GetProperty("books").GetProperty("rejected_by_reason").GetProperty("stream_limit").GetInt64());
        Assert.True(status.GetProperty("books").GetProperty("balances").GetBoolean());
    }

    [Fact]
    public async Task A_configuration_with_errors_changes_nothing_and_each_is_told()
    {
        await using HostedDaemon daemon = await HostedDaemon.StartAsync("limits.streams=100");
        daemon.Settings = ["limits.streams=many", "alerts.0.severity=3"];
        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/reload", null, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        string[] errors = [.. (await JsonOf(answer)).GetProperty("errors").EnumerateArray().Select(error => error.GetString()!)];
        Assert.Equal(2, errors.Length);
        Assert.Contains(errors, error => error.Contains("limits.streams: 'many', expected a whole number", StringComparison.Ordinal));
        JsonElement ready = await daemon.Http.GetFromJsonAsync<JsonElement>("/health/ready", TestContext.Current.CancellationToken);
        Assert.True(ready.GetProperty("ready").GetBoolean() && ready.GetProperty("degraded").GetBoolean());
        Assert.Equal(["limits.streams 100 9 in_force"], await ReloadAsync(daemon, "limits.streams=9"));
        Assert.False((await daemon.Http.GetFromJsonAsync<JsonElement>("/health/ready", TestContext.Current.CancellationToken)).GetProperty("degraded").GetBoolean());
    }

    [Fact]
    public async Task Tokens_change_without_a_start_and_are_shown_to_nobody()
    {
        const string Former = "former-0123456789abcdef", Next = "next-0123456789abcdef";
        await using HostedDaemon daemon = await HostedDaemon.StartAsync($"http.tokens.0.token={Former}", "http.tokens.0.role=admin");
        daemon.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Former);

        Assert.Equal(["http.tokens.0.token *** *** in_force"], await ReloadAsync(daemon, $"http.tokens.0.token={Next}", "http.tokens.0.role=admin"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync());
        daemon.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Next);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync());

        // Another address comes with the next start, and so do the tokens that it may do without.
        Assert.All(await ReloadAsync(daemon, "http.address=127.0.0.2"), change => Assert.EndsWith("next_start", change, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync());
        daemon.Http.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync());

        async Task<HttpStatusCode> StatusAsync()
        {
            using HttpResponseMessage answer = await daemon.Http.GetAsync("/api/v1/status", TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_file_begins_and_ends_by_the_configuration_and_goes_on_where_it_was()
    {
        string file = Path.GetTempFileName();
        string[] followed = [$"sources.files.0.path={file}", "sources.files.0.follow=true", "sources.files.0.format=csv"];

        try
        {
            await using HostedDaemon daemon = await HostedDaemon.StartAsync();
            await File.WriteAllTextAsync(file, Rows(0, 50), TestContext.Current.CancellationToken);
            await ReloadAsync(daemon, followed);
            await UntilScoredAsync(daemon, 50);
            await ReloadAsync(daemon);
            await File.AppendAllTextAsync(file, Rows(50, 80), TestContext.Current.CancellationToken);
            await ReloadAsync(daemon, followed);
            await UntilScoredAsync(daemon, 80);

            JsonElement status = await daemon.Http.GetFromJsonAsync<JsonElement>("/api/v1/status", TestContext.Current.CancellationToken);
            Assert.Equal(80, status.GetProperty("books").GetProperty("received").GetInt64());
        }
        finally
        {
            File.Delete(file);
        }

        static string Rows(int from, int to) =>
            (from == 0 ? "timestamp,value\n" : "") + string.Concat(Enumerable.Range(from, to - from).Select(row => FormattableString.Invariant($"{Start.AddSeconds(row):O},{row}\n")));
    }

    [Fact]
    public async Task A_sink_that_cannot_be_made_goes_on_as_it_was()
    {
        await using HostedDaemon daemon = await HostedDaemon.StartAsync("sinks.jsonl.enabled=true");

        Assert.Equal(
            ["sinks.jsonl.path events.jsonl /dev/null/events.jsonl refused"],
            await ReloadAsync(daemon, "sinks.jsonl.enabled=true", "sinks.jsonl.path=/dev/null/events.jsonl"));
        await PostAsync(daemon, "a", rows: 10);
        await UntilScoredAsync(daemon, 10);
        JsonElement status = await daemon.Http.GetFromJsonAsync<JsonElement>("/api/v1/status", TestContext.Current.CancellationToken);
        Assert.Single(status.GetProperty("sinks").EnumerateArray(), sink => sink.GetProperty("name").GetString() == "jsonl");

        // Nor is there a second one once it can be made.
        Assert.Equal(["sinks.jsonl.path events.jsonl others.jsonl in_force"], await ReloadAsync(daemon, "sinks.jsonl.enabled=true", "sinks.jsonl.path=others.jsonl"));
        status = await daemon.Http.GetFromJsonAsync<JsonElement>("/api/v1/status", TestContext.Current.CancellationToken);
        Assert.Single(status.GetProperty("sinks").EnumerateArray(), sink => sink.GetProperty("name").GetString() == "jsonl");
    }

    private static async Task<string[]> ReloadAsync(HostedDaemon daemon, params string[] settings)
    {
        daemon.Settings = settings;
        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/reload", null, TestContext.Current.CancellationToken);
        JsonElement said = await JsonOf(answer);
        Assert.True(answer.IsSuccessStatusCode, said.ToString());
        return
        [
            .. said.GetProperty("changed").EnumerateArray().Select(one =>
                $"{one.GetProperty("key").GetString()} {Word(one, "before")} {Word(one, "after")} {one.GetProperty("outcome").GetString()}"),
        ];

        static string Word(JsonElement one, string name) => one.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "nothing" : "nothing";
    }

    private static async Task<JsonElement> JsonOf(HttpResponseMessage answer) =>
        await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

    private static async Task PostAsync(HostedDaemon daemon, string stream, int rows, int from = 0)
    {
        string body = string.Concat(Enumerable.Range(from, rows).Select(row =>
            FormattableString.Invariant($"{{\"stream\":\"{stream}\",\"timestamp\":\"{Start.AddSeconds(row):O}\",\"value\":{row % 7}}}\n")));
        using var content = new StringContent(body, null, "application/x-ndjson");
        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations", content, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    private static async Task UntilScoredAsync(HostedDaemon daemon, long count)
    {
        for (int attempt = 0; ; attempt++)
        {
            JsonElement status = await daemon.Http.GetFromJsonAsync<JsonElement>("/api/v1/status", TestContext.Current.CancellationToken);

            if (status.GetProperty("books").GetProperty("scored").GetInt64() >= count)
            {
                return;
            }

            Assert.True(attempt < 600, status.ToString());
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
