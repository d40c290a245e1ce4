using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Learning;

/// <summary>Buffers that one thread uses for whatever stream it is scoring. Holds nothing between two observations.</summary>
public sealed class DetectionScratch
{
    internal LstmScratch Network { get; } = new(ForecastInput.Shape.Network);

    /// <summary>Windows that are trained on together.</summary>
    internal const int Windows = 8;

    internal ForecastTrainer Trainer { get; } =
        new(ForecastInput.Shape, TrainingWindow.Rows, new ForecastTrainingOptions { HorizonWeights = [1, 0.5f, 0.5f] }, Windows);

    /// <summary>What a stream's own weights are moved by; between two trainings its moments lie packed with the stream.</summary>
    internal AdamOptimizer Adam { get; } = new(ForecastInput.Shape.ParameterCount, new AdamOptions());

    internal float[] Logits { get; } = new float[ForecastInput.Shape.Network.OutputSize];

    internal float[] Input { get; } = new float[ForecastInput.Size];

    internal int[] RowAnchors { get; } = new int[ForecastInput.Anchors];

    internal float[] Mixture { get; } = new float[Scoring.QuantileBins.Count];

    internal float[] Inputs { get; } = new float[Windows * TrainingWindow.Rows * ForecastInput.Size];

    internal int[] Anchors { get; } = new int[Windows * TrainingWindow.Rows * ForecastInput.Anchors];

    internal int[] Targets { get; } = new int[Windows * TrainingWindow.Rows * ForecastInput.Horizons.Length];

    /// <summary>What the values are of the window that is laid out.</summary>
    internal ValueTokens Tokens { get; } = new();

    internal float[] InitialStates { get; } = new float[Windows * ForecastInput.Shape.Network.StateSize];

    internal float[] ZeroStates { get; } = new float[Windows * ForecastInput.Shape.Network.StateSize];

    internal Judging.Events.EventScratch Events { get; } = new();

    /// <summary>Buffers for streams of texts.</summary>
    internal Judging.PlaceScratches Texts { get; } = new(Judging.Texts.TextPieces.Steps, Judging.Texts.TextNetwork.BatchPieces);

    private readonly List<Judging.Records.JointScratch> _joint = [];
    private LstmScratch? _judge;
    private Judging.Values.Shared.SharedSteps? _shared;

    internal double[] Series { get; } = new double[MemorySizes.RingRowsMax];

    internal Scaling.Autocorrelation Autocorrelation { get; } = new();

    /// <summary>Steps of streams in shared form that wait for one another.</summary>
    internal Judging.Values.Shared.SharedSteps Shared => _shared ??= new();

    /// <summary>Buffers of the judge of values, which is as large as its weights.</summary>
    internal LstmScratch Judge(LstmShape shape) => _judge?.Shape == shape ? _judge : _judge = new LstmScratch(shape);

    /// <summary>The same for records of <paramref name="columns"/> columns that are forecast together.</summary>
    internal Judging.Records.JointScratch Joint(int columns) => Judging.Records.JointScratch.Of(_joint, columns);
}
