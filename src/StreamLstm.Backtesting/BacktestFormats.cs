using StreamLstm.Backtesting.Formats;
using StreamLstm.Decoding;

namespace StreamLstm.Backtesting;

/// <summary>What INPUT may be. Labels are never read.</summary>
internal static class BacktestFormats
{
    public const string Events = "events";

    public const string Log = "log";

    private static readonly Dictionary<string, Func<IReadOnlyList<string>, string, BacktestPlan>> Benchmarks = new(StringComparer.Ordinal)
    {
        ["nab"] = GroupedCsv.Nab,
        ["skab"] = GroupedCsv.Skab,
        ["telemanom"] = Telemanom.Plan,
        ["ucr"] = Ucr.Plan,
        ["smd"] = Smd.Plan,
    };

    public static IEnumerable<string> Names => Benchmarks.Keys.Append(Events).Append(Log);

    /// <summary>What is to be run.</summary>
    /// <param name="format">A benchmark's name; null for CSV, NDJSON and log files; log for files whose lines are events whatever they are called.</param>
    /// <param name="inputs">Files and directories; a benchmark's one folder.</param>
    /// <param name="output">The directory of the results.</param>
    /// <param name="together">Which rows' or records' values are judged together, null for none; benchmarks decide themselves.</param>
    /// <param name="key">Of a log: finds what lines of one session have in common; empty for nothing.</param>
    /// <param name="csv">What is said of CSV's columns; null for nothing.</param>
    /// <exception cref="BacktestUsageException">The format or the inputs are not what was expected.</exception>
    public static BacktestPlan Plan(
        string? format, IReadOnlyList<string> inputs, string output, RecordRules? together = null, string key = "", CsvRules? csv = null)
    {
        if (format is null or Log)
        {
            return PlainFiles.Plan(inputs, output, together ?? RecordRules.None, format == Log, key, csv);
        }

        return Benchmarks.TryGetValue(format, out Func<IReadOnlyList<string>, string, BacktestPlan>? plan)
            ? plan(inputs, output)
            : throw new BacktestUsageException($"--format: '{format}', expected one of {string.Join(", ", Names)}, or none for CSV, NDJSON and log files");
    }
}
