using System.Net.Http.Json;
using System.Text.Json;
using InfluxDB.Client;
using InfluxDB.Client.Core.Exceptions;
using StreamLstm.IntegrationTests.Support;
using WritePrecision = InfluxDB.Client.Api.Domain.WritePrecision;

namespace StreamLstm.IntegrationTests.Agents;

/// <summary>Agents and clients that people run feed the daemon with nothing but its URL and a token: Debian's Prometheus, InfluxDB's clients of both versions.</summary>
public sealed class AgentTests : IDisposable
{
    private const string Token = "sender-0123456789abcdef", Admin = "admin-0123456789abcdef";

    private static readonly string[] Doors =
        [$"http.tokens.0.token={Token}", "http.tokens.0.role=ingest", $"http.tokens.1.token={Admin}", "http.tokens.1.role=admin", "sources.mqtt_embedded.enabled=false"];

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Prometheus_writes_what_it_scrapes_and_a_target_that_dies_ends_its_series()
    {
        string prometheus = Parts.Require("prometheus", "prometheus");
        const string python = "/usr/bin/python3";
        int port = DaemonProcess.FreePort(), target = DaemonProcess.FreePort();
        string served = Directory.CreateDirectory(Path.Combine(_directory.Path, "served")).FullName;
        await File.WriteAllTextAsync(
            Path.Combine(served, "metrics"),
            "demo_total 5\nrequest_seconds_bucket{le=\"1\"} 2\nrequest_seconds_bucket{le=\"+Inf\"} 3\nrequest_seconds_sum 1.5\nrequest_seconds_count 3\n",
            TestContext.Current.CancellationToken);
        await using DaemonProcess daemon = await StartAsync();
        string file = Path.Combine(_directory.Path, "prometheus.yml");
        await File.WriteAllTextAsync(
            file,
            $$"""
            global: {scrape_interval: 1s}
            scrape_configs: [{job_name: demo, static_configs: [{targets: ['127.0.0.1:{{target}}']}]}]
            remote_write: [{url: 'http://127.0.0.1:{{daemon.HttpPort}}/api/v1/write', authorization: { credentials: '{{Token}}' }, queue_config: {batch_send_deadline: 500ms} }]
            """,
            TestContext.Current.CancellationToken);
        string stream = $"demo/instance=127.0.0.1:{target}/";

        using (Running dying = Running.Start(python, "-m", "http.server", $"{target}", "--bind", "127.0.0.1", "--directory", served))
        {
            using Running writing = Running.Start(
                prometheus, $"--config.file={file}", $"--storage.tsdb.path={_directory.Path}/tsdb", $"--web.listen-address=127.0.0.1:{port}");
            await daemon.UntilAsync(async () => await CountAsync(daemon, stream + "demo_total") >= 3, "three samples of the target");
            string[] streams = await StreamsAsync(daemon);
            Assert.Contains(stream + "request_seconds_sum", streams);
            Assert.Contains(stream + "up", streams);
            Assert.DoesNotContain(streams, name => name.Contains("_bucket", StringComparison.Ordinal));

            dying.Dispose();
            await daemon.UntilAsync(
                async () => (await daemon.GetAsync("/api/v1/status")).GetProperty("left_out").EnumerateArray().Any(one => one.GetProperty("last").GetString()!.EndsWith("the series has ended", StringComparison.Ordinal)),
                "an end of a series");

            // Nothing of what it sent was refused.
            string itself = await daemon.Http.GetStringAsync($"http://127.0.0.1:{port}/metrics", TestContext.Current.CancellationToken);
            Assert.Contains(itself.Split('\n'), line => line.StartsWith("prometheus_remote_storage_samples_failed_total{", StringComparison.Ordinal) && line.EndsWith(" 0", StringComparison.Ordinal));
        }

        await AssertBooksAsync(daemon);
    }

