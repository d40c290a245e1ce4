using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection.Deciding;

public sealed class DeciderTests
{
    private readonly ScriptedStream _stream = new();

    [Fact]
    public void An_incident_opens_at_the_threshold_goes_on_a_decade_below_it_and_is_over_after_thirty_rows()
    {
        _stream.Rest(20);
        _stream.Feed(1.9, 2.0, 1.1);
        _stream.Rest(29);
        Assert.Empty(_stream.Closed);
        _stream.Rest(1);

        IncidentEvent opened = Assert.Single(_stream.Opened), closed = Assert.Single(_stream.Closed);
        Assert.Equal((30, 31), ((opened.Onset - ScriptedStream.Start).TotalMinutes, (opened.Time - ScriptedStream.Start).TotalMinutes));
        Assert.Equal("2 is too much; over after 2 observations: back to normal", closed.Explanation);
        Assert.Equal(50, opened.Score, 6);
    }

    [Fact]
    public void The_score_is_a_half_where_an_incident_opens_and_that_of_more_is_never_lower()
    {
        _stream.Feed(0, 1, 2, 4, 8);

        double[] scores = [.. _stream.Output.Scored[^5..].Select(scored => scored.AnomalyScore)];
        Assert.Equal([0, 0.292893, 0.5, 0.75, 0.9375], scores.Select(score => Math.Round(score, 6)));
        Assert.Equal(100 * scores[3], _stream.Output.Scored[^2].Score);
        Assert.Equal([0, 1, 2, 4, 8], _stream.Output.Scored[^5..].Select(scored => scored.Evidence!.Value));
        Assert.All(_stream.Output.Scored[..9], scored => Assert.Equal((0, null), (scored.AnomalyScore, scored.Evidence)));
    }

    [Fact]
    public void What_goes_on_of_an_incident_is_no_news_until_it_is_worse_than_it_was()
    {
        _stream.Feed(0, 4, 3, 4, 1.5, 5, 4);

        double[] scores = [.. _stream.Output.Scored[^6..].Select(scored => Math.Round(scored.AnomalyScore, 6))];
        Assert.Equal([0.75, 0.49, 0.49, 0.405396, 0.823223, 0.49], scores);
        _stream.Rest(40);
        Assert.Equal(82.3223, Assert.Single(_stream.Closed).MaxScore, 4);
        _stream.Feed(4);
        Assert.Equal(0.75, _stream.Output.Scored[^1].AnomalyScore);
    }

    [Fact]
    public void What_lies_further_out_than_what_was_told_is_worth_no_less_in_an_open_incident_too()
    {
        _stream.Judge.Expected = 0;
        _stream.Judge.EvidenceOf = (_, value) => value > 500 ? 3 : value > 100 ? 4 : value > 50 ? 2 : 0;
        _stream.Feed(400);
        _stream.Rest(40);
        _stream.Feed(60, 0, 600);

        Assert.Equal([0.5, 0, 0.75], _stream.Output.Scored[^3..].Select(scored => scored.AnomalyScore));
        Assert.Equal(2, _stream.Opened.Count());
    }

    [Fact]
    public void What_comes_after_a_new_beginning_is_accepted_and_told_only_where_it_is_clearly_more_until_a_warm_up_was_quiet()
    {
        _stream.Judge.RewarmRows = 20;
        _stream.Rest(100);
        _stream.StayAway(minutes: 200);
        _stream.Feed([.. Enumerable.Repeat(3.0, 20)]);
        Assert.Equal([(_stream.Judge.Rows - 20, _stream.Judge.Rows)], _stream.Judge.Accepted);
        _stream.Feed(3, 4.4);
        Assert.Empty(_stream.Output.Incidents);
        Assert.All(_stream.Judge.Lessons[^22..], lesson => Assert.Equal(Lesson.Normal, lesson));
        _stream.Feed(6.6);
        Assert.Single(_stream.Opened);

        _stream.Rest(200);
        _stream.StayAway(minutes: 200);
        _stream.Rest(20);
        Assert.Single(_stream.Judge.Accepted);
        _stream.Feed(2.9);
        Assert.Single(_stream.Opened);
        _stream.Rest(200);
        _stream.Feed(2.9);
        Assert.Equal(2, _stream.Opened.Count());
    }

    [Fact]
    public void Rows_of_an_incident_teach_nothing_nor_do_those_just_before_it_and_suspicious_ones_are_told_apart()
    {
        _stream.Rest(20);
        _stream.Feed(1.2);
        _stream.Rest(5);
        int first = _stream.Judge.Lessons.Count;
        _stream.Feed(1.2, 3);
        _stream.Rest(40);

        Lesson[] lessons = [.. _stream.Judge.Lessons.Skip(first)];
        Assert.Equal(Lesson.Suspicious, _stream.Judge.Lessons[first - 6]);
        Assert.Equal(Lesson.Suspicious, lessons[0]);
        Assert.All(lessons[1..31], lesson => Assert.Equal(Lesson.Abnormal, lesson));
        Assert.All(lessons[31..], lesson => Assert.Equal(Lesson.Normal, lesson));
        Assert.Equal([(first - 8, first + 1)], _stream.Judge.Spared);
    }

