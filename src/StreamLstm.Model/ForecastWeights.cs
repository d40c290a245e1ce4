using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>The sizes of a network that forecasts a distribution over bins at several horizons.</summary>
public sealed record ForecastShape
{
    /// <summary>A shape.</summary>
    /// <param name="network">The LSTM under the heads; its output is horizons x bins.</param>
    /// <param name="horizonCount">K: heads, one per horizon or per value of a record, 1 to 128.</param>
    /// <param name="binCount">B: bins of the forecast value, 2 to 256.</param>
    /// <param name="anchorCount">A: bins a forecast may lean on (the last value's, a season's), 0 to 16.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is outside its range.</exception>
    /// <exception cref="ArgumentException">The network's output is not K x B.</exception>
    public ForecastShape(LstmShape network, int horizonCount, int binCount, int anchorCount)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfLessThan(horizonCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(horizonCount, 128);
        ArgumentOutOfRangeException.ThrowIfLessThan(binCount, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(binCount, 256);
        ArgumentOutOfRangeException.ThrowIfLessThan(anchorCount, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(anchorCount, 16);

        if (network.OutputSize != horizonCount * binCount)
        {
            throw new ArgumentException(
                $"the network puts out {network.OutputSize} values, expected {horizonCount} horizons x {binCount} bins", nameof(network));
        }

        Network = network;
        HorizonCount = horizonCount;
        BinCount = binCount;
        AnchorCount = anchorCount;
    }

    /// <summary>The LSTM under the heads.</summary>
    public LstmShape Network { get; }

    /// <summary>K.</summary>
    public int HorizonCount { get; }

    /// <summary>B.</summary>
    public int BinCount { get; }

    /// <summary>A.</summary>
    public int AnchorCount { get; }

    /// <summary>Floats of one offset kernel: one weight for each difference of two bins.</summary>
    public int KernelSize => 2 * BinCount - 1;

    /// <summary>Floats of all weights, biases and offset kernels.</summary>
    public int ParameterCount => Network.ParameterCount + HorizonCount * AnchorCount * KernelSize;
}

/// <summary>An LSTM's weights and the offset kernels of its forecast heads, in one flat buffer.</summary>
public sealed class ForecastWeights
{
    private readonly AlignedFloats _parameters;

    /// <summary>Weights that are all zero.</summary>
    public ForecastWeights(ForecastShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        Shape = shape;
        _parameters = new AlignedFloats(shape.ParameterCount);
        Network = new LstmWeights(shape.Network, _parameters.Slice(0, shape.Network.ParameterCount));
    }

    /// <summary>The sizes.</summary>
    public ForecastShape Shape { get; }

    /// <summary>The LSTM's part of the buffer.</summary>
    public LstmWeights Network { get; }

    /// <summary>The whole buffer: the LSTM, then the kernels by horizon and anchor.</summary>
    public Span<float> Parameters => _parameters.Span;

    /// <summary>What is added to the logit of a bin by its distance from the anchor's bin: (2B - 1), index = bin - anchor + B - 1.</summary>
    public Span<float> OffsetKernel(int horizon, int anchor) =>
        Parameters.Slice(
            Shape.Network.ParameterCount + (horizon * Shape.AnchorCount + anchor) * Shape.KernelSize, Shape.KernelSize);

    /// <summary>A copy with a buffer of its own.</summary>
    public ForecastWeights Clone()
    {
        var clone = new ForecastWeights(Shape);
        clone.CopyFrom(this);
        return clone;
    }

    /// <summary>Takes over the values of other weights of the same shape.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void CopyFrom(ForecastWeights other)
    {
        ArgumentNullException.ThrowIfNull(other);

        if (other.Shape != Shape)
        {
            throw new ArgumentException($"weights of shape {other.Shape}, expected {Shape}", nameof(other));
        }

        other.Parameters.CopyTo(Parameters);
    }
}
