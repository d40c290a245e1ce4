using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection.Judging;

public sealed class ValueIndicatorTests
{
    [Fact]
    public void A_counter_is_judged_by_its_rate_and_its_restart_is_passed_over()
    {
        var counter = new CounterRate();
        double total = 0;

        for (int row = 0; row < 100; row++)
        {
            counter.Of(total, 1);
            counter.Take(total);
            total += 10;
        }

        Assert.True(counter.IsCounter);
        Assert.Equal(10, counter.Of(total, 1));
        Assert.Equal(5, counter.Of(total, gapRatio: 2));
        Assert.Null(counter.Of(3, 1));
    }

    [Fact]
    public void A_value_that_falls_now_and_then_is_no_counter()
    {
        var counter = new CounterRate();

        for (int row = 0; row < 100; row++)
        {
            double value = row % 20 == 19 ? row - 5 : row;
            Assert.Equal(value, counter.Of(value, 1));
            counter.Take(value);
        }

        Assert.False(counter.IsCounter);
    }

    [Theory]
    [InlineData(300, true)]
    [InlineData(65, false)]
    public void A_machine_that_does_not_switch_off_stays_on_for_longer_than_ever(int on, bool isOdd)
    {
        var random = new Random(1);
        var stays = new Stays();
        var ring = new ValueRing(8192);
        var history = new SortedReservoir(2048, 8192);
        var sampling = new SeededRandom(1);
        long row = 0;

        for (int cycle = 0; cycle < 40; cycle++)
        {
            Run(cycle % 2 == 0 ? 90 + random.Next(10) : 55 + random.Next(10), cycle % 2 == 0 ? 5 : 40);
        }

        Run(90, 5);
        Run(on, 40);

        Assert.True(stays.IsKnown);
        Assert.Equal(isOdd, stays.Long > 3);

        void Run(int rows, double level)
        {
            for (int i = 0; i < rows; i++)
            {
                double value = level + 0.6 * Chance.Normal(random);
                ring.Append(value, row, 1);
                stays.Observe(row++, value, isSpared: false);
                history.Add(value, ref sampling);
                stays.Refresh(history, ring);
            }
        }
    }

    [Theory]
    [InlineData(75, true)]
    [InlineData(28, false)]
    public void A_lift_that_does_not_leave_a_floor_stays_there_for_longer_than_at_any(int stands, bool isOdd)
    {
        var random = new Random(1);
        var stays = new Stays();
        var ring = new ValueRing(8192);
        var history = new SortedReservoir(2048, 8192);
        var sampling = new SeededRandom(1);
        long row = 0;
        int floor = 0;

        while (row < 4_000)
        {
            int next = (floor + 1 + random.Next(8)) % 9;

            for (; floor != next; floor += Math.Sign(next - floor))
            {
                Stand(1);
            }

            Stand(6 + random.Next(24));
            Assert.True(row < 1_000 || stays.Long < 2, $"{stays.Long} in row {row}");
        }

        floor = (floor + 1) % 9;
        Stand(stands);

        Assert.True(stays.AreTold);
        Assert.True(stays.Places.AreKnown);
        Assert.Equal(isOdd, stays.Long > 3);
        Assert.Equal(isOdd, stays.Present.Rows > 2 * stays.Present.Longest);

        void Stand(int rows)
        {
            for (int i = 0; i < rows; i++)
            {
                stays.Observe(row, floor, isSpared: false);
                ring.Append(floor, row++, 1);
                history.Add(floor, ref sampling);
                stays.Refresh(history, ring);
            }
        }
    }

    [Theory]
    [InlineData(false)]   // nothing but numbers of its own
    [InlineData(true)]
    public void A_stream_of_many_numbers_or_mostly_one_has_no_places(bool isMostlyAtZero)
    {
        var random = new Random(1);
        var stays = new Stays();
        var ring = new ValueRing(8192);
        var history = new SortedReservoir(2048, 8192);
        var sampling = new SeededRandom(1);

        for (int row = 0; row < 2_048; row++)
        {
            double value = !isMostlyAtZero ? Chance.Normal(random) : row / 40 % 10 == 0 ? random.Next(1, 8) : 0;
            stays.Observe(row, value, isSpared: false);
            ring.Append(value, row, 1);
            history.Add(value, ref sampling);
            stays.Refresh(history, ring);
        }

        Assert.False(stays.Places.AreKnown);
        Assert.Equal(0, stays.Places.Long);
    }

