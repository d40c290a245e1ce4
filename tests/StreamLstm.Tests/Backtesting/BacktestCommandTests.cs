using System.Globalization;
using StreamLstm.Benchmarks.Events;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Daemon.Commands;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Backtesting;

public sealed class BacktestCommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-backtest-").FullName;

    private string Out => Path.Combine(_directory, "out");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Columns_judged_together_name_the_one_that_left_the_others()
    {
        const int Fault = 1300;
        var random = new Random(1);
        IEnumerable<string> rows = Enumerable.Range(0, 1500).Select(row =>
        {
            double x = Math.Sin(row / 20.0);
            double b = 2 * x + 0.1 * Chance.Normal(random) + (row is >= Fault and < Fault + 30 ? 5 : 0);
            return FormattableString.Invariant($"{1_700_000_000 + row},{x + 0.1 * Chance.Normal(random):F4},{b:F4},{Chance.Normal(random):F4}\n");
        });
        string input = Write("in/wide.csv", "timestamp,a,b,c\n" + string.Concat(rows));

        (int code, _, string error) = await RunAsync(input, "--out", Out, "--joint");

        Assert.True(code == 0, error);
        var file = new ColumnFile(Path.Combine(Out, "wide.csv"));
        int[] alerts = [.. file.Numbers("alert").Index().Where(row => row.Item == 1).Select(row => row.Index)];
        Assert.InRange(alerts[0], Fault, Fault + 20);
        // While the fault leaves the window and the smoothing, J may cross its threshold again.
        Assert.InRange(alerts[^1], Fault, Fault + 30 + 50);
        Assert.InRange(alerts.Length, 1, 2);
        Assert.Equal("b", file.Texts("top")[alerts[0]]);
    }

    [Theory]
    [InlineData("shop.log", null)]
    [InlineData("shop.txt", "log")]
    public async Task Every_line_of_a_log_gets_what_the_detector_says_of_it(string name, string? format)
    {
        IReadOnlyList<ServiceLogLine> log = new ServiceLog(40_300).Lines(16_000, (15_000, ServiceFault.Stop));
        string input = Write("in/" + name, string.Concat(log.Select(line => line.Written + "\n")));
        string[] form = format is null ? [] : ["--format", format];

        (int code, _, string error) = await RunAsync([input, "--out", Out, "--key", @"\[(?<key>req-\w+)\]", .. form]);

        Assert.True(code == 0, error);
        var file = new ColumnFile(Path.Combine(Out, name + ".csv"));
        var detector = new AnomalyDetector();
        IReadOnlyList<string> scores = file.Texts("evidence"), templates = file.Texts("template"), keys = file.Texts("key");

        for (int row = 0; row < log.Count; row++)
        {
            (_, string text, string? key, _) = log[row];
            ScoredObservation scored = detector.Score(Observation.Of(
                "shop", log[row].Time, new TextEvent(key is null ? text : text.Replace(key, "<key>", StringComparison.Ordinal), key)))!.Value;
            Assert.Equal(
                (scored.Evidence?.ToString("R", CultureInfo.InvariantCulture) ?? "", scored.Template, key ?? ""), (scores[row], templates[row], keys[row]));
        }

        int[] alerts = [.. file.Numbers("alert").Index().Where(row => row.Item == 1).Select(row => row.Index)];
        int stopped = Enumerable.Range(1, log.Count - 1).MaxBy(row => log[row].Time - log[row - 1].Time);
        Assert.Contains(alerts, row => row >= stopped && row < stopped + 100);
    }

    [Theory]
    [InlineData("", "the file is empty, expected a log")]
    [InlineData("a\0b\n", "no text")]
    public async Task A_file_that_is_no_log_says_so(string text, string words)
    {
        string input = Write("in/app.log", text);

        (int code, _, string error) = await RunAsync(input, "--out", Out);

        Assert.Equal(1, code);
        Assert.Contains(words, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_is_reported_like_any_stream_and_its_key_must_be_an_expression()
    {
        string input = Write("in/app.log", string.Concat(new ServiceLog(1).Lines(3_000).Select(line => line.Written + "\n")));

        Assert.Equal(0, (await RunAsync(input, "--out", Out, "--report")).Code);
        Assert.Contains("app", File.ReadAllText(Path.Combine(Out, "report.html")), StringComparison.Ordinal);

        (int code, _, string error) = await RunAsync(input, "--out", Out, "--key", "(");
        Assert.Equal(2, code);
        Assert.Contains("--key: '(', expected a regular expression", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_of_ndjson_are_judged_together_stream_by_stream_as_the_configuration_says()
    {
        const int Fault = 1300;
        List<double[]> rows = Plant.Rows(6, 4, 1500);
        IEnumerable<string> lines = rows.Select((row, i) =>
            FormattableString.Invariant($$$"""{"stream":"plant","ts":{{{1_700_000_000 + i}}},"values":{"a":{{{row[0]:F4}}},"b":{{{row[1] + (i >= Fault ? 9 : 0):F4}}},"c":{{{row[2]:F4}}},"d":{{{row[3]:F4}}}}}""") + "\n"
            + (i % 2 == 0 ? $$"""{"stream":"other","ts":{{1_700_000_000 + i}},"value":{{i}}}""" + "\n" : ""));
        string input = Write("in/plant.ndjson", string.Concat(lines));
        string config = Write("d.yaml", "vectors:\n  - {streams: plant, context: [d]}\n");

        (int code, _, string error) = await RunAsync(input, "--out", Out, "--joint", "--config", config);

        Assert.True(code == 0, error);
        var file = new ColumnFile(Path.Combine(Out, "plant.ndjson.csv"));
        int[] plant = [.. file.Texts("stream").Index().Where(row => row.Item == "plant").Select(row => row.Index)];
        Assert.Equal((2250, 1500), (file.Texts("stream").Count, plant.Length));
        int opened = Array.FindIndex(plant, row => file.Texts("alert")[row] == "1");
        Assert.InRange(opened, Fault, Fault + 30);
        Assert.Equal("b", file.Texts("top")[plant[opened]]);
        Assert.DoesNotContain("d", file.Texts("top"));
        Assert.Equal("", file.Texts("d")[plant[0] + 1]);
        Assert.Equal("0", file.Texts("value")[plant[0] + 1]);
    }

    [Fact]
    public async Task What_the_configuration_judges_together_is_so_without_being_asked_for_and_the_rest_stays_as_it_is()
    {
        List<double[]> rows = Plant.Rows(4, 3, 700);
        string records = string.Concat(rows.Select((row, i) =>
            FormattableString.Invariant($$$"""{"stream":"plant","ts":{{{1_700_000_000 + i}}},"values":{"a":{{{row[0]:R}}},"b":{{{row[1]:R}}},"c":{{{row[2]:R}}}}}""") + "\n"
            + FormattableString.Invariant($$$"""{"stream":"house","ts":{{{1_700_000_000 + i}}},"values":{"x":{{{row[1]:R}}},"y":{{{i % 7}}}}}""") + "\n"));
        string csv = "ts,a,b,c\n" + string.Concat(rows.Select((row, i) => FormattableString.Invariant($"{1_700_000_000 + i},{row[0]:R},{row[1]:R},{row[2]:R}\n")));
        string x = string.Concat(rows.Select((row, i) => FormattableString.Invariant($$$"""{"stream":"house/x","ts":{{{1_700_000_000 + i}}},"value":{{{row[1]:R}}}}""") + "\n"));
        string[] inputs = [Write("in/all.ndjson", records), Write("in/plant.csv", csv), Write("in/x.ndjson", x)];
        string config = Write("d.yaml", "vectors:\n  - {streams: plant}\n");

        (int code, _, string error) = await RunAsync([.. inputs, "--out", Out, "--config", config]);

        Assert.True(code == 0, error);
        var all = new ColumnFile(Path.Combine(Out, "all.ndjson.csv"));
        Assert.Equal(3 * 700, all.Texts("evidence").Count);
        string[] together = ScoresOf("plant");
        Assert.Contains(together, score => score.Length > 0);
        Assert.Equal(new ColumnFile(Path.Combine(Out, "plant.csv")).Texts("evidence"), together);
        Assert.Contains(ScoresOf("house/x"), score => score.Length > 0);
        Assert.Equal(new ColumnFile(Path.Combine(Out, "x.ndjson.csv")).Texts("evidence"), ScoresOf("house/x"));

        string[] ScoresOf(string stream) => [.. all.Texts("stream").Zip(all.Texts("evidence")).Where(row => row.First == stream).Select(row => row.Second)];
    }

    [Fact]
    public async Task Every_row_gets_what_the_detector_says_of_it()
    {
        double[] series = DailySeries.WithFaults(1)[..2400];
        string input = Write("in/boiler.csv", Csv(series));

        (int code, string output, _) = await RunAsync(input, "--out", Out);

        var file = new ColumnFile(Path.Combine(Out, "boiler.csv"));
        var detector = new AnomalyDetector();
        IReadOnlyList<string> scores = file.Texts("evidence"), tops = file.Texts("top");
        IReadOnlyList<double> people = file.Numbers("anomaly_score"), settled = file.Numbers("score_settled"), alerts = file.Numbers("alert");
        int opened = 0;

        for (int row = 0; row < series.Length; row++)
        {
            ScoredObservation scored = detector.Score(new Observation("boiler", Time(row), series[row]))!.Value;
            bool opens = detector.LastOutput.Incidents.Exists(incident => incident.State == IncidentState.Opened);
            opened += opens ? 1 : 0;
            Assert.Equal(scored.Evidence?.ToString("R", CultureInfo.InvariantCulture) ?? "", scores[row]);
            Assert.Equal(scored.AnomalyScore, people[row], 12);
            Assert.InRange(settled[row], people[row], 1);
            Assert.Equal(opens ? 1 : 0, alerts[row]);
            Assert.Equal(scored.Channel, tops[row]);
        }

        // What is revised lies within 64 rows before an incident's opening, and has its score.
        Assert.All(Enumerable.Range(0, series.Length).Where(row => settled[row] > people[row]), row =>
            Assert.Contains(Enumerable.Range(row, 64), later => alerts[later] == 1 && people[later] == settled[row]));
        Assert.Equal(0, code);
        Assert.Equal(1, alerts[DailySeries.Spike]);
        Assert.Equal(["timestamp", "value", "evidence", "anomaly_score", "score_settled", "alert", "expected", "lower", "upper", "top"], file.Names);
        Assert.Equal(series, file.Numbers("value"));
        Assert.Equal(Time(7), file.Times("timestamp")[7]);
        string[] total = output.Split('\n').Last(line => line.Contains("1 file", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["2,400", $"{opened}", (opened / (2399 / 144.0)).ToString("0.###", CultureInfo.InvariantCulture)], total[^3..]);
    }

    [Fact]
    public async Task The_number_of_threads_changes_nothing_and_the_data_directory_is_not_touched()
    {
        string state = Path.Combine(_directory, "state");

        for (int file = 0; file < 5; file++)
        {
            Write($"in/{file % 2}/f{file}.csv", Csv(DailySeries.WithFaults(file)[^700..]));
        }

        foreach (string workers in (string[])["1", "4"])
        {
            (int code, _, _) = await RunAsync(
                Path.Combine(_directory, "in"), "--out", Out + workers, "--set", $"pipeline.workers={workers}", "--set", $"storage.directory={state}");
            Assert.Equal(0, code);
        }

        string[] results = Relative(Out + "1");
        Assert.Equal(["0/f0.csv", "0/f2.csv", "0/f4.csv", "1/f1.csv", "1/f3.csv"], results);
        Assert.Equal(results, Relative(Out + "4"));
        Assert.All(results, file => Assert.Equal(File.ReadAllBytes(Path.Combine(Out + "1", file)), File.ReadAllBytes(Path.Combine(Out + "4", file))));
        Assert.False(Directory.Exists(state));
    }

    [Fact]
    public async Task The_seed_of_the_configuration_is_the_detectors()
    {
        string input = Write("in/a.csv", Csv(DailySeries.Clean(1, 600)));

        await RunAsync(input, "--out", Out + "1");
        await RunAsync(input, "--out", Out + "2", "--set", "detection.seed=2");

        Assert.NotEqual(File.ReadAllText(Path.Combine(Out + "1", "a.csv")), File.ReadAllText(Path.Combine(Out + "2", "a.csv")));
    }

    [Fact]
    public async Task Odd_files_are_told_by_name_and_line_and_lose_nothing_else()
    {
        var random = new Random(3);
        byte[] rubbish = new byte[5000];
        random.NextBytes(rubbish);
        string good = Csv(DailySeries.Clean(1, 500));
        Write("in/a-empty.csv", "");
        Write("in/b-header.csv", "timestamp,value\n");
        Write("in/c-one.csv", "timestamp,value\n2026-01-01T00:00:00Z,1\n");
        Write("in/d-constant.csv", Csv([.. Enumerable.Repeat(5.0, 500)]));
        Write("in/e-nan.csv", "timestamp,value\n" + string.Concat(Enumerable.Range(0, 50).Select(row => $"{Time(row):O},NaN\n")));
        Write("in/f-huge.csv", "timestamp,value\n" + string.Concat(Enumerable.Range(0, 50).Select(row => $"{Time(row):O},{(row == 7 ? "1e308" : "1")}\n")));
        Write("in/g-order.csv", "timestamp,value\n2026-01-02,1\n2026-01-01,2\n2026-01-02,1\n2026-01-02,3\n2026-01-03,4\n");
        File.WriteAllBytes(Path.Combine(_directory, "in/h-rubbish.csv"), rubbish);
        File.WriteAllBytes(Path.Combine(_directory, "in/i-rubbish.ndjson"), rubbish);
        Write("in/j-numbers.csv", "1\n2\n3\n");
        Write("in/k-ragged.csv", "timestamp,value\n2026-01-01,1\n2026-01-02\nyesterday,1\n2026-01-03,x\n2026-01-04,2\n");
        Write("in/l-twice.csv", "timestamp,a,a\n2026-01-01,1,2\n");
        Write("in/z-good.csv", good);
        Write("alone/z-good.csv", good);

        (int code, string output, string error) = await RunAsync(Path.Combine(_directory, "in"), "--out", Out);
        await RunAsync(Path.Combine(_directory, "alone"), "--out", Out + "-alone");

        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("8 files", output, StringComparison.Ordinal);
        Assert.Equal(
            ["b-header.csv", "c-one.csv", "d-constant.csv", "f-huge.csv", "g-order.csv", "k-ragged.csv", "z-good.csv"],
            Relative(Out).Except(["e-nan.csv"]));
        Assert.Equal(File.ReadAllText(Path.Combine(Out + "-alone", "z-good.csv")), File.ReadAllText(Path.Combine(Out, "z-good.csv")));
        Assert.Equal([""], new ColumnFile(Path.Combine(Out, "c-one.csv")).Texts("evidence"));
        Assert.Equal(0, new ColumnFile(Path.Combine(Out, "d-constant.csv")).Numbers("alert").Sum());
        Assert.Equal(50, new ColumnFile(Path.Combine(Out, "f-huge.csv")).Texts("evidence").Count);
        Assert.Equal(5, new ColumnFile(Path.Combine(Out, "g-order.csv")).Texts("value").Count);
        Assert.Equal(["1", "", "2"], new ColumnFile(Path.Combine(Out, "k-ragged.csv")).Texts("value"));
        string[] expected =
        [
            "error: .*a-empty.csv: line 1: the file is empty, expected a header",
            "e-nan.csv: line 2: column value: 'NaN', expected a number \\(and 49 more\\)",
            "f-huge.csv: line 9: not scored \\(bad_value\\)",
            "g-order.csv: line 3: not scored \\(late\\)",
            "g-order.csv: line 4: not scored \\(duplicate\\)",
            "g-order.csv: line 5: not scored \\(conflict\\)",
            "error: .*h-rubbish.csv: line 1: this is no text",
            "error: .*i-rubbish.ndjson: line 1: this is no text",
            "error: .*j-numbers.csv: line 1: '1', expected a header",
            "k-ragged.csv: line 3: 1 columns, expected 2",
            "k-ragged.csv: line 4: column timestamp: 'yesterday', expected an RFC 3339 time",
            "k-ragged.csv: line 5: column value: 'x', expected a number",
            "error: .*l-twice.csv: line 1: column a is there 2 times",
        ];
        Assert.All(expected, pattern => Assert.Matches(pattern, error));
    }

    [Fact]
    public async Task Since_and_until_choose_rows_by_their_time()
    {
        string input = Write("in/a.csv", Csv(DailySeries.Clean(1, 100)));

        (int code, _, _) = await RunAsync(
            input, "--out", Out, "--since", $"{Time(20):O}", "--until", $"{Time(50):O}");

        IReadOnlyList<DateTimeOffset> times = new ColumnFile(Path.Combine(Out, "a.csv")).Times("timestamp");
        Assert.Equal((0, 30, Time(20), Time(49)), (code, times.Count, times[0], times[^1]));
    }

    [Fact]
    public async Task Several_columns_are_a_row_with_the_evidence_of_the_one_that_says_most()
    {
        double[] calm = DailySeries.Clean(2, 900), faulty = DailySeries.Clean(1, 900);
        faulty[800] += 40;
        string wide = Write("in/wide.csv", "time;calm;faulty\n" + string.Concat(calm.Select((value, row) =>
            FormattableString.Invariant($"{Time(row):O};{value:R};{faulty[row]:R}\n"))));

        await RunAsync(wide, "--out", Out);

        var file = new ColumnFile(Path.Combine(Out, "wide.csv"));
        var detector = new AnomalyDetector();
        double Score(string stream, double[] series, int row) =>
            detector.Score(new Observation(stream, Time(row), series[row]))!.Value.Evidence ?? double.NaN;
        double[] expected =
        [
            .. calm.Select((_, row) => Math.Max(Score("wide/calm", calm, row), Score("wide/faulty", faulty, row))),
        ];
        IReadOnlyList<double> scores = file.Scores("evidence");
        Assert.Equal(expected[520..], scores.Skip(520), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal(("1", "faulty"), (file.Texts("alert")[800], file.Texts("top")[800]));
        Assert.Equal(["timestamp", "calm", "faulty", "evidence", "anomaly_score", "score_settled", "alert", "expected", "lower", "upper", "top"], file.Names);
    }

    [Fact]
    public async Task Long_csv_and_ndjson_keep_their_streams_apart_and_rows_without_time_are_numbered()
    {
        Write("in/long.csv", "time,stream,value\n2026-01-01,a,1\n2026-01-01,b,2\n2026-01-02,a,3\n");
        Write("in/lines.ndjson", "{\"stream\":\"a\",\"ts\":1,\"value\":1}\nnonsense\n{\"stream\":\"b\",\"ts\":1,\"values\":{\"x\":2,\"y\":3}}\n");
        Write("in/numbered.jsonl", "{\"stream\":\"a\",\"value\":1}\n{\"stream\":\"a\",\"value\":2}\n");

        (int code, _, string error) = await RunAsync(Path.Combine(_directory, "in"), "--out", Out);

        Assert.Equal(0, code);
        Assert.Equal(["long/a", "long/b", "long/a"], new ColumnFile(Path.Combine(Out, "long.csv")).Texts("stream"));
        var lines = new ColumnFile(Path.Combine(Out, "lines.ndjson.csv"));
        Assert.Equal(["a", "b/x", "b/y"], lines.Texts("stream"));
        Assert.Equal("1970-01-01T00:00:01Z", lines.Texts("timestamp")[2]);
        Assert.Equal(["0", "1"], new ColumnFile(Path.Combine(Out, "numbered.jsonl.csv")).Texts("row"));
        Assert.Contains("lines.ndjson: line 2: not valid JSON", error, StringComparison.Ordinal);
        Assert.DoesNotContain("not scored", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--format events", "--train: missing, expected a file of normal sessions")]
    [InlineData("--format events --train none.txt", "expected files of sessions with --format events")]
    [InlineData("--train a.txt", "--train: expected with --format events only")]
    [InlineData("--format nabb", "--format: 'nabb', expected one of nab, skab, telemanom, ucr, smd, events")]
    [InlineData("--format ucr", "holds no UCR_Anomaly_FullData/*.txt, which --format ucr expects")]
    [InlineData("--since yesterday", "--since: 'yesterday', expected an RFC 3339 time")]
    [InlineData("--format nab --since 2026-01-01", "a benchmark is run whole")]
    [InlineData("--out {in}", "would write results over")]
    public async Task Wrong_usage_is_told_and_writes_nothing(string arguments, string expected)
    {
        Write("in/a.csv", "timestamp,value\n2026-01-01,1\n");
        string input = Path.Combine(_directory, "in");

        (int code, _, string error) = await RunAsync(
            [input, .. arguments.Contains("--out", StringComparison.Ordinal) ? [] : (string[])["--out", Out], .. arguments.Replace("{in}", input, StringComparison.Ordinal).Split(' ')]);

        Assert.Equal(CommandLine.WrongUsage, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out));
        Assert.Equal("timestamp,value\n2026-01-01,1\n", File.ReadAllText(Path.Combine(input, "a.csv")));
    }

    [Fact]
    public async Task Sessions_of_events_get_a_line_each_with_score_and_flag()
    {
        string train = Write("in/normal", string.Concat(Enumerable.Range(0, 400).Select(i => $"blk_{i},5 5 22 {(i % 2 == 0 ? "9 11" : "11 9")} 26\n")));
        string test = Write("in/test", "5 5 22 9 11 26\n\nblk_7,5 5 22 11 9 26\n5 22 26\n5 5 22 9 99 26\n");

        (int code, string output, string error) = await RunAsync(test, "--format", "events", "--train", train, "--out", Out);

        Assert.True(code == 0, error);
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(Out, "test.txt"), TestContext.Current.CancellationToken);
        Assert.Equal(["0", "0", "1", "1"], lines.Select(line => line.Split(',')[1]));
        Assert.All(lines, line => Assert.Equal(line.EndsWith('1'), double.Parse(line.Split(',')[0], CultureInfo.InvariantCulture) >= 3));
        Assert.Matches(@"test\s+4\s+2\s", output);
    }

    [Fact]
    public async Task Results_in_a_folder_below_the_input_are_not_taken_for_input()
    {
        Write("in/a.csv", "timestamp,value\n2026-01-01,1\n");
        string input = Path.Combine(_directory, "in"), results = Path.Combine(input, "results");

        await RunAsync(input, "--out", results);
        (int code, _, _) = await RunAsync(input, "--out", results);

        Assert.Equal(0, code);
        Assert.Equal(["a.csv"], Relative(results));
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private static string[] Relative(string directory) =>
    [
        .. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(directory, file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    private static DateTimeOffset Time(int row) => DateTimeOffset.UnixEpoch.AddMinutes(10 * row);

    private static string Csv(double[] series) =>
        "timestamp,value\n" + string.Concat(series.Select((value, row) => FormattableString.Invariant($"{Time(row):O},{value:R}\n")));

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.InvokeAsync(["backtest", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
