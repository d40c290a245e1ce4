using System.Net;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

public sealed class RepeatedRequestTests
{
    // Without times: sent again they would be other observations.
    private const string Lines = "{\"stream\":\"boiler\",\"value\":1}\nnonsense\n{\"stream\":\"boiler\",\"value\":2}\n";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_key_is_answered_as_before_and_counts_nothing_twice_even_over_a_kill()
    {
        using var directory = new TemporaryDirectory();
        string first;

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "storage.snapshot_interval=1h"))
        {
            (HttpStatusCode status, first) = await PostAsync(daemon, "/api/v1/observations", Lines, "key-1");
            Assert.Equal(HttpStatusCode.Accepted, status);
            Assert.Equal((2, 1), (Number(first, "accepted"), Number(first, "rejected")));
            Assert.Equal((HttpStatusCode.Accepted, first), await PostAsync(daemon, "/api/v1/observations", Lines, "key-1"));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(daemon, "/api/v1/observations", "{\"stream\":\"boiler\",\"value\":3}", "key-1")).Status);
            Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(daemon, "/api/v1/observations", Lines, new string('k', 257))).Status);
            await daemon.KillAsync();
        }

        // From the journal, then from a snapshot.
        for (int life = 0; life < 2; life++)
        {
            await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
            Assert.Equal((HttpStatusCode.Accepted, first), await PostAsync(again, "/api/v1/observations", Lines, "key-1"));
            Assert.Equal(2, (await again.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64());
            Assert.Equal(0, await again.TerminateAsync());
        }
    }

    [Fact]
    public async Task Who_waits_for_the_scores_is_answered_200_with_their_counts()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);

        for (int tries = 0; tries < 2; tries++)
        {
            (HttpStatusCode status, string answer) = await PostAsync(daemon, "/api/v1/observations?wait=scored", Lines, "key-2");
            Assert.Equal((HttpStatusCode.OK, 2, 2, 0), (status, Number(answer, "accepted"), Number(answer, "scored"), Number(answer, "alerts")));
        }

        // The books are settled a moment after the answer.
        await daemon.UntilScoredAsync(2);
        DateTimeOffset old = DateTimeOffset.UtcNow.AddHours(-1);
        (_, string late) = await PostAsync(daemon, "/api/v1/observations?wait=scored", $"{{\"stream\":\"boiler\",\"timestamp\":\"{old:O}\",\"value\":1}}", key: null);
        Assert.Equal((0, 1), (Number(late, "scored"), Number(late, "rejected_by_scoring")));
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(daemon, "/api/v1/observations?wait=forever", Lines, key: null)).Status);
    }

    [Fact]
    public async Task Why_scoring_refused_some_of_a_request_is_answered_again_after_a_kill_and_after_a_stop()
    {
        using var directory = new TemporaryDirectory();
        DateTimeOffset time = DateTimeOffset.UtcNow.AddHours(-1);
        string lines = string.Concat(new[] { (10, 1), (10, 2), (5, 3), (11, 4) }
            .Select(one => $"{{\"stream\":\"boiler\",\"timestamp\":\"{time.AddSeconds(one.Item1):O}\",\"value\":{one.Item2}}}\n"));
        string first;

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "storage.snapshot_interval=1h"))
        {
            (_, first) = await PostAsync(daemon, "/api/v1/observations?wait=scored", lines, "key-3");
            JsonElement reasons = JsonDocument.Parse(first).RootElement.GetProperty("rejected_by_reason");
            Assert.Equal([("conflict", 1), ("late", 1)], reasons.EnumerateObject().Select(one => (one.Name, one.Value.GetInt32())).Order());
            await daemon.KillAsync();
        }

        // From the journal, then from a snapshot, then from one that was made of a snapshot.
        for (int life = 0; life < 3; life++)
        {
            await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
            Assert.Equal((HttpStatusCode.OK, first), await PostAsync(again, "/api/v1/observations?wait=scored", lines, "key-3"));
            Assert.Equal(0, await again.TerminateAsync());
        }
    }

    private static int Number(string answer, string name) => JsonDocument.Parse(answer).RootElement.GetProperty(name).GetInt32();

    private static async Task<(HttpStatusCode Status, string Answer)> PostAsync(DaemonProcess daemon, string path, string body, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, null, "application/x-ndjson") };

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using HttpResponseMessage answer = await daemon.Http.SendAsync(request, Cancellation);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }
}
