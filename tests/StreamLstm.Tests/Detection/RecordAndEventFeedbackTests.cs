using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

/// <summary>What people may ask and say of streams of records and of events: as of those of values.</summary>
public sealed class RecordAndEventFeedbackTests
{
    private const int Fault = 2_000;
    private const int Second = Fault + 2_500;
    private const int LogFault = 12_000;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly BaseModel Model = BaseModel.Untrained(1);
    private static readonly string[] Names = Plant.Names(4);

    [Fact]
    public void A_record_that_opened_an_incident_says_which_column_did_it_and_one_that_did_not_how_much_was_missing()
    {
        DetectionShard shard = NewShard();
        var output = new ShardOutput();
        int opened = FeedUntilOpened(shard, Plants(15, 15), Fault, output);

        Explanation why = shard.Explain("s", null, out _)!;
        Explanation before = shard.Explain("s", Start.AddSeconds(Fault - 1), out _)!;

        Assert.InRange(opened, Fault, Fault + 30);
        Assert.True(why.IsAlert);
        Assert.True(why.Evidence >= why.Needed);
        Assert.Equal(output.Incidents[^1].IncidentId, why.IncidentId);
        Assert.Equal(Names[2], why.Columns!.MaxBy(column => column.Share)!.Column);
        Assert.All(why.Columns!, column => Assert.NotNull(column.Actual));
        Assert.Contains($"the record ({Names[2]}", why.Sentence, StringComparison.Ordinal);
        Assert.Contains("opened an incident", why.Sentence, StringComparison.Ordinal);
        Assert.Equal(1, why.Indicators.Sum(indicator => indicator.Share), 6);
        Assert.False(before.IsAlert);
        Assert.True(before.ShortBy > 0);
        Assert.Equal(1, before.Columns!.Sum(column => column.Share), 2);
        Assert.Equal((before.SuppressedBy, before.IncidentId), (SuppressedBy.None, null));
    }

