namespace StreamLstm.Model;

/// <summary>All weights and biases of a stacked LSTM with a linear output, in one flat buffer with named views.</summary>
/// <remarks>
/// Matrices are stored by columns, so that a step is a chain of "output += column times input": of W (4H, I) the 4H
/// weights of input 0 come first. Gates are stacked i, f, g, o as in torch.nn.LSTM, whose two biases are one here.
/// Weights that several streams share are never changed once they serve; a stream's own are changed by its owner alone.
/// </remarks>
public sealed class LstmWeights
{
    private readonly Memory<float> _parameters;

    /// <summary>Weights that are all zero.</summary>
    public LstmWeights(LstmShape shape)
        : this(shape, new float[shape?.ParameterCount ?? throw new ArgumentNullException(nameof(shape))])
    {
    }

    internal LstmWeights(LstmShape shape, Memory<float> parameters)
    {
        Shape = shape;
        _parameters = parameters;
    }

    /// <summary>The sizes.</summary>
    public LstmShape Shape { get; }

    /// <summary>The whole buffer: layer by layer W, U, b; then the output's V and its bias.</summary>
    public Span<float> Parameters => _parameters.Span;

    /// <summary>V (O, H), by columns.</summary>
    public Span<float> OutputWeights => Parameters.Slice(OutputStart, Shape.OutputSize * Shape.HiddenSize);

    /// <summary>The output's bias (O).</summary>
    public Span<float> OutputBias => Parameters.Slice(OutputStart + Shape.OutputSize * Shape.HiddenSize, Shape.OutputSize);

    private int OutputStart => Shape.ParameterCount - Shape.OutputSize * (Shape.HiddenSize + 1);

    /// <summary>The views of one layer.</summary>
    public LstmLayer Layer(int layer)
    {
        int start = 0;

        for (int below = 0; below < layer; below++)
        {
            start += Shape.LayerParameterCount(below);
        }

        return new LstmLayer(
            Parameters.Slice(start, Shape.LayerParameterCount(layer)), Shape.LayerInputSize(layer), Shape.HiddenSize);
    }
}

/// <summary>The weights of one layer; views into <see cref="LstmWeights.Parameters"/>.</summary>
public readonly ref struct LstmLayer
{
    internal LstmLayer(Span<float> parameters, int inputSize, int hiddenSize)
    {
        int gates = 4 * hiddenSize;
        InputSize = inputSize;
        HiddenSize = hiddenSize;
        InputWeights = parameters[..(gates * inputSize)];
        RecurrentWeights = parameters.Slice(gates * inputSize, gates * hiddenSize);
        Bias = parameters[^gates..];
    }

    /// <summary>Values the layer is fed with.</summary>
    public int InputSize { get; }

    /// <summary>H.</summary>
    public int HiddenSize { get; }

    /// <summary>W (4H, InputSize), by columns; gates stacked i, f, g, o.</summary>
    public Span<float> InputWeights { get; }

    /// <summary>U (4H, H), by columns; gates stacked i, f, g, o.</summary>
    public Span<float> RecurrentWeights { get; }

    /// <summary>b (4H); gates stacked i, f, g, o.</summary>
    public Span<float> Bias { get; }
}
