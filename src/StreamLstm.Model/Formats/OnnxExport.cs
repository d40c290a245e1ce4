namespace StreamLstm.Model.Formats;

/// <summary>A network's single step as an ONNX model, for ONNX Runtime and whatever else reads the format.</summary>
/// <remarks><code>
///   input (batch, I) ──────────▶ LSTM ──▶ LSTM ─ ... ─▶ Gemm ──▶ output (batch, O)
///   h (L, batch, H) ── Split ──▶ each its own ── Concat ────────▶ h_out (L, batch, H)
///   c (L, batch, H) ── Split ──▶ each its own ── Concat ────────▶ c_out (L, batch, H)
/// </code>
/// The caller carries the state: what came out as h_out and c_out goes in again as h and c; zeros start a stream.
/// ONNX stacks the gates i, o, f, c where we (and PyTorch) stack i, f, g, o; its c is our g.
/// </remarks>
public static class OnnxExport
{
    private const string Batch = "batch";

    /// <summary>Which of our gates stands first, second, ... in ONNX.</summary>
    private static readonly int[] GateOrder = [0, 3, 1, 2];

    /// <summary>Writes the model: float32, opset 14, batch size open, weights inside.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="weights">What.</param>
    /// <exception cref="ArgumentException">The network has a projection, which ONNX's LSTM lacks.</exception>
    public static void Write(Stream file, LstmWeights weights)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(weights);
        LstmShape shape = weights.Shape;

        if (shape.ProjectionSize > 0)
        {
            throw new ArgumentException($"projection size is {shape.ProjectionSize}, expected 0: ONNX's LSTM has no projection", nameof(weights));
        }

        int layers = shape.LayerCount, size = shape.HiddenSize;
        var graph = new OnnxGraph("lstm_step");
        graph.Input("input", Batch, shape.InputSize);
        graph.Input("h", layers, Batch, size);
        graph.Input("c", layers, Batch, size);
        graph.Output("output", Batch, shape.OutputSize);
        graph.Output("h_out", layers, Batch, size);
        graph.Output("c_out", layers, Batch, size);

        // One step is a sequence of one: (batch, I) becomes (1, batch, I).
        graph.Constant("sequence_axis", [0]);
        graph.Node("Unsqueeze", ["input", "sequence_axis"], ["input_sequence"]);
        string[] hidden = Split(graph, "h", layers), cell = Split(graph, "c", layers);
        string[] hiddenOut = Parts("h_out", layers), cellOut = Parts("c_out", layers);
        string below = "input_sequence";

        for (int layer = 0; layer < layers; layer++)
        {
            AddLayer(graph, weights.Layer(layer), layer);
            graph.Node(
                "LSTM",
                [below, $"W_{layer}", $"R_{layer}", $"B_{layer}", "", hidden[layer], cell[layer]],
                ["", hiddenOut[layer], cellOut[layer]],
                ("hidden_size", size));
            below = hiddenOut[layer];
        }

        Concat(graph, hiddenOut, "h_out");
        Concat(graph, cellOut, "c_out");
        graph.Constant("V", [size, shape.OutputSize], weights.OutputWeights);
        graph.Constant("output_bias", [shape.OutputSize], weights.OutputBias);
        graph.Node("Squeeze", [below, "sequence_axis"], ["last_hidden"]);
        graph.Node("Gemm", ["last_hidden", "V", "output_bias"], ["output"]);
        graph.Write(file);
    }

    private static void AddLayer(OnnxGraph graph, LstmLayer layer, int index)
    {
        int size = layer.HiddenSize, gates = 4 * size;
        var bias = new float[2 * gates]; // ONNX has two as PyTorch has; the second stays zero.

        for (int gate = 0; gate < 4; gate++)
        {
            layer.Bias.Slice(GateOrder[gate] * size, size).CopyTo(bias.AsSpan(gate * size));
        }

        graph.Constant($"W_{index}", [1, gates, layer.InputSize], RowMajor(layer.InputWeights, size));
        graph.Constant($"R_{index}", [1, gates, size], RowMajor(layer.RecurrentWeights, size));
        graph.Constant($"B_{index}", [1, 2 * gates], bias);
    }

    /// <summary>A matrix of 4H rows by columns, gates i, f, g, o: row-major, gates i, o, f, c.</summary>
    private static float[] RowMajor(ReadOnlySpan<float> matrix, int size)
    {
        int columns = matrix.Length / (4 * size);
        var rows = new float[matrix.Length];

        for (int row = 0; row < 4 * size; row++)
        {
            int ours = GateOrder[row / size] * size + row % size;

            for (int column = 0; column < columns; column++)
            {
                rows[row * columns + column] = matrix[column * 4 * size + ours];
            }
        }

        return rows;
    }

    /// <summary>The names of a state's layers; one layer is the whole.</summary>
    private static string[] Parts(string name, int layers) =>
        layers == 1 ? [name] : [.. Enumerable.Range(0, layers).Select(layer => $"{name}_{layer}")];

    private static string[] Split(OnnxGraph graph, string name, int layers)
    {
        string[] parts = Parts(name, layers);

        if (layers > 1)
        {
            graph.Node("Split", [name], parts, ("axis", 0));
        }

        return parts;
    }

    private static void Concat(OnnxGraph graph, string[] parts, string name)
    {
        if (parts.Length > 1)
        {
            graph.Node("Concat", parts, [name], ("axis", 0));
        }
    }
}
