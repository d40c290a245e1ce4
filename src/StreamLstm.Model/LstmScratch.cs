using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>Buffers of one thread for steps of one shape; hold nothing between two steps.</summary>
public sealed class LstmScratch
{
    /// <summary>Streams that go through the network together: four of the kernel's tiles share each look at the weights.</summary>
    internal const int Rows = 24;

    /// <summary>Buffers for a shape.</summary>
    public LstmScratch(LstmShape shape)
        : this(shape, VectorWidth.Widest)
    {
    }

    /// <summary>As above, with vectors of at most <paramref name="width"/> floats: for showing that it changes no bit.</summary>
    internal LstmScratch(LstmShape shape, int width)
    {
        ArgumentNullException.ThrowIfNull(shape);
        Shape = shape;
        Width = width;
        LayerInput = new AlignedFloats(Rows * (Math.Max(shape.InputSize, shape.HiddenStateSize) + shape.HiddenStateSize));
        Gates = new AlignedFloats(Rows * 4 * shape.HiddenSize);
        Cell = new AlignedFloats(Rows * shape.HiddenSize);
        CellOutput = new AlignedFloats(Rows * shape.HiddenSize);
        Projected = new AlignedFloats(shape.ProjectionSize > 0 ? Rows * shape.ProjectionSize : 0);
    }

    /// <summary>The shape they are for.</summary>
    public LstmShape Shape { get; }

    internal int Width { get; }

    /// <summary>(Rows, layer input + hidden state): what the gates' product multiplies.</summary>
    internal AlignedFloats LayerInput { get; }

    /// <summary>(Rows, 4H).</summary>
    internal AlignedFloats Gates { get; }

    /// <summary>c (Rows, H), side by side.</summary>
    internal AlignedFloats Cell { get; }

    /// <summary>o∘tanh(c) (Rows, H).</summary>
    internal AlignedFloats CellOutput { get; }

    /// <summary>P (o∘tanh(c)) (Rows, R).</summary>
    internal AlignedFloats Projected { get; }
}
