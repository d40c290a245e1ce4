using StreamLstm.Detection.Grouping;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Detection.Grouping;

public sealed class IncidentGroupingTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly IncidentGrouping _grouping = new();

    [Fact]
    public void A_burst_of_one_machine_is_one_group_whatever_the_cadences()
    {
        string[] parts = ["cpu/total", "disk/sda", "memory", "net/eth0", "load"];
        GroupEvent[] events =
        [
            .. Enumerable.Range(0, 30).SelectMany(i => Apply(
                Opened($"host/pi/{parts[i % 5]}/figure{i}", seconds: i / 2, interval: i % 3 == 0 ? 10 : 1))),
        ];

        Assert.Equal(GroupState.Opened, events[0].State);
        Assert.All(events[1..], one => Assert.Equal((GroupState.Joined, events[0].Id), (one.State, one.Id)));
        Assert.Equal(Enumerable.Range(0, 30), events.Select(one => one.Revision));
        Assert.Equal((30, 30, 30), (events[^1].Size, events[^1].OpenSize, events[^1].Members.Count));
    }

    [Fact]
    public void The_title_says_how_many_where_how_fast_and_what_is_worst()
    {
        Apply(Opened("host/pi/disk/sda/busy", 0, score: 60));
        Apply(Opened("host/pi/cpu/total/user", 4, score: 90) with { Actual = 97.2, Lower = 3, Upper = 12.04 });

        GroupEvent last = Assert.Single(Apply(Opened("host/pi/load/1", 8.6, score: 70)));

        Assert.Equal("3 streams of host/pi changed within 9 s: cpu/total/user 97.2 (expected 3 to 12.04) and 2 more", last.Title);
    }

    [Fact]
    public void The_strongest_comes_first_also_when_it_joined_or_became_so_later()
    {
        Apply(Opened("plant/a", 0, score: 70));
        GroupEvent joined = Assert.Single(Apply(Opened("plant/b", 1, score: 95)));
        GroupEvent worse = Assert.Single(Apply(Opened("plant/a", 0, score: 99) with { State = IncidentState.Continued, Revision = 1 }));

        Assert.Equal(["plant/b", "plant/a"], Streams(joined));
        Assert.Equal((GroupState.Continued, IncidentSeverity.Critical, 99), (worse.State, worse.Severity, worse.MaxScore));
        Assert.Equal(["plant/a", "plant/b"], Streams(worse));
    }

    [Fact]
    public void Equally_strong_ones_are_listed_by_onset_and_name()
    {
        Apply(Opened("plant/c", 1), Opened("plant/b", 1));

        Assert.Equal(["plant/a", "plant/b", "plant/c"], Streams(Apply(Opened("plant/a", 0) with { Time = At(2) })[^1]));
    }

    [Fact]
    public void Two_streams_far_apart_in_name_and_time_are_two_groups()
    {
        string first = Id(Opened("plant/boiler/temperature", 0)), second = Id(Opened("mill/saw/current", 3600));

        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Two_strangers_at_the_same_time_are_two_groups_while_nothing_is_known_of_them() =>
        Assert.NotEqual(Id(Opened("plant/temperature", 0)), Id(Opened("mill/current", 0)));

    [Fact]
    public void Two_strangers_at_the_same_time_are_one_group_where_hardly_anything_ever_happens()
    {
        for (int i = 0; i < 6; i++)
        {
            Apply(Opened("plant/temperature", i * 7200, id: i), Closed("plant/temperature", (i * 7200) + 60, id: i));
        }

        Assert.Equal(Id(Opened("plant/temperature", 90_000, id: 9)), Id(Opened("mill/current", 90_002)));
    }

    [Fact]
    public void An_outage_of_streams_that_share_no_name_is_one_group_from_the_third_on()
    {
        string[] ids = [.. Enumerable.Range(0, 40).Select(i => Id(Opened($"s{i}", i / 10, kind: IncidentKind.Silence)))];

        Assert.Single(ids[2..].Distinct());
    }

    [Theory]
    [InlineData(7)]
    [InlineData(60)]
    [InlineData(600)]
    [InlineData(3000)]
    public void Strangers_that_coincide_in_a_fleet_are_rarely_merged(int gapSeconds)
    {
        const int Incidents = 3000;
        var random = new Random(gapSeconds);
        double seconds = 0;
        int merged = 0;

        for (int i = 0; i < Incidents; i++)
        {
            seconds -= gapSeconds * Math.Log(1 - random.NextDouble());
            string stream = $"device{random.Next(10_000)}/value";
            merged += Apply(Opened(stream, Math.Floor(seconds), id: i)).Count(one => one.State == GroupState.Joined);
            Apply(Closed(stream, Math.Floor(seconds) + 40, id: i));
        }

        Assert.InRange(merged, 0, Incidents / 100);
    }

    [Fact]
    public void Devices_under_one_root_are_not_merged_in_a_busy_fleet_and_the_streams_of_each_are()
    {
        var random = new Random(1);
        double seconds = 0;
        int together = 0, apart = 0;

        for (int i = 0; i < 500; i++)
        {
            seconds -= 7 * Math.Log(1 - random.NextDouble());
            string device = $"acme/line{random.Next(100)}/m{random.Next(100)}";
            string first = Id(Opened($"{device}/a", seconds, id: i)), second = Id(Opened($"{device}/b", seconds + 2, id: i));
            together += i >= 50 && first == second ? 1 : 0;
            apart += i >= 50 && first == $"{device}/a-{i}" ? 1 : 0;
        }

        // The first fifty show how busy it is.
        Assert.InRange(together, 440, 450);
        Assert.InRange(apart, 440, 450);
    }

    [Fact]
    public void Bursts_of_machines_under_one_root_are_each_one_group_however_often_they_fall_together()
    {
        const int Causes = 400;
        var random = new Random(5);
        double begin = 0;
        List<(double Seconds, string Stream, int Cause)> onsets = [];

        for (int cause = 0; cause < Causes; cause++)
        {
            begin -= 36 * Math.Log(1 - random.NextDouble());
            int machine = random.Next(100);
            onsets.AddRange(Enumerable.Range(0, 20).Select(i => (begin + (15 * random.NextDouble()), $"acme/m{machine}/part{i % 5}/{i}", cause)));
        }

        (string Group, int Cause)[] found = [.. onsets.OrderBy(one => one.Seconds).Select((one, i) => (Id(Opened(one.Stream, one.Seconds, id: i)), one.Cause))];

        Assert.InRange(found.Distinct().Count(), Causes, Causes * 1.2);
        Assert.InRange(found.GroupBy(one => one.Group).Count(group => group.Select(one => one.Cause).Distinct().Count() > 1), 0, Causes / 50);
    }

    [Fact]
    public void A_stream_that_always_follows_another_is_merged_from_the_third_time_on()
    {
        string[] ids = [.. Enumerable.Range(0, 4).SelectMany(day => new[]
        {
            Id(Opened("plant/pump", (day * 7200), id: day)),
            Id(Opened("mill/level", (day * 7200) + 40 + (day % 2), id: day)),
        })];

        Assert.NotEqual(ids[0], ids[1]);
        Assert.NotEqual(ids[2], ids[3]);
        Assert.Equal(ids[4], ids[5]);
        Assert.Equal(ids[6], ids[7]);
    }

    [Fact]
    public void A_stream_that_often_has_incidents_gets_no_habit_by_them()
    {
        int merged = 0;

        for (int i = 0; i < 200; i++)
        {
            Apply(Opened("plant/pump", i * 1800, id: i), Closed("plant/pump", (i * 1800) + 30, id: i));

            for (int j = 0; j < 60; j++)
            {
                merged += Apply(Opened("mill/level", (i * 1800) + (j * 30) + 12, id: (i * 60) + j)).Count(one => one.State == GroupState.Joined);
                Apply(Closed("mill/level", (i * 1800) + (j * 30) + 20, id: (i * 60) + j));
            }
        }

        Assert.InRange(merged, 0, 20);
    }

    [Fact]
    public void A_group_closes_when_all_its_incidents_have()
    {
        Apply(Opened("plant/a", 0), Opened("plant/b", 1));

        GroupEvent first = Assert.Single(Apply(Closed("plant/b", 50)));
        GroupEvent second = Assert.Single(Apply(Closed("plant/a", 70)));

        Assert.Equal((GroupState.Continued, 1, null), (first.State, first.OpenSize, first.ClosedAt));
        Assert.Equal((GroupState.Closed, 0, At(70)), (second.State, second.OpenSize, second.ClosedAt));
        Assert.Equal("why plant/a", second.Members[0].Explanation);
        Assert.Empty(Apply(Closed("plant/a", 71)));
    }

    [Fact]
    public void A_group_that_has_just_closed_opens_again_for_what_began_with_it()
    {
        Apply(Opened("plant/a", 0), Closed("plant/a", 3));

        GroupEvent again = Assert.Single(Apply(Opened("plant/b", 4)));

        Assert.Equal((GroupState.Joined, "plant/a-0", 1, null), (again.State, again.Id, again.OpenSize, again.ClosedAt));
        Assert.Equal(GroupState.Closed, Assert.Single(Apply(Closed("plant/b", 60))).State);
    }

    [Fact]
    public void A_silence_belongs_to_what_began_when_the_last_value_came()
    {
        Apply(Opened("plant/a", 0));

        Assert.Equal("plant/a-0", Id(Opened("plant/b", 1, kind: IncidentKind.Silence) with { Time = At(30) }));
    }

    [Fact]
    public void Messages_say_which_group_they_are_of_and_one_of_them_that_it_opens()
    {
        IReadOnlyList<IncidentEvent> told = _grouping.Apply([Opened("plant/b", 1), Opened("plant/a", 0), Closed("plant/a", 60)]).Incidents;

        Assert.Equal([("plant/a", 1, true), ("plant/b", 2, false), ("plant/a", 2, false)], told.Select(one => (one.Stream, one.GroupSize!.Value, one.OpensGroup)));
        Assert.All(told, one => Assert.Equal("plant/a-0", one.GroupId));
    }

    [Fact]
    public void An_incident_whose_end_was_lost_ends_with_the_next_of_its_stream()
    {
        Apply(Opened("plant/a", 0));

        GroupEvent[] events = Apply(Opened("plant/a", 5000, id: 1));

        Assert.Equal([(GroupState.Closed, "plant/a-0"), (GroupState.Opened, "plant/a-1")], events.Select(one => (one.State, one.Id)));
    }

    [Fact]
    public void The_end_of_what_was_never_heard_of_is_no_news()
    {
        GroupedIncidents grouped = _grouping.Apply([Closed("plant/a", 0)]);

        Assert.Empty(grouped.Groups);
        Assert.Equal("plant/a-0", Assert.Single(grouped.Incidents).GroupId);
    }

    [Fact]
    public void The_order_within_a_batch_does_not_matter()
    {
        IncidentEvent[] batch =
        [
            .. Enumerable.Range(0, 20).Select(i => Opened($"host/pi/{(char)('a' + i)}", i / 4.0)),
            Opened("mill/level", 2, kind: IncidentKind.Silence) with { Time = At(20) }, Closed("mill/level", 19),
        ];
        GroupedIncidents expected = new IncidentGrouping().Apply(batch);

        for (int seed = 0; seed < 20; seed++)
        {
            IncidentEvent[] shuffled = [.. batch[..20]];
            new Random(seed).Shuffle(shuffled);
            GroupedIncidents found = new IncidentGrouping().Apply([.. batch[20..], .. shuffled]);
            Assert.Equal(expected.Incidents.Select(one => (one.Id, one.GroupId, one.GroupSize)), found.Incidents.Select(one => (one.Id, one.GroupId, one.GroupSize)));
            Assert.Equal(expected.Groups.Select(Text), found.Groups.Select(Text));
        }
    }

    [Fact]
    public void Saved_and_loaded_anywhere_it_goes_on_the_same()
    {
        IncidentEvent[] events = [.. Storm(seed: 5, count: 400)];
        string[] expected = [.. events.SelectMany(one => _grouping.Apply([one]).Groups).Select(Text)];
        var restarted = new IncidentGrouping();
        List<string> found = [];

        for (int i = 0; i < events.Length; i++)
        {
            found.AddRange(restarted.Apply([events[i]]).Groups.Select(Text));

            if (i % 7 == 0)
            {
                restarted = Again(restarted);
            }
        }

        Assert.Equal(expected, found);
        Assert.Contains(expected, text => text.Contains("Joined", StringComparison.Ordinal));
    }

    [Fact]
    public void What_it_remembers_is_bounded()
    {
        GroupEvent? last = null;

        for (int i = 0; i < 3_000; i++)
        {
            foreach (GroupEvent one in Apply(Opened($"root{i}/x", i * 400)))
            {
                last = one.State == GroupState.Closed ? one : last;
            }
        }

        for (int i = 0; i < 150; i++)
        {
            Assert.InRange(Apply(Opened($"host/pi/{i}", 2e6 + (i / 50.0), score: 60 + (i / 10.0)))[^1].Members.Count, 1, 100);
        }

        Assert.Equal("root2499/x-0", last!.Id);
        Assert.InRange(Bytes(_grouping).Length, 1, 1_500_000);
        IncidentGrouping again = Again(_grouping);
        GroupEvent[] closed = [.. Enumerable.Range(0, 150).SelectMany(i => again.Apply([Closed($"host/pi/{i}", 2e6 + 100)]).Groups)];
        Assert.Equal((GroupState.Closed, 150, 0), (closed[^1].State, closed[^1].Size, closed[^1].OpenSize));
        Assert.Equal("host/pi/149", closed[^1].Members[0].Stream);
    }

    private static DateTimeOffset At(double seconds) => Start.AddSeconds(seconds);

    private static IEnumerable<string> Streams(GroupEvent group) => group.Members.Select(member => member.Stream);

    private static string Text(GroupEvent one) => $"{one with { Members = [], Incident = null }} {string.Join(' ', one.Members)}";

    private static IncidentGrouping Again(IncidentGrouping grouping)
    {
        var loaded = new IncidentGrouping();
        loaded.Load(new BinaryReader(new MemoryStream(Bytes(grouping))));
        return loaded;
    }

    private static byte[] Bytes(IncidentGrouping grouping)
    {
        using var buffer = new MemoryStream();
        grouping.Save(new BinaryWriter(buffer));
        return buffer.ToArray();
    }

    /// <summary>Incidents of a few streams at odd moments, some of them worse later, all of them over after a while.</summary>
    private static IEnumerable<IncidentEvent> Storm(int seed, int count)
    {
        var random = new Random(seed);
        double seconds = 0;

        for (int i = 0; i < count; i++)
        {
            seconds += random.Next(4) == 0 ? random.Next(600) : random.NextDouble();
            string stream = $"{(random.Next(2) == 0 ? "host/pi" : "plant")}/{(char)('a' + random.Next(6))}";
            IncidentEvent opened = Opened(stream, seconds, score: 50 + random.Next(50), id: i, interval: random.Next(2) == 0 ? 10 : null);
            yield return opened;

            if (random.Next(3) == 0)
            {
                yield return opened with { Id = $"{opened.Id}c", State = IncidentState.Continued, MaxScore = 100, Time = At(seconds + 1) };
            }

            if (random.Next(5) > 0)
            {
                yield return Closed(stream, seconds + 30, id: i);
            }
        }
    }

    private static IncidentEvent Opened(
        string stream, double seconds, double score = 75, int id = 0, double? interval = null, IncidentKind kind = IncidentKind.Range) => new()
    {
        Id = $"{stream}-{id}",
        IncidentId = $"{stream}-{id}",
        Revision = 0,
        Stream = stream,
        State = IncidentState.Opened,
        Kind = kind,
        Severity = score > 85 ? IncidentSeverity.Critical : IncidentSeverity.Warning,
        Onset = At(seconds),
        Time = At(seconds),
        Score = score,
        MaxScore = score,
        Actual = 9,
        Lower = 4,
        Upper = 6,
        Attribution = new Dictionary<string, double>(),
        Explanation = $"why {stream}",
        ModelVersion = 0,
        IntervalSeconds = interval,
    };

    private static IncidentEvent Closed(string stream, double seconds, int id = 0) =>
        Opened(stream, seconds, id: id) with { Id = $"{stream}-{id}e", State = IncidentState.Closed, ClosedAt = At(seconds), Explanation = "back to normal" };

    private GroupEvent[] Apply(params IncidentEvent[] incidents) => [.. _grouping.Apply(incidents).Groups];

    /// <summary>The group that an incident is put into.</summary>
    private string Id(IncidentEvent incident) => _grouping.Apply([incident]).Incidents[0].GroupId!;
}