    [Fact]
    public void Noise_between_jumps_is_told_where_the_jumps_fill_the_mean_of_steps()
    {
        var random = new Random(1);
        var indicators = new ValueIndicators(MemorySizes.Of(StreamForm.Full));
        var forecast = new ValueForecast(64, MemorySizes.Of(StreamForm.Full), BaseModel.Pretrained, ownWeights: false, new SeededRandom(1));
        var sampling = new SeededRandom(1);
        double setpoint = 20;
        indicators.Begin(setpoint);
        (double noisy, double calm, double scatter) usual = default, wider = default, narrower = default;

        for (int row = 0; row < 3_000; row++)
        {
            setpoint = row % 25 == 0 ? 5 * random.Next(10) : setpoint;
            double noise = row is >= 2_000 and < 2_100 ? 0.04 : row >= 2_900 ? 0.002 : 0.01;
            double value = setpoint + noise * Chance.Normal(random);
            indicators.Observe(value, row, isBroken: false, usualSeconds: 1, forecast, isSpared: row is > 2_000 and < 2_100);
            forecast.Remember(value, row, 1, teaches: true, ref sampling);
            (double noisy, double calm, double scatter) said = (
                indicators.Values[(int)Indicator.Noisy], indicators.Values[(int)Indicator.Calm], indicators.Values[(int)Indicator.Scatter]);
            usual = row is > 1_000 and < 2_000 ? Larger(usual, said) : usual;
            wider = row is >= 2_000 and < 2_100 ? Larger(wider, said) : wider;
            narrower = row >= 2_900 ? Larger(narrower, said) : narrower;
        }

        Assert.True(wider.noisy > 1.5 * usual.noisy, $"{wider.noisy} after {usual.noisy}");
        Assert.True(narrower.calm > 1.5 * usual.calm, $"{narrower.calm} after {usual.calm}");
        Assert.True(wider.scatter < 1.2 * usual.scatter, $"{wider.scatter} after {usual.scatter}");

        static (double, double, double) Larger((double Noisy, double Calm, double Scatter) one, (double Noisy, double Calm, double Scatter) other) =>
            (Math.Max(one.Noisy, other.Noisy), Math.Max(one.Calm, other.Calm), Math.Max(one.Scatter, other.Scatter));
    }

    [Fact]
    public void How_long_a_stream_stays_in_its_states_is_read_off_what_it_remembers()
    {
        var random = new Random(1);
        var stays = new Stays();
        var ring = new ValueRing(8192);
        var history = new SortedReservoir(2048, 8192);
        var sampling = new SeededRandom(1);

        for (int row = 0; row < 512; row++)
        {
            double value = (row / 60 % 2 == 0 ? 5 : 60) + (0.6 * Chance.Normal(random));
            stays.Observe(row, value, isSpared: false);
            ring.Append(value, row, 1);
            history.Add(value, ref sampling);

            if (row < 511)
            {
                Assert.False(stays.IsKnown);
                Assert.Equal(double.PositiveInfinity, stays.UsualRows);
            }
        }

        stays.Refresh(history, ring);

        Assert.True(stays.IsKnown);
        Assert.Equal(60, stays.UsualRows, 1e-3);
    }

    [Fact]
    public void A_cycle_that_does_not_end_and_one_that_comes_too_soon_are_told()
    {
        var cycles = new Cycles();
        double longest = 0, shortest = 0;

        for (int row = 0; row < 6000; row++)
        {
            double phase = row < 5000 ? row / 100.0 : 50 + (row - 5000) / 50.0;
            cycles.Observe(row, Math.Sin(2 * Math.PI * phase), new ValueScale(0, 1), isSpared: false);
            shortest = Math.Max(shortest, cycles.Short);

            Assert.True(row >= 5000 || cycles.Short < 1);
        }

        for (int row = 6000; row < 6400; row++)
        {
            cycles.Observe(row, 0, new ValueScale(0, 1), isSpared: false);
            longest = Math.Max(longest, cycles.Long);
        }

        Assert.True(shortest > 3, $"{shortest}");
        Assert.True(longest > 3, $"{longest}");
    }

