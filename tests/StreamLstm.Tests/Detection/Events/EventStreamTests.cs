using StreamLstm.Benchmarks.Events;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Events;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Detection.Events;

public sealed class EventStreamTests
{
    private const string Sentence = "the quick brown fox jumps over the lazy dog and runs away. ";

    private static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    private static readonly BaseModel Model = BaseModel.Untrained(1);

    private readonly ShardOutput _output = new();

    [Fact]
    public void A_text_is_learnt_character_by_character_and_a_corrupted_passage_is_found()
    {
        const int Corrupted = 9_000;
        string text = string.Concat(Enumerable.Repeat(Sentence, 200))[..11_000];
        char[] scrambled = text.ToCharArray();
        new Random(1).Shuffle(scrambled.AsSpan(Corrupted, 30));
        DetectionShard shard = NewShard();

        List<ScoredObservation> scored = Feed(shard, new string(scrambled).Select((one, i) => Observation.Of("text", Start.AddSeconds(i), new TextEvent($"{one}", IsKind: true))));

        // Counts alone need 2.9 nats a character.
        Assert.InRange(scored[8_000..Corrupted].Average(one => one.Value), 0, 0.1);
        IncidentEvent opened = Assert.Single(Opened());
        Assert.InRange((opened.Onset - Start).TotalSeconds, Corrupted, Corrupted + 30);
        Assert.InRange(scored[(Corrupted + 60)..].Average(one => one.Value), 0, 0.3);
    }

    [Fact]
    public void Where_there_is_no_order_the_network_costs_next_to_nothing()
    {
        double[] shares = [0.5, 0.25, 0.125, 0.0625, 0.0625];
        double entropy = shares.Sum(share => -share * Math.Log(share));
        var random = new Random(3);

        List<ScoredObservation> scored = Feed(NewShard(), Enumerable.Range(0, 20_000).Select(i =>
        {
            double at = random.NextDouble();
            int kind = 0;

            while (kind < shares.Length - 1 && at >= shares[kind])
            {
                at -= shares[kind++];
            }

            return Observation.Of("chance", Start.AddSeconds(i), new TextEvent($"kind {(char)('a' + kind)}"));
        }));

        Assert.InRange(scored[10_000..].Average(one => one.Value), entropy - 0.03, entropy + 0.03);
    }

    [Fact]
    public void A_new_template_is_told_with_its_words_and_what_was_expected_instead()
    {
        IReadOnlyList<ServiceLogLine> log = new ServiceLog(40_100).Lines(20_000, (18_000, ServiceFault.NewError));

        Feed(NewShard(), log.Select(line => Line(line, keyed: true)));

        IncidentEvent[] told = [.. _output.Incidents.Where(incident => incident.State != IncidentState.Closed && incident.Onset >= log[18_000].Time)];
        Assert.Contains(told, incident => incident.Explanation.Contains("ERROR pool", StringComparison.Ordinal));
        Assert.All(told, incident =>
        {
            Assert.Equal(IncidentKind.Log, incident.Kind);
            Assert.NotNull(incident.Template);
            Assert.NotNull(incident.ExpectedTemplate);
            Assert.Equal(1, incident.Attribution.Values.Sum(), 9);
            Assert.All(incident.Attribution.Keys, name => Assert.Contains(name, EventChannelBank.Names));
        });
    }

