using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Decoding.Agents;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Decoding.Agents;

/// <summary>The same metrics as protobuf and as JSON become the same streams; what OpenTelemetry's own exporter sends is tried on the daemon.</summary>
public sealed class OtlpDecoderTests
{
    private const ulong At = 1_777_636_800_000_000_000;   // 2026-05-01 12:00

    private static readonly string[] Resource = ["service.name", "host.name"];
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly string[] Expected =
    [
        "shop/host.name=pi/load/cpu=0/up=true = 1.5", "shop/host.name=pi/load = -3", "shop/host.name=pi/orders/path=/a%3D1/zone=a,2 = 7",
        "shop/host.name=pi/seconds/count = 4", "shop/host.name=pi/seconds/mean = 2.5", "shop/host.name=pi/seconds.total/count = 4", "shop/host.name=pi/seconds.total/sum = 10",
        "shop/host.name=pi/size/count = 2", "shop/host.name=pi/size/sum = 6", "shop/host.name=pi/old/count = 1", "shop/host.name=pi/old/sum = 3", "shop/host.name=pi/old/quantile=0.5 = 3",
    ];

    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Now)));

    [Fact]
    public void As_protobuf()
    {
        byte[] time = Proto.Fixed(3, At);
        byte[] request = Proto.Message(
            1,
            Scope(
                Proto.Message(2, Proto.Text(1, "load"), Proto.Message(5,
                    Proto.Message(1, Attribute(7, "up", Proto.Number(2, 1)), Attribute(7, "cpu", Proto.Number(3, 0)), time, Proto.Double(4, 1.5)),
                    Proto.Message(1, time, Proto.Fixed(6, unchecked((ulong)-3))),
                    Proto.Message(1, time, Proto.Double(4, 9), Proto.Number(8, 1)),
                    Proto.Message(1, time, Proto.Double(4, double.NaN)))),
                Proto.Message(2, Proto.Text(1, "orders"), Proto.Message(7,
                    Proto.Message(1, Attribute(7, "zone", Proto.Message(5, Proto.Message(1, Proto.Text(1, "a")), Proto.Message(1, Proto.Number(3, 2)))), Attribute(7, "path", Proto.Text(1, "/a=1")), time, Proto.Fixed(6, 7)),
                    Proto.Number(2, 2), Proto.Number(3, 1))),
                Proto.Message(2, Proto.Text(1, "seconds"), Proto.Message(9, Proto.Message(1, time, Proto.Fixed(4, 4), Proto.Double(5, 10)), Proto.Number(2, 1))),
                Proto.Message(2, Proto.Text(1, "seconds.total"), Proto.Message(9, Proto.Message(1, time, Proto.Fixed(4, 4), Proto.Double(5, 10)), Proto.Number(2, 2))),
                Proto.Message(2, Proto.Text(1, "size"), Proto.Message(10, Proto.Message(1, time, Proto.Fixed(4, 2), Proto.Double(5, 6)), Proto.Number(2, 2))),
                Proto.Message(2, Proto.Text(1, "old"), Proto.Message(11, Proto.Message(1, time, Proto.Fixed(4, 1), Proto.Double(5, 3), Proto.Message(6, Proto.Double(1, .5), Proto.Double(2, 3)))))),

            // Behind what it is of: the order of fields is anybody's.
            Proto.Message(1, Attribute(1, "host.name", Proto.Text(1, "pi")), Attribute(1, "process.pid", Proto.Number(3, 12)), Attribute(1, "service.name", Proto.Text(1, "shop"))));

        OtlpDecoder.Decode(request, Resource, _decoded);

        AssertRead();

        static byte[] Scope(params byte[][] metrics) => Proto.Message(2, metrics);
        static byte[] Attribute(int field, string name, byte[] value) => Proto.Message(field, Proto.Text(1, name), Proto.Bytes(2, value));
    }

    [Fact]
    public void As_json()
    {
        OtlpJsonDecoder.Decode(
            Encoding.UTF8.GetBytes("""
            {"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"host.name","value":{"stringValue":"pi"}}]},"scopeMetrics":[{"metrics":[
              {"name":"load","gauge":{"dataPoints":[
                {"attributes":[{"key":"up","value":{"boolValue":true}},{"key":"cpu","value":{"intValue":"0"}}],TIME,"asDouble":1.5},
                {TIME,"asInt":"-3"},{TIME,"asDouble":9,"flags":1},{TIME,"asDouble":"NaN"}]}},
              {"name":"orders","sum":{"dataPoints":[{"attributes":[{"key":"zone","value":{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":2}]}}},{"key":"path","value":{"stringValue":"/a=1"}}],TIME,"asInt":7}],"aggregationTemporality":2,"isMonotonic":true}},
              {"name":"seconds","histogram":{"dataPoints":[{TIME,"count":"4","sum":10}],"aggregationTemporality":1}},
              {"name":"seconds.total","histogram":{"dataPoints":[{TIME,"count":"4","sum":10}],"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE"}},
              {"name":"size","exponentialHistogram":{"dataPoints":[{TIME,"count":2,"sum":6}],"aggregationTemporality":2}},
              {"name":"old","summary":{"dataPoints":[{TIME,"count":1,"sum":3,"quantileValues":[{"quantile":0.5,"value":3}]}]}}]}]}]}
            """.Replace("TIME", "\"timeUnixNano\":\"1777636800000000000\"", StringComparison.Ordinal)),
            Resource,
            _decoded);

        AssertRead();
    }

    [Theory]
    [InlineData("{}", "no resourceMetrics, expected an ExportMetricsServiceRequest")]
    [InlineData("not json", "expected JSON of an ExportMetricsServiceRequest")]
    [InlineData("""{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{}]}}]}]}]}""", "data point 1: a: no value, expected as_double or as_int")]
    [InlineData("""{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{"asInt":1}]}}]}]}]}""", "data point 1: a metric without a name")]
    public void What_is_wrong_is_said(string json, string expected)
    {
        OtlpJsonDecoder.Decode(Encoding.UTF8.GetBytes(json), Resource, _decoded);

        Assert.Contains(expected, Assert.Single(_decoded.Errors).Detail, StringComparison.Ordinal);
        Assert.Empty(_decoded.Observations);
    }

    private void AssertRead()
    {
        Assert.Empty(_decoded.Errors);
        Assert.All(_decoded.Observations, observation => Assert.Equal(Now, observation.Time));
        Assert.Equal(Expected, _decoded.Observations.Select(observation => FormattableString.Invariant($"{observation.Stream} = {observation.Value}")));
        Assert.Equal(["Missing", "NotFinite"], _decoded.LeftOut.TakeFields().Select(field => field.Reason.ToString()));
    }
}
