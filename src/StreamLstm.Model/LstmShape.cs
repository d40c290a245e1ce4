namespace StreamLstm.Model;

/// <summary>The sizes of a stacked LSTM with a linear output.</summary>
public sealed record LstmShape
{
    /// <summary>A shape.</summary>
    /// <param name="inputSize">I: values of one input, 1 to 1024.</param>
    /// <param name="hiddenSize">H: cells of one layer, 1 to 1024.</param>
    /// <param name="layerCount">L: layers, 1 to 8.</param>
    /// <param name="outputSize">O: values of one output, 1 to 65536.</param>
    /// <param name="projectionSize">R: values a projected hidden state holds, 1 to H; 0 = the hidden state is not projected.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is outside its range.</exception>
    public LstmShape(int inputSize, int hiddenSize, int layerCount, int outputSize, int projectionSize = 0)
    {
        InputSize = Checked(inputSize, 1024, nameof(inputSize));
        HiddenSize = Checked(hiddenSize, 1024, nameof(hiddenSize));
        LayerCount = Checked(layerCount, 8, nameof(layerCount));
        OutputSize = Checked(outputSize, 65_536, nameof(outputSize));
        ProjectionSize = projectionSize == 0 ? 0 : Checked(projectionSize, hiddenSize, nameof(projectionSize));
    }

    /// <summary>I: values of one input.</summary>
    public int InputSize { get; }

    /// <summary>H: cells of one layer.</summary>
    public int HiddenSize { get; }

    /// <summary>L: layers, the first fed with the input, each further one with the hidden state below it.</summary>
    public int LayerCount { get; }

    /// <summary>O: values of one output, a linear function of the last layer's hidden state.</summary>
    public int OutputSize { get; }

    /// <summary>R, or 0 where the hidden state is o∘tanh(c) itself (Sak, Senior and Beaufays 2014: h = P (o∘tanh(c))).</summary>
    public int ProjectionSize { get; }

    /// <summary>Values of one hidden state: R with a projection, else H.</summary>
    public int HiddenStateSize => ProjectionSize > 0 ? ProjectionSize : HiddenSize;

    /// <summary>Floats of one stream's state: per layer h (R or H), then c (H).</summary>
    public int StateSize => LayerCount * LayerStateSize;

    /// <summary>Floats of all weights and biases.</summary>
    public int ParameterCount
    {
        get
        {
            int layers = 0;

            for (int layer = 0; layer < LayerCount; layer++)
            {
                layers += LayerParameterCount(layer);
            }

            return layers + OutputParameterCount;
        }
    }

    internal int LayerStateSize => HiddenStateSize + HiddenSize;

    internal int OutputParameterCount => OutputSize * (HiddenStateSize + 1);

    /// <summary>Values that a layer is fed with: I for the first, the hidden state below for the others.</summary>
    public int LayerInputSize(int layer) => layer == 0 ? InputSize : HiddenStateSize;

    internal int LayerParameterCount(int layer) =>
        4 * HiddenSize * (LayerInputSize(layer) + HiddenStateSize + 1) + ProjectionSize * HiddenSize;

    private static int Checked(int value, int max, string name) =>
        value >= 1 && value <= max
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"expected 1 to {max}");
}
