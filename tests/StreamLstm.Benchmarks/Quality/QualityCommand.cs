using System.Globalization;
using StreamLstm.Benchmarks.Quality.Sets;
using StreamLstm.Daemon.Backtesting;
using StreamLstm.Daemon.Configuration;

namespace StreamLstm.Benchmarks.Quality;

/// <summary><c>-- quality</c>: backtests labelled data in this process, scores it, and says which goals are met.</summary>
internal static class QualityCommand
{
    public const string Usage = "quality [nab|ucr|skab|smd|smap ...] [--data DIR] [--seeds 1,2,3] [--out DIR]";

    private static readonly IQualitySet[] Sets = [new NabQuality(), new UcrQuality(), new SkabQuality(), new SmdQuality(), new SmapQuality()];

    /// <param name="args">Sets, and options.</param>
    /// <param name="output">For tables and goals.</param>
    /// <param name="error">For mistakes.</param>
    /// <returns>0: measured, whether goals are met or not; 1: a file failed; 2: wrong usage.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        List<IQualitySet> chosen = [];
        string? data = null, keep = null;
        int[] seeds = [1, 2, 3];

        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] is "--data" or "--seeds" or "--out" && i + 1 < args.Length)
            {
                string value = args[++i];

                switch (args[i - 1])
                {
                    case "--data": data = value; break;
                    case "--out": keep = value; break;
                    default: seeds = Seeds(value); break;
                }
            }
            else if (Sets.FirstOrDefault(set => set.Name == args[i]) is { } set)
            {
                chosen.Add(set);
            }
            else
            {
                error.WriteLine($"'{args[i]}', usage: {Usage}");
                return 2;
            }
        }

        if (seeds.Length == 0)
        {
            error.WriteLine($"--seeds: expected whole numbers such as 1,2,3; usage: {Usage}");
            return 2;
        }

        data ??= DevelopmentData();
        int answer = 0;

        foreach (IQualitySet set in chosen.Count > 0 ? chosen : [.. Sets])
        {
            if (data is null || !Directory.Exists(Path.Combine(data, set.Folder)))
            {
                output.WriteLine($"{set.Name}: skipped, there is no {Path.Combine(data ?? "../shared/data", set.Folder)}");
                continue;
            }

            answer = Math.Max(answer, Run(set, Path.Combine(data, set.Folder), seeds, keep, output, error));
        }

        return answer;
    }

    /// <summary>../shared/data beside the repository; null where it is not.</summary>
    public static string? DevelopmentData()
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "StreamLstm.sln")))
            {
                string data = Path.GetFullPath(Path.Combine(directory, "..", "shared", "data"));
                return Directory.Exists(data) ? data : null;
            }
        }

        return null;
    }

    private static int Run(IQualitySet set, string data, int[] seeds, string? keep, TextWriter output, TextWriter error)
    {
        string directory = keep is null ? Directory.CreateTempSubdirectory("streamlstm-quality-").FullName : Path.Combine(keep, set.Name);
        var table = new QualityTable(set.Metrics);
        List<IReadOnlyList<QualityRow>> scored = [];
        int answer = 0;

        try
        {
            foreach (int seed in seeds)
            {
                string results = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"seed{seed}"));
                DaemonOptions options = ConfigurationLoader.Load(
                    [], [string.Create(CultureInfo.InvariantCulture, $"detection.seed={seed}")], new Dictionary<string, string>());
                BacktestPlan plan = BacktestFormats.Plan(set.Format, [data], results);
                TimeSpan before = Environment.CpuUsage.TotalTime;
                IReadOnlyList<BacktestResult> run = new BacktestRun(options, results).Run(plan.Jobs, null, CancellationToken.None);
                TimeSpan processor = Environment.CpuUsage.TotalTime - before;
                plan.Complete?.Invoke(run);
                BacktestSummary.PrintProblems(run, error);
                answer = run.Any(result => result.Error is not null) ? 1 : answer;
                scored.Add(set.Score(results, data));
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{set.Name} seed {seed}: {run.Count} series, {run.Sum(result => result.Rows):N0} rows scored, {run.Sum(result => result.Alerts):N0} alerts{PerStreamDay(run)}, {processor.TotalMicroseconds / run.Sum(result => result.Values):0.0} us of processor time a value"));
                output.Flush();
            }
        }
        finally
        {
            if (keep is null)
            {
                Directory.Delete(directory, recursive: true);
            }
        }

        for (int row = 0; row < scored[0].Count; row++)
        {
            string name = scored[0][row].Name.Length == 0 ? "StreamLstm" : $"StreamLstm, {scored[0][row].Name}";

            for (int seed = 0; seed < seeds.Length; seed++)
            {
                table.Add(string.Create(CultureInfo.InvariantCulture, $"{name}, seed {seeds[seed]}"), scored[seed][row].Values);
            }

            if (seeds.Length > 1)
            {
                table.Add($"{name}, mean", Over(row, values => values.Average()));
                table.Add($"{name}, largest less smallest", Over(row, values => values.Max() - values.Min()));
            }
        }

        foreach (QualityRow row in set.Published)
        {
            table.Add($"published: {row.Name}", row.Values);
        }

        foreach (QualityRow row in set.Trivial(data))
        {
            table.Add($"trivial: {row.Name}", row.Values);
        }

        table.Print(output);
        double[] mean = Over(0, values => values.Average());

        foreach (QualityGoal goal in set.Goals)
        {
            output.WriteLine(goal.Line(mean[goal.Metric], set.Metrics[goal.Metric].Format));
        }

        output.Flush();
        return answer;

        double[] Over(int row, Func<IEnumerable<double>, double> summary) =>
            [.. Enumerable.Range(0, set.Metrics.Count).Select(metric => summary(scored.Select(seed => seed[row].Values[metric])))];
    }

    /// <summary>Nothing where rows carry no time.</summary>
    private static string PerStreamDay(IReadOnlyList<BacktestResult> run) => run.Sum(result => result.StreamDays) is > 0 and var days
        ? string.Create(CultureInfo.InvariantCulture, $" ({run.Sum(result => result.Alerts) / days:0.###} per stream-day)")
        : "";

    private static int[] Seeds(string text)
    {
        string[] parts = text.Split(',');
        int[] seeds = [.. parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int seed) ? seed : -1)];
        return Array.TrueForAll(seeds, seed => seed >= 0) ? seeds : [];
    }
}
