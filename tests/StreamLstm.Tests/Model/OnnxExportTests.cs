using Microsoft.ML.OnnxRuntime;
using StreamLstm.Benchmarks.Peers;
using StreamLstm.Model;
using StreamLstm.Model.Formats;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

public sealed class OnnxExportTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(1, 5)]
    [InlineData(2, 64)]
    [InlineData(3, 3)]
    public void Onnx_runtime_takes_the_same_steps_with_the_state_carried_by_hand(int layers, int batch)
    {
        const int Steps = 20;
        var random = new Random(100 * layers + batch);
        var shape = new LstmShape(random.Next(1, 9), random.Next(1, 41), layers, random.Next(1, 13));
        var weights = new LstmWeights(shape);
        Chance.Normal(random, shape.ParameterCount, 0.3).CopyTo(weights.Parameters);
        var scratch = new LstmScratch(shape);
        float[][] states = [.. Enumerable.Range(0, batch).Select(_ => Chance.Normal(random, shape.StateSize, 0.5))];
        var expected = new float[shape.OutputSize];
        using var network = new OnnxNetwork(weights, batch);
        using var peer = new OnnxRuntimeStep(weights, batch);
        SetStates(states, network, peer);
        float worst = 0;

        for (int step = 0; step < Steps; step++)
        {
            float[] inputs = Chance.Normal(random, batch * shape.InputSize);
            float[] outputs = network.Step(inputs);
            inputs.CopyTo(peer.Input);
            peer.Step();
            worst = Math.Max(worst, Distance(outputs, peer.Output));

            for (int stream = 0; stream < batch; stream++)
            {
                LstmNetwork.Step(weights, inputs.AsSpan(stream * shape.InputSize, shape.InputSize), states[stream], expected, scratch);
                worst = Math.Max(worst, Distance(expected, outputs.AsSpan(stream * shape.OutputSize, shape.OutputSize)));
                worst = Math.Max(worst, Distance(states[stream], network.State(stream)));
            }
        }

        Assert.InRange(worst, 0, 1e-5);
    }

    [Fact]
    public void The_model_says_its_names_and_sizes_and_leaves_the_batch_open()
    {
        using var network = new OnnxNetwork(new LstmWeights(new LstmShape(3, 4, 2, 5)), 1);

        Assert.Equal(["input -1,3", "h 2,-1,4", "c 2,-1,4"], Describe(network.Session.InputMetadata));
        Assert.Equal(["output -1,5", "h_out 2,-1,4", "c_out 2,-1,4"], Describe(network.Session.OutputMetadata));
        Assert.Equal("batch", network.Session.InputMetadata["input"].SymbolicDimensions[0]);

        static IEnumerable<string> Describe(IReadOnlyDictionary<string, NodeMetadata> metadata) =>
            metadata.Select(entry => $"{entry.Key} {string.Join(',', entry.Value.Dimensions)}");
    }

    private static void SetStates(float[][] states, OnnxNetwork network, OnnxRuntimeStep peer)
    {
        LstmShape shape = network.Shape;

        foreach ((int stream, float[] state) in states.Index())
        {
            for (int layer = 0; layer < shape.LayerCount; layer++)
            {
                Span<float> hidden = state.AsSpan(2 * layer * shape.HiddenSize, shape.HiddenSize);
                Span<float> cell = state.AsSpan((2 * layer + 1) * shape.HiddenSize, shape.HiddenSize);
                hidden.CopyTo(network.HiddenState(layer, stream));
                cell.CopyTo(network.CellState(layer, stream));
                hidden.CopyTo(peer.HiddenState(layer)[(stream * shape.HiddenSize)..]);
                cell.CopyTo(peer.CellState(layer)[(stream * shape.HiddenSize)..]);
            }
        }
    }

    private static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float worst = a.Length == b.Length ? 0 : float.NaN;

        for (int i = 0; i < a.Length; i++)
        {
            worst = MathF.Max(worst, MathF.Abs(a[i] - b[i]));
        }

        return worst;
    }

    /// <summary>The exported step of a batch of streams in ONNX Runtime; what comes out as state goes in again.</summary>
    private sealed class OnnxNetwork : IDisposable
    {
        private readonly int _batch;
        private readonly float[] _hidden; // (L, batch, H)
        private readonly float[] _cell; // (L, batch, H)

        public OnnxNetwork(LstmWeights weights, int batch)
        {
            (Shape, _batch) = (weights.Shape, batch);
            _hidden = new float[Shape.LayerCount * batch * Shape.HiddenSize];
            _cell = new float[_hidden.Length];
            using var file = new MemoryStream();
            OnnxExport.Write(file, weights);
            using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
            Session = new InferenceSession(file.ToArray(), options);
        }

        public LstmShape Shape { get; }

        public InferenceSession Session { get; }

        public float[] Step(float[] inputs)
        {
            long[] stateSizes = [Shape.LayerCount, _batch, Shape.HiddenSize];
            using OrtValue input = OrtValue.CreateTensorValueFromMemory(inputs, [_batch, Shape.InputSize]);
            using OrtValue hidden = OrtValue.CreateTensorValueFromMemory(_hidden, stateSizes);
            using OrtValue cell = OrtValue.CreateTensorValueFromMemory(_cell, stateSizes);
            using var run = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> results =
                Session.Run(run, ["input", "h", "c"], [input, hidden, cell], ["output", "h_out", "c_out"]);
            results[1].GetTensorDataAsSpan<float>().CopyTo(_hidden);
            results[2].GetTensorDataAsSpan<float>().CopyTo(_cell);
            return results[0].GetTensorDataAsSpan<float>().ToArray();
        }

        /// <summary>One stream's state as ours: per layer h, then c.</summary>
        public float[] State(int stream) =>
            [.. Enumerable.Range(0, Shape.LayerCount).SelectMany(layer => (float[])[.. HiddenState(layer, stream), .. CellState(layer, stream)])];

        public Span<float> HiddenState(int layer, int stream) => _hidden.AsSpan((layer * _batch + stream) * Shape.HiddenSize, Shape.HiddenSize);

        public Span<float> CellState(int layer, int stream) => _cell.AsSpan((layer * _batch + stream) * Shape.HiddenSize, Shape.HiddenSize);

        public void Dispose() => Session.Dispose();
    }
}
