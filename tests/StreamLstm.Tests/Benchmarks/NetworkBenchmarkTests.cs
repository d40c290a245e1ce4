using System.Text.RegularExpressions;
using StreamLstm.Benchmarks;

namespace StreamLstm.Tests.Benchmarks;

/// <summary>The benchmarks still run, and say their goals in the form that is read by others. Not how fast anything is.</summary>
public sealed class NetworkBenchmarkTests
{
    [Theory]
    [InlineData("step", 7)]
    [InlineData("cold", 1)]
    [InlineData("train", 6)]
    [InlineData("score", 2)]
    [InlineData("stall", 1)]
    [InlineData("events", 3)]
    [InlineData("growth", 2)]
    [InlineData("memory", 2)]
    [InlineData("latency", 5)]
    public void A_group_runs_small_and_prints_its_goals(string group, int goals)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();

        int code = BenchmarkCommand.Run([group, "--small"], output, error);

        Assert.Equal((0, ""), (code, error.ToString()));
        string[] lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(goals, lines.Count(line => Regex.IsMatch(line, @"^[A-Z][0-9]+ .+: [0-9.]+ .+ \(goal (>=|<=) [0-9.]+\) (met|missed)$")));
        Assert.DoesNotContain(lines, line => line.Contains("NaN", StringComparison.Ordinal));
    }

    [Fact]
    public void The_last_word_follows_from_the_two_numbers_as_printed()
    {
        using var output = new StringWriter();
        var run = new BenchmarkRun(output, small: true);

        run.Goal("P0 at least", 2.996, "x", 3);
        run.Goal("P0 at most", 1.304, "x", 1.3, atLeast: false);

        Assert.Equal(["P0 at least: 3.00 x (goal >= 3) met", "P0 at most: 1.30 x (goal <= 1.3) met"], output.ToString().Split('\n')[..2]);
    }
}
