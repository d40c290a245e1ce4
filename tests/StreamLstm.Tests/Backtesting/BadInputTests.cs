using System.Globalization;
using System.Text;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Daemon.Commands;

namespace StreamLstm.Tests.Backtesting;

public sealed class BadInputTests : IDisposable
{
    private const int Million = 1_000_000;

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-bad-input-").FullName;

    private string Out => Path.Combine(_directory, "out");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_million_columns_are_told_before_they_are_a_million_streams_and_the_files_beside_them_are_scored()
    {
        string good = Csv(600);
        Write("in/commas.csv", "timestamp" + new string(',', Million) + "\n1" + string.Concat(Enumerable.Repeat(",1", Million)) + "\n");
        Write("in/named.csv", "timestamp," + string.Join(',', Enumerable.Range(0, Million).Select(column => $"c{column}")) + "\n");
        Write("in/row.csv", "timestamp,value\n1,1\n2" + string.Concat(Enumerable.Repeat(",1", Million)) + "\n3,3\n");
        Write("in/record.ndjson", Record(1, 1) + Record(2, 5000) + Record(3, Million) + Record(4, 1));
        Write("in/good.csv", good);
        Write("alone/good.csv", good);
        await RunAsync(Path.Combine(_directory, "alone"), "--out", Out + "-alone");

        (int code, _, string error) = await RunAsync(Path.Combine(_directory, "in"), "--out", Out);

        Assert.Equal(CommandLine.Failed, code);
        Assert.Matches("error: .*commas.csv: line 1: 1000000 columns of values, expected at most 4096", error);
        Assert.Matches("error: .*named.csv: line 1: a line of more than 1048576 characters, expected at most that many: a header", error);
        Assert.Matches("warning: .*row.csv: line 3: a line of more than 1048576 characters", error);
        Assert.Matches("warning: .*record.ndjson: line 2: 5000 values in a record, expected at most 4096", error);
        Assert.Matches("warning: .*record.ndjson: line 3: a line of more than 1048576 characters", error);
        Assert.Equal(["1", "3"], new ColumnFile(Path.Combine(Out, "row.csv")).Texts("timestamp"));
        Assert.Equal(2, new ColumnFile(Path.Combine(Out, "record.ndjson.csv")).Texts("value").Count);
        Assert.Equal(File.ReadAllText(Path.Combine(Out + "-alone", "good.csv")), File.ReadAllText(Path.Combine(Out, "good.csv")));
    }

    [Fact]
    public async Task A_line_that_never_ends_is_not_kept()
    {
        string path = Write("in/endless.csv", "timestamp,a\n");

        await using (var file = new StreamWriter(path, append: true))
        {
            for (int i = 0; i < 100; i++)
            {
                file.Write(string.Concat(Enumerable.Repeat("1,", 200_000)));
            }
        }

        (int code, _, string error) = await RunAsync(path, "--out", Out);

        Assert.Equal(CommandLine.Failed, code);
        Assert.Matches("error: .*endless.csv: line 2: a line of more than 1048576 characters", error);
    }

