using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

/// <summary>Columns that hardly say anything, and faults that last: what records hold besides well-behaved measurements.</summary>
public sealed class VectorColumnTests
{
    private const int Fault = 5_000;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ShardOutput _output = new();

    [Fact]
    public void Constant_columns_beside_others_take_no_share_and_hide_no_fault()
    {
        List<double[]> rows = WithColumns(Plant.Rows(3, 4, Fault + 120), (_, _) => 7, (_, _) => 0);
        Plant.Break(rows, 1, Fault);

        IncidentEvent opened = FirstOpenedFrom(Fault, Feed(rows));

        Assert.InRange((opened.Time - At(Fault)).TotalSeconds, 0, 60);
        Assert.Equal("c1", Strongest(opened));
        Assert.Equal((0, 0), (opened.Attribution.GetValueOrDefault("c4"), opened.Attribution.GetValueOrDefault("c5")));
        Assert.Equal(1, opened.Attribution.Values.Sum(), 9);
    }

    [Fact]
    public void A_record_that_never_changes_opens_nothing_and_scores_nothing()
    {
        Feed([.. Enumerable.Range(0, 3_000).Select(_ => new[] { 7.0, 0.0, -1e9 })]);

        Assert.Empty(_output.Incidents);
        Assert.All(_output.Scored.Skip(400), one => Assert.Equal(0, one.Value));
        Assert.All(_output.Scored, one => Assert.All(one.Columns!, column => Assert.Equal(0, column.Share)));
    }

    [Fact]
    public void A_constant_column_that_leaves_its_value_is_named()
    {
        List<double[]> rows = WithColumns(Plant.Rows(5, 4, Fault + 120), (_, row) => row < Fault ? 7 : 7.5);

        IncidentEvent opened = FirstOpenedFrom(Fault, Feed(rows));

        Assert.InRange((opened.Time - At(Fault)).TotalSeconds, 0, 60);
        Assert.Equal("c4", Strongest(opened));
    }

    [Fact]
    public void A_valve_that_no_longer_follows_the_load_is_named_though_both_its_values_are_ordinary()
    {
        // Open while the load is high; from the fault on the other way round.
        List<double[]> rows = WithColumns(Plant.Rows(6, 4, Fault + 200), (values, row) => values[3] > 0 == row < Fault ? 1 : 0);

        IncidentEvent opened = FirstOpenedFrom(Fault, Feed(rows));

        Assert.InRange((opened.Time - At(Fault)).TotalSeconds, 0, 100);
        Assert.Equal("c4", Strongest(opened));
        ColumnFigure figure = opened.Columns!.Single(column => column.Column == "c4");
        Assert.InRange(figure.Expected!.Value, -1e-6, 1 + 1e-6);
    }

    [Fact]
    public void A_valve_that_follows_the_load_opens_nothing_by_switching()
    {
        List<double[]> rows = WithColumns(Plant.Rows(7, 4, 20_000), (values, _) => values[3] > 0 ? 1 : 0);

        Assert.InRange(Feed(rows).Count(incident => incident.State == IncidentState.Opened), 0, 2);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(3_000)]
    public void A_fault_longer_than_rows_wait_is_one_incident_that_ends_when_it_is_over(int length)
    {
        List<double[]> rows = Plant.Rows(4, 5, Fault + length + 2_000);

        for (int row = Fault; row < Fault + length; row++)
        {
            rows[row][2] += 15;
        }

        IncidentEvent[] incidents = [.. Feed(rows).Where(incident => incident.Time >= At(Fault))];

        IncidentEvent opened = incidents[0];
        Assert.InRange((opened.Time - At(Fault)).TotalSeconds, 0, 60);
        Assert.Equal("c2", Strongest(opened));
        IncidentEvent closed = incidents.First(incident => incident.State == IncidentState.Closed);

        // It is not forgotten while it lasts, and it does not stay open for ever.
        Assert.InRange((closed.Time - At(Fault)).TotalSeconds, length, length + 200);
        Assert.Single(incidents, incident => incident.State == IncidentState.Opened && incident.Time < At(Fault + length + 400));
    }

    private static DateTimeOffset At(int row) => Start.AddSeconds(row);

    private static string Strongest(IncidentEvent incident) => incident.Attribution.MaxBy(share => share.Value).Key;

    private static IncidentEvent FirstOpenedFrom(int row, IEnumerable<IncidentEvent> incidents) =>
        incidents.First(incident => incident.State == IncidentState.Opened && incident.Time >= At(row));

    /// <summary>The rows with further columns: what each says of a row's values and its number.</summary>
    private static List<double[]> WithColumns(List<double[]> rows, params Func<double[], int, double>[] columns) =>
        [.. rows.Select((values, row) => (double[])[.. values, .. columns.Select(column => column(values, row))])];

    private List<IncidentEvent> Feed(List<double[]> rows)
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(10, 10), 0, 1, new DetectionScratch());
        BaseModel model = BaseModel.Untrained(1);
        string[] names = Plant.Names(rows[0].Length);

        for (int row = 0; row < rows.Count; row++)
        {
            shard.Apply([Observation.Of("s", At(row), new ObservedRecord(names, rows[row]))], At(row), model, _output);
        }

        Assert.Empty(_output.Faults);
        return _output.Incidents;
    }
}
