using System.Globalization;
using StreamLstm.Backtesting;
using StreamLstm.Benchmarks.Quality.Scorers;
using StreamLstm.Daemon.Configuration;

namespace StreamLstm.Benchmarks.Quality.Vus;

/// <summary><c>-- vus</c>: backtests labelled data in this process and scores every row's score by VUS-PR, TSB-AD's measure.</summary>
internal static class VusCommand
{
    public const string Name = "vus";
    public const string Usage =
        "vus [--set nab|ucr|smap_msl|smd] [--data DIR] [--column anomaly_score ...] [--only TEXT] [--per-series] [--seed 1] [--set KEY=VALUE]";
    public const string About = "mean VUS-PR of the rows' scores, next to what TSB-AD publishes of the same series";

    /// <summary>Printed too where results have it: what is said of a row when the rows after it are known.</summary>
    private const string SettledColumn = "score_settled";

    private static readonly QualityMetric[] Metrics = [new("VUS-PR", "F3"), new("VUS-ROC", "F3"), new("series", "F0")];

    /// <returns>0: measured; 1: a file failed; 2: wrong usage.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        if (Parse(args, error) is not { } asked)
        {
            return 2;
        }

        string? data = asked.Data ?? QualityCommand.DevelopmentData();
        int answer = 0;

        foreach (VusSet set in asked.Sets)
        {
            string folder = Path.Combine(data ?? "../shared/data", set.Name);

            if (data is null || !Directory.Exists(folder))
            {
                output.WriteLine($"{set.Name}: skipped, there is no {folder}");
                continue;
            }

            string results = Directory.CreateTempSubdirectory("streamlstm-vus-").FullName;

            try
            {
                answer = Math.Max(answer, Measure(set, folder, results, asked, output, error));
            }
            catch (Exception unusable) when (
                unusable is IOException or InvalidDataException or BacktestUsageException or ConfigurationException or SeriesException)
            {
                error.WriteLine($"{set.Name}: {unusable.Message}");
                answer = 1;
            }
            finally
            {
                Directory.Delete(results, recursive: true);
            }
        }

