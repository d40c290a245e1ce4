using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;
using Run = StreamLstm.Tests.Detection.AlertRuleTests.Run;

namespace StreamLstm.Tests.Detection;

public sealed class CoarseClockTests
{
    /// <summary>Where the level begins to creep: the coarse clock has come through its warm-up, 400 rows of 8 values.</summary>
    private const int Creep = 5200;

    private const int Rows = Creep + 400;
    private const int OneClock = 10;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_level_that_creeps_up_by_not_much_more_than_the_noise_is_found_in_means_of_values(int seed)
    {
        Run run = Run.Of(Crept(seed));
        int opened = Assert.Single(run.OpenedRows, row => row >= 4000);

        Assert.InRange(opened, Creep + 50, Creep + 200);
        Indication strongest = run.Explained(opened).Indicators[0];
        Assert.StartsWith("coarse_", strongest.Name, StringComparison.Ordinal);
        Assert.StartsWith("in means of 8 observations: ", strongest.Meaning, StringComparison.Ordinal);
        IncidentEvent incident = run.Incidents.Single(i => i.State == IncidentState.Opened && i.Time == AlertRuleTests.Start.AddMinutes(opened));
        Assert.True(incident.Attribution.Where(share => share.Key.StartsWith("coarse_", StringComparison.Ordinal)).Sum(share => share.Value) > 0.5);
        Assert.Equal(1, incident.Attribution.Values.Sum(), 6);
    }

    [Fact]
    public void It_is_asked_once_it_has_seen_as_many_rows_as_any_stream_must()
    {
        Run run = Run.Of(DailySeries.Clean(1, 3300));

        Assert.Equal(OneClock, run.Explained(3203).Indicators.Count);
        Assert.Equal(2 * OneClock, run.Explained(3204).Indicators.Count);
        Assert.Equal(1, run.Explained(3204).Indicators.Sum(indicator => indicator.Share), 6);
    }

    [Fact]
    public void A_lean_stream_has_none()
    {
        var shard = new DetectionShard(new DetectionOptions { Form = StreamForm.Lean }, new StreamQuota(10, 0), 0, 1, new DetectionScratch());
        Observation[] observations = [.. DailySeries.Clean(1, 3300).Select((value, row) => new Observation("a", AlertRuleTests.Start.AddMinutes(row), value))];
        shard.Apply(observations, AlertRuleTests.Start.AddYears(1), BaseModel.Untrained(1), new ShardOutput());

        Assert.Equal(OneClock, shard.Explain("a", null, out _)!.Indicators.Count);
    }

    [Fact]
    public void A_restart_within_one_of_its_rows_changes_nothing()
    {
        double[] series = Crept(1);
        Run whole = Run.Of(series), restarted = new();
        restarted.Feed("a", series, 0, Creep + 51);
        restarted.Restart();
        restarted.Feed("a", series, Creep + 51, Rows);

        Assert.Equal(whole.Scored, restarted.Scored);
        Assert.Equal(whole.Incidents.Select(i => (i.Id, i.Explanation)), restarted.Incidents.Select(i => (i.Id, i.Explanation)));
    }

    [Fact]
    public void A_false_alarm_makes_its_level_ordinary_by_both_clocks()
    {
        const int Again = Creep + 2400;
        double[] series = DailySeries.Clean(1, Again + 400);
        Raise(series, Creep, Creep + 400);
        Raise(series, Again, Again + 400, height: 2);

        Run left = Run.Of(series), labelled = new();
        labelled.Feed("a", series, 0, Creep + 400);
        IncidentEvent incident = labelled.Incidents.Last(i => i.State == IncidentState.Opened);
        Assert.Equal(LabelOutcome.Applied, labelled.Shard.Label("a", incident.IncidentId, IncidentLabel.FalseAlarm, incident.Time, labelled.Output));
        labelled.Feed("a", series, Creep + 400, series.Length);

        int opened = left.OpenedRows.First(row => row >= Again);
        Assert.True(
            Coarse(labelled, opened) < Coarse(left, opened) - 1, $"{Coarse(left, opened)} decades, {Coarse(labelled, opened)} with the label");
        Assert.True(labelled.Explained(Again + 300).EvidenceWithoutLabels > labelled.Explained(Again + 300).Evidence + 1);

        static double Coarse(Run run, int row) => run.Explained(row).Indicators.Single(indicator => indicator.Name == "coarse_season").Score;
    }

    [Fact]
    public void A_long_gap_silences_it_until_its_forecasts_are_whole_again()
    {
        double[] series = DailySeries.Clean(1, 3600);
        var run = new Run();
        run.Feed("a", series, 0, 3300);
        run.Feed("a", series, 3300, 3600, later: TimeSpan.FromHours(4));

        Assert.Equal(2 * OneClock, run.Explained(3299).Indicators.Count);
        Assert.Equal(OneClock, run.Explained(3300 + 8 * 24 - 2).Indicators.Count);
        Assert.Equal(2 * OneClock, run.Explained(3300 + 8 * 24).Indicators.Count);
    }

    private static double[] Crept(int seed)
    {
        double[] series = DailySeries.Clean(seed, Rows);
        Raise(series, Creep, Rows);
        return series;
    }

    private static void Raise(double[] series, int from, int to, double height = 0.8)
    {
        for (int row = from; row < to; row++)
        {
            series[row] += height * Math.Min(1, (row - from) / 200.0);
        }
    }
}
