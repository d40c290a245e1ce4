using StreamLstm.Model.Kernels;

namespace StreamLstm.Model.Training;

/// <summary>Runs a network over a window and carries a loss's gradient back through it (Werbos 1990).</summary>
/// <remarks>
/// Forward keeps on a tape what Backward needs, per layer and step: i, f, g, o after their activations, c, tanh(c), h.
/// With d for dLoss/d, from the last step to the first:
/// <code>
///   dh += from the output above, and from the step after
///   do = dh∘tanh(c)                  dc += dh∘o∘(1 - tanh²(c))
///   di = dc∘g   dg = dc∘i   df = dc∘c_before
///   before the activations:          di∘i(1-i), df∘f(1-f), dg∘(1-g²), do∘o(1-o)
///   dc_before = dc∘f                 dh_before = U^T dgates   dx = W^T dgates
///   dW += dgates x^T   dU += dgates h_before^T   db += dgates
/// </code>
/// The only way back along c is times f: with a forget gate near 1 the gradient neither vanishes nor explodes.
/// </remarks>
public sealed class BackpropagationThroughTime
{
    private readonly LstmShape _shape;
    private readonly int _maxSteps;
    private readonly Layer[] _layers;
    private readonly float[] _inputs;
    private readonly float[] _outputs;
    private readonly float[] _gateGradients;
    private readonly float[] _inputGradient;
    private readonly float[] _state;
    private readonly double[] _hiddenGradientNorms;
    private int _steps;

