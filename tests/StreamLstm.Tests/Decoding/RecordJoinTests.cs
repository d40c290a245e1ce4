using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Tests.Decoding;

/// <summary>Fields that come one by one become one record; time is what the test says.</summary>
public sealed class RecordJoinTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 10, 0, 0, TimeSpan.Zero);
    private static readonly JoinRule Rule = new(["flow", "pressure", "speed"], TimeSpan.FromSeconds(2));

    private readonly Decoded _decoded = new(new IngestStamp(TimeProvider.System));
    private RecordJoin _join = new(RecordRules.None);

    [Fact]
    public void A_record_is_handed_on_when_it_has_all_its_fields_with_the_time_of_the_latest()
    {
        Take("pump", "speed", 3, at: 0.2);
        Take("other", "flow", 9, at: 0.3);
        Take("pump", "flow", 1, at: 0.5);
        Assert.Empty(_decoded.Observations);

        Take("pump", "pressure", 2, at: 0.1);

        Assert.Equal(["pump 0.5: 1 2 3"], Records());
        Assert.Equal(Rule.Fields, _decoded.Observations[0].Record!.Columns);
        Assert.True(_decoded.LeftOut.IsEmpty);
    }

    [Fact]
    public void After_its_window_a_record_goes_on_without_the_fields_that_are_missing_and_each_is_counted()
    {
        Take("pump", "flow", 1, at: 0, now: 10);
        _join.Expire(TimeSpan.FromSeconds(11.9), _decoded);
        Assert.Empty(_decoded.Observations);
        Assert.Equal(TimeSpan.FromSeconds(12), _join.NextDue);

        _join.Expire(TimeSpan.FromSeconds(12), _decoded);

        Assert.Equal(["pump 0: 1 NaN NaN"], Records());
        Assert.Null(_join.NextDue);
        (LeftOutReason reason, int count, string last) = Assert.Single(_decoded.LeftOut.Take());
        Assert.Equal((LeftOutReason.NotJoined, 2, "pump/speed: missing, not within 2s of the others"), (reason, count, last));
    }

    [Fact]
    public void A_field_that_comes_a_second_time_or_is_too_far_from_the_first_begins_the_next_record()
    {
        Take("pump", "flow", 1, at: 0);
        Take("pump", "flow", 2, at: 1);
        Take("pump", "pressure", 3, at: 3.5);

        Assert.Equal(["pump 0: 1 NaN NaN", "pump 1: 2 NaN NaN"], Records());
    }

    [Fact]
    public void Fields_of_a_reading_stored_and_sent_later_find_each_other_by_their_own_time()
    {
        for (int row = 0; row < 3; row++)
        {
            Take("pump", "flow", row, at: 60 * row, now: 500);
            Take("pump", "pressure", 10 + row, at: 60 * row, now: 500);
            Take("pump", "speed", 20 + row, at: (60 * row) + 1, now: 500);
        }

        Assert.Equal(["pump 1: 0 10 20", "pump 61: 1 11 21", "pump 121: 2 12 22"], Records());
    }

    [Fact]
    public void What_is_none_of_the_fields_stays_what_it_is()
    {
        _decoded.Add("pump/label", Start, 5);
        _decoded.Add("pumps/flow", Start, 6);
        _decoded.Add("pump", Start, 7);
        _join.Take("pump", Rule, _decoded, from: 0, TimeSpan.Zero);

        Assert.Equal([("pump/label", 5d), ("pumps/flow", 6d)], _decoded.Observations.Select(observation => (observation.Stream, observation.Value)));
        Assert.Equal("pump: 7, expected one of its fields flow, pressure, speed", Assert.Single(_decoded.LeftOut.Take()).Last);
    }

    [Fact]
    public void Fields_stay_streams_beside_the_record_where_vectors_say_so()
    {
        _join = new RecordJoin(new RecordRules([(new VectorOptions { Streams = "pump" }, RecordFields.Both)]));

        foreach ((string field, int value) in new[] { ("flow", 1), ("pressure", 2), ("speed", 3) })
        {
            Take("pump", field, value, at: 0);
        }

        Assert.Equal(["pump/flow", "pump/pressure", "pump/speed", "pump"], _decoded.Observations.Select(observation => observation.Stream));
    }

    [Fact]
    public void What_was_noted_of_an_open_record_goes_on_and_waits_its_whole_window_again()
    {
        Take("pump", "flow", 1, at: 0, now: 10);
        Take("pump", "speed", 3, at: 0.7, now: 10);
        (string stream, string told) = Assert.Single(_join.TakeNotes());
        Assert.False(_join.HasNotes);

        var next = new RecordJoin(RecordRules.None);
        next.Restore(stream, told, TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(3), next.NextDue);
        _join = next;
        Take("pump", "pressure", 2, at: 0.1, now: 1);

        Assert.Equal(["pump 0.7: 1 2 3"], Records());
        Assert.Equal([("pump", "")], _join.TakeNotes());
    }

    [Fact]
    public void A_record_that_begins_and_ends_between_two_notes_leaves_none()
    {
        Take("pump", "flow", 1, at: 0);
        Take("pump", "pressure", 2, at: 0);
        Take("pump", "speed", 3, at: 0);

        Assert.Empty(_join.TakeNotes());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"Fields":["a"],"Values":[]}""")]
    [InlineData("null")]
    public void A_note_that_is_none_is_passed_over(string told)
    {
        _join.Restore("pump", told, TimeSpan.Zero);

        Assert.Null(_join.NextDue);
    }

    [Fact]
    public void A_record_of_former_fields_is_handed_on_before_one_of_the_present_ones_begins()
    {
        Take("pump", "flow", 1, at: 0);
        var other = new JoinRule(["flow", "heat"], TimeSpan.FromSeconds(2));
        _decoded.Add("pump/heat", Start.AddSeconds(0.5), 4);
        _join.Take("pump", other, _decoded, from: 0, TimeSpan.Zero);
        _decoded.Add("pump/flow", Start.AddSeconds(0.6), 5);
        _join.Take("pump", other, _decoded, from: 1, TimeSpan.Zero);

        Assert.Equal(["pump 0: 1 NaN NaN", "pump 0.6: 5 4"], Records());
    }

    [Fact]
    public void Open_records_are_bounded_and_the_one_that_waits_longest_goes_first()
    {
        _join = new RecordJoin(RecordRules.None, openMax: 2);
        Take("a", "flow", 1, at: 0, now: 0);
        Take("b", "flow", 2, at: 0, now: 0.1);
        Take("c", "flow", 3, at: 0, now: 0.2);

        Assert.Equal(["a 0: 1 NaN NaN"], Records());
    }

    private void Take(string device, string field, double value, double at, double now = 0)
    {
        int from = _decoded.Observations.Count;
        _decoded.Add($"{device}/{field}", Start.AddSeconds(at), value);
        _join.Take(device, Rule, _decoded, from, TimeSpan.FromSeconds(now));
    }

    private string[] Records() =>
    [
        .. _decoded.Observations.Select(observation => FormattableString.Invariant(
            $"{observation.Stream} {(observation.Time - Start).TotalSeconds}: {string.Join(' ', observation.Record!.Values.ToArray().Select(value => FormattableString.Invariant($"{value}")))}")),
    ];
}
