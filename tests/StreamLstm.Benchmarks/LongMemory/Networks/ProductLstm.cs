using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Benchmarks.LongMemory.Networks;

/// <summary>The blocks of <see cref="LstmLayer"/>, in their order.</summary>
internal enum LstmGate
{
    Input,
    Forget,
    Candidate,
    Output,
}

/// <summary>The daemon's own LSTM: its weights, its step, its way back through time.</summary>
internal sealed class ProductLstm : IRecurrentNetwork<float>
{
    /// <summary>σ(30) is 1 in single precision.</summary>
    private const float AlwaysOpen = 30;

    private readonly LstmWeights _weights;
    private readonly LstmGradients _gradients;
    private readonly BackpropagationThroughTime _throughTime;
    private readonly float[] _emptyState;
    private readonly float[] _outputGradients; // (T, O), zero but for the last step read
    private readonly LstmGate? _without;
    private int _steps;

    /// <summary>A network.</summary>
    /// <param name="weights">To start from; one layer.</param>
    /// <param name="maxSteps">T of the longest sequence.</param>
    /// <param name="without">
    /// A gate to take away, so that it is 1 throughout. The cell stays as it is: the gate's weights are zero, its bias
    /// is large, and its gradients are set to zero, so that no optimizer moves it.
    /// </param>
    public ProductLstm(LstmWeights weights, int maxSteps, LstmGate? without = null)
    {
        _weights = weights;
        _gradients = new LstmGradients(weights.Shape);
        _throughTime = new BackpropagationThroughTime(weights.Shape, maxSteps);
        _emptyState = new float[weights.Shape.StateSize];
        _outputGradients = new float[maxSteps * weights.Shape.OutputSize];
        _without = without;

        if (without is { } gate)
        {
            Clear(weights.Layer(0), gate);
            Bias(weights, gate).Fill(AlwaysOpen);
        }
    }

    public Span<float> Parameters => _weights.Parameters;

    public Span<float> Gradients => _gradients.Values;

    public ReadOnlySpan<double> HiddenGradientNorms => _throughTime.HiddenGradientNorms;

    /// <summary>The biases of one gate of the first layer: (H).</summary>
    public static Span<float> Bias(LstmWeights weights, LstmGate gate) =>
        weights.Layer(0).Bias.Slice((int)gate * weights.Shape.HiddenSize, weights.Shape.HiddenSize);

    public ReadOnlySpan<float> Forward(ReadOnlySpan<float> inputs)
    {
        _steps = inputs.Length / _weights.Shape.InputSize;
        return _throughTime.Forward(_weights, inputs, _emptyState)[^_weights.Shape.OutputSize..];
    }

    public void Backward(ReadOnlySpan<float> answerGradient)
    {
        Span<float> outputGradients = _outputGradients.AsSpan(0, _steps * answerGradient.Length);
        outputGradients.Clear();
        answerGradient.CopyTo(outputGradients[^answerGradient.Length..]);
        _throughTime.Backward(_weights, outputGradients, _gradients);

        if (_without is { } gate)
        {
            Clear(_gradients.Layer(0), gate);
        }
    }

    private static void Clear(LstmLayer layer, LstmGate gate)
    {
        int size = layer.HiddenSize;
        int start = (int)gate * size;

        for (int k = 0; k < layer.InputSize; k++)
        {
            layer.InputWeights.Slice(k * 4 * size + start, size).Clear();
        }

        for (int k = 0; k < size; k++)
        {
            layer.RecurrentWeights.Slice(k * 4 * size + start, size).Clear();
        }

        layer.Bias.Slice(start, size).Clear();
    }
}
