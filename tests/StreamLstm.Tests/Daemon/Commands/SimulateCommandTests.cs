using System.Globalization;
using StreamLstm.Backtesting.Report;
using StreamLstm.Daemon.Commands;

namespace StreamLstm.Tests.Daemon.Commands;

public sealed class SimulateCommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-simulate-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_fleet_and_its_labels_are_what_backtest_reads()
    {
        string data = At("fleet.ndjson"), labels = At("faults.csv");

        (int code, string output, string error) = await RunAsync("--streams", "6", "--rows", "1500", "--faults", "10", "--out", data, "--labels", labels);

        Assert.True(code == 0, error);
        Assert.Empty(output);
        Assert.Equal(6 * 1500, File.ReadLines(data).Count());
        string[] faults = [.. File.ReadLines(labels).Skip(1)];
        Assert.Contains($"6 streams of 1,500 rows, {faults.Length} faults", error, StringComparison.Ordinal);
        Assert.NotEmpty(faults);
        LabelFile read = LabelFile.Read(labels);
        Assert.All(faults, fault => Assert.NotEmpty(read.Of(fault.Split(',')[0], "fleet.ndjson")));
        Assert.All(faults, fault => Assert.True(
            string.CompareOrdinal(fault.Split(',')[1], "2026-01-01T02:46:40Z") >= 0, $"{fault} is in the clean rows"));
        int backtest = await CommandLine.InvokeAsync(
            ["backtest", data, "--out", At("out"), "--report", "--labels", labels], new StringWriter(), new StringWriter());
        Assert.Equal(0, backtest);
        Assert.Contains("\"recall\":", File.ReadAllText(At("out/report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_seed_writes_the_same_bytes_to_a_file_and_to_standard_output()
    {
        await RunAsync("--rows", "30", "--seed", "7", "--out", At("a"));
        (int code, string output, _) = await RunAsync("--rows", "30", "--seed", "7");
        await RunAsync("--rows", "30", "--seed", "8", "--out", At("b"));

        Assert.Equal(0, code);
        Assert.Equal(File.ReadAllText(At("a")), output);
        Assert.NotEqual(File.ReadAllText(At("a")), File.ReadAllText(At("b")));
        string first = output.Split('\n')[0];
        Assert.StartsWith("{\"stream\":\"white-0\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"value\":", first, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_of_events_come_one_a_line_with_the_faulty_ones_told()
    {
        (int code, _, string error) = await RunAsync("--events", "--rows", "2000", "--faults", "10", "--out", At("events.txt"), "--labels", At("faulty.csv"));

        Assert.True(code == 0, error);
        Assert.Equal(2000, File.ReadLines(At("events.txt")).Count());
        string[] labels = File.ReadAllLines(At("faulty.csv"));
        Assert.Equal("line,kind", labels[0]);
        Assert.InRange(labels.Length - 1, 8, 40);
        string[] sessions = File.ReadAllLines(At("events.txt"));
        string unknown = labels.First(label => label.EndsWith(",unknown", StringComparison.Ordinal));
        Assert.Contains("X", sessions[int.Parse(unknown.Split(',')[0], CultureInfo.InvariantCulture) - 1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--streams", "0", "--streams: 0, expected 1 to 100000")]
    [InlineData("--rows", "0", "--rows: 0, expected 1 or more")]
    [InlineData("--faults", "11", "--faults: 11, expected 0 to 10")]
    [InlineData("--interval", "soon", "--interval: 'soon', expected a duration such as 500ms, 10s or 5m")]
    [InlineData("--to", "kafka://127.0.0.1:9092", "--to: set, and --out too; expected one of them")]
    [InlineData("--rate", "0", "--rate: 0, expected more than 0 and up to 1000000 observations a second")]
    [InlineData("--for", "10m", "--for: expected with --rate")]
    [InlineData("--rows", "900000000000", "expected an end before the year 10000")]
    public async Task Wrong_words_are_told(string option, string value, string expected)
    {
        (int code, string output, string error) = await RunAsync(option, value, "--out", At("none"));

        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Theory]
    [InlineData("--to: 'kafka://127.0.0.1:9092', expected kafka://HOST:9092/TOPIC, mqtt://HOST:1883/PREFIX or http://HOST:8080", "--to", "kafka://127.0.0.1:9092")]
    [InlineData("--to: 'ftp://host/x', expected", "--to", "ftp://host/x")]
    [InlineData("--to: 'mqtt://me:word@host', expected", "--to", "mqtt://me:word@host")]
    [InlineData("--events: sessions go to a file or a topic at once", "--events", "--rate", "5")]
    [InlineData("--events: sessions go to a file or a topic at once", "--events", "--to", "http://127.0.0.1:8080")]
    [InlineData("--for: set, and --rows too; expected one of them", "--rate", "5", "--for", "10s", "--rows", "7")]
    [InlineData("--for: '10ms', expected a duration such as 30s, 10m or 1h, in which there is an observation", "--rate", "5", "--for", "10ms")]
    [InlineData("--interval: set, and --rate too, which says it", "--rate", "5", "--interval", "10s")]
    public async Task Words_that_do_not_go_together_are_told(string expected, params string[] arguments)
    {
        (int code, string output, string error) = await RunAsync(arguments);

        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mqtt")]
    [InlineData("http")]
    public async Task A_target_that_is_not_there_is_told(string scheme)
    {
        // Nothing listens on port 1.
        (int code, _, string error) = await RunAsync("--to", $"{scheme}://127.0.0.1:1", "--rows", "1");

        Assert.Equal(1, code);
        Assert.Contains("error: --to", error, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1", error, StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(_directory, name);

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter();
        int code = await CommandLine.InvokeAsync(["simulate", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
