using System.Numerics;
using System.Numerics.Tensors;

namespace StreamLstm.Benchmarks.LongMemory.Networks;

/// <summary>The LSTM's younger relative (Cho et al. 2014): two gates, no cell state apart from h.</summary>
/// <remarks><code>
///   z = σ(Wz x + Uz h + bz)        update gate: how much of h stays
///   r = σ(Wr x + Ur h + br)        reset gate: how much of h the candidate sees
///   n = tanh(Wn x + Un (r∘h) + bn) candidate
///   h ← z∘h + (1-z)∘n              y = V h + v, after the last step
/// </code></remarks>
/// <typeparam name="T">float to measure; double to hold the gradients to finite differences.</typeparam>
internal sealed class Gru<T> : IRecurrentNetwork<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly int _inputSize;
    private readonly int _size;
    private readonly int _outputSize;
    private readonly T[] _parameters;
    private readonly T[] _gradients;
    private readonly T[] _inputs;            // (T, I)
    private readonly T[] _hidden;            // (T + 1, H), the first being the empty memory
    private readonly T[] _gates;             // (T, 2H): z, r after their activations
    private readonly T[] _candidates;        // (T, H): n
    private readonly T[] _seen;              // (T, H): r∘h, what the candidate sees
    private readonly T[] _answer;            // (O)
    private readonly T[] _hiddenGradient;    // (H)
    private readonly T[] _gateGradient;      // (2H): dLoss/d(gates before their activations)
    private readonly T[] _candidateGradient; // (H): dLoss/d(candidate before its activation)
    private readonly T[] _seenGradient;      // (H)
    private readonly double[] _hiddenGradientNorms;
    private int _steps;

    public Gru(int inputSize, int hiddenSize, int outputSize, int maxSteps)
    {
        _inputSize = inputSize;
        _size = hiddenSize;
        _outputSize = outputSize;
        _parameters = new T[3 * hiddenSize * (inputSize + hiddenSize + 1) + outputSize * (hiddenSize + 1)];
        _gradients = new T[_parameters.Length];
        _inputs = new T[maxSteps * inputSize];
        _hidden = new T[(maxSteps + 1) * hiddenSize];
        _gates = new T[maxSteps * 2 * hiddenSize];
        _candidates = new T[maxSteps * hiddenSize];
        _seen = new T[maxSteps * hiddenSize];
        _answer = new T[outputSize];
        _hiddenGradient = new T[hiddenSize];
        _gateGradient = new T[2 * hiddenSize];
        _candidateGradient = new T[hiddenSize];
        _seenGradient = new T[hiddenSize];
        _hiddenGradientNorms = new double[maxSteps];
    }

    public Span<T> Parameters => _parameters;

    public Span<T> Gradients => _gradients;

    public ReadOnlySpan<double> HiddenGradientNorms => _hiddenGradientNorms.AsSpan(0, _steps);

    /// <summary>W (2H, I) of the gates z, r, by columns.</summary>
    public Span<T> GateInputWeights => GateW(_parameters);

    /// <summary>U (2H, H) of the gates z, r, by columns.</summary>
    public Span<T> GateRecurrentWeights => GateU(_parameters);

    /// <summary>b (2H) of the gates z, r.</summary>
    public Span<T> GateBias => GateB(_parameters);

    /// <summary>Wn (H, I), by columns.</summary>
    public Span<T> CandidateInputWeights => W(_parameters);

    /// <summary>Un (H, H), by columns.</summary>
    public Span<T> CandidateRecurrentWeights => U(_parameters);

    /// <summary>V (O, H), by columns.</summary>
    public Span<T> OutputWeights => V(_parameters);

    public ReadOnlySpan<T> Forward(ReadOnlySpan<T> inputs)
    {
        _steps = inputs.Length / _inputSize;
        inputs.CopyTo(_inputs);

        for (int step = 0; step < _steps; step++)
        {
            Span<T> before = Hidden(step), after = Hidden(step + 1);
            Span<T> gates = Gates(step), candidate = Candidate(step), seen = Seen(step);

            GateB(_parameters).CopyTo(gates);
            ColumnMatrix.MultiplyAdd(GateW(_parameters), Input(step), gates);
            ColumnMatrix.MultiplyAdd(GateU(_parameters), before, gates);
            TensorPrimitives.Sigmoid(gates, gates);
            Span<T> update = gates[.._size], reset = gates[_size..];

            TensorPrimitives.Multiply(reset, before, seen);
            B(_parameters).CopyTo(candidate);
            ColumnMatrix.MultiplyAdd(W(_parameters), Input(step), candidate);
            ColumnMatrix.MultiplyAdd(U(_parameters), seen, candidate);
            TensorPrimitives.Tanh(candidate, candidate);

            for (int cell = 0; cell < _size; cell++)
            {
                after[cell] = update[cell] * before[cell] + (T.One - update[cell]) * candidate[cell];
            }
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
            StepBack(step);
        }
    }

    private void StepBack(int step)
    {
        Span<T> before = Hidden(step), candidate = Candidate(step), seen = Seen(step);
        Span<T> update = Gates(step)[.._size], reset = Gates(step)[_size..];

        // h after = z∘h + (1-z)∘n
        for (int cell = 0; cell < _size; cell++)
        {
            T dh = _hiddenGradient[cell], z = update[cell], n = candidate[cell];
            _gateGradient[cell] = dh * (before[cell] - n) * z * (T.One - z);
            _candidateGradient[cell] = dh * (T.One - z) * (T.One - n * n);
            _hiddenGradient[cell] = dh * z;
        }

        // n = tanh(Wn x + Un (r∘h) + bn)
        Array.Clear(_seenGradient);
        ColumnMatrix.MultiplyTransposedAdd(U(_parameters), _candidateGradient, _seenGradient.AsSpan());

        for (int cell = 0; cell < _size; cell++)
        {
            T r = reset[cell];
            _gateGradient[_size + cell] = _seenGradient[cell] * before[cell] * r * (T.One - r);
            _hiddenGradient[cell] += _seenGradient[cell] * r;
        }

        ColumnMatrix.MultiplyTransposedAdd(GateU(_parameters), _gateGradient, _hiddenGradient.AsSpan());

        ColumnMatrix.OuterProductAdd(GateW(_gradients), _gateGradient, Input(step));
        ColumnMatrix.OuterProductAdd(GateU(_gradients), _gateGradient, before);
        Add(_gateGradient, GateB(_gradients));
        ColumnMatrix.OuterProductAdd(W(_gradients), _candidateGradient, Input(step));
        ColumnMatrix.OuterProductAdd(U(_gradients), _candidateGradient, seen);
        Add(_candidateGradient, B(_gradients));
    }

    private static void Add(ReadOnlySpan<T> values, Span<T> sums) => TensorPrimitives.Add(sums, values, sums);

    private ReadOnlySpan<T> Input(int step) => _inputs.AsSpan(step * _inputSize, _inputSize);

    private Span<T> Hidden(int step) => _hidden.AsSpan(step * _size, _size);

    private Span<T> Gates(int step) => _gates.AsSpan(step * 2 * _size, 2 * _size);

    private Span<T> Candidate(int step) => _candidates.AsSpan(step * _size, _size);

    private Span<T> Seen(int step) => _seen.AsSpan(step * _size, _size);

    // The layout of weights and of gradients: W, U, b of the gates; W, U, b of the candidate; V, v.
    private Span<T> GateW(T[] all) => all.AsSpan(0, 2 * _size * _inputSize);

    private Span<T> GateU(T[] all) => all.AsSpan(2 * _size * _inputSize, 2 * _size * _size);

    private Span<T> GateB(T[] all) => all.AsSpan(2 * _size * (_inputSize + _size), 2 * _size);

    private Span<T> W(T[] all) => all.AsSpan(2 * _size * (_inputSize + _size + 1), _size * _inputSize);

    private Span<T> U(T[] all) => all.AsSpan(_size * (3 * _inputSize + 2 * _size + 2), _size * _size);

    private Span<T> B(T[] all) => all.AsSpan(_size * (3 * _inputSize + 3 * _size + 2), _size);

    private Span<T> V(T[] all) => all.AsSpan(3 * _size * (_inputSize + _size + 1), _outputSize * _size);

    private Span<T> OutputBias(T[] all) => all.AsSpan(all.Length - _outputSize);
}
