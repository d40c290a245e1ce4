using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Learning;

/// <summary>Buffers that one thread uses for whatever stream it is scoring. Holds nothing between two observations.</summary>
internal sealed class DetectionScratch
{
    public LstmScratch Network { get; } = new(ForecastInput.Shape.Network);

    public ForecastTrainer Trainer { get; } =
        new(ForecastInput.Shape, TrainingWindow.Rows, new ForecastTrainingOptions { HorizonWeights = [1, 0.5f, 0.5f] });

    public float[] Logits { get; } = new float[ForecastInput.Shape.Network.OutputSize];

    public float[] Input { get; } = new float[ForecastInput.Size];

    public int[] RowAnchors { get; } = new int[ForecastInput.Anchors];

    public float[] Mixture { get; } = new float[Scoring.QuantileBins.Count];

    public float[] Inputs { get; } = new float[TrainingWindow.Rows * ForecastInput.Size];

    public int[] Anchors { get; } = new int[TrainingWindow.Rows * ForecastInput.Anchors];

    public int[] Targets { get; } = new int[TrainingWindow.Rows * ForecastInput.Horizons.Length];

    public float[] ZeroState { get; } = new float[ForecastInput.Shape.Network.StateSize];

    public double[] Autocorrelation { get; } = new double[ValueRing.Capacity];
}