    [Theory]
    [InlineData(nameof(ServiceFault.MissingStep), "is no rarity, but not after what went before; expected 'INFO payment [<key>] authorized")]
    [InlineData(nameof(ServiceFault.Disorder), "is no rarity, but not after what went before")]
    [InlineData(nameof(ServiceFault.Burst), " events in ")]
    [InlineData(nameof(ServiceFault.Stop), " events in ")]
    public void What_goes_wrong_with_a_service_is_found_and_named(string fault, string words)
    {
        const int Line = 18_000;
        IReadOnlyList<ServiceLogLine> log = new ServiceLog(40_200).Lines(Line + 1_500, (Line, Enum.Parse<ServiceFault>(fault)));

        Feed(NewShard(), log.Select(line => EventStreamTests.Line(line, keyed: true)));

        Assert.Contains(Opened(), incident => incident.Onset >= log[Line].Time.AddSeconds(-1) && incident.Explanation.Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public void An_ordinary_log_with_its_rare_warnings_stays_quiet()
    {
        Feed(NewShard(), new ServiceLog(9).Lines(30_000).Select(line => Line(line, keyed: true)));

        Assert.InRange(Opened().Count(), 0, 1);
    }

    [Theory]
    [InlineData(nameof(ServiceFault.Burst))]
    [InlineData(nameof(ServiceFault.Stop))]
    public void The_same_fault_is_told_the_seventh_time_as_it_was_the_first(string fault)
    {
        int[] at = [4_000, 7_300, 10_100, 13_900, 16_700, 20_300, 23_000];
        IReadOnlyList<ServiceLogLine> log = Slow(7_001, 24_000, [.. at.Select(line => (line, Enum.Parse<ServiceFault>(fault)))]);

        List<ScoredObservation> scored = Feed(NewShard(), log.Select(line => Line(line, keyed: true)));

        Assert.All(at, line => Assert.Contains(Opened(), incident => IsOf(incident.Onset, line)));
        double[] highest = [.. at.Select(line => scored.Where(one => IsOf(one.Time, line)).Max(one => one.AnomalyScore))];
        Assert.All(highest, score => Assert.InRange(score, highest[0] - 0.15, 1));

        bool IsOf(DateTimeOffset time, int line) => time >= log[line].Time.AddSeconds(-20) && time <= log[line].Time.AddMinutes(30);
    }

    [Theory]
    [InlineData(nameof(ServiceFault.RegularJob), "archive", 0)]
    [InlineData(nameof(ServiceFault.StaysOften), "limiter", 1)]
    [InlineData(nameof(ServiceFault.StaysSeldom), "limiter", 1)]
    public void A_regular_job_and_a_new_line_that_stays_are_told_a_few_times_and_then_no_more(string change, string word, int least)
    {
        IReadOnlyList<ServiceLogLine> log = Slow(7_002, 20_000, (8_000, Enum.Parse<ServiceFault>(change)));

        Feed(NewShard(), log.Select(line => Line(line, keyed: true)));

        IncidentEvent[] told = [.. Opened().Where(incident => incident.Explanation.Contains(word, StringComparison.Ordinal))];
        Assert.InRange(told.Length, least, 3);
        Assert.All(told, incident => Assert.InRange(incident.Onset, log[7_990].Time, log[14_000].Time));
    }

    [Theory]
    [InlineData(1, 86_400)]
    [InlineData(60, 10_000)]
    public void The_threshold_is_decades_of_clean_events_in_a_day_and_of_ten_thousand_at_least(int seconds, double events)
    {
        DetectionShard shard = NewShard();

        Feed(shard, Enumerable.Range(0, 2_000).Select(i => Observation.Of("log", Start.AddSeconds(seconds * i), new TextEvent($"kind {(char)('a' + i % 3)}"))));

        Assert.Equal(Math.Log10(events), ((EventJudge)shard.Rows.Single().Judge).Threshold, 0.01);
    }

    [Fact]
    public void A_session_that_stops_too_early_is_told_when_it_has_been_idle()
    {
        DetectionShard shard = NewShard();
        int second = 0;

        for (int session = 0; session < 3_000; session++)
        {
            foreach (string step in (string[])["request began", "stock was checked", "payment was taken", "request ended well"])
            {
                if (session != 2_900 || step.StartsWith("request b", StringComparison.Ordinal) || step.StartsWith("stock", StringComparison.Ordinal))
                {
                    Feed(shard, [Observation.Of("shop", Start.AddSeconds(second += 2), new TextEvent(step, $"s{session}"))]);
                }
            }
        }

        IncidentEvent opened = Assert.Single(Opened());
        Assert.Contains("the session ended after 'stock was checked'", opened.Explanation, StringComparison.Ordinal);
        Assert.Contains("expected 'payment was taken'", opened.Explanation, StringComparison.Ordinal);
        Assert.Contains("[session s2900]", opened.Explanation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 200)]
    [InlineData(true, 5_210)]
    [InlineData(false, 5_210)]
    public void A_restored_stream_goes_on_as_if_it_had_never_stopped(bool ownWeights, int at)
    {
        Observation[] log = [.. new ServiceLog(5).Lines(9_000).Select(line => Line(line, keyed: true))];
        DetectionShard uninterrupted = NewShard(ownWeights), first = NewShard(ownWeights), second = NewShard(ownWeights);

        List<ScoredObservation> expected = Feed(uninterrupted, log);
        Feed(first, log[..at]);
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        first.Save(writer);
        file.Position = 0;
        second.Load(new BinaryReader(file), Model);

        Assert.Equal(file.Length, file.Position);
        Assert.Equal(expected[at..], Feed(second, log[at..]));
    }

    [Fact]
    public void A_stream_has_no_weights_of_its_own_before_it_learns()
    {
        DetectionShard withWeights = NewShard(), without = NewShard(ownWeights: false);
        Observation[] log = [.. new ServiceLog(5).Lines(20).Select(line => Line(line, keyed: false))];

        Feed(withWeights, log);
        Feed(without, log);

        Assert.InRange(Size(withWeights), Size(without), Size(without) + 1_024);
        Assert.InRange(Size(without), 0, 16_384);
    }

    [Fact]
    public void Without_weights_of_its_own_a_stream_is_judged_by_counts()
    {
        DetectionShard shard = NewShard(ownWeights: false);

        List<ScoredObservation> scored = Feed(shard, new ServiceLog(5).Lines(5_000).Select(line => Line(line, keyed: true)));

        Assert.Equal(0, ((EventJudge)shard.Rows.Single().Judge).Trust);
        Assert.InRange(scored[4_000..].Average(one => one.Value), 2, 3);
    }

    [Fact]
    public void A_log_of_random_words_takes_no_more_room_than_any()
    {
        var random = new Random(1);
        DetectionShard shard = NewShard();
        Observation Random(int i) => Observation.Of("wild", Start.AddMilliseconds(10 * i), new TextEvent(
            string.Join(' ', Enumerable.Range(0, random.Next(1, 9)).Select(_ => Word(random))), $"key-{random.Next()}"));

        Feed(shard, Enumerable.Range(0, 4_000).Select(Random));
        long half = Size(shard);
        Feed(shard, Enumerable.Range(4_000, 8_000).Select(Random));

        Assert.Equal((512, 2_000), (((EventJudge)shard.Rows.Single().Judge).Templates, ((EventJudge)shard.Rows.Single().Judge).OpenSessions));
        Assert.InRange(Size(shard), 0.9 * half, 1.1 * half);
        Assert.Empty(_output.Faults);
    }

    [Fact]
    public void More_kinds_than_fit_the_network_share_a_place_and_all_are_scored()
    {
        var random = new Random(2);

        List<ScoredObservation> scored = Feed(NewShard(), Enumerable.Range(0, 12_000).Select(i =>
            Observation.Of("kinds", Start.AddSeconds(i), new TextEvent(Word(new Random(Math.Min(random.Next(600), random.Next(600)))), IsKind: true))));

        Assert.Equal(12_000, scored.Count);
        Assert.All(scored, one => Assert.InRange(one.Value, 0, 30));
    }

    [Fact]
    public void A_stream_is_of_values_or_of_events_and_a_blank_line_is_neither()
    {
        DetectionShard shard = NewShard();

        Feed(shard, [
            Observation.Of("a", Start, new TextEvent("hello")), new Observation("a", Start, 1), new Observation("b", Start, 1),
            Observation.Of("b", Start, new TextEvent("hello")), Observation.Of("a", Start, new TextEvent("  ")), Observation.Of("", Start, new TextEvent("x"))]);

        Assert.Equal(2, _output.Scored.Count);
        Assert.Equal((2, 1, 1), (Rejected(RejectionReason.OtherKind), Rejected(RejectionReason.Malformed), Rejected(RejectionReason.BadStreamName)));

        int Rejected(RejectionReason reason) => _output.Rejected[(int)reason];
    }

    [Fact]
    public void Lines_of_the_same_instant_out_of_order_or_from_the_future_are_all_taken_and_time_never_goes_back()
    {
        DetectionShard shard = NewShard();
        double[] seconds = [0, 0, 5, 3, 7, 86_400, 8];

        foreach (double second in seconds)
        {
            shard.Apply([Observation.Of("log", Start.AddSeconds(second), new TextEvent("hello"))], Start.AddSeconds(10), Model, _output);
        }

        Assert.Equal([0, 0, 5, 5, 7, 10, 10], _output.Scored.Select(one => (one.Time - Start).TotalSeconds));
    }

    [Fact]
    public void A_clock_that_was_set_back_for_good_is_followed()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Enumerable.Range(0, 10).Select(i => Observation.Of("log", Start.AddHours(5).AddSeconds(i), new TextEvent("hello"))));

        List<ScoredObservation> scored = Feed(shard, Enumerable.Range(0, 100).Select(i => Observation.Of("log", Start.AddSeconds(i), new TextEvent("hello"))));

        Assert.Equal(Start.AddSeconds(99), scored[^1].Time);
    }