    [Fact]
    public async Task What_promtool_dumps_and_what_it_was_made_of_are_the_same_observations_in_every_door()
    {
        string promtool = Parts.Require("promtool", "prometheus");
        const int Rows = 600;
        DateTimeOffset start = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 7200);
        string exposed = Path.Combine(_directory.Path, "plant.om"), blocks = Path.Combine(_directory.Path, "blocks"), dump = Path.Combine(_directory.Path, "dump.txt");
        await File.WriteAllTextAsync(
            exposed,
            "# HELP boiler_celsius How hot it is.\n# TYPE boiler_celsius gauge\n"
            + string.Concat(Enumerable.Range(0, Rows).Select(row => string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"boiler_celsius{{instance=\"pi:9100\",job=\"plant\",place=\"C:\\\\a \\\"b\\\"\"}} {20 + (row % 7)} {start.AddSeconds(row).AddMilliseconds(789).ToUnixTimeMilliseconds() / 1e3:F3}\n")))
            + "# TYPE jobs counter\n" + string.Concat(Enumerable.Range(0, Rows).Select(row => $"jobs_total{{job=\"plant\"}} {row} {start.AddSeconds(row).ToUnixTimeSeconds()}\n")) + "# EOF\n",
            TestContext.Current.CancellationToken);
        (int code, string said) = await Command.RunAsync(promtool, "tsdb", "create-blocks-from", "openmetrics", exposed, blocks);
        Assert.True(code == 0, said);
        Directory.CreateDirectory(Path.Combine(blocks, "wal"));   // asked for, though there is none
        (code, string dumped) = await Command.RunAsync(promtool, "tsdb", "dump", blocks);
        Assert.True(code == 0, dumped);
        Assert.StartsWith("{__name__=", dumped, StringComparison.Ordinal);
        await File.WriteAllTextAsync(dump, dumped, TestContext.Current.CancellationToken);

        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            Directory.CreateDirectory(Path.Combine(_directory.Path, "data")).FullName, $"sources.files.0.path={dump}", "sources.mqtt_embedded.enabled=false");
        await daemon.UntilScoredAsync(2 * Rows);
        Assert.Equal(["plant/instance=pi:9100/boiler_celsius/place=C:\\a \"b\"", "plant/jobs_total"], (await StreamsAsync(daemon)).Order());

        // The same once more, as it was exposed: the same names and times, so all of it is known.
        using var content = new StringContent(await File.ReadAllTextAsync(exposed, TestContext.Current.CancellationToken), null, "application/openmetrics-text");
        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations?wait=scored", content, TestContext.Current.CancellationToken);
        JsonElement counts = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal((2 * Rows, 0, 2 * Rows), (counts.GetProperty("accepted").GetInt32(), counts.GetProperty("scored").GetInt32(), counts.GetProperty("rejected_by_scoring").GetInt32()));
        Assert.DoesNotContain("conflict", counts.ToString(), StringComparison.Ordinal);

        // What the daemon itself answers a scrape with, as curl sends it.
        using var itself = new StringContent(await daemon.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken), null, "text/plain");
        using HttpResponseMessage taken = await daemon.Http.PostAsync("/api/v1/observations", itself, TestContext.Current.CancellationToken);
        JsonElement own = await taken.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(0, own.GetProperty("rejected").GetInt32());
        Assert.InRange(own.GetProperty("accepted").GetInt32(), 50, 5_000);
        await AssertBooksAsync(daemon);

        foreach (string file in (string[])[dump, exposed])
        {
            string results = Path.Combine(_directory.Path, "results-" + Path.GetFileName(file));
            (code, said) = await Command.RunAsync("dotnet", typeof(StreamLstm.Daemon.Commands.CommandLine).Assembly.Location, "backtest", file, "--out", results);
            Assert.True(code == 0, said);
            Assert.Equal((2 * Rows) + 1, File.ReadLines(Path.Combine(results, Path.GetFileName(file) + ".csv")).Count());
        }
    }

    [Fact]
    public async Task The_client_of_InfluxDB_1_writes_by_name_and_password_and_hears_of_a_bad_line()
    {
        const string python = "/usr/bin/python3";
        Parts.RequireFile("/usr/lib/python3", "line_protocol.py", "python3-influxdb");
        await using DaemonProcess daemon = await StartAsync();
        string script = $$"""
            from influxdb import InfluxDBClient
            from influxdb.exceptions import InfluxDBClientError
            client = InfluxDBClient('127.0.0.1', {{daemon.HttpPort}}, 'telegraf', '{{Token}}', 'plant')
            print(client.ping())
            client.create_database('plant')
            print(client.write_points([{'measurement': 'boiler', 'tags': {'site': 'hamburg', 'unit': 'a'}, 'fields': { 'flow': 1.5, 'state': 'open' } }]))
            try:
                client.write(['boiler flow=oops'], {'db': 'plant'}, protocol='line')
            except InfluxDBClientError as error:
                print(error)
            """;

        (int code, string said) = await Command.RunAsync(python, "-c", script);

        Assert.Equal(0, code);
        string[] lines = said.TrimEnd().Split('\n');
        Assert.StartsWith("streamlstm-", lines[0], StringComparison.Ordinal);
        Assert.Equal("True", lines[1]);
        Assert.Contains("400: ", lines[2], StringComparison.Ordinal);
        Assert.Contains("field flow: 'oops', expected a number", lines[2].Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        await daemon.UntilAsync(async () => await CountAsync(daemon, "plant/boiler/site=hamburg/unit=a/flow") == 1, "the stream");
        await AssertBooksAsync(daemon);
    }

    [Fact]
    public async Task The_client_of_InfluxDB_2_writes_by_token_and_hears_of_a_bad_line()
    {
        await using DaemonProcess daemon = await StartAsync();
        using var client = new InfluxDBClient($"http://127.0.0.1:{daemon.HttpPort}", Token);
        WriteApiAsync writing = client.GetWriteApiAsync();

        Assert.True(await client.PingAsync());
        await writing.WriteRecordsAsync(["boiler,site=hamburg flow=1.5 1777636800", "boiler,site=hamburg flow=1.6 1777636801"], WritePrecision.S, "plant", "us", TestContext.Current.CancellationToken);
        BadRequestException refused = await Assert.ThrowsAsync<BadRequestException>(
            () => writing.WriteRecordAsync("boiler flow=oops", WritePrecision.S, "plant", "us", TestContext.Current.CancellationToken));

        Assert.Contains("field flow: 'oops', expected a number", refused.Message, StringComparison.Ordinal);
        await daemon.UntilAsync(async () => await CountAsync(daemon, "plant/boiler/site=hamburg/flow") == 2, "both values");
        using var stranger = new InfluxDBClient($"http://127.0.0.1:{daemon.HttpPort}", "other-0123456789abcdef");
        await Assert.ThrowsAsync<UnauthorizedException>(
            () => stranger.GetWriteApiAsync().WriteRecordAsync("boiler flow=1", WritePrecision.S, "plant", "us", TestContext.Current.CancellationToken));
        await AssertBooksAsync(daemon);
    }

    private async Task<DaemonProcess> StartAsync()
    {
        DaemonProcess daemon = await DaemonProcess.StartAsync(Directory.CreateDirectory(Path.Combine(_directory.Path, "data")).FullName, Doors);
        daemon.Http.DefaultRequestHeaders.Authorization = new("Bearer", Admin);
        return daemon;
    }

    private static async Task<string[]> StreamsAsync(DaemonProcess daemon) =>
        [.. (await daemon.GetAsync("/api/v1/streams?limit=1000")).GetProperty("streams").EnumerateArray().Select(stream => stream.GetProperty("stream").GetString()!)];

    /// <summary>How many observations a stream has; 0 where there is none of that name.</summary>
    private static async Task<int> CountAsync(DaemonProcess daemon, string stream)
    {
        using HttpResponseMessage answer = await daemon.Http.GetAsync($"/api/v1/streams/{stream}", TestContext.Current.CancellationToken);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("points").GetArrayLength() : 0;
    }

    private static async Task AssertBooksAsync(DaemonProcess daemon)
    {
        JsonElement books = (await daemon.GetAsync("/api/v1/status")).GetProperty("books");
        Assert.Equal(Figure("received"), Figure("scored") + Figure("rejected") + Figure("queued"));

        long Figure(string name) => books.GetProperty(name).GetInt64();
    }
}
