using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Pipeline;

namespace StreamLstm.Tests.Daemon.Configuration;

/// <summary>What of the memory is for what: in a small control group all parts fit into it together, and on a large machine none is less than it asks for.</summary>
public sealed class MemoryBudgetTests
{
    private const long Mib = 1024 * 1024;

    [Fact]
    public void A_large_machine_gives_each_part_what_it_asks_for()
    {
        MemoryBudget budget = new(8 * 1024 * Mib);
        PipelineOptions asked = new() { Workers = 3, BatchMax = 100, ChannelCapacity = 256 };

        Assert.Equal((3, 100, 256), (budget.Of(asked).Workers, budget.Of(asked).BatchMax, budget.Of(asked).ChannelCapacity));
        Assert.Equal(1, budget.PointsKept);
        Assert.InRange(budget.StretchesMax, 4_000_000, int.MaxValue);
        Assert.Equal(0.65 * (8 * 1024 - 48), budget.StreamBytes / (double)Mib, 1.0);
    }

    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void All_parts_fit_into_a_small_control_group_together(long mib)
    {
        MemoryBudget budget = new(MemoryBudget.HeapWithin(mib * Mib));
        PipelineOptions pipeline = budget.Of(new PipelineOptions());
        double queues = 6.0 * pipeline.ChannelCapacity * pipeline.BatchMax * 400, history = 2 * 80.0 * budget.StretchesMax, points = 65e6 * budget.PointsKept;

        Assert.InRange(pipeline.ChannelCapacity, 4, 255);
        Assert.True(budget.StreamBytes + queues + history + points + Math.Min(48 * Mib, 0.6 * budget.Available) <= budget.Available * 1.02);
        Assert.InRange(budget.Available, mib * Mib / 4, mib * Mib * 3 / 4);
    }

    [Fact]
    public void Limits_that_are_asked_for_hold_whatever_there_is() =>
        Assert.Equal(70 * Mib, new LimitsOptions { MemoryMib = 70 }.StreamBytes(new MemoryBudget(100 * Mib)));
}
