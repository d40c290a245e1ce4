using System.Globalization;

namespace StreamLstm.Decoding.Agents;

/// <summary>What a metric of OpenTelemetry is.</summary>
internal enum OtlpKind
{
    /// <summary>A value: a gauge, or a sum as it stands. One that only rises is a counter, which the detector knows by its values.</summary>
    Number,

    /// <summary>How many values there were, and their sum.</summary>
    Histogram,

    /// <summary>The same with quantiles.</summary>
    Summary,
}

/// <summary>A data point, whichever way it was written; one is used for all.</summary>
internal sealed class OtlpPoint
{
    public List<(string Name, string Value)> Attributes { get; } = [];

    public List<(double Quantile, double Value)> Quantiles { get; } = [];

    /// <summary>Nanoseconds since 1970; 0 where none is said.</summary>
    public ulong UnixNanoseconds { get; set; }

    public double? Value { get; set; }

    public double? Count { get; set; }

    public double? Sum { get; set; }

    /// <summary>Whether it says that there is no value.</summary>
    public bool IsMissing { get; set; }

    public void Clear()
    {
        Attributes.Clear();
        Quantiles.Clear();
        (UnixNanoseconds, Value, Count, Sum, IsMissing) = (0, null, null, null, false);
    }
}

/// <summary>Makes observations of OpenTelemetry's data points: the stream SERVICE/RESOURCE=VALUE/METRIC/ATTRIBUTE=VALUE.</summary>
/// <param name="resourceNames">Which of a resource's attributes stand in the name, in this order; service.name without its own name.</param>
/// <param name="decoded">Where observations, what was left out and errors go.</param>
internal sealed class OtlpPoints(IReadOnlyList<string> resourceNames, Decoded decoded)
{
    private const string ServiceName = "service.name";

    private const ulong NanosecondsPerTick = 100;

    private int _points;

    /// <summary>What the names of a resource's streams begin with.</summary>
    public string Resource(List<(string Name, string Value)> attributes)
    {
        string before = "";

        foreach (string name in resourceNames)
        {
            int at = attributes.FindIndex(attribute => attribute.Name == name);

            if (at >= 0 && attributes[at].Value.Length > 0)
            {
                before = SeriesName.Of(before, name == ServiceName ? attributes[at].Value : $"{name}={attributes[at].Value}", []);
            }
        }

        return before;
    }

    /// <param name="resource">What <see cref="Resource"/> gave.</param>
    /// <param name="metric">The metric's name.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="isDelta">Whether it says what there was since the last point, and not since the beginning.</param>
    /// <param name="point">The point.</param>
    /// <param name="payload">Its bytes.</param>
    public void Take(string resource, string metric, OtlpKind kind, bool isDelta, OtlpPoint point, ReadOnlySpan<byte> payload)
    {
        _points++;

        if (metric.Length == 0 || point.Attributes.Count > SeriesName.LabelsMax)
        {
            Reject(metric.Length == 0 ? "a metric without a name" : $"{metric}: more than {SeriesName.LabelsMax} attributes", payload);
            return;
        }

        if (point.IsMissing)
        {
            decoded.LeftOut.Add(LeftOutReason.Missing, metric, "", "the point says that there is no value");
            return;
        }

        DateTimeOffset? time = null;

        if (point.UnixNanoseconds > 0)
        {
            if (!Timestamps.TryFromUnix((long)(point.UnixNanoseconds / NanosecondsPerTick), TimeSpan.TicksPerSecond, out DateTimeOffset parsed))
            {
                Reject($"{metric}: time_unix_nano {point.UnixNanoseconds}, expected nanoseconds of the years 1970 to 2554", payload);
                return;
            }

            time = parsed;
        }

        string stream = SeriesName.Of(resource, metric, point.Attributes);

        if (kind == OtlpKind.Number)
        {
            Add(stream, metric, time, point.Value, payload);
            return;
        }

        // One record, one time.
        time ??= decoded.NextStamp();
        Add($"{stream}/count", metric, time, point.Count ?? 0, payload);

        if (point.Sum is { } sum)
        {
            // What came since the last point has a mean; what came since the beginning is two counters.
            if (!isDelta || kind == OtlpKind.Summary)
            {
                Add($"{stream}/sum", metric, time, sum, payload);
            }
            else if (point.Count > 0)
            {
                Add($"{stream}/mean", metric, time, sum / point.Count, payload);
            }
        }

        foreach ((double quantile, double value) in point.Quantiles)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{stream}/quantile={quantile}"), metric, time, value, payload);
        }
    }

    /// <summary>A part of the request could not be read.</summary>
    public void Reject(string why, ReadOnlySpan<byte> payload) => decoded.Reject(_points, $"data point {_points}: {why}", payload);

    private void Add(string stream, string metric, DateTimeOffset? time, double? value, ReadOnlySpan<byte> payload)
    {
        if (value is not { } number)
        {
            Reject($"{metric}: no value, expected as_double or as_int", payload);
        }
        else if (!double.IsFinite(number))
        {
            decoded.LeftOut.Add(LeftOutReason.NotFinite, metric, "", FieldText.Expectation(LeftOutReason.NotFinite));
        }
        else
        {
            decoded.Add(stream, time, number);
        }
    }
}
