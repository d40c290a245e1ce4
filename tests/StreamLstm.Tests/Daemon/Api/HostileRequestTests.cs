using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Api;

/// <summary>Whatever is asked of any route, it is answered without a fault, and the books balance.</summary>
/// <remarks>STREAMLSTM_TEST_REQUESTS=100000 sends as many.</remarks>
public sealed class HostileRequestTests : IAsyncLifetime
{
    private static readonly int Requests = int.Parse(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_REQUESTS") ?? "1500", CultureInfo.InvariantCulture);

    private HostedDaemon? _daemon;

    public async ValueTask InitializeAsync() => _daemon = await HostedDaemon.StartAsync(
        "limits.streams=50", "detection.form=lean", "limits.dead_letters_mib=1");

    public ValueTask DisposeAsync() => _daemon!.DisposeAsync();

    [Fact]
    public async Task No_request_is_answered_by_a_fault_and_the_books_balance()
    {
        for (int seed = 0; seed < Requests; seed++)
        {
            var input = new HostileInput(seed);
            using HttpRequestMessage request = Request(input);
            using HttpResponseMessage answer = await _daemon!.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            // The feed never ends.
            string said = request.RequestUri!.OriginalString.Contains("/api/v1/live", StringComparison.Ordinal) ? "" : await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True((int)answer.StatusCode < 500 || answer.StatusCode == HttpStatusCode.ServiceUnavailable, $"seed {seed}: {request.Method} {request.RequestUri}: {(int)answer.StatusCode} {said}");
        }

        JsonElement books;

        do
        {
            books = JsonDocument.Parse(await _daemon!.Http.GetStringAsync("/api/v1/status", TestContext.Current.CancellationToken)).RootElement.GetProperty("books");
        }
        while (books.GetProperty("queued").GetInt64() > 0);

        Assert.True(books.GetProperty("balances").GetBoolean());
        Assert.Equal(books.GetProperty("received").GetInt64(), books.GetProperty("scored").GetInt64() + books.GetProperty("rejected").GetInt64());
        Assert.True(books.GetProperty("received").GetInt64() > 0);
    }

    [Theory]
    [InlineData("/api/v1/history/a?until=0001-01-01T00:00:00Z", 200, "\"scores\":[]")]
    [InlineData("/api/v1/history/a?since=0001-01-01T00:00:00Z&until=9999-12-31T00:00:00Z", 200, "\"scores\":[]")]
    [InlineData("/api/v1/odd?since=0001-01-01T00:00:00Z&until=9999-12-31T00:00:00Z", 200, "\"streams\":[]")]
    [InlineData("/api/v1/odd?since=9999-12-31T00:00:00Z&until=0001-01-01T00:00:00Z", 200, "\"streams\":[]")]
    [InlineData("/api/v1/incidents?grouped=true&label=odd", 400, "query parameter label: 'odd', expected one of none, false_alarm, real")]
    [InlineData("/api/v1/incidents?grouped=true&state=odd", 400, "query parameter state: 'odd', expected one of open, closed")]
    [InlineData("/api/v1/incidents?grouped=true&members=0", 400, "query parameter members: 0, expected 1 to 100")]
    [InlineData("/api/v1/incidents/x", 404, "incident 'x' is not known")]
    [InlineData("/api/v1/streams?show=odd", 400, "query parameter show: 'odd', expected one of all, incidents, warming, silent, favourites")]
    [InlineData("/api/v1/odd?cells=0", 400, "query parameter cells: 0, expected 1 to 500")]
    [InlineData("/api/v1/history/a?until=soon", 400, "query parameter until: 'soon', expected a time such as 2026-05-01T10:00:00Z")]
    [InlineData("/api/v1/history/a?limit=99999999999", 400, "query parameter limit: '99999999999', expected a whole number")]
    [InlineData("/api/v1/streams?lifecycle=odd", 400, "query parameter lifecycle: 'odd', expected one of learning, calibrating")]
    [InlineData("/api/v1/incidents?grouped=perhaps", 400, "query parameter grouped: 'perhaps', expected true or false")]
    public async Task A_question_that_cannot_be_understood_is_told_what_was_expected(string path, int status, string expected)
    {
        using HttpResponseMessage answer = await _daemon!.Http.GetAsync(path, TestContext.Current.CancellationToken);
        string said = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(expected, JsonDocument.Parse(said).RootElement.TryGetProperty("error", out JsonElement error) ? error.GetString() : said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded", "not json", 400, "no observation in it, expected JSON such as")]
    [InlineData("application/x-www-form-urlencoded", "1111111111", 400, "no observation in it, expected JSON such as")]
    [InlineData("application/json", "{\"stream\":\"a\",\"value\":1}\n{\"stream\":\"a\",\"value\":2}\n", 202, "\"accepted\":2")]
    [InlineData("application/json", "{\n\"stream\":\"a\",\"value\":1}\n", 202, "\"accepted\":1")]
    [InlineData("application/json", "[1,1,1]", 400, "1 and 2 further items in an array, expected objects")]
    [InlineData("text/csv", "time,a\n", 202, "\"accepted\":0")]
    public async Task A_body_is_taken_for_what_it_is_or_told_what_was_expected(string type, string body, int status, string expected)
    {
        using var content = new StringContent(body, null, type);
        using HttpResponseMessage answer = await _daemon!.Http.PostAsync("/api/v1/observations", content, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(expected, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_that_send_a_byte_now_and_then_keep_nobody_out()
    {
        Uri address = _daemon!.Http.BaseAddress!;
        var slow = new List<System.Net.Sockets.TcpClient>();

        for (int i = 0; i < 256; i++)
        {
            var client = new System.Net.Sockets.TcpClient();
            slow.Add(client);
            await client.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync(
                Encoding.ASCII.GetBytes($"POST /api/v1/observations HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{"),
                TestContext.Current.CancellationToken);
        }

        // Their places are asked for again and again: within the second that a body may take, all are given away by.
        HttpStatusCode status;

        do
        {
            using var content = new StringContent("{\"stream\":\"a\",\"value\":1}", null, "application/json");
            using HttpResponseMessage answer = await _daemon!.Http.PostAsync("/api/v1/observations", content, TestContext.Current.CancellationToken);
            status = answer.StatusCode;
        }
        while (status == HttpStatusCode.TooManyRequests);

        Assert.Equal(HttpStatusCode.Accepted, status);
        using var said = new StreamReader(slow[0].GetStream());
        Assert.Contains("408", await said.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        slow.ForEach(client => client.Dispose());
    }

    private static HttpRequestMessage Request(HostileInput input)
    {
        string Word() => Uri.EscapeDataString(input.Leaf().Replace("\\ud800", "\ufffd", StringComparison.Ordinal));
        string Query(params string[] names) => string.Join('&', names.Where(_ => input.Next(2) == 0).Select(name => $"{name}={Word()}"));
        (HttpMethod method, string path) = input.Next(3) > 0
            ? (HttpMethod.Post, $"/api/v1/observations?{Query("format", "precision", "prefix", "stream", "key")}")
            : input.Next(16) switch
            {
                0 => (HttpMethod.Get, $"/api/v1/history/{Word()}?{Query("since", "until", "limit")}"),
                1 => (HttpMethod.Get, $"/api/v1/explain?{Query("stream", "at")}"),
                2 => (HttpMethod.Get, $"/api/v1/streams?{Query("filter", "lifecycle", "show", "order", "tree", "open", "favourite", "hide", "near", "limit", "offset")}"),
                3 => (HttpMethod.Get, $"/api/v1/streams/{Word()}"),
                4 => (HttpMethod.Get, $"/api/v1/incidents?{(input.Next(2) == 0 ? "grouped=true&" : "")}{Query("stream", "filter", "state", "label", "since", "order", "members", "limit", "offset")}"),
                5 => (HttpMethod.Get, $"/api/v1/labels?{Query("limit", "offset")}"),
                6 => (HttpMethod.Get, $"/api/v1/live?{Query("stream")}"),
                7 => (HttpMethod.Post, "/api/v1/labels"),
                8 => (HttpMethod.Delete, $"/api/v1/labels/{Word()}"),
                9 => (HttpMethod.Post, "/api/v1/maintenance"),
                10 => (HttpMethod.Delete, $"/api/v1/maintenance/{Word()}"),
                11 => (HttpMethod.Post, $"/api/v1/streams/{Word()}/accept"),
                12 => (HttpMethod.Get, $"/api/v1/odd?{Query("since", "until", "cells", "under", "filter", "limit")}"),
                13 => (HttpMethod.Post, $"/api/v1/incidents/{Word()}/acknowledgement"),
                14 => (HttpMethod.Delete, $"/api/v1/incidents/{Word()}/acknowledgement"),
                _ => (HttpMethod.Delete, $"/api/v1/streams/{Word()}"),
            };
        var request = new HttpRequestMessage(method, path);

        if (method == HttpMethod.Post)
        {
            request.Content = new ByteArrayContent(input.Text());
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(
                input.Of("application/json", "application/json", "application/x-ndjson", "text/plain", "text/csv", "application/x-www-form-urlencoded", "image/png"));

            if (input.Next(6) == 0)
            {
                request.Content.Headers.ContentEncoding.Add("gzip");
            }

            if (input.Next(6) == 0)
            {
                request.Headers.TryAddWithoutValidation("Idempotency-Key", input.Of("a", "b", new string('c', 300), "d"));
            }
        }

        return request;
    }
}
