namespace StreamLstm.Model.Formats;

/// <summary>A network's weights as PyTorch names and shapes them, and the way from there into <see cref="LstmWeights"/> and back.</summary>
/// <remarks>
/// With R the hidden state's size, H unless projected: per layer weight_ih_l{n} (4H, I or R), weight_hh_l{n} (4H, R),
/// bias_ih_l{n} (4H), bias_hh_l{n} (4H), with a projection weight_hr_l{n} (R, H); weight (O, R) and bias (O) of the linear output; all row-major, gates stacked i, f, g, o. PyTorch adds its two biases in every step, so
/// ours is their sum; written, the second is zero.
/// </remarks>
internal sealed class LstmTensors
{
    private readonly List<(float[] InputWeights, float[] RecurrentWeights, float[]? Bias, float[] ProjectionWeights)> _layers = [];
    private readonly float[] _outputWeights;
    private readonly float[]? _outputBias;

    /// <summary>Takes a network out of a file's tensors; all sizes are checked before memory is taken for weights.</summary>
    /// <param name="tensors">What they are taken from.</param>
    /// <param name="shape">The network's sizes.</param>
    /// <param name="names">Prefixes of the names.</param>
    /// <param name="layersHaveBias">Otherwise the layers' biases are zero.</param>
    /// <param name="outputHasBias">Otherwise the output's bias is zero.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, has other sizes, or two biases have no finite sum.</exception>
    public LstmTensors(TensorSet tensors, LstmShape shape, Prefixes names, bool layersHaveBias, bool outputHasBias)
    {
        int gates = 4 * shape.HiddenSize;

        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            _layers.Add((
                tensors.Take($"{names.Lstm}weight_ih_l{layer}", gates, shape.LayerInputSize(layer)),
                tensors.Take($"{names.Lstm}weight_hh_l{layer}", gates, shape.HiddenStateSize),
                layersHaveBias ? TakeBias(tensors, $"{names.Lstm}bias_ih_l{layer}", $"{names.Lstm}bias_hh_l{layer}", gates) : null,
                shape.ProjectionSize > 0 ? tensors.Take($"{names.Lstm}weight_hr_l{layer}", shape.ProjectionSize, shape.HiddenSize) : []));
        }

        _outputWeights = tensors.Take($"{names.Linear}weight", shape.OutputSize, shape.HiddenStateSize);
        _outputBias = outputHasBias ? tensors.Take($"{names.Linear}bias", shape.OutputSize) : null;
    }

    /// <summary>A network's tensors, to be written.</summary>
    public static IEnumerable<NamedTensor> Of(LstmWeights weights, Prefixes names)
    {
        LstmShape shape = weights.Shape;
        int size = shape.HiddenStateSize, gates = 4 * shape.HiddenSize;

        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            int inputSize = shape.LayerInputSize(layer);
            float[] inputWeights = Transpose(weights.Layer(layer).InputWeights, inputSize, gates);
            float[] recurrentWeights = Transpose(weights.Layer(layer).RecurrentWeights, size, gates);
            float[] bias = weights.Layer(layer).Bias.ToArray();
            yield return new NamedTensor($"{names.Lstm}weight_ih_l{layer}", [gates, inputSize], inputWeights);
            yield return new NamedTensor($"{names.Lstm}weight_hh_l{layer}", [gates, size], recurrentWeights);
            yield return new NamedTensor($"{names.Lstm}bias_ih_l{layer}", [gates], bias);
            yield return new NamedTensor($"{names.Lstm}bias_hh_l{layer}", [gates], new float[gates]);

            if (shape.ProjectionSize > 0)
            {
                float[] projection = Transpose(weights.Layer(layer).ProjectionWeights, shape.HiddenSize, size);
                yield return new NamedTensor($"{names.Lstm}weight_hr_l{layer}", [size, shape.HiddenSize], projection);
            }
        }

        yield return new NamedTensor(
            $"{names.Linear}weight", [shape.OutputSize, size], Transpose(weights.OutputWeights, size, shape.OutputSize));
        yield return new NamedTensor($"{names.Linear}bias", [shape.OutputSize], weights.OutputBias.ToArray());
    }

    /// <summary>Fills weights of the same shape.</summary>
    public void CopyTo(LstmWeights weights)
    {
        LstmShape shape = weights.Shape;

        for (int layer = 0; layer < _layers.Count; layer++)
        {
            LstmLayer views = weights.Layer(layer);
            (float[] inputWeights, float[] recurrentWeights, float[]? bias, float[] projectionWeights) = _layers[layer];
            Transpose(inputWeights, 4 * shape.HiddenSize, views.InputSize).CopyTo(views.InputWeights);
            Transpose(recurrentWeights, 4 * shape.HiddenSize, shape.HiddenStateSize).CopyTo(views.RecurrentWeights);
            bias.AsSpan().CopyTo(views.Bias);
            Transpose(projectionWeights, shape.ProjectionSize, shape.HiddenSize).CopyTo(views.ProjectionWeights);
        }

        Transpose(_outputWeights, shape.OutputSize, shape.HiddenStateSize).CopyTo(weights.OutputWeights);
        _outputBias.AsSpan().CopyTo(weights.OutputBias);
    }

    private static float[] TakeBias(TensorSet tensors, string inputName, string recurrentName, int gates)
    {
        float[] input = tensors.Take(inputName, gates), recurrent = tensors.Take(recurrentName, gates);
        var bias = new float[gates];

        for (int i = 0; i < gates; i++)
        {
            bias[i] = input[i] + recurrent[i];

            if (!float.IsFinite(bias[i]))
            {
                throw new InvalidDataException(
                    $"tensor {inputName}[{i}] and {recurrentName}[{i}] add up to {bias[i]}, expected a finite number");
            }
        }

        return bias;
    }

    /// <summary>A row-major matrix by columns; or, with the sizes exchanged, one by columns row-major.</summary>
    private static float[] Transpose(ReadOnlySpan<float> matrix, int rows, int columns)
    {
        var transposed = new float[matrix.Length];

        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                transposed[c * rows + r] = matrix[r * columns + c];
            }
        }

        return transposed;
    }

    /// <summary>What stands before the names of the LSTM's and of the output's tensors: empty, or ending with a dot.</summary>
    internal readonly record struct Prefixes(string Lstm, string Linear);
}
