using StreamLstm.Decoding;

namespace StreamLstm.Backtesting.Formats;

/// <summary>data/GROUP/FILE.csv gives GROUP/FILE.csv, a row for every row: NAB (one value) and SKAB (eight, and flags).</summary>
internal static class GroupedCsv
{
    private static readonly HashSet<string> NoLabels = [];

    private static readonly HashSet<string> SkabLabels = ["anomaly", "changepoint"];

    public static BacktestPlan Nab(IReadOnlyList<string> inputs, string output) => Plan("nab", inputs, NoLabels, flags: false);

    public static BacktestPlan Skab(IReadOnlyList<string> inputs, string output) => Plan("skab", inputs, SkabLabels, flags: true);

    private static BacktestPlan Plan(string format, IReadOnlyList<string> inputs, HashSet<string> labels, bool flags)
    {
        string folder = BacktestFolder.Of(format, inputs);
        return new BacktestPlan(
        [
            .. BacktestFolder.Files(format, folder, "data", "*.csv", depth: 1).Select(path =>
            {
                string name = Path.GetRelativePath(Path.Combine(folder, "data"), path).Replace('\\', '/');
                string stream = name[..^".csv".Length];
                return new BacktestJob
                {
                    Name = name,
                    Stream = stream,
                    Paths = [path],
                    Output = name,
                    WritesFlags = flags,
                    ScoresAlerts = !flags,
                    EveryRow = true,
                    Together = flags ? RecordRules.All : RecordRules.None,
                    Read = files => CsvSeries.Read(new StreamReader(files[0].Stream), stream, labels, files[0].Problems),
                };
            }),
        ]);
    }
}
