using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

/// <summary>A stream that becomes lean, or full, goes on with what it knows.</summary>
public sealed class ResizeTests
{
    private const int Rows = 7_000;
    private const int Smaller = 3_000;
    private const int Larger = 5_000;

    /// <summary>Spikes before, between and behind the changes of form.</summary>
    private static readonly int[] Spikes = [2_000, 2_700, 3_300, 4_500, 5_400, 6_600];

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_clean_stream_stays_quiet_when_it_becomes_lean_and_full_again()
    {
        (DetectionShard _, ShardOutput output) = Live(DailySeries.Clean(3, Rows));

        Assert.Equal(Rows, output.Scored.Count);
        Assert.All(output.Scored[600..], scored => Assert.Equal(Lifecycle.Active, scored.Lifecycle));
        Assert.Empty(output.Incidents);
    }

    [Fact]
    public void Every_fault_is_told_before_and_after_and_counted_on()
    {
        double[] series = DailySeries.Clean(3, Rows);

        foreach (int spike in Spikes)
        {
            series[spike] += 15;
        }

        (DetectionShard shard, ShardOutput output) = Live(series);
        IncidentEvent[] opened = [.. output.Incidents.Where(incident => incident.State == IncidentState.Opened)];

        Assert.Equal(Spikes.Select(spike => Start.AddMinutes(spike)), opened.Select(incident => incident.Onset));
        Assert.Equal(Enumerable.Range(1, Spikes.Length), opened.Select(incident => incident.Occurrence));
        Assert.Equal("a", shard.StreamOf(opened[0].IncidentId));
    }

    [Theory]
    [InlineData(Smaller)]
    [InlineData(Larger)]
    public void A_stream_restored_behind_a_change_of_form_scores_on_as_if_it_had_never_stopped(int change)
    {
        double[] series = DailySeries.WithFaults(4, Rows);
        (_, ShardOutput expected) = Live(series);
        (DetectionShard first, _) = Live(series, until: change + 100);
        using var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            first.Save(writer);
        }

        file.Position = 0;
        DetectionShard second = NewShard();
        second.Load(new BinaryReader(file), BaseModel.Pretrained);
        var resumed = new ShardOutput();
        Feed(second, series, change + 100, Rows, resumed);

        Assert.Equal(file.Length, file.Position);
        Assert.Equal(expected.Scored[(change + 100)..], resumed.Scored);
    }

    [Fact]
    public void A_stream_has_the_bytes_and_the_weights_of_the_form_it_became()
    {
        double[] series = DailySeries.Clean(5, Rows);
        (DetectionShard full, _) = Live(series, until: Smaller);
        (DetectionShard lean, _) = Live(series, until: Smaller + 1);

        Assert.Equal((StreamForm.Full, true), (full.Rows.Single().Form, full.Rows.Single().HasOwnWeights));
        Assert.Equal((StreamForm.Lean, false), (lean.Rows.Single().Form, lean.Rows.Single().HasOwnWeights));
        Assert.InRange(Saved(lean), 1, Saved(full) / 3);
        Feed(lean, series, Smaller + 1, Larger + 1, new ShardOutput());
        Assert.Equal((StreamForm.Full, true), (lean.Rows.Single().Form, lean.Rows.Single().HasOwnWeights));
    }

    [Fact]
    public void Weights_that_a_stream_gave_back_are_there_for_another()
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(10, perStreamMax: 1), 0, 1, new DetectionScratch());
        var output = new ShardOutput();
        shard.Apply([new Observation("a", Start, 1)], Start, BaseModel.Pretrained, output);
        shard.Resize("a", StreamForm.Lean, BaseModel.Pretrained);
        shard.Apply([new Observation("b", Start, 1)], Start, BaseModel.Pretrained, output);

        Assert.Equal([("a", false), ("b", true)], shard.Rows.Select(row => (row.Stream, row.HasOwnWeights)));
        Assert.False(shard.Resize("nobody", StreamForm.Lean, BaseModel.Pretrained));
    }

    private static (DetectionShard Shard, ShardOutput Output) Live(double[] series, int until = Rows)
    {
        (DetectionShard shard, var output) = (NewShard(), new ShardOutput());
        Feed(shard, series, 0, until, output);
        return (shard, output);
    }

    /// <summary>Feeds rows; the stream becomes lean with one of them, and full with another.</summary>
    private static void Feed(DetectionShard shard, double[] series, int from, int to, ShardOutput output)
    {
        for (int row = from; row < to; row++)
        {
            if (row is Smaller or Larger)
            {
                Assert.True(shard.Resize("a", row == Smaller ? StreamForm.Lean : StreamForm.Full, BaseModel.Pretrained, ownWeights: row == Larger));
            }

            shard.Apply([new Observation("a", Start.AddMinutes(row), series[row])], Start.AddYears(1), BaseModel.Pretrained, output);
        }
    }

    private static long Saved(DetectionShard shard)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        shard.Save(writer);
        return file.Length;
    }

    private static DetectionShard NewShard() => new(new DetectionOptions(), new StreamQuota(10, 10), 0, 1, new DetectionScratch());
}