        return answer;
    }

    private static Asked? Parse(string[] args, TextWriter error)
    {
        var asked = new Asked();
        List<VusSet> sets = [];
        List<string> settings = [], columns = [];

        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--per-series")
            {
                asked = asked with { PerSeries = true };
                continue;
            }

            string? value = i + 1 < args.Length ? args[i + 1] : null;
            VusSet? set = VusSets.All.FirstOrDefault(one => one.Name == value);

            switch (args[i])
            {
                case "--set" when set is not null: sets.Add(set); break;
                case "--set" when value?.Contains('=') == true: settings.Add(value); break;
                case "--data" when value is not null: asked = asked with { Data = value }; break;
                case "--column" when value is not null: columns.Add(value); break;
                case "--only" when value is not null: asked = asked with { Only = value }; break;
                case "--seed" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seed):
                    asked = asked with { Seed = seed };
                    break;
                default:
                    error.WriteLine($"'{args[i]}{(value is null ? "" : " ")}{value}', usage: {Usage}");
                    return null;
            }

            i++;
        }

        return asked with
        {
            Sets = sets.Count > 0 ? sets : VusSets.All,
            Settings = settings,
            Columns = columns.Count > 0 ? columns : ["anomaly_score"],
        };
    }

    private static int Measure(VusSet set, string folder, string results, Asked asked, TextWriter output, TextWriter error)
    {
        Dictionary<string, string> files = Backtest(set, folder, results, asked, error, out bool failed);
        List<Measured> measured = [], trivial = [];
        var random = new Random(1);

        foreach (VusSeries series in set.Load(folder).Where(series => files.ContainsKey(series.Name)))
        {
            var file = new ColumnFile(files[series.Name]);
            int window = DominantPeriod.Of(series.Signal);
            double[] drawn = [.. series.Labels.Select(_ => random.NextDouble())];
            trivial.Add(new Measured(series, "random", VusScorer.Score(drawn, series.Labels, window)));

            foreach (string column in asked.Columns.Union(file.Names.Where(name => name == SettledColumn)))
            {
                VusResult volume = VusScorer.Score(series.Aligned(file.Scores(column)), series.Labels, window);
                measured.Add(new Measured(series, column, volume));

                if (asked.PerSeries)
                {
                    output.WriteLine(Text($"{series.Name}, {column}: VUS-PR {volume.PrecisionRecall:F3}, VUS-ROC {volume.Roc:F3}, windows to {window}"));
                }
            }
        }

        foreach (VusGroup group in set.Groups)
        {
            Print(group, Labelled(measured), Labelled(trivial), asked.Seed, output);

            // Of a series without anomalies there is nothing to say.
            Measured[] Labelled(List<Measured> all) =>
                [.. all.Where(one => one.Series.Group == group.Name && !double.IsNaN(one.Volume.PrecisionRecall))];
        }

        output.Flush();
        return failed ? 1 : 0;
    }

    /// <summary>Runs what was asked for.</summary>
    /// <returns>By stream: the file of its results.</returns>
    private static Dictionary<string, string> Backtest(
        VusSet set, string folder, string results, Asked asked, TextWriter error, out bool failed)
    {
        // Built-in configuration and what was asked for only: what a user's environment says must not move a figure.
        DaemonOptions options = ConfigurationLoader.Load([], [$"detection.seed={asked.Seed}", .. asked.Settings], new Dictionary<string, string>());

        // Every row's own score, not that of alerts only, and in a file, whatever else the benchmark's own scorer takes.
        BacktestJob[] jobs =
        [
            .. BacktestFormats.Plan(set.Format, [folder], results).Jobs
                .Where(job => job.Name.Contains(asked.Only, StringComparison.Ordinal))
                .Select(job => job with { Output = job.Output ?? job.Name + ".csv", ScoresAlerts = false, Observer = null }),
        ];
        IReadOnlyList<BacktestResult> run = options.Backtest(results).Run(jobs, null, CancellationToken.None);
        BacktestSummary.PrintProblems(run, error);
        failed = run.Any(result => result.Error is not null);
        return jobs.Zip(run).Where(pair => pair.Second.Error is null)
            .ToDictionary(pair => pair.First.Stream, pair => Path.Combine(results, pair.First.Output!));
    }

    private static void Print(VusGroup group, Measured[] measured, Measured[] trivial, int seed, TextWriter output)
    {
        if (measured.Length == 0)
        {
            output.WriteLine($"{group.Name}: no series with anomalies");
            return;
        }

        var table = new QualityTable(Metrics);
        AddMeans(table, "StreamLstm, ", measured);

        foreach (VusPublished published in group.Published)
        {
            AddMeans(table, $"StreamLstm, of TSB-AD's {published.Table}, ", [.. measured.Where(one => published.Series.Contains(one.Series.Name))]);

            foreach ((string detector, double precisionRecall) in published.Means)
            {
                table.Add($"published, {published.Table}: {detector}", [precisionRecall, double.NaN, published.Series.Count]);
            }
        }

        AddMeans(table, "trivial: ", trivial);
        output.WriteLine(Text($"{group.Name} seed {seed}, means over series"));
        table.Print(output);
    }

    private static void AddMeans(QualityTable table, string prefix, Measured[] measured)
    {
        foreach (IGrouping<string, Measured> by in measured.GroupBy(one => one.By))
        {
            table.Add(prefix + by.Key, [by.Average(one => one.Volume.PrecisionRecall), by.Average(one => one.Volume.Roc), by.Count()]);
        }
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private sealed record Asked
    {
        public IReadOnlyList<VusSet> Sets { get; init; } = [];

        public IReadOnlyList<string> Settings { get; init; } = [];

        public string? Data { get; init; }

        /// <summary>Of the results.</summary>
        public IReadOnlyList<string> Columns { get; init; } = [];

        /// <summary>Part of the names of the series to run.</summary>
        public string Only { get; init; } = "";

        public bool PerSeries { get; init; }

        public int Seed { get; init; } = 1;
    }

    /// <param name="Series">The series.</param>
    /// <param name="By">The results' column, or the trivial score.</param>
    /// <param name="Volume">What it reaches.</param>
    private sealed record Measured(VusSeries Series, string By, VusResult Volume);
}
