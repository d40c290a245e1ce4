using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Model.Training;

/// <summary>Runs a network over a batch of windows and carries a loss's gradient back through them (Werbos 1990).</summary>
/// <remarks>
/// Forward keeps on a tape what Backward needs: per layer what each step was fed with, its gates, c and tanh(c).
/// Backward walks each layer from its last step to its first (<see cref="LstmCell.StepBack"/>):
/// <code>
///   dh(t) += U^T dgates(t+1)                       the gradient's way back along the hidden state
///   dgates(t), dc(t-1) from dh(t) and dc(t)        and along the cell state
/// </code>
/// and then takes each weight's gradient over all steps at once: d(W, U, b) += sum over steps of (x, h_before, 1) dgates^T.
/// Windows lie one after another, so a tape row is (sequence, step). The order of every sum is fixed: the same bits
/// again, on every machine.
/// </remarks>
public sealed class BackpropagationThroughTime
{
    /// <summary>Steps summed at a time, so that their gradients stay in the fastest cache while every weight takes its share.</summary>
    private const int GradientBlock = 96;

    private readonly LstmShape _shape;
    private readonly int _maxSteps;
    private readonly int _maxSequences;
    private readonly int _width;
    private readonly LayerTape[] _tapes;
    private readonly AlignedFloats _outputs;
    private readonly AlignedFloats _hiddenGradients;
    private readonly AlignedFloats _lowerHiddenGradients;
    private readonly AlignedFloats _cellGradients;
    private readonly AlignedFloats _cellOutputGradients;
    private readonly AlignedFloats _transposed;
    private readonly float[] _state;
    private readonly double[] _hiddenGradientNorms;
    private int _steps;
    private int _sequences;
    private InterLayerDropout? _dropout;

    /// <summary>A tape.</summary>
    /// <param name="shape">Sizes of the networks it will run.</param>
    /// <param name="maxSteps">T: steps of the longest window.</param>
    /// <param name="maxSequences">B: windows run together.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one step or window.</exception>
    public BackpropagationThroughTime(LstmShape shape, int maxSteps, int maxSequences = 1)
        : this(shape, maxSteps, maxSequences, VectorWidth.Widest)
    {
    }

