namespace StreamLstm.Benchmarks.Quality.Scorers;

/// <summary>One file's times, scores and labelled windows (ends inclusive).</summary>
internal sealed record NabSeries(
    string Name, IReadOnlyList<DateTimeOffset> Times, IReadOnlyList<double> Scores, IReadOnlyList<(DateTimeOffset Start, DateTimeOffset End)> Windows);

/// <summary>What a profile gives for a window found, and takes for one missed and for a false row.</summary>
internal readonly record struct NabCosts(double Found, double Missed, double False)
{
    public static readonly NabCosts Standard = new(1, 1, 0.11);
    public static readonly NabCosts LowFalsePositives = new(1, 1, 0.22);
    public static readonly NabCosts LowFalseNegatives = new(1, 2, 0.11);
}

/// <summary>A profile's score, 100 = perfect, 0 = silent, and the counts behind it.</summary>
internal readonly record struct NabResult(double Score, double Raw, double Threshold, int WindowsFound, int Windows, int FalseRows);

/// <summary>
/// The Numenta Anomaly Benchmark's score (Lavin and Ahmad 2015): of the detections in a window the best counts, near 1 at
/// its start, 0 at its end; one outside costs, less just behind a window. One threshold for all files.
/// </summary>
internal static class NabScorer
{
    /// <summary>A threshold above every score.</summary>
    public const double NoDetection = 1.1;

    /// <summary>Scores files at a threshold; without one at the threshold that is best for them together.</summary>
    public static NabResult Score(IReadOnlyList<NabSeries> series, NabCosts costs, double? threshold = null)
    {
        WeighedRow[][] rows = [.. series.Select(one => Weigh(one, costs))];
        double chosen = threshold ?? Sweep(rows.SelectMany(one => one), costs.Missed).MaxBy(step => step.Raw).Threshold;
        double raw = 0;
        int found = 0, falseRows = 0, windows = series.Sum(one => one.Windows.Count);

        foreach (WeighedRow[] one in rows)
        {
            Step at = AtThreshold(one, costs.Missed, chosen);
            raw += at.Raw;
            found += at.Found;
            falseRows += at.FalseRows;
        }

        double silent = -costs.Missed * windows, perfect = costs.Found * windows;
        return new NabResult(100 * (raw - silent) / (perfect - silent), raw, chosen, found, windows, falseRows);
    }

    /// <summary>What each row behind the probation period is worth as a detection.</summary>
    private static WeighedRow[] Weigh(NabSeries series, NabCosts costs)
    {
        double probation = Math.Min(Math.Floor(0.15 * series.Times.Count), 0.15 * 5000);
        var firstRows = new Dictionary<DateTimeOffset, int>();

        for (int row = 0; row < series.Times.Count; row++)
        {
            firstRows.TryAdd(series.Times[row], row);
        }

        var weighed = new List<WeighedRow>(series.Times.Count);
        int ahead = 0;
        (string Key, int Last, double Width, DateTimeOffset End)? inside = null;
        (int Last, double Width)? behind = null;

        for (int row = 0; row < series.Times.Count; row++)
        {
            DateTimeOffset time = series.Times[row];

            if (ahead < series.Windows.Count && time == series.Windows[ahead].Start)
            {
                (DateTimeOffset start, DateTimeOffset end) = series.Windows[ahead++];
                inside = ($"{series.Name}|{start:O}", firstRows[end], firstRows[end] - firstRows[start] + 1, end);
            }

            double reward =
                inside is { } window ? Sigmoid(-(window.Last - row + 1) / window.Width) * costs.Found / Sigmoid(-1)
                : behind is { } last ? Sigmoid(Math.Abs(last.Last - row) / (last.Width - 1)) * costs.False
                : -costs.False;

            if (row >= probation)
            {
                weighed.Add(new WeighedRow(series.Scores[row], reward, inside?.Key));
            }

            if (inside is { } ending && time == ending.End)
            {
                behind = (row, ending.Width);
                inside = null;
            }
        }

        return [.. weighed];
    }

    /// <summary>Every threshold that makes a difference, falling from <see cref="NoDetection"/>, and what it gives.</summary>
    private static List<Step> Sweep(IEnumerable<WeighedRow> rows, double missed)
    {
        WeighedRow[] sorted = [.. rows.OrderByDescending(row => row.Score)];
        Dictionary<string, double> best = [];

        foreach (WeighedRow row in sorted.Where(row => row.Window is not null))
        {
            best[row.Window!] = -missed;
        }

        double inWindows = best.Values.Sum(), outside = 0, threshold = NoDetection;
        var found = new HashSet<string>();
        int falseRows = 0;
        List<Step> steps = [];

        foreach (WeighedRow row in sorted)
        {
            if (row.Score != threshold)
            {
                steps.Add(new Step(threshold, inWindows + outside, falseRows, found.Count));
                threshold = row.Score;
            }

            if (row.Window is null)
            {
                falseRows++;
                outside += row.Reward;
                continue;
            }

            found.Add(row.Window);

            if (row.Reward > best[row.Window])
            {
                inWindows += row.Reward - best[row.Window];
                best[row.Window] = row.Reward;
            }
        }

        steps.Add(new Step(threshold, inWindows + outside, falseRows, found.Count));
        return steps;
    }

    private static Step AtThreshold(WeighedRow[] rows, double missed, double threshold)
    {
        List<Step> reached = Sweep(rows, missed).FindAll(step => step.Threshold >= threshold);
        int windows = rows.Where(row => row.Window is not null).DistinctBy(row => row.Window).Count();
        return reached.Count > 0 ? reached[^1] : new Step(threshold, -missed * windows, 0, 0);
    }

    /// <summary>From the position in a window, -1 its start, 0 its end, above 0 behind it, to 1 .. -1.</summary>
    private static double Sigmoid(double position) => position > 3 ? -1 : 2 / (1 + Math.Exp(5 * position)) - 1;

    private readonly record struct WeighedRow(double Score, double Reward, string? Window);

    private readonly record struct Step(double Threshold, double Raw, int FalseRows, int Found);
}
