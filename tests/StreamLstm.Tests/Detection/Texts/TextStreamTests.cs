using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Events;
using StreamLstm.Detection.Judging.Texts;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Detection.Texts;

public sealed class TextStreamTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    private static readonly BaseModel Model = BaseModel.Untrained(1);

    private static readonly string[] Plants = ["boiler", "pump", "valve", "fan", "mixer", "heater", "cooler", "turbine"];

    private readonly ShardOutput _output = new();

    [Fact]
    public void A_line_of_other_characters_is_found_and_what_is_odd_of_it_is_marked_in_place()
    {
        DetectionShard shard = NewShard();
        List<ScoredObservation> scored = Feed(shard, Lines(0, 3_000));
        Assert.InRange(scored[2_500..].Average(one => one.Value), 0.2, 0.8);
        Assert.Empty(Opened());

        ScoredObservation odd = Feed(shard, [Line(3_000, "start pump 3 to xqz7kv")])[0];

        Assert.True(odd.Value > 1, $"{odd.Value} nats a character");
        IncidentEvent opened = Assert.Single(Opened());
        Assert.Equal(IncidentKind.Text, opened.Kind);
        Assert.Contains("3 to [xqz7kv]", opened.Explanation, StringComparison.Ordinal);
        Assert.Contains("nats a character, usually 0.", opened.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void Words_in_an_order_that_never_was_are_found_by_what_was_expected_instead()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Lines(0, 4_000));

        Feed(shard, [Line(4_000, "start pump stop pump valve")]);

        Assert.Contains("expected", Assert.Single(Opened()).Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_odd_line_is_as_odd_the_seventh_time_and_what_follows_it_is_ordinary()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Lines(0, 4_200));
        var values = new List<double>();
        int row = 4_200;

        // At no regular spacing, and not in a young stream: what comes regularly, or often before the 4,096th row, is normal.
        foreach (int between in (int[])[400, 170, 310, 230, 510, 190, 350])
        {
            ScoredObservation odd = Feed(shard, [Line(row++, "start pump 3 to xqz7kv")])[0];
            values.Add(odd.Value);
            Assert.True(odd.IsAlert, $"{values.Count}: {odd.Evidence} decades");
            Assert.InRange(Feed(shard, Lines(row, between)).Average(one => one.Value), 0.1, 0.6);
            row += between;
        }

        // Three characters that were never learnt, at some 16 nats each in 23.
        Assert.All(values, value => Assert.InRange(value, 1.9, 7));
    }

    [Fact]
    public void What_was_written_down_goes_on_to_the_same_bits()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Lines(0, 1_500));
        using var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            shard.Save(writer);
        }

        DetectionShard read = NewShard();
        file.Position = 0;
        read.Load(new BinaryReader(file), Model);

        Assert.Equal(Feed(shard, Lines(1_500, 900)), Feed(read, Lines(1_500, 900)));
        Assert.Equal(StreamKind.Texts, Assert.Single(read.Rows).Kind);
    }

    [Fact]
    public void A_stream_of_characters_has_the_bytes_of_layout_30()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Lines(0, 1_200));
        Feed(shard, [Line(1_200, "start pump 3 to xqz7kv \U0001F600")]);
        using var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            shard.Save(writer);
        }

        Assert.Equal("9858839D283E1479", Convert.ToHexString(System.IO.Hashing.XxHash3.Hash(file.ToArray())));
    }

    [Fact]
    public void The_state_is_carried_from_line_to_line()
    {
        // The second line follows from the first alone: without what went before it, either is as likely.
        DetectionShard shard = NewShard();
        var random = new Random(4);

        List<ScoredObservation> scored = Feed(shard, Enumerable.Range(0, 4_000).Select(i =>
        {
            return Line(i, i % 2 == 0 ? (random.Next(2) == 0 ? "a" : "b") : "x");
        }).ToArray());
        List<ScoredObservation> followed = Feed(NewShard(), Pairs(4_000));

        // Half a bit of chance in two characters where nothing can be known; none in the second line where it can.
        Assert.InRange(scored.Where((_, i) => i >= 3_000 && i % 2 == 0).Average(one => one.Value), 0.3, 0.4);
        Assert.InRange(followed.Where((_, i) => i >= 3_000 && i % 2 == 1).Average(one => one.Value), 0, 0.06);

        Observation[] Pairs(int count)
        {
            string last = "";
            return [.. Enumerable.Range(0, count).Select(i => Line(i, last = i % 2 == 0 ? (random.Next(2) == 0 ? "a" : "b") : last == "a" ? "c" : "d"))];
        }
    }

    [Fact]
    public void A_long_line_costs_no_more_than_its_first_characters_and_any_script_is_read()
    {
        DetectionShard shard = NewShard();
        var random = new Random(1);

        List<ScoredObservation> scored = Feed(shard, [.. Enumerable.Range(0, 600).Select(i => Line(
            i, string.Concat(Enumerable.Range(0, 300).Select(_ => char.ConvertFromUtf32(0x4E00 + random.Next(2_000))))))]);

        Assert.All(scored, one => Assert.InRange(one.Value, 0, 30));
        var judge = (TextJudge)shard.Rows.Single().Judge;
        Assert.Equal(TextTokens.TokensMax + 1, judge.Surprises.Length);
        Assert.Empty(_output.Faults);
    }

    [Fact]
    public void A_stream_of_texts_takes_no_event_of_a_log_and_no_value()
    {
        DetectionShard shard = NewShard();

        Feed(shard, [Line(0, "hello"), Observation.Of("text", Start, new TextEvent("hello")), new Observation("text", Start, 1), Line(1, " ")]);

        Assert.Single(_output.Scored);
        Assert.Equal((2, 1), (_output.Rejected[(int)RejectionReason.OtherKind], _output.Rejected[(int)RejectionReason.Malformed]));
    }

    private static Observation Line(int at, string text) =>
        Observation.Of("text", Start.AddSeconds(at), new TextEvent(text) { IsCharacters = true });

    private static Observation[] Lines(int first, int count) => [.. Enumerable.Range(first, count).Select(i =>
    {
        var random = new Random(i);
        string plant = Plants[random.Next(Plants.Length)];
        return Line(i, random.Next(2) == 0 ? $"start {plant} {random.Next(1, 5)} to {random.Next(1, 10)}0 percent" : $"stop {plant} {random.Next(1, 5)}");
    })];

    private static DetectionShard NewShard() => new(
        new DetectionOptions { Events = new EventStreamOptions { WarmUpEvents = 1_000 } }, new StreamQuota(4, 4), 0, 1, new DetectionScratch());

    private List<ScoredObservation> Feed(DetectionShard shard, Observation[] observations)
    {
        int before = _output.Scored.Count;

        foreach (Observation observation in observations)
        {
            shard.Apply([observation], observation.Time, Model, _output);
        }

        return _output.Scored[before..];
    }

    private IEnumerable<IncidentEvent> Opened() => _output.Incidents.Where(incident => incident.State == IncidentState.Opened);
}
