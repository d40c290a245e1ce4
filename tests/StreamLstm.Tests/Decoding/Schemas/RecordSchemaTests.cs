using System.Buffers;
using System.Text;
using System.Text.Json;
using Avro.Generic;
using Avro.IO;
using CsCheck;
using StreamLstm.Decoding.Schemas;

namespace StreamLstm.Tests.Decoding.Schemas;

/// <summary>What Avro's own library writes, and bytes that it never would.</summary>
public sealed class RecordSchemaTests
{
    private const string Everything =
        """
        {"type":"record","name":"R","namespace":"x.y","fields":[
          {"name":"millis","type":{"type":"long","logicalType":"timestamp-millis"}},
          {"name":"nanos","type":{"type":"long","logicalType":"timestamp-nanos"}},
          {"name":"local","type":{"type":"long","logicalType":"local-timestamp-micros"}},
          {"name":"day","type":{"type":"int","logicalType":"date"}},
          {"name":"price","type":{"type":"fixed","name":"P","size":4,"logicalType":"decimal","precision":9,"scale":3}},
          {"name":"own","type":{"type":"int","logicalType":"of-nobody"}},
          {"name":"single","type":"float"},
          {"name":"none","type":"double"},
          {"name":"may","type":["null","long","string"]},
          {"name":"next","type":["null","x.y.R"]}]}
        """;

    [Theory]
    [InlineData("\"double\"", "0000000000001240", "4.5")]
    [InlineData("\"string\"", "064F6E21", "\"On!\"")]
    [InlineData("{\"type\":\"array\",\"items\":\"int\"}", "04020403040608 00", "[1,2,3,4]")]
    [InlineData("{\"type\":\"map\",\"values\":\"boolean\"}", "0202610100", "{\"a\":true}")]
    [InlineData("[\"null\",\"boolean\"]", "0200", "false")]
    public void Bytes_of_the_specification_are_read(string schema, string hex, string json) =>
        Assert.Equal(json, Read(Avro(schema), Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));

    [Fact]
    public void Times_and_decimals_are_what_they_mean_and_unknown_meanings_what_they_are()
    {
        byte[] record =
        [
            .. Long(1_793_491_200_123), .. Long(-1), .. Long(1_000_000), .. Long(20_758), 0xFF, 0xFF, 0xFF, 0xFE, .. Long(-7), .. BitConverter.GetBytes(0.1f),
            .. BitConverter.GetBytes(double.NaN), .. Long(1), .. Long(5), .. Long(0),
        ];
        Assert.Equal(
            """{"millis":"2026-11-01T00:00:00.123Z","nanos":"1969-12-31T23:59:59.9999999Z","local":"1970-01-01T00:00:01","day":"2026-11-01","price":-2E-3,"own":-7,"single":0.1,"none":"NaN","may":5,"next":null}""",
            Read(Avro(Everything), record));
    }

