using StreamLstm.Daemon.Backtesting;

namespace StreamLstm.Tests.Daemon.Backtesting;

public sealed class AbnormalRangesTests
{
    [Fact]
    public void Rows_of_evidence_less_than_an_hour_of_minutes_apart_are_one_run()
    {
        var evidence = new double?[300];
        Array.Fill(evidence, -1.5);
        evidence[100] = 2;
        evidence[150] = -0.5;
        evidence[280] = 0.1;

        Assert.Equal([[100, 210], [280, 299]], Ranges(evidence));
    }

    [Fact]
    public void Rows_that_nothing_is_known_of_begin_no_run()
    {
        Assert.Empty(Ranges(new double?[100]));
    }

    private static IReadOnlyList<long[]> Ranges(double?[] evidence)
    {
        var ranges = new AbnormalRanges();

        foreach (double? one in evidence)
        {
            ranges.Add(new ReportedRow(default, new RowVerdict { Evidence = one }, ""));
        }

        return ranges.Ranges;
    }
}
