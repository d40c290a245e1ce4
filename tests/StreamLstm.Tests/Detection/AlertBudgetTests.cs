using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;
using Run = StreamLstm.Tests.Detection.AlertRuleTests.Run;

namespace StreamLstm.Tests.Detection;

public sealed class AlertBudgetTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly double[] Higher = AlertRuleTests.Spiked(15);
    private static readonly double[] Lower = AlertRuleTests.Spiked(13);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Fact]
    public void Once_spent_only_what_beats_the_weakest_of_the_window_opens_and_takes_its_place()
    {
        var window = new BudgetWindow();

        Assert.True(window.TrySpend(Start, 3, Of(2)));
        Assert.True(window.TrySpend(Start.AddHours(1), 5, Of(2)));
        Assert.False(window.TrySpend(Start.AddHours(2), 3, Of(2)));
        Assert.True(window.TrySpend(Start.AddHours(3), 4, Of(2)));
        Assert.False(window.TrySpend(Start.AddHours(4), 4, Of(2)));
    }

    [Fact]
    public void The_window_slides()
    {
        var window = new BudgetWindow();
        window.TrySpend(Start, 3, Of(2));
        window.TrySpend(Start.AddHours(1), 5, Of(2));

        Assert.False(window.TrySpend(Start + Day - TimeSpan.FromTicks(1), 2, Of(2)));
        Assert.True(window.TrySpend(Start + Day, 2, Of(2)));
        Assert.False(window.TrySpend(Start + Day, 2, Of(2)));
        Assert.True(window.TrySpend(Start.AddYears(-1), 2, Of(2)));
    }

    [Fact]
    public void A_lowered_budget_holds_the_strongest_of_what_was_spent()
    {
        var before = new BudgetWindow();
        Assert.All(new[] { 3.0, 5, 4 }, decades => before.TrySpend(Start, decades, Of(3)));
        var after = new BudgetWindow();
        using var file = new MemoryStream();
        before.Save(new BinaryWriter(file));
        file.Position = 0;
        after.Load(new BinaryReader(file));

        Assert.False(after.TrySpend(Start, 5, Of(1)));
        Assert.True(after.TrySpend(Start, 5.1, Of(1)));
    }

    [Fact]
    public void Streams_of_a_group_share_one_budget_and_others_have_their_own()
    {
        var rule = new AlertRule { Budget = 1, BudgetPer = TimeSpan.FromDays(7) };
        Run shared = Two(rule with { Group = "plant" }), own = Two(rule), free = Two();

        Assert.Equal([DailySeries.Spike, DailySeries.Spike], free.OpenedRows);
        Assert.Equal(free.OpenedRows, own.OpenedRows);
        Assert.Equal([DailySeries.Spike], shared.OpenedRows);
        Assert.Equal(1, shared.Suppressed(SuppressedBy.Budget));
    }

    [Fact]
    public void A_spent_budget_of_a_group_stays_spent_over_a_restart()
    {
        var rule = new AlertRule { Budget = 1, BudgetPer = TimeSpan.FromDays(7), Group = "plant" };
        var run = new Run(rule);
        run.Feed("b", Lower, 0, DailySeries.Spike);
        run.Feed("a", Higher, 0, Higher.Length);

        run.Restart(rule);
        run.Feed("b", Lower, DailySeries.Spike, Lower.Length);

        Assert.Equal([DailySeries.Spike], run.OpenedRows);
        Assert.Equal(1, run.Suppressed(SuppressedBy.Budget));
    }

    [Fact]
    public void A_spent_budget_of_a_stream_stays_spent_over_a_restart()
    {
        AlertGate before = Gate(), after = Gate();
        before.Admit(Start, 3);
        using var file = new MemoryStream();
        before.Save(new BinaryWriter(file));
        file.Position = 0;

        after.Load(new BinaryReader(file));

        Assert.Equal(SuppressedBy.Budget, after.Admit(Start.AddHours(1), 3));
        Assert.Equal(SuppressedBy.None, after.Admit(Start.AddHours(1), 3.5));

        static AlertGate Gate() => new AlertPolicy(new DetectionOptions { AlertRules = [new() { Budget = 1 }] }).NewGate("a");
    }

    [Fact]
    public void A_stream_that_moves_to_the_shard_of_its_group_takes_all_it_has_learnt_along()
    {
        double[] series = AlertRuleTests.Spiked(15);
        BaseModel model = BaseModel.Untrained(1);
        Run stayed = Run.Of(series), moved = new();
        moved.Feed("a", series, 0, 2100);
        var home = new DetectionShard(new DetectionOptions(), new StreamQuota(10, 10), 0, 2, new DetectionScratch());
        var output = new ShardOutput();

        moved.Shard.Rehome(_ => home);

        for (int row = 2100; row < series.Length; row++)
        {
            home.Apply([new Observation("a", Start.AddMinutes(row), series[row])], Start.AddYears(1), model, output);
        }

        Assert.Empty(moved.Shard.Rows);
        Assert.Equal(stayed.Scored[2100..], output.Scored);
    }

    [Fact]
    public void A_group_has_one_budget() =>
        Assert.Throws<ArgumentException>(() => Run.Of(
            [],
            new AlertRule { Streams = "a", Budget = 1, Group = "g" },
            new AlertRule { Streams = "b", Budget = 2, Group = "g" }));

    private static AlertRule Of(int budget) => new() { Budget = budget, BudgetPer = Day };

    private static Run Two(params AlertRule[] rules)
    {
        var run = new Run(rules);

        for (int row = 0; row < Higher.Length; row++)
        {
            run.Feed("a", Higher, row, row + 1);
            run.Feed("b", Lower, row, row + 1);
        }

        return run;
    }
}
