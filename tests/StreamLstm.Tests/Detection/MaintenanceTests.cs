using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;
using Run = StreamLstm.Tests.Detection.AlertRuleTests.Run;

namespace StreamLstm.Tests.Detection;

public sealed class MaintenanceTests
{
    private static readonly DateTimeOffset Start = AlertRuleTests.Start;

    [Theory]
    [InlineData("2026-05-02T21:59:59Z", false)] // a Saturday
    [InlineData("2026-05-02T22:00:00Z", true)]
    [InlineData("2026-05-03T05:59:59Z", true)] // Sunday morning belongs to Saturday's
    [InlineData("2026-05-03T06:00:00Z", false)]
    [InlineData("2026-05-03T22:00:00Z", false)]
    public void A_weekly_window_over_midnight_belongs_to_the_day_on_which_it_begins(string time, bool holds) =>
        Assert.Equal(holds, Weekly("22:00", "06:00", TimeZoneInfo.Utc).Holds(At(time)));

    [Theory]
    [InlineData("2026-03-28T01:30:00Z", true)] // 02:30 in winter time
    [InlineData("2026-03-28T00:30:00Z", false)]
    [InlineData("2026-04-04T00:30:00Z", true)] // 02:30 in summer time
    [InlineData("2026-04-04T01:30:00Z", false)]
    public void A_weekly_window_follows_the_clock_of_its_time_zone(string time, bool holds) =>
        Assert.Equal(holds, Weekly("02:00", "03:00", TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).Holds(At(time)));

    [Fact]
    public void A_window_of_the_same_start_and_end_takes_the_whole_day()
    {
        MaintenanceWindow window = Weekly("06:00", "06:00", TimeZoneInfo.Utc);

        Assert.True(window.Holds(At("2026-05-02T06:00:00Z")));
        Assert.True(window.Holds(At("2026-05-03T05:59:00Z")));
        Assert.False(window.Holds(At("2026-05-03T06:00:00Z")));
        Assert.False(window.Holds(At("2026-05-02T05:59:00Z")));
    }

    [Fact]
    public void Nothing_opens_in_a_muted_stretch_and_it_is_said_why()
    {
        double[] series = AlertRuleTests.Spiked(15);
        Run free = Run.Of(series), muted = Maintained(series, Between(2190, 2210, mute: true, freeze: false));

        Assert.Contains(DailySeries.Spike, free.OpenedRows);
        Assert.DoesNotContain(DailySeries.Spike, muted.OpenedRows);
        Assert.Equal(1, muted.Suppressed(SuppressedBy.Maintenance));
        Assert.Equal(free.Scored[DailySeries.Spike] with { IsAlert = false, Alerts = null }, muted.Scored[DailySeries.Spike] with { Alerts = null });
        Assert.Contains("maintenance", muted.Explained(DailySeries.Spike).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void An_incident_that_goes_on_after_a_muted_stretch_opens_then()
    {
        Run run = Maintained(AlertRuleTests.Shifted(10), Between(2190, 2212, mute: true, freeze: false));

        Assert.Equal(2212, run.OpenedRows[0]);
    }

    [Fact]
    public void Streams_of_other_names_are_not_muted()
    {
        Run run = Maintained(AlertRuleTests.Spiked(15), Between(2190, 2210, mute: true, freeze: true) with { Streams = "b*" });

        Assert.Contains(DailySeries.Spike, run.OpenedRows);
    }

    [Fact]
    public void What_is_frozen_still_alerts_and_teaches_nothing()
    {
        double[] series = AlertRuleTests.Spiked(15);

        for (int row = DailySeries.Spike; row < DailySeries.Spike + 400; row++)
        {
            series[row] += row == DailySeries.Spike ? 0 : 15;
        }

        // What lasts for 300 rows is the new normal, and learnt; not so what is frozen.
        Run taught = Run.Of(series), frozen = Maintained(series, Between(2190, 2610, mute: false, freeze: true));

        Assert.Contains(DailySeries.Spike, frozen.OpenedRows);
        Assert.Contains(taught.Incidents, incident => incident.Explanation.Contains("the new normal", StringComparison.Ordinal));
        DateTimeOffset end = frozen.Scored[2610].Time;
        Assert.DoesNotContain(
            frozen.Incidents, incident => incident.Time < end && incident.Explanation.Contains("the new normal", StringComparison.Ordinal));
    }

    [Fact]
    public void A_stream_in_its_warm_up_waits_while_nothing_may_be_learnt()
    {
        double[] series = DailySeries.Clean(1, 900);
        Run run = Maintained(series, Between(0, 300, mute: true, freeze: true));

        Assert.All(run.Scored[..300], scored => Assert.Equal(0, scored.Progress));
        Assert.Equal(600, Assert.Single(run.Shard.Rows).Rows);
        Assert.Equal(Lifecycle.Active, run.Scored[^1].Lifecycle);
        Assert.Equal(0, run.Output.Rejected.Sum());
    }

    [Fact]
    public void A_silence_in_a_muted_stretch_opens_when_it_ends_and_the_stream_is_still_silent()
    {
        var run = new Run();
        run.Shard.Maintain([Between(500, 600, mute: true, freeze: false)]);

        for (int row = 0; row < 500; row++)
        {
            run.Live("a", row, 20 + Math.Sin(row));
        }

        run.TickTo(500, 599);
        Assert.Empty(run.Incidents);
        Assert.Equal(1, run.Suppressed(SuppressedBy.Maintenance));

        run.TickTo(600, 605);
        IncidentEvent opened = Assert.Single(run.Incidents);
        Assert.Equal((IncidentState.Opened, IncidentKind.Silence), (opened.State, opened.Kind));
    }

    private static Run Maintained(double[] series, MaintenanceWindow window)
    {
        var run = new Run();
        run.Shard.Maintain([window]);
        run.Feed("a", series, 0, series.Length);
        return run;
    }

    private static MaintenanceWindow Between(int from, int to, bool mute, bool freeze) => new()
    {
        Id = "w",
        Streams = "a*",
        From = Start.AddMinutes(from),
        To = Start.AddMinutes(to),
        MuteAlerts = mute,
        FreezeLearning = freeze,
    };

    private static MaintenanceWindow Weekly(string start, string end, TimeZoneInfo zone) => new()
    {
        Id = "w",
        Streams = "*",
        Days = [DayOfWeek.Saturday],
        Start = TimeOnly.Parse(start, System.Globalization.CultureInfo.InvariantCulture),
        End = TimeOnly.Parse(end, System.Globalization.CultureInfo.InvariantCulture),
        TimeZone = zone,
    };

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
}
