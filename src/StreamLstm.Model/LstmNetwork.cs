using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>A stack of LSTM layers with a linear output.</summary>
public static class LstmNetwork
{
    /// <summary>One step of one stream. Allocates nothing; the same bits for the same input on every vector width.</summary>
    /// <param name="weights">Shared, not changed.</param>
    /// <param name="input">x (I).</param>
    /// <param name="state">Per layer h (H), then c (H): replaced by the state after the step.</param>
    /// <param name="output">V h + bias (O).</param>
    /// <param name="scratch">Buffers of the caller, of the weights' shape.</param>
    /// <exception cref="ArgumentException">A span has another length than the shape asks for.</exception>
    public static void Step(
        LstmWeights weights, ReadOnlySpan<float> input, Span<float> state, Span<float> output, LstmScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(weights);
        LstmShape shape = weights.Shape;
        Require(input.Length, shape.InputSize, nameof(input));
        Require(state.Length, shape.StateSize, nameof(state));
        Require(output.Length, shape.OutputSize, nameof(output));

        int size = shape.HiddenSize;
        ReadOnlySpan<float> below = input;

        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            Span<float> hiddenState = state.Slice(2 * layer * size, size);
            Span<float> cellState = state.Slice((2 * layer + 1) * size, size);
            LstmCell.Step(weights.Layer(layer), below, hiddenState, cellState, scratch);
            below = hiddenState;
        }

        Output(weights, below, output);
    }

    internal static void Output(LstmWeights weights, ReadOnlySpan<float> hiddenState, Span<float> output)
    {
        weights.OutputBias.CopyTo(output);
        MatrixVector.MultiplyAdd(weights.OutputWeights, hiddenState, output);
    }

    internal static void Require(int length, int expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{name} holds {length} values, expected {expected}", name);
        }
    }
}
