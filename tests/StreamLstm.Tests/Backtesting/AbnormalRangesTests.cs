using StreamLstm.Backtesting;

namespace StreamLstm.Tests.Backtesting;

public sealed class AbnormalRangesTests
{
    [Fact]
    public void A_run_begins_where_an_incident_would_goes_on_while_one_would_and_ends_with_its_last_row()
    {
        var scores = new double[300];
        scores[20] = 0.45;
        scores[100] = 0.8;
        scores[130] = 0.45;
        scores[161] = 0.45;
        scores[280] = 0.5;

        Assert.Equal([[100, 130], [280, 280]], Ranges(scores));
    }

    [Fact]
    public void Rows_that_nothing_is_known_of_begin_no_run()
    {
        Assert.Empty(Ranges(new double[100]));
    }

    private static IReadOnlyList<long[]> Ranges(double[] scores)
    {
        var ranges = new AbnormalRanges();

        foreach (double one in scores)
        {
            ranges.Add(new ReportedRow(default, new RowVerdict { AnomalyScore = one }, ""));
        }

        return ranges.Ranges;
    }
}
