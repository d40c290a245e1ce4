using System.Globalization;
using System.Text.RegularExpressions;

namespace StreamLstm.Backtesting.Formats;

/// <summary>
/// UCR_Anomaly_FullData/NNN_UCR_Anomaly_NAME_TRAIN_BEGIN_END.txt, a value a line, gives answers.csv: the five most
/// anomalous rows behind the first TRAIN, best first. Of the name only NNN and TRAIN are read.
/// </summary>
internal static partial class Ucr
{
    private const int Answers = 5;

    public static BacktestPlan Plan(IReadOnlyList<string> inputs, string output)
    {
        string folder = BacktestFolder.Of("ucr", inputs);
        IReadOnlyList<string> paths = BacktestFolder.Files("ucr", folder, "UCR_Anomaly_FullData", "*.txt", depth: 0);
        long?[] training = [.. paths.Select(TrainingRows)];
        PeakRows[] peaks = [.. training.Select(rows => new PeakRows(rows ?? 0))];
        BacktestJob[] jobs =
        [
            .. paths.Select((path, i) => new BacktestJob
            {
                Name = Path.GetFileName(path),
                Stream = $"ucr/{Path.GetFileNameWithoutExtension(path).Split('_')[0]}",
                Paths = [path],
                EveryRow = true,
                Observer = peaks[i],
                Read = files => new Series
                {
                    Columns = ["value"],
                    IsTimed = false,
                    Rows = Rows(
                        files[0],
                        training[i] ?? throw files[0].Problems.Fatal("the file's name: expected one such as 001_UCR_Anomaly_NAME_TRAIN_BEGIN_END.txt")),
                },
            }),
        ];
        return new BacktestPlan(jobs)
        {
            Complete = results =>
            {
                using var file = new PartialFile(Path.Combine(output, "answers.csv"));

                for (int i = 0; i < jobs.Length; i++)
                {
                    if (results[i].Error is null)
                    {
                        file.Writer.WriteLine(string.Join(',', peaks[i].Best(Answers).Select(row => row.ToString(CultureInfo.InvariantCulture)).Prepend(jobs[i].Name)));
                    }
                }

                file.Complete();
            },
        };
    }

    private static IEnumerable<SeriesRow> Rows(SeriesInput file, long training)
    {
        var values = new double[1];
        long row = 0;

        foreach ((int line, double value) in NumberText.Values(new StreamReader(file.Stream), file.Problems))
        {
            values[0] = value;
            yield return new SeriesRow(line, row.ToString(CultureInfo.InvariantCulture), RowTime.Of(row), "", values, row >= training);
            row++;
        }

        if (row <= training)
        {
            throw file.Problems.Fatal($"{row} values, expected more than the {training} for training that the file's name says");
        }
    }

    /// <summary>What the name says; null where it says nothing.</summary>
    private static long? TrainingRows(string path)
    {
        Match name = Name().Match(Path.GetFileName(path));
        return name.Success
            ? long.Parse(name.Groups["train"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture)
            : null;
    }

    [GeneratedRegex(@"^\d{3}_UCR_Anomaly_.*_(?<train>\d{1,9})_\d+_\d+\.txt$")]
    private static partial Regex Name();
}
