using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Snappier;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Sources;

/// <summary>The routes under which agents send, answered as they expect: OpenTelemetry by its own exporter, the others by what their protocols say.</summary>
public sealed class AgentRouteTests : IAsyncLifetime
{
    private const string Sender = "sender-0123456789abcdef";

    private static readonly long Seconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private HostedDaemon? _daemon;

    public async ValueTask InitializeAsync() => _daemon = await HostedDaemon.StartAsync(
        $"http.tokens.0.token={Sender}", "http.tokens.0.role=ingest", "http.tokens.1.token=admin-0123456789abcdef", "http.tokens.1.role=admin", "sources.http.body_max_bytes=20000");

    public ValueTask DisposeAsync() => _daemon!.DisposeAsync();

    [Theory]
    [InlineData("/write?db=telegraf&precision=s")]
    [InlineData("/api/v2/write?bucket=telegraf&org=o&precision=s")]
    public async Task Lines_are_answered_204_without_a_body_once_they_are_taken(string route)
    {
        using HttpResponseMessage answer = await LinesAsync(route, $"cpu,host=pi idle=1,busy=2i {Seconds}\n", zipped: true);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["telegraf/cpu/host=pi/busy", "telegraf/cpu/host=pi/idle"], await StreamsAsync(2));
    }

    [Fact]
    public async Task A_partial_write_says_which_lines_were_dropped_and_the_others_are_taken()
    {
        using HttpResponseMessage one = await LinesAsync("/write?db=d", $"a v=1\nb v=x\nc v=2\n"), two = await LinesAsync("/api/v2/write?bucket=d", "oops\n");
        JsonElement first = await JsonAsync(one), second = await JsonAsync(two);

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (one.StatusCode, two.StatusCode));
        Assert.Equal("partial write: 2 values written, 1 lines or fields dropped: line 2: field v: 'x', expected a number, a boolean or a quoted string", first.GetProperty("error").GetString());
        Assert.Equal(first.GetProperty("error").GetString(), Assert.Single(one.Headers.GetValues("X-Influxdb-Error")));
        Assert.Equal("invalid", second.GetProperty("code").GetString());
        Assert.StartsWith("unable to parse: 1 lines or fields dropped: line 1: expected measurement", second.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(["d/a/v", "d/c/v"], await StreamsAsync(2));
    }

    [Theory]
    [InlineData("/write?precision=h", null, HttpStatusCode.BadRequest, "query parameter precision: 'h', expected ns, us, ms or s")]
    [InlineData("/api/v2/write", "zstd", HttpStatusCode.UnsupportedMediaType, "header Content-Encoding: 'zstd', expected gzip, snappy or none")]
    [InlineData("/api/v2/write", "gzip", HttpStatusCode.BadRequest, "body: ")]
    [InlineData("/v1/metrics", null, HttpStatusCode.UnsupportedMediaType, "expected application/x-protobuf or application/json")]
    [InlineData("/api/v1/write", null, HttpStatusCode.UnsupportedMediaType, "expected application/x-protobuf with Content-Encoding snappy")]
    public async Task What_cannot_be_read_at_all_is_refused_with_what_was_expected(string route, string? encoding, HttpStatusCode status, string expected)
    {
        using var content = new StringContent("a v=1", null, "text/plain");
        content.Headers.ContentEncoding.Add(encoding ?? "identity");
        using HttpResponseMessage answer = await SendAsync(route, content);

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(expected, (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("snappy")]
    public async Task The_limit_holds_for_what_is_unpacked(string encoding)
    {
        byte[] large = new byte[1_000_000];
        using var content = new ByteArrayContent(encoding == "gzip" ? Zipped(large) : Snappy.CompressToArray(large));
        content.Headers.ContentEncoding.Add(encoding);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using HttpResponseMessage answer = await SendAsync("/api/v1/write", content);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("body of more than 20000 bytes (sources.http.body_max_bytes)", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Remote_write_of_both_versions_is_taken_and_damage_is_not_sent_again()
    {
        byte[] sample = Proto.Message(2, Proto.Double(1, 1), Proto.Number(2, 1000 * Seconds));
        byte[] one = Proto.Message(1, Proto.Message(1, Proto.Text(1, "__name__"), Proto.Text(2, "up")), sample);
        byte[] two = [.. Proto.Text(4, "__name__"), .. Proto.Text(4, "down"), .. Proto.Message(5, Proto.Bytes(1, [0, 1]), sample)];

        using HttpResponseMessage first = await RemoteWriteAsync(one, "application/x-protobuf");
        using HttpResponseMessage second = await RemoteWriteAsync(two, "application/x-protobuf;proto=io.prometheus.write.v2.Request");
        using HttpResponseMessage damaged = await RemoteWriteAsync([1, 2, 3], "application/x-protobuf");

        Assert.Equal(HttpStatusCode.NoContent, first.StatusCode);
        Assert.Equal("1", Assert.Single(second.Headers.GetValues("X-Prometheus-Remote-Write-Samples-Written")));
        Assert.Equal(HttpStatusCode.BadRequest, damaged.StatusCode);
        Assert.StartsWith("0 samples taken, 1 series or samples not: series 0: ", await damaged.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(["down", "up"], await StreamsAsync(2));
    }

    [Fact]
    public async Task OpenTelemetrys_own_exporter_feeds_it()
    {
        using var meter = new Meter("shop");
        Counter<long> orders = meter.CreateCounter<long>("orders");
        Histogram<double> seconds = meter.CreateHistogram<double>("seconds");
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter("shop")
            .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService("shop", autoGenerateServiceInstanceId: false).AddAttributes([new("host.name", "pi")]))
            .AddOtlpExporter((exporter, reader) =>
            {
                exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
                exporter.Endpoint = new Uri(_daemon!.Http.BaseAddress!, "/v1/metrics");
                exporter.Headers = $"Authorization=Bearer {Sender}";
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 60_000;
            })
            .Build();

        orders.Add(3, new KeyValuePair<string, object?>("zone", "eu"));
        seconds.Record(.25);

        Assert.True(provider.ForceFlush());
        Assert.Equal(["shop/host.name=pi/orders/zone=eu", "shop/host.name=pi/seconds/count", "shop/host.name=pi/seconds/sum"], await StreamsAsync(3));
    }

    [Theory]
    [InlineData("application/json", """{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"asInt":1},{}]}}]}]}]}""", HttpStatusCode.OK,
        """{"partialSuccess":{"rejectedDataPoints":"1","errorMessage":"data point 2: a: no value, expected as_double or as_int"}}""")]
    [InlineData("application/json", """{"resourceMetrics":[]}""", HttpStatusCode.OK, "{}")]
    [InlineData("application/json", "[]", HttpStatusCode.BadRequest, "\"code\":3,\"message\":\"data point 0: no resourceMetrics, expected")]
    [InlineData("application/x-protobuf", "\u000a\u0000", HttpStatusCode.OK, "")]
    [InlineData("application/x-protobuf", "\u000a\u0009", HttpStatusCode.BadRequest, "a field of 9 bytes, of which 0 are there, expected an ExportMetricsServiceRequest")]
    public async Task Otlp_is_answered_in_what_it_was_sent_in(string type, string body, HttpStatusCode status, string expected)
    {
        using var content = new StringContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using HttpResponseMessage answer = await SendAsync("/v1/metrics", content);
        string said = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Replace("\\u0022", "\"", StringComparison.Ordinal);

        Assert.Equal((status, type), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Contains(expected, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Token", Sender, "", HttpStatusCode.NoContent)]
    [InlineData("Basic", $"telegraf:{Sender}", "", HttpStatusCode.NoContent)]
    [InlineData("Basic", $"{Sender}:", "", HttpStatusCode.Unauthorized)]
    [InlineData("", "", $"u=telegraf&p={Sender}", HttpStatusCode.NoContent)]
    [InlineData("", "", "u=telegraf&p=other-0123456789abcdef", HttpStatusCode.Unauthorized)]
    [InlineData("Token", "other-0123456789abcdef", $"p={Sender}", HttpStatusCode.Unauthorized)]
    public async Task A_token_is_shown_as_agents_show_it(string scheme, string shown, string query, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/write?{query}") { Content = new StringContent("a v=1") };
        request.Headers.Authorization = scheme.Length == 0 ? null
            : new AuthenticationHeaderValue(scheme, scheme == "Basic" ? Convert.ToBase64String(Encoding.UTF8.GetBytes(shown)) : shown);
        using HttpResponseMessage answer = await _daemon!.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, answer.StatusCode);
    }

    [Fact]
    public async Task Agents_that_ask_whether_it_is_there_or_create_their_database_are_answered()
    {
        using HttpResponseMessage ping = await _daemon!.Http.GetAsync("/ping", TestContext.Current.CancellationToken);
        JsonElement health = await _daemon.Http.GetFromJsonAsync<JsonElement>("/health", TestContext.Current.CancellationToken);
        using HttpResponseMessage created = await SendAsync("/query?q=CREATE+DATABASE+%22telegraf%22", new StringContent("")), asked = await SendAsync("/query?q=SELECT+1", new StringContent(""));

        Assert.Equal((HttpStatusCode.NoContent, "pass"), (ping.StatusCode, health.GetProperty("status").GetString()));
        Assert.Equal("""{"results":[{"statement_id":0}]}""", await created.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.BadRequest, asked.StatusCode);
    }

    private Task<HttpResponseMessage> RemoteWriteAsync(byte[] message, string type)
    {
        var content = new ByteArrayContent(Snappy.CompressToArray(message));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        content.Headers.ContentEncoding.Add("snappy");
        return SendAsync("/api/v1/write", content);
    }

    private Task<HttpResponseMessage> LinesAsync(string route, string lines, bool zipped = false)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(lines);
        var content = new ByteArrayContent(zipped ? Zipped(bytes) : bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain") { CharSet = "utf-8" };

        if (zipped)
        {
            content.Headers.ContentEncoding.Add("gzip");
        }

        return SendAsync(route, content);
    }

    private async Task<HttpResponseMessage> SendAsync(string route, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, route) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Sender);
        return await _daemon!.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>The names of all streams, once so many were scored and the books balance.</summary>
    private async Task<string[]> StreamsAsync(int scored)
    {
        while (true)
        {
            JsonElement status = await ReadAsync("/api/v1/status");
            JsonElement books = status.GetProperty("books");

            if (books.GetProperty("scored").GetInt64() >= scored)
            {
                Assert.Equal(books.GetProperty("received").GetInt64(), books.GetProperty("scored").GetInt64() + books.GetProperty("rejected").GetInt64() + books.GetProperty("queued").GetInt64());
                JsonElement streams = await ReadAsync("/api/v1/streams");
                return [.. streams.GetProperty("streams").EnumerateArray().Select(stream => stream.GetProperty("stream").GetString()!).Order(StringComparer.Ordinal)];
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private async Task<JsonElement> ReadAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "admin-0123456789abcdef");
        using HttpResponseMessage answer = await _daemon!.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return await JsonAsync(answer);
    }

    private static Task<JsonElement> JsonAsync(HttpResponseMessage answer) => answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

    private static byte[] Zipped(byte[] bytes)
    {
        using var buffer = new MemoryStream();

        using (var zip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            zip.Write(bytes);
        }

        return buffer.ToArray();
    }
}
