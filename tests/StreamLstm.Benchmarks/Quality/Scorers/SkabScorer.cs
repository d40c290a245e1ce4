namespace StreamLstm.Benchmarks.Quality.Scorers;

/// <summary>The scored rows of one file; predictions and claims may be null where a row was not scored.</summary>
internal sealed record SkabSeries(
    IReadOnlyList<DateTimeOffset> Times,
    IReadOnlyList<bool> Anomalies,
    IReadOnlyList<bool> Changes,
    IReadOnlyList<bool?> Predictions,
    IReadOnlyList<bool?> Claims);

/// <summary>Both of SKAB's metrics.</summary>
internal sealed record SkabResult
{
    public required double F1 { get; init; }

    /// <summary>False alarms, in % of the normal rows.</summary>
    public required double FalseAlarmRate { get; init; }

    /// <summary>Missed, in % of the anomalous rows.</summary>
    public required double MissedRate { get; init; }

    public required (int TruePositive, int TrueNegative, int FalsePositive, int FalseNegative) Rows { get; init; }

    /// <summary>Change points by NAB's scheme: standard, low false positives, low false negatives.</summary>
    public required (double Standard, double LowFalsePositives, double LowFalseNegatives) Nab { get; init; }

    public required int ChangePoints { get; init; }

    public required int Missed { get; init; }

    public required int FalseClaims { get; init; }

    public required double MeanDelaySeconds { get; init; }
}

/// <summary>
/// The Skoltech Anomaly Benchmark's leaderboard: point-wise F1 pooled over files, and change points, each with a window
/// of 60 s behind it in which the first claim earns 1 falling to what a false claim costs.
/// </summary>
internal static class SkabScorer
{
    /// <summary>Rows of a file that are for training.</summary>
    public const int TrainingRows = 400;

    private const int Steps = 1000;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    private static readonly (double Hit, double False, double Miss)[] Profiles = [(1, -0.11, -1), (1, -0.22, -1), (1, -0.11, -2)];

    public static SkabResult Score(IEnumerable<SkabSeries> series)
    {
        int truePositive = 0, trueNegative = 0, falsePositive = 0, falseNegative = 0;
        int windows = 0, missed = 0, falseClaims = 0;
        var raw = new double[Profiles.Length];
        List<double> delays = [];

        foreach (SkabSeries one in series)
        {
            for (int row = 0; row < one.Times.Count; row++)
            {
                switch (one.Anomalies[row], one.Predictions[row])
                {
                    case (true, true): truePositive++; break;
                    case (true, false): falseNegative++; break;
                    case (false, true): falsePositive++; break;
                    case (false, false): trueNegative++; break;
                }
            }

            (DateTimeOffset Low, DateTimeOffset High)[] bounds = Bounds(one);
            DateTimeOffset[] claimed = [.. one.Times.Where((_, row) => one.Claims[row] == true).Order()];
            int outside = claimed.Count(time => bounds.Length == 0 || time < bounds[0].Low);

            for (int i = 0; i < bounds.Length; i++)
            {
                (DateTimeOffset low, DateTimeOffset high) = bounds[i];
                int first = Array.FindIndex(claimed, time => time >= low && time <= high);
                double fraction = 0;

                if (first >= 0)
                {
                    delays.Add((claimed[first] - low).TotalSeconds);
                    fraction = high > low ? (double)(claimed[first] - low).Ticks / (high - low).Ticks : 0;
                }
                else
                {
                    missed++;
                }

                for (int profile = 0; profile < Profiles.Length; profile++)
                {
                    raw[profile] += first >= 0 ? Reward(fraction, Profiles[profile].Hit, Profiles[profile].False) : Profiles[profile].Miss;
                }

                DateTimeOffset following = i + 1 < bounds.Length ? bounds[i + 1].Low : DateTimeOffset.MaxValue;
                outside += claimed.Count(time => time > high && time < following);
            }

            windows += bounds.Length;
            falseClaims += outside;

            for (int profile = 0; profile < Profiles.Length; profile++)
            {
                raw[profile] += Profiles[profile].False * outside;
            }
        }

        double[] nab = [.. Profiles.Select((profile, i) => windows == 0
            ? double.NaN
            : 100 * (raw[i] - windows * profile.Miss) / (windows * (profile.Hit - profile.Miss)))];
        return new SkabResult
        {
            F1 = truePositive + falseNegative + falsePositive == 0 ? 0 : truePositive / (truePositive + (falseNegative + falsePositive) / 2.0),
            FalseAlarmRate = 100.0 * falsePositive / Math.Max(1, falsePositive + trueNegative),
            MissedRate = 100.0 * falseNegative / Math.Max(1, falseNegative + truePositive),
            Rows = (truePositive, trueNegative, falsePositive, falseNegative),
            Nab = (nab[0], nab[1], nab[2]),
            ChangePoints = windows,
            Missed = missed,
            FalseClaims = falseClaims,
            MeanDelaySeconds = delays.Count == 0 ? double.NaN : delays.Sum() / delays.Count,
        };
    }

    /// <summary>The windows; one that would begin within the window before it begins where that one ends.</summary>
    private static (DateTimeOffset Low, DateTimeOffset High)[] Bounds(SkabSeries series)
    {
        (DateTimeOffset Low, DateTimeOffset High)[] bounds =
            [.. series.Times.Where((_, row) => series.Changes[row]).Select(time => (time, time + Window))];

        for (int i = 1; i < bounds.Length; i++)
        {
            if (bounds[i - 1].High >= bounds[i].Low)
            {
                bounds[i].Low = bounds[i - 1].High;
            }
        }

        return bounds;
    }

    /// <summary>Of a claim at this fraction of the window: hit at its start, what a false claim costs at its end.</summary>
    private static double Reward(double fraction, double hit, double falseClaim)
    {
        double x = -Math.PI / 2 + Math.PI * Math.Min((int)(fraction * Steps), Steps - 1) / (Steps - 1);
        return (hit - falseClaim) / 2 * -Math.Tanh(x) / Math.Tanh(Math.PI / 2) + (hit - falseClaim) / 2 + falseClaim;
    }
}
