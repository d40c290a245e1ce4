using Microsoft.ML.OnnxRuntime;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Benchmarks.Peers;

/// <summary>One step of a batch of streams in ONNX Runtime, as fast as it goes there: what our step is measured against.</summary>
/// <remarks>
/// One thread; plain operators with a matrix product per gate; every layer's h and c an input of its own; all memory bound
/// once and exchanged from step to step. Of the forms tried this is the fastest, or within 3 % of it: it takes 0.64 to 0.92
/// of the time of <see cref="OnnxExport"/>'s model (an LSTM node per layer; H 32 to 128, batch 1 to 512).
/// </remarks>
internal sealed class OnnxRuntimeStep : IDisposable
{
    private readonly RunOptions _run = new();
    private readonly InferenceSession _session;
    private readonly List<IDisposable> _memory = [];
    private readonly OrtIoBinding[] _bindings; // after an even, after an odd number of steps
    private readonly float[][][] _states; // [even or odd][2L]: h and c of each layer, (batch, H)
    private readonly float[] _input;
    private readonly float[] _output;
    private int _steps;

    public OnnxRuntimeStep(LstmWeights weights, int batch)
    {
        LstmShape shape = weights.Shape;
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        _session = new InferenceSession(Model(weights), options);
        _input = new float[batch * shape.InputSize];
        _output = new float[batch * shape.OutputSize];
        _states = [.. Enumerable.Range(0, 2).Select(_ =>
            Enumerable.Range(0, 2 * shape.LayerCount).Select(_ => new float[batch * shape.HiddenSize]).ToArray())];
        OrtValue input = Bind(_input, batch), output = Bind(_output, batch);
        OrtValue[][] states = [.. _states.Select(side => side.Select(state => Bind(state, batch)).ToArray())];
        _bindings = [_session.CreateIoBinding(), _session.CreateIoBinding()];

        for (int side = 0; side < 2; side++)
        {
            _bindings[side].BindInput("input", input);
            _bindings[side].BindOutput("output", output);

            for (int layer = 0; layer < shape.LayerCount; layer++)
            {
                _bindings[side].BindInput($"h_{layer}", states[side][2 * layer]);
                _bindings[side].BindInput($"c_{layer}", states[side][2 * layer + 1]);
                _bindings[side].BindOutput($"h_out_{layer}", states[1 - side][2 * layer]);
                _bindings[side].BindOutput($"c_out_{layer}", states[1 - side][2 * layer + 1]);
            }
        }
    }

    /// <summary>x of the next step: (batch, I).</summary>
    public Span<float> Input => _input;

    /// <summary>After a step: (batch, O).</summary>
    public ReadOnlySpan<float> Output => _output;

    /// <summary>h of a layer: (batch, H).</summary>
    public Span<float> HiddenState(int layer) => _states[_steps & 1][2 * layer];

    /// <summary>c of a layer: (batch, H).</summary>
    public Span<float> CellState(int layer) => _states[_steps & 1][2 * layer + 1];

    public void Step() => _session.RunWithBinding(_run, _bindings[_steps++ & 1]);

    public void Dispose()
    {
        foreach (IDisposable part in _memory.Concat(_bindings).Append(_session).Append(_run))
        {
            part.Dispose();
        }
    }

    private OrtValue Bind(float[] values, int batch)
    {
        OrtValue value = OrtValue.CreateTensorValueFromMemory(values, [batch, values.Length / batch]);
        _memory.Add(value);
        return value;
    }

    private static byte[] Model(LstmWeights weights)
    {
        LstmShape shape = weights.Shape;
        var graph = new OnnxGraph("lstm_step");
        graph.Input("input", "batch", shape.InputSize);
        graph.Output("output", "batch", shape.OutputSize);
        string below = "input";

        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            AddLayer(graph, weights.Layer(layer), layer, below);
            below = $"h_out_{layer}";
        }

        graph.Constant("V", [shape.HiddenSize, shape.OutputSize], weights.OutputWeights);
        graph.Constant("output_bias", [shape.OutputSize], weights.OutputBias);
        graph.Node("Gemm", [below, "V", "output_bias"], ["output"]);
        using var file = new MemoryStream();
        graph.Write(file);
        return file.ToArray();
    }

    private static void AddLayer(OnnxGraph graph, LstmLayer weights, int layer, string below)
    {
        int size = weights.HiddenSize;

        foreach (string state in (string[])["h", "c"])
        {
            graph.Input($"{state}_{layer}", "batch", size);
            graph.Output($"{state}_out_{layer}", "batch", size);
        }

        graph.Node("Concat", [below, $"h_{layer}"], [$"xh_{layer}"], ("axis", 1));

        for (int gate = 0; gate < 4; gate++)
        {
            string name = $"{"ifgo"[gate]}_{layer}";
            graph.Constant($"W_{name}", [weights.InputSize + size, size], [.. Gate(weights.InputWeights, gate, size), .. Gate(weights.RecurrentWeights, gate, size)]);
            graph.Constant($"b_{name}", [size], weights.Bias.Slice(gate * size, size));
            graph.Node("Gemm", [$"xh_{layer}", $"W_{name}", $"b_{name}"], [$"sum_{name}"]);
            graph.Node(gate == 2 ? "Tanh" : "Sigmoid", [$"sum_{name}"], [name]);
        }

        graph.Node("Mul", [$"f_{layer}", $"c_{layer}"], [$"kept_{layer}"]);
        graph.Node("Mul", [$"i_{layer}", $"g_{layer}"], [$"added_{layer}"]);
        graph.Node("Add", [$"kept_{layer}", $"added_{layer}"], [$"c_out_{layer}"]);
        graph.Node("Tanh", [$"c_out_{layer}"], [$"tanh_c_{layer}"]);
        graph.Node("Mul", [$"o_{layer}", $"tanh_c_{layer}"], [$"h_out_{layer}"]);
    }

    /// <summary>One gate's columns of a matrix by columns, (4H, inputs): (inputs, H) row-major.</summary>
    private static float[] Gate(ReadOnlySpan<float> matrix, int gate, int size)
    {
        var rows = new float[matrix.Length / 4];

        for (int input = 0; input < rows.Length / size; input++)
        {
            matrix.Slice((4 * input + gate) * size, size).CopyTo(rows.AsSpan(input * size));
        }

        return rows;
    }
}
