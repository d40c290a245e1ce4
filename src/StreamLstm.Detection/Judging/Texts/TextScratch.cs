using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>Buffers that one thread uses for whatever stream of texts it is judging. Holds nothing between two lines.</summary>
internal sealed class TextScratch
{
    /// <summary>What a character's place is fed as: one place 1, the others 0 (places).</summary>
    public float[] Input { get; } = new float[TextNetwork.Places];

    public float[] Logits { get; } = new float[TextNetwork.Places];

    public LstmScratch Step { get; } = new(TextNetwork.Shape);

    /// <summary>h and c as the line goes on: (StateSize).</summary>
    public float[] State { get; } = new float[TextNetwork.StateSize];

    public BackpropagationThroughTime ThroughTime { get; } = new(TextNetwork.Shape, TextPieces.Steps, TextNetwork.BatchPieces);

    public LstmGradients Gradients { get; } = new(TextNetwork.Shape);

    public float[] Inputs { get; } = new float[TextNetwork.BatchPieces * TextPieces.Steps * TextNetwork.Places];

    public float[] OutputGradients { get; } = new float[TextNetwork.BatchPieces * TextPieces.Steps * TextNetwork.Places];

    public float[] States { get; } = new float[TextNetwork.BatchPieces * TextNetwork.StateSize];
}
