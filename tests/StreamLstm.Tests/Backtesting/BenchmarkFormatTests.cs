using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamLstm.Backtesting;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Daemon.Commands;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Backtesting;

public sealed class BenchmarkFormatTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-formats-").FullName;

    private string In => Path.Combine(_directory, "in");

    private string Out => Path.Combine(_directory, "out");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Nab_gives_a_row_for_every_row_also_where_time_stands_still()
    {
        string[] rows = [.. DailySeries.Clean(1, 600).Select((value, row) =>
            string.Create(CultureInfo.InvariantCulture, $"{DateTime.UnixEpoch.AddMinutes(5 * (row == 550 ? 549 : row)):yyyy-MM-dd HH:mm:ss},{value:R}"))];
        Write("data/realTweets/a.csv", rows.Prepend("timestamp,value"));
        Write("labels/combined_windows.json", ["not even JSON: nobody reads it"]);

        await RunAsync("nab");

        var file = new ColumnFile(Path.Combine(Out, "realTweets", "a.csv"));
        Assert.Equal(rows.Select(row => row.Split(',')[0]), file.Texts("timestamp"));
        Assert.All(file.Texts("evidence").Skip(520), score => Assert.NotEqual("", score));
        Assert.All(file.Numbers("anomaly_score"), score => Assert.InRange(score, 0, 1));
    }

    [Fact]
    public async Task Skab_gives_flags_and_never_reads_labels()
    {
        double[] pressure = DailySeries.Clean(1, 2300);

        for (int row = DailySeries.Spike; row < DailySeries.Spike + 30; row++)
        {
            pressure[row] += 25;
        }

        foreach (string label in (string[])["0.0", "1.0"])
        {
            Write("data/valve1/0.csv", pressure.Select((value, row) => string.Create(
                CultureInfo.InvariantCulture, $"{DateTime.UnixEpoch.AddSeconds(row):yyyy-MM-dd HH:mm:ss};{value:R};{row % 7};{label};{label}")).Prepend("datetime;Pressure;Volume Flow RateRMS;anomaly;changepoint"));
            await RunAsync("skab", Out + label);
        }

        var file = new ColumnFile(Path.Combine(Out + "0.0", "valve1", "0.csv"));
        Assert.Equal(File.ReadAllText(Path.Combine(Out + "0.0", "valve1", "0.csv")), File.ReadAllText(Path.Combine(Out + "1.0", "valve1", "0.csv")));
        Assert.Equal(["timestamp", "Pressure", "Volume Flow RateRMS", "evidence", "anomaly_score", "score_settled", "alert", "expected", "lower", "upper", "top", "pred", "cp"], file.Names);
        IReadOnlyList<bool?> predictions = file.Flags("pred"), claims = file.Flags("cp");
        Assert.Null(predictions[300]);
        int found = Enumerable.Range(DailySeries.Spike, 30).First(row => file.Flags("alert")[row] == true);
        Assert.Equal((true, true), (predictions[found], claims[found]));
        Assert.Equal("Pressure", file.Texts("top")[found]);
        Assert.Equal((true, false), (predictions[found + 2], claims[found + 2]));
    }

    [Fact]
    public async Task Ucr_answers_five_rows_behind_the_training_and_never_reads_where_the_anomaly_is()
    {
        double[] series = DailySeries.Clean(1, 2000);
        series[1700] += 40;
        series[300] += 40;
        Write("UCR_Anomaly_FullData/007_UCR_Anomaly_x_1000_1_2.txt", series.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
        await RunAsync("ucr");
        File.Move(
            Path.Combine(In, "UCR_Anomaly_FullData", "007_UCR_Anomaly_x_1000_1_2.txt"),
            Path.Combine(In, "UCR_Anomaly_FullData", "007_UCR_Anomaly_DISTORTEDx_1000_1690_1710.txt"));
        await RunAsync("ucr", Out + "2");

        string[] answers = Assert.Single(File.ReadAllLines(Path.Combine(Out, "answers.csv"))).Split(',');
        Assert.Equal("007_UCR_Anomaly_x_1000_1_2.txt", answers[0]);
        long[] rows = [.. answers[1..].Select(answer => long.Parse(answer, CultureInfo.InvariantCulture))];
        Assert.Equal(5, rows.Length);

        // The window in which the anomaly stands out most ends behind it; the archive's rule allows a hundred rows.
        Assert.InRange(rows[0], 1700, 1799);
        Assert.All(rows, row => Assert.InRange(row, 1000, 1999));
        Assert.Equal(answers[1..], File.ReadAllLines(Path.Combine(Out + "2", "answers.csv"))[0].Split(',')[1..]);
    }

    [Fact]
    public async Task A_series_that_cannot_be_read_is_left_out_of_the_answers()
    {
        string[] values = [.. Enumerable.Range(0, 700).Select(row => $"{Math.Sin(row):F6}")];
        Write("UCR_Anomaly_FullData/001_UCR_Anomaly_a_500_1_2.txt", values);
        Write("UCR_Anomaly_FullData/002_UCR_Anomaly_b_500_1_2.txt", values.Select((value, row) => row == 41 ? "x" : value));
        Write("UCR_Anomaly_FullData/003_UCR_Anomaly_c_900_1_2.txt", values);

        string error = await RunAsync("ucr", expected: CommandLine.Failed);

        Assert.StartsWith("001_", Assert.Single(File.ReadAllLines(Path.Combine(Out, "answers.csv"))), StringComparison.Ordinal);
        Assert.Contains("002_UCR_Anomaly_b_500_1_2.txt: line 42: 'x', expected a number", error, StringComparison.Ordinal);
        Assert.Contains("003_UCR_Anomaly_c_900_1_2.txt: 700 values, expected more than the 900 for training", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Smd_learns_from_train_and_reports_test()
    {
        double[] series = DailySeries.Clean(1, 900);

        for (int row = 850; row < 860; row++)
        {
            series[row] += 40;
        }

        Write("train/machine-1.txt", Rows(series[..600]));
        Write("test/machine-1.txt", Rows(series[600..]));
        Write("test_label/machine-1.txt", ["not even a number"]);

        await RunAsync("smd");

        var file = new ColumnFile(Path.Combine(Out, "machine-1.csv"));
        Assert.Equal(["row", "m1", "m2", "m3", "evidence", "anomaly_score", "score_settled", "alert", "expected", "lower", "upper", "top"], file.Names);
        Assert.Equal(Enumerable.Range(0, 300).Select(row => (double)row), file.Numbers("row"));
        Assert.All(file.Texts("evidence"), score => Assert.NotEqual("", score));
        Assert.Contains(1, file.Numbers("alert").Skip(250).Take(10));
        Assert.Equal("m2", file.Texts("top")[255]);

        static IEnumerable<string> Rows(double[] values) =>
            values.Select(value => FormattableString.Invariant($"0.500000,{value:F6},{Math.Cos(value):F6}"));
    }

    [Fact]
    public async Task Telemanom_judges_the_signal_and_gives_ranges_of_test_rows()
    {
        double[] series = DailySeries.Clean(1, 900);
        series[850] += 40;
        WriteArray("train/A-1.npy", series[..600]);
        WriteArray("test/A-1.npy", series[600..]);
        WriteArray("train/B-1.npy", new double[500]);
        WriteArray("test/B-1.npy", new double[50]);

        await RunAsync("telemanom");

        var detections = JsonSerializer.Deserialize<Dictionary<string, long[][]>>(File.ReadAllText(Path.Combine(Out, "detections.json")))!;
        Assert.Equal(["A-1", "B-1"], detections.Keys);
        Assert.Empty(detections["B-1"]);
        Assert.Contains(detections["A-1"], range => range[0] == 250 && range[1] >= 250);
        var file = new ColumnFile(Path.Combine(Out, "A-1.csv"));
        Assert.Equal(["row", "signal", "context1", "evidence"], file.Names.Take(4));
        Assert.Equal(300, file.Numbers("row").Count);
    }

    [Theory]
    [InlineData("<f8", 1, "(2, 3)", 48, null)]
    [InlineData("<f4", 2, "(2, 3)", 24, null)]
    [InlineData("<f8", 1, "(6,)", 48, null)]
    [InlineData("<f8", 1, "(2, 3)", 47, "47 bytes behind the header, expected 48: 2 x 3 values of 8 bytes")]
    [InlineData("<f8", 1, "(2, 3)", 49, "49 bytes behind the header, expected 48")]
    [InlineData("<i8", 1, "(2, 3)", 48, "expected descr '<f4' or '<f8'")]
    [InlineData("|O", 1, "(2, 3)", 48, "expected descr '<f4' or '<f8'")]
    [InlineData("<f8", 1, "(1, 2, 3)", 48, "a shape of one or two dimensions")]
    [InlineData("<f8", 1, "(99999999999999999999, 3)", 48, "shape: '99999999999999999999', expected 1 to 2147483647")]
    [InlineData("<f8", 1, "(0, 3)", 0, "shape: '0', expected 1 to")]
    [InlineData("<f8", 9, "(2, 3)", 48, "version 9.0 of the format, expected 1, 2 or 3")]
    public void A_numpy_array_is_read_strictly(string type, byte version, string shape, int dataBytes, string? problem)
    {
        var data = new byte[dataBytes];

        for (int i = 0; problem is null && i < 6; i++)
        {
            if (type == "<f8")
            {
                BinaryPrimitives.WriteDoubleLittleEndian(data.AsSpan(8 * i), i);
            }
            else
            {
                BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(4 * i), i);
            }
        }

        using var stream = new MemoryStream([.. NumPyHeader(type, version, shape), .. data]);
        Func<double[]> read = () => [.. new NpyFile(stream, new RowProblems("a.npy", strict: true)).Read().SelectMany(row => row.ToArray())];

        if (problem is null)
        {
            Assert.Equal([0, 1, 2, 3, 4, 5], read());
        }
        else
        {
            Assert.StartsWith("a.npy: ", Assert.Throws<SeriesException>(read).Message, StringComparison.Ordinal);
            stream.Position = 0;
            Assert.Contains(problem, Assert.Throws<SeriesException>(read).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void No_cut_and_no_rubbish_passes_for_a_numpy_array()
    {
        byte[] whole = [.. NumPyHeader("<f8", 1, "(2, 3)"), .. new byte[48]];
        var random = new Random(4);

        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<SeriesException>(() => new NpyFile(new MemoryStream(whole[..length]), new RowProblems("a.npy", strict: true)));
        }

        for (int trial = 0; trial < 200; trial++)
        {
            var rubbish = new byte[random.Next(200)];
            random.NextBytes(rubbish);
            Assert.Throws<SeriesException>(() => new NpyFile(new MemoryStream(rubbish), new RowProblems("a.npy", strict: true)));
        }
    }

    [Fact]
    public void Peaks_are_apart_best_first_and_of_equals_the_earlier()
    {
        double?[] scores = new double?[1000];
        scores[10] = 5;
        scores[60] = 9;
        scores[161] = 7;
        scores[400] = 7;
        scores[900] = -3;
        var peaks = new PeakRows(firstRow: 50);

        foreach (double? score in scores)
        {
            peaks.Add(new ReportedRow(default, new RowVerdict { Evidence = score }, ""));
        }

        Assert.Equal([110, 211, 450, 950], peaks.Best(5));
        Assert.Equal([110, 211], peaks.Best(2));
    }

    private async Task<string> RunAsync(string format, string? output = null, int expected = 0)
    {
        using var written = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.InvokeAsync(["backtest", In, "--format", format, "--out", output ?? Out], written, error);
        Assert.True(code == expected, error.ToString());
        return error.ToString();
    }

    private void Write(string name, IEnumerable<string> lines)
    {
        string path = Path.Combine(In, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, lines);
    }

    private void WriteArray(string name, double[] signal)
    {
        var data = new byte[16 * signal.Length];

        for (int row = 0; row < signal.Length; row++)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(data.AsSpan(16 * row), signal[row]);
            BinaryPrimitives.WriteDoubleLittleEndian(data.AsSpan(16 * row + 8), row % 2);
        }

        string path = Path.Combine(In, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, [.. NumPyHeader("<f8", 1, $"({signal.Length}, 2)"), .. data]);
    }

    private static byte[] NumPyHeader(string type, byte version, string shape)
    {
        byte[] dictionary = Encoding.ASCII.GetBytes($"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}   \n");
        byte[] length = version == 1
            ? [(byte)dictionary.Length, (byte)(dictionary.Length >> 8)]
            : [(byte)dictionary.Length, (byte)(dictionary.Length >> 8), 0, 0];
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. dictionary];
    }
}
