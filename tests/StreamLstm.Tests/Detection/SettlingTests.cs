using StreamLstm.Detection.Judging;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class SettlingTests
{
    [Fact]
    public void Noise_around_one_level_settles_within_three_hundred_rows_and_a_ramp_and_a_walk_up_do_not()
    {
        int noise = 0, ramps = 0;

        for (int seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            noise += Settles(_ => Chance.Normal(random)) ? 1 : 0;
            ramps += Settles(row => 0.02 * row + Chance.Normal(random)) ? 1 : 0;
        }

        Assert.InRange(noise, 45, 50);
        Assert.Equal(0, ramps);

        static bool Settles(Func<int, double> value)
        {
            var settling = new Settling();
            Feed(settling, 300, value, isAsForecast: false);
            return settling.IsSettled;
        }
    }

    [Fact]
    public void What_goes_one_way_has_not_settled_though_each_row_came_as_forecast()
    {
        int drifts = 0, levels = 0;

        for (int seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            drifts += Moves(random, row => 0.02 * row) ? 1 : 0;
            levels += Moves(random, _ => 7) ? 1 : 0;
        }

        Assert.Equal(50, drifts);
        Assert.InRange(levels, 0, 2);

        static bool Moves(Random random, Func<int, double> level)
        {
            var settling = new Settling();
            Feed(settling, 300, row => level(row) + Chance.Normal(random), isAsForecast: true);
            Assert.Equal(settling.IsMoving, !settling.IsSettled);
            return settling.IsMoving;
        }
    }

    [Fact]
    public void Of_records_nothing_is_said_to_go_one_way()
    {
        var settling = new Settling();

        for (int row = 0; row < 300; row++)
        {
            settling.Observe([row, -row], isOrdinary: false, isAsForecast: true);
        }

        Assert.False(settling.IsMoving);
    }

    [Fact]
    public void A_level_that_does_not_move_settles_and_one_ordinary_row_begins_it_anew()
    {
        var settling = new Settling();

        Feed(settling, 299, _ => 7, isAsForecast: false);
        Assert.False(settling.IsSettled);
        Feed(settling, 1, _ => 7, isAsForecast: false);
        Assert.True(settling.IsSettled);
        settling.Observe([7], isOrdinary: true, isAsForecast: true);
        Assert.False(settling.IsSettled);
    }

    [Fact]
    public void A_window_is_stable_when_nine_values_of_ten_came_as_forecast_or_it_is_like_the_one_before()
    {
        var settling = new Settling();

        // A ramp that is not forecast, then one that is, but for three rows in thirty.
        Feed(settling, 60, row => row, isAsForecast: false);
        Assert.Equal(0, settling.StableWindows);

        for (int window = 0; window < 3; window++)
        {
            Feed(settling, 3, row => 100 * (window % 2) + row, isAsForecast: false);
            Feed(settling, 27, row => 100 * (window % 2) + row, isAsForecast: true);
        }

        Assert.Equal(3, settling.StableWindows);
        Assert.True(settling.IsSettled);
        Feed(settling, 30, row => 1_000 + row, isAsForecast: false);
        Assert.Equal(0, settling.StableWindows);
        Feed(settling, 30, row => 1_000 + row, isAsForecast: false);
        Assert.Equal(1, settling.StableWindows);
    }

    private static void Feed(Settling settling, int rows, Func<int, double> value, bool isAsForecast)
    {
        for (int row = 0; row < rows; row++)
        {
            settling.Observe([value(row)], isOrdinary: false, isAsForecast);
        }
    }
}