    [Fact]
    public void Standing_still_is_odd_except_where_the_stream_often_does()
    {
        var standstills = new Standstills();
        double previous = -1, atRest = 0, elsewhere = 0;

        for (int row = 0; row < 2000; row++)
        {
            double value = row % 100 < 40 ? 0 : row;
            standstills.Observe(value, previous, isSpared: false);
            previous = value;
        }

        for (int row = 0; row < 40; row++, previous = 0)
        {
            atRest = standstills.Observe(0, previous, isSpared: false);
        }

        for (int row = 0; row < 40; row++, previous = 37.4)
        {
            elsewhere = standstills.Observe(37.4, previous, isSpared: false);
        }

        Assert.True(elsewhere > 3 * atRest, $"{elsewhere} elsewhere, {atRest} at rest");
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(0.5, false)]
    public void A_run_of_four_is_odd_where_values_never_repeat_and_is_not_where_rounding_makes_many_of_two(double repeated, bool isOdd)
    {
        var random = new Random(1);
        var standstills = new Standstills();
        var tail = new CleanTail(256, TailScale.Difference, least: 3);
        double value = 0, run = 0;

        for (int row = 0; row < 4000; row++)
        {
            double previous = value;
            value = random.NextDouble() < repeated && standstills.Rows < 2 ? value : random.NextDouble();
            tail.Add(standstills.Observe(value, previous, isSpared: false), teaches: true);
        }

        for (int row = 0; row < 5; row++)
        {
            run = standstills.Observe(7, row == 0 ? value : 7, isSpared: false);
        }

        Assert.Equal(isOdd, tail.Score(run) >= 3);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Noise_that_grows_with_the_level_is_measured_by_it(double power)
    {
        var random = new Random(1);
        var law = new NoiseLaw();
        var ring = new ValueRing(8192);

        for (int row = 0; row < 8000; row++)
        {
            double level = 100 + 80 * Math.Sin(2 * Math.PI * row / 400);
            ring.Append(level + 0.1 * Math.Pow(level, power) * Chance.Normal(random), row, 1);
        }

        law.Refresh(ring);

        Assert.InRange(law.FactorAt(20) / law.FactorAt(180), 0.6 * Math.Pow(9, power), 1.7 * Math.Pow(9, power));
    }

    [Fact]
    public void What_is_beyond_all_members_is_rarer_the_further_it_is_and_one_extreme_is_not_the_measure_at_once()
    {
        var sample = new BoundedSample();

        for (int i = 0; i < 200; i++)
        {
            sample.Add(Math.Log(100 + i % 10));
        }

        double twice = sample.Above(Math.Log(200));
        Assert.True(twice > 3);
        Assert.True(sample.Above(Math.Log(400)) > twice);
        Assert.Equal(0, sample.Above(Math.Log(105)));
        sample.Add(Math.Log(1000));
        Assert.True(sample.Above(Math.Log(200)) > 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void A_cycle_reaches_as_high_as_those_before_it_whatever_became_of_the_scale(double scale)
    {
        // Ticks of 1 in a hundred, or of a little less or more: 5 % of the values are some, so the scale leaps from 0.15 to 1 and back.
        var random = new Random(1);
        var cycles = new Cycles();
        double highest = 0;

        for (int row = 0; row < 4000; row++)
        {
            double value = row % 20 == 0 ? 1 + 0.03 * (random.NextDouble() - 0.5) : 0;
            cycles.Observe(row, value, new ValueScale(0, row % 500 < 250 ? 0.15 : scale), isSpared: false);
            highest = Math.Max(highest, Math.Max(cycles.PeakLow, cycles.PeakHigh));
        }

        Assert.True(cycles.IsKnown);
        Assert.True(highest < 2, $"{highest}");
    }

    [Fact]
    public void How_high_a_cycle_reached_is_not_known_where_a_fault_is_part_of_it()
    {
        var cycles = new Cycles();
        double low = 0, high = 0;

        for (int row = 0; row < 4000; row++)
        {
            bool isCut = row / 40 == 90;
            double value = Math.Sin(2 * Math.PI * row / 40);
            cycles.Observe(row, isCut ? 0.5 * value : value, new ValueScale(0, 1), isSpared: isCut && row % 40 > 5);
            (low, high) = (Math.Max(low, cycles.PeakLow), Math.Max(high, cycles.PeakHigh));
        }

        Assert.True(low < 2 && high < 2, $"{low} {high}");
    }

    [Fact]
    public void What_rises_from_season_to_season_is_told_apart_from_what_is_worse()
    {
        var random = new Random(1);
        var track = new SeasonTrack();
        double rising = 0, spared = 0;

        for (int row = 0; row < 4000; row++)
        {
            track.Observe(5 + Chance.Normal(random), row, acceptedFrom: 0, isSpared: false);
            rising = row >= 3000 ? Math.Max(rising, Math.Abs(track.Mean128)) : 0;
        }

        for (int row = 4000; row < 4600; row++)
        {
            track.Observe(8 + Chance.Normal(random), row, acceptedFrom: 0, isSpared: true);
            spared = Math.Abs(track.Mean128);
        }

        Assert.True(rising < 0.6, $"{rising} while it rises as ever");
        Assert.InRange(spared, 2.5, 3.5);
    }

    [Theory]
    [InlineData(13, false, false)]  // a second Saturday without work
    [InlineData(13, true, true)]    // one that is worked like the Friday before it
    [InlineData(15, true, false)]   // a Monday
    [InlineData(15, false, true)]   // one that is as the Sunday before it
    public void A_day_is_held_against_the_same_day_of_the_week(int day, bool isWorked, bool isOdd)
    {
        const int RowsADay = 96;
        var random = new Random(1);
        var indicators = new ValueIndicators(MemorySizes.Of(StreamForm.Full));
        var forecast = new ValueForecast(64, MemorySizes.Of(StreamForm.Full), BaseModel.Pretrained, ownWeights: false, new SeededRandom(1));
        var sampling = new SeededRandom(1);
        double before = 0, then = 0;
        indicators.Begin(20);

        // The first day is a Sunday.
        for (int row = 0; row < (day + 1) * RowsADay; row++)
        {
            bool works = row / RowsADay == day ? isWorked : row / RowsADay % 7 is > 0 and < 6;
            double hour = row % RowsADay / 4.0, value = 20 + (works && hour is > 8 and < 18 ? 30 : 0) + Chance.Normal(random);
            indicators.Observe(value, row * 900.0, isBroken: false, usualSeconds: 900, forecast, isSpared: false);
            forecast.Remember(value, row * 900.0, 1, teaches: true, ref sampling);
            double distance = indicators.Values[(int)Indicator.Calendar32];
            (before, then) = row / RowsADay == day ? (before, Math.Max(then, distance)) : (row / RowsADay > 8 ? Math.Max(before, distance) : 0, 0);
        }

        Assert.True(before < 4, $"{before} on ordinary days");
        Assert.Equal(isOdd, then > 10);
    }

    [Fact]
    public void A_weekend_is_no_change_of_the_clock_and_a_change_is_one()
    {
        const double RowSeconds = 900;
        var random = new Random(1);
        var clock = new ClockChange();
        var ring = new ValueRing(8192);
        int changed = -1;

        for (int row = 0; row < 24 * 96; row++)
        {
            double seconds = row * RowSeconds, hour = (seconds / 3600 + (row >= 22 * 96 ? 1 : 0)) % 24;
            double height = row / 96 % 7 is 5 or 6 ? 10 : 30;
            double value = 20 + height * Math.Exp(-0.5 * Math.Pow((hour - 12) / 2, 2)) + 0.3 * Chance.Normal(random);
            long week = ring.RowAt(clock.At(seconds - 7 * 86_400), RowSeconds);

            if (clock.Observe(value, seconds, RowSeconds, ring, week, normalFrom: 0))
            {
                changed = row;
                break;
            }

            ring.Append(value, seconds, 1);
        }

        Assert.InRange(changed, 22 * 96, 23 * 96);
    }
}
