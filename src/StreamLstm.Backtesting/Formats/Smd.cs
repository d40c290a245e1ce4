using StreamLstm.Decoding;

namespace StreamLstm.Backtesting.Formats;

/// <summary>train/MACHINE.txt and test/MACHINE.txt, comma-separated, any number of columns, a row a minute, give MACHINE.csv.</summary>
internal static class Smd
{
    public static BacktestPlan Plan(IReadOnlyList<string> inputs, string output) => new(
    [
        .. TrainAndTest.Pairs("smd", inputs, "*.txt").Select(pair => new BacktestJob
        {
            Name = pair.Name,
            Stream = pair.Name,
            Paths = [pair.Train, pair.Test],
            Output = pair.Name + ".csv",
            EveryRow = true,
            Together = RecordRules.All,
            Read = files =>
            {
                int columns = Columns(files[0]);
                return TrainAndTest.Series(
                    [.. Enumerable.Range(1, columns).Select(column => $"m{column}")],
                    judged: null,
                    TimeSpan.FromMinutes(1),
                    TimeSpan.Zero,
                    Rows(files[0], columns),
                    Rows(files[1], columns));
            },
        }),
    ]);

    /// <summary>As many as the first row has; the file stands at its beginning again.</summary>
    private static int Columns(SeriesInput file)
    {
        int columns = NumberText.Rows(new StreamReader(file.Stream), file.Problems).First().Values.Length;
        file.Stream.Position = 0;
        return columns;
    }

    private static IEnumerable<(int Line, double[] Values)> Rows(SeriesInput file, int columns)
    {
        foreach ((int line, double[] values) in NumberText.Rows(new StreamReader(file.Stream), file.Problems))
        {
            yield return values.Length == columns
                ? (line, values)
                : throw file.Problems.Fatal(line, $"{values.Length} columns, expected {columns} as in training");
        }
    }
}
