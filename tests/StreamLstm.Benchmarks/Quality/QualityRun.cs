using System.Globalization;
using StreamLstm.Backtesting;
using StreamLstm.Benchmarks.Quality.Sets;
using StreamLstm.Daemon.Configuration;

namespace StreamLstm.Benchmarks.Quality;

/// <summary>One set under every seed: backtests, scores, the table, the goals.</summary>
internal sealed class QualityRun(IQualitySet set, string data, int[] seeds, IReadOnlyList<string> settings, TextWriter output, TextWriter error)
{
    /// <summary>Measures; the backtests' results are removed.</summary>
    /// <returns>0, or 1 where a file failed.</returns>
    public int Run()
    {
        string directory = Directory.CreateTempSubdirectory("streamlstm-quality-").FullName;

        try
        {
            return Run(directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Measures; the backtests' results stay in DIRECTORY/seedN.</summary>
    /// <returns>0, or 1 where a file failed.</returns>
    public int Run(string directory)
    {
        List<IReadOnlyList<QualityRow>> scored = [];
        int answer = 0;

        foreach (int seed in seeds)
        {
            string results = Path.Combine(directory, $"seed{seed}");
            IReadOnlyList<BacktestResult> run = Backtest(seed, results);
            BacktestSummary.PrintProblems(run, error);
            answer = run.Any(result => result.Error is not null) ? 1 : answer;
            scored.Add(set.Score(results, data));
        }

        Table(scored).Print(output);
        double[] mean = Over(scored, row: 0, values => values.Average());

        foreach (QualityGoal goal in set.Goals)
        {
            output.WriteLine(goal.Line(mean[goal.Metric], set.Metrics[goal.Metric].Format));
        }

        output.Flush();
        return answer;
    }

    private IReadOnlyList<BacktestResult> Backtest(int seed, string results)
    {
        // Built-in configuration and what was asked for only: what a user's environment says must not move a figure.
        DaemonOptions options = ConfigurationLoader.Load([], [$"detection.seed={seed}", .. settings], new Dictionary<string, string>());
        TimeSpan before = Environment.CpuUsage.TotalTime;
        IReadOnlyList<BacktestResult> run = set.Format == BacktestFormats.Events ? Sessions(seed, results) : Series(options, results);
        TimeSpan processor = Environment.CpuUsage.TotalTime - before;
        long alerts = run.Sum(result => result.Alerts);
        string perStreamDay = run.Sum(result => result.StreamDays) is > 0 and var days ? Text($" ({alerts / days:0.###} per stream-day)") : "";
        output.WriteLine(
            Text($"{set.Name} seed {seed}: {run.Count} series, {run.Sum(result => result.Rows):N0} rows scored, ")
            + Text($"{alerts:N0} alerts{perStreamDay}, ")
            + Text($"{processor.TotalMicroseconds / run.Sum(result => result.Values):0.0} us of processor time a value"));
        output.Flush();
        return run;
    }

    private IReadOnlyList<BacktestResult> Series(DaemonOptions options, string results)
    {
        BacktestPlan plan = BacktestFormats.Plan(set.Format, [data], results);
        IReadOnlyList<BacktestResult> run = options.Backtest(results).Run(plan.Jobs, null, CancellationToken.None);
        plan.Complete?.Invoke(run);
        return run;
    }

    private IReadOnlyList<BacktestResult> Sessions(int seed, string results)
    {
        var run = new EventBacktest(seed, results);
        string[] inputs = [.. HdfsQuality.Tests.Select(file => Path.Combine(data, file))];
        return run.Score(run.Train(Path.Combine(data, HdfsQuality.Training), inputs, null, CancellationToken.None), inputs, null, CancellationToken.None);
    }

    private QualityTable Table(List<IReadOnlyList<QualityRow>> scored)
    {
        var table = new QualityTable(set.Metrics);

        for (int row = 0; row < scored[0].Count; row++)
        {
            string name = scored[0][row].Name.Length == 0 ? "StreamLstm" : $"StreamLstm, {scored[0][row].Name}";

            for (int seed = 0; seed < seeds.Length; seed++)
            {
                table.Add($"{name}, seed {seeds[seed]}", scored[seed][row].Values);
            }

            if (seeds.Length > 1)
            {
                table.Add($"{name}, mean", Over(scored, row, values => values.Average()));
                table.Add($"{name}, largest less smallest", Over(scored, row, values => values.Max() - values.Min()));
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

        return table;
    }

    private double[] Over(List<IReadOnlyList<QualityRow>> scored, int row, Func<IEnumerable<double>, double> summary) =>
        [.. Enumerable.Range(0, set.Metrics.Count).Select(metric => summary(scored.Select(seed => seed[row].Values[metric])))];

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
