using StreamLstm.Model;
using StreamLstm.Model.Heads;

namespace StreamLstm.Detection.Learning;

/// <summary>How well weights tell faults from what came: injected faults in clean windows, by how surprised the network is.</summary>
/// <remarks>
/// A network may forecast clean windows better and faults no worse than them, as one does that has become sure of nothing or of
/// everything; a loss on clean windows alone would have it serve. A fault is here a value as far from the one that came as half of
/// the bins are. The figure is the area under the ROC curve (Hanley and McNeil 1982): the chance that a fault surprises more than
/// a clean value does.
/// </remarks>
internal static class FaultSeparation
{
    /// <summary>Bins from the value that came to the one of the fault.</summary>
    private const int Away = Scoring.QuantileBins.Count / 2;

    /// <summary>Of weights on clean windows, 0 to 1; null while no value is forecast in them.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="windows">Clean windows that they were not trained on.</param>
    /// <param name="scratch">Room to work in.</param>
    public static double? Of(ForecastWeights weights, IReadOnlyList<TrainingWindow> windows, DetectionScratch scratch)
    {
        List<double> clean = [], faulty = [];

        foreach (TrainingWindow window in windows)
        {
            Add(weights, window, clean, faulty, scratch);
        }

        return clean.Count == 0 ? null : Area(clean, faulty);
    }

    /// <summary>Adds the surprise of each next value of a window, and of a fault in its place, in nats.</summary>
    private static void Add(ForecastWeights weights, TrainingWindow window, List<double> clean, List<double> faulty, DetectionScratch scratch)
    {
        ForecastShape shape = ForecastInput.Shape;
        Span<float> state = scratch.InitialStates.AsSpan(0, shape.Network.StateSize);
        state.Clear();

        for (int row = 0; row < TrainingWindow.Rows; row++)
        {
            ForecastHead.Step(
                weights,
                window.Inputs.AsSpan(row * ForecastInput.Size, ForecastInput.Size),
                state,
                window.Anchors.AsSpan(row * ForecastInput.Anchors, ForecastInput.Anchors),
                scratch.Logits,
                scratch.Network);

            if (row < TrainingWindow.WarmUpRows || window.Targets[row * shape.HorizonCount] is not (>= 0 and var came))
            {
                continue;
            }

            ReadOnlySpan<float> logits = scratch.Logits.AsSpan(0, shape.BinCount);
            double sum = ForecastHead.Softmax(logits, scratch.Mixture);
            clean.Add(sum - logits[came]);
            faulty.Add(sum - logits[(came + Away) % shape.BinCount]);
        }
    }

    /// <summary>By ranks; what is equal counts half.</summary>
    private static double Area(List<double> clean, List<double> faulty)
    {
        double[] sorted = [.. clean.Order()];
        double wins = 0;

        foreach (double surprise in faulty)
        {
            wins += 0.5 * (Below(sorted, surprise, orEqual: false) + Below(sorted, surprise, orEqual: true));
        }

        return wins / ((double)clean.Count * faulty.Count);
    }

    private static int Below(double[] sorted, double value, bool orEqual)
    {
        (int low, int high) = (0, sorted.Length);

        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = sorted[middle] < value || (orEqual && sorted[middle] == value) ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
