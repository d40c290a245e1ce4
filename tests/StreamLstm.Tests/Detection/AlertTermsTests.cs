using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Tests.Support;
using Run = StreamLstm.Tests.Detection.AlertRuleTests.Run;

namespace StreamLstm.Tests.Detection;

public sealed class AlertTermsTests
{
    private static readonly AlertRule Critical = new() { SeverityMin = IncidentSeverity.Critical };

    [Fact]
    public void Others_hold_from_the_next_observation_on_and_the_stream_goes_on()
    {
        double[] series = AlertRuleTests.Spiked(15);
        series[DailySeries.Spike + 400] += 15;
        var run = new Run(new AlertRule { Direction = AlertDirection.Down });
        run.Feed("a", series, 0, DailySeries.Spike + 200);
        run.Shard.Ask(new DetectionOptions().Terms());
        run.Feed("a", series, DailySeries.Spike + 200, series.Length);
        Run free = Run.Of(series);

        Assert.DoesNotContain(DailySeries.Spike, run.OpenedRows);
        Assert.Contains(DailySeries.Spike + 400, run.OpenedRows);
        Assert.Equal(free.Scored[..DailySeries.Spike].Select(one => one.Score), run.Scored[..DailySeries.Spike].Select(one => one.Score));
    }

    [Fact]
    public void Fewer_alerts_may_be_asked_for_of_a_stream_that_runs()
    {
        double[] series = AlertRuleTests.Spiked(15);
        var run = new Run();
        run.Feed("a", series, 0, DailySeries.Spike - 1);
        run.Shard.Ask(new DetectionOptions { CleanRowsPerAlert = 1e8 }.Terms());
        run.Feed("a", series, DailySeries.Spike - 1, series.Length);

        Assert.Equal(8, run.Explained(DailySeries.Spike).Threshold, precision: 5);
    }

    [Fact]
    public void What_a_budget_holds_outlives_another_size_and_not_its_end()
    {
        var one = new AlertRule { Budget = 1, BudgetPer = TimeSpan.FromDays(30) };
        double[] series = AlertRuleTests.Spiked(15);
        series[DailySeries.Spike + 400] += 11;

        Assert.DoesNotContain(DailySeries.Spike + 400, Changed(one with { BudgetPer = TimeSpan.FromDays(20) }).OpenedRows);
        Assert.Contains(DailySeries.Spike + 400, Changed(one with { Budget = 2 }).OpenedRows);
        Assert.Contains(DailySeries.Spike + 400, Changed().OpenedRows);

        Run Changed(params AlertRule[] rules)
        {
            var run = new Run(one);
            run.Feed("a", series, 0, DailySeries.Spike + 200);
            run.Shard.Ask(new DetectionOptions { AlertRules = rules }.Terms());
            run.Feed("a", series, DailySeries.Spike + 200, series.Length);
            Assert.Contains(DailySeries.Spike, run.OpenedRows);
            return run;
        }
    }

    [Fact]
    public void A_shard_restored_under_older_rules_keeps_the_budget_of_those_that_held_when_it_was_saved()
    {
        var one = new AlertRule { Budget = 1, BudgetPer = TimeSpan.FromDays(30) };
        double[] series = AlertRuleTests.Spiked(15);
        series[DailySeries.Spike + 400] += 11;
        var run = new Run();
        run.Feed("a", series, 0, DailySeries.Spike - 1);
        run.Shard.Ask(new DetectionOptions { AlertRules = [one] }.Terms());
        run.Feed("a", series, DailySeries.Spike - 1, DailySeries.Spike + 200);

        // The snapshot's head is older than the shard: the change of rules comes again from the journal.
        run.Restart();
        run.Shard.Ask(new DetectionOptions { AlertRules = [one] }.Terms());
        run.Feed("a", series, DailySeries.Spike + 200, series.Length);

        Assert.Contains(DailySeries.Spike, run.OpenedRows);
        Assert.DoesNotContain(DailySeries.Spike + 400, run.OpenedRows);
    }

    [Fact]
    public void Streams_that_share_a_budget_stay_those_that_do()
    {
        AlertTerms Of(params AlertRule[] rules) => new(rules, 10_000, 1);
        AlertRule group = new() { Streams = "a*", Budget = 1, Group = "g" };
        AlertTerms terms = Of(group, Critical);

        Assert.True(terms.HasGroupsOf(Of(group with { Budget = 3 })));
        Assert.True(Of(Critical).HasGroupsOf(Of()));
        Assert.False(terms.HasGroupsOf(Of(group with { Streams = "b*" })));
        Assert.False(terms.HasGroupsOf(Of(Critical, group)));
        Assert.False(terms.HasGroupsOf(Of(group with { Budget = 0 })));

        var run = new Run(group);
        Assert.Throws<ArgumentException>(() => run.Shard.Ask(Of()));
    }
}
