using System.Globalization;
using System.Text;
using StreamLstm.Decoding;
using StreamLstm.Decoding.Agents;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Decoding;

/// <summary>Whatever comes, every decoder ends with observations, errors and what it left out, at a cost in proportion to it.</summary>
/// <remarks>STREAMLSTM_TEST_INPUTS=1000000 tries as many; a failure names its seed.</remarks>
public sealed class HostileInputTests
{
    private static readonly int Inputs = int.Parse(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_INPUTS") ?? "12000", CultureInfo.InvariantCulture);

    private static readonly (string Name, Action<HostileInput, byte[], Decoded> Decode)[] Decoders =
    [
        ("JSON", (_, bytes, decoded) => JsonDecoder.Decode(bytes, 1, "", decoded)),
        ("JSON under a name", (_, bytes, decoded) => JsonDecoder.Decode(bytes, 1, "plant/boiler", decoded)),
        ("NDJSON", (input, bytes, decoded) => Text(TextFormat.Ndjson, bytes, decoded)),
        ("CSV", (input, bytes, decoded) => Text(TextFormat.Csv, bytes, decoded)),
        ("line protocol", (input, bytes, decoded) => Text(TextFormat.Influx, bytes, decoded)),
        ("Prometheus", (input, bytes, decoded) => Text(TextFormat.Prometheus, bytes, decoded)),
        ("text of any kind", (input, bytes, decoded) => Text(TextFormat.Auto, bytes, decoded)),
        ("log", (input, bytes, decoded) => Text(TextFormat.Log, bytes, decoded)),
        ("a followed file", Chunks),
        ("MQTT", (input, bytes, decoded) => Payload(PayloadFormat.Auto, input, bytes, decoded)),
        ("MQTT, CSV", (input, bytes, decoded) => Payload(PayloadFormat.Csv, input, bytes, decoded)),
        ("MQTT, line protocol", (input, bytes, decoded) => Payload(PayloadFormat.Influx, input, bytes, decoded)),
        ("Sparkplug B", (input, bytes, decoded) => Payload(PayloadFormat.SparkplugB, input, input.Next(2) == 0 ? input.Protobuf() : bytes, decoded)),
        ("lines of an agent", (_, bytes, decoded) => InfluxLineDecoder.DecodeAll(Encoding.UTF8.GetString(bytes), 1, "db", decoded)),
        ("remote write", (input, bytes, decoded) => RemoteWriteDecoder.Decode(bytes, input.Next(2) + 1, decoded)),
        ("OTLP", (_, bytes, decoded) => OtlpDecoder.Decode(bytes, ["service.name"], decoded)),
        ("OTLP, JSON", (_, bytes, decoded) => OtlpJsonDecoder.Decode(bytes, ["service.name"], decoded)),
    ];

    [Fact]
    public void No_input_makes_a_decoder_throw_or_take_more_than_in_proportion()
    {
        for (int seed = 0; seed < Inputs; seed++)
        {
            var input = new HostileInput(seed);
            (string name, Action<HostileInput, byte[], Decoded> decode) = Decoders[seed % Decoders.Length];
            byte[] bytes = input.Next(4) == 0 ? input.Text() : name switch { "remote write" or "OTLP" => input.Protobuf(5), "OTLP, JSON" => input.Otlp(), _ => input.Text() };
            var decoded = new Decoded(new IngestStamp(TimeProvider.System));
            long before = GC.GetAllocatedBytesForCurrentThread();

            try
            {
                decode(input, bytes, decoded);
            }
            catch (Exception thrown)
            {
                Assert.Fail($"seed {seed}, {name}: {thrown}");
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            // Some read it twice.
            Assert.True(allocated < 1_000_000 + 2_000L * bytes.Length, $"seed {seed}, {name}: {allocated} bytes for {bytes.Length}");
            Assert.True(decoded.Observations.Count + decoded.Errors.Count <= bytes.Length + 2, $"seed {seed}, {name}: {decoded.Observations.Count} and {decoded.Errors.Count} of {bytes.Length} bytes");
            Assert.All(decoded.Errors, error => Assert.True(error.Detail.Length is > 0 and <= 310 && error.Payload.Length <= 1024, $"seed {seed}, {name}: {error.Detail}"));
        }
    }

    [Theory]
    [InlineData("[ab]*a[ab]{2000}c", false)]
    [InlineData("((a{20}){20}){20}", false)]
    [InlineData("(?:[a-z]+\\d{1,300})", false)]
    [InlineData("blk_-?\\d{1,19}", true)]
    [InlineData("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", true)]
    [InlineData("[]{9}]x{2}\\{3000}", true)]
    [InlineData("(?=a)b", false)]
    [InlineData("(", false)]
    public void A_sessions_key_is_found_at_a_bounded_cost_or_refused(string pattern, bool isTaken)
    {
        if (isTaken)
        {
            Assert.NotNull(LogLineDecoder.KeyPattern(pattern));
        }
        else
        {
            Assert.ThrowsAny<ArgumentException>(() => LogLineDecoder.KeyPattern(pattern));
        }
    }

    [Fact]
    public void A_megabyte_of_ones_is_one_error()
    {
        byte[] ones = Encoding.ASCII.GetBytes($"[{string.Join(',', Enumerable.Repeat('1', 524_287))}]");
        var decoded = new Decoded(new IngestStamp(TimeProvider.System));

        JsonDecoder.Decode(ones, 1, "", decoded);

        Assert.Equal("1 and 524286 further items in an array, expected objects", Assert.Single(decoded.Errors).Detail);
    }

    [Fact]
    public void A_megabyte_of_cells_with_quotes_inside_is_one_error()
    {
        byte[] cells = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("a\"b,", 200_000)));
        var decoded = new Decoded(new IngestStamp(TimeProvider.System));
        long before = GC.GetAllocatedBytesForCurrentThread();

        Text(TextFormat.Csv, cells, decoded);

        Assert.Contains("expected cells that have quotes to be in quotes themselves", Assert.Single(decoded.Errors).Detail, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000_000);
    }

