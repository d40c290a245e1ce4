using System.Globalization;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Synthetic;

namespace StreamLstm.Benchmarks.Quality;

/// <summary><c>-- quiet</c>: what the daemon's detector cries over a day in which nothing happens, and what it finds when something does.</summary>
/// <remarks>
/// Alerts are incidents opened. Days are counted from the row on which a stream may alert. A fault is found by an incident
/// that opens from its first row to <see cref="LateRows"/> after its last. The retrainer's swaps are not part of this.
/// </remarks>
internal static class QuietCommand
{
    public const string Name = "quiet";
    public const string Usage = "quiet [--hours 24] [--streams 42] [--seed 1] [--set KEY=VALUE]";
    public const string About = "alerts per stream-day on clean synthetic streams, one row in 10 s, and the share of faults found in the same streams (Q17)";

    private const int SecondsPerRow = 10;
    private const int LateRows = 24;

    /// <summary>Rows after a fault in which its end is news as well.</summary>
    private const int AftermathRows = 100;

    private const double FaultsPerThousandRows = 1;

    private static readonly QualityGoal Goal = new("Q17", "quiet alerts per stream-day", 0, "<=", 0.1);

    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        int hours = 24, streams = 42, seed = 1;
        List<string> settings = [];

        for (int i = 0; i < args.Length; i += 2)
        {
            if (args[i] == "--set" && i + 1 < args.Length)
            {
                settings.Add(args[i + 1]);
                continue;
            }

            if (i + 1 == args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value == 0)
            {
                error.WriteLine($"'{args[i]}': expected a whole number above 0 behind it; usage: {Usage}");
                return 2;
            }

            switch (args[i])
            {
                case "--hours": hours = value; break;
                case "--streams": streams = value; break;
                case "--seed": seed = value; break;
                default:
                    error.WriteLine($"'{args[i]}', usage: {Usage}");
                    return 2;
            }
        }

        DaemonOptions daemon;

        try
        {
            // Built-in configuration and what was asked for only: what a user's environment says must not move a figure.
            daemon = ConfigurationLoader.Load([], [$"detection.seed={seed}", .. settings], new Dictionary<string, string>());
        }
        catch (ConfigurationException wrong)
        {
            error.WriteLine(wrong.Message);
            return 2;
        }

