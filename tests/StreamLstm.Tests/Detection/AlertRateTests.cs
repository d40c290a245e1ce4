using StreamLstm.Detection;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class AlertRateTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1, 10_000, 1, 1)]                  // a day of seconds is more than 10,000 rows
    [InlineData(60, 10_000, 1, 0.144)]             // 1,440 rows a day
    [InlineData(1, 10_000, 7, 1 / 7.0)]
    [InlineData(1, 10_000, 0, 8.64)]
    public void What_is_asked_follows_from_the_options_and_the_streams_interval(double seconds, double rows, double days, double expected)
    {
        var detector = new AnomalyDetector(new DetectionOptions { CleanRowsPerAlert = rows, CleanDaysPerAlert = days });
        double[] values = DailySeries.Clean(1, 600);
        AlertRate? last = null;

        for (int row = 0; row < values.Length; row++)
        {
            last = detector.Score(new Observation("s", Start.AddSeconds(seconds * row), values[row]))!.Value.Alerts;
            Assert.Equal(row >= 512, last is not null);
        }

        Assert.Equal(expected, last!.Value.AskedPerDay!.Value, 9);
    }

    [Fact]
    public void What_was_got_is_counted_by_the_records_clock_from_when_the_stream_is_active_on()
    {
        var stream = new ScriptedStream();   // an observation a minute
        stream.Rest(60);
        double activeBefore = stream.Row.Alerts.ActiveSeconds;
        stream.Feed(3);
        stream.Rest(40);
        stream.Feed(3, 9, 99);
        stream.Rest(1_396);

        AlertRate rate = stream.Row.Alerts;
        Assert.Equal((null, 2, 86_400 + activeBefore), (rate.AskedPerDay, rate.Got, rate.ActiveSeconds));
        Assert.Equal(2 / (rate.ActiveSeconds / 86_400), rate.GotPerDay!.Value, 9);
        Assert.Equal(rate, stream.Output.Scored[^1].Alerts);
    }

    [Fact]
    public void A_rate_says_nothing_in_the_first_hour_and_a_gap_is_no_time_of_activity()
    {
        var detector = new AnomalyDetector();
        double[] values = DailySeries.Clean(1, 700);
        AlertRate rate = default;

        for (int row = 0; row < values.Length; row++)
        {
            rate = detector.Score(new Observation("s", Start.AddSeconds(row < 600 ? row : row + 7 * 86_400), values[row]))!.Value.Alerts ?? rate;
        }

        Assert.InRange(rate.ActiveSeconds, 180, 190);
        Assert.Null(rate.GotPerDay);
    }

    [Fact]
    public void The_counts_are_the_same_after_a_restart()
    {
        var stream = new ScriptedStream();
        stream.Rest(60);
        stream.Feed(3);
        stream.Rest(60);
        AlertRate before = stream.Row.Alerts;

        stream.Restart();

        Assert.Equal(before, stream.Row.Alerts);
        Assert.Equal(1, before.Got);
    }
}
