using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

public sealed class LifecycleTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_the_host_source_this_computer_shows_at_least_forty_streams()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the host source reads Linux's /proc");
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "sources.host.enabled=true");

        await daemon.UntilAsync(async () => (await daemon.GetAsync("/api/v1/streams")).GetProperty("total").GetInt32() >= 40, "forty streams");
    }

    [Fact]
    public async Task Http_answers_per_line_and_takes_what_is_good()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);

        (HttpStatusCode status, JsonElement answer) = await PostAsync(daemon, "application/x-ndjson",
            "{\"stream\":\"a\",\"value\":1}\n{\"stream\":\"a\",\"value\":\"x\"}\nnonsense\n{\"stream\":\"a\",\"value\":2}\n");
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Equal((2, 2), (answer.GetProperty("accepted").GetInt32(), answer.GetProperty("rejected").GetInt32()));
        Assert.Equal([2, 3], answer.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("line").GetInt32()));
        Assert.Contains("field value: \"x\", expected a number", answer.GetProperty("errors")[0].GetProperty("detail").GetString(), StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(daemon, "text/plain", "cpu,host=h value=3\n")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(daemon, "text/csv", "timestamp,x\n2026-01-01,3\n")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(daemon, "application/json", "{\"stream\":\"a\",\"value\":4}")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(daemon, "application/x-www-form-urlencoded", "{\"stream\":\"a\",\"value\":5}")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(daemon, "application/json", "{\"value\":4}")).Status);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync(daemon, "image/png", "x")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync(daemon, "text/csv", new string('x', 4_300_000))).Status);

        await daemon.UntilScoredAsync(6);
        JsonElement books = (await daemon.GetAsync("/api/v1/status")).GetProperty("books");
        Assert.Equal((9, 6, 3, 0), (Figure("received"), Figure("scored"), Figure("rejected"), Figure("queued")));
        Assert.Contains("field stream is missing", File.ReadAllText(Path.Combine(directory.Path, "dead-letters.ndjson")), StringComparison.Ordinal);

        long Figure(string name) => books.GetProperty(name).GetInt64();
    }

    [Fact]
    public async Task Metrics_balance_in_every_scrape_and_name_what_they_promise()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);
        Task posting = Task.Run(async () =>
        {
            for (int i = 0; i < 40; i++)
            {
                await daemon.PostAsync("s" + i % 4, Enumerable.Range(0, 250).Select(value => (double)value), DateTimeOffset.UtcNow.AddHours(-9).AddSeconds(250 * i));
            }
        }, Cancellation);

        while (!posting.IsCompleted)
        {
            Dictionary<string, double> scrape = await ScrapeAsync(daemon);
            Assert.Equal(
                Sum(scrape, "streamlstm_observations_received_total"),
                Sum(scrape, "streamlstm_observations_scored_total") + Sum(scrape, "streamlstm_observations_rejected_total")
                    + Sum(scrape, "streamlstm_observations_queued"));
        }

        await posting;
        await daemon.UntilScoredAsync(10_000);
        Dictionary<string, double> last = await ScrapeAsync(daemon);
        Assert.Equal(10_000, Sum(last, "streamlstm_observations_received_total"));

        foreach (string name in (string[])["streamlstm_score_duration_seconds_count", "streamlstm_pipeline_latency_seconds_count", "streamlstm_channel_depth", "streamlstm_channel_capacity", "streamlstm_streams", "streamlstm_model_version", "streamlstm_sink_published"])
        {
            Assert.Contains(last.Keys, key => key.StartsWith(name, StringComparison.Ordinal));
        }

        Assert.DoesNotContain(last.Keys, key => key.Contains("\"s1\"", StringComparison.Ordinal));

        // Percentiles can be told from it: a batch takes milliseconds, and what parts them is there.
        double[] bounds = [.. last.Keys.Where(key => key.StartsWith("streamlstm_pipeline_latency_seconds_bucket", StringComparison.Ordinal))
            .Select(key => key.Split("le=\"")[1].Split('"')[0]).Where(bound => bound != "+Inf").Select(bound => double.Parse(bound, CultureInfo.InvariantCulture)).Order()];
        Assert.True(bounds.Count(bound => bound is > 0.0005 and < 0.1) >= 5, string.Join(' ', bounds));
    }

    [Fact]
    public async Task The_retrainer_swaps_a_better_model_in_and_later_scores_name_it()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            directory.Path, "retrain.first_after=4s", "retrain.shadow=0s", "retrain.period=4s", "retrain.windows_min=20");
        DateTimeOffset start = DateTimeOffset.UtcNow.AddDays(-1);

        for (int stream = 0; stream < 6; stream++)
        {
            await daemon.PostAsync($"s{stream}", Series.Daily(stream, 1200), start);
        }

        await daemon.UntilAsync(async () => (await daemon.GetAsync("/api/v1/models")).GetProperty("serving").GetInt64() >= 1, "swapped");
        await daemon.PostAsync("s0", [20], start.AddSeconds(1200));
        await daemon.UntilScoredAsync(7201);

        JsonElement models = await daemon.GetAsync("/api/v1/models");
        JsonElement swap = models.GetProperty("swaps")[0];
        Assert.True(swap.GetProperty("candidate_loss").GetDouble() < swap.GetProperty("champion_loss").GetDouble());
        Assert.True(File.Exists(Path.Combine(directory.Path, "models", swap.GetProperty("sha256").GetString() + ".safetensors")));
        Assert.InRange((await daemon.GetAsync("/api/v1/streams/s0")).GetProperty("state").GetProperty("model_version").GetInt64(), 1, 100);
        Assert.True((await daemon.GetAsync("/api/v1/status")).GetProperty("books").GetProperty("balances").GetBoolean());
    }

    [Fact]
    public async Task A_taken_http_port_and_a_taken_directory_end_it_with_the_way_out()
    {
        using var directory = new TemporaryDirectory();
        using var other = new TemporaryDirectory();
        await using DaemonProcess first = await DaemonProcess.StartAsync(directory.Path);

        await using DaemonProcess sameDirectory = await DaemonProcess.StartAsync(directory.Path);
        Assert.Equal(1, await sameDirectory.ExitAsync());
        Assert.Contains("in use by another streamlstm", sameDirectory.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", sameDirectory.Output, StringComparison.Ordinal);

        await using DaemonProcess samePort = await DaemonProcess.StartAsync(other.Path, $"http.port={first.HttpPort}");
        Assert.Equal(1, await samePort.ExitAsync());
        Assert.Contains($"http.port: {first.HttpPort} is taken", samePort.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", samePort.Output, StringComparison.Ordinal);

        await using DaemonProcess sameBroker = await DaemonProcess.StartAsync(other.Path, $"sources.mqtt_embedded.port={first.MqttPort}");
        await sameBroker.UntilAsync(
            () => Task.FromResult(sameBroker.Output.Contains($"sources.mqtt_embedded.port: {first.MqttPort} is taken", StringComparison.Ordinal)), "on the next port");
    }

    [Fact]
    public async Task A_file_that_ends_ends_the_daemon_when_nothing_else_is_configured()
    {
        using var directory = new TemporaryDirectory();
        string file = Path.Combine(directory.Path, "boiler.csv");
        File.WriteAllText(file, "timestamp,temperature\n" + string.Concat(
            Series.Daily(1, 500).Select((value, row) => FormattableString.Invariant($"{1_700_000_000 + row},{value}\n"))));

        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            Path.Combine(directory.Path, "state"), "sources.mqtt_embedded.enabled=false", "sources.http.enabled=false", $"sources.files.0.path={file}");

        Assert.Equal(0, await daemon.ExitAsync());
        Assert.Contains("received 500 = scored 500", daemon.Output, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Status, JsonElement Answer)> PostAsync(DaemonProcess daemon, string type, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8);
        content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(type);
        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations", content, Cancellation);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation)).RootElement);
    }

    private static async Task<Dictionary<string, double>> ScrapeAsync(DaemonProcess daemon)
    {
        string text = await daemon.Http.GetStringAsync("/metrics", Cancellation);
        return text.Split('\n')
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('}', 2) is [var name, var rest] ? (Name: name, Tail: rest) : (Name: line.Split(' ')[0], Tail: line[line.IndexOf(' ', StringComparison.Ordinal)..]))
            .ToDictionary(
                line => line.Name,
                line => double.Parse(line.Tail.Trim().Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture));
    }

    private static double Sum(Dictionary<string, double> scrape, string name) =>
        scrape.Where(entry => entry.Key.StartsWith(name, StringComparison.Ordinal)).Sum(entry => entry.Value);
}
