using System.Globalization;
using Spectre.Console;

namespace StreamLstm.Daemon.Backtesting;

/// <summary>What a run gave, for people.</summary>
internal static class BacktestSummary
{
    private const int WidthWhenRedirected = 160;

    /// <summary>Files, rows, alerts and how often they come; the last row is the sum.</summary>
    public static void Print(IReadOnlyList<BacktestResult> results, TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });

        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = WidthWhenRedirected;
        }

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
        console.Write(table);
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
        new Text(rows.ToString("N0", CultureInfo.InvariantCulture)),
        new Text(alerts.ToString("N0", CultureInfo.InvariantCulture)),
        new Text(streamDays > 0 ? (alerts / streamDays.Value).ToString("0.###", CultureInfo.InvariantCulture) : "-"),
    ];
}