    [Theory]
    [InlineData("\"string\"", "FEFFFFFF0F41", "2147483647 bytes, of which 1 are there")]
    [InlineData("\"string\"", "01", "-1 bytes")]
    [InlineData("{\"type\":\"array\",\"items\":\"null\"}", "FEFFFFFFFFFFFFFFFF01", "more values than")]
    [InlineData("\"boolean\"", "02", "2, expected 0 or 1")]
    [InlineData("[\"null\",\"int\"]", "04", "2, expected a branch of a union, 0 to 1")]
    [InlineData("\"long\"", "FFFFFFFFFFFFFFFFFFFFFF", "a number ends within itself")]
    [InlineData("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "FEFFFFFFFFFFFFFFFF01", "expected a time of the years 1 to 9999")]
    [InlineData("\"int\"", "0202", "1 bytes behind the record")]
    public void What_is_not_laid_out_so_is_told_and_takes_no_memory(string schema, string hex, string told)
    {
        RecordSchema read = Avro(schema);
        Read(Avro("\"int\""), [2]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var wrong = Assert.Throws<InvalidDataException>(() => Read(read, Convert.FromHexString(hex)));
        Assert.Contains(told, wrong.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Fact]
    public void A_schema_that_has_itself_as_a_field_goes_no_deeper_than_json_does()
    {
        RecordSchema schema = Avro("""{"type":"record","name":"N","fields":[{"name":"in","type":["null","N"]}]}""");
        Assert.Equal("{\"in\":{\"in\":null}}", Read(schema, [2, 0]));
        var wrong = Assert.Throws<InvalidDataException>(() => Read(schema, [.. Enumerable.Repeat((byte)2, 1_000), 0]));
        Assert.Contains("nested deeper than 16", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_schema_may_refer_to_others()
    {
        var schema = RecordSchema.Parse(new SchemaText(
            "AVRO", """{"type":"record","name":"A","fields":[{"name":"b","type":"other.B"}]}""",
            [("other.B", """{"type":"record","name":"B","namespace":"other","fields":[{"name":"v","type":"int"}]}""")]));
        Assert.Equal("{\"b\":{\"v\":3}}", Read(schema, [6]));
        var missing = Assert.Throws<InvalidDataException>(() => Avro("""{"type":"record","name":"A","fields":[{"name":"b","type":"other.B"}]}"""));
        Assert.Contains("no schema of Avro", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_librarys_writer_writes_is_read_as_it_was()
    {
        var schema = global::Avro.Schema.Parse("""{"type":"record","name":"R","fields":[{"name":"l","type":"long"},{"name":"d","type":"double"},{"name":"s","type":"string"},{"name":"a","type":{"type":"array","items":["null","int"]}}]}""");
        RecordSchema read = Avro(schema.ToString());
        Gen.Select(Gen.Long, Gen.Double.Where(double.IsFinite), Gen.String, Gen.Int.Array[0, 20]).Sample((number, fraction, text, items) =>
        {
            var record = new GenericRecord((global::Avro.RecordSchema)schema);
            record.Add("l", number);
            record.Add("d", fraction);
            record.Add("s", text);
            record.Add("a", items.Select(item => item % 3 == 0 ? null : (object)item).ToArray());
            using var stream = new MemoryStream();
            new GenericDatumWriter<GenericRecord>(schema).Write(record, new BinaryEncoder(stream));
            using var json = JsonDocument.Parse(Read(read, stream.ToArray()));
            Assert.Equal(number, json.RootElement.GetProperty("l").GetInt64());
            Assert.Equal(fraction, json.RootElement.GetProperty("d").GetDouble());
            Assert.Equal(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)), json.RootElement.GetProperty("s").GetString());
            Assert.Equal(
                items.Select(item => item % 3 == 0 ? (int?)null : item),
                json.RootElement.GetProperty("a").EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Null ? (int?)null : item.GetInt32()));
        }, iter: 500);
    }

    [Fact]
    public void No_bytes_do_more_than_be_refused()
    {
        RecordSchema avro = Avro(Everything), protobuf = Protobuf(
            """
            syntax = "proto3"; import "google/protobuf/timestamp.proto";
            message A { google.protobuf.Timestamp t = 1; double v = 2; repeated int32 xs = 3; map<string,double> m = 4; A again = 5; string s = 6; repeated A many = 7; }
            """);
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            foreach (RecordSchema schema in new[] { avro, protobuf })
            {
                try
                {
                    using var document = JsonDocument.Parse(Read(schema, schema == protobuf ? [0, .. bytes] : bytes));
                }
                catch (InvalidDataException)
                {
                    // Refused.
                }
            }
        }, iter: 20_000);
    }

    [Theory]
    [InlineData("0009000000000000F83F", """{"v":1.5,"n":0,"on":false}""")]
    [InlineData("001003", """{"v":0,"n":-2,"on":false}""")]
    [InlineData("00 2203010203", """{"v":0,"n":0,"on":false,"xs":[1,2,3]}""")]
    [InlineData("00 2001 2002 2203 030405", """{"v":0,"n":0,"on":false,"xs":[1,2,3,4,5]}""")]
    [InlineData("00 2800", """{"v":0,"n":0,"on":false,"may":0}""")]
    [InlineData("00 3A05 0A0161 1007", """{"v":0,"n":0,"on":false,"m":{"a":7}}""")]
    [InlineData("00 4202 0801", """{"v":0,"n":0,"on":false,"d":1}""")]
    [InlineData("00 9A0101 41", """{"v":0,"n":0,"on":false}""")]
    public void Messages_of_protobuf_are_objects_in_which_what_is_not_written_is_zero(string hex, string json) => Assert.Equal(
        json,
        Read(
            Protobuf(
                """
                syntax = "proto3"; import "google/protobuf/duration.proto";
                message A { double v = 1; sint32 n = 2; bool on = 3; repeated uint32 xs = 4; optional int32 may = 5; oneof o { string s = 6; } map<string,int32> m = 7; google.protobuf.Duration d = 8; }
                """),
            Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));

    [Fact]
    public void A_few_bytes_of_protobuf_bring_forth_no_million_values()
    {
        string fields = string.Concat(Enumerable.Range(1, 500).Select(number => $"int32 f{number} = {number}; "));
        RecordSchema schema = Protobuf($"syntax = \"proto3\"; message B {{ {fields} }} message A {{ repeated B many = 1; }}");
        var wrong = Assert.Throws<InvalidDataException>(() => Read(schema, [2, 2, .. Enumerable.Repeat<byte[]>([10, 0], 1_000).SelectMany(two => two)]));
        Assert.Contains("more values than", wrong.Message, StringComparison.Ordinal);
    }

    private static RecordSchema Avro(string schema) => RecordSchema.Parse(new SchemaText("AVRO", schema, []));

    private static RecordSchema Protobuf(string schema) => RecordSchema.Parse(new SchemaText("PROTOBUF", schema, []));

    private static string Read(RecordSchema schema, byte[] record)
    {
        var written = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(written, new JsonWriterOptions { SkipValidation = true }))
        {
            schema.Write(record, json);
        }

        return Encoding.UTF8.GetString(written.WrittenSpan);
    }

    private static byte[] Long(long value)
    {
        using var stream = new MemoryStream();
        new BinaryEncoder(stream).WriteLong(value);
        return stream.ToArray();
    }
}
