namespace StreamLstm.Benchmarks.Quality.Scorers;

/// <summary>Volumes under the surface, 0 to 1: of precision over recall, and of the ROC curve. NaN where nothing is labelled.</summary>
internal readonly record struct VusResult(double PrecisionRecall, double Roc);

/// <summary>
/// VUS-PR and VUS-ROC (Paparrizos et al., VLDB 2022; the faster form of Boniol et al., arXiv:2502.13318) as TSB-AD
/// computes them (NeurIPS 2024, its version 'opt' with 250 thresholds): the mean, over windows w = 0 .. L, of the area
/// under a curve on which a labelled run also gives credit for the w / 2 rows on either side of it.
/// </summary>
/// <remarks><code>
///   credit(row) = 1 in a run, else min(1, sum over the runs within w / 2 rows of sqrt(1 - distance / w))
///   T = sum of credit over flagged rows     B = the part of T that lies outside runs     P = rows in runs
///   recall = min(1, T / (P + B / 2)) x the share of runs, widened by w / 2 and merged, that hold a flagged row
///   precision = T / flagged     false alarms = (flagged - T) / (rows - P - B / 2)
/// </code>
/// Only rows beside a run change from window to window, and of a row only the first threshold that flags it matters: n
/// log n + L (250 + L x runs) steps.
/// </remarks>
internal static class VusScorer
{
    private const int Thresholds = 250;

    /// <param name="scores">(n), high = anomalous; -infinity for a row without one.</param>
    /// <param name="labels">(n).</param>
    /// <param name="window">L, the widest window; TSB-AD takes <see cref="DominantPeriod.Of"/> the series.</param>
    public static VusResult Score(IReadOnlyList<double> scores, IReadOnlyList<bool> labels, int window)
    {
        if (scores.Count != labels.Count || scores.Any(double.IsNaN))
        {
            throw new ArgumentException($"{scores.Count} scores for {labels.Count} labels; expected as many, all numbers", nameof(scores));
        }

        List<Run> runs = Runs(labels);

        if (runs.Count == 0)
        {
            return new VusResult(double.NaN, double.NaN);
        }

        Flagging flagging = Flag(scores);
        var surface = new Surface(labels, runs, flagging);
        double precisionRecall = 0, roc = 0;

        for (int w = 0; w <= window; w++)
        {
            VusResult areas = surface.Areas(w);
            precisionRecall += areas.PrecisionRecall;
            roc += areas.Roc;
        }

        return new VusResult(precisionRecall / (window + 1), roc / (window + 1));
    }

    private static List<Run> Runs(IReadOnlyList<bool> labels)
    {
        List<Run> runs = [];

        for (int row = 0; row < labels.Count; row++)
        {
            if (labels[row] && row > 0 && labels[row - 1])
            {
                runs[^1] = runs[^1] with { Last = row };
            }
            else if (labels[row])
            {
                runs.Add(new Run(row, row));
            }
        }

        return runs;
    }

    /// <summary>Thresholds are scores, evenly spaced in rank from the highest to the lowest: equal scores give equal ones.</summary>
    private static Flagging Flag(IReadOnlyList<double> scores)
    {
        double[] sorted = [.. scores];
        Array.Sort(sorted);
        Array.Reverse(sorted);
        var thresholds = new double[Thresholds];
        double step = (scores.Count - 1) / (Thresholds - 1.0);

        for (int k = 0; k < Thresholds; k++)
        {
            thresholds[k] = sorted[k < Thresholds - 1 ? (int)(k * step) : ^1];
        }

        var first = new int[scores.Count];
        var flagged = new int[Thresholds];

        for (int row = 0; row < first.Length; row++)
        {
            first[row] = FirstAtMost(thresholds, scores[row]);
            flagged[first[row]]++;
        }

        for (int k = 1; k < Thresholds; k++)
        {
            flagged[k] += flagged[k - 1];
        }

        return new Flagging(first, flagged);
    }

