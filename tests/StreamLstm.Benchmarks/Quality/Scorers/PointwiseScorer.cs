namespace StreamLstm.Benchmarks.Quality.Scorers;

/// <summary>Point by point, never widened to whole segments: random scores pass what is widened.</summary>
internal static class PointwiseScorer
{
    /// <summary>Average precision: the sum over thresholds, falling, of precision times the recall gained.</summary>
    public static double AveragePrecision(IReadOnlyList<double> scores, IReadOnlyList<bool> labels)
    {
        double sum = 0, recall = 0;

        foreach ((int found, int flagged, int anomalous) in Sweep(scores, labels))
        {
            double now = (double)found / anomalous;
            sum += (now - recall) * found / flagged;
            recall = now;
        }

        return sum;
    }

    /// <summary>F1 at the threshold that is best for these labels: an upper bound.</summary>
    public static double BestF1(IReadOnlyList<double> scores, IReadOnlyList<bool> labels) =>
        Sweep(scores, labels).Select(at => 2.0 * at.Found / (at.Flagged + at.Anomalous)).Max();

    /// <summary>F1 where every score at or above the threshold is flagged.</summary>
    public static double F1(IReadOnlyList<double> scores, IReadOnlyList<bool> labels, double threshold)
    {
        int found = 0, flagged = 0;

        for (int row = 0; row < scores.Count; row++)
        {
            flagged += scores[row] >= threshold ? 1 : 0;
            found += scores[row] >= threshold && labels[row] ? 1 : 0;
        }

        return 2.0 * found / Math.Max(1, flagged + labels.Count(label => label));
    }

    /// <summary>For every threshold that makes a difference, falling: anomalous rows flagged, rows flagged, anomalous rows.</summary>
    private static IEnumerable<(int Found, int Flagged, int Anomalous)> Sweep(IReadOnlyList<double> scores, IReadOnlyList<bool> labels)
    {
        int[] order = [.. Enumerable.Range(0, scores.Count).OrderByDescending(row => scores[row])];
        int anomalous = labels.Count(label => label), found = 0;

        for (int i = 0; i < order.Length; i++)
        {
            found += labels[order[i]] ? 1 : 0;

            if (i + 1 == order.Length || scores[order[i + 1]] != scores[order[i]])
            {
                yield return (found, i + 1, anomalous);
            }
        }
    }
}