    [Fact]
    public void A_live_log_that_stops_opens_one_silence_and_its_return_closes_it()
    {
        var shard = new DetectionShard(
            new DetectionOptions { Events = new EventStreamOptions { WarmUpEvents = 500 } }, new StreamQuota(1, 1), 0, 1, new DetectionScratch());
        DateTimeOffset now = Start;

        for (int i = 0; i < 600; i++, now = now.AddSeconds(1))
        {
            shard.Apply([Observation.Of("log", now, new TextEvent($"tick {i}"))], now, Model, _output);
            shard.Tick(now, TimeSpan.FromSeconds(1), _output);
        }

        for (int i = 0; i < 60; i++, now = now.AddSeconds(1))
        {
            shard.Tick(now, TimeSpan.FromSeconds(1), _output);
        }

        Assert.Equal((IncidentKind.Silence, IncidentState.Opened), Kind(Assert.Single(_output.Incidents)));
        Assert.Equal(Lifecycle.Silent, shard.Rows.Single().Lifecycle);

        shard.Apply([Observation.Of("log", now, new TextEvent("tick 1"))], now, Model, _output);
        Assert.Equal(2, _output.Incidents.Count);
        Assert.Equal((IncidentKind.Silence, IncidentState.Closed), Kind(_output.Incidents[1]));

        static (IncidentKind, IncidentState) Kind(IncidentEvent incident) => (incident.Kind, incident.State);
    }

