using System.Text.Json;

namespace StreamLstm.Decoding;

/// <summary>
/// JSON observations: {"stream":"a","timestamp":"...","value":1.5}, or "values":{"temp":1,"hum":2} for streams a/temp and
/// a/hum (and a of both, where they are judged together), or an array of such; under a prefix (an MQTT topic) also {"temp":1,"hum":2} by itself, or a bare number.
/// </summary>
internal static class JsonDecoder
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16 };

    /// <param name="json">One document.</param>
    /// <param name="line">Its line, for errors.</param>
    /// <param name="prefix">The stream's name where the document does not say it; empty = it must.</param>
    /// <param name="decoded">Where observations and errors go.</param>
    public static void Decode(ReadOnlyMemory<byte> json, int line, string prefix, Decoded decoded)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Options);
            Element(document.RootElement, json.Span, line, prefix, decoded);
        }
        catch (JsonException malformed)
        {
            decoded.Reject(line, $"not valid JSON: {malformed.Message}", json.Span);
        }
    }

    private static void Element(JsonElement element, ReadOnlySpan<byte> json, int line, string prefix, Decoded decoded)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                {
                    if (item.ValueKind == JsonValueKind.Object)
                    {
                        Object(item, json, line, prefix, decoded);
                    }
                    else
                    {
                        decoded.Reject(line, $"{Shown(item)} in an array, expected objects", json);
                    }
                }

                break;
            case JsonValueKind.Object:
                Object(element, json, line, prefix, decoded);
                break;
            case JsonValueKind.Number when prefix.Length > 0:
                decoded.Add(prefix, null, element.GetDouble());
                break;
            default:
                decoded.Reject(line, $"{Shown(element)}, expected an object such as {{\"stream\":\"a\",\"value\":1.5}}", json);
                break;
        }
    }

    private static void Object(JsonElement element, ReadOnlySpan<byte> json, int line, string prefix, Decoded decoded)
    {
        string stream = prefix;

        if (element.TryGetProperty("stream", out JsonElement name))
        {
            if (name.ValueKind != JsonValueKind.String)
            {
                decoded.Reject(line, $"field stream: {Shown(name)}, expected a string", json);
                return;
            }

            stream = name.GetString()!;
        }
        else if (prefix.Length == 0)
        {
            decoded.Reject(line, "field stream is missing", json);
            return;
        }

        if (!TryTime(element, out DateTimeOffset? time, out string? wrongTime))
        {
            decoded.Reject(line, wrongTime!, json);
            return;
        }

        if (element.TryGetProperty("value", out JsonElement value))
        {
            Value("value", stream, time, value, json, line, decoded);
        }
        else if (element.TryGetProperty("values", out JsonElement values))
        {
            if (values.ValueKind == JsonValueKind.Object)
            {
                Fields(values, stream, time, json, line, decoded);
            }
            else
            {
                decoded.Reject(line, $"field values: {Shown(values)}, expected an object of numbers", json);
            }
        }
        else if (prefix.Length > 0)
        {
            Fields(element, stream, time, json, line, decoded);
        }
        else
        {
            decoded.Reject(line, "field value is missing (or values, an object of numbers)", json);
        }
    }

    private static void Fields(
        JsonElement element, string stream, DateTimeOffset? time, ReadOnlySpan<byte> json, int line, Decoded decoded)
    {
        int errors = decoded.Errors.Count;

        foreach (JsonProperty field in element.EnumerateObject())
        {
            if (field.Name == "stream" || Timestamps.IsTimeName(field.Name))
            {
                continue;
            }

            // Text and flags of a device's message are no values; a null is a value that is missing.
            if (field.Value.ValueKind is not JsonValueKind.Number)
            {
                continue;
            }

            if (field.Value.TryGetDouble(out double value))
            {
                decoded.AddField(field.Name, value);
            }
            else
            {
                RejectValue(field.Name, field.Value, json, line, decoded);
            }
        }

        int count = decoded.EndRecord(stream, time);

        if (count > Decoded.FieldsMax)
        {
            decoded.RejectFields(line, count, json);
        }
        else if (count == 0 && decoded.Errors.Count == errors)
        {
            decoded.Reject(line, "no field holds a number", json);
        }
    }

    private static void Value(
        string field, string stream, DateTimeOffset? time, JsonElement value, ReadOnlySpan<byte> json, int line, Decoded decoded)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number))
        {
            decoded.Add(stream, time, number);
        }
        else
        {
            RejectValue(field, value, json, line, decoded);
        }
    }

    private static void RejectValue(string field, JsonElement value, ReadOnlySpan<byte> json, int line, Decoded decoded) =>
        decoded.Reject(line, $"field {field}: {Shown(value)}, expected a number", json);

    private static bool TryTime(JsonElement element, out DateTimeOffset? time, out string? wrong)
    {
        time = null;
        wrong = null;

        foreach (string name in (string[])["timestamp", "time", "ts"])
        {
            if (!element.TryGetProperty(name, out JsonElement written))
            {
                continue;
            }

            DateTimeOffset parsed = default;
            bool understood = written.ValueKind switch
            {
                JsonValueKind.String => Timestamps.TryParse(written.GetString()!, out parsed),
                JsonValueKind.Number => written.TryGetDouble(out double unix) && Timestamps.TryFromUnix(unix, out parsed),
                _ => false,
            };

            if (!understood)
            {
                wrong = $"field {name}: {Shown(written)}, expected {Timestamps.Expectation}";
                return false;
            }

            time = parsed;
            return true;
        }

        return true;
    }

    private static string Shown(JsonElement element)
    {
        string text = element.GetRawText();
        return text.Length <= 60 ? text : text[..60] + "...";
    }
}
