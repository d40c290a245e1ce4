using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Decoding;

public sealed class DecoderTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Now)));

    [Theory]
    [InlineData("""{"stream":"a","timestamp":"2026-05-01T10:00:00Z","value":1.5}""")]
    [InlineData("""{"stream":"a","time":"2026-05-01T12:00:00+02:00","value":1.5}""")]
    [InlineData("""{"stream":"a","ts":1777629600,"value":1.5}""")]
    [InlineData("""{"stream":"a","ts":1777629600000,"value":1.5}""")]
    [InlineData("""{"stream":"a","ts":1777629600000000,"value":1.5}""")]
    [InlineData("""{"stream":"a","ts":1777629600000000000,"value":1.5}""")]
    public void Json_times_are_read_in_every_unit(string json)
    {
        Json(json);

        Assert.Equal([new Observation("a", Now.AddHours(-2), 1.5)], _decoded.Observations);
    }

    [Theory]
    [InlineData("2026-05-01T10:00:00.123456789Z")]
    [InlineData("2026-05-01T10:00:00,123456789Z")]
    [InlineData("2026-05-01T12:00:00.123456789+02:00")]
    [InlineData("2026-05-01 10:00:00.1234567")]
    [InlineData("2026-05-01 10:00:00,123456789")]
    [InlineData("2026/05/01 10:00:00.1234567")]
    [InlineData("20260501T100000.1234567Z")]
    public void A_finer_time_than_100_nanoseconds_is_cut_and_a_comma_is_a_point(string text)
    {
        Json($$"""{"stream":"a","time":"{{text}}","value":1.5}""");

        Assert.Equal([new Observation("a", Now.AddHours(-2).AddTicks(1_234_567), 1.5)], _decoded.Observations);
    }

    [Theory]
    [InlineData("20260501100000", true)]
    [InlineData("1777629600", true)]
    [InlineData("20261301100000", false)]
    [InlineData("2026-05-01T10:00:00.12x", false)]
    public void Fourteen_digits_that_are_a_date_are_one(string text, bool isTime)
    {
        Assert.Equal(isTime, Timestamps.TryParse(text, out DateTimeOffset time) && time == Now.AddHours(-2));
    }

    [Theory]
    [InlineData("date,time,co\n2026-05-01,10:00:00,1.5\n", "meter/co")]
    [InlineData("time,co,date\n10:00:00.0,1.5,2026/05/01\n", "meter/co")]
    [InlineData("entity_id,state,last_changed\nsensor.boiler,1.5,2026-05-01T10:00:00.000Z\n", "meter/sensor.boiler")]
    [InlineData("Series;Time;Value\nboiler;2026-05-01 10:00:00;1.5\n", "meter/boiler")]
    public async Task Csv_with_a_date_apart_from_the_time_of_day_or_in_long_form_is_read(string text, string stream)
    {
        await Text(text, TextFormat.Csv, "meter");

        Assert.Equal([new Observation(stream == "meter/co" ? "meter" : stream, Now.AddHours(-2), 1.5)], _decoded.Observations);
        Assert.Empty(_decoded.Errors);
    }

    [Fact]
    public async Task A_state_beside_a_name_is_a_column_of_a_wide_file()
    {
        await Text("time,name,state,temperature\n2026-05-01T10:00:00Z,7,1,20.5\n", TextFormat.Csv, "");

        Assert.Equal([("name", 7.0), ("state", 1.0), ("temperature", 20.5)], _decoded.Observations.Select(o => (o.Stream, o.Value)));
    }

    [Fact]
    public async Task A_date_and_a_time_of_day_that_are_no_time_are_named_together()
    {
        await Text("date,time,co\n2026-05-01,noon,1.5\n", TextFormat.Csv, "meter");

        Assert.Equal($"column date and time: '2026-05-01 noon', expected {Timestamps.Expectation}", Assert.Single(_decoded.Errors).Detail);
    }

    [Fact]
    public void A_json_object_of_values_becomes_one_stream_each()
    {
        Json("""{"stream":"dev1","timestamp":"2026-05-01T10:00:00Z","values":{"temp":1,"hum":2,"name":"x","gone":null}}""");

        Assert.Equal(["dev1/temp", "dev1/hum"], _decoded.Observations.Select(o => o.Stream));
    }

    [Fact]
    public void Under_a_topic_a_number_and_a_flat_object_are_enough()
    {
        JsonDecoder.Decode("71.3"u8.ToArray(), 1, "plant/boiler", _decoded);
        JsonDecoder.Decode("""{"temp":1,"ts":1777629600}"""u8.ToArray(), 1, "plant/boiler", _decoded);

        Assert.Equal([("plant/boiler", 71.3), ("plant/boiler/temp", 1)], _decoded.Observations.Select(o => (o.Stream, o.Value)));
        Assert.Equal(Now.AddHours(-2), _decoded.Observations[1].Time);
    }

    [Fact]
    public void Records_without_a_time_never_get_the_same_one()
    {
        Json("""[{"stream":"a","value":1},{"stream":"a","value":2},{"stream":"a","value":3}]""");

        Assert.Equal(3, _decoded.Observations.Select(o => o.Time).Distinct().Count());
        Assert.All(_decoded.Observations, o => Assert.InRange(o.Time, Now, Now.AddMilliseconds(1)));
    }

    [Theory]
    [InlineData("""{"stream":"a","value":"warm"}""", "field value: \"warm\", expected a number")]
    [InlineData("""{"stream":5,"value":7}""", "field stream: 5, expected a string")]
    [InlineData("""{"value":7}""", "field stream is missing")]
    [InlineData("""{"stream":"a"}""", "field value is missing")]
    [InlineData("""{"stream":"a","time":"soon","value":7}""", "field time: \"soon\", expected an RFC 3339 time")]
    [InlineData("""{"stream":"a","values":3}""", "field values: 3, expected an object of numbers")]
    [InlineData("[1]", "1 in an array, expected objects")]
    [InlineData("nonsense", "not valid JSON")]
    [InlineData("", "not valid JSON")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "not valid JSON")]
    public void Bad_json_is_refused_with_field_value_and_expectation(string json, string expected)
    {
        Json(json);

        Assert.Empty(_decoded.Observations);
        Assert.Contains(expected, Assert.Single(_decoded.Errors).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Line_protocol_fields_become_streams_named_by_measurement_and_tags()
    {
        Influx("""weather,location=us\ midwest,sensor=a\,b temp=82.5,hum=7i,wet=t,note="x y=z, 5" 1777629600000000000""");

        Assert.Equal(
            [("weather/location=us midwest/sensor=a,b/temp", 82.5), ("weather/location=us midwest/sensor=a,b/hum", 7), ("weather/location=us midwest/sensor=a,b/wet", 1)],
            _decoded.Observations.Select(o => (o.Stream, o.Value)));
        Assert.All(_decoded.Observations, o => Assert.Equal(Now.AddHours(-2), o.Time));
    }

    [Theory]
    [InlineData("cpu value=abc", "field value: 'abc', expected a number")]
    [InlineData("cpu", "expected measurement")]
    [InlineData("cpu,host value=1", "tag 'host', expected tag=value")]
    [InlineData("cpu value", "field 'value', expected field=value")]
    [InlineData("cpu value=1 yesterday", "timestamp 'yesterday', expected a whole number")]
    public void Bad_line_protocol_is_refused_by_part(string line, string expected)
    {
        Influx(line);

        Assert.Empty(_decoded.Observations);
        Assert.Contains(expected, Assert.Single(_decoded.Errors).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wide_csv_gives_a_stream_per_column_and_skips_empty_cells()
    {
        await Text("timestamp,temp,hum\n2026-05-01 10:00:00,1,2\n2026-05-01 10:01:00,,3\n", TextFormat.Auto, "dev");

        Assert.Equal([("dev/temp", 1.0), ("dev/hum", 2.0), ("dev/hum", 3.0)], _decoded.Observations.Select(o => (o.Stream, o.Value)));
        Assert.Equal(Now.AddHours(-2), _decoded.Observations[0].Time);
    }

    [Fact]
    public async Task Long_csv_takes_the_stream_from_its_column()
    {
        await Text("time;sensor;value\n1777629600;a;1\n1777629600;\"b;c\";2.5\n", TextFormat.Csv, "");

        Assert.Equal([("a", 1.0), ("b;c", 2.5)], _decoded.Observations.Select(o => (o.Stream, o.Value)));
    }

    [Fact]
    public async Task A_bad_csv_cell_names_line_column_and_value_and_loses_nothing_else()
    {
        await Text("timestamp,a,b\n2026-04-30,0,0\n2026-05-01,1,x\nsoon,1,2\n2026-05-02,3\n2026-05-03,4,5\n", TextFormat.Auto, "");

        Assert.Equal([0, 0, 1, 4, 5], _decoded.Observations.Select(o => o.Value));
        Assert.Equal(
            [
                (3, "column b: 'x', expected a number"),
                (4, $"column timestamp: 'soon', expected {Timestamps.Expectation}"),
                (5, "2 columns, expected 3"),
            ],
            _decoded.Errors.Select(error => (error.Line, error.Detail)));
    }

    [Theory]
    [InlineData("{\"stream\":\"a\",\"value\":1}", "Ndjson")]
    [InlineData("cpu,host=a value=1", "Influx")]
    [InlineData("timestamp,value", "Csv")]
    [InlineData("2026-05-01 10:00:00,3", "Csv")]
    [InlineData("# HELP go_goroutines Number of goroutines.", "Prometheus")]
    [InlineData("node_load1 0.21", "Prometheus")]
    [InlineData("up{instance=\"a:9100\",job=\"node\"} 1 1777629600000", "Prometheus")]
    [InlineData("{__name__=\"up\", job=\"node\"} 1 1777629600000", "Prometheus")]
    [InlineData("{\"up\", job=\"node\"} 1", "Prometheus")]
    [InlineData("{\"up\": 1}", "Ndjson")]
    [InlineData("Sensor 1", "Csv")]
    [InlineData("node_load1,host=a value=1", "Influx")]
    public void The_first_line_tells_the_format(string line, string expected) =>
        Assert.Equal(expected, TextDecoder.FormatOf(line).ToString());

    [Fact]
    public void No_bytes_make_a_decoder_throw()
    {
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            var decoded = new Decoded(new IngestStamp(TimeProvider.System));
            JsonDecoder.Decode(bytes, 1, "p", decoded);
            InfluxLineDecoder.Decode(Encoding.UTF8.GetString(bytes), 1, 1, decoded);
            new CsvRowDecoder(["timestamp", "a"], "p").Decode(Encoding.UTF8.GetString(bytes).Split(','), 1, decoded);
        });
    }

    [Fact]
    public async Task No_text_makes_the_reader_throw()
    {
        string[] parts = ["\"", ",", "\n", "{", "}", "=", " ", "a", "1", "stream", ":", "\r\n", "\0", ";", "e9"];
        await Gen.Int[0, parts.Length - 1].Select(i => parts[i]).Array[0, 40].SampleAsync(async pieces =>
        {
            var decoded = new Decoded(new IngestStamp(TimeProvider.System));
            using var reader = new StringReader(string.Concat(pieces));
            await TextDecoder.DecodeAsync(
                reader, TextFormat.Auto, "p", decoded, 1, _ => default, TestContext.Current.CancellationToken);
        });
    }

    private void Json(string json) => JsonDecoder.Decode(Encoding.UTF8.GetBytes(json), 1, "", _decoded);

    private void Influx(string line) => InfluxLineDecoder.Decode(line, 1, InfluxLineDecoder.NanosecondsPerSecond, _decoded);

    private async Task Text(string text, TextFormat format, string prefix)
    {
        using var reader = new StringReader(text);
        await TextDecoder.DecodeAsync(
            reader, format, prefix, _decoded, 1, _ => default, TestContext.Current.CancellationToken);
    }
}
