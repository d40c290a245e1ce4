using System.Globalization;
using Spectre.Console;
using StreamLstm.Backtesting.Report;
using StreamLstm.Detection;

namespace StreamLstm.Backtesting;

/// <summary>What a run gave, for people.</summary>
internal static class BacktestSummary
{
    private const int WidthWhenRedirected = 160;

    private static readonly int WarmUpRows = new DetectionOptions().WarmUpRows;

    /// <summary>Files, rows, alerts and how often they come; the last row is the sum. Then those that were too short.</summary>
    public static void Print(IReadOnlyList<BacktestResult> results, TextWriter output)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn("file");

        foreach (string name in (string[])["rows", "alerts", "alerts per stream-day"])
        {
            table.AddColumn(new TableColumn(name).RightAligned());
        }

        BacktestResult[] complete = [.. results.Where(result => result.Error is null)];

        foreach (BacktestResult result in complete)
        {
            table.AddRow(Row(result.Name, result.Rows, result.Alerts, result.StreamDays));
        }

        table.AddRow(Row(
            complete.Length == 1 ? "1 file" : $"{complete.Length} files",
            complete.Sum(result => result.Rows),
            complete.Sum(result => result.Alerts),
            complete.Any(result => result.StreamDays is null) ? null : complete.Sum(result => result.StreamDays)));
        Console(output).Write(table);

        foreach (BacktestResult result in complete.Where(result => result.ScoredRows == 0))
        {
            output.WriteLine(
                result.Rows == 0 ? $"{result.Name}: holds no rows"
                : result.Rows <= WarmUpRows
                    ? $"{result.Name}: too short to be scored: {Number(result.Rows)} rows, and a stream's first {Number(WarmUpRows)} are its warm-up"
                : $"{result.Name}: nothing could be scored: no stream has more than {Number(WarmUpRows)} rows with a value that was taken, which are its warm-up");
        }
    }

    /// <summary>Each file under two configurations, side by side; the last row is the sum.</summary>
    public static ComparisonTable Compare(string[] names, Course first, Course second)
    {
        List<Comparison> files = [];

        for (int i = 0; i < first.Results.Count; i++)
        {
            if ((first.Results[i].Error ?? second.Results[i].Error) is null)
            {
                files.Add(Comparison.Of(first.Results[i], first.Recorders[i], second.Results[i], second.Recorders[i]));
            }
        }

        string[] columns =
        [
            "file", $"alerts, {names[0]}", $"alerts, {names[1]}", $"per stream-day, {names[0]}", $"per stream-day, {names[1]}",
            $"only {names[0]}", $"only {names[1]}", "score correlation",
        ];
        List<IReadOnlyList<string>> rows =
        [
            .. files.Select(file => Cells(
                file.Name, file.First.Alerts, file.Second.Alerts, file.First.StreamDays, file.OnlyFirst, file.OnlySecond, file.Correlation)),
        ];

        if (files.Count > 1)
        {
            double? days = files.Any(file => file.First.StreamDays is null) ? null : files.Sum(file => file.First.StreamDays);
            rows.Add(Cells(
                $"{files.Count} files", files.Sum(file => file.First.Alerts), files.Sum(file => file.Second.Alerts), days,
                files.Sum(file => file.OnlyFirst), files.Sum(file => file.OnlySecond),
                files.Where(file => !double.IsNaN(file.Correlation)).Select(file => file.Correlation).DefaultIfEmpty(double.NaN).Average()));
        }

        return new ComparisonTable(columns, rows);

        static string[] Cells(string name, long a, long b, double? days, int onlyA, int onlyB, double correlation) =>
        [
            name, Number(a), Number(b), PerDay(a, days), PerDay(b, days), Number(onlyA), Number(onlyB),
            double.IsNaN(correlation) ? "-" : correlation.ToString("0.000", CultureInfo.InvariantCulture),
        ];
    }

    /// <summary>A comparison, for people.</summary>
    public static void Print(ComparisonTable comparison, TextWriter output)
    {
        Table table = new() { Border = TableBorder.Simple };

        foreach (string name in comparison.Columns)
        {
            table.AddColumn(name == comparison.Columns[0] ? new TableColumn(name) : new TableColumn(new Text(name)).RightAligned());
        }

        foreach (IReadOnlyList<string> row in comparison.Rows)
        {
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        Console(output).Write(table);
    }

    /// <summary>What could not be taken, and what failed.</summary>
    public static void PrintProblems(IReadOnlyList<BacktestResult> results, TextWriter error)
    {
        foreach (string problem in results.SelectMany(result => result.Problems))
        {
            error.WriteLine($"warning: {problem}");
        }

        foreach (BacktestResult result in results.Where(result => result.Error is not null))
        {
            error.WriteLine($"error: {result.Error}");
        }
    }

    private static Text[] Row(string name, long rows, long alerts, double? streamDays) =>
    [
        new Text(name),
        new Text(Number(rows)),
        new Text(Number(alerts)),
        new Text(PerDay(alerts, streamDays)),
    ];

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string PerDay(long alerts, double? days) =>
        days > 0 ? (alerts / days.Value).ToString("0.###", CultureInfo.InvariantCulture) : "-";

    private static IAnsiConsole Console(TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });

        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = WidthWhenRedirected;
        }

        return console;
    }
}
