namespace StreamLstm.Decoding.Agents;

/// <summary>What a series of Prometheus is here, however it comes: the stream JOB/instance=INSTANCE/METRIC/LABEL=VALUE.</summary>
internal static class PrometheusSeries
{
    /// <summary>Whether it is a bucket of a histogram: they say the same twenty times, and its _sum and _count are taken.</summary>
    public static bool IsBucket(string metric, List<(string Name, string Value)> labels) =>
        metric.EndsWith("_bucket", StringComparison.Ordinal) && labels.Any(label => label.Name == "le");

    /// <summary>Counts what <see cref="IsBucket"/> says.</summary>
    public static void LeaveOutBucket(string metric, Decoded decoded) =>
        decoded.LeftOut.Add(LeftOutReason.Rule, metric, "", "a bucket of a histogram, whose _sum and _count are taken");

    /// <param name="metric">Its name.</param>
    /// <param name="labels">The others; job and instance are taken out of them.</param>
    public static string StreamOf(string metric, List<(string Name, string Value)> labels)
    {
        string job = Take(labels, "job"), instance = Take(labels, "instance");
        return SeriesName.Of(instance.Length > 0 ? SeriesName.Of(job, $"instance={instance}", []) : job, metric, labels);
    }

    /// <summary>A label's value, which is none of them afterwards; empty where it is not there.</summary>
    public static string Take(List<(string Name, string Value)> labels, string name)
    {
        int at = labels.FindIndex(label => label.Name == name);

        if (at < 0)
        {
            return "";
        }

        string value = labels[at].Value;
        labels.RemoveAt(at);
        return value;
    }
}