    [Fact]
    public async Task What_is_not_scored_says_which_value_and_what_was_expected()
    {
        Write("in/huge.csv", "timestamp,a,b\n2026-01-01,1,1\n2026-01-02,1,1e308\n");
        Write("in/order.csv", "timestamp,value\n2026-01-02,1\n2026-01-01,2\n2026-01-02,1\n2026-01-02,3\n");

        foreach (string[] form in (string[][])[[], ["--joint"]])
        {
            (int code, _, string error) = await RunAsync([Path.Combine(_directory, "in"), "--out", Out, .. form]);

            Assert.Equal(0, code);
            Assert.Contains("line 3: not scored (bad_value): column b: 1E+308, expected a number from -1E+20 to 1E+20", error, StringComparison.Ordinal);
            Assert.Contains("line 3: not scored (late): time 2026-01-01, expected none before 2026-01-02T00:00:00Z", error, StringComparison.Ordinal);
            Assert.Contains("line 4: not scored (duplicate): time 2026-01-02 is there again with the same values", error, StringComparison.Ordinal);
            Assert.Contains("line 5: not scored (conflict): time 2026-01-02 is there again with other values", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_gave_no_score_says_whether_it_was_too_short_or_held_nothing()
    {
        Write("in/header.csv", "timestamp,value\n");
        Write("in/one.csv", "timestamp,value\n2026-01-01,1\n");
        Write("in/missing.csv", "timestamp,a,b\n" + string.Concat(Enumerable.Range(0, 600).Select(row => $"{row},,\n")));

        (int code, string output, _) = await RunAsync(Path.Combine(_directory, "in"), "--out", Out, "--report");

        Assert.Equal(0, code);
        Assert.Contains("header.csv: holds no rows", output, StringComparison.Ordinal);
        Assert.Contains("one.csv: too short to be scored: 1 rows", output, StringComparison.Ordinal);
        Assert.Contains("missing.csv: nothing could be scored: no stream has more than 512 rows", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text.csv", true)]
    [InlineData("text.data", true)]
    [InlineData("text.csv", false)]
    [InlineData("text.data", false)]
    public async Task Text_in_utf16_is_read_where_it_begins_with_its_mark_and_told_where_not(string name, bool isMarked)
    {
        string text = Csv(500);
        string plain = Write("plain/" + name, text);
        string input = Path.Combine(_directory, name);
        File.WriteAllText(input, text, new UnicodeEncoding(bigEndian: false, byteOrderMark: isMarked));
        await RunAsync(plain, "--out", Out + "-plain");

        (int code, _, string error) = await RunAsync(input, "--out", Out);

        if (!isMarked)
        {
            Assert.Equal(CommandLine.Failed, code);
            Assert.Contains(name + ": line 1: this is no text (UTF-8, or UTF-16 that begins with its mark), expected a header", error, StringComparison.Ordinal);
            return;
        }

        Assert.True(code == 0, error);
        string result = Path.GetFileName(Assert.Single(Directory.GetFiles(Out)));
        Assert.Equal(File.ReadAllText(Path.Combine(Out + "-plain", result)), File.ReadAllText(Path.Combine(Out, result)));
    }

    [Fact]
    public async Task Times_at_the_ends_of_all_time_are_told_and_a_report_of_eight_thousand_years_is_bounded()
    {
        Write("in/ends.csv", "timestamp,value\n0001-01-01,1\n9999-12-31,2\n-90000000000,3\n");
        Write("in/lines.ndjson", "{\"stream\":\"a\",\"ts\":-90000000000,\"value\":1}\n{\"stream\":\"a\",\"ts\":5,\"value\":1}\n");
        Write("in/long.csv", "timestamp,value\n1000-01-01,1\n8999-12-31,2\n");

        (int code, _, string error) = await RunAsync(Path.Combine(_directory, "in"), "--out", Out, "--report");

        Assert.Equal(CommandLine.Failed, code);
        Assert.Matches("error: .*ends.csv: line 2: column timestamp: '0001-01-01', expected .* of the years 1000 to 8999 \\(and 2 more\\)", error);
        Assert.Matches("warning: .*lines.ndjson: line 1: field ts: -90000000000, expected", error);
        Assert.Equal(2, new ColumnFile(Path.Combine(Out, "long.csv")).Texts("value").Count);
        Assert.InRange(new FileInfo(Path.Combine(Out, "report.html")).Length, 1, 3 << 20);
    }

    [Fact]
    public async Task A_report_of_files_that_all_failed_is_a_report_of_nothing()
    {
        string input = Write("in/empty.csv", "");

        (int code, _, string error) = await RunAsync(input, "--out", Out, "--report");

        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("empty.csv: line 1: the file is empty", error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Out, "report.html")));
    }

    [Fact]
    public async Task What_cannot_be_opened_or_listed_is_told_and_the_rest_is_scored()
    {
        Write("in/good.csv", Csv(500));
        Write("in/deep/good.csv", Csv(500));
        string locked = Directory.CreateDirectory(Path.Combine(_directory, "in/locked")).FullName;
        File.CreateSymbolicLink(Path.Combine(_directory, "in/gone.csv"), Path.Combine(_directory, "nowhere.csv"));
        // Who may read everything lists it all the same: then it is an empty folder, and no error.
        bool isDenied = !Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows();
        SetMode(locked, UnixFileMode.None);

        try
        {
            (int code, _, string error) = await RunAsync(Path.Combine(_directory, "in"), "--out", Out);

            Assert.Equal(CommandLine.Failed, code);
            Assert.Matches("error: .*gone.csv: ", error);
            Assert.Equal(isDenied, error.Contains("locked", StringComparison.Ordinal));
            Assert.Equal(["deep/good.csv", "good.csv"], Relative(Out));
        }
        finally
        {
            SetMode(locked, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Theory]
    [InlineData("nab", "data/g/bad.csv", "data/g/good.csv", "g/good.csv")]
    [InlineData("skab", "data/g/bad.csv", "data/g/good.csv", "g/good.csv")]
    [InlineData("ucr", "UCR_Anomaly_FullData/README.txt", "UCR_Anomaly_FullData/001_UCR_Anomaly_x_400_500_510.txt", "answers.csv")]
    [InlineData("smd", "test/bad.txt", "test/good.txt", "good.csv")]
    public async Task One_file_of_a_benchmark_that_is_rubbish_misnamed_or_alone_loses_nothing_but_itself(
        string format, string bad, string good, string result)
    {
        string text = format switch
        {
            "ucr" => string.Concat(Enumerable.Range(0, 900).Select(row => Number(row) + "\n")),
            "smd" => string.Concat(Enumerable.Range(0, 600).Select(row => $"{Number(row)},{Number(row + 9)}\n")),
            _ => Csv(600),
        };
        Write("in/" + good, text);
        Write("alone/" + good, text);

        if (format == "smd")
        {
            Write("in/train/good.txt", text);
            Write("alone/train/good.txt", text);
        }

        Write("in/" + bad, "\0\0rubbish");
        await RunAsync(Path.Combine(_directory, "alone"), "--out", Out + "-alone", "--format", format);

        (int code, string output, string error) = await RunAsync(Path.Combine(_directory, "in"), "--out", Out, "--format", format);

        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("1 file ", output, StringComparison.Ordinal);
        Assert.Matches($"error: .*{Path.GetFileName(bad)}: ", error);
        Assert.Equal(Relative(Out + "-alone"), Relative(Out));
        Assert.Equal(File.ReadAllText(Path.Combine(Out + "-alone", result)), File.ReadAllText(Path.Combine(Out, result)));
    }

    [Fact]
    public async Task What_a_file_holds_does_not_steer_the_terminal()
    {
        string input = Write("in/escape.csv", "timestamp,value\n2026-01-01,\u001b[2J\u0007\n2026-01-02,1\n");

        (_, _, string error) = await RunAsync(input, "--out", Out);

        Assert.Contains("column value: '\uFFFD[2J\uFFFD', expected a number", error, StringComparison.Ordinal);
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    private static string Record(int time, int fields) =>
        $"{{\"stream\":\"p\",\"ts\":{time},\"values\":{{{string.Join(',', Enumerable.Range(0, fields).Select(field => $"\"c{field}\":1"))}}}}}\n";

    private static string Number(int row) => (Math.Sin(row / 20.0) + 0.01 * (row % 7)).ToString("F4", CultureInfo.InvariantCulture);

    private static string Csv(int rows) =>
        "timestamp,value\n" + string.Concat(Enumerable.Range(0, rows).Select(row =>
            $"{DateTime.UnixEpoch.AddMinutes(5 * row):yyyy-MM-dd HH:mm:ss},{Number(row)}\n"));

    private static string[] Relative(string directory) =>
    [
        .. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(directory, file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    private string Write(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.InvokeAsync(["backtest", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
