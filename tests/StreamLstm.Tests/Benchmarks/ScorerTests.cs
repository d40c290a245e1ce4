using StreamLstm.Benchmarks.Quality;
using StreamLstm.Benchmarks.Quality.Scorers;
using StreamLstm.Benchmarks.Quality.Sets;

namespace StreamLstm.Tests.Benchmarks;

/// <summary>Small cases whose scores follow from the benchmarks' rules by hand.</summary>
public sealed class ScorerTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Theory]
    [InlineData(new[] { 10 }, 100)] // at the window's start: 1
    [InlineData(new[] { 12 }, 92.9896)] // s(-.5) / s(-1) = .848284 / .986614 = .859793
    [InlineData(new[] { 10, 12 }, 100)] // the best of a window counts, once
    [InlineData(new[] { 5, 10 }, 94.5)] // before any window: -.11
    [InlineData(new[] { 10, 15 }, 94.8789)] // two rows behind a window of four: .11 s(2/3) = -.102422
    [InlineData(new[] { 2, 10 }, 100)] // in the first 15 %: nothing
    [InlineData(new int[0], 0)]
    public void Nab_rewards_an_early_detection_in_a_window_and_charges_one_outside(int[] detections, double expected)
    {
        NabResult result = NabScorer.Score([Nab(detections)], NabCosts.Standard, threshold: 1);

        Assert.Equal(expected, result.Score, 4);
    }

    [Fact]
    public void Nab_charges_twice_for_false_rows_or_for_misses_in_its_other_profiles()
    {
        NabSeries falseRow = Nab(5, 10), silent = Nab();

        Assert.Equal(100 * (0.78 + 1) / 2, NabScorer.Score([falseRow], NabCosts.LowFalsePositives, 1).Score, 9);
        Assert.Equal(-2, NabScorer.Score([silent], NabCosts.LowFalseNegatives, 1).Raw);
        Assert.Equal(100 * (1 - 2 + 4) / 6.0, NabScorer.Score([Nab(10), silent with { Name = "b" }], NabCosts.LowFalseNegatives, 1).Score, 9);
    }

    [Fact]
    public void Nab_chooses_the_one_threshold_that_is_best_for_all_files_together()
    {
        NabSeries first = Nab() with { Scores = Scores((10, 0.8), (5, 0.9)) };
        NabSeries second = Nab() with { Name = "b", Scores = Scores((10, 0.8), (4, 0.7), (5, 0.7)) };

        NabResult result = NabScorer.Score([first, second], NabCosts.Standard);

        Assert.Equal((0.8, 2, 2, 1), (result.Threshold, result.WindowsFound, result.Windows, result.FalseRows));
        Assert.Equal(1.89, result.Raw, 9);
    }

    [Fact]
    public void Skab_counts_rows_and_claims()
    {
        bool[] predictions = [false, false, false, false, false, true, true, true, true, false];
        SkabResult result = SkabScorer.Score([Skab(10, change: 4, anomalies: 4..8, predictions, [4])]);

        Assert.Equal((3, 5, 1, 1), result.Rows);
        Assert.Equal((0.75, 100 / 6.0, 25), (result.F1, result.FalseAlarmRate, result.MissedRate));
        Assert.Equal((100, 100, 100), result.Nab);
    }

    [Theory]
    [InlineData(new[] { 10 }, 100)]
    [InlineData(new[] { 40 }, 72.2024)] // the middle of the window: .444049
    [InlineData(new[] { 70 }, 44.5)] // its end: -.11
    [InlineData(new[] { 5, 10 }, 94.5)] // one before it: -.11
    [InlineData(new[] { 10, 71 }, 94.5)] // one behind it
    [InlineData(new[] { 10, 30 }, 100)] // the first in the window counts
    [InlineData(new int[0], 0)]
    public void Skab_rewards_the_first_claim_in_the_minute_behind_a_change_point(int[] claims, double expected)
    {
        SkabResult result = SkabScorer.Score([Skab(100, change: 10, anomalies: 0..0, new bool[100], claims)]);

        Assert.Equal(expected, result.Nab.Standard, 4);
    }

    [Fact]
    public void Skab_claims_a_change_wherever_the_prediction_changes()
    {
        bool?[] claims = [.. SkabQuality.ChangesOf([null, true, true, null, false, false, true])];

        Assert.Equal([null, true, false, null, true, false, true], claims);
    }

    [Fact]
    public void Telemanom_credits_a_detection_to_the_first_sequence_it_overlaps()
    {
        var channel = new TelemanomChannel([(15, 35), (50, 60)], [(10, 20), (30, 40)], 100);

        TelemanomResult result = TelemanomScorer.Score([channel]);

        Assert.Equal((1, 1, 1, 32), (result.Found, result.False, result.Missed, result.FlaggedRows));
        Assert.Equal((0.5, 0.5, 0.5, 32), (result.Precision, result.Recall, result.F1, result.FlaggedShare));
    }

    [Fact]
    public void Telemanom_counts_a_flagged_row_once()
    {
        var channel = new TelemanomChannel([(5, 14), (0, 9), (98, 120)], [], 100);

        Assert.Equal(17, TelemanomScorer.Score([channel]).FlaggedRows);
    }

    [Theory]
    [InlineData(1050, 900, false)]
    [InlineData(1050, 901, true)]
    [InlineData(1050, 1149, true)]
    [InlineData(1050, 1150, false)]
    [InlineData(1300, 700, false)]
    [InlineData(1300, 701, true)]
    public void Ucr_takes_an_answer_within_a_hundred_rows_or_the_anomalys_length(long end, long answer, bool right)
    {
        Assert.Equal(right ? 1 : 0, UcrScorer.Score([new UcrSeries("a", 1000, end, [answer])]).Top1);
    }

    [Fact]
    public void Ucr_gives_every_family_the_same_weight()
    {
        UcrSeries right = new("a", 1000, 1050, [1000]), wrong = new("b", 1000, 1050, [0, 0, 1000]), silent = new("a", 1000, 1050, []);

        UcrResult result = UcrScorer.Score([right, wrong, right, silent, wrong]);

        Assert.Equal((0.4, 0.8, 0.8), (result.Top1, result.Top3, result.Top5));
        Assert.Equal(1 / 3.0, result.Families, 9);
    }

    [Theory]
    [InlineData("DISTORTEDapneaecg2", "apneaecg")]
    [InlineData("NOISEGP711MarkerLFM5z3", "GP711MarkerLFM5z")]
    [InlineData("apneaecg", "apneaecg")]
    public void Altered_copies_and_other_anomalies_of_a_recording_are_one_family(string name, string family) =>
        Assert.Equal(family, UcrQuality.Family(name));

    [Fact]
    public void Average_precision_and_best_f1_follow_the_falling_threshold()
    {
        double[] scores = [0.9, 0.8, 0.7, 0.6];
        bool[] labels = [true, false, true, false];

        Assert.Equal(0.5 + 0.5 * 2 / 3, PointwiseScorer.AveragePrecision(scores, labels), 12);
        Assert.Equal(0.8, PointwiseScorer.BestF1(scores, labels), 12);
        Assert.Equal(0.5, PointwiseScorer.F1(scores, labels, 0.75), 12);
        Assert.Equal(0.5, PointwiseScorer.AveragePrecision([1, 1, 1, 1], labels), 12);
    }

    [Theory]
    [InlineData(">", 79, 78.96, "Q1 nab: 79.0 (goal > 79) missed")]
    [InlineData(">=", 78.5, 78.9, "Q1 nab: 78.9 (goal >= 78.5) met")]
    [InlineData("<", 13, 12.94, "Q1 nab: 12.9 (goal < 13) met")]
    [InlineData("<=", 5, double.NaN, "Q1 nab: NaN (goal <= 5) missed")]
    public void A_goal_is_judged_by_the_two_numbers_on_its_line(string comparison, double limit, double value, string expected) =>
        Assert.Equal(expected, new QualityGoal("Q1", "nab", 0, comparison, limit).Line(value, "F1"));

    /// <summary>Twenty hourly rows with a window over rows 10 to 13.</summary>
    private static NabSeries Nab(params int[] detections) => new(
        "a",
        [.. Enumerable.Range(0, 20).Select(row => Start.AddHours(row))],
        Scores([.. detections.Select(row => (row, 1.0))]),
        [(Start.AddHours(10), Start.AddHours(13))]);

    private static double[] Scores(params (int Row, double Score)[] scores)
    {
        var all = new double[20];

        foreach ((int row, double score) in scores)
        {
            all[row] = score;
        }

        return all;
    }

    private static SkabSeries Skab(int rows, int change, Range anomalies, bool[] predictions, int[] claims) => new(
        [.. Enumerable.Range(0, rows).Select(row => Start.AddSeconds(row))],
        [.. Enumerable.Range(0, rows).Select(row => row >= anomalies.Start.Value && row < anomalies.End.Value)],
        [.. Enumerable.Range(0, rows).Select(row => row == change)],
        [.. predictions.Select(prediction => (bool?)prediction)],
        [.. Enumerable.Range(0, rows).Select(row => (bool?)claims.Contains(row))]);
}
