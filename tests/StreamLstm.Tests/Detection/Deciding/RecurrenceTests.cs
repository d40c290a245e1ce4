using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection.Deciding;

public sealed class RecurrenceTests
{
    private const int Day = 1440;
    private const int AtTwo = 120;

    private readonly ScriptedStream _stream = new();

    [Fact]
    public void Seven_irregular_spikes_are_one_recurring_incident_told_seven_times_as_severe_as_ever()
    {
        int[] minutes = [1_000, 1_730, 2_910, 3_480, 5_020, 5_911, 7_300];
        double[] heights = [20, 20, 20, 5, 20, 30, 40];

        foreach ((int minute, double height) in minutes.Zip(heights))
        {
            _stream.RestUntil(minute);
            _stream.Feed(height);
        }

        IncidentEvent[] opened = [.. _stream.Opened];
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], opened.Select(incident => incident.Occurrence));
        Assert.All(opened, incident => Assert.Equal(At(1_000), incident.FirstSeen));
        Assert.Equal([null, .. minutes[..^1].Select(minute => (DateTimeOffset?)At(minute))], opened.Select(incident => incident.PreviousAt));
        Assert.Equal(heights.Select(height => Math.Round(100 * Decider.Score(height, ScriptedJudge.Opens), 9)), opened.Select(incident => Math.Round(incident.Score, 9)));
        Assert.Equal(7, opened.Count(incident => incident.Severity == IncidentSeverity.Critical));
        Assert.Equal(0, _stream.Suppressed(SuppressedBy.Regular));
    }

    [Fact]
    public void A_nightly_job_is_told_twice_and_then_is_normal_and_the_same_at_noon_is_told()
    {
        for (int day = 1; day <= 6; day++)
        {
            Job(day * Day + AtTwo + day % 2);
        }

        Assert.Equal([1, 2], _stream.Opened.Select(incident => incident.Occurrence));
        Assert.Equal(4, _stream.Suppressed(SuppressedBy.Regular));
        Assert.Equal(SuppressedBy.Regular, _stream.Row.Explain(At(6 * Day + AtTwo), out _)!.SuppressedBy);
        Assert.All(_stream.Judge.Lessons[(6 * Day + AtTwo)..], lesson => Assert.Equal(Lesson.Normal, lesson));

        Job(7 * Day - 600);

        Assert.Equal([1, 2, 3], _stream.Opened.Select(incident => incident.Occurrence));
    }

    [Fact]
    public void A_job_of_weekdays_is_told_no_more_than_twice_a_break()
    {
        for (int week = 0; week < 4; week++)
        {
            for (int day = 1; day <= 5; day++)
            {
                Job((week * 7 + day) * Day + AtTwo);
            }
        }

        // Two on the first days, one on the second Monday, as two Mondays were not known yet.
        Assert.InRange(_stream.Opened.Count(), 2, 5);
        Assert.DoesNotContain(_stream.Opened, incident => incident.Time >= At(15 * Day));
    }

    [Fact]
    public void A_night_that_is_missed_changes_nothing_and_a_week_of_them_ends_it()
    {
        foreach (int day in (int[])[1, 2, 3, 4, 6, 7, 14])
        {
            Job(day * Day + AtTwo);
        }

        Assert.Equal([1, 2, 14], _stream.Opened.Select(incident => (int)(incident.Time - ScriptedStream.Start).TotalDays));
    }

    [Fact]
    public void What_was_suspicious_alone_came_all_the_same()
    {
        foreach (int day in (int[])[1, 2, 3])
        {
            Job(day * Day + AtTwo, height: ScriptedJudge.Opens - 0.5);
        }

        Assert.Empty(_stream.Opened);

        // Never told, it is told once, and is known to come every night then.
        foreach (int day in (int[])[4, 5, 6])
        {
            Job(day * Day + AtTwo);
        }

        Assert.Equal([4], _stream.Opened.Select(incident => (int)(incident.Time - ScriptedStream.Start).TotalDays));
        Assert.Equal(2, _stream.Suppressed(SuppressedBy.Regular));
    }

    [Fact]
    public void At_a_spacing_of_its_own_one_that_is_missed_ends_it()
    {
        int[] minutes = [1_000, 2_100, 3_200, 4_300, 6_500];

        foreach (int minute in minutes)
        {
            Job(minute);
        }

        Assert.Equal([1_000, 2_100, 3_200, 6_500], _stream.Opened.Select(incident => (int)(incident.Time - ScriptedStream.Start).TotalMinutes));
    }

    [Fact]
    public void Three_at_even_spacings_are_no_rarity()
    {
        // The third comes to the minute where the two before lead to: of faults that come at random one in two hundred does.
        foreach (int minute in (int[])[1_000, 2_130, 3_260, 4_500])
        {
            Job(minute);
        }

        Assert.Equal(4, _stream.Opened.Count());
    }

    [Fact]
    public void What_comes_at_any_time_of_the_day_stays_a_fault()
    {
        var random = new Random(5);
        const int Times = 40;
        int minute = 500;

        for (int i = 0; i < Times; i++)
        {
            Job(minute += random.Next(300, 1_500), rows: 3);
        }

        // A thousandth is what chance may bring at each of some ten looks.
        Assert.InRange(_stream.Opened.Count(), Times - 2, Times);
    }

    [Fact]
    public void What_comes_at_a_loose_spacing_is_told_four_times()
    {
        int minute = 1_000;

        foreach (int spacing in (int[])[0, 1_000, 1_030, 1_000, 1_030, 1_000, 1_030])
        {
            Job(minute += spacing);
        }

        Assert.Equal(4, _stream.Opened.Count());
    }

    [Fact]
    public void A_regular_one_that_is_longer_or_stronger_than_any_before_is_told()
    {
        for (int day = 1; day <= 4; day++)
        {
            Job(day * Day + AtTwo);
        }

        Job(5 * Day + AtTwo, height: 12);
        Assert.Equal(3, _stream.Opened.Count());

        Job(6 * Day + AtTwo, rows: 100);
        Assert.Equal(4, _stream.Opened.Count());
    }

    [Fact]
    public void What_is_about_something_else_is_no_recurrence()
    {
        Job(1_000);
        _stream.Judge.Likeness = 7;
        Job(2_000);

        Assert.Equal([1, 1], _stream.Opened.Select(incident => incident.Occurrence));
    }

    [Fact]
    public void It_is_remembered_over_a_restart()
    {
        Job(Day + AtTwo);
        Job(2 * Day + AtTwo);
        _stream.Restart();
        Job(3 * Day + AtTwo);
        _stream.RestUntil(3 * Day + 900);
        _stream.Feed(9);

        Assert.Equal([1, 2, 3], _stream.Opened.Select(incident => incident.Occurrence));
        Assert.Equal(1, _stream.Suppressed(SuppressedBy.Regular));
    }

    private static DateTimeOffset At(int minute) => ScriptedStream.Start.AddMinutes(minute);

    private void Job(int minute, double height = 4, int rows = 20)
    {
        _stream.RestUntil(minute);

        for (int row = 0; row < rows; row++)
        {
            _stream.Feed(height + (row % 2 == 0 ? 0 : 0.1));
        }
    }
}