        DetectionOptions options = PipelineService.DetectionOptions(daemon);
        BaseModel model = BaseWeightsFile.Start(daemon.Detection);
        int rows = hours * 3600 / SecondsPerRow;
        StreamRun[] clean = Run(options, model, streams, seed, rows, faultsPerThousandRows: 0);
        PrintQuiet(clean, options, rows, output);
        StreamRun[] faulty = Run(options, model, streams, seed, rows, FaultsPerThousandRows);
        PrintFound(faulty, output);
        output.Flush();
        return 0;
    }

    private static StreamRun[] Run(DetectionOptions options, BaseModel model, int streams, int seed, int rows, double faultsPerThousandRows)
    {
        var runs = new StreamRun[streams];
        Parallel.For(0, streams, number => runs[number] = Run(options, model, SyntheticFleet.Options(number, seed, faultsPerThousandRows), number, rows));
        return runs;
    }

    private static StreamRun Run(DetectionOptions options, BaseModel model, SyntheticSeriesOptions streamOptions, int number, int rows)
    {
        var series = new SyntheticSeries(streamOptions);
        var detector = new AnomalyDetector(options, model);
        string name = SyntheticFleet.Name(streamOptions, number);
        string[] names = streamOptions.Columns == 1 ? [name] : [.. Enumerable.Range(0, streamOptions.Columns).Select(column => $"{name}/c{column}")];
        var values = new double[names.Length];
        List<Alert> alerts = [];

        for (int row = 0; row < rows; row++)
        {
            series.Next(values);

            for (int column = 0; column < names.Length; column++)
            {
                detector.Score(new Observation(names[column], DateTimeOffset.UnixEpoch.AddSeconds((long)row * SecondsPerRow), values[column]));

                foreach (IncidentEvent incident in detector.LastOutput.Incidents)
                {
                    if (incident.State == IncidentState.Opened)
                    {
                        alerts.Add(new Alert(column, row, incident.Kind));
                    }
                }
            }
        }

        return new StreamRun(streamOptions, alerts, series.Faults);
    }

    private static void PrintQuiet(StreamRun[] runs, DetectionOptions options, int rows, TextWriter output)
    {
        double days = Math.Max(0, rows - options.WarmUpRows) * SecondsPerRow / 86_400.0;
        output.WriteLine(Text($"clean: {runs.Length} streams of {runs.Sum(run => run.Options.Columns)} values, {rows:N0} rows, one in {SecondsPerRow} s"));
        var table = new QualityTable([new("stream-days", "F1"), new("alerts", "F0"), new("alerts per stream-day", "F2")]);

        foreach (IGrouping<string, StreamRun> kind in runs.GroupBy(Kind))
        {
            table.Add(kind.Key, Figures(kind));
        }

        double[] all = Figures(runs);
        table.Add("all", all);
        table.Print(output);

        foreach (IGrouping<IncidentKind, Alert> kind in runs.SelectMany(run => run.Alerts).GroupBy(alert => alert.Kind).OrderBy(group => group.Key))
        {
            output.WriteLine(Text($"  incidents of kind {kind.Key}: {kind.Count()}"));
        }

        output.WriteLine(Goal.Line(all[2], "F2"));

        double[] Figures(IEnumerable<StreamRun> some)
        {
            double streamDays = days * some.Sum(run => run.Options.Columns);
            int alerts = some.Sum(run => run.Alerts.Count);
            return [streamDays, alerts, alerts / streamDays];
        }
    }

    private static void PrintFound(StreamRun[] runs, TextWriter output)
    {
        (string Stream, FaultKind Fault, bool Found)[] faults =
        [
            .. runs.SelectMany(run => run.Faults.Select(
                fault => (Kind(run), fault.Kind, run.Alerts.Exists(alert => Hits(alert, fault, LateRows))))),
        ];
        int besides = runs.Sum(run => run.Alerts.Count(alert => !run.Faults.Any(fault => Hits(alert, fault, AftermathRows))));
        var table = new QualityTable([new("faults", "F0"), new("found", "F0"), new("share", "F2")]);

        foreach (var kind in faults.GroupBy(fault => fault.Fault).OrderBy(group => group.Key))
        {
            table.Add($"{kind.Key}", Figures([.. kind]));
        }

        foreach (var kind in faults.GroupBy(fault => fault.Stream))
        {
            table.Add($"in {kind.Key}", Figures([.. kind]));
        }

        double[] all = Figures(faults);
        table.Add("all", all);
        output.WriteLine(Text($"with {FaultsPerThousandRows} fault in 1,000 rows: {runs.Sum(run => run.Alerts.Count):N0} alerts, {besides:N0} of them at no fault"));
        table.Print(output);
        output.WriteLine(Text($"quiet share of faults found: {all[2]:F2}"));

        static double[] Figures((string Stream, FaultKind Fault, bool Found)[] some)
        {
            int found = some.Count(fault => fault.Found);
            return [some.Length, found, some.Length == 0 ? double.NaN : (double)found / some.Length];
        }
    }

    /// <summary>In whatever column: a column that follows the faulty one may say it first.</summary>
    private static bool Hits(Alert alert, SyntheticFault fault, int lateRows) => alert.Row >= fault.Start && alert.Row < fault.End + lateRows;

    private static string Kind(StreamRun run) => run.Options.Columns > 1 ? $"coupled {run.Options.Kind}" : $"{run.Options.Kind}";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private readonly record struct Alert(int Column, int Row, IncidentKind Kind);

    private sealed record StreamRun(SyntheticSeriesOptions Options, List<Alert> Alerts, IReadOnlyList<SyntheticFault> Faults);
}