    /// <summary>A tape.</summary>
    /// <param name="shape">Sizes of the networks it will run.</param>
    /// <param name="maxSteps">T: steps of the longest window.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one step.</exception>
    public BackpropagationThroughTime(LstmShape shape, int maxSteps)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSteps, 1);
        _shape = shape;
        _maxSteps = maxSteps;
        _layers = [.. Enumerable.Range(0, shape.LayerCount).Select(_ => new Layer(shape.HiddenSize, maxSteps))];
        _inputs = new float[maxSteps * shape.InputSize];
        _outputs = new float[maxSteps * shape.OutputSize];
        _gateGradients = new float[4 * shape.HiddenSize];
        _inputGradient = new float[shape.HiddenSize];
        _state = new float[shape.StateSize];
        _hiddenGradientNorms = new double[maxSteps];
    }

    /// <summary>The norm of dLoss/dh of the last layer after each step of the last window: (T).</summary>
    public ReadOnlySpan<double> HiddenGradientNorms => _hiddenGradientNorms.AsSpan(0, _steps);

    /// <summary>Runs the window and keeps the tape.</summary>
    /// <param name="weights">Not changed.</param>
    /// <param name="inputs">(T, I).</param>
    /// <param name="initialState">Per layer h, then c, before the first step.</param>
    /// <returns>(T, O), valid until the next call.</returns>
    /// <exception cref="ArgumentException">A span has another length than the shape asks for, or the window is too long.</exception>
    public ReadOnlySpan<float> Forward(LstmWeights weights, ReadOnlySpan<float> inputs, ReadOnlySpan<float> initialState)
    {
        ArgumentNullException.ThrowIfNull(weights);
        LstmNetwork.Require(initialState.Length, _shape.StateSize, nameof(initialState));
        _steps = inputs.Length / _shape.InputSize;

        if (_steps > _maxSteps || inputs.Length % _shape.InputSize != 0)
        {
            throw new ArgumentException(
                $"inputs hold {inputs.Length} values, expected up to {_maxSteps} steps of {_shape.InputSize}", nameof(inputs));
        }

        inputs.CopyTo(_inputs);

        for (int layer = 0; layer < _layers.Length; layer++)
        {
            _layers[layer].Start(initialState.Slice(2 * layer * _shape.HiddenSize, 2 * _shape.HiddenSize));
        }

        for (int step = 0; step < _steps; step++)
        {
            ReadOnlySpan<float> below = Input(step);

            for (int layer = 0; layer < _layers.Length; layer++)
            {
                Layer tape = _layers[layer];
                LstmCell.Step(
                    weights.Layer(layer), below, tape.Hidden(step), tape.Cell(step),
                    tape.Hidden(step + 1), tape.Cell(step + 1), tape.Gates(step), tape.CellActivation(step));
                below = tape.Hidden(step + 1);
            }

            LstmNetwork.Output(weights, below, _outputs.AsSpan(step * _shape.OutputSize, _shape.OutputSize));
        }

        return _outputs.AsSpan(0, _steps * _shape.OutputSize);
    }

    /// <summary>Carries the gradient of the window last run back to every weight.</summary>
    /// <param name="weights">Those of <see cref="Forward"/>.</param>
    /// <param name="outputGradients">dLoss/d(output) (T, O).</param>
    /// <param name="gradients">Added to.</param>
    public void Backward(LstmWeights weights, ReadOnlySpan<float> outputGradients, LstmGradients gradients)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(gradients);
        LstmNetwork.Require(outputGradients.Length, _steps * _shape.OutputSize, nameof(outputGradients));
        Layer last = _layers[^1];

        foreach (Layer tape in _layers)
        {
            tape.ClearCarry();
        }

        for (int step = _steps - 1; step >= 0; step--)
        {
            ReadOnlySpan<float> outputGradient = outputGradients.Slice(step * _shape.OutputSize, _shape.OutputSize);
            MatrixVector.OuterProductAdd(gradients.OutputWeights, outputGradient, last.Hidden(step + 1));
            Add(outputGradient, gradients.OutputBias);
            MatrixVector.MultiplyTransposedAdd(weights.OutputWeights, outputGradient, last.HiddenGradient);
            _hiddenGradientNorms[step] = Norm(last.HiddenGradient);

            for (int layer = _layers.Length - 1; layer >= 0; layer--)
            {
                StepBack(weights, gradients, layer, step);
            }
        }
    }

    /// <summary>Per layer h, then c, after a step of the window last run.</summary>
    public ReadOnlySpan<float> StateAfter(int step)
    {
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            _layers[layer].Hidden(step + 1).CopyTo(_state.AsSpan(2 * layer * _shape.HiddenSize));
            _layers[layer].Cell(step + 1).CopyTo(_state.AsSpan((2 * layer + 1) * _shape.HiddenSize));
        }

        return _state;
    }

    private void StepBack(LstmWeights weights, LstmGradients gradients, int layer, int step)
    {
        Layer tape = _layers[layer];
        LstmLayer views = weights.Layer(layer);
        LstmLayer sums = gradients.Layer(layer);
        ReadOnlySpan<float> below = layer == 0 ? Input(step) : _layers[layer - 1].Hidden(step + 1);
        GateGradients(tape, step);

        MatrixVector.OuterProductAdd(sums.InputWeights, _gateGradients, below);
        MatrixVector.OuterProductAdd(sums.RecurrentWeights, _gateGradients, tape.Hidden(step));
        Add(_gateGradients, sums.Bias);

        tape.HiddenGradient.Clear();
        MatrixVector.MultiplyTransposedAdd(views.RecurrentWeights, _gateGradients, tape.HiddenGradient);

        if (layer > 0)
        {
            Array.Clear(_inputGradient);
            MatrixVector.MultiplyTransposedAdd(views.InputWeights, _gateGradients, _inputGradient);
            Add(_inputGradient, _layers[layer - 1].HiddenGradient);
        }
    }

    /// <summary>dLoss/d(gates before their activations) of one step; leaves dc of the step before in the carry.</summary>
    private void GateGradients(Layer tape, int step)
    {
        int size = _shape.HiddenSize;
        ReadOnlySpan<float> gates = tape.Gates(step);
        ReadOnlySpan<float> cellActivation = tape.CellActivation(step);
        ReadOnlySpan<float> previousCell = tape.Cell(step);

        for (int cell = 0; cell < size; cell++)
        {
            float i = gates[cell], f = gates[size + cell], g = gates[2 * size + cell], o = gates[3 * size + cell];
            float dh = tape.HiddenGradient[cell];
            float dc = tape.CellGradient[cell] + dh * o * (1 - cellActivation[cell] * cellActivation[cell]);
            _gateGradients[cell] = dc * g * i * (1 - i);
            _gateGradients[size + cell] = dc * previousCell[cell] * f * (1 - f);
            _gateGradients[2 * size + cell] = dc * i * (1 - g * g);
            _gateGradients[3 * size + cell] = dh * cellActivation[cell] * o * (1 - o);
            tape.CellGradient[cell] = dc * f;
        }
    }

    private Span<float> Input(int step) => _inputs.AsSpan(step * _shape.InputSize, _shape.InputSize);

    private static void Add(ReadOnlySpan<float> values, Span<float> sums) =>
        System.Numerics.Tensors.TensorPrimitives.Add(sums, values, sums);

    private static double Norm(ReadOnlySpan<float> values)
    {
        double sum = 0;

        foreach (float value in values)
        {
            sum += (double)value * value;
        }

        return Math.Sqrt(sum);
    }

    /// <summary>One layer's tape; states have one more entry than steps, the first being the initial one.</summary>
    private sealed class Layer(int size, int maxSteps)
    {
        private readonly float[] _hidden = new float[(maxSteps + 1) * size];
        private readonly float[] _cell = new float[(maxSteps + 1) * size];
        private readonly float[] _gates = new float[maxSteps * 4 * size];
        private readonly float[] _cellActivation = new float[maxSteps * size];
        private readonly float[] _hiddenGradient = new float[size];
        private readonly float[] _cellGradient = new float[size];

        public Span<float> HiddenGradient => _hiddenGradient;

        public Span<float> CellGradient => _cellGradient;

        public void Start(ReadOnlySpan<float> state)
        {
            state[..size].CopyTo(_hidden);
            state[size..].CopyTo(_cell);
        }

        public void ClearCarry()
        {
            Array.Clear(_hiddenGradient);
            Array.Clear(_cellGradient);
        }

        public Span<float> Hidden(int step) => _hidden.AsSpan(step * size, size);

        public Span<float> Cell(int step) => _cell.AsSpan(step * size, size);

        public Span<float> Gates(int step) => _gates.AsSpan(step * 4 * size, 4 * size);

        public Span<float> CellActivation(int step) => _cellActivation.AsSpan(step * size, size);
    }
}
