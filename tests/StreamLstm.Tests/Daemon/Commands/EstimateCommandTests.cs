using StreamLstm.Daemon.Commands;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Commands;

/// <summary>What is said of a plan follows from what was measured.</summary>
public sealed class EstimateCommandTests
{
    private const double Mib = 1024 * 1024;

    private static readonly StreamCost[] Costs =
    [
        new("values, full", StreamForm.Full, Bytes: 0.5 * Mib, DiskBytes: 0.25 * Mib, YoungPerSecond: 2_500, GrownPerSecond: 10_000),
        new("values, lean", StreamForm.Lean, Bytes: 0.0625 * Mib, DiskBytes: 0.03125 * Mib, YoungPerSecond: 20_000, GrownPerSecond: 40_000),
    ];

    [Theory]
    [InlineData(1_000, 10, "the form that finds most fits: nothing is to be set")]
    [InlineData(8_000, 10, "set detection.form: lean")]
    [InlineData(60_000, 10, "share the streams among several daemons")]
    public void The_form_that_finds_most_and_fits_is_named(long streams, int seconds, string said)
    {
        using var output = new StringWriter();
        EstimateCommand.Write(Costs, available: 4096 * Mib, new EstimateCommand.Plan(streams, TimeSpan.FromSeconds(seconds)), output);
        Assert.Contains(said, output.ToString().TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_takes_streams_times_what_one_takes_and_two_thirds_of_memory_at_most()
    {
        EstimateCommand.Need need = EstimateCommand.NeedOf(Costs[0], new EstimateCommand.Plan(5_000, TimeSpan.FromSeconds(0.25)), available: 4096 * Mib, cores: 2);
        Assert.Equal((2_500 * Mib, 1_250 * Mib, 2, 8), (need.Bytes, need.DiskBytes, need.Cores, need.CoresWhileYoung));
        Assert.Equal((true, true), (need.FitsMemory, need.FitsProcessor));
        need = EstimateCommand.NeedOf(Costs[0], new EstimateCommand.Plan(6_000, TimeSpan.FromSeconds(0.25)), available: 4096 * Mib, cores: 2);
        Assert.Equal((false, false), (need.FitsMemory, need.FitsProcessor));
    }

    [Theory]
    [InlineData("--streams", "0", "--streams: 0, expected 1 or more")]
    [InlineData("--every", "soon", "--every: 'soon', expected a duration such as 500ms, 10s or 5m")]
    public async Task What_is_no_plan_is_told_before_anything_is_measured(string option, string value, string said)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(CommandLine.WrongUsage, await CommandLine.InvokeAsync(["estimate", option, value], output, error));
        Assert.Contains(said, error.ToString(), StringComparison.Ordinal);
        Assert.Empty(output.ToString());
    }
}
