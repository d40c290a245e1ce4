using System.Diagnostics;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.IntegrationTests.Torch;

/// <summary>Weights go from PyTorch to us and from us to PyTorch, and both forecast the same.</summary>
/// <remarks>PyTorch is large, so tests/run.sh does not install it and nothing fails without it: TorchGoldenTests has its numbers.</remarks>
public sealed class TorchExchangeTests
{
    private const int Steps = 50;

    [Theory]
    [InlineData(1, 1, 32, 1)]
    [InlineData(2, 3, 17, 4)]
    [InlineData(3, 5, 8, 2)]
    public async Task Weights_that_pytorch_wrote_forecast_the_same_here(int layers, int inputs, int hidden, int outputs)
    {
        var shape = new LstmShape(inputs, hidden, layers, outputs);
        string python = await RequireTorchAsync();
        using var directory = new TemporaryDirectory();
        string path = Path.Combine(directory.Path, "torch.safetensors");
        float[][] window = Window(inputs);

        float[][] expected = await ExchangeAsync(python, "write", path, shape, window);
        using FileStream file = File.OpenRead(path);
        LstmWeights weights = TorchStateDict.Read(file);

        Assert.Equal(shape, weights.Shape);
        AssertSame(expected, Run(weights, window));
    }

    [Theory]
    [InlineData(1, 1, 32, 1)]
    [InlineData(2, 3, 17, 4)]
    [InlineData(3, 5, 8, 2)]
    public async Task Weights_that_we_wrote_load_strictly_in_pytorch_and_forecast_the_same(int layers, int inputs, int hidden, int outputs)
    {
        var shape = new LstmShape(inputs, hidden, layers, outputs);
        string python = await RequireTorchAsync();
        using var directory = new TemporaryDirectory();
        string path = Path.Combine(directory.Path, "ours.safetensors");
        float[][] window = Window(inputs);
        LstmWeights weights = WeightInitializer.Create(shape, seed: 1);

        using (FileStream file = File.Create(path))
        {
            TorchStateDict.Write(file, weights);
        }

        AssertSame(await ExchangeAsync(python, "read", path, shape, window), Run(weights, window));
    }

    private static float[][] Run(LstmWeights weights, float[][] window)
    {
        var state = new float[weights.Shape.StateSize];
        var scratch = new LstmScratch(weights.Shape);
        return [.. window.Select(input =>
        {
            var output = new float[weights.Shape.OutputSize];
            LstmNetwork.Step(weights, input, state, output, scratch);
            return output;
        })];
    }

    private static float[][] Window(int inputs)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Steps).Select(_ =>
            Enumerable.Range(0, inputs).Select(_ => 4 * random.NextSingle() - 2).ToArray())];
    }

    private static void AssertSame(float[][] expected, float[][] actual)
    {
        Assert.Equal(Steps, expected.Length);
        Assert.All(expected.SelectMany(step => step).Zip(actual.SelectMany(step => step)), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.True(expected.SelectMany(step => step).Distinct().Count() > Steps / 2, "outputs that hardly differ prove nothing");
    }

    private static async Task<string> RequireTorchAsync()
    {
        // Debian's package is for Debian's python3, which need not be the first.
        foreach (string python in Parts.Find("python3"))
        {
            if (await RunAsync(python, ["-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"], "") is { ExitCode: 0 })
            {
                return python;
            }
        }

        Assert.Skip("PyTorch is missing: apt-get install python3-torch");
        return "";
    }

    private static async Task<float[][]> ExchangeAsync(string python, string mode, string path, LstmShape shape, float[][] window)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "Torch", "exchange.py");
        (int exitCode, string output, string error) = await RunAsync(
            python,
            [script, mode, path, $"{shape.LayerCount}", $"{shape.InputSize}", $"{shape.HiddenSize}", $"{shape.OutputSize}"],
            JsonSerializer.Serialize(window));
        Assert.True(exitCode == 0, error);
        return JsonSerializer.Deserialize<float[][]>(output)!;
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string program, string[] arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_NUM_THREADS"] = "1";
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        using Process process = Process.Start(start)!;

        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
