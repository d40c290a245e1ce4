using StreamLstm.Detection.Scoring;
using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>Buffers that one thread uses for whatever stream of D columns it forecasts. Holds nothing between two rows.</summary>
internal sealed class JointScratch
{
    /// <summary>Numbers of columns whose buffers are kept, those last asked for.</summary>
    private const int ShapesMax = 8;

    private JointScratch(int columns)
    {
        Columns = columns;
        ForecastShape shape = JointForecaster.ShapeOf(columns);
        Windows = JointForecaster.WindowsOf(columns);
        int rows = Windows * JointForecaster.WindowRows;
        Network = new LstmScratch(shape.Network);
        Trainer = new ForecastTrainer(
            shape,
            JointForecaster.WindowRows,
            // A column that hardly ever moves has empty bins, whose part in a target would lie far out.
            new ForecastTrainingOptions { HorizonWeights = [.. Enumerable.Repeat(1f, columns)], NeighbourSmoothing = 0 },
            Windows);
        Start = WeightInitializer.Create(shape, seed: 1);
        Logits = new float[shape.Network.OutputSize];
        RowAnchors = new int[columns];
        Inputs = new float[rows * shape.Network.InputSize];
        Anchors = new int[rows * columns];
        Targets = new int[rows * columns];
        InitialStates = new float[Windows * shape.Network.StateSize];
    }

    /// <summary>D.</summary>
    public int Columns { get; }

    /// <summary>Windows that are trained on together.</summary>
    public int Windows { get; }

    public LstmScratch Network { get; }

    public ForecastTrainer Trainer { get; }

    /// <summary>The weights that every stream of D columns begins with; never changed.</summary>
    public ForecastWeights Start { get; }

    /// <summary>(D, bins).</summary>
    public float[] Logits { get; }

    /// <summary>(D).</summary>
    public int[] RowAnchors { get; }

    /// <summary>(windows, rows, inputs).</summary>
    public float[] Inputs { get; }

    /// <summary>(windows, rows, D).</summary>
    public int[] Anchors { get; }

    /// <summary>(windows, rows, D).</summary>
    public int[] Targets { get; }

    /// <summary>(windows, StateSize).</summary>
    public float[] InitialStates { get; }

    /// <summary>The buffers for D columns: those at hand, else new ones in the place of those longest not asked for.</summary>
    public static JointScratch Of(List<JointScratch> kept, int columns)
    {
        int at = kept.FindIndex(one => one.Columns == columns);

        if (at == 0)
        {
            return kept[0];
        }

        JointScratch scratch = at > 0 ? kept[at] : new JointScratch(columns);

        if (at > 0 || kept.Count == ShapesMax)
        {
            kept.RemoveAt(at > 0 ? at : ShapesMax - 1);
        }

        kept.Insert(0, scratch);
        return scratch;
    }
}
