using System.Text.RegularExpressions;
using StreamLstm.Benchmarks;

namespace StreamLstm.Tests.Benchmarks;

public sealed class QuietCommandTests
{
    [Fact]
    public void A_short_day_is_counted_and_held_against_its_goal()
    {
        (int code, string output, string error) = Run("--hours", "4", "--streams", "3");

        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("clean: 3 streams of 3 values, 1,440 rows, one in 10 s", output, StringComparison.Ordinal);
        Match all = Regex.Match(output, @"^all +0\.4 +(\d+) +(\d+\.\d\d)$", RegexOptions.Multiline);
        Assert.True(all.Success, output);
        Assert.Matches($@"Q17 quiet alerts per stream-day: {all.Groups[2].Value} \(goal <= 0\.1\) (met|missed)", output);
        Assert.Matches(@"quiet share of faults found: (-|NaN|[01]\.\d\d)", output);
    }

    [Theory]
    [InlineData("--hours")]
    [InlineData("--hours", "x")]
    [InlineData("--hours", "0")]
    [InlineData("--days", "1")]
    public void Wrong_words_are_refused(params string[] arguments)
    {
        (int code, _, string error) = Run(arguments);

        Assert.Equal(2, code);
        Assert.Contains("usage: quiet ", error, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter();
        int code = BenchmarkCommand.Run(["quiet", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
