using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Benchmarks.Quality.Scorers;
using StreamLstm.Benchmarks.Quality.Sets;

namespace StreamLstm.Tests.Benchmarks;

/// <summary>Our scorers and the reference scripts, on the same files, to the last digit printed.</summary>
public sealed partial class ReferenceScorerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-scorers-").FullName;
    private readonly Random _random = new(5);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(null)]
    [InlineData(0.99)]
    public async Task Nab_scores_are_those_of_the_reference(double? threshold)
    {
        string data = Data("nab");

        foreach (string path in Directory.EnumerateFiles(Path.Combine(data, "data"), "*.csv", SearchOption.AllDirectories)
            .Where(path => path.Contains("realAdExchange", StringComparison.Ordinal) || path.Contains("artificialNo", StringComparison.Ordinal)))
        {
            // Three digits: equal scores are part of it. The cube keeps false rows from making silence the best.
            Write(
                Path.GetRelativePath(Path.Combine(data, "data"), path),
                File.ReadLines(path).Skip(1).Select(_ => FormattableString.Invariant($"x,{Math.Pow(_random.NextDouble(), 20):F3}")).Prepend("timestamp,anomaly_score"));
        }

        string given = threshold is { } fixedThreshold ? $"--threshold={fixedThreshold.ToString(CultureInfo.InvariantCulture)}" : "--per-file";
        string printed = await RunAsync("nab_score.py", _directory, "--data", data, given);

        NabCosts[] profiles = [NabCosts.Standard, NabCosts.LowFalsePositives, NabCosts.LowFalseNegatives];
        IReadOnlyList<NabSeries> series = NabQuality.Load(data, name => NabQuality.FromResults(_directory, name, "anomaly_score"));
        Match[] lines = [.. NabLine().Matches(printed).Cast<Match>()];
        Assert.Equal((6, 3), (series.Count, lines.Length));
        Assert.All(profiles.Zip(lines), pair =>
        {
            NabResult result = NabScorer.Score(series, pair.First, threshold);
            Match line = pair.Second;
            Assert.Equal(line.Groups["score"].Value, Text(result.Score, "F2"));
            Assert.Equal(line.Groups["raw"].Value, Text(result.Raw, "F3"));
            Assert.Equal(Number(line, "threshold"), result.Threshold);
            Assert.Equal(
                (Number(line, "found"), Number(line, "windows"), Number(line, "false")),
                (result.WindowsFound, result.Windows, result.FalseRows));
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Skab_scores_are_those_of_the_reference(bool withClaims)
    {
        string data = Data("skab");
        bool abnormal = false;

        foreach (string path in Directory.EnumerateFiles(Path.Combine(data, "data", "valve1")))
        {
            Write(Path.Combine("valve1", Path.GetFileName(path)), File.ReadLines(path).Skip(1).Select((_, row) =>
            {
                abnormal ^= _random.Next(60) == 0;
                string prediction = row < 410 ? "" : abnormal ? "1" : "0";
                return $"{prediction},{(_random.Next(100) == 0 ? 1 : 0)}";
            }).Prepend(withClaims ? "pred,cp" : "pred,other"));
        }

        string printed = await RunAsync("skab_score.py", _directory, "--data", data);

        SkabResult result = SkabScorer.Score(SkabQuality.Load(data, name => _ =>
        {
            var file = new ColumnFile(Path.Combine(_directory, name));
            return (file.Flags("pred"), withClaims ? file.Flags("cp") : null);
        }));
        Assert.Equal(
            [
                Text(result.F1, "F4"), Text(result.FalseAlarmRate, "F4"), Text(result.MissedRate, "F4"),
                $"{result.Rows.TruePositive}", $"{result.Rows.TrueNegative}", $"{result.Rows.FalsePositive}", $"{result.Rows.FalseNegative}",
                Text(result.Nab.Standard, "F4"), Text(result.Nab.LowFalsePositives, "F4"), Text(result.Nab.LowFalseNegatives, "F4"),
                $"{result.ChangePoints}", $"{result.Missed}", $"{result.FalseClaims}", Text(result.MeanDelaySeconds, "F4"),
            ],
            printed.Split('\n').Skip(1).Where(line => line.Length > 0).Select(line => line.Split(' ')[^1]));
    }

    [Fact]
    public async Task Telemanom_counts_are_those_of_the_reference()
    {
        string data = Data("smap_msl");
        var detections = new Dictionary<string, long[][]>();
        SmapQuality.Load(data, (channel, rows) => detections.TryAdd(channel, Ranges(rows)) ? [] : []);
        string path = Path.Combine(_directory, "detections.json");
        File.WriteAllText(path, System.Text.Json.JsonSerializer.Serialize(detections));

        string printed = await RunAsync("telemanom_score.py", path, "--labels", Path.Combine(data, "labeled_anomalies.csv"));

        TelemanomResult result = TelemanomScorer.Score(SmapQuality.Load(data, (channel, _) => detections[channel]));
        string expected = string.Create(
            CultureInfo.InvariantCulture,
            $"Total  TP {result.Found,3} FP {result.False,3} FN {result.Missed,3}   P {result.Precision:F4}  R {result.Recall:F4}  F1 {result.F1:F4}  F0.5 {result.F05:F4}   flagged {result.FlaggedShare:F2} % of {result.Rows} rows");
        Assert.Contains(expected, printed.Split('\n'));
        Assert.InRange(result.Found, 1, 50);
    }

    [Fact]
    public async Task Ucr_accuracy_is_that_of_the_reference()
    {
        string data = Data("ucr");
        var answers = new Dictionary<string, IReadOnlyList<long>>();
        UcrQuality.Load(data, (path, training) =>
        {
            // Near the anomaly in a third of the series, so that there is something to count.
            long[] label = [.. Path.GetFileNameWithoutExtension(path).Split('_')[^2..].Select(long.Parse)];
            answers[path] = [.. Enumerable.Range(0, 5).Select(_ =>
                _random.Next(3) == 0 ? _random.NextInt64(label[0] - 250, label[1] + 250) : training + _random.Next(1000))];
            return [];
        });
        string file = Path.Combine(_directory, "answers.csv");
        File.WriteAllLines(file, answers.Select(answer => string.Join(',', answer.Value.Cast<object>().Prepend(Path.GetFileName(answer.Key)))));

        string printed = await RunAsync("ucr_score.py", file, "--data", data);

        UcrResult result = UcrScorer.Score(UcrQuality.Load(data, (path, _) => answers[path]));
        Assert.Equal(
            FormattableString.Invariant($"{result.Series} series, {answers.Count} answered   top-1 {result.Top1:F4}   top-3 {result.Top3:F4}   top-5 {result.Top5:F4}"),
            printed.Trim());
    }

    [Fact]
    public async Task Hdfs_scores_are_those_of_the_reference()
    {
        string data = Data("hdfs_logs");
        string[] files = [.. HdfsQuality.Tests.Select((name, i) =>
        {
            // Few false alarms, most abnormal sessions found: the range that counts.
            Write(name + ".txt", File.ReadLines(Path.Combine(data, name)).Select(_ => _random.Next(100) < (i == 0 ? 1 : 95) ? "4.5,1" : "0.5,0"));
            return Path.Combine(_directory, name + ".txt");
        })];

        string printed = await RunAsync("hdfs_score.py", [.. files, "--data", data]);

        SessionResult result = SessionScorer.Score(HdfsQuality.Flags(files[0]), HdfsQuality.Flags(files[1]));
        Assert.Contains(FormattableString.Invariant($"P {result.Precision:F4}  R {result.Recall:F4}  F1 {result.F1:F4} "), printed, StringComparison.Ordinal);
        Assert.InRange(result.F1, 0.5, 0.95);
    }

    private long[][] Ranges(long rows)
    {
        long[][] ranges = [.. Enumerable.Range(0, _random.Next(4)).Select(_ => _random.NextInt64(rows)).Select(first => (long[])[first, first + _random.Next(400)])];
        return ranges;
    }

    private void Write(string name, IEnumerable<string> lines)
    {
        string path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, lines);
    }

    private static string Data(string set)
    {
        string? data = QualityCommand.DevelopmentData();
        Assert.SkipUnless(data is not null, "there is no ../shared/data");
        return Path.Combine(data, set);
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static double Number(Match match, string group) => double.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    private static async Task<string> RunAsync(string script, params string[] arguments)
    {
        string path = Path.Combine(QualityCommand.DevelopmentData()!, "..", "tools", script);
        Assert.SkipUnless(File.Exists(path), "there is no ../shared/tools");
        var start = new ProcessStartInfo("python3", [path, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process? process = null;

        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("python3 is not installed");
        }

        using (process)
        {
            Task<string> error = process!.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, await error);
            return output;
        }
    }

    [GeneratedRegex(@"^(standard|reward_low_F[PN]_rate) +(?<score>\S+)   threshold (?<threshold>\S+)   raw (?<raw>\S+)   windows hit (?<found>\d+)/(?<windows>\d+)   false positive rows (?<false>\d+)", RegexOptions.Multiline)]
    private static partial Regex NabLine();
}
