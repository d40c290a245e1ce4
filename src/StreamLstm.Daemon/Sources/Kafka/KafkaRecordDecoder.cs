using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using StreamLstm.Decoding;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>Records of Kafka into observations, by the decoders that MQTT and HTTP have; never throws for what a record holds.</summary>
/// <param name="options">How records are read.</param>
/// <param name="schemas">Where records name their schemas: those; null where they name none.</param>
internal sealed class KafkaRecordDecoder(KafkaSourceOptions options, KafkaSchemas? schemas = null)
{
    private const string HeaderPrefix = "header:";
    private const string JsonPrefix = "json:";

    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 16 };

    private readonly TimeZoneInfo _zone = TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone);
    private readonly Regex? _session = LogLineDecoder.KeyPattern(options.Session);
    private readonly string[] _path = options.Stream.StartsWith(JsonPrefix, StringComparison.Ordinal) ? options.Stream[JsonPrefix.Length..].Split('.') : [];
    private readonly ArrayBufferWriter<byte> _json = new();
    private readonly PayloadDecoder _payload = new(
        options.Format switch
        {
            KafkaFormat.Json or KafkaFormat.Avro or KafkaFormat.JsonSchema or KafkaFormat.Protobuf => PayloadFormat.Json,
            KafkaFormat.Csv => PayloadFormat.Csv,
            KafkaFormat.Influx => PayloadFormat.Influx,
            KafkaFormat.SparkplugB => PayloadFormat.SparkplugB,
            KafkaFormat.Text => PayloadFormat.Text,
            KafkaFormat.Words => PayloadFormat.Words,
            _ => PayloadFormat.Auto,
        },
        new PayloadRules { Units = options.Units, ArrayKeys = options.ArrayKeys, Zone = TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone) },
        options.Columns);

    /// <summary>What births of Sparkplug B have told.</summary>
    public SparkplugB Sparkplug => _payload.Sparkplug;

    /// <summary>What is expected of <see cref="KafkaSourceOptions.Stream"/>; null where it is that.</summary>
    public static string? WrongStream(string stream) =>
        stream is "key" or "topic"
        || (stream.StartsWith(HeaderPrefix, StringComparison.Ordinal) && stream.Length > HeaderPrefix.Length)
        || (stream.StartsWith(JsonPrefix, StringComparison.Ordinal) && stream.Length > JsonPrefix.Length && !stream[JsonPrefix.Length..].Split('.').Contains(""))
            ? null
            : "expected key, topic, header:NAME, or json:FIELD.FIELD";

    /// <param name="record">A record with a value.</param>
    /// <param name="decoded">Where observations, what was left out and errors go; stamps what carries no time.</param>
    public void Decode(KafkaRecord record, Decoded decoded)
    {
        byte[] value = record.Value!;

        switch (options.Format)
        {
            case KafkaFormat.Ndjson:
                int line = 0;

                foreach (Range range in Lines(value))
                {
                    line++;

                    if (range.Start.Value < range.End.Value)
                    {
                        JsonDecoder.Decode(value.AsMemory(range), line, prefix: "", decoded);
                    }
                }

                break;
            case KafkaFormat.Log:
                Log(record, value, decoded);
                break;
            case KafkaFormat.Avro or KafkaFormat.JsonSchema or KafkaFormat.Protobuf:
                WithSchema(record, value, decoded);
                break;
            default:
                _payload.Decode(StreamOf(record, value), options.Prefix, value, decoded);
                break;
        }
    }

    /// <summary>Lines that have no time of their own, and follow on none in the record, are of the record's time.</summary>
    private void Log(KafkaRecord record, byte[] value, Decoded decoded)
    {
        string stream = StreamOf(record, value);
        var time = DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(0, record.Timestamp));
        var log = new LogLineDecoder(options.Prefix.Length > 0 ? $"{options.Prefix}/{stream}" : stream, _session, _zone, () => time);
        int number = 0;

        foreach (Range range in Lines(value))
        {
            string text = Encoding.UTF8.GetString(value.AsSpan(range));
            number++;

            if (!string.IsNullOrWhiteSpace(text))
            {
                log.Decode(text, number, decoded);
            }
        }
    }

    /// <summary>What names its schema is read as the JSON that says the same.</summary>
    private void WithSchema(KafkaRecord record, byte[] value, Decoded decoded)
    {
        try
        {
            byte[] json = JsonOf(value);
            _payload.Decode(StreamOf(record, json), options.Prefix, json, decoded);
        }
        catch (InvalidDataException wrong)
        {
            decoded.Reject(1, wrong.Message, value);
        }
    }

    /// <exception cref="InvalidDataException">It is not laid out as its schema says, or that is not known.</exception>
    private byte[] JsonOf(ReadOnlySpan<byte> bytes)
    {
        _json.ResetWrittenCount();
        schemas!.Write(bytes, _json);
        return _json.WrittenSpan.ToArray();
    }

    /// <summary>A key as text: one that names its schema is its value, or its fields' values with / between.</summary>
    /// <exception cref="InvalidDataException">It is not laid out as its schema says, or that is not known.</exception>
    private string? KeyOf(byte[]? key)
    {
        if (schemas is null || !KafkaSchemas.IsNamed(key))
        {
            return key is { Length: > 0 } ? Encoding.UTF8.GetString(key) : null;
        }

        try
        {
            using var document = JsonDocument.Parse(JsonOf(key), Depth);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? string.Join('/', document.RootElement.EnumerateObject().Where(field => field.Value.ValueKind != JsonValueKind.Null).Select(field => field.Value.ToString()))
                : document.RootElement.ToString();
        }
        catch (JsonException none)
        {
            throw new InvalidDataException($"key: not valid JSON: {none.Message}", none);
        }
        catch (InvalidDataException wrong)
        {
            throw new InvalidDataException($"key: {wrong.Message}", wrong);
        }
    }

    /// <param name="record">The record.</param>
    /// <param name="value">Its value, or the JSON that says the same.</param>
    private string StreamOf(KafkaRecord record, byte[] value)
    {
        string? named = options.Stream switch
        {
            "topic" => null,
            "key" => KeyOf(record.Key),
            _ when _path.Length > 0 => Field(value),
            _ => record.Header(options.Stream[HeaderPrefix.Length..]),
        };
        return string.IsNullOrWhiteSpace(named) ? record.Partition.Topic : named;
    }

    /// <summary>The field that names the stream; null where there is none: what is no JSON at all is told when it is decoded.</summary>
    private string? Field(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Depth);
            JsonElement element = document.RootElement;

            foreach (string name in _path)
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                {
                    return null;
                }
            }

            return element.ValueKind switch
            {
                JsonValueKind.String => element.GetString(),
                JsonValueKind.Number => element.GetRawText(),
                _ => null,
            };
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Its lines, without what ends them.</summary>
    private static IEnumerable<Range> Lines(byte[] text)
    {
        for (int from = 0; from < text.Length;)
        {
            int length = text.AsSpan(from).IndexOf((byte)'\n');
            int end = length < 0 ? text.Length : from + length;
            yield return from..(end > from && text[end - 1] == '\r' ? end - 1 : end);
            from = end + 1;
        }
    }
}
