using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Sources.Host;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Decoding;

/// <summary>What every format makes of a record whose values are judged together.</summary>
public sealed class RecordTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Decoded _decoded = NewDecoded(RecordFields.Both);

    [Fact]
    public void A_json_object_of_values_is_one_record_beside_its_fields()
    {
        Json("""{"stream":"plant/boiler","timestamp":"2026-05-01T10:00:00Z","values":{"temp":1,"name":"x","hum":2,"gone":null}}""");

        Assert.Equal(["plant/boiler: temp=1 hum=2", "plant/boiler/temp: 1", "plant/boiler/hum: 2"], Shown());
        Assert.All(_decoded.Observations, observation => Assert.Equal(Now.AddHours(-2), observation.Time));
    }

    [Fact]
    public void An_mqtt_payload_of_several_fields_is_one_record_and_a_bare_number_is_none()
    {
        JsonDecoder.Decode("""{"temp":1,"hum":2,"ts":1777629600}"""u8.ToArray(), 1, "plant/boiler", _decoded);
        JsonDecoder.Decode("7"u8.ToArray(), 1, "plant/boiler2", _decoded);

        Assert.Equal(["plant/boiler: temp=1 hum=2", "plant/boiler/temp: 1", "plant/boiler/hum: 2", "plant/boiler2: 7"], Shown());
    }

    [Fact]
    public void A_line_of_several_fields_is_one_record()
    {
        InfluxLineDecoder.Decode("""plant,id=7 temp=82.5,hum=7i,wet=t,note="x" 1777629600000000000""", 1, InfluxLineDecoder.NanosecondsPerSecond, _decoded);

        Assert.Equal("plant/id=7: temp=82.5 hum=7 wet=1", Shown()[0]);
        Assert.Equal(4, _decoded.Observations.Count);
    }

    [Fact]
    public void A_wide_csv_row_is_one_record_and_a_cell_without_a_number_is_missing_in_it()
    {
        var csv = new CsvRowDecoder(["ts", "a", "b", "c"], "plant");
        csv.Decode(["1777629600", "1", "2", "3"], 2, _decoded);
        csv.Decode(["1777629601", "4", "", "x"], 3, _decoded);
        csv.Decode(["1777629602", "5", "6", "7"], 4, _decoded);

        Assert.Equal(["plant: a=1 b=2 c=3", "plant: a=4", "plant: a=5 b=6 c=7"], Shown().Where(text => text.StartsWith("plant:", StringComparison.Ordinal)));
        Assert.Contains("column c: 'x', expected a number", Assert.Single(_decoded.Errors).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Csv_without_a_name_of_its_own_and_long_csv_are_no_records()
    {
        new CsvRowDecoder(["a", "b"], "").Decode(["1", "2"], 2, _decoded);
        new CsvRowDecoder(["stream", "value"], "plant").Decode(["x", "2"], 2, _decoded);

        Assert.Equal(["a: 1", "b: 2", "plant/x: 2"], Shown());
    }

    [Fact]
    public void Fields_that_are_only_judged_together_are_no_streams_of_their_own()
    {
        Decoded decoded = NewDecoded(RecordFields.Joint);
        JsonDecoder.Decode("""{"stream":"plant","values":{"a":1,"b":2}}"""u8.ToArray(), 1, "", decoded);

        Assert.Equal("a,b", string.Join(',', Assert.Single(decoded.Observations).Record!.Columns));
    }

    [Fact]
    public void A_record_that_no_rule_names_stays_as_it_was()
    {
        Json("""{"stream":"house","values":{"a":1,"b":2}}""");

        Assert.Equal(["house/a: 1", "house/b: 2"], Shown());
    }

    [Fact]
    public void A_record_without_a_time_has_one_time_for_all_its_values()
    {
        Json("""[{"stream":"plant","values":{"a":1,"b":2}},{"stream":"plant","values":{"a":3,"b":4}}]""");

        Assert.Equal(2, _decoded.Observations.Select(observation => observation.Time).Distinct().Count());
    }

    [Fact]
    public void Records_of_the_same_columns_share_their_names()
    {
        Json("""[{"stream":"plant","values":{"a":1,"b":2}},{"stream":"plant","values":{"a":3,"b":4}},{"stream":"plant","values":{"a":5}}]""");

        ObservedRecord[] records = [.. _decoded.Observations.Select(observation => observation.Record).OfType<ObservedRecord>()];
        Assert.Same(records[0].Columns, records[1].Columns);
        Assert.Equal(["a"], records[2].Columns);
    }

    [Fact]
    public void Figures_of_this_computer_under_one_name_are_one_record()
    {
        var sample = new HostSample("h", VectorsOptions.Rules([new VectorsOptions { Streams = "h/cpu/*", Fields = RecordFields.Joint }]));
        sample.Begin(Now, 1);
        sample.Gauge("cpu/total/user", 1);
        sample.Gauge("memory/free", 5);
        sample.Gauge("memory/used", 6);
        sample.Gauge("cpu/total/system", 2);
        sample.Gauge("cpu/0/user", 3);

        Assert.Equal(["h/cpu/total: user=1 system=2", "h/memory/free: 5", "h/memory/used: 6", "h/cpu/0/user: 3"], Shown(sample.End()));
    }

    private static Decoded NewDecoded(RecordFields fields) =>
        new(new IngestStamp(new FakeTimeProvider(Now)), VectorsOptions.Rules([new VectorsOptions { Streams = "plant*", Fields = fields }]));

    private void Json(string json) => JsonDecoder.Decode(System.Text.Encoding.UTF8.GetBytes(json), 1, "", _decoded);

    private string[] Shown() => Shown(_decoded.Observations);

    private static string[] Shown(IEnumerable<Observation> observations) =>
    [
        .. observations.Select(observation => observation.Record is { } record
            ? FormattableString.Invariant($"{observation.Stream}: {string.Join(' ', record.Columns.Zip(record.Values.ToArray(), (name, value) => FormattableString.Invariant($"{name}={value}")))}")
            : FormattableString.Invariant($"{observation.Stream}: {observation.Value}")),
    ];
}
