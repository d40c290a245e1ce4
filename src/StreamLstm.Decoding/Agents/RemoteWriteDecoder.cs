namespace StreamLstm.Decoding.Agents;

/// <summary>Prometheus remote write, versions 1.0 and 2.0, unpacked: a series is the stream JOB/instance=INSTANCE/METRIC/LABEL=VALUE.</summary>
/// <remarks>
/// A counter stays one: the detector knows it by its values, and judges its rate. Of a histogram count and sum are taken and its buckets left out, as they say
/// the same twenty times. A marker that a series has ended is no value.
/// </remarks>
internal static class RemoteWriteDecoder
{
    private const ulong EndMarker = 0x7ff0000000000002;   // the NaN that stands for "no more" (Prometheus, staleness)

    private const int MillisecondsPerSecond = 1_000;

    /// <param name="request">The message: WriteRequest of version 1, Request of version 2.</param>
    /// <param name="version">1 or 2.</param>
    /// <param name="decoded">Where observations, what was left out and errors go.</param>
    public static void Decode(ReadOnlySpan<byte> request, int version, Decoded decoded)
    {
        var symbols = new List<Range>();
        int series = 0;

        try
        {
            var reader = new ProtobufReader(request);

            while (version == 2 && reader.Next())
            {
                if (reader is { Field: 4, WireType: 2 })
                {
                    request.Overlaps(reader.Bytes, out int start);
                    symbols.Add(start..(start + reader.Bytes.Length));
                }
            }

            reader = new ProtobufReader(request);

            while (reader.Next())
            {
                if (reader.Field == (version == 2 ? 5 : 1) && reader.WireType == 2)
                {
                    Series(reader.Bytes, ++series, version, request, symbols, decoded);
                }
            }
        }
        catch (InvalidDataException damaged)
        {
            decoded.Reject(series, $"series {series}: {damaged.Message}, expected a remote write request of version {version}", request);
        }
    }

    private static void Series(ReadOnlySpan<byte> series, int number, int version, ReadOnlySpan<byte> request, List<Range> symbols, Decoded decoded)
    {
        var labels = new List<(string Name, string Value)>();
        string? wrong = version == 2 ? ReadReferences(series, request, symbols, labels) : ReadLabels(series, labels);
        string metric = PrometheusSeries.Take(labels, "__name__");

        if (wrong is not null || metric.Length == 0)
        {
            decoded.Reject(number, $"series {number}: {wrong ?? "no label __name__, expected the metric's name"}", series);
            return;
        }

        if (PrometheusSeries.IsBucket(metric, labels))
        {
            PrometheusSeries.LeaveOutBucket(metric, decoded);
            return;
        }

        string stream = PrometheusSeries.StreamOf(metric, labels);
        var reader = new ProtobufReader(series);

        while (reader.Next())
        {
            if (reader is { Field: 2, WireType: 2 })
            {
                Sample(reader.Bytes, stream, metric, number, decoded);
            }
            else if (reader.Field == (version == 2 ? 3 : 4) && reader.WireType == 2)
            {
                Histogram(reader.Bytes, stream, metric, number, decoded);
            }
        }
    }

    private static void Sample(ReadOnlySpan<byte> sample, string stream, string metric, int number, Decoded decoded)
    {
        double value = 0;
        long milliseconds = 0;
        var reader = new ProtobufReader(sample);

        while (reader.Next())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, 1):
                    value = reader.Double;
                    break;
                case (2, 0):
                    milliseconds = (long)reader.Number;
                    break;
            }
        }

        Add(stream, metric, milliseconds, value, sample, number, decoded);
    }

    /// <summary>A native histogram, in one sample.</summary>
    private static void Histogram(ReadOnlySpan<byte> histogram, string stream, string metric, int number, Decoded decoded)
    {
        double count = 0, sum = 0;
        long milliseconds = 0;
        var reader = new ProtobufReader(histogram);

        while (reader.Next())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, 0):
                    count = reader.Number;
                    break;
                case (2, 1):
                    count = reader.Double;
                    break;
                case (3, 1):
                    sum = reader.Double;
                    break;
                case (15, 0):
                    milliseconds = (long)reader.Number;
                    break;
            }
        }

        if (BitConverter.DoubleToUInt64Bits(sum) == EndMarker)
        {
            Add(stream, metric, milliseconds, sum, histogram, number, decoded);
            return;
        }

        Add($"{stream}/count", metric, milliseconds, count, histogram, number, decoded);
        Add($"{stream}/sum", metric, milliseconds, sum, histogram, number, decoded);
    }

    private static void Add(string stream, string metric, long milliseconds, double value, ReadOnlySpan<byte> payload, int number, Decoded decoded)
    {
        if (BitConverter.DoubleToUInt64Bits(value) == EndMarker)
        {
            decoded.LeftOut.Add(LeftOutReason.Missing, metric, "", "the series has ended");
        }
        else if (!double.IsFinite(value))
        {
            decoded.LeftOut.Add(LeftOutReason.NotFinite, metric, "", FieldText.Expectation(LeftOutReason.NotFinite));
        }
        else if (!Timestamps.TryFromUnix(milliseconds, MillisecondsPerSecond, out DateTimeOffset time))
        {
            decoded.Reject(number, $"series {number}: timestamp {milliseconds}, expected milliseconds of the years 1000 to 8999", payload);
        }
        else
        {
            decoded.Add(stream, time, value);
        }
    }

    private static string? ReadLabels(ReadOnlySpan<byte> series, List<(string Name, string Value)> labels)
    {
        var reader = new ProtobufReader(series);

        while (reader.Next())
        {
            if (reader is { Field: 1, WireType: 2 })
            {
                string name = "", value = "";
                var label = new ProtobufReader(reader.Bytes);

                while (label.Next())
                {
                    (name, value) = label.Field switch { 1 => (SeriesName.Text(label.Bytes), value), 2 => (name, SeriesName.Text(label.Bytes)), _ => (name, value) };
                }

                if (Add(labels, name, value) is { } wrong)
                {
                    return wrong;
                }
            }
        }

        return null;
    }

    private static string? ReadReferences(ReadOnlySpan<byte> series, ReadOnlySpan<byte> request, List<Range> symbols, List<(string Name, string Value)> labels)
    {
        var reader = new ProtobufReader(series);
        string? name = null;

        while (reader.Next())
        {
            if (reader.Field != 1)
            {
                continue;
            }

            // Packed, or one by one: both are right.
            ReadOnlySpan<byte> rest = reader.Bytes;
            bool isSingle = reader.WireType == 0;

            while (isSingle || !rest.IsEmpty)
            {
                ulong reference = isSingle ? reader.Number : ProtobufReader.TakeNumber(ref rest, wireType: 0);
                isSingle = false;

                if (reference >= (ulong)symbols.Count)
                {
                    return $"label reference {reference}, expected one of the {symbols.Count} symbols";
                }

                string text = SeriesName.Text(request[symbols[(int)reference]]);

                if (name is null)
                {
                    name = text;
                }
                else
                {
                    if (Add(labels, name, text) is { } wrong)
                    {
                        return wrong;
                    }

                    name = null;
                }
            }
        }

        return name is null ? null : "an odd number of label references, expected pairs of name and value";
    }

    private static string? Add(List<(string Name, string Value)> labels, string name, string value)
    {
        // Without a value a label is as good as not there (Prometheus, data model).
        if (value.Length > 0)
        {
            labels.Add((name, value));
        }

        return labels.Count > SeriesName.LabelsMax ? $"more than {SeriesName.LabelsMax} labels" : null;
    }
}
