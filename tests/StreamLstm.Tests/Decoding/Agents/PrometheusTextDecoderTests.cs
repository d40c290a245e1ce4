using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Decoding.Agents;

/// <summary>Prometheus' text line by line; what Prometheus and promtool themselves write is tried in the integration tests.</summary>
public sealed class PrometheusTextDecoderTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Then = DateTimeOffset.FromUnixTimeMilliseconds(1_520_879_607_789);

    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Now)));

    [Fact]
    public async Task A_scrape_gives_a_stream_of_each_series_and_leaves_buckets_out()
    {
        await ReadAsync("""
            # HELP node_load1 1m load average.
            # TYPE node_load1 gauge
            node_load1 0.21
            # TYPE http_request_seconds histogram
            http_request_seconds_bucket{le="0.5"} 7
            http_request_seconds_bucket{le="+Inf"} 9
            http_request_seconds_sum 1.5e+01
            http_request_seconds_count 9
            go_gc_seconds{quantile="0.5"} NaN
            """);

        Assert.Equal(["node_load1", "http_request_seconds_sum", "http_request_seconds_count"], _decoded.Observations.Select(one => one.Stream));
        Assert.Equal([0.21, 15, 9], _decoded.Observations.Select(one => one.Value));
        Assert.All(_decoded.Observations, one => Assert.InRange(one.Time, Now, Now.AddTicks(5)));
        Assert.Empty(_decoded.Errors);
        Assert.Equal([("Rule", 2), ("NotFinite", 1)], _decoded.LeftOut.Take().Select(one => (one.Reason.ToString(), one.Count)).OrderByDescending(one => one.Item2));
    }

    [Theory]
    [InlineData("up{job=\"node\",instance=\"pi:9100\"} 1 1520879607789", "node/instance=pi:9100/up")]
    [InlineData("{__name__=\"up\", instance=\"pi:9100\", job=\"node\"} 1 1520879607789", "node/instance=pi:9100/up")]
    [InlineData("# TYPE a counter\na_total{b=\"2\",a=\"1\"} 1.0 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67", "a_total/a=1/b=2")]
    [InlineData("{\"my.metric\", \"host.name\"=\"pi\"}\t1\t1520879607789", "my.metric/host.name=pi")]
    [InlineData("disk_free{path=\"C:\\\\n\\\"x\\\"\", empty=\"\",} 1 1520879607789", "disk_free/path=C:\\n\"x\"")]
    [InlineData("up { } 1 1520879607789", "up")]
    public async Task A_sample_is_read_in_each_form_with_a_time_in_milliseconds_or_seconds(string text, string stream)
    {
        await ReadAsync(text, text.StartsWith("up {", StringComparison.Ordinal) ? TextFormat.Prometheus : TextFormat.Auto);

        Assert.Empty(_decoded.Errors);
        Assert.Equal([new Observation(stream, Then, 1)], _decoded.Observations);
    }

    [Fact]
    public async Task A_native_histogram_is_its_count_and_its_sum()
    {
        await ReadAsync("{__name__=\"seconds\", job=\"a\"} {count:5, sum:7.2, [-0.5,0.5]:2, (0.5,1]:3} 1520879607789");

        Assert.Equal([new Observation("a/seconds/count", Then, 5), new Observation("a/seconds/sum", Then, 7.2)], _decoded.Observations);
    }

    [Theory]
    [InlineData("up{job=\"a\"} one 1520879607789", "up: 'one', expected a number")]
    [InlineData("up{job=\"a\"} 1 yesterday", "timestamp 'yesterday', expected milliseconds, or seconds as OpenMetrics has them")]
    [InlineData("up{job=\"a} 1", "label job without a value in quotes")]
    [InlineData("up{job} 1", "label 'job'")]
    [InlineData("up{job=\"a\" b=\"c\"} 1", "'b=\"c\"} 1' among the labels")]
    [InlineData("up{job=\"a\"", "labels without an end")]
    [InlineData("{job=\"a\"} 1", "no metric's name, expected NAME{LABEL=\"VALUE\"} VALUE [TIMESTAMP]")]
    [InlineData("7 up", "'7' is no metric's name")]
    [InlineData("up{job=\"a\"} {sum:7} 1", "'{sum:7}', expected a number, or a histogram")]
    public async Task What_is_no_sample_is_refused_by_part_and_loses_nothing_else(string line, string expected)
    {
        await ReadAsync($"# HELP up Whether it is.\n{line}\nup 1\n");

        Assert.Contains(expected, Assert.Single(_decoded.Errors).Detail, StringComparison.Ordinal);
        Assert.Equal(2, _decoded.Errors[0].Line);
        Assert.Equal("up", Assert.Single(_decoded.Observations).Stream);
    }

    private async Task ReadAsync(string text, TextFormat format = TextFormat.Auto)
    {
        using var reader = new StringReader(text);
        await TextDecoder.DecodeAsync(reader, format, "", _decoded, 1, _ => default, TestContext.Current.CancellationToken);
    }
}