    private static void Text(TextFormat format, byte[] bytes, Decoded decoded)
    {
        var log = new LogLineDecoder("app", LogLineDecoder.KeyPattern("app\\[(\\d+)\\]"), TimeZoneInfo.Utc, () => DateTimeOffset.UnixEpoch.AddYears(56));
        using var reader = new StringReader(Encoding.UTF8.GetString(bytes));
        TextDecoder.DecodeAsync(reader, format, "p", decoded, InfluxLineDecoder.NanosecondsPerSecond, _ => default, default, log).GetAwaiter().GetResult();
    }

    private static void Chunks(HostileInput input, byte[] bytes, Decoded decoded)
    {
        var chunks = new ChunkDecoder(input.Of(TextFormat.Auto, TextFormat.Csv, TextFormat.Ndjson, TextFormat.Influx, TextFormat.Prometheus, TextFormat.Log), "p", "", TimeProvider.System);
        byte[] twice = [.. bytes, (byte)'\n', .. bytes, (byte)'\n'];
        int length = chunks.CompleteLength(twice.AsSpan(0, bytes.Length));
        chunks.Decode(twice.AsSpan(0, length), decoded);
        chunks.Decode(twice.AsSpan(length), decoded);
        decoded.Observations.RemoveRange(0, decoded.Observations.Count / 2);
        decoded.Errors.RemoveRange(0, decoded.Errors.Count / 2);
    }

    private static void Payload(PayloadFormat format, HostileInput input, byte[] bytes, Decoded decoded)
    {
        var decoder = new PayloadDecoder(format, PayloadRules.Default, input.Next(2) == 0 ? [] : ["a", "b"]);
        string topic = input.Of(
            "plant/boiler", "spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n", "spBv1.0/g/DDATA/n/d", "spBv1.0//", "tele/x/SENSOR", "zigbee2mqtt/lamp", "shellies/a/relay/0", "\u001b\n", "");
        decoder.Decode(topic, "", bytes, decoded);
        decoder.Decode(topic, "", bytes, decoded, TimeSpan.Zero);
        decoded.Observations.RemoveRange(0, decoded.Observations.Count / 2);
        decoded.Errors.RemoveRange(0, decoded.Errors.Count / 2);
    }
}
