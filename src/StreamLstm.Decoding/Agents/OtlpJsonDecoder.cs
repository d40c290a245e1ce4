using System.Globalization;
using System.Text;
using System.Text.Json;

namespace StreamLstm.Decoding.Agents;

/// <summary>OpenTelemetry's metrics as JSON (OTLP/HTTP): whole numbers of 64 bits may be in quotes, bytes of identifiers are never looked at.</summary>
internal static class OtlpJsonDecoder
{
    private const int Delta = 1;
    private const long NoRecordedValue = 1;

    private static readonly (string Name, OtlpKind Kind)[] Kinds =
    [
        ("gauge", OtlpKind.Number), ("sum", OtlpKind.Number), ("histogram", OtlpKind.Histogram),
        ("exponentialHistogram", OtlpKind.Histogram), ("summary", OtlpKind.Summary),
    ];

    /// <param name="request">The document.</param>
    /// <param name="resourceNames">Which of a resource's attributes stand in the names of streams.</param>
    /// <param name="decoded">Where observations, what was left out and errors go.</param>
    public static void Decode(ReadOnlyMemory<byte> request, IReadOnlyList<string> resourceNames, Decoded decoded)
    {
        var points = new OtlpPoints(resourceNames, decoded);
        var point = new OtlpPoint();

        try
        {
            using JsonDocument document = JsonDocument.Parse(request);

            if (Field(document.RootElement, "resourceMetrics") is not { ValueKind: JsonValueKind.Array })
            {
                points.Reject("no resourceMetrics, expected an ExportMetricsServiceRequest such as {\"resourceMetrics\":[{\"scopeMetrics\":[...]}]}", request.Span);
                return;
            }

            foreach (JsonElement ofResource in Each(document.RootElement, "resourceMetrics"))
            {
                point.Clear();
                Attributes(Field(ofResource, "resource") ?? default, point);
                string resource = points.Resource(point.Attributes);

                foreach (JsonElement metric in Each(ofResource, "scopeMetrics").SelectMany(scope => Each(scope, "metrics")))
                {
                    Metric(metric, resource, points, point);
                }
            }
        }
        catch (JsonException damaged)
        {
            points.Reject($"{damaged.Message.Split('.')[0]}, expected JSON of an ExportMetricsServiceRequest", request.Span);
        }
        catch (InvalidOperationException damaged)
        {
            // A text with half a surrogate pair.
            points.Reject($"{damaged.Message.Split('.')[0]}, expected text of whole characters", request.Span);
        }
    }

    private static void Metric(JsonElement metric, string resource, OtlpPoints points, OtlpPoint point)
    {
        string name = Text(Field(metric, "name"));

        foreach ((string of, OtlpKind kind) in Kinds)
        {
            if (Field(metric, of) is not { } data)
            {
                continue;
            }

            bool isDelta = Field(data, "aggregationTemporality") is { } temporality
                && (temporality.ValueKind == JsonValueKind.String ? temporality.ValueEquals("AGGREGATION_TEMPORALITY_DELTA") : Number(temporality) is Delta);

            foreach (JsonElement one in Each(data, "dataPoints"))
            {
                point.Clear();
                Attributes(one, point);
                double? value = Number(Field(one, "asDouble")) ?? Number(Field(one, "asInt"));
                (point.Value, point.Count, point.Sum) = (value, Number(Field(one, "count")), Number(Field(one, "sum")));
                point.IsMissing = ((long)(Number(Field(one, "flags")) ?? 0) & NoRecordedValue) != 0;
                point.UnixNanoseconds = Nanoseconds(Field(one, "timeUnixNano"));

                foreach (JsonElement quantile in Each(one, "quantileValues"))
                {
                    point.Quantiles.Add((Number(Field(quantile, "quantile")) ?? 0, Number(Field(quantile, "value")) ?? 0));
                }

                points.Take(resource, name, kind, isDelta, point, Beginning(one));
            }
        }
    }

    private static void Attributes(JsonElement of, OtlpPoint point)
    {
        foreach (JsonElement attribute in Each(of, "attributes"))
        {
            if (point.Attributes.Count <= SeriesName.LabelsMax)
            {
                point.Attributes.Add((Text(Field(attribute, "key")), AnyValue(Field(attribute, "value"), isInArray: false)));
            }
        }
    }

    private static string AnyValue(JsonElement? any, bool isInArray)
    {
        if (any is not { ValueKind: JsonValueKind.Object } value)
        {
            return "";
        }

        foreach (JsonProperty one in value.EnumerateObject())
        {
            switch (one.Name)
            {
                case "stringValue" or "intValue":
                    return Text(one.Value);
                case "boolValue":
                    return one.Value.ValueKind == JsonValueKind.True ? "true" : "false";
                case "doubleValue":
                    return Number(one.Value)?.ToString(CultureInfo.InvariantCulture) ?? "";
                case "arrayValue" when !isInArray:
                    return Elements(one.Value);
            }
        }

        return "";
    }

    private static string Elements(JsonElement array)
    {
        var elements = new StringBuilder();

        foreach (JsonElement element in Each(array, "values").TakeWhile(_ => elements.Length <= SeriesName.CharsMax))
        {
            elements.Append(elements.Length > 0 ? "," : "").Append(AnyValue(element, isInArray: true));
        }

        return elements.ToString();
    }

    private static JsonElement? Field(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out JsonElement field) && field.ValueKind != JsonValueKind.Null ? field : null;

    private static IEnumerable<JsonElement> Each(JsonElement of, string name) =>
        Field(of, name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : Enumerable.Empty<JsonElement>();

    private static string Text(JsonElement? field) => field switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > SeriesName.CharsMax } tooLong ? tooLong[..SeriesName.CharsMax] : text.GetString()!,
        { ValueKind: JsonValueKind.Number } number => number.GetRawText() is { Length: > SeriesName.CharsMax } tooLong ? tooLong[..SeriesName.CharsMax] : number.GetRawText(),
        _ => "",
    };

    private static double? Number(JsonElement? field) => field switch
    {
        { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
        { ValueKind: JsonValueKind.String } text when double.TryParse(text.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double parsed) => parsed,
        _ => null,
    };

    private static ulong Nanoseconds(JsonElement? field) =>
        ulong.TryParse(Text(field), NumberStyles.None, CultureInfo.InvariantCulture, out ulong nanoseconds) ? nanoseconds : 0;

    private static byte[] Beginning(JsonElement element) => Encoding.UTF8.GetBytes(element.GetRawText() is { Length: > 1024 } text ? text[..1024] : element.GetRawText());
}