    /// <summary>Where in falling values the first stands that is at most this one; the last is.</summary>
    private static int FirstAtMost(double[] falling, double value)
    {
        int low = 0, high = falling.Length - 1;

        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = falling[middle] <= value ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    /// <summary>Labelled rows next to each other, the last one included.</summary>
    private readonly record struct Run(int First, int Last);

    /// <param name="First">(n): the first threshold at which a row is flagged.</param>
    /// <param name="Rows">(250): how many rows are flagged at a threshold.</param>
    private sealed record Flagging(int[] First, int[] Rows);

    /// <summary>The curve of every window.</summary>
    private sealed class Surface
    {
        private readonly IReadOnlyList<bool> _labels;
        private readonly List<Run> _runs;
        private readonly Flagging _flagging;

        /// <summary>(runs): the first threshold at which a row of the run is flagged.</summary>
        private readonly int[] _runFirst;

        /// <summary>(250): labelled rows whose first threshold it is.</summary>
        private readonly int[] _labelled = new int[Thresholds];

        // Scratch of one window, all 0 between windows.
        private readonly double[] _credit; // (n), beside runs only
        private readonly double[] _beside = new double[Thresholds]; // credit of rows whose first threshold it is
        private readonly int[] _met = new int[Thresholds]; // widened runs whose first threshold it is

        public Surface(IReadOnlyList<bool> labels, List<Run> runs, Flagging flagging)
        {
            _labels = labels;
            _runs = runs;
            _flagging = flagging;
            _credit = new double[labels.Count];
            _runFirst = [.. runs.Select(run => flagging.First[run.First..(run.Last + 1)].Min())];

            for (int row = 0; row < labels.Count; row++)
            {
                _labelled[flagging.First[row]] += labels[row] ? 1 : 0;
            }
        }

        /// <summary>The areas under the two curves of one window.</summary>
        public VusResult Areas(int window)
        {
            foreach (Run run in _runs)
            {
                AddCredit(run, window);
            }

            int widened = Take(window / 2);
            double precisionRecall = 0, roc = 0, lastRecall = 0, lastFalseAlarms = 0, beside = 0;
            int labelled = 0, met = 0, anomalous = _labelled.Sum();

            for (int k = 0; k < Thresholds; k++)
            {
                labelled += _labelled[k];
                beside += _beside[k];
                met += _met[k];
                double credit = labelled + beside, positives = anomalous + beside / 2;
                double recall = Math.Min(1, credit / positives) * met / widened;
                double falseAlarms = (_flagging.Rows[k] - credit) / (_labels.Count - positives);
                precisionRecall += (recall - lastRecall) * credit / _flagging.Rows[k];
                roc += (falseAlarms - lastFalseAlarms) * (recall + lastRecall) / 2;
                (lastRecall, lastFalseAlarms) = (recall, falseAlarms);
            }

            Array.Clear(_beside);
            Array.Clear(_met);
            return new VusResult(precisionRecall, roc + (1 - lastFalseAlarms) * (1 + lastRecall) / 2);
        }

        private void AddCredit(Run run, int window)
        {
            for (int distance = 1; distance <= window / 2; distance++)
            {
                double credit = Math.Sqrt(1 - (double)distance / window);
                Add(run.First - distance);
                Add(run.Last + distance);

                void Add(int row)
                {
                    if (row >= 0 && row < _credit.Length && !_labels[row])
                    {
                        _credit[row] += credit;
                    }
                }
            }
        }

        /// <summary>Moves the rows' credit to their thresholds, and finds those of the widened runs.</summary>
        /// <returns>How many widened runs there are.</returns>
        private int Take(int half)
        {
            int widened = 0, first = Thresholds;

            for (int i = 0; i < _runs.Count; i++)
            {
                Run run = _runs[i];
                first = Math.Min(first, _runFirst[i]);

                for (int distance = 1; distance <= half; distance++)
                {
                    TakeRow(run.First - distance);
                    TakeRow(run.Last + distance);
                }

                if (i + 1 == _runs.Count || run.Last + half < _runs[i + 1].First - half)
                {
                    _met[first]++;
                    widened++;
                    first = Thresholds;
                }
            }

            return widened;

            void TakeRow(int row)
            {
                if (row >= 0 && row < _credit.Length && _credit[row] > 0)
                {
                    _beside[_flagging.First[row]] += Math.Min(1, _credit[row]);
                    _credit[row] = 0;
                    first = Math.Min(first, _flagging.First[row]);
                }
            }
        }
    }
}
