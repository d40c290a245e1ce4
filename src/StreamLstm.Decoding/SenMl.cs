using System.Text.Json;

namespace StreamLstm.Decoding;

/// <summary>Sensor Measurement Lists in JSON (RFC 8428): [{"bn":"urn:dev:1:","bt":1.7e9,"n":"temp","v":21.5},{"n":"open","vb":true}].</summary>
internal static class SenMl
{
    /// <summary>Times below this are told from the moment of arrival (RFC 8428, 4.5.3).</summary>
    private const double AbsoluteFrom = 1 << 28;

    /// <summary>Whether an array is such a list: its first record has a name, and a value of one kind.</summary>
    public static bool IsPack(JsonElement array) =>
        array.GetArrayLength() > 0 && array[0] is { ValueKind: JsonValueKind.Object } first && (Has(first, "n") || Has(first, "bn"))
        && (Has(first, "v") || Has(first, "vb") || Has(first, "vs") || Has(first, "vd") || Has(first, "bv") || Has(first, "bt") || Has(first, "bver") || Has(first, "bu"));

    /// <param name="pack">The list.</param>
    /// <param name="line">Its line, for errors.</param>
    /// <param name="prefix">Before the names.</param>
    /// <param name="rules">What is made of texts.</param>
    /// <param name="json">The list as it came.</param>
    /// <param name="decoded">Gets a stream a name.</param>
    public static void Decode(JsonElement pack, int line, string prefix, PayloadRules rules, ReadOnlySpan<byte> json, Decoded decoded)
    {
        string baseName = "";
        double baseTime = 0, baseValue = 0;
        DateTimeOffset? arrival = null;

        foreach (JsonElement record in pack.EnumerateArray())
        {
            if (record.ValueKind != JsonValueKind.Object)
            {
                decoded.Reject(line, $"a SenML record is {record.ValueKind}, expected an object", json);
                continue;
            }

            baseName = Text(record, "bn") ?? baseName;
            baseTime = Number(record, "bt") ?? baseTime;
            baseValue = Number(record, "bv") ?? baseValue;
            string name = baseName + (Text(record, "n") ?? "");
            double? value = Number(record, "v") + baseValue ?? Flag(record, "vb");

            if (value is null && record.TryGetProperty("vs", out JsonElement text) && text.ValueKind == JsonValueKind.String)
            {
                if (FieldText.Read(text.GetString(), rules.Units, out double read) is { } reason)
                {
                    decoded.LeftOut.Add(reason, name, text.GetRawText(), FieldText.Expectation(reason));
                    continue;
                }

                value = read;
            }

            if (value is not { } number || name.Length == 0)
            {
                // A record of base fields alone, a sum, data: nothing that is judged.
                continue;
            }

            double seconds = baseTime + (Number(record, "t") ?? 0);
            DateTimeOffset time;

            if (seconds < AbsoluteFrom)
            {
                arrival ??= decoded.NextStamp();
                time = arrival.Value.AddSeconds(Math.Max(seconds, -1e9));
            }
            else if (!Timestamps.TryFromUnix(seconds, out time))
            {
                decoded.Reject(line, $"SenML time {seconds}, expected {Timestamps.Expectation}", json);
                continue;
            }

            decoded.Add(prefix.Length > 0 ? $"{prefix}/{name}" : name, time, number);
        }
    }

    private static bool Has(JsonElement record, string field) => record.TryGetProperty(field, out _);

    private static string? Text(JsonElement record, string field) =>
        record.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static double? Number(JsonElement record, string field) =>
        record.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? number : null;

    private static double? Flag(JsonElement record, string field) =>
        record.TryGetProperty(field, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.ValueKind == JsonValueKind.True ? 1 : 0 : null;
}
