using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>Buffers that one thread uses for whatever stream of texts it is judging, one set for each shape of network. Holds nothing between two lines.</summary>
internal sealed class TextScratch
{
    private readonly Dictionary<LstmShape, TextNetworkScratch> _byShape = [];

    /// <summary>The buffers for networks of a shape, made when first asked for.</summary>
    public TextNetworkScratch Of(LstmShape shape)
    {
        if (!_byShape.TryGetValue(shape, out TextNetworkScratch? scratch))
        {
            _byShape.Add(shape, scratch = new TextNetworkScratch(shape));
        }

        return scratch;
    }
}

/// <summary>Buffers for networks of one shape.</summary>
internal sealed class TextNetworkScratch(LstmShape shape)
{
    /// <summary>What a token's place is fed as: one place 1, the others 0 (places).</summary>
    public float[] Input { get; } = new float[shape.InputSize];

    public float[] Logits { get; } = new float[shape.OutputSize];

    public LstmScratch Step { get; } = new(shape);

    /// <summary>h and c as the line goes on: (StateSize).</summary>
    public float[] State { get; } = new float[shape.StateSize];

    public BackpropagationThroughTime ThroughTime { get; } = new(shape, TextPieces.Steps, TextNetwork.BatchPieces);

    public LstmGradients Gradients { get; } = new(shape);

    public float[] Inputs { get; } = new float[TextNetwork.BatchPieces * TextPieces.Steps * shape.InputSize];

    public float[] OutputGradients { get; } = new float[TextNetwork.BatchPieces * TextPieces.Steps * shape.OutputSize];

    public float[] States { get; } = new float[TextNetwork.BatchPieces * shape.StateSize];
}
