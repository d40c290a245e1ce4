using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>Weights laid out for stepping many streams that share them: fixed, finite, each of the kernel's column blocks in one piece.</summary>
/// <remarks>
/// In <see cref="LstmWeights"/> a block of 64 gates recurs every 4H floats, and from H = 64 on such strides fall into a
/// quarter of the cache's sets, so that the weights of one block push each other out. Here they follow one another. The
/// bits of a step are the same with either; a network that changes as it serves needs no packing.
/// </remarks>
public sealed class PackedLstmWeights
{
    /// <summary>Gates of a block: four of the widest vectors.</summary>
    internal const int BlockColumns = 64;

    private readonly AlignedFloats _parameters;

    /// <summary>Copies weights into the packed form.</summary>
    /// <exception cref="ArgumentException">A weight is NaN or infinite; the message names its tensor and index.</exception>
    public PackedLstmWeights(LstmWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        weights.RequireFinite();
        Shape = weights.Shape;
        _parameters = new AlignedFloats(Shape.ParameterCount);
        Span<float> packed = _parameters.Span;
        weights.Parameters.CopyTo(packed);
        int gates = 4 * Shape.HiddenSize, start = 0;

        for (int layer = 0; layer < Shape.LayerCount; layer++)
        {
            int steps = Shape.LayerInputSize(layer) + Shape.HiddenStateSize;
            ReadOnlySpan<float> rows = weights.Parameters.Slice(start, steps * gates);
            int at = start;

            for (int column = 0; column < gates; column += BlockColumns)
            {
                int count = Math.Min(BlockColumns, gates - column);

                for (int row = 0; row < steps; row++, at += count)
                {
                    rows.Slice(row * gates + column, count).CopyTo(packed[at..]);
                }
            }

            start += Shape.LayerParameterCount(layer);
        }
    }

    /// <summary>The sizes.</summary>
    public LstmShape Shape { get; }

    internal ref float First => ref _parameters.First;
}
