namespace StreamLstm.Model;

/// <summary>Buffers of one thread for steps of one shape; hold nothing between two steps.</summary>
public sealed class LstmScratch(LstmShape shape)
{
    internal float[] Gates { get; } = new float[4 * (shape ?? throw new ArgumentNullException(nameof(shape))).HiddenSize];

    internal float[] CellActivation { get; } = new float[shape.HiddenSize];
}
