using System.Globalization;
using System.Text.Json;

namespace StreamLstm.Decoding;

/// <summary>The numbers in a JSON document, named by the way to them: {"a":{"b":1},"c":[2,3]} is a/b, c/0 and c/1.</summary>
/// <remarks>
/// Flags are 1 and 0, numbers may be in quotes, states may be words (<see cref="FieldText"/>). What is none of it is left out, counted by reason.
/// </remarks>
internal static class JsonFields
{
    /// <param name="element">An object or array.</param>
    /// <param name="path">The way to it, empty for the record itself.</param>
    /// <param name="rules">What is made of fields.</param>
    /// <param name="isNoValue">Says of a name whether it is none of the record's values: its time, its stream; of the record's own fields only.</param>
    /// <param name="device">Rules of the device's family; null for none.</param>
    /// <param name="decoded">Gets the fields of the record.</param>
    public static void Add(JsonElement element, string path, PayloadRules rules, Func<string, bool> isNoValue, DeviceRule? device, Decoded decoded) =>
        Add(element, path, depth: 1, rules, isNoValue, device, decoded);

    private static void Add(
        JsonElement element, string path, int depth, PayloadRules rules, Func<string, bool> isNoValue, DeviceRule? device, Decoded decoded)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty field in element.EnumerateObject())
            {
                if (depth > 1 || !isNoValue(field.Name))
                {
                    Field(field.Value, Join(path, field.Name), depth, rules, isNoValue, device, decoded);
                }
            }

            return;
        }

        int index = 0;

        foreach (JsonElement item in element.EnumerateArray())
        {
            Field(item, Join(path, NameOf(item, rules) ?? index.ToString(CultureInfo.InvariantCulture)), depth, rules, isNoValue, device, decoded);
            index++;
        }
    }

    private static void Field(
        JsonElement value, string path, int depth, PayloadRules rules, Func<string, bool> isNoValue, DeviceRule? device, Decoded decoded)
    {
        if (device?.IsNoMeasurement(path) == true)
        {
            decoded.LeftOut.Add(LeftOutReason.Rule, path, "", $"no measurement of {device.Name}");
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object or JsonValueKind.Array when depth >= PayloadRules.DepthMax:
                LeaveOut(LeftOutReason.TooDeep);
                break;
            case JsonValueKind.Object or JsonValueKind.Array:
                Add(value, path, depth + 1, rules, isNoValue, device, decoded);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                decoded.AddField(path, value.ValueKind == JsonValueKind.True ? 1 : 0);
                break;
            case JsonValueKind.Number when value.TryGetDouble(out double number) && double.IsFinite(number):
                decoded.AddField(path, number);
                break;
            case JsonValueKind.Number:
                LeaveOut(LeftOutReason.NotFinite);
                break;
            case JsonValueKind.String when FieldText.Read(value.GetString(), rules.Units, out double read) is var reason:
                if (reason is { } why)
                {
                    LeaveOut(why);
                }
                else
                {
                    decoded.AddField(path, read);
                }

                break;
            default:
                LeaveOut(LeftOutReason.Missing);
                break;
        }

        void LeaveOut(LeftOutReason reason) => decoded.LeftOut.Add(reason, path, value.GetRawText(), FieldText.Expectation(reason));
    }

    private static string? NameOf(JsonElement item, PayloadRules rules)
    {
        foreach (string key in item.ValueKind == JsonValueKind.Object ? rules.ArrayKeys : [])
        {
            if (item.TryGetProperty(key, out JsonElement name) && name.ValueKind is JsonValueKind.String or JsonValueKind.Number)
            {
                return name.ToString();
            }
        }

        return null;
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}/{name}";
}
