using System.Numerics.Tensors;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>One time step of one layer.</summary>
/// <remarks><code>
///   i = σ(Wi x + Ui h + bi)       input gate: how much of the candidate enters
///   f = σ(Wf x + Uf h + bf)       forget gate: how much of the cell state stays
///   g = tanh(Wg x + Ug h + bg)    candidate
///   o = σ(Wo x + Uo h + bo)       output gate: how much of the cell state shows
///   c ← f∘c + i∘g                 cell state: the long-term memory
///   h ← o∘tanh(c)                 hidden state: the short-term memory, and the output
/// </code>
/// Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000; as torch.nn.LSTM.</remarks>
public static class LstmCell
{
    /// <summary>Takes one step: h and c are replaced by those after <paramref name="input"/>.</summary>
    /// <param name="layer">W (4H, I), U (4H, H), b (4H); shared, not changed.</param>
    /// <param name="input">x (I).</param>
    /// <param name="hiddenState">h (H), owned by one stream.</param>
    /// <param name="cellState">c (H), owned by one stream.</param>
    /// <param name="scratch">Buffers of the caller, of the network's shape.</param>
    public static void Step(
        LstmLayer layer, ReadOnlySpan<float> input, Span<float> hiddenState, Span<float> cellState, LstmScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        Step(layer, input, hiddenState, cellState, hiddenState, cellState, scratch.Gates, scratch.CellActivation);
    }

    /// <summary>The step with everything it computes kept apart, as backpropagation needs it.</summary>
    /// <param name="layer">W (4H, I), U (4H, H), b (4H).</param>
    /// <param name="input">x (I).</param>
    /// <param name="previousHidden">h before (H).</param>
    /// <param name="previousCell">c before (H).</param>
    /// <param name="hiddenState">h after (H); may be the same memory as before.</param>
    /// <param name="cellState">c after (H); may be the same memory as before.</param>
    /// <param name="gates">i, f, g, o after their activations (4H).</param>
    /// <param name="cellActivation">tanh(c) (H).</param>
    internal static void Step(
        LstmLayer layer,
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> previousHidden,
        ReadOnlySpan<float> previousCell,
        Span<float> hiddenState,
        Span<float> cellState,
        Span<float> gates,
        Span<float> cellActivation)
    {
        int size = layer.HiddenSize;
        layer.Bias.CopyTo(gates);
        MatrixVector.MultiplyAdd(layer.InputWeights, input, gates);
        MatrixVector.MultiplyAdd(layer.RecurrentWeights, previousHidden, gates);

        Span<float> inputGate = gates[..size];
        Span<float> forgetGate = gates.Slice(size, size);
        Span<float> candidate = gates.Slice(2 * size, size);
        Span<float> outputGate = gates.Slice(3 * size, size);
        TensorPrimitives.Sigmoid(inputGate, inputGate);
        TensorPrimitives.Sigmoid(forgetGate, forgetGate);
        TensorPrimitives.Tanh(candidate, candidate);
        TensorPrimitives.Sigmoid(outputGate, outputGate);

        for (int cell = 0; cell < size; cell++)
        {
            cellState[cell] = MathF.FusedMultiplyAdd(forgetGate[cell], previousCell[cell], inputGate[cell] * candidate[cell]);
        }

        TensorPrimitives.Tanh(cellState, cellActivation);
        TensorPrimitives.Multiply(outputGate, cellActivation, hiddenState);
    }
}
