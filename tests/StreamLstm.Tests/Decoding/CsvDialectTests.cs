using System.IO.Compression;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;

namespace StreamLstm.Tests.Decoding;

/// <summary>CSV as spreadsheets, loggers and databases export it; what could be read in two ways is refused with what to write.</summary>
public sealed class CsvDialectTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 10, 0, 0, TimeSpan.Zero);

    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Now.AddYears(1))));

    [Theory]
    [InlineData("Time;Temp [°C]\n01.05.2026 10:00:00;21,5\n", "21.5")]
    [InlineData("Time;Temp [°C]\n1.5.2026 10:00;-0,5\n", "-0.5")]
    [InlineData("timestamp (UTC)\tTemp [°C]\n2026-05-01 10:00:00\t1.234.567,25\n", "1234567.25")]
    [InlineData("timestamp [ms];Temp [°C]\n1777629600000;1 234,5\n", "1234.5")]
    [InlineData("sep=;\nTime;Temp [°C]\n2026-05-01T10:00:00Z;7\n", "7")]
    [InlineData("Time,Temp [°C]\n2026-05-01T10:00:00Z,\"7.5\"\n", "7.5")]
    public async Task Decimal_commas_units_in_headers_and_local_dates_are_read(string text, string value)
    {
        await ReadAsync(text);

        Assert.Empty(_decoded.Errors);
        Assert.Equal([("Temp [°C]", Now, double.Parse(value, System.Globalization.CultureInfo.InvariantCulture))], _decoded.Observations.Select(one => (one.Stream, one.Time, one.Value)));
    }

    [Fact]
    public async Task A_point_in_a_file_of_decimal_commas_may_stand_before_thousands_and_is_refused()
    {
        await ReadAsync("time;a\n2026-05-01;1,5\n2026-05-02;1.234\n2026-05-03;2,5\n");

        Assert.Equal([1.5, 2.5], _decoded.Observations.Select(one => one.Value));
        Assert.Equal("column a: '1.234', expected one way to write numbers, and 1,5 stood above", Assert.Single(_decoded.Errors).Detail);
    }

    [Fact]
    public async Task A_column_of_texts_is_left_out_and_a_text_below_numbers_is_an_error()
    {
        await ReadAsync("time,a,mode,b\n2026-05-01,1,auto,\n2026-05-02,2,auto,n/a\n2026-05-03,oops,manual,3\n");

        Assert.Equal([("a", 1.0), ("a", 2.0), ("b", 3.0)], _decoded.Observations.Select(one => (one.Stream, one.Value)));
        Assert.Equal("column a: 'oops', expected a number", Assert.Single(_decoded.Errors).Detail);
        Assert.Equal([(LeftOutReason.Text, 3), (LeftOutReason.Missing, 1)], _decoded.LeftOut.Take().Select(one => (one.Reason, one.Count)));
    }

    [Theory]
    [InlineData("time,host,load\n2026-05-01,pi,1\n2026-05-02,nas,9\n2026-05-03,nas,9\n", "column host holds 'pi' and 'nas': several things in one file; write columns: {stream: [host]} to tell them apart")]
    [InlineData("time,room,temp\n2026-05-01,hall,1\n2026-05-01,attic,9\n2026-05-02,attic,9\n", "column room holds 'hall' and 'attic': several things in one file; write columns: {stream: [room]} to tell them apart")]
    public async Task Rows_of_several_things_never_become_one_stream(string text, string expected)
    {
        await ReadAsync(text);

        Assert.Equal(1, Assert.Single(_decoded.Observations).Value);
        Assert.Equal([expected, expected], _decoded.Errors.Select(error => error.Detail));
    }

    [Fact]
    public async Task A_time_under_a_name_that_nobody_knows_is_not_now()
    {
        await ReadAsync("Zeit,a\n2026-05-01 10:00,1\n2026-05-01 10:01,2\n");

        Assert.Empty(_decoded.Observations);
        Assert.Equal(2, _decoded.Errors.Count);
        Assert.Equal("column Zeit holds times such as '2026-05-01 10:00', and none of the columns is known as the time; call it timestamp, or write columns: {time: Zeit}", _decoded.Errors[0].Detail);
    }

    [Theory]
    [InlineData("Wert", new[] { "Ort", "Sensor" }, "hall/t = 1.5, attic/t = 2.5")]
    [InlineData("", new[] { "Ort" }, "hall/Wert = 1.5, hall/Akku = 90, attic/Wert = 2.5, attic/Akku = 80")]
    public async Task Any_columns_are_read_as_the_user_says_they_are(string value, string[] stream, string expected)
    {
        await ReadAsync(
            "Zeit;Ort;Sensor;Wert;Akku\n01.05.2026 12:00;hall;t;1,5;90\n01.05.2026 12:00;attic;t;2,5;80\n",
            new CsvRules("Zeit", stream, value, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")));

        Assert.Empty(_decoded.Errors);
        Assert.All(_decoded.Observations, one => Assert.Equal(Now, one.Time));
        Assert.Equal(expected, string.Join(", ", _decoded.Observations.Select(one => FormattableString.Invariant($"{one.Stream} = {one.Value}"))));
    }

    [Fact]
    public async Task A_column_that_is_not_there_is_named()
    {
        await ReadAsync("time,a\n2026-05-01,1\n", CsvRules.Default with { Stream = ["Ort"] });

        Assert.Equal("no column 'Ort', which columns.stream names; the header has time, a", Assert.Single(_decoded.Errors).Detail);
    }

    [Theory]
    [InlineData(
        "#group,false,false,true,true,false,false,true,true,true\n#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string\n#default,_result,,,,,,,,\n"
        + ",result,table,_start,_stop,_time,_value,_field,_measurement,host\n,,0,2026-05-01T00:00:00Z,2026-05-02T00:00:00Z,2026-05-01T10:00:00Z,1.5,idle,cpu,pi\n"
        + "\n#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string,string\n"
        + ",result,table,_start,_stop,_time,_value,_field,_measurement,device,host\n,,1,2026-05-01T00:00:00Z,2026-05-02T00:00:00Z,2026-05-01T10:00:00Z,2.5,used,disk,sda,pi\n",
        "cpu/host=pi/idle = 1.5, disk/device=sda/host=pi/used = 2.5")]
    [InlineData(
        "\"entity_id\",\"state\",\"last_changed\"\nsensor.boiler,21.5,2026-05-01T10:00:00.000Z\nclimate.hall,heating,2026-05-01T10:00:00.000Z\nlight.hall,on,2026-05-01T10:00:00.000Z\nsensor.boiler,unavailable,2026-05-01T10:00:00.000Z\n",
        "sensor.boiler = 21.5, light.hall = 1")]
    [InlineData("\"Series\";\"Time\";\"Value\"\n\"cpu {host=\"\"pi\"\"}\";\"2026-05-01T10:00:00Z\";\"1.5\"\n", "cpu {host=\"pi\"} = 1.5")]
    [InlineData("\"Time\",\"cpu pi\",\"cpu nas\"\n1777629600000,1.5,2.5\n", "cpu pi = 1.5, cpu nas = 2.5")]
    public async Task Exports_of_InfluxDB_Home_Assistant_and_Grafana_are_known(string text, string expected)
    {
        await ReadAsync(text);

        Assert.Empty(_decoded.Errors);
        Assert.All(_decoded.Observations, one => Assert.Equal(Now, one.Time));
        Assert.Equal(expected, string.Join(", ", _decoded.Observations.Select(one => FormattableString.Invariant($"{one.Stream} = {one.Value}"))));
    }

    [Fact]
    public void A_packed_file_is_read_as_what_is_in_it()
    {
        string path = Path.Combine(Path.GetTempPath(), $"streamlstm-{Guid.NewGuid():N}.csv.gz");

        try
        {
            using (var zip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
            {
                zip.Write("time,a\n"u8);
            }

            using FileStream text = PackedFile.Open(path);
            using var reader = new StreamReader(text, Encoding.UTF8);
            Assert.Equal("time,a\n", reader.ReadToEnd());
            File.WriteAllText(path, "no gzip");
            Assert.Throws<InvalidDataException>(() => PackedFile.Open(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task ReadAsync(string text, CsvRules? rules = null)
    {
        using var reader = new StringReader(text);
        await TextDecoder.DecodeAsync(
            reader, TextFormat.Csv, "", _decoded, InfluxLineDecoder.NanosecondsPerSecond, _ => default, TestContext.Current.CancellationToken, csv: rules);
    }
}
