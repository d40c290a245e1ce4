using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Tests.Support;
using Run = StreamLstm.Tests.Detection.AlertRuleTests.Run;

namespace StreamLstm.Tests.Detection;

public sealed class RegimeAcceptanceTests
{
    [Fact]
    public void An_accepted_level_closes_its_incident_and_hardly_ever_opens_another()
    {
        List<string> others = [];

        for (int seed = 1; seed <= 5; seed++)
        {
            // To the end of the next day: what the level had been a day before is news to nobody.
            double[] series = AlertRuleTests.Shifted(10, seed, rows: 4400);
            var run = new Run();
            run.Feed("a", series, 0, DailySeries.Spike + 10);
            int opened = run.OpenedRows.Length;

            AcceptOutcome outcome = run.Shard.Accept("a", run.Output);
            IncidentEvent closed = run.Incidents[^1];
            run.Feed("a", series, DailySeries.Spike + 10, series.Length);

            Assert.Equal(AcceptOutcome.Applied, outcome);
            Assert.Equal(IncidentState.Closed, closed.State);
            Assert.EndsWith("; accepted as the new normal since 2026-01-02 12:40:00", closed.Explanation, StringComparison.Ordinal);
            others.AddRange(run.Incidents.Where(one => one.State == IncidentState.Opened).Skip(opened).Select(one => $"{seed}: {one.Time:O} {one.Explanation}"));
        }

        // One of the five is told again a day later, as of this writing.
        Assert.True(others.Count <= 1, string.Join("\n", others));
    }

    [Fact]
    public void What_is_clearly_worse_than_what_was_accepted_opens_an_incident_all_the_same()
    {
        double[] series = AlertRuleTests.Spiked(15);
        series[DailySeries.Spike + 12] += 1e6;
        var run = new Run();
        run.Feed("a", series, 0, DailySeries.Spike + 5);
        run.Shard.Accept("a", run.Output);
        run.Feed("a", series, DailySeries.Spike + 5, series.Length);

        Assert.Equal([DailySeries.Spike, DailySeries.Spike + 12], run.OpenedRows);
    }

    [Fact]
    public void Once_the_level_has_settled_alerts_open_as_ever()
    {
        double[] series = AlertRuleTests.Shifted(10);
        Array.Fill(series, series[DailySeries.Spike + 700], DailySeries.Spike + 700, 150);
        var run = new Run();
        run.Feed("a", series, 0, DailySeries.Spike + 10);
        run.Shard.Accept("a", run.Output);
        run.Feed("a", series, DailySeries.Spike + 10, series.Length);

        Assert.NotEqual(SuppressedBy.Accepted, run.Explained(DailySeries.Spike + 690).SuppressedBy);
        Assert.Contains(run.Incidents, incident => incident is { State: IncidentState.Opened, Kind: IncidentKind.Flatline });
    }

    [Fact]
    public void One_more_state_of_a_stream_that_has_states_is_told_once_and_is_normal_when_it_has_lasted_as_long_as_they_do()
    {
        var random = new Random(1);
        List<double> series = [];
        List<int> visits = [];

        for (int visit = 0; visit < 30; visit++)
        {
            bool isNew = visit >= 20 && visit % 3 == 0;

            if (isNew)
            {
                visits.Add(series.Count);
            }

            double level = isNew ? 650 : new[] { 220.0, 350, 800 }[visit % 3];
            series.AddRange(Enumerable.Range(0, 120 + random.Next(80)).Select(_ => level + 4 * Chance.Normal(random)));
        }

        var run = new Run();
        run.Feed("a", [.. series], 0, series.Count);
        IncidentEvent[] told = [.. run.Incidents.Where(incident => incident.Kind is not IncidentKind.Flatline)];

        Assert.Contains(run.OpenedRows, row => row >= visits[0] && row < visits[0] + 60);
        Assert.Contains(told, incident => incident.Explanation.Contains("as long as its other states last: the new normal since", StringComparison.Ordinal));
        Assert.DoesNotContain(run.OpenedRows, row => visits.Skip(1).Any(visit => row >= visit && row < visit + 100));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_drift_is_not_accepted_on_its_way_so_the_next_like_it_is_told_too(int seed)
    {
        // Up by 20 deviations in 1,000 rows, and back in 300.
        var random = new Random(seed);
        double[] series = [.. Enumerable.Range(0, 7_000).Select(row => 50 + Chance.Normal(random) + Lift(row - 2_400) + Lift(row - 4_700))];
        Run run = Run.Of(series);

        Assert.Contains(run.OpenedRows, row => row is > 2_400 and < 3_500);
        Assert.Contains(run.OpenedRows, row => row is > 4_700 and < 5_800);

        static double Lift(int row) => row is < 0 or >= 1_400 ? 0 : row < 1_000 ? 0.02 * row : Math.Min(20, (1_400 - row) / 15.0);
    }

    [Fact]
    public void There_is_nothing_to_accept_where_nothing_is_open()
    {
        Run run = Run.Of(DailySeries.Clean(1, 600));

        Assert.Equal(AcceptOutcome.NothingOpen, run.Shard.Accept("a", run.Output));
        Assert.Equal(AcceptOutcome.UnknownStream, run.Shard.Accept("b", run.Output));
        Assert.Empty(run.Incidents);
    }

    [Fact]
    public void A_level_that_stays_for_the_windows_asked_for_is_accepted_by_itself()
    {
        Run run = Run.Of(AlertRuleTests.Shifted(10), new AlertRule { AcceptAfter = 1 });
        IncidentEvent closed = run.Incidents.First(incident => incident.State == IncidentState.Closed);

        Assert.Contains("; lasts and has settled: the new normal since ", closed.Explanation, StringComparison.Ordinal);
        Assert.InRange((closed.Time - AlertRuleTests.Start).TotalMinutes, DailySeries.Spike + 30, DailySeries.Spike + 98);
    }

    [Fact]
    public void An_acceptance_is_remembered_over_a_restart()
    {
        double[] series = AlertRuleTests.Shifted(10);
        Run stayed = new(), restarted = new();
        stayed.Feed("a", series, 0, DailySeries.Spike + 10);
        restarted.Feed("a", series, 0, DailySeries.Spike + 10);
        stayed.Shard.Accept("a", stayed.Output);
        restarted.Shard.Accept("a", restarted.Output);

        restarted.Restart();
        stayed.Feed("a", series, DailySeries.Spike + 10, 2700);
        restarted.Feed("a", series, DailySeries.Spike + 10, 2700);

        Assert.Equal(stayed.Scored, restarted.Scored);
        Assert.Equal(stayed.Incidents.Select(i => i.Id), restarted.Incidents.Select(i => i.Id));
        Assert.Equal(stayed.Output.Suppressed, restarted.Output.Suppressed);
    }
}
