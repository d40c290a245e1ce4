using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using StreamLstm.Backtesting;
using StreamLstm.Backtesting.Report;
using StreamLstm.Daemon.Commands;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Backtesting;

public sealed partial class BacktestReportTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-report-").FullName;

    private string Out => Path.Combine(_directory, "out");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task The_page_holds_the_spikes_incident_its_sentence_the_figures_and_no_address()
    {
        string input = WriteSpike();
        string labels = Write("labels.csv", $"stream,start,end\nboiler,{Time(DailySeries.Spike - 3):O},{Time(DailySeries.Spike + 3):O}\nboiler,{Time(700):O},{Time(705):O}\n");

        (int code, _, string error) = await RunAsync(input, "--out", Out, "--report", "--labels", labels);

        Assert.True(code == 0, error);
        string page = await File.ReadAllTextAsync(Path.Combine(Out, "report.html"), TestContext.Current.CancellationToken);
        using var data = JsonDocument.Parse(Data().Match(page).Groups[1].Value);
        JsonElement root = data.RootElement;
        JsonElement[] incidents = [.. root.GetProperty("incidents").EnumerateArray()];
        JsonElement spike = incidents.First(incident => incident.GetProperty("labelled").GetBoolean());
        Assert.Equal("boiler", spike.GetProperty("stream").GetString());
        Assert.Contains("usually at most", spike.GetProperty("why").GetString(), StringComparison.Ordinal);
        Assert.InRange(spike.GetProperty("onset").GetInt64(), Time(DailySeries.Spike - 3).ToUnixTimeMilliseconds(), Time(DailySeries.Spike + 3).ToUnixTimeMilliseconds());
        Assert.Equal(incidents.Select(incident => incident.GetProperty("score").GetDouble()).OrderDescending(), incidents.Select(incident => incident.GetProperty("score").GetDouble()));
        JsonElement figures = root.GetProperty("figures");
        Assert.Equal((2, 1), (figures.GetProperty("windows").GetInt32(), figures.GetProperty("windowsFound").GetInt32()));
        Assert.Equal(0.5, figures.GetProperty("recall").GetDouble());
        Assert.Equal(incidents.Length, root.GetProperty("days").EnumerateArray().Sum(day => day[1].GetInt32()));
        Assert.Equal(2400, root.GetProperty("streams")[0].GetProperty("t").GetArrayLength());
        Assert.DoesNotMatch(Loading(), Scripts().Replace(page, "<script>"));
        Assert.DoesNotMatch("url\\(|@import", page[..page.IndexOf("</style>", StringComparison.Ordinal)]);
        Assert.Contains("echarts", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_holds_the_gates_around_the_strongest_incident_and_what_it_should_have_looked_like()
    {
        (int code, _, string error) = await RunAsync(WriteSpike(), "--out", Out, "--report");

        Assert.True(code == 0, error);
        using var data = JsonDocument.Parse(Data().Match(await File.ReadAllTextAsync(Path.Combine(Out, "report.html"), TestContext.Current.CancellationToken)).Groups[1].Value);
        long opened = data.RootElement.GetProperty("incidents")[0].GetProperty("onset").GetInt64();
        JsonElement stream = data.RootElement.GetProperty("streams")[0], gates = stream.GetProperty("gates");
        (int cells, int steps) = (gates.GetProperty("cells").GetInt32(), gates.GetProperty("steps").GetInt32());
        Assert.Equal(24, cells);
        Assert.InRange(steps, 48, 95);
        Assert.InRange((gates.GetProperty("until").GetInt64() - opened) / 600_000, 0, 48);      // some 24 rows of it, ten minutes apart
        Assert.InRange(gates.GetRawText().Length, 1, 16_000);

        foreach (string gate in (string[])["forget", "input", "output", "cell"])
        {
            byte[] shades = gates.GetProperty(gate).GetBytesFromBase64();
            Assert.Equal(cells * steps, shades.Length);
            Assert.InRange(shades.Distinct().Count(), 20, 256);
        }

        JsonElement should = stream.GetProperty("should");
        long[] times = [.. should.GetProperty("t").EnumerateArray().Select(time => time.GetInt64())];
        Assert.InRange(opened, times[0], times[^1]);
        Assert.All(should.GetProperty("expected").EnumerateArray(), value => Assert.InRange(value.GetDouble(), 5, 35));
    }

    [Fact]
    public async Task A_stream_without_an_incident_has_no_gates_in_the_page()
    {
        string input = Write("in/calm.csv", "timestamp,value\n" + string.Concat(
            DailySeries.Clean(1, 700).Select((value, row) => FormattableString.Invariant($"{Time(row):O},{value:R}\n"))));

        await RunAsync(input, "--out", Out, "--report");

        using var data = JsonDocument.Parse(Data().Match(await File.ReadAllTextAsync(Path.Combine(Out, "report.html"), TestContext.Current.CancellationToken)).Groups[1].Value);
        JsonElement stream = data.RootElement.GetProperty("streams")[0];
        Assert.Equal(0, stream.GetProperty("incidents").GetInt32());
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (stream.GetProperty("gates").ValueKind, stream.GetProperty("should").ValueKind));
    }

    [Fact]
    public async Task Every_stream_has_a_picture()
    {
        await RunAsync(WriteSpike(), "--out", Out, "--report");

        byte[] picture = await File.ReadAllBytesAsync(Path.Combine(Out, "pictures", "boiler.png"), TestContext.Current.CancellationToken);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], picture[..4]);
        Assert.Equal((1400, 700), (Number(16), Number(20)));
        Assert.InRange(picture.Length, 20_000, 1_000_000);

        int Number(int at) => System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(picture.AsSpan(at));
    }

    [Fact]
    public async Task Two_configurations_are_told_apart_by_alerts_and_scores()
    {
        string input = WriteSpike();
        string same = Write("same.yaml", "detection:\n  seed: 1\n"), other = Write("other.yaml", "detection:\n  seed: 2\n");

        (int code, string output, string error) = await RunAsync(input, "--out", Out, "--report", "--compare", same, other);
        (_, string twice, _) = await RunAsync(input, "--out", Out + "2", "--compare", same, same);

        Assert.True(code == 0, error);
        string[] cells = output.Split('\n').Single(line => line.Contains("boiler.csv", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(double.Parse(cells[^1], CultureInfo.InvariantCulture), 0.2, 1);
        string[] equal = twice.Split('\n').Single(line => line.Contains("boiler.csv", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["0", "0", "1.000"], equal[^3..]);
        Assert.Equal(equal[1], equal[2]);
        Assert.True(File.Exists(Path.Combine(Out, "same", "boiler.csv")) && File.Exists(Path.Combine(Out, "other", "report.html")));
        Assert.Contains("score correlation", await File.ReadAllTextAsync(Path.Combine(Out, "other", "report.html"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("labels.csv", "a,b\n1,2\n", "expected the columns stream, start, end")]
    [InlineData("labels.csv", "stream,start,end\nx,yesterday,2026-01-01\n", "line 2: start: 'yesterday', expected")]
    [InlineData("labels.csv", "stream,start,end\nx,2026-01-02,2026-01-01\n", "end '2026-01-01' is before start '2026-01-02'")]
    [InlineData("labels.json", "{\"x\": [[1]]}", "x: '[1]', expected [start, end]")]
    [InlineData("labels.json", "[]", "expected an object of streams")]
    public async Task Labels_that_cannot_be_read_are_told(string name, string text, string expected)
    {
        string input = Write("in/a.csv", "timestamp,value\n2026-01-01,1\n");

        (int code, _, string error) = await RunAsync(input, "--out", Out, "--report", "--labels", Write(name, text));

        Assert.Equal(CommandLine.WrongUsage, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public void Nabs_labels_find_their_file_by_its_name()
    {
        LabelFile labels = LabelFile.Read(Write("nab.json", """{"realTraffic/a.csv": [["2015-01-01 10:00:00.000000", "2015-01-01 11:00:00.000000"]], "b.csv": []}"""));

        Assert.Equal(new DateTimeOffset(2015, 1, 1, 11, 0, 0, TimeSpan.Zero), Assert.Single(labels.Of("a", "a.csv")).End);
        Assert.Single(labels.Of("x", "realTraffic/a.csv"));
        Assert.Empty(labels.Of("ba", "ba.csv"));
    }

    [Fact]
    public void Thinning_keeps_every_spike_and_bounds_the_points()
    {
        var course = new StreamCourse("s", 1, isTimed: true);

        for (int row = 0; row < 50_000; row++)
        {
            double value = row is 12_345 or 49_999 ? 1000 + row : row % 7;
            course.Add(new ReportedRow(
                new SeriesRow(row, "", DateTimeOffset.UnixEpoch.AddSeconds(10.0 * row), "", [value]), new RowVerdict { AnomalyScore = row == 12_345 ? 0.9 : 0, Channel = "" }, ""));
        }

        Assert.InRange(course.Buckets.Count, 2048, 4096);
        Assert.Equal(2, course.Buckets.Count(bucket => bucket.High > 1000));
        Assert.Equal(0, course.Buckets.Min(bucket => bucket.Low));
        Assert.InRange(course.Buckets.Max(bucket => bucket.Score), 89, 91);
        Assert.Equal(50_000, course.Rows);
        Assert.Equal(course.Buckets.Select(bucket => bucket.Time).Order(), course.Buckets.Select(bucket => bucket.Time));
    }

    private string WriteSpike() => Write("in/boiler.csv", "timestamp,value\n" + string.Concat(
        DailySeries.WithFaults(1)[..2400].Select((value, row) => FormattableString.Invariant($"{Time(row):O},{value:R}\n"))));

    private string Write(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private static DateTimeOffset Time(int row) => DateTimeOffset.UnixEpoch.AddMinutes(10 * row);

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.InvokeAsync(["backtest", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }

    [GeneratedRegex("""<script id="data" type="application/json">(.*?)</script>""", RegexOptions.Singleline)]
    private static partial Regex Data();

    /// <summary>A script's text: what stands in it is no element.</summary>
    [GeneratedRegex("<script>.*?(?=</script>)", RegexOptions.Singleline)]
    private static partial Regex Scripts();

    /// <summary>What would make a browser ask the network for something.</summary>
    [GeneratedRegex("""<(script|link|img|iframe)[^>]*\s(src|href)="(?!data:)""")]
    private static partial Regex Loading();
}
