using System.Numerics.Tensors;

namespace StreamLstm.Benchmarks.LongMemory.Problems;

/// <summary>
/// Say at the end which symbol came first (the latch of Bengio, Simard and Frasconi 1994; Hochreiter and Schmidhuber
/// 1997, experiment 2).
/// </summary>
/// <remarks>
/// The first step shows one of four symbols, every later step one of four others, drawn at random, that mean nothing;
/// each is an input of its own. Loss: cross-entropy of the softmax. Error: the share of wrong answers, 3/4 by guessing.
/// </remarks>
internal sealed class CopyProblem : ISequenceProblem
{
    private const int Symbols = 4;

    public string Name => "copy";

    public string ErrorName => "share of wrong answers";

    public int InputSize => 2 * Symbols;

    public int OutputSize => Symbols;

    public double GuessingError => 1 - 1.0 / Symbols;

    public double SolvedError => 0.01;

    public int Steps(int lag) => lag + 1;

    public float Draw(Random random, Span<float> inputs)
    {
        inputs.Clear();
        int symbol = random.Next(Symbols);
        inputs[symbol] = 1;

        for (int start = InputSize; start < inputs.Length; start += InputSize)
        {
            inputs[start + Symbols + random.Next(Symbols)] = 1;
        }

        return symbol;
    }

    /// <summary>softmax(answer) - target.</summary>
    public void Gradient(ReadOnlySpan<float> answer, float target, Span<float> gradient)
    {
        TensorPrimitives.SoftMax(answer, gradient);
        gradient[(int)target] -= 1;
    }

    public double Error(ReadOnlySpan<float> answer, float target) => TensorPrimitives.IndexOfMax(answer) == (int)target ? 0 : 1;
}
