using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>All weights and biases of a stacked LSTM with a linear output, in one flat buffer with named views.</summary>
/// <remarks>
/// Matrices are stored by columns, so that a step is a chain of "output += column times input": of W (4H, I) the 4H
/// weights of input 0 come first. Gates are stacked i, f, g, o as in torch.nn.LSTM, whose two biases are one here.
/// Weights that several streams share are never changed once they serve; a stream's own are changed by its owner alone.
/// </remarks>
public sealed class LstmWeights
{
    private readonly AlignedFloats _parameters;

    /// <summary>Weights that are all zero.</summary>
    public LstmWeights(LstmShape shape)
        : this(shape, new AlignedFloats(shape?.ParameterCount ?? throw new ArgumentNullException(nameof(shape))))
    {
    }

    internal LstmWeights(LstmShape shape, AlignedFloats parameters)
    {
        Shape = shape;
        _parameters = parameters;
    }

    /// <summary>The sizes.</summary>
    public LstmShape Shape { get; }

    /// <summary>The whole buffer: layer by layer W, U, b, P; then the output's V and its bias.</summary>
    public Span<float> Parameters => _parameters.Span;

    /// <summary>V (O, hidden state), by columns.</summary>
    public Span<float> OutputWeights => Parameters.Slice(OutputStart, Shape.OutputSize * Shape.HiddenStateSize);

    /// <summary>The output's bias (O).</summary>
    public Span<float> OutputBias => Parameters[^Shape.OutputSize..];

    private int OutputStart => Shape.ParameterCount - Shape.OutputParameterCount;

    /// <summary>The views of one layer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public LstmLayer Layer(int layer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, Shape.LayerCount);
        int start = 0;

        for (int below = 0; below < layer; below++)
        {
            start += Shape.LayerParameterCount(below);
        }

        return new LstmLayer(Parameters.Slice(start, Shape.LayerParameterCount(layer)), Shape, layer);
    }

    /// <summary>Networks of one layer side by side as one: its cells are all of theirs, its output is the mean of theirs.</summary>
    /// <param name="members">Of the same inputs and outputs, without projection; 1 or more.</param>
    /// <exception cref="ArgumentException">They cannot stand side by side.</exception>
    public static LstmWeights MeanOf(IReadOnlyList<LstmWeights> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        ArgumentOutOfRangeException.ThrowIfZero(members.Count);
        LstmShape first = members[0].Shape;

        foreach (LstmShape shape in members.Select(member => member.Shape))
        {
            if (shape.LayerCount != 1 || shape.ProjectionSize != 0 || shape.InputSize != first.InputSize || shape.OutputSize != first.OutputSize)
            {
                throw new ArgumentException($"a member is {shape}, expected one layer of the inputs and outputs of {first}", nameof(members));
            }
        }

        int cells = members.Sum(member => member.Shape.HiddenSize), before = 0;
        var mean = new LstmWeights(new LstmShape(first.InputSize, cells, layerCount: 1, first.OutputSize));
        LstmLayer all = mean.Layer(0);

        foreach (LstmWeights member in members)
        {
            LstmLayer own = member.Layer(0);
            int size = own.HiddenSize;

            for (int gate = 0; gate < 4; gate++)
            {
                for (int input = 0; input < first.InputSize; input++)
                {
                    own.InputWeights.Slice((4 * input + gate) * size, size).CopyTo(all.InputWeights[((4 * input + gate) * cells + before)..]);
                }

                for (int cell = 0; cell < size; cell++)
                {
                    own.RecurrentWeights.Slice((4 * cell + gate) * size, size)
                        .CopyTo(all.RecurrentWeights[((4 * (before + cell) + gate) * cells + before)..]);
                }

                own.Bias.Slice(gate * size, size).CopyTo(all.Bias[(gate * cells + before)..]);
            }

            for (int i = 0; i < member.OutputWeights.Length; i++)
            {
                mean.OutputWeights[before * first.OutputSize + i] = member.OutputWeights[i] / members.Count;
            }

            for (int i = 0; i < first.OutputSize; i++)
            {
                mean.OutputBias[i] += member.OutputBias[i] / members.Count;
            }

            before += size;
        }

        return mean;
    }

    /// <summary>Refuses weights that are not finite, by the place of the first.</summary>
    /// <exception cref="ArgumentException">A weight is NaN or infinite.</exception>
    public void RequireFinite()
    {
        for (int layer = 0; layer < Shape.LayerCount; layer++)
        {
            LstmLayer views = Layer(layer);
            RequireFinite(views.InputWeights, $"layer {layer} input weights");
            RequireFinite(views.RecurrentWeights, $"layer {layer} recurrent weights");
            RequireFinite(views.Bias, $"layer {layer} bias");
            RequireFinite(views.ProjectionWeights, $"layer {layer} projection weights");
        }

        RequireFinite(OutputWeights, "output weights");
        RequireFinite(OutputBias, "output bias");
    }

    private static void RequireFinite(ReadOnlySpan<float> values, string name)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                throw new ArgumentException($"{name}[{i}] is {values[i]}, expected a finite number");
            }
        }
    }
}

/// <summary>The weights of one layer; views into <see cref="LstmWeights.Parameters"/>.</summary>
public readonly ref struct LstmLayer
{
    internal LstmLayer(Span<float> parameters, LstmShape shape, int layer)
    {
        int gates = 4 * shape.HiddenSize;
        int inputs = gates * shape.LayerInputSize(layer), recurrent = gates * shape.HiddenStateSize;
        InputSize = shape.LayerInputSize(layer);
        HiddenSize = shape.HiddenSize;
        InputWeights = parameters[..inputs];
        RecurrentWeights = parameters.Slice(inputs, recurrent);
        Bias = parameters.Slice(inputs + recurrent, gates);
        ProjectionWeights = parameters[(inputs + recurrent + gates)..];
    }

    /// <summary>Values the layer is fed with.</summary>
    public int InputSize { get; }

    /// <summary>H.</summary>
    public int HiddenSize { get; }

    /// <summary>W (4H, InputSize), by columns; gates stacked i, f, g, o.</summary>
    public Span<float> InputWeights { get; }

    /// <summary>U (4H, hidden state), by columns; gates stacked i, f, g, o. Follows W in the buffer: one product takes both.</summary>
    public Span<float> RecurrentWeights { get; }

    /// <summary>b (4H); gates stacked i, f, g, o. Follows U in the buffer: a column of ones gives its gradient.</summary>
    public Span<float> Bias { get; }

    /// <summary>P (R, H), by columns; empty where the hidden state is not projected.</summary>
    public Span<float> ProjectionWeights { get; }
}
