using StreamLstm.Daemon.Commands;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Tests.Daemon.Commands;

public sealed class TrainCommandTests : IDisposable
{
    private static readonly string[] Small = ["--streams", "14", "--rows", "500", "--epochs", "2"];

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-train-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task The_same_seed_trains_the_same_bytes_on_whatever_number_of_threads()
    {
        (int code, string output, string error) = await RunAsync(["train", .. Small, "--out", At("a"), "--set", "pipeline.workers=1"]);
        await RunAsync(["train", .. Small, "--out", At("b"), "--set", "pipeline.workers=3"]);
        await RunAsync(["train", .. Small, "--out", At("c"), "--seed", "2"]);

        Assert.True(code == 0, error);
        Assert.Contains("2 epochs; loss of those held out ", output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(At("a")), File.ReadAllBytes(At("b")));
        Assert.NotEqual(File.ReadAllBytes(At("a")), File.ReadAllBytes(At("c")));
        using FileStream file = File.OpenRead(At("a"));
        Assert.Equal(BaseModel.Shape, WeightsFile.Read(file, out _).Shape);
    }

    [Fact]
    public async Task Weights_trained_on_files_of_ones_own_are_what_backtest_starts_from()
    {
        await RunAsync("simulate", "--streams", "5", "--rows", "2400", "--faults", "0", "--seed", "9", "--out", At("history/fleet.ndjson"));

        (int code, _, string error) = await RunAsync("train", At("history"), "--epochs", "2", "--out", At("base"));

        Assert.True(code == 0, error);
        string[] without = await BacktestAsync("without");
        string[] with = await BacktestAsync("with", "--set", $"detection.base_weights={At("base")}");
        Assert.Equal(without.Length, with.Length);
        Assert.NotEqual(without, with);
        Assert.Equal(with, await BacktestAsync("again", "--set", $"detection.base_weights={At("base")}"));

        async Task<string[]> BacktestAsync(string name, params string[] settings)
        {
            (int backtest, _, string problem) = await RunAsync(["backtest", At("history"), "--out", At(name), .. settings]);
            Assert.True(backtest == 0, problem);
            return File.ReadAllLines(At($"{name}/fleet.ndjson.csv"));
        }
    }

    [Theory]
    [InlineData("--streams", "0", "--streams: 0, expected 1 to 100000")]
    [InlineData("--rows", "0", "--rows: 0, expected 1 or more")]
    [InlineData("--epochs", "0", "--epochs: 0, expected 1 to 1000")]
    [InlineData("absent.csv", "--epochs=1", "INPUT: 'absent.csv' is not there")]
    [InlineData("absent.csv", "--streams=3", "--streams and --rows: expected without INPUT")]
    [InlineData("absent.csv", "--reconstruction", "INPUT: expected none with --reconstruction")]
    public async Task Wrong_words_are_told(string first, string second, string expected)
    {
        (int code, string output, string error) = await RunAsync("train", first, second, "--out", At("none"));

        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task What_gives_too_few_windows_is_told_and_leaves_no_file()
    {
        File.WriteAllLines(At("short.csv"), ["time,value", .. Enumerable.Range(0, 250).Select(i => $"{i},{i % 7}")]);

        (int code, _, string error) = await RunAsync("train", At("short.csv"), "--out", At("none"));

        Assert.Equal(1, code);
        Assert.Contains("1 windows of 96 rows, expected at least 10", error, StringComparison.Ordinal);
        Assert.Equal([At("short.csv")], Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task A_log_and_a_file_that_cannot_be_read_are_told_by_name()
    {
        File.WriteAllText(At("app.log"), "2026-01-01T00:00:00Z started\n");
        File.WriteAllBytes(At("binary.csv"), [0, 1, 2, 255, 0, 10, 7]);

        (int logCode, _, string log) = await RunAsync("train", At("app.log"), "--out", At("none"));
        (int binaryCode, _, string binary) = await RunAsync("train", At("binary.csv"), "--out", At("none"));

        Assert.Equal((2, 1), (logCode, binaryCode));
        Assert.Contains("app.log' is a log, expected CSV or NDJSON files of values", log, StringComparison.Ordinal);
        Assert.Contains("binary.csv: line 1: this is no text", binary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Base_weights_that_are_missing_foreign_or_of_another_shape_are_a_mistake_in_the_configuration()
    {
        File.WriteAllText(At("foreign"), "not a safetensors file, though long enough to have a header");
        using (FileStream other = File.Create(At("other")))
        {
            var shape = new ForecastShape(new LstmShape(13, 8, 1, 96), 3, 32, 3);
            WeightsFile.Write(other, WeightInitializer.Create(shape, 1), new Dictionary<string, string>());
        }

        await ExpectAsync("absent", "is not there, expected a file that streamlstm train writes");
        await ExpectAsync("foreign", "; expected a file that streamlstm train writes");
        await ExpectAsync("other", "weights of shape ");
        await ExpectAsync(".", "is not there, expected a file");

        async Task ExpectAsync(string name, string expected)
        {
            (int code, _, string error) = await RunAsync("validate", "--set", $"detection.base_weights={At(name)}");
            Assert.Equal(78, code);
            Assert.Contains($"detection.base_weights: '{At(name)}'", error, StringComparison.Ordinal);
            Assert.Contains(expected, error, StringComparison.Ordinal);
        }
    }

    private string At(string name) => Path.Combine(_directory, name);

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.InvokeAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
