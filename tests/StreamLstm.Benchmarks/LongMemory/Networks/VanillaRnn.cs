using System.Numerics;
using System.Numerics.Tensors;

namespace StreamLstm.Benchmarks.LongMemory.Networks;

/// <summary>The network that the LSTM was invented to replace (Elman 1990).</summary>
/// <remarks><code>
///   h ← tanh(W x + U h + b)        y = V h + v, after the last step
/// </code>
/// The only way back through time is dh ← U^T (dh∘(1-h²)), step after step: a product that vanishes or explodes.
/// </remarks>
/// <typeparam name="T">float to measure; double to hold the gradients to finite differences.</typeparam>
internal sealed class VanillaRnn<T> : IRecurrentNetwork<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly int _inputSize;
    private readonly int _size;
    private readonly int _outputSize;
    private readonly T[] _parameters;
    private readonly T[] _gradients;
    private readonly T[] _inputs;             // (T, I)
    private readonly T[] _hidden;             // (T + 1, H), the first being the empty memory
    private readonly T[] _answer;             // (O)
    private readonly T[] _hiddenGradient;     // (H)
    private readonly T[] _activationGradient; // (H): dLoss/d(W x + U h + b)
    private readonly double[] _hiddenGradientNorms;
    private int _steps;

    public VanillaRnn(int inputSize, int hiddenSize, int outputSize, int maxSteps)
    {
        _inputSize = inputSize;
        _size = hiddenSize;
        _outputSize = outputSize;
        _parameters = new T[hiddenSize * (inputSize + hiddenSize + 1) + outputSize * (hiddenSize + 1)];
        _gradients = new T[_parameters.Length];
        _inputs = new T[maxSteps * inputSize];
        _hidden = new T[(maxSteps + 1) * hiddenSize];
        _answer = new T[outputSize];
        _hiddenGradient = new T[hiddenSize];
        _activationGradient = new T[hiddenSize];
        _hiddenGradientNorms = new double[maxSteps];
    }

    public Span<T> Parameters => _parameters;

    public Span<T> Gradients => _gradients;

    public ReadOnlySpan<double> HiddenGradientNorms => _hiddenGradientNorms.AsSpan(0, _steps);

    /// <summary>W (H, I), by columns.</summary>
    public Span<T> InputWeights => W(_parameters);

    /// <summary>U (H, H), by columns.</summary>
    public Span<T> RecurrentWeights => U(_parameters);

    /// <summary>V (O, H), by columns.</summary>
    public Span<T> OutputWeights => V(_parameters);

    public ReadOnlySpan<T> Forward(ReadOnlySpan<T> inputs)
    {
        _steps = inputs.Length / _inputSize;
        inputs.CopyTo(_inputs);

        for (int step = 0; step < _steps; step++)
        {
            Span<T> hidden = Hidden(step + 1);
            Bias(_parameters).CopyTo(hidden);
            ColumnMatrix.MultiplyAdd(W(_parameters), Input(step), hidden);
            ColumnMatrix.MultiplyAdd(U(_parameters), Hidden(step), hidden);
            TensorPrimitives.Tanh(hidden, hidden);
        }

        OutputBias(_parameters).CopyTo(_answer);
        ColumnMatrix.MultiplyAdd(V(_parameters), Hidden(_steps), _answer.AsSpan());
        return _answer;
    }

    public void Backward(ReadOnlySpan<T> answerGradient)
    {
        ColumnMatrix.OuterProductAdd(V(_gradients), answerGradient, Hidden(_steps));
        Add(answerGradient, OutputBias(_gradients));
        Array.Clear(_hiddenGradient);
        ColumnMatrix.MultiplyTransposedAdd(V(_parameters), answerGradient, _hiddenGradient.AsSpan());

        for (int step = _steps - 1; step >= 0; step--)
        {
            _hiddenGradientNorms[step] = double.CreateChecked(TensorPrimitives.Norm<T>(_hiddenGradient));
            Span<T> hidden = Hidden(step + 1);

            for (int cell = 0; cell < _size; cell++)
            {
                _activationGradient[cell] = _hiddenGradient[cell] * (T.One - hidden[cell] * hidden[cell]);
            }

            ColumnMatrix.OuterProductAdd(W(_gradients), _activationGradient, Input(step));
            ColumnMatrix.OuterProductAdd(U(_gradients), _activationGradient, Hidden(step));
            Add(_activationGradient, Bias(_gradients));
            Array.Clear(_hiddenGradient);
            ColumnMatrix.MultiplyTransposedAdd(U(_parameters), _activationGradient, _hiddenGradient.AsSpan());
        }
    }

    private static void Add(ReadOnlySpan<T> values, Span<T> sums) => TensorPrimitives.Add(sums, values, sums);

    private ReadOnlySpan<T> Input(int step) => _inputs.AsSpan(step * _inputSize, _inputSize);

    private Span<T> Hidden(int step) => _hidden.AsSpan(step * _size, _size);

    // The layout of weights and of gradients: W, U, b, V, v.
    private Span<T> W(T[] all) => all.AsSpan(0, _size * _inputSize);

    private Span<T> U(T[] all) => all.AsSpan(_size * _inputSize, _size * _size);

    private Span<T> Bias(T[] all) => all.AsSpan(_size * (_inputSize + _size), _size);

    private Span<T> V(T[] all) => all.AsSpan(_size * (_inputSize + _size + 1), _outputSize * _size);

    private Span<T> OutputBias(T[] all) => all.AsSpan(all.Length - _outputSize);
}