    [Theory]
    [InlineData(0, "SessionsMax")]
    [InlineData(100_001, "SessionsMax")]
    public void Settings_outside_their_ranges_are_refused_by_name(int sessions, string name)
    {
        var refused = Assert.Throws<ArgumentOutOfRangeException>(() =>
            new AnomalyDetector(new DetectionOptions { Events = new EventStreamOptions { SessionsMax = sessions } }));

        Assert.Equal(name, refused.ParamName);
    }

    [Fact]
    public void A_stream_of_events_has_the_bytes_of_layout_30()
    {
        DetectionShard shard = NewShard();
        Feed(shard, new ServiceLog(3).Lines(4_000).Select(line => Line(line, keyed: true)));
        using var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            shard.Save(writer);
        }

        Assert.Equal("3386031072F77A07", Convert.ToHexString(System.IO.Hashing.XxHash3.Hash(file.ToArray())));
    }

    private static string Word(Random random) => new([.. Enumerable.Range(0, 12).Select(_ => (char)('a' + random.Next(26)))]);

    private static long Size(DetectionShard shard)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        shard.Save(writer);
        return file.Length;
    }

    private static DetectionShard NewShard(bool ownWeights = true) =>
        new(new DetectionOptions(), new StreamQuota(10, ownWeights ? 10 : 0), 0, 1, new DetectionScratch());

    /// <summary>A log of one line a second.</summary>
    private static IReadOnlyList<ServiceLogLine> Slow(int seed, int lines, params (int, ServiceFault)[] faults) =>
        new ServiceLog(seed) { Slowness = 20 }.Lines(lines, faults);

    private static Observation Line(ServiceLogLine line, bool keyed) => Observation.Of("shop", line.Time, new TextEvent(
        line.Request is { } request ? line.Text.Replace(request, "<key>", StringComparison.Ordinal) : line.Text, keyed ? line.Request : null));

    private IEnumerable<IncidentEvent> Opened() => _output.Incidents.Where(incident => incident.State == IncidentState.Opened);

    private List<ScoredObservation> Feed(DetectionShard shard, IEnumerable<Observation> observations)
    {
        int before = _output.Scored.Count;

        foreach (Observation observation in observations)
        {
            shard.Apply([observation], observation.Time, Model, _output);
        }

        return _output.Scored[before..];
    }
}
