using StreamLstm.Benchmarks.Quality.Scorers;

namespace StreamLstm.Tests.Benchmarks;

/// <summary>The volume under the surface against its definition in plain loops, and cases whose value is known.</summary>
public sealed class VusScorerTests
{
    [Fact]
    public void Volumes_are_those_of_the_definition()
    {
        var random = new Random(11);

        for (int round = 0; round < 300; round++)
        {
            int rows = random.Next(1, 60), window = random.Next(0, 14), levels = random.Next(1, 12);
            double anomalous = random.NextDouble();
            bool[] labels = [.. Enumerable.Range(0, rows).Select(_ => random.NextDouble() < anomalous)];

            // Few levels: rows with equal scores, and widened runs that meet.
            double[] scores = [.. labels.Select(label => random.Next(levels) + (label && random.Next(3) == 0 ? 1.0 : 0))];

            VusResult result = VusScorer.Score(scores, labels, window);

            (double precisionRecall, double roc) = Definition(scores, labels, window);
            Assert.Equal(precisionRecall, result.PrecisionRecall, 1e-9);
            Assert.Equal(roc, result.Roc, 1e-9);
        }
    }

    [Fact]
    public void Volumes_are_those_of_the_definition_where_thresholds_leave_rows_out()
    {
        var random = new Random(12);
        bool[] labels = [.. Enumerable.Range(0, 2000).Select(row => row % 300 is > 40 and < 60 || row is < 5 or > 1990)];
        double[] scores = [.. labels.Select(label => random.NextDouble() + (label ? 0.4 : 0))];

        VusResult result = VusScorer.Score(scores, labels, 10);

        (double precisionRecall, double roc) = Definition(scores, labels, 10);
        Assert.Equal(precisionRecall, result.PrecisionRecall, 1e-9);
        Assert.Equal(roc, result.Roc, 1e-9);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void Scores_that_are_the_labels_are_perfect(int window)
    {
        bool[] labels = Labels(1000, (100, 199), (500, 549));

        VusResult result = VusScorer.Score([.. labels.Select(label => label ? 1.0 : 0)], labels, window);

        Assert.Equal(1, result.PrecisionRecall, 12);
        Assert.Equal(1, result.Roc, 12);
    }

    [Fact]
    public void The_credit_beside_a_run_makes_the_rows_next_to_it_worth_finding()
    {
        bool[] labels = Labels(1000, (100, 199), (500, 549));
        double[] late = [.. Enumerable.Range(0, 1000).Select(row => row is >= 110 and < 210 or >= 510 and < 560 ? 1.0 : 0)];

        double narrow = VusScorer.Score(late, labels, 0).PrecisionRecall, wide = VusScorer.Score(late, labels, 60).PrecisionRecall;

        Assert.InRange(narrow, 0, wide - 0.02);
    }

    [Fact]
    public void A_constant_score_is_worth_the_share_of_rows_that_are_labelled()
    {
        VusResult result = VusScorer.Score(new double[1000], Labels(1000, (100, 199)), window: 0);

        Assert.Equal(0.1, result.PrecisionRecall, 12);
        Assert.Equal(0.5, result.Roc, 12);
    }

    [Theory]
    [InlineData(0, 9)]
    [InlineData(990, 999)]
    [InlineData(0, 0)]
    [InlineData(999, 999)]
    public void A_run_at_an_end_is_a_run_like_any_other(int first, int last)
    {
        bool[] labels = Labels(1000, (first, last));

        VusResult result = VusScorer.Score([.. labels.Select(label => label ? 1.0 : 0)], labels, window: 8);

        Assert.Equal(1, result.PrecisionRecall, 12);
        Assert.Equal(1, result.Roc, 12);
    }

    [Fact]
    public void Without_anomalies_there_is_no_volume_and_without_a_score_no_row_is_found()
    {
        Assert.Equal(new VusResult(double.NaN, double.NaN), VusScorer.Score([1, 2, 3], [false, false, false], 2));

        double unscored = VusScorer.Score([double.NegativeInfinity, 1, 1, 1], [true, false, false, false], 0).PrecisionRecall;
        Assert.Equal(0.25, unscored, 12);
    }

    [Fact]
    public void All_rows_labelled_leave_nothing_to_be_wrong_about()
    {
        Assert.Equal(1, VusScorer.Score([3, 1, 2], [true, true, true], 4).PrecisionRecall, 12);
    }

    [Fact]
    public void Scores_that_are_no_numbers_and_a_row_too_few_are_refused()
    {
        Assert.Throws<ArgumentException>(() => VusScorer.Score([double.NaN], [true], 1));
        Assert.Throws<ArgumentException>(() => VusScorer.Score([1], [true, false], 1));
    }

    [Theory]
    [InlineData(24, 24)]
    [InlineData(300, 300)]
    [InlineData(5, DominantPeriod.Default)] // too short: a peak at 5, the multiples below it
    [InlineData(350, DominantPeriod.Default)] // too long
    public void The_widest_window_is_the_period_of_the_series(int period, int expected)
    {
        // Fading with the lag, so that the first peak is the highest.
        double[] values = [.. Enumerable.Range(0, 3000).Select(row => 7 + Math.Sin(2 * Math.PI * row / period))];

        Assert.Equal(expected, DominantPeriod.Of(values));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(900)]
    public void A_series_without_a_peak_has_the_default_period(int rows) =>
        Assert.Equal(DominantPeriod.Default, DominantPeriod.Of([.. Enumerable.Repeat(2.5, rows)]));

    private static bool[] Labels(int rows, params (int First, int Last)[] runs) =>
        [.. Enumerable.Range(0, rows).Select(row => Array.Exists(runs, run => row >= run.First && row <= run.Last))];

    /// <summary>Every window, every threshold, every row.</summary>
    private static (double PrecisionRecall, double Roc) Definition(double[] scores, bool[] labels, int widest)
    {
        int rows = scores.Length, anomalous = labels.Count(label => label);

        if (anomalous == 0)
        {
            return (double.NaN, double.NaN);
        }

        int[] starts = [.. Enumerable.Range(0, rows).Where(row => labels[row] && (row == 0 || !labels[row - 1]))];
        int[] ends = [.. Enumerable.Range(0, rows).Where(row => labels[row] && (row == rows - 1 || !labels[row + 1]))];
        double[] falling = [.. scores.OrderByDescending(score => score)];
        double precisionRecall = 0, roc = 0;

        for (int window = 0; window <= widest; window++)
        {
            int half = window / 2;
            double[] credit = [.. labels.Select((label, row) => label ? 1 : Math.Min(1, starts.Zip(ends, (start, end) =>
            {
                int distance = row < start ? start - row : row - end;
                return distance <= half ? Math.Sqrt(1 - (double)distance / window) : 0;
            }).Sum()))];
            bool[] reached = [.. credit.Select(one => one > 0)];
            List<(double Recall, double FalseAlarms, double Precision)> curve = [(0, 0, 1)];

            for (int k = 0; k < 250; k++)
            {
                double threshold = falling[k == 249 ? rows - 1 : (int)(k * ((rows - 1) / 249.0))];
                bool[] flagged = [.. scores.Select(score => score >= threshold)];
                double found = 0, beside = 0;

                for (int row = 0; row < rows; row++)
                {
                    found += flagged[row] ? credit[row] : 0;
                    beside += flagged[row] && !labels[row] ? credit[row] : 0;
                }

                // Runs are one where they share a row once widened.
                int regions = 0, met = 0;

                for (int i = 0; i < starts.Length; i++)
                {
                    int from = Math.Max(0, starts[i] - half);

                    while (i + 1 < starts.Length && ends[i] + half >= starts[i + 1] - half)
                    {
                        i++;
                    }

                    int to = Math.Min(rows - 1, ends[i] + half);
                    Assert.True(reached.AsSpan(from..(to + 1)).IndexOf(false) < 0);
                    regions++;
                    met += flagged.AsSpan(from..(to + 1)).Contains(true) ? 1 : 0;
                }

                double positives = (anomalous + anomalous + beside) / 2;
                int alarms = flagged.Count(flag => flag);
                curve.Add((Math.Min(found / positives, 1) * met / regions, (alarms - found) / (rows - positives), found / alarms));
            }

            curve.Add((1, 1, 0));

            for (int k = 1; k < curve.Count; k++)
            {
                precisionRecall += k < curve.Count - 1 ? (curve[k].Recall - curve[k - 1].Recall) * curve[k].Precision : 0;
                roc += (curve[k].FalseAlarms - curve[k - 1].FalseAlarms) * (curve[k].Recall + curve[k - 1].Recall) / 2;
            }
        }

        return (precisionRecall / (widest + 1), roc / (widest + 1));
    }
}
