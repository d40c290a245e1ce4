using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Decoding;

public sealed class PayloadTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 18, 0, 0, TimeSpan.Zero);

    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Now)));

    [Fact]
    public void Nested_objects_and_arrays_become_the_way_to_their_numbers()
    {
        Take("""{"a":{"b":{"c":1}},"list":[2,{"d":3}],"flag":true,"quoted":"4.5","word":"closed","gone":null}""");
        Expect("t/a/b/c 1", "t/list/0 2", "t/list/1/d 3", "t/flag 1", "t/quoted 4.5", "t/word 0");
        Assert.Equal((LeftOutReason.Missing, 1), _decoded.LeftOut.Take().Select(left => (left.Reason, left.Count)).Single());
    }

    [Fact]
    public void Objects_of_an_array_are_named_by_the_field_that_is_told()
    {
        Take("""{"sensors":[{"id":"a","t":1},{"id":7,"t":2},{"t":3}]}""", new PayloadRules { ArrayKeys = ["id"] });
        Expect("t/sensors/a/t 1", "t/sensors/7/id 7", "t/sensors/7/t 2", "t/sensors/2/t 3");
    }

    [Fact]
    public void Nan_costs_its_field_alone()
    {
        Take("""{"a":NaN,"b":1,"c":-Infinity,"text NaN":"NaN \" NaN","d":2}""");
        Expect("t/b 1", "t/d 2");
        Assert.Equal(
            [(LeftOutReason.Text, 1), (LeftOutReason.Missing, 2), (LeftOutReason.NotFinite, 2)],
            _decoded.LeftOut.Take().Select(left => (left.Reason, left.Count)));
        Assert.Empty(_decoded.Errors);
    }

    [Fact]
    public void A_unit_is_taken_by_rule_only()
    {
        Take("""{"a":"21.5 °C","b":"3 bar"}""", new PayloadRules { Units = true });
        Take("21.5 C", new PayloadRules { Units = true });
        Expect("t/a 21.5", "t/b 3", "t 21.5");
        Take("""{"a":"21.5 °C"}""");
        Take("21.5 C");
        Assert.Equal(3, _decoded.Observations.Count);
        Assert.Equal(2, _decoded.Errors.Count);
    }

    [Fact]
    public void What_lies_too_deep_is_left_out_and_counted()
    {
        Take(string.Concat(Enumerable.Repeat("{\"a\":", 12)) + "1" + new string('}', 12));
        Assert.Empty(_decoded.Observations);
        Assert.Equal(LeftOutReason.TooDeep, _decoded.LeftOut.Take().Single().Reason);
    }

    [Theory]
    [InlineData("timestamp")]
    [InlineData("@timestamp")]
    [InlineData("Time")]
    [InlineData("ts")]
    [InlineData("datetime")]
    [InlineData("_time")]
    [InlineData("last_changed")]
    [InlineData("last_updated")]
    [InlineData("last_seen")]
    public void The_time_is_found_under_its_usual_names_by_every_decoder(string name)
    {
        Take($$"""{"{{name}}":"2026-11-01T00:00:09Z","a":1}""");
        new PayloadDecoder(PayloadFormat.Csv, PayloadRules.Default, []).Decode("t", "", Encoding.UTF8.GetBytes($"{name},b\n2026-11-01T00:00:09Z,2\n"), _decoded);
        Assert.Equal([("t/a", 1d), ("t", 2d)], _decoded.Observations.Select(o => (o.Stream, o.Value)));
        Assert.All(_decoded.Observations, observation => Assert.Equal(new DateTimeOffset(2026, 11, 1, 0, 0, 9, TimeSpan.Zero), observation.Time));
    }

    [Fact]
    public void Of_several_times_the_surest_counts_and_a_word_is_no_time()
    {
        Take("""{"last_seen":"2 minutes ago","a":1}""");
        Take("""{"last_changed":"2026-11-01T00:00:00Z","timestamp":"2026-11-02T00:00:00Z","a":2}""");
        Take("""{"timestamp":"yesterday","a":3}""");
        Assert.Equal([Now, new DateTimeOffset(2026, 11, 2, 0, 0, 0, TimeSpan.Zero)], _decoded.Observations.Select(o => o.Time));
        Assert.StartsWith("field timestamp: \"yesterday\", expected", Assert.Single(_decoded.Errors).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Senml_records_have_names_and_times_of_their_own()
    {
        // RFC 8428, 5.1.2 and 5.1.3
        Take("""
            [{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},
             {"n":"current","t":-4,"v":1.3},{"n":"open","vb":true},{"n":"label","vs":"kitchen"}]
            """);
        Take("""[{"bn":"x:","n":"t","v":1,"t":-10}]""");
        Expect(
            "t/urn:dev:ow:10e2073a0108006:voltage 120.1", "t/urn:dev:ow:10e2073a0108006:current 1.2", "t/urn:dev:ow:10e2073a0108006:current 1.3",
            "t/urn:dev:ow:10e2073a0108006:open 1", "t/x:t 1");
        Assert.Equal(1276020071001, _decoded.Observations[1].Time.ToUnixTimeMilliseconds());
        Assert.Equal(Now.AddSeconds(-10), _decoded.Observations[^1].Time, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_cloud_event_tells_its_data_at_its_time()
    {
        Take("""{"specversion":"1.0","type":"com.example.reading","source":"/boiler","id":"A234-1234","time":"2026-11-01T00:00:09Z","datacontenttype":"application/json","data":{"temperature":21.5,"valve":"open"}}""");
        Take("""{"specversion":"1.0","type":"x","source":"/s","id":"2","time":"2026-11-01T00:00:10Z","data":3}""");
        Expect("t/temperature 21.5", "t/valve 1", "t 3");
        Assert.Equal(new DateTimeOffset(2026, 11, 1, 0, 0, 10, TimeSpan.Zero), _decoded.Observations[^1].Time);
    }

    [Fact]
    public void Csv_comes_with_its_header_or_with_columns_told()
    {
        new PayloadDecoder(PayloadFormat.Csv, PayloadRules.Default, ["time", "a", "b"]).Decode("t", "", "2026-11-01T00:00:09Z;1;2\n2026-11-01T00:00:10Z;3;4\n"u8.ToArray(), _decoded);
        new PayloadDecoder(PayloadFormat.Csv, PayloadRules.Default, []).Decode("u", "", "a,b\n5,6\n"u8.ToArray(), _decoded);
        Expect("t/a 1", "t/b 2", "t/a 3", "t/b 4", "u/a 5", "u/b 6");
    }

    [Fact]
    public void Line_protocol_names_its_streams_itself()
    {
        new PayloadDecoder(PayloadFormat.Influx, PayloadRules.Default, []).Decode("telegraf/pi", "", "cpu,host=pi usage=12.5,ok=true 1764352770000000000\nmem,host=pi free=3i\n"u8.ToArray(), _decoded);
        Expect("cpu/host=pi/usage 12.5", "cpu/host=pi/ok 1", "mem/host=pi/free 3");
    }

    /// <summary>Bytes of every kind to every format: nothing throws, and a payload makes no more than its bytes allow.</summary>
    [Fact]
    public void No_payload_whatsoever_throws()
    {
        var random = new Random(1);
        string[] seeds = ["""{"a":{"b":[1,"2",null,true]},"time":1764352770}""", "21.5", """[{"bn":"x","v":1}]""", "a,b\n1,2", "m,t=1 f=2i 3", "\u0012\u0010\n\u0001a\u0010\u0001h\u0001"];
        string[] topics = ["t", "tele/x/SENSOR", "spBv1.0/g/NBIRTH/n", "spBv1.0/g/DDATA/n/d", "a/events/rpc", "v3/a/devices/b/up"];
        PayloadDecoder[] decoders = [.. Enum.GetValues<PayloadFormat>().Select(format => new PayloadDecoder(format, PayloadRules.Default, []))];

        for (int i = 0; i < 60_000; i++)
        {
            byte[] payload = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]);

            for (int changes = random.Next(4); changes > 0; changes--)
            {
                payload[random.Next(payload.Length)] = (byte)random.Next(256);
            }

            decoders[i % decoders.Length].Decode(topics[random.Next(topics.Length)], "", payload.AsMemory(0, random.Next(payload.Length + 1)), _decoded);
            Assert.InRange(_decoded.Observations.Count, 0, 64);
            _decoded.Observations.Clear();
            _decoded.Errors.Clear();
        }
    }

    private void Take(string payload, PayloadRules? rules = null) =>
        new PayloadDecoder(PayloadFormat.Auto, rules ?? PayloadRules.Default, []).Decode("t", "", Encoding.UTF8.GetBytes(payload), _decoded);

    private void Expect(params string[] streams) => Assert.Equal(
        streams, _decoded.Observations.Select(observation => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{observation.Stream} {observation.Value}")));
}