    [Fact]
    public void A_record_is_explained_while_the_stream_is_in_its_warm_up_too()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Plants(0, 0), 0, 500, new ShardOutput());

        Explanation why = shard.Explain("s", null, out _)!;

        Assert.Equal((SuppressedBy.WarmUp, Lifecycle.Calibrating), (why.SuppressedBy, why.Lifecycle));
        Assert.Contains("warm-up", why.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_much_like_a_false_alarm_of_records_opens_no_incident_again(bool restarts)
    {
        List<double[]> rows = Plants(15, 13);
        ShardOutput left = new(), labelled = new();
        DetectionShard first = NewShard(), second = NewShard();
        Feed(first, rows, 0, Second + 40, left);
        Feed(second, rows, 0, Fault + 300, labelled);

        foreach (string incident in labelled.Incidents.Select(one => one.IncidentId).Distinct())
        {
            Assert.Equal(LabelOutcome.Applied, second.Label("s", incident, IncidentLabel.FalseAlarm, Start, labelled));
        }

        second = restarts ? Restarted(second) : second;
        Feed(second, rows, Fault + 300, Second + 40, labelled);

        Assert.Contains(Opened(left), row => row >= Second);
        Assert.DoesNotContain(Opened(labelled), row => row >= Second);
        Explanation why = second.Explain("s", null, out _)!;
        Assert.True(why.EvidenceWithoutLabels > why.Evidence, $"{why.EvidenceWithoutLabels} without, {why.Evidence} with labels");
    }

    [Fact]
    public void An_open_incident_of_records_ends_when_it_is_called_a_false_alarm()
    {
        DetectionShard shard = NewShard();
        var output = new ShardOutput();
        FeedUntilOpened(shard, Plants(15, 15), Fault, output);

        shard.Label("s", output.Incidents[^1].IncidentId, IncidentLabel.FalseAlarm, Start, output);

        Assert.Equal(IncidentState.Closed, output.Incidents[^1].State);
        Assert.EndsWith("; labelled a false alarm", output.Incidents[^1].Explanation, StringComparison.Ordinal);
        Assert.Equal(LabelOutcome.UnknownIncident, shard.Label("s", "0123456789abcdef-12-o", IncidentLabel.Real, Start, output));
    }

    [Fact]
    public void A_real_incident_of_records_is_never_taken_for_the_new_normal()
    {
        // Without the label the stream would take the new level for one of its own.
        List<double[]> rows = Plants(15, 0, length: 1_100);
        ShardOutput left = new(), labelled = new();
        DetectionShard first = NewShard(acceptAfter: 2), second = NewShard(acceptAfter: 2);
        Feed(first, rows, 0, Fault + 1_100, left);
        int opened = FeedUntilOpened(second, rows, Fault, labelled);
        Assert.Equal(LabelOutcome.Applied, second.Label("s", labelled.Incidents[^1].IncidentId, IncidentLabel.Real, Start, labelled));
        Feed(second, rows, opened + 1, Fault + 1_100, labelled);

        Assert.True(
            Mean(labelled) > 1.5 * Mean(left),
            $"J of the last 100 records of the fault: {Mean(labelled)} where it must not become usual, {Mean(left)} where it may");

        static double Mean(ShardOutput output) => output.Scored[^100..].Average(one => one.Value);
    }

    [Fact]
    public void An_event_says_why_it_opened_an_incident_or_none()
    {
        DetectionShard shard = NewShard();
        var output = new ShardOutput();
        FeedLog(shard, 0, LogFault + 3, output);

        int opened = Assert.Single(Opened(output));
        Explanation why = shard.Explain("log", Start.AddSeconds(opened), out _)!;
        Explanation before = shard.Explain("log", Start.AddSeconds(LogFault - 1), out _)!;

        Assert.True(why.IsAlert);
        Assert.Equal(output.Incidents[^1].IncidentId, why.IncidentId);
        Assert.Contains("panic", why.Template, StringComparison.Ordinal);
        Assert.Contains("panic", why.Sentence, StringComparison.Ordinal);
        Assert.Equal(1, why.Indicators.Sum(indicator => indicator.Share), 6);
        Assert.False(before.IsAlert);
        Assert.True(before.ShortBy > 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_much_like_a_false_alarm_of_events_opens_no_incident_again(bool restarts)
    {
        ShardOutput left = new(), labelled = new();
        DetectionShard first = NewShard(), second = NewShard();
        FeedLog(first, 0, LogFault + 12_003, left);
        FeedLog(second, 0, LogFault + 60, labelled);
        string incident = labelled.Incidents[^1].IncidentId;
        Assert.Equal(LabelOutcome.Applied, second.Label("log", incident, IncidentLabel.FalseAlarm, Start, labelled));
        Assert.Equal(LabelOutcome.UnknownIncident, second.Label("log", "nonsense", IncidentLabel.FalseAlarm, Start, labelled));
        second = restarts ? Restarted(second) : second;
        FeedLog(second, LogFault + 60, LogFault + 12_003, labelled);

        Assert.Contains(Opened(left), row => row >= LogFault + 12_000);
        Assert.DoesNotContain(Opened(labelled), row => row >= LogFault + 12_000);
    }

    [Fact]
    public void The_same_fault_of_records_is_told_again_as_what_an_incident_covers_teaches_nothing()
    {
        int[] faults = [2_000, 3_310, 4_190];
        List<double[]> rows = Plant.Rows(6, 4, 4_400);
        Array.ForEach(faults, fault => rows.Skip(fault).Take(40).ToList().ForEach(row => row[2] += 15));
        var output = new ShardOutput();

        Feed(NewShard(), rows, 0, rows.Count, output);

        IncidentEvent[] opened = [.. output.Incidents.Where(incident => incident.State == IncidentState.Opened)];
        Assert.Equal(faults.Length, opened.Length);
        Assert.All(opened.Zip(faults), pair => Assert.InRange((pair.First.Time - Start).TotalSeconds, pair.Second, pair.Second + 30));
        Assert.Equal([1, 2, 3], opened.Select(incident => incident.Occurrence));
    }

    [Fact]
    public void A_line_that_opened_an_incident_is_new_again_the_next_time()
    {
        int[] faults = [12_000, 13_217, 15_803];
        string[] steps = ["request began", "stock was checked", "payment was taken", "request ended well"];
        DetectionShard shard = NewShard();
        var output = new ShardOutput();

        for (int row = 0; row < 16_000; row++)
        {
            string text = faults.Contains(row) || faults.Contains(row - 1) ? "panic: the disk is gone" : steps[row % steps.Length];
            shard.Apply([Observation.Of("log", Start.AddSeconds(row), new TextEvent(text))], Start.AddYears(1), Model, output);
        }

        Assert.All(faults, fault => Assert.Contains(Opened(output), row => row >= fault && row < fault + 3));
        Assert.Equal(faults.Length, output.Incidents.Where(incident => incident.State == IncidentState.Opened).Max(incident => incident.Occurrence));
    }

    private static int[] Opened(ShardOutput output) =>
        [.. output.Incidents.Where(incident => incident.State == IncidentState.Opened).Select(incident => (int)(incident.Time - Start).TotalSeconds)];

    private static DetectionShard NewShard(int acceptAfter = 0) => new(new DetectionOptions { AlertRules = [new AlertRule { AcceptAfter = acceptAfter }] }, new StreamQuota(10, 10), 0, 1, new DetectionScratch());

    private static DetectionShard Restarted(DetectionShard shard)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        shard.Save(writer);
        file.Position = 0;
        DetectionShard restarted = NewShard();
        restarted.Load(new BinaryReader(file), Model);
        return restarted;
    }

    /// <summary>Records of four columns; one of them leaves the others for a while, later another.</summary>
    private static List<double[]> Plants(double height, double again, int length = 40)
    {
        List<double[]> rows = Plant.Rows(6, 4, Second + 300);

        for (int row = 0; row < length; row++)
        {
            rows[Fault + row][2] += height;
        }

        for (int row = 0; row < 40; row++)
        {
            rows[Second + row][1] += again;
        }

        return rows;
    }

    private static void Feed(DetectionShard shard, List<double[]> rows, int from, int to, ShardOutput output)
    {
        for (int row = from; row < to; row++)
        {
            shard.Apply(
                [Observation.Of("s", Start.AddSeconds(row), new ObservedRecord(Names, rows[row]))], Start.AddYears(1), Model, output);
        }

        Assert.Empty(output.Faults);
    }

    private static int FeedUntilOpened(DetectionShard shard, List<double[]> rows, int from, ShardOutput output)
    {
        Feed(shard, rows, 0, from, output);
        output.Incidents.Clear();

        for (int row = from; row < rows.Count; row++)
        {
            Feed(shard, rows, row, row + 1, output);

            if (output.Incidents.Any(incident => incident.State == IncidentState.Opened))
            {
                return row;
            }
        }

        throw new InvalidOperationException("no incident opened");
    }

    /// <summary>A log that says four things in turn, and twice three new ones.</summary>
    private static void FeedLog(DetectionShard shard, int from, int to, ShardOutput output)
    {
        string[] steps = ["request began", "stock was checked", "payment was taken", "request ended well"];

        for (int row = from; row < to; row++)
        {
            string text = row switch
            {
                LogFault => "panic: the disk is gone",
                LogFault + 1 => "panic while the first panic was written down",
                LogFault + 2 => "panic again",
                LogFault + 12_000 => "failure of the second kind in the cooling loop",
                LogFault + 12_001 => "pumps have stopped",
                LogFault + 12_002 => "operator was called and did not come",
                _ => steps[row % steps.Length],
            };
            shard.Apply([Observation.Of("log", Start.AddSeconds(row), new TextEvent(text))], Start.AddYears(1), Model, output);
        }

        Assert.Empty(output.Faults);
    }
}
