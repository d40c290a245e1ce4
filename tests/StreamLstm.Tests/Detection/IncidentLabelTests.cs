using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scoring;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class IncidentLabelTests
{
    private const int First = 1200;
    private const int Second = 1700;
    private const int Rows = 1760;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly BaseModel Model = BaseModel.Untrained(1);

    [Fact]
    public void What_is_much_like_a_false_alarm_does_not_alert_again()
    {
        double[] series = Spikes(first: 15, second: 30);
        (DetectionShard left, _) = UpTo(Second, series);
        (DetectionShard labelled, string incident) = UpTo(Second, series);

        Assert.Equal(LabelOutcome.Applied, Label(labelled, incident, IncidentLabel.FalseAlarm));

        Assert.True(Alerts(left, series));
        Assert.False(Alerts(labelled, series));
        Explanation why = Why(labelled, Second);
        Assert.True(why.EvidenceWithoutLabels >= why.Needed, $"{why.EvidenceWithoutLabels} decades without labels");
        Assert.True(why.Evidence < why.Needed);
        Assert.Contains("labelled false alarms made such levels ordinary", why.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Something_clearly_worse_than_a_false_alarm_alerts_all_the_same()
    {
        double[] series = Spikes(first: 15, second: 300);
        (DetectionShard labelled, string incident) = UpTo(Second, series);

        Label(labelled, incident, IncidentLabel.FalseAlarm);

        Assert.True(Alerts(labelled, series));
    }

    [Fact]
    public void A_label_says_nothing_of_other_streams()
    {
        double[] series = Spikes(first: 15, second: 30);
        (DetectionShard labelled, string incident) = UpTo(Second, series);
        Feed(labelled, "b", series, 0, Second);

        Label(labelled, incident, IncidentLabel.FalseAlarm);

        Assert.Contains(Feed(labelled, "b", series, Second, Rows).Scored, scored => scored.IsAlert);
    }

    [Fact]
    public void What_a_level_called_ordinary_would_have_been_is_whole_after_a_restart()
    {
        double[] series = Spikes(first: 15, second: 30);
        (DetectionShard labelled, string incident) = UpTo(Second, series);
        Label(labelled, incident, IncidentLabel.FalseAlarm);
        Feed(labelled, "a", series, Second, Second + 1);
        Assert.NotNull(Why(labelled, Second).EvidenceWithoutLabels);

        Assert.Equal(Saved(labelled), Saved(Restored(labelled)));

        static byte[] Saved(DetectionShard shard)
        {
            using var file = new MemoryStream();
            using var writer = new BinaryWriter(file);
            shard.Save(writer);
            return file.ToArray();
        }
    }

    [Fact]
    public void A_label_taken_back_is_as_if_it_had_never_been_given()
    {
        double[] series = Spikes(first: 15, second: 15);
        (DetectionShard left, _) = UpTo(Second, series);
        (DetectionShard labelled, string incident) = UpTo(Second, series);

        Label(labelled, incident, IncidentLabel.FalseAlarm);
        Label(labelled, incident, null);

        List<ScoredObservation> expected = Feed(left, "a", series, Second, Rows).Scored;
        Assert.Equal(expected, Feed(labelled, "a", series, Second, Rows).Scored);
        Assert.Null(Why(labelled, Second).EvidenceWithoutLabels);
    }

    [Theory]
    [InlineData(IncidentLabel.FalseAlarm)]
    [InlineData(IncidentLabel.Real)]
    public void A_label_survives_a_restart(IncidentLabel label)
    {
        double[] series = Spikes(first: 15, second: 15);
        (DetectionShard uninterrupted, string incident) = UpTo(Second, series);
        Label(uninterrupted, incident, label);
        DetectionShard restored = Restored(uninterrupted);

        List<ScoredObservation> expected = Feed(uninterrupted, "a", series, Second, Rows).Scored;

        Assert.Equal(expected, Feed(restored, "a", series, Second, Rows).Scored);
        Assert.Equal(Why(uninterrupted, Second).Evidence, Why(restored, Second).Evidence);
        Assert.Equal(Why(uninterrupted, Second).EvidenceWithoutLabels, Why(restored, Second).EvidenceWithoutLabels);
    }

    [Fact]
    public void An_open_incident_is_closed_by_calling_it_a_false_alarm()
    {
        double[] series = Spikes(first: 15, second: 15);
        (DetectionShard shard, string incident) = UpTo(First + 2, series);
        var output = new ShardOutput();

        shard.Label("a", incident, IncidentLabel.FalseAlarm, Start.AddYears(1), output);

        IncidentEvent closed = Assert.Single(output.Incidents);
        Assert.Equal((incident, IncidentState.Closed), (closed.IncidentId, closed.State));
        Assert.EndsWith("; labelled a false alarm", closed.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_real_does_not_become_usual_while_it_lasts()
    {
        const int Again = Second + 45;
        double[] series = Spikes(first: 0, second: 0);

        // Where nobody says anything it is the new level after 300 rows; it lasts 140 more, and comes again.
        for (int row = First; row < Rows; row++)
        {
            series[row] += row is < First + 440 or >= Second ? 15 : 0;
        }

        (DetectionShard left, _) = UpTo(First + 2, series);
        (DetectionShard labelled, string incident) = UpTo(First + 2, series);

        Label(labelled, incident, IncidentLabel.Real);
        Feed(left, "a", series, First + 2, Rows);
        Feed(labelled, "a", series, First + 2, Rows);

        Assert.True(
            Why(labelled, Again).Evidence > Why(left, Again).Evidence + 0.5,
            $"{Why(labelled, Again).Evidence} decades where it was labelled, {Why(left, Again).Evidence} where it was not");
    }

    [Fact]
    public void An_explanation_names_the_incident_and_its_label()
    {
        (DetectionShard shard, string incident) = UpTo(First + 2, Spikes(first: 15, second: 15));

        Label(shard, incident, IncidentLabel.Real);

        Explanation why = Why(shard, First);
        Assert.True(why.IsAlert);
        Assert.Equal((incident, IncidentLabel.Real), (why.IncidentId, why.Label));
        Assert.Contains("That incident was labelled real.", why.Sentence, StringComparison.Ordinal);
        Assert.Null(Why(shard, First - 1).IncidentId);
    }

    [Fact]
    public void A_label_on_what_never_was_is_refused()
    {
        (DetectionShard shard, string incident) = UpTo(First + 2, Spikes(first: 15, second: 15));
        var output = new ShardOutput();

        Assert.Equal(LabelOutcome.UnknownStream, shard.Label("b", incident, IncidentLabel.Real, Start, output));
        Assert.Equal(LabelOutcome.UnknownIncident, Label(shard, "0123456789abcdef-12-o", IncidentLabel.Real));
        Assert.Equal(LabelOutcome.UnknownIncident, Label(shard, "nonsense", IncidentLabel.Real));
        Assert.Equal(LabelOutcome.UnknownIncident, Label(shard, incident[..^1] + "e", IncidentLabel.Real));
        Assert.Empty(output.Incidents);
    }

    [Fact]
    public void A_silence_that_was_a_false_alarm_may_last_as_long_the_next_time()
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(10, 10), number: 0, shardCount: 1, new DetectionScratch());
        var output = new ShardOutput();
        double[] series = DailySeries.Clean(1, 700);
        DateTimeOffset now = Start;
        Live(600);
        Quiet(seconds: 100);
        string incident = Assert.Single(output.Incidents, e => e.Kind == IncidentKind.Silence).IncidentId;
        Live(20);
        shard.Label("a", incident, IncidentLabel.FalseAlarm, now, output);
        output.Incidents.Clear();

        Quiet(seconds: 100);
        Assert.Empty(output.Incidents);
        Quiet(seconds: 30);
        Assert.Equal(IncidentKind.Silence, Assert.Single(output.Incidents).Kind);

        void Live(int rows)
        {
            for (int row = 0; row < rows; row++)
            {
                now = now.AddSeconds(1);
                shard.Tick(now, TimeSpan.FromSeconds(1), output);
                shard.Apply([new Observation("a", now, series[row])], now, Model, output);
            }
        }

        void Quiet(int seconds)
        {
            for (int second = 0; second < seconds; second++)
            {
                now = now.AddSeconds(1);
                shard.Tick(now, TimeSpan.FromSeconds(1), output);
            }
        }
    }

    private static double[] Spikes(double first, double second)
    {
        double[] series = DailySeries.Clean(1, Rows);
        series[First] += first;
        series[Second] += second;
        return series;
    }

    /// <summary>A shard that has seen the rows before, and the incident that they opened.</summary>
    private static (DetectionShard Shard, string Incident) UpTo(int end, double[] series)
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(10, 10), number: 0, shardCount: 1, new DetectionScratch());
        ShardOutput output = Feed(shard, "a", series, 0, end);
        return (shard, output.Incidents.Last(incident => incident.State == IncidentState.Opened).IncidentId);
    }

    private static ShardOutput Feed(DetectionShard shard, string stream, double[] series, int from, int to)
    {
        var output = new ShardOutput();

        for (int row = from; row < to; row++)
        {
            shard.Apply([new Observation(stream, Start.AddMinutes(row), series[row])], Start.AddYears(1), Model, output);
        }

        return output;
    }

    private static bool Alerts(DetectionShard shard, double[] series) =>
        Feed(shard, "a", series, Second, Rows).Scored.Any(scored => scored.IsAlert);

    private static LabelOutcome Label(DetectionShard shard, string incident, IncidentLabel? label) =>
        shard.Label("a", incident, label, Start.AddYears(1), new ShardOutput());

    private static Explanation Why(DetectionShard shard, int row)
    {
        Explanation? why = shard.Explain("a", Start.AddMinutes(row), out string? missing);
        Assert.True(why is not null, missing);
        return why;
    }

    private static DetectionShard Restored(DetectionShard shard)
    {
        using var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            shard.Save(writer);
        }

        file.Position = 0;
        var restored = new DetectionShard(new DetectionOptions(), new StreamQuota(10, 10), number: 0, shardCount: 1, new DetectionScratch());
        restored.Load(new BinaryReader(file), Model);
        Assert.Equal(file.Length, file.Position);
        return restored;
    }
}
