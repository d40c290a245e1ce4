using System.Globalization;

namespace StreamLstm.Decoding.Agents;

/// <summary>OpenTelemetry's metrics as protobuf: ExportMetricsServiceRequest (OTLP 1.x). As JSON: <see cref="OtlpJsonDecoder"/>.</summary>
internal static class OtlpDecoder
{
    private const int Delta = 1;           // AGGREGATION_TEMPORALITY_DELTA
    private const ulong NoRecordedValue = 1;

    /// <param name="request">The message.</param>
    /// <param name="resourceNames">Which of a resource's attributes stand in the names of streams.</param>
    /// <param name="decoded">Where observations, what was left out and errors go.</param>
    public static void Decode(ReadOnlySpan<byte> request, IReadOnlyList<string> resourceNames, Decoded decoded)
    {
        var points = new OtlpPoints(resourceNames, decoded);
        var point = new OtlpPoint();

        try
        {
            var reader = new ProtobufReader(request);

            while (reader.Next())
            {
                if (reader is { Field: 1, WireType: 2 })
                {
                    OfResource(reader.Bytes, points, point);
                }
            }
        }
        catch (InvalidDataException damaged)
        {
            points.Reject($"{damaged.Message}, expected an ExportMetricsServiceRequest", request);
        }
    }

    private static void OfResource(ReadOnlySpan<byte> metrics, OtlpPoints points, OtlpPoint point)
    {
        string resource = "";

        // Fields may come in any order.
        for (var reader = new ProtobufReader(metrics); reader.Next();)
        {
            if (reader is { Field: 1, WireType: 2 })
            {
                point.Clear();

                for (var attribute = new ProtobufReader(reader.Bytes); attribute.Next();)
                {
                    if (attribute is { Field: 1, WireType: 2 })
                    {
                        Attribute(attribute.Bytes, point.Attributes);
                    }
                }

                resource = points.Resource(point.Attributes);
            }
        }

        for (var reader = new ProtobufReader(metrics); reader.Next();)
        {
            for (var scope = new ProtobufReader(reader is { Field: 2, WireType: 2 } ? reader.Bytes : default); scope.Next();)
            {
                if (scope is { Field: 2, WireType: 2 })
                {
                    Metric(scope.Bytes, resource, points, point);
                }
            }
        }
    }

    private static void Metric(ReadOnlySpan<byte> metric, string resource, OtlpPoints points, OtlpPoint point)
    {
        string name = "";

        for (var reader = new ProtobufReader(metric); reader.Next();)
        {
            name = reader is { Field: 1, WireType: 2 } ? SeriesName.Text(reader.Bytes) : name;
        }

        for (var reader = new ProtobufReader(metric); reader.Next();)
        {
            if (reader is not { Field: 5 or 7 or 9 or 10 or 11, WireType: 2 })
            {
                continue;
            }

            OtlpKind kind = reader.Field switch { 5 or 7 => OtlpKind.Number, 11 => OtlpKind.Summary, _ => OtlpKind.Histogram };
            bool isDelta = false;

            for (var data = new ProtobufReader(reader.Bytes); data.Next();)
            {
                isDelta |= data is { Field: 2, WireType: 0, Number: Delta };
            }

            for (var data = new ProtobufReader(reader.Bytes); data.Next();)
            {
                if (data is { Field: 1, WireType: 2 })
                {
                    Point(data.Bytes, kind, reader.Field, point);
                    points.Take(resource, name, kind, isDelta, point, data.Bytes);
                }
            }
        }
    }

    /// <param name="bytes">The point.</param>
    /// <param name="kind">What it is of.</param>
    /// <param name="field">The metric's field that it stands in: each kind of point has its attributes elsewhere.</param>
    /// <param name="point">What is read.</param>
    private static void Point(ReadOnlySpan<byte> bytes, OtlpKind kind, int field, OtlpPoint point)
    {
        int attributes = field switch { 9 => 9, 10 => 1, _ => 7 };
        int flags = kind == OtlpKind.Histogram ? 10 : 8;
        point.Clear();

        for (var reader = new ProtobufReader(bytes); reader.Next();)
        {
            switch (reader.Field, reader.WireType)
            {
                case (3, 1):
                    point.UnixNanoseconds = reader.Number;
                    break;
                case var (at, wire) when at == attributes && wire == 2:
                    Attribute(reader.Bytes, point.Attributes);
                    break;
                case var (at, wire) when at == flags && wire == 0:
                    point.IsMissing = (reader.Number & NoRecordedValue) != 0;
                    break;
                case (4, 1) when kind == OtlpKind.Number:
                    point.Value = reader.Double;
                    break;
                case (6, 1) when kind == OtlpKind.Number:
                    point.Value = (long)reader.Number;
                    break;
                case (4, 1):
                    point.Count = reader.Number;
                    break;
                case (5, 1):
                    point.Sum = reader.Double;
                    break;
                case (6, 2) when kind == OtlpKind.Summary:
                    Quantile(reader.Bytes, point);
                    break;
            }
        }
    }

    private static void Quantile(ReadOnlySpan<byte> bytes, OtlpPoint point)
    {
        double quantile = 0, value = 0;

        for (var reader = new ProtobufReader(bytes); reader.Next();)
        {
            (quantile, value) = (reader.Field, reader.WireType) switch { (1, 1) => (reader.Double, value), (2, 1) => (quantile, reader.Double), _ => (quantile, value) };
        }

        point.Quantiles.Add((quantile, value));
    }

    private static void Attribute(ReadOnlySpan<byte> bytes, List<(string Name, string Value)> attributes)
    {
        string name = "", value = "";

        for (var reader = new ProtobufReader(bytes); reader.Next();)
        {
            (name, value) = (reader.Field, reader.WireType) switch
            {
                (1, 2) => (SeriesName.Text(reader.Bytes), value),
                (2, 2) => (name, Text(reader.Bytes)),
                _ => (name, value),
            };
        }

        if (attributes.Count <= SeriesName.LabelsMax)
        {
            attributes.Add((name, value));
        }
    }

    /// <summary>An AnyValue as a text; of an array its first elements.</summary>
    private static string Text(ReadOnlySpan<byte> any, bool isInArray = false)
    {
        string text = "";

        for (var reader = new ProtobufReader(any); reader.Next();)
        {
            text = (reader.Field, reader.WireType) switch
            {
                (1, 2) => SeriesName.Text(reader.Bytes),
                (2, 0) => reader.Number != 0 ? "true" : "false",
                (3, 0) => ((long)reader.Number).ToString(CultureInfo.InvariantCulture),
                (4, 1) => reader.Double.ToString(CultureInfo.InvariantCulture),
                (5, 2) when !isInArray => Elements(reader.Bytes),
                _ => text,
            };
        }

        return text;
    }

    private static string Elements(ReadOnlySpan<byte> array)
    {
        var elements = new System.Text.StringBuilder();

        for (var reader = new ProtobufReader(array); reader.Next() && elements.Length <= SeriesName.CharsMax;)
        {
            if (reader is { Field: 1, WireType: 2 })
            {
                elements.Append(elements.Length > 0 ? "," : "").Append(Text(reader.Bytes, isInArray: true));
            }
        }

        return elements.ToString();
    }
}