    [Fact]
    public void What_has_lasted_and_has_settled_is_told_once_and_then_is_normal()
    {
        _stream.Rest(20);
        long began = _stream.Minute;
        Last(299);
        _stream.Judge.IsSettled = true;
        Assert.Empty(_stream.Closed);
        Last(2);

        IncidentEvent closed = Assert.Single(_stream.Closed);
        Assert.Equal("3 is too much; lasts and has settled: the new normal since 2026-03-02 00:30:00", closed.Explanation);
        Assert.Equal([(began, began + 300)], _stream.Judge.Accepted);
        int lessons = _stream.Judge.Lessons.Count;
        Last(200);
        Assert.Single(_stream.Opened);
        Assert.All(_stream.Judge.Lessons[lessons..], lesson => Assert.Equal(Lesson.Normal, lesson));
        Assert.True(_stream.Suppressed(SuppressedBy.Accepted) > 0);

        // Clearly more is told all the same; and once it was quiet for a while, what is told is as ever.
        _stream.Feed(5.5);
        Assert.Equal(2, _stream.Opened.Count());
        _stream.Rest(200);
        _stream.Feed(2.5);
        Assert.Equal(3, _stream.Opened.Count());

        void Last(int rows)
        {
            for (int row = 0; row < rows; row++)
            {
                _stream.Feed(3);
            }
        }
    }

    [Fact]
    public void What_does_not_settle_stays_open_for_a_quarter_of_the_life_before_and_what_a_person_called_real_for_ever()
    {
        _stream.Rest(4_000);

        for (int row = 0; row < 990; row++)
        {
            _stream.Feed(3);
        }

        Assert.Single(_stream.Output.Incidents);
        Assert.True(_stream.Row.Label(_stream.Output.Incidents[0].IncidentId, IncidentLabel.Real, ScriptedStream.Start, 0, _stream.Output));
        _stream.Judge.IsSettled = true;
        _stream.Feed([.. Enumerable.Repeat(3.0, 100)]);
        Assert.Single(_stream.Output.Incidents);
    }

    [Fact]
    public void What_has_lasted_for_a_quarter_of_the_life_before_is_normal_though_it_does_not_settle()
    {
        _stream.Rest(4_000);

        for (int row = 0; row < 1_010; row++)
        {
            _stream.Feed(3);
        }

        Assert.Equal([IncidentState.Opened, IncidentState.Closed], _stream.Output.Incidents.Select(one => one.State));
    }

    [Fact]
    public void A_muted_stretch_that_settles_is_accepted_though_it_was_never_told()
    {
        var stream = new ScriptedStream(new AlertRule { SeverityMin = IncidentSeverity.Critical });
        stream.Judge.IsSettled = true;

        for (int row = 0; row < 400; row++)
        {
            stream.Feed(3);
        }

        Assert.Empty(stream.Output.Incidents);
        Assert.Single(stream.Judge.Accepted);
        Assert.Equal(Lesson.Suspicious, stream.Judge.Lessons[20]);
        Assert.Equal(Lesson.Normal, stream.Judge.Lessons[^1]);
    }

    [Fact]
    public void A_restart_within_an_incident_changes_nothing()
    {
        ScriptedStream other = new();

        foreach (ScriptedStream stream in (ScriptedStream[])[_stream, other])
        {
            stream.Rest(20);
            stream.Feed(1.5, 3, 2, 1.2);

            if (stream == other)
            {
                stream.Restart();
            }

            stream.Feed(1.2, 9, 0.1);
            stream.Row.Accept(stream.Output);
            stream.Rest(40);
            stream.Feed(4);
        }

        Assert.Equal(Told(_stream), Told(other));
        Assert.Equal(_stream.Output.Scored, other.Output.Scored);

        static IEnumerable<string> Told(ScriptedStream stream) => stream.Output.Incidents.Select(incident =>
            $"{incident.Id} {incident.State} {incident.Score} {incident.MaxScore} {incident.Occurrence} {incident.PreviousAt} {incident.Explanation}");
    }

    [Fact]
    public void A_stream_that_starts_again_after_a_fault_leaves_nothing_open_and_gives_no_id_twice()
    {
        _stream.Rest(20);
        _stream.Feed(3);
        _stream.BeginAgain();
        _stream.Rest(20);
        _stream.Feed(3);

        Assert.Equal([IncidentState.Opened, IncidentState.Closed, IncidentState.Opened], _stream.Output.Incidents.Select(incident => incident.State));
        Assert.EndsWith("; over: the stream starts again after a fault in judging it", _stream.Output.Incidents[1].Explanation, StringComparison.Ordinal);
        Assert.Equal(3, _stream.Output.Incidents.Select(incident => incident.Id).Distinct().Count());
    }

    [Fact]
    public void What_was_accepted_after_a_restart_is_closed_with_the_score_it_had()
    {
        _stream.Rest(20);
        _stream.Feed(3, 8);
        _stream.Restart();

        Assert.True(_stream.Row.Accept(_stream.Output));

        Assert.Equal(93.75, Assert.Single(_stream.Closed).Score, 6);
    }
}