    internal BackpropagationThroughTime(LstmShape shape, int maxSteps, int maxSequences, int width)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSteps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSequences, 1);
        _shape = shape;
        _maxSteps = maxSteps;
        _maxSequences = maxSequences;
        _width = width;
        int rows = maxSteps * maxSequences;
        _tapes = [.. Enumerable.Range(0, shape.LayerCount).Select(layer => new LayerTape(shape, layer, maxSteps, maxSequences))];
        _outputs = new AlignedFloats(rows * shape.OutputSize);
        _hiddenGradients = new AlignedFloats(rows * shape.HiddenStateSize);
        _lowerHiddenGradients = new AlignedFloats(shape.LayerCount > 1 ? rows * shape.HiddenStateSize : 0);
        _cellGradients = new AlignedFloats(maxSequences * shape.HiddenSize);
        _cellOutputGradients = new AlignedFloats(shape.ProjectionSize > 0 ? maxSequences * shape.HiddenSize : 0);
        _transposed = new AlignedFloats(Math.Max(4 * shape.HiddenSize * shape.HiddenStateSize, shape.OutputSize * shape.HiddenStateSize));
        _state = new float[maxSequences * shape.StateSize];
        _hiddenGradientNorms = new double[maxSteps];
    }

    /// <summary>The norm of dLoss/dh of the last layer after each step of the windows last run back, over all of them: (T).</summary>
    public ReadOnlySpan<double> HiddenGradientNorms
    {
        get
        {
            int size = _shape.HiddenStateSize;

            for (int step = 0; step < _steps; step++)
            {
                double sum = 0;

                for (int sequence = 0; sequence < _sequences; sequence++)
                {
                    foreach (float gradient in _hiddenGradients.Span.Slice((sequence * _steps + step) * size, size))
                    {
                        sum += (double)gradient * gradient;
                    }
                }

                _hiddenGradientNorms[step] = Math.Sqrt(sum);
            }

            return _hiddenGradientNorms.AsSpan(0, _steps);
        }
    }

    /// <summary>Runs the windows and keeps the tape.</summary>
    /// <param name="weights">Not changed.</param>
    /// <param name="inputs">(B, T, I): all windows equally long.</param>
    /// <param name="initialStates">Of each window, per layer h, then c, before the first step (B, StateSize); tells B.</param>
    /// <param name="dropout">What to leave out between layers; null for nothing.</param>
    /// <returns>(B, T, O), valid until the next call.</returns>
    /// <exception cref="ArgumentException">A span has another length than the shape asks for, or there are too many steps or windows.</exception>
    public ReadOnlySpan<float> Forward(
        LstmWeights weights, ReadOnlySpan<float> inputs, ReadOnlySpan<float> initialStates, InterLayerDropout? dropout = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        _sequences = initialStates.Length / _shape.StateSize;

        if (_sequences < 1 || _sequences > _maxSequences || initialStates.Length % _shape.StateSize != 0)
        {
            throw new ArgumentException(
                $"initialStates hold {initialStates.Length} values, expected 1 to {_maxSequences} times {_shape.StateSize}", nameof(initialStates));
        }

        _steps = inputs.Length / (_sequences * _shape.InputSize);

        if (_steps > _maxSteps || inputs.Length != _steps * _sequences * _shape.InputSize)
        {
            throw new ArgumentException(
                $"inputs hold {inputs.Length} values, expected up to {_maxSteps} steps of {_shape.InputSize} for each of {_sequences} windows",
                nameof(inputs));
        }

        _dropout = dropout;
        Start(inputs, initialStates);

        for (int layer = 0; layer < _tapes.Length; layer++)
        {
            LayerTape tape = _tapes[layer];

            for (int step = 0; step < _steps; step++)
            {
                Step(weights.Layer(layer), tape, step);
            }

            if (layer + 1 < _tapes.Length)
            {
                Feed(_tapes[layer + 1], tape, layer + 1);
            }
        }

        Output(weights);
        return _outputs.Span.Slice(0, _sequences * _steps * _shape.OutputSize);
    }

    /// <summary>Carries the gradient of the windows last run back to every weight.</summary>
    /// <param name="weights">Those of <see cref="Forward"/>.</param>
    /// <param name="outputGradients">dLoss/d(output) (B, T, O).</param>
    /// <param name="gradients">Added to.</param>
    /// <exception cref="ArgumentException">The gradients are not those of the windows last run.</exception>
    public void Backward(LstmWeights weights, ReadOnlySpan<float> outputGradients, LstmGradients gradients) =>
        Backward(weights, outputGradients, gradients, [], []);

    /// <summary>The same where a loss reads the states behind the windows too, or those before them came from another network.</summary>
    /// <param name="weights">Those of <see cref="Forward"/>.</param>
    /// <param name="outputGradients">dLoss/d(output) (B, T, O).</param>
    /// <param name="gradients">Added to.</param>
    /// <param name="finalStateGradients">dLoss/d(states behind the windows) (B, StateSize); empty for none.</param>
    /// <param name="initialStateGradients">Becomes dLoss/d(states before the windows) (B, StateSize); empty where nobody asks.</param>
    /// <exception cref="ArgumentException">The gradients are not those of the windows last run.</exception>
    public void Backward(
        LstmWeights weights, ReadOnlySpan<float> outputGradients, LstmGradients gradients,
        ReadOnlySpan<float> finalStateGradients, Span<float> initialStateGradients)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(gradients);
        LstmNetwork.Require(outputGradients.Length, _sequences * _steps * _shape.OutputSize, nameof(outputGradients));
        int states = _sequences * _shape.StateSize;
        LstmNetwork.Require(finalStateGradients.Length, finalStateGradients.IsEmpty ? 0 : states, nameof(finalStateGradients));
        LstmNetwork.Require(initialStateGradients.Length, initialStateGradients.IsEmpty ? 0 : states, nameof(initialStateGradients));
        OutputBack(weights, outputGradients, gradients);
        AlignedFloats hiddenGradients = _hiddenGradients;

        for (int layer = _tapes.Length - 1; layer >= 0; layer--)
        {
            LayerBack(weights.Layer(layer), _tapes[layer], hiddenGradients, layer, finalStateGradients, initialStateGradients);
            WeightGradients(gradients.Layer(layer), _tapes[layer], hiddenGradients);

            if (layer > 0)
            {
                InputGradients(weights.Layer(layer), _tapes[layer], _lowerHiddenGradients);
                _dropout?.Apply(layer, _lowerHiddenGradients.Span.Slice(0, _sequences * _steps * _shape.HiddenStateSize));
                hiddenGradients = _lowerHiddenGradients;
            }
        }
    }

    /// <summary>Of each window last run, per layer h, then c, after its last step: (B, StateSize). Valid until the next call.</summary>
    public ReadOnlySpan<float> FinalStates()
    {
        int hiddenSize = _shape.HiddenStateSize;

        for (int sequence = 0; sequence < _sequences; sequence++)
        {
            for (int layer = 0; layer < _tapes.Length; layer++)
            {
                Span<float> state = _state.AsSpan(sequence * _shape.StateSize + layer * _shape.LayerStateSize, _shape.LayerStateSize);
                int row = sequence * _steps + _steps - 1;
                _tapes[layer].Hidden.Span.Slice(row * (hiddenSize + 1), hiddenSize).CopyTo(state);
                _tapes[layer].Cell.Span.Slice((sequence * (_steps + 1) + _steps) * _shape.HiddenSize, _shape.HiddenSize).CopyTo(state[hiddenSize..]);
            }
        }

        return _state.AsSpan(0, _sequences * _shape.StateSize);
    }

    /// <summary>i, f, g, o of the last layer after a step of the first window last run forward: (4H).</summary>
    internal ReadOnlySpan<float> LastGates(int step) => _tapes[^1].Gates.Span.Slice(step * 4 * _shape.HiddenSize, 4 * _shape.HiddenSize);

    /// <summary>c of the last layer after a step of the first window last run: (H).</summary>
    internal ReadOnlySpan<float> LastCell(int step) => _tapes[^1].Cell.Span.Slice((step + 1) * _shape.HiddenSize, _shape.HiddenSize);

    private static ref float At(AlignedFloats values, nint index) => ref values.At(index);

    private static ref float At(Span<float> values, nint index) => ref Unsafe.Add(ref MemoryMarshal.GetReference(values), index);

    /// <summary>Lays out what is known before the first step: inputs, initial states, and the ones that stand for the biases.</summary>
    private void Start(ReadOnlySpan<float> inputs, ReadOnlySpan<float> initialStates)
    {
        int hiddenSize = _shape.HiddenStateSize;

        for (int layer = 0; layer < _tapes.Length; layer++)
        {
            LayerTape tape = _tapes[layer];

            for (int sequence = 0; sequence < _sequences; sequence++)
            {
                ReadOnlySpan<float> state = initialStates.Slice(
                    sequence * _shape.StateSize + layer * _shape.LayerStateSize, _shape.LayerStateSize);
                state[..hiddenSize].CopyTo(tape.Fed.Span.Slice(sequence * _steps * tape.FedRow + tape.InputSize));
                state[hiddenSize..].CopyTo(tape.Cell.Span.Slice(sequence * (_steps + 1) * _shape.HiddenSize));
            }

            for (int row = 0; row < _sequences * _steps; row++)
            {
                tape.Fed.At((row + 1) * tape.FedRow - 1) = 1;
                tape.Hidden.At((row + 1) * (hiddenSize + 1) - 1) = 1;
            }
        }

        LayerTape first = _tapes[0];

        for (int row = 0; row < _sequences * _steps; row++)
        {
            inputs.Slice(row * _shape.InputSize, _shape.InputSize).CopyTo(first.Fed.Span.Slice(row * first.FedRow));
        }
    }

    /// <summary>One step of one layer, all windows.</summary>
    private void Step(LstmLayer layer, LayerTape tape, int step)
    {
        int size = _shape.HiddenSize, hiddenSize = _shape.HiddenStateSize, gates = 4 * size;
        int hiddenRow = hiddenSize + 1;
        MatrixProduct.Run(
            _width, _sequences, gates, tape.FedRow - 1, ref At(tape.Fed, step * tape.FedRow), _steps * tape.FedRow, 1,
            ref MemoryMarshal.GetReference(layer.InputWeights), gates, start: ref MemoryMarshal.GetReference(layer.Bias), startRow: 0,
            ref At(tape.Gates, step * gates), _steps * gates);

        ref float cellOutput = ref _shape.ProjectionSize > 0 ? ref At(tape.CellOutput, step * size) : ref At(tape.Hidden, step * hiddenRow);
        LstmCell.StepKeepingGates(
            _width, _sequences, size, ref At(tape.Gates, step * gates), _steps * gates,
            ref At(tape.Cell, step * size), ref At(tape.Cell, (step + 1) * size), (_steps + 1) * size,
            ref At(tape.CellActivation, step * size), _steps * size,
            ref cellOutput, _steps * (_shape.ProjectionSize > 0 ? size : hiddenRow));

        if (_shape.ProjectionSize > 0)
        {
            for (int sequence = 0; sequence < _sequences; sequence++)
            {
                tape.Hidden.Span.Slice((sequence * _steps + step) * hiddenRow, hiddenSize).Clear();
            }

            MatrixProduct.Run(
                _width, _sequences, hiddenSize, size, ref At(tape.CellOutput, step * size), _steps * size, 1,
                ref MemoryMarshal.GetReference(layer.ProjectionWeights), hiddenSize,
                start: ref At(tape.Hidden, step * hiddenRow), startRow: _steps * hiddenRow,
                ref At(tape.Hidden, step * hiddenRow), _steps * hiddenRow);
        }

        for (int sequence = 0; sequence < _sequences && step + 1 < _steps; sequence++)
        {
            int row = sequence * _steps + step;
            tape.Hidden.Span.Slice(row * hiddenRow, hiddenSize).CopyTo(tape.Fed.Span.Slice((row + 1) * tape.FedRow + tape.InputSize));
        }
    }

    /// <summary>Hands a layer's hidden states to the layer above.</summary>
    private void Feed(LayerTape above, LayerTape below, int layer)
    {
        int size = _shape.HiddenStateSize;

        for (int row = 0; row < _sequences * _steps; row++)
        {
            below.Hidden.Span.Slice(row * (size + 1), size).CopyTo(above.Fed.Span.Slice(row * above.FedRow));
        }

        _dropout?.Apply(layer, above.Fed.Span, above.FedRow, size, _sequences * _steps);
    }

    private void Output(LstmWeights weights)
    {
        LayerTape last = _tapes[^1];
        int size = _shape.HiddenStateSize;
        MatrixProduct.Run(
            _width, _sequences * _steps, _shape.OutputSize, size, ref At(last.Hidden, 0), size + 1, 1,
            ref MemoryMarshal.GetReference(weights.OutputWeights), _shape.OutputSize,
            start: ref MemoryMarshal.GetReference(weights.OutputBias), startRow: 0, ref At(_outputs, 0), _shape.OutputSize);
    }

    private void OutputBack(LstmWeights weights, ReadOnlySpan<float> outputGradients, LstmGradients gradients)
    {
        int rows = _sequences * _steps, size = _shape.HiddenStateSize, outputs = _shape.OutputSize;
        ref float outputGradient = ref MemoryMarshal.GetReference(outputGradients);
        Transpose(weights.OutputWeights, size, outputs);
        _hiddenGradients.Span.Slice(0, rows * size).Clear();
        MatrixProduct.Run(
            _width, rows, size, outputs, ref outputGradient, outputs, 1, ref At(_transposed, 0), size,
            start: ref At(_hiddenGradients, 0), startRow: size, ref At(_hiddenGradients, 0), size);
        SumOverSteps(_tapes[^1].Hidden, size + 1, size + 1, ref outputGradient, outputs, gradients.OutputWeights);
    }

    /// <summary>From the last step to the first: turns the tape's gates into their gradients, and adds what came back along h to its gradients.</summary>
    private void LayerBack(
        LstmLayer layer, LayerTape tape, AlignedFloats hiddenGradients, int index,
        ReadOnlySpan<float> finalStateGradients, Span<float> initialStateGradients)
    {
        int size = _shape.HiddenSize, hiddenSize = _shape.HiddenStateSize, gates = 4 * size;
        _cellGradients.Span.Slice(0, _sequences * size).Clear();

        if (!finalStateGradients.IsEmpty)
        {
            AddFinal(hiddenGradients, index, finalStateGradients);
        }

        Transpose(layer.RecurrentWeights, hiddenSize, gates);

        for (int step = _steps - 1; step >= 0; step--)
        {
            if (step + 1 < _steps)
            {
                MatrixProduct.Run(
                    _width, _sequences, hiddenSize, gates, ref At(tape.Gates, (step + 1) * gates), _steps * gates, 1,
                    ref At(_transposed, 0), hiddenSize,
                    start: ref At(hiddenGradients, step * hiddenSize), startRow: _steps * hiddenSize,
                    ref At(hiddenGradients, step * hiddenSize), _steps * hiddenSize);
            }

            if (_shape.ProjectionSize > 0)
            {
                ProjectBack(layer, hiddenGradients, step);
            }

            for (int sequence = 0; sequence < _sequences; sequence++)
            {
                int row = sequence * _steps + step;
                LstmCell.StepBack(
                    _width, size, ref At(tape.Gates, row * gates), ref At(tape.Cell, (sequence * (_steps + 1) + step) * size),
                    ref At(tape.CellActivation, row * size),
                    ref _shape.ProjectionSize > 0 ? ref At(_cellOutputGradients, sequence * size) : ref At(hiddenGradients, row * hiddenSize),
                    ref At(_cellGradients, sequence * size));
            }
        }

        if (!initialStateGradients.IsEmpty)
        {
            TakeInitial(tape, index, initialStateGradients);
        }
    }

    /// <summary>What is asked of h and c behind the last step.</summary>
    private void AddFinal(AlignedFloats hiddenGradients, int layer, ReadOnlySpan<float> finalStateGradients)
    {
        int size = _shape.HiddenSize, hiddenSize = _shape.HiddenStateSize;

        for (int sequence = 0; sequence < _sequences; sequence++)
        {
            ReadOnlySpan<float> state = finalStateGradients.Slice(sequence * _shape.StateSize + layer * _shape.LayerStateSize, _shape.LayerStateSize);
            Span<float> hidden = hiddenGradients.Span.Slice((sequence * _steps + _steps - 1) * hiddenSize, hiddenSize);
            TensorPrimitives.Add(hidden, state[..hiddenSize], hidden);
            state[hiddenSize..].CopyTo(_cellGradients.Span.Slice(sequence * size, size));
        }
    }

    /// <summary>What would have been asked of h and c before the first step: U^T dgates, and what came back along c. U^T is in <see cref="_transposed"/>.</summary>
    private void TakeInitial(LayerTape tape, int layer, Span<float> initialStateGradients)
    {
        int size = _shape.HiddenSize, hiddenSize = _shape.HiddenStateSize, gates = 4 * size;

        for (int sequence = 0; sequence < _sequences; sequence++)
        {
            Span<float> state = initialStateGradients.Slice(sequence * _shape.StateSize + layer * _shape.LayerStateSize, _shape.LayerStateSize);
            state[..hiddenSize].Clear();
            MatrixProduct.Run(
                _width, 1, hiddenSize, gates, ref At(tape.Gates, sequence * _steps * gates), gates, 1, ref At(_transposed, 0), hiddenSize,
                start: ref At(state, 0), startRow: hiddenSize, ref At(state, 0), hiddenSize);
            _cellGradients.Span.Slice(sequence * size, size).CopyTo(state[hiddenSize..]);
        }
    }

    /// <summary>d(o∘tanh(c)) = P^T dh.</summary>
    private void ProjectBack(LstmLayer layer, AlignedFloats hiddenGradients, int step)
    {
        int size = _shape.HiddenSize;

        for (int sequence = 0; sequence < _sequences; sequence++)
        {
            ReadOnlySpan<float> dh = hiddenGradients.Span.Slice((sequence * _steps + step) * _shape.ProjectionSize, _shape.ProjectionSize);

            for (int cell = 0; cell < size; cell++)
            {
                float sum = 0;

                for (int r = 0; r < dh.Length; r++)
                {
                    sum = MathF.FusedMultiplyAdd(dh[r], layer.ProjectionWeights[cell * dh.Length + r], sum);
                }

                _cellOutputGradients.At(sequence * size + cell) = sum;
            }
        }
    }

    private void WeightGradients(LstmLayer gradients, LayerTape tape, AlignedFloats hiddenGradients)
    {
        int gates = 4 * _shape.HiddenSize;

        // W, U and b lie one after another, as do x, h and the one that they were fed with.
        SumOverSteps(tape.Fed, tape.FedRow, tape.FedRow, ref At(tape.Gates, 0), gates, gradients.InputWeights);

        if (_shape.ProjectionSize > 0)
        {
            SumOverSteps(
                tape.CellOutput, _shape.HiddenSize, _shape.HiddenSize, ref At(hiddenGradients, 0), _shape.ProjectionSize,
                gradients.ProjectionWeights);
        }
    }

    /// <summary>dx = W^T dgates of all steps.</summary>
    private void InputGradients(LstmLayer layer, LayerTape tape, AlignedFloats inputGradients)
    {
        int rows = _sequences * _steps, gates = 4 * _shape.HiddenSize;
        Transpose(layer.InputWeights, layer.InputSize, gates);
        inputGradients.Span[..(rows * layer.InputSize)].Clear();
        MatrixProduct.Run(
            _width, rows, layer.InputSize, gates, ref At(tape.Gates, 0), gates, 1, ref At(_transposed, 0), layer.InputSize,
            start: ref At(inputGradients, 0), startRow: layer.InputSize, ref At(inputGradients, 0), layer.InputSize);
    }

    /// <summary>sums[k, n] += sum over rows of fed[row, k] gradients[row, n].</summary>
    private void SumOverSteps(AlignedFloats fed, int fedRow, int count, ref float gradients, int gradientSize, Span<float> sums)
    {
        int rows = _sequences * _steps;

        for (int row = 0; row < rows; row += GradientBlock)
        {
            MatrixProduct.Run(
                _width, count, gradientSize, Math.Min(GradientBlock, rows - row), ref At(fed, row * fedRow), 1, fedRow,
                ref Unsafe.Add(ref gradients, row * gradientSize), gradientSize,
                start: ref At(sums, 0), startRow: gradientSize, ref At(sums, 0), gradientSize);
        }
    }

    /// <summary>Leaves (columns, rows) of a (rows, columns) matrix in <see cref="_transposed"/>.</summary>
    private void Transpose(ReadOnlySpan<float> matrix, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> values = matrix.Slice(row * columns, columns);

            for (int column = 0; column < columns; column++)
            {
                _transposed.At(column * rows + row) = values[column];
            }
        }
    }

    /// <summary>One layer's tape; a row is (sequence, step).</summary>
    private sealed class LayerTape(LstmShape shape, int layer, int maxSteps, int maxSequences)
    {
        public int InputSize { get; } = shape.LayerInputSize(layer);

        /// <summary>Floats of a row of <see cref="Fed"/>.</summary>
        public int FedRow { get; } = shape.LayerInputSize(layer) + shape.HiddenStateSize + 1;

        /// <summary>What a step multiplies: x, h before, 1.</summary>
        public AlignedFloats Fed { get; } = new(maxSteps * maxSequences * (shape.LayerInputSize(layer) + shape.HiddenStateSize + 1));

        /// <summary>i, f, g, o; on the way back their gradients: (rows, 4H).</summary>
        public AlignedFloats Gates { get; } = new(maxSteps * maxSequences * 4 * shape.HiddenSize);

        /// <summary>c, one more than steps, the first being the initial one: (B, T + 1, H).</summary>
        public AlignedFloats Cell { get; } = new((maxSteps + 1) * maxSequences * shape.HiddenSize);

        /// <summary>tanh(c) (rows, H).</summary>
        public AlignedFloats CellActivation { get; } = new(maxSteps * maxSequences * shape.HiddenSize);

        /// <summary>o∘tanh(c) (rows, H), where it is not the hidden state itself.</summary>
        public AlignedFloats CellOutput { get; } = new(shape.ProjectionSize > 0 ? maxSteps * maxSequences * shape.HiddenSize : 0);

        /// <summary>h, then 1: (rows, hidden state + 1).</summary>
        public AlignedFloats Hidden { get; } = new(maxSteps * maxSequences * (shape.HiddenStateSize + 1));
    }
}
