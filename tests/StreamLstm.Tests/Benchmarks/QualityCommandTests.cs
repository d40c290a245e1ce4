using StreamLstm.Benchmarks;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Benchmarks;

public sealed class QualityCommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-quality-tests-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_set_is_backtested_under_every_seed_scored_and_held_against_its_goals()
    {
        Write("nab/labels/combined_windows.json", $$"""{"g/a.csv": [["{{Time(2190)}}", "{{Time(2250)}}"]]}""");
        Write("nab/data/g/a.csv", "timestamp,value\n" + string.Concat(
            DailySeries.WithFaults(1)[..2400].Select((value, row) => FormattableString.Invariant($"{Time(row)},{value:R}\n"))));

        (int code, string output, string error) = Run("nab", "--data", _directory, "--seeds", "1,2", "--out", Path.Combine(_directory, "out"));

        Assert.True(code == 0, error);
        string[] lines = output.Split('\n');
        Assert.StartsWith("nab seed 1: 1 series, 2,400 rows scored, ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("nab seed 2: 1 series, 2,400 rows scored, ", lines[1], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("published: ARTime (knew", StringComparison.Ordinal) && line.Contains(" 78.2 ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("trivial: silent ", StringComparison.Ordinal) && line.Contains(" 0.0 ", StringComparison.Ordinal));
        double[] standard = [.. lines.Where(line => line.StartsWith("StreamLstm, ", StringComparison.Ordinal)).Select(Standard)];
        Assert.Equal(8, standard.Length);
        Assert.InRange(standard[0], 50, 100);
        Assert.Equal((standard[0] + standard[1]) / 2, standard[2], 0.051);
        Assert.StartsWith("Q1 nab dev standard: ", lines[^4], StringComparison.Ordinal);
        Assert.EndsWith(standard[2] > 79 ? "(goal > 79) met" : "(goal > 79) missed", lines[^4], StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_directory, "out", "nab", "seed2", "g", "a.csv")));

        static double Standard(string line) => double.Parse(
            line.Split("  ", StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Without_data_a_set_is_skipped_and_a_damaged_one_is_told()
    {
        Write("skab/readme", "no data here");

        (int code, string output, string error) = Run("nab", "skab", "--data", _directory);

        Assert.Equal(1, code);
        Assert.StartsWith("nab: skipped, there is no ", output, StringComparison.Ordinal);
        Assert.Contains("holds no data/<group>/*.csv, which --format skab expects", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nabb")]
    [InlineData("nab", "--seeds", "1,x")]
    [InlineData("nab", "--seeds")]
    public void Wrong_words_are_refused(params string[] arguments)
    {
        (int code, _, string error) = Run(arguments);

        Assert.Equal(2, code);
        Assert.Contains("usage: quality [nab|", error, StringComparison.Ordinal);
    }

    private void Write(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private static string Time(int row) =>
        DateTime.UnixEpoch.AddMinutes(10 * row).ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter();
        int code = BenchmarkCommand.Run(["quality", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
