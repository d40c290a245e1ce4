using System.Globalization;
using StreamLstm.Benchmarks;
using StreamLstm.Benchmarks.Quality.Vus;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Benchmarks;

public sealed class VusCommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-vus-tests-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_sets_series_are_backtested_scored_and_printed_above_what_is_published()
    {
        Write("nab/labels/combined_windows.json", $$"""
            {
              "realTraffic/speed_6005.csv": [["{{Time(2190)}}", "{{Time(2250)}}"]],
              "g/b.csv": [["{{Time(2190)}}", "{{Time(2250)}}"]],
              "g/quiet.csv": []
            }
            """);
        WriteSeries("nab/data/realTraffic/speed_6005.csv");
        WriteSeries("nab/data/g/b.csv");
        WriteSeries("nab/data/g/quiet.csv");

        (int code, string output, string error) = Run("--set", "nab", "--data", _directory, "--per-series", "--set", "pipeline.workers=1");

        Assert.True(code == 0, error);
        string[] lines = output.Split('\n');
        Assert.Contains(lines, line => line.StartsWith("realTraffic/speed_6005, anomaly_score: VUS-PR 0.", StringComparison.Ordinal));
        Assert.Contains("g/quiet, anomaly_score: VUS-PR NaN, VUS-ROC NaN, windows to 144", lines);
        Assert.Contains("nab seed 1, means over series", lines);
        (double all, int series) = Figures(lines, "StreamLstm, anomaly_score ");
        Assert.InRange(all, 0.01, 1);
        Assert.Equal(2, series);
        Assert.Equal(1, Figures(lines, "StreamLstm, of TSB-AD's univariate, anomaly_score ").Series);
        Assert.Equal((0.349, 9), Figures(lines, "published, univariate: POLY "));
        Assert.True(Figures(lines, "trivial: random ").PrecisionRecall < all);
    }

    [Fact]
    public void Only_what_is_asked_for_is_run_by_the_column_asked_for()
    {
        Write("ucr/UCR_Anomaly_FullData/004_UCR_Anomaly_x_1500_2190_2250.txt", Values());
        Write("ucr/UCR_Anomaly_FullData/023_UCR_Anomaly_y_1500_2190_2250.txt", "not a number");

        (int code, string output, string error) = Run("--set", "ucr", "--data", _directory, "--only", "004_", "--column", "evidence");

        Assert.True(code == 1, output);
        Assert.Contains("023_UCR", error, StringComparison.Ordinal); // its labels are read with the others'
        File.Delete(Path.Combine(_directory, "ucr/UCR_Anomaly_FullData/023_UCR_Anomaly_y_1500_2190_2250.txt"));
        (code, output, error) = Run("--set", "ucr", "--data", _directory, "--only", "004_", "--column", "evidence", "--column", "anomaly_score");
        Assert.True(code == 0, error);
        Assert.Equal(1, Figures(output.Split('\n'), "StreamLstm, evidence ").Series);
        Assert.Equal(1, Figures(output.Split('\n'), "StreamLstm, anomaly_score ").Series);
        Assert.DoesNotContain("of TSB-AD's", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_rows_in_front_have_the_lowest_score_and_a_row_too_many_in_front_is_left_out()
    {
        var series = new VusSeries("a", "g", [0, 0, 0], [false, true, false], FirstScored: 1);

        Assert.Equal([double.NegativeInfinity, 5, 6], series.Aligned([5, 6]));
        Assert.Equal([6, 7, 8], (series with { FirstScored = -1 }).Aligned([5, 6, 7, 8]));
        Assert.Throws<InvalidDataException>(() => series.Aligned([5]));
    }

    [Fact]
    public void Without_data_a_set_is_skipped_and_a_column_that_is_not_there_is_told()
    {
        Write("nab/labels/combined_windows.json", """{"g/a.csv": []}""");
        WriteSeries("nab/data/g/a.csv");

        (int code, string output, string error) = Run("--data", _directory, "--column", "likelihood");

        Assert.Equal(1, code);
        Assert.Contains("no column likelihood among timestamp, value, evidence, ", error, StringComparison.Ordinal);
        Assert.Contains("smd: skipped, there is no ", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nab")]
    [InlineData("--set", "nabb")]
    [InlineData("--set")]
    [InlineData("--seed", "x")]
    public void Wrong_words_are_refused(params string[] arguments)
    {
        (int code, _, string error) = Run(arguments);

        Assert.Equal(2, code);
        Assert.Contains("usage: vus [--set nab|", error, StringComparison.Ordinal);
    }

    private void WriteSeries(string name) =>
        Write(name, "timestamp,value\n" + string.Concat(Values().Split('\n').Select((value, row) => $"{Time(row)},{value}\n")));

    /// <summary>Days of 144 rows, with faults.</summary>
    private static string Values() =>
        string.Join('\n', DailySeries.WithFaults(1)[..2400].Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    private void Write(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private static (double PrecisionRecall, int Series) Figures(string[] lines, string name)
    {
        string line = lines.Single(line => line.StartsWith(name, StringComparison.Ordinal));
        string[] cells = line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (double.Parse(cells[0], CultureInfo.InvariantCulture), int.Parse(cells[^1], CultureInfo.InvariantCulture));
    }

    private static string Time(int row) => DateTime.UnixEpoch.AddMinutes(10 * row).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter();
        int code = BenchmarkCommand.Run(["vus", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
