namespace StreamLstm.Model;

/// <summary>The sizes of a stacked LSTM with a linear output.</summary>
public sealed record LstmShape
{
    /// <summary>A shape.</summary>
    /// <param name="inputSize">I: values of one input, 1 to 1024.</param>
    /// <param name="hiddenSize">H: cells of one layer, 1 to 1024.</param>
    /// <param name="layerCount">L: layers, 1 to 8.</param>
    /// <param name="outputSize">O: values of one output, 1 to 65536.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is outside its range.</exception>
    public LstmShape(int inputSize, int hiddenSize, int layerCount, int outputSize)
    {
        InputSize = Checked(inputSize, 1024, nameof(inputSize));
        HiddenSize = Checked(hiddenSize, 1024, nameof(hiddenSize));
        LayerCount = Checked(layerCount, 8, nameof(layerCount));
        OutputSize = Checked(outputSize, 65_536, nameof(outputSize));
    }

    /// <summary>I: values of one input.</summary>
    public int InputSize { get; }

    /// <summary>H: cells of one layer.</summary>
    public int HiddenSize { get; }

    /// <summary>L: layers, the first fed with the input, each further one with the hidden state below it.</summary>
    public int LayerCount { get; }

    /// <summary>O: values of one output, a linear function of the last layer's hidden state.</summary>
    public int OutputSize { get; }

    /// <summary>Floats of one stream's state: per layer h (H), then c (H).</summary>
    public int StateSize => 2 * LayerCount * HiddenSize;

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

            return layers + OutputSize * HiddenSize + OutputSize;
        }
    }

    /// <summary>Values that a layer is fed with: I for the first, H for the others.</summary>
    public int LayerInputSize(int layer) => layer == 0 ? InputSize : HiddenSize;

    internal int LayerParameterCount(int layer) => 4 * HiddenSize * (LayerInputSize(layer) + HiddenSize + 1);

    private static int Checked(int value, int max, string name) =>
        value >= 1 && value <= max
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"expected 1 to {max}");
}
