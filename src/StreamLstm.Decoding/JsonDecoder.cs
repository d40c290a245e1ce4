using System.Text.Json;

namespace StreamLstm.Decoding;

/// <summary>
/// JSON observations: {"stream":"a","timestamp":"...","value":1.5}, or "values":{"temp":1,"hum":2} for streams a/temp and
/// a/hum (and a of both, where they are judged together), or an array of such; under a prefix (an MQTT topic) also {"temp":1,"hum":2} by itself, or a bare number.
/// </summary>
/// <remarks>Which fields are values, and what becomes of flags, texts and what is nested, is for <see cref="JsonFields"/> to say.</remarks>
internal static class JsonDecoder
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16 };

    /// <param name="json">One document.</param>
    /// <param name="line">Its line, for errors.</param>
    /// <param name="prefix">The stream's name where the document does not say it; empty = it must.</param>
    /// <param name="decoded">Where observations and errors go.</param>
    /// <param name="rules">What is made of fields; null for what is usual.</param>
    /// <param name="device">Rules of the device's family; null for none.</param>
    public static void Decode(
        ReadOnlyMemory<byte> json, int line, string prefix, Decoded decoded, PayloadRules? rules = null, DeviceRule? device = null)
    {
        try
        {
            using JsonDocument document = Parse(json, decoded);
            new Reader(json.Span, line, prefix, decoded, rules ?? PayloadRules.Default, device).Read(document.RootElement);
        }
        catch (JsonException malformed)
        {
            decoded.Reject(line, $"not valid JSON: {malformed.Message}", json.Span);
        }
        catch (InvalidOperationException)
        {
            // The library says so where a text is asked for that is no UTF-8, or half of a surrogate pair.
            decoded.DropRecord();
            decoded.Reject(line, "not valid JSON: a text is not valid UTF-8", json.Span);
        }
    }

    /// <summary>A document in which NaN and infinities, which JSON does not have and devices write, have no value.</summary>
    private static JsonDocument Parse(ReadOnlyMemory<byte> json, Decoded decoded)
    {
        try
        {
            return JsonDocument.Parse(json, Options);
        }
        catch (JsonException) when (NotFiniteNumbers.Replaced(json.Span) is { } replaced)
        {
            JsonDocument document = JsonDocument.Parse(replaced.Json, Options);

            for (int i = 0; i < replaced.Count; i++)
            {
                decoded.LeftOut.Add(LeftOutReason.NotFinite, "a field", "NaN", FieldText.Expectation(LeftOutReason.NotFinite));
            }

            return document;
        }
    }

    /// <summary>What every step of reading one document needs.</summary>
    private ref struct Reader(ReadOnlySpan<byte> json, int line, string prefix, Decoded decoded, PayloadRules rules, DeviceRule? family)
    {
        private readonly ReadOnlySpan<byte> _json = json;
        private DeviceRule? device = family;

        public void Read(JsonElement element)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Array:
                    Array(element);
                    break;
                case JsonValueKind.Object:
                    Object(element);
                    break;
                case JsonValueKind.Null when prefix.Length > 0:
                    decoded.LeftOut.Add(LeftOutReason.Missing, prefix, "null", FieldText.Expectation(LeftOutReason.Missing));
                    break;
                case JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False when prefix.Length > 0:
                    Value(prefix, prefix, null, element);
                    break;
                default:
                    decoded.Reject(line, $"{Shown(element)}, expected an object such as {{\"stream\":\"a\",\"value\":1.5}}", _json);
                    break;
            }
        }

        /// <summary>Records, or under a prefix values: which of them, the first item says.</summary>
        private void Array(JsonElement element)
        {
            if (SenMl.IsPack(element))
            {
                SenMl.Decode(element, line, prefix, rules, _json, decoded);
                return;
            }

            if (prefix.Length > 0 && element.GetArrayLength() > 0 && element[0].ValueKind != JsonValueKind.Object)
            {
                JsonFields.Add(element, "", rules, _ => false, device, decoded);
                End(prefix, null, errors: decoded.Errors.Count);
                return;
            }

            int others = 0;
            string first = "";

            foreach (JsonElement item in element.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Object)
                {
                    Object(item);
                }
                else if (others++ == 0)
                {
                    first = Shown(item);
                }
            }

            // One for all of them: each is two bytes of a body, and would be a kilobyte of dead letters.
            if (others > 0)
            {
                decoded.Reject(line, $"{first}{(others > 1 ? $" and {others - 1} further items" : "")} in an array, expected objects", _json);
            }
        }

        private void Object(JsonElement element)
        {
            string stream = prefix;

            if (element.TryGetProperty("stream", out JsonElement name))
            {
                if (name.ValueKind != JsonValueKind.String)
                {
                    decoded.Reject(line, $"field stream: {Shown(name)}, expected a string", _json);
                    return;
                }

                stream = name.GetString()!;
            }
            else if (prefix.Length == 0)
            {
                decoded.Reject(line, "field stream is missing", _json);
                return;
            }

            if (prefix.Length > 0 && element.TryGetProperty("specversion", out JsonElement version) && version.ValueKind == JsonValueKind.String
                && element.TryGetProperty("data", out _))
            {
                device = DeviceRules.CloudEvent;
            }

            if (!TryTime(element, out DateTimeOffset? time, out string? wrongTime))
            {
                decoded.Reject(line, wrongTime!, _json);
                return;
            }

            if (device is { Values.Count: > 0 } rule)
            {
                DeviceValues(rule, element, stream, time);
            }
            else if (element.TryGetProperty("value", out JsonElement value) && value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            {
                Value("value", stream, time, value);
            }
            else if (element.TryGetProperty("values", out JsonElement values))
            {
                if (values.ValueKind == JsonValueKind.Object)
                {
                    Fields(values, stream, time);
                }
                else
                {
                    decoded.Reject(line, $"field values: {Shown(values)}, expected an object of numbers", _json);
                }
            }
            else if (prefix.Length > 0)
            {
                Fields(element, stream, time);
            }
            else
            {
                decoded.Reject(line, "field value is missing (or values, an object of numbers)", _json);
            }
        }

        private void Fields(JsonElement element, string stream, DateTimeOffset? time)
        {
            int errors = decoded.Errors.Count;
            JsonFields.Add(element, "", rules, name => name == "stream" || Timestamps.IsTimeName(name), device, decoded);
            End(stream, time, errors);
        }

        private void DeviceValues(DeviceRule of, JsonElement element, string stream, DateTimeOffset? time)
        {
            int errors = decoded.Errors.Count;

            foreach ((string path, string name) in of.Values)
            {
                if (At(element, path) is not { } values)
                {
                    continue;
                }

                if (values.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                {
                    JsonFields.Add(values, name, rules, Timestamps.IsTimeName, of, decoded);
                }
                else if (name.Length == 0)
                {
                    // The value itself, not a field.
                    Value(path, stream, time, values);
                    return;
                }
                else if (values.ValueKind == JsonValueKind.Number && values.TryGetDouble(out double value))
                {
                    decoded.AddField(name, value);
                }
            }

            End(stream, time, errors);
        }

        private void End(string stream, DateTimeOffset? time, int errors)
        {
            bool leftOut = !decoded.LeftOut.IsEmpty;
            int count = decoded.EndRecord(stream, time);

            if (count > Decoded.FieldsMax)
            {
                decoded.RejectFields(line, count, _json);
            }
            else if (count == 0 && decoded.Errors.Count == errors && !(leftOut && device is not null))
            {
                decoded.Reject(line, "no field holds a number", _json);
            }
        }

        private void Value(string field, string stream, DateTimeOffset? time, JsonElement value)
        {
            LeftOutReason? reason = LeftOutReason.Text;
            double number = double.NaN;

            switch (value.ValueKind)
            {
                case JsonValueKind.Number:
                    reason = value.TryGetDouble(out number) && double.IsFinite(number) ? null : LeftOutReason.NotFinite;
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    (reason, number) = (null, value.ValueKind == JsonValueKind.True ? 1 : 0);
                    break;
                case JsonValueKind.String:
                    reason = FieldText.Read(value.GetString(), rules.Units, out number);
                    break;
            }

            if (reason is null)
            {
                decoded.Add(stream, time, number);
            }
            else if (reason == LeftOutReason.Missing)
            {
                decoded.LeftOut.Add(LeftOutReason.Missing, stream, value.GetRawText(), FieldText.Expectation(LeftOutReason.Missing));
            }
            else
            {
                decoded.Reject(line, $"field {field}: {Shown(value)}, expected a number", _json);
            }
        }

        private bool TryTime(JsonElement element, out DateTimeOffset? time, out string? wrong)
        {
            (time, wrong) = (null, null);
            int best = int.MaxValue;

            if (device is { Time.Length: > 0 } && At(element, device.Time) is { } there)
            {
                Understand(there, device.Time, ref time, ref wrong);
                return wrong is null;
            }

            foreach (JsonProperty field in element.EnumerateObject())
            {
                // What is null says nothing, and another one may.
                if (Timestamps.TimeRank(field.Name) is not { } rank || rank >= best || field.Value.ValueKind == JsonValueKind.Null)
                {
                    continue;
                }

                (DateTimeOffset? understood, string? not) = (null, null);
                Understand(field.Value, field.Name, ref understood, ref not);

                if (not is null || !Timestamps.MayBeOther(rank))
                {
                    (best, time, wrong) = (rank, understood, not);
                }
            }

            return wrong is null;
        }

        private void Understand(JsonElement written, string name, ref DateTimeOffset? time, ref string? wrong)
        {
            DateTimeOffset parsed = default;
            bool understood = written.ValueKind switch
            {
                JsonValueKind.String => Timestamps.TryParse(written.GetString()!, out parsed, rules.Zone),
                JsonValueKind.Number => written.TryGetDouble(out double unix) && Timestamps.TryFromUnix(unix, out parsed),
                _ => false,
            };

            time = understood ? parsed : null;
            wrong = understood ? null : $"field {name}: {Shown(written)}, expected {Timestamps.Expectation}";
        }

        private static JsonElement? At(JsonElement element, string path)
        {
            foreach (string step in path.Split('/'))
            {
                if (element.ValueKind == JsonValueKind.Array && int.TryParse(step, out int index) && index < element.GetArrayLength())
                {
                    element = element[index];
                }
                else if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(step, out element))
                {
                    return null;
                }
            }

            return element;
        }
    }

    private static string Shown(JsonElement element)
    {
        string text = element.GetRawText();
        return text.Length <= 60 ? text : text[..60] + "...";
    }
}
