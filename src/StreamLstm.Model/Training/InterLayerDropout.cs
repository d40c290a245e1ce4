using StreamLstm.Model.Kernels;

namespace StreamLstm.Model.Training;

/// <summary>Leaves out a share of what each layer hands to the one above, in training only (Zaremba et al. 2014); as torch.nn.LSTM's dropout.</summary>
/// <remarks>What stays is divided by 1 - rate, so that nothing changes on average. Same seed, same choice.</remarks>
public sealed class InterLayerDropout
{
    private readonly float _rate;
    private SplitMix64 _random;
    private readonly List<float[]> _masks = [];

    /// <summary>Dropout.</summary>
    /// <param name="rate">Share left out, 0 to below 1.</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is outside its range.</exception>
    public InterLayerDropout(float rate, ulong seed)
    {
        if (!(rate >= 0 && rate < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "expected 0 to below 1");
        }

        _rate = rate;
        _random = new SplitMix64(seed);
    }

    /// <summary>Chooses anew what is left out of (rows, size) values that lie <paramref name="stride"/> apart, and leaves it out.</summary>
    internal void Apply(int layer, Span<float> values, int stride, int size, int rows)
    {
        while (_masks.Count < layer)
        {
            _masks.Add([]);
        }

        float[] mask = _masks[layer - 1].Length >= rows * size ? _masks[layer - 1] : new float[rows * size];
        _masks[layer - 1] = mask;

        for (int row = 0; row < rows; row++)
        {
            for (int i = 0; i < size; i++)
            {
                float factor = _random.NextDouble() < _rate ? 0 : 1 / (1 - _rate);
                mask[row * size + i] = factor;
                values[row * stride + i] *= factor;
            }
        }
    }

    /// <summary>Leaves the same out of their gradients.</summary>
    internal void Apply(int layer, Span<float> gradients) =>
        System.Numerics.Tensors.TensorPrimitives.Multiply(gradients, _masks[layer - 1].AsSpan(0, gradients.Length), gradients);
}
