namespace StreamLstm.Model.Training;

/// <summary>Gradients of a loss by every weight, laid out as the weights are.</summary>
public sealed class LstmGradients
{
    private readonly LstmWeights _views;

    /// <summary>Gradients that are all zero.</summary>
    public LstmGradients(LstmShape shape)
        : this(new LstmWeights(shape))
    {
    }

    internal LstmGradients(LstmWeights views) => _views = views;

    /// <summary>The whole buffer.</summary>
    public Span<float> Values => _views.Parameters;

    /// <summary>dLoss/dV (O, H), by columns.</summary>
    public Span<float> OutputWeights => _views.OutputWeights;

    /// <summary>dLoss/d(output bias) (O).</summary>
    public Span<float> OutputBias => _views.OutputBias;

    /// <summary>The gradients of one layer.</summary>
    public LstmLayer Layer(int layer) => _views.Layer(layer);

    /// <summary>Sets all to zero.</summary>
    public void Clear() => Values.Clear();
}
