using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Decoding.Agents;
using StreamLstm.Detection;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Decoding.Agents;

/// <summary>Messages of remote write, byte by byte; what Prometheus itself sends is tried in the integration tests.</summary>
public sealed class RemoteWriteDecoderTests
{
    private const ulong EndMarker = 0x7ff0000000000002;

    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Now)));

    [Fact]
    public void A_series_is_a_stream_of_its_job_its_instance_its_metric_and_its_labels_in_their_order()
    {
        Decode(Series([Label("mode", "idle"), Label("job", "node"), Label("__name__", "node_cpu_seconds_total"), Label("cpu", "0"), Label("instance", "pi:9100")], Sample(1.5), Sample(2.5, 1)));

        Assert.Equal(
            [new Observation("node/instance=pi:9100/node_cpu_seconds_total/cpu=0/mode=idle", Now, 1.5), new Observation("node/instance=pi:9100/node_cpu_seconds_total/cpu=0/mode=idle", Now.AddSeconds(1), 2.5)],
            _decoded.Observations);
    }

    [Theory]
    [InlineData("up", "up")]
    [InlineData("job=a up", "a/up")]
    [InlineData("instance=i up", "instance=i/up")]
    [InlineData("up b=2 a=1 empty=", "up/a=1/b=2")]
    [InlineData("up path=/var/lib", "up/path=/var/lib")]
    [InlineData("up a=1/b=2", "up/a=1/b%3D2")]
    public void No_two_series_have_one_name(string labels, string stream)
    {
        Decode(Series([.. labels.Split(' ').Select(label => label.Split('=', 2) is [var name, var value] ? Label(name, value) : Label("__name__", label))], Sample(1)));

        Assert.Equal(stream, Assert.Single(_decoded.Observations).Stream);
    }

    [Fact]
    public void The_end_of_a_series_is_no_value_and_neither_are_buckets()
    {
        Decode(
            Series([Label("__name__", "up")], Proto.Message(2, Proto.Fixed(1, EndMarker), Proto.Number(2, Now.ToUnixTimeMilliseconds()))),
            Series([Label("__name__", "seconds_bucket"), Label("le", "0.5")], Sample(7)),
            Series([Label("__name__", "seconds_count")], Sample(9)),
            Series([Label("__name__", "ratio")], Sample(double.NaN)));

        Assert.Equal([new Observation("seconds_count", Now, 9)], _decoded.Observations);
        Assert.Empty(_decoded.Errors);
        Assert.Equal(
            [("Missing", "up: the series has ended"), ("Rule", "seconds_bucket: a bucket of a histogram, whose _sum and _count are taken"), ("NotFinite", "ratio: expected a finite number")],
            _decoded.LeftOut.TakeFields().Select(field => (field.Reason.ToString(), field.Detail)));
    }

    [Fact]
    public void A_native_histogram_is_its_count_and_its_sum()
    {
        Decode(Series([Label("__name__", "seconds")], Proto.Message(4, Proto.Number(1, 12), Proto.Double(3, 4.5), Proto.Number(15, Now.ToUnixTimeMilliseconds()))));

        Assert.Equal([new Observation("seconds/count", Now, 12), new Observation("seconds/sum", Now, 4.5)], _decoded.Observations);
    }

    [Fact]
    public void Version_2_names_labels_by_their_place_among_the_symbols()
    {
        byte[][] symbols = [.. new[] { "", "__name__", "up", "job", "node" }.Select(symbol => Proto.Text(4, symbol))];
        byte[] sample = Proto.Message(2, Proto.Double(1, 1), Proto.Number(2, Now.ToUnixTimeMilliseconds()));
        byte[] packed = Proto.Message(5, Proto.Bytes(1, [1, 2, 3, 4]), sample), apart = Proto.Message(5, Proto.Number(1, 1), Proto.Number(1, 2), sample);
        byte[] beyond = Proto.Message(5, Proto.Bytes(1, [1, 9]), sample), odd = Proto.Message(5, Proto.Bytes(1, [1, 2, 3]), sample);

        RemoteWriteDecoder.Decode([.. symbols.SelectMany(bytes => bytes), .. packed, .. apart, .. beyond, .. odd], 2, _decoded);

        Assert.Equal([new Observation("node/up", Now, 1), new Observation("up", Now, 1)], _decoded.Observations);
        Assert.Equal(
            ["series 3: label reference 9, expected one of the 5 symbols", "series 4: an odd number of label references, expected pairs of name and value"],
            _decoded.Errors.Select(error => error.Detail));
    }

    [Fact]
    public void What_is_wrong_with_a_series_is_said_and_costs_nothing_else()
    {
        byte[] good = Series([Label("__name__", "up")], Sample(1));
        byte[] late = Series([Label("__name__", "up")], Proto.Message(2, Proto.Double(1, 1), Proto.Number(2, long.MaxValue)));
        byte[] many = Series([Label("__name__", "up"), .. Enumerable.Range(0, 200).Select(i => Label($"l{i}", "x"))], Sample(1));

        RemoteWriteDecoder.Decode([.. good, .. Series([Label("job", "a")], Sample(1)), .. late, .. many, .. good, .. good[..^3]], 1, _decoded);

        Assert.Equal(2, _decoded.Observations.Count);
        Assert.Equal(
            [
                "series 2: no label __name__, expected the metric's name",
                "series 3: timestamp 9223372036854775807, expected milliseconds of the years 1000 to 8999",
                "series 4: more than 128 labels",
                "series 5: a field of 34 bytes, of which 31 are there, expected a remote write request of version 1",
            ],
            _decoded.Errors.Select(error => error.Detail));
    }

    private static byte[] Label(string name, string value) => Proto.Message(1, Proto.Text(1, name), Proto.Text(2, value));

    private static byte[] Sample(double value, int seconds = 0) => Proto.Message(2, Proto.Double(1, value), Proto.Number(2, Now.AddSeconds(seconds).ToUnixTimeMilliseconds()));

    private static byte[] Series(byte[][] labels, params byte[][] samples) => Proto.Message(1, [.. labels, .. samples]);

    private void Decode(params byte[][] series) => RemoteWriteDecoder.Decode(series.SelectMany(bytes => bytes).ToArray(), 1, _decoded);
}
