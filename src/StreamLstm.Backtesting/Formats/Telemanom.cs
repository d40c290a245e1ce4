using System.Text.Json;

namespace StreamLstm.Backtesting.Formats;

/// <summary>
/// train/CHANNEL.npy and test/CHANNEL.npy give CHANNEL.csv and detections.json. Column 0 is the signal; the others,
/// commands sent, are context and not judged.
/// </summary>
internal static class Telemanom
{
    /// <summary>The test rows were recorded some time after the training rows, it is not said how long: a stream must not take the seam for an event.</summary>
    private static readonly TimeSpan LaterInTime = TimeSpan.FromDays(1);

    public static BacktestPlan Plan(IReadOnlyList<string> inputs, string output)
    {
        IReadOnlyList<(string Name, string Train, string Test)> pairs = TrainAndTest.Pairs("telemanom", inputs, "*.npy");
        AbnormalRanges[] ranges = [.. pairs.Select(_ => new AbnormalRanges())];
        BacktestJob[] jobs =
        [
            .. pairs.Select((pair, i) => new BacktestJob
            {
                Name = pair.Name,
                Stream = pair.Name,
                Paths = [pair.Train, pair.Test],
                Output = pair.Name + ".csv",
                EveryRow = true,
                Observer = ranges[i],
                Read = Read,
            }),
        ];
        return new BacktestPlan(jobs)
        {
            Complete = results =>
            {
                var found = new Dictionary<string, IReadOnlyList<long[]>>();

                for (int i = 0; i < jobs.Length; i++)
                {
                    if (results[i].Error is null)
                    {
                        found.Add(jobs[i].Name, ranges[i].Ranges);
                    }
                }

                using var file = new PartialFile(Path.Combine(output, "detections.json"));
                file.Writer.WriteLine(JsonSerializer.Serialize(found));
                file.Complete();
            },
        };
    }

    private static Series Read(IReadOnlyList<SeriesInput> files)
    {
        var train = new NpyFile(files[0].Stream, files[0].Problems);
        var test = new NpyFile(files[1].Stream, files[1].Problems);

        if (test.Columns != train.Columns)
        {
            throw files[1].Problems.Fatal($"{test.Columns} columns, expected {train.Columns} as in training");
        }

        return TrainAndTest.Series(
            [.. Enumerable.Range(0, train.Columns).Select(column => column == 0 ? "signal" : $"context{column}")],
            judged: 1,
            TimeSpan.FromSeconds(10),
            LaterInTime,
            Numbered(train),
            Numbered(test));
    }

    private static IEnumerable<(int Line, double[] Values)> Numbered(NpyFile file)
    {
        int row = 0;

        foreach (double[] values in file.Read())
        {
            yield return (++row, values);
        }
    }
}
