using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class AnomalyDetectorTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_spike_a_level_shift_and_a_flat_stretch_are_found_and_little_else(int seed)
    {
        List<(int Row, IncidentEvent Incident)> opened = Opened(DailySeries.WithFaults(seed));

        Assert.Contains(opened, incident => incident.Row is >= DailySeries.Spike and <= DailySeries.Spike + 2);
        Assert.Contains(opened, incident => incident.Row is >= DailySeries.Shift and <= DailySeries.Shift + 80);
        Assert.Contains(opened, incident => incident.Row is > DailySeries.Flat and < DailySeries.FlatEnd);
        Assert.InRange(opened.Count, 3, 5);
        Assert.DoesNotContain(opened, incident => incident.Row < DailySeries.Spike);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1440, false)]
    public void A_step_alerts_but_for_one_that_comes_after_a_day_without_values(int gapMinutes, bool expected) =>
        Assert.Equal(expected, IsStepTold(interval: TimeSpan.FromMinutes(1), behind: TimeSpan.FromMinutes(gapMinutes)));

    /// <summary>What is published as fast as it goes comes in fits: that a message waited for a tenth of a second says nothing of the machine.</summary>
    [Theory]
    [InlineData(0.1, true)]
    [InlineData(0.9, true)]
    [InlineData(30, false)]
    public void A_step_behind_a_stall_of_a_fast_stream_alerts_unless_it_is_longer_than_jitter(double stallSeconds, bool expected) =>
        Assert.Equal(expected, IsStepTold(interval: TimeSpan.FromMilliseconds(0.5), behind: TimeSpan.FromSeconds(stallSeconds)));

    private static bool IsStepTold(TimeSpan interval, TimeSpan behind)
    {
        double[] series = DailySeries.Clean(1, 1000);
        var detector = new AnomalyDetector();
        bool told = false;

        for (int row = 0; row < 960; row++)
        {
            bool after = row >= 900;
            ScoredObservation scored = detector.Score(
                new Observation("s", Start + row * interval + (after ? behind : TimeSpan.Zero), series[row] + (after ? 12 : 0)))!.Value;
            told |= after && scored.IsAlert;
        }

        return told;
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(256, true)]
    [InlineData(272, false)]
    [InlineData(288, true)]
    [InlineData(1024, true)]
    [InlineData(1056, false)]
    [InlineData(1088, true)]
    [InlineData(4096, true)]
    [InlineData(4160, false)]
    [InlineData(4224, true)]
    [InlineData(4225, false)]
    public void A_stream_trains_the_more_rarely_the_longer_it_is_known(long rows, bool due) => Assert.Equal(due, StreamLearner.IsDue(rows));

    [Fact]
    public void Clean_series_alert_no_more_often_than_in_ten_thousand_rows()
    {
        int opened = Enumerable.Range(10, 8).Sum(seed => Opened(DailySeries.Clean(seed, 4000)).Count);

        Assert.InRange(opened, 0, 3);
    }

    [Fact]
    public void The_same_input_and_seed_give_the_same_scores_to_the_last_bit()
    {
        double[] series = DailySeries.WithFaults(1, rows: 800 + DailySeries.FlatEnd);

        Assert.Equal(Scores(series), Scores(series));
    }

    [Fact]
    public void A_score_never_depends_on_what_comes_later()
    {
        double[] series = DailySeries.Clean(4, 1200);
        double[] other = [.. series[..1000], .. DailySeries.Clean(5, 200)];

        Assert.Equal(Scores(series)[..1000], Scores(other)[..1000]);
    }

    [Fact]
    public void Streams_do_not_see_each_other()
    {
        double[] a = DailySeries.Clean(6, 900), b = DailySeries.Clean(7, 900);
        var together = new AnomalyDetector();
        var scores = new List<ScoredObservation>();

        for (int row = 0; row < a.Length; row++)
        {
            scores.Add(together.Score(new Observation("a", Start.AddMinutes(row), a[row]))!.Value);
            together.Score(new Observation("b", Start.AddMinutes(row), b[row]));
        }

        Assert.Equal(Scores(a, "a"), scores);
    }

    [Fact]
    public void The_forecast_of_a_learnt_daily_shape_is_narrower_than_the_days_range()
    {
        ScoredObservation[] scores = Scores(DailySeries.Clean(8, 3000));
        double width = scores[2500..].Average(scored => scored.Upper!.Value - scored.Lower!.Value);
        int inside = scores[2500..].Count(scored => scored.Value >= scored.Lower && scored.Value <= scored.Upper);

        Assert.InRange(width, 1, 8);
        Assert.InRange(inside / 500.0, 0.93, 1);
    }

    [Fact]
    public void A_constant_stream_and_its_first_change_raise_no_alarm()
    {
        double[] series = [.. Enumerable.Repeat(5.0, 1500), .. Enumerable.Repeat(6.0, 300)];

        Assert.Empty(Opened(series));
        Assert.All(Scores(series), scored => Assert.True(double.IsFinite(scored.Score)));
    }

    [Theory]
    [InlineData(33)]
    public void A_broken_period_scores_higher_than_every_whole_one(int period)
    {
        var random = new Random(11);
        int rows = 8 * period + 1400;
        double[] series =
        [
            .. Enumerable.Range(0, rows).Select(row => Math.Sin(2 * Math.PI * row / period) + 0.05 * Chance.Normal(random)),
        ];
        int broken = rows - 200;

        for (int row = broken; row < broken + Math.Max(12, period / 4); row++)
        {
            series[row] *= -0.5;
        }

        var detector = new AnomalyDetector();
        double highest = double.NegativeInfinity, before = double.NegativeInfinity;

        for (int row = 0; row < rows; row++)
        {
            ScoredObservation scored = detector.Score(new Observation("s", Start.AddMinutes(row), series[row]))!.Value;
            Assert.Empty(detector.LastOutput.Faults);
            before = row < broken && row > rows - 900 ? Math.Max(before, scored.Evidence ?? before) : before;
            highest = row >= broken ? Math.Max(highest, scored.Evidence ?? highest) : highest;
        }

        Assert.True(highest > before + 1, $"{highest} after the break, {before} before");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_level_is_told_after_readings_of_65535_in_the_warm_up(int seed)
    {
        // A register that could not be read, every 450 rows; then 8 V more for 20 rows.
        var random = new Random(seed);
        double[] series = [.. Enumerable.Range(0, 3050).Select(row =>
            row % 450 == 200 ? 65535 : 230 + (row is >= 3000 and < 3020 ? 8 : 0) + Math.Round(Chance.Normal(random), 1))];

        Assert.Contains(Opened(series), one => one.Row is >= 3000 and < 3020);
    }

    [Theory]
    [InlineData(99, 0)]
    [InlineData(60, 40)]
    public void The_same_spike_is_told_the_seventh_time_as_the_first_and_a_bigger_one_never_scores_less(double height, double growth)
    {
        int[] rows = [2212, 3146, 4186, 5001, 6253, 7280, 8082];
        var random = new Random(3);
        double[] series = [.. Enumerable.Range(0, 8200).Select(row => 20 + 5 * Math.Sin(2 * Math.PI * row / 100) + 0.5 * Chance.Normal(random))];

        for (int i = 0; i < rows.Length; i++)
        {
            series[rows[i]] = height + growth * i;
        }

        List<(int Row, IncidentEvent Incident)> opened = Opened(series);

        Assert.Equal(rows, opened.Select(one => one.Row));
        Assert.Equal(Enumerable.Range(1, 7), opened.Select(one => one.Incident.Occurrence));
        Assert.All(opened, one => Assert.InRange(one.Incident.Score, 65, 100));
        Assert.All(opened.Zip(opened.Skip(1)), pair => Assert.True(growth == 0 || pair.Second.Incident.Score >= pair.First.Incident.Score - 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_young_stream_s_first_fault_does_not_make_the_next_ones_usual(int seed)
    {
        // From the 900th row on, one in 500 rows: the first alone would be a thirtieth of all blocks.
        var random = new Random(seed);
        double[] series = [.. Enumerable.Range(0, 3900).Select(row => 20 + 5 * Math.Sin(2 * Math.PI * row / 144) + 0.5 * Chance.Normal(random))];
        int[] rows = [.. Enumerable.Range(0, 6).Select(spike => 900 + 500 * spike + random.Next(250))];

        foreach (int row in rows)
        {
            series[row] = 60;
        }

        int[] opened = [.. Opened(series).Select(one => one.Row)];
        Assert.InRange(rows.Intersect(opened).Count(), 4, 6);
        Assert.InRange(opened.Except(rows).Count(), 0, 1);
    }

    [Theory]
    [InlineData(1, -60)]
    [InlineData(2, 60)]
    public void A_clock_that_changes_by_an_hour_is_told_once_at_most_and_a_fault_behind_it_is(int seed, int minutes)
    {
        const int RowsADay = 288, Change = 14 * RowsADay, Fault = 18 * RowsADay + 100;
        var random = new Random(seed);
        double[] series = [.. Enumerable.Range(0, Fault + 50).Select(row =>
        {
            double hour = (row * 5 + (row >= Change ? minutes : 0)) / 60.0 % 24;
            return 200 + (hour is >= 7 and < 19 ? 300 : 0) + 20 * Math.Sin(2 * Math.PI * hour / 24) + 6 * Chance.Normal(random) + (row >= Fault ? 150 : 0);
        })];
        var detector = new AnomalyDetector();
        List<int> opened = [];

        for (int row = 0; row < series.Length; row++)
        {
            detector.Score(new Observation("s", Start.AddMinutes(5 * row), series[row]));
            opened.AddRange(detector.LastOutput.Incidents.Where(incident => incident.State == IncidentState.Opened).Select(_ => row));
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(" ", opened));
        Assert.InRange(opened.Count(row => row is >= Change and < Fault), 0, 1);
        Assert.InRange(opened[^1], Fault, Fault + 10);
    }

    private static ScoredObservation[] Scores(double[] series, string stream = "s")
    {
        var detector = new AnomalyDetector();
        return
        [
            .. series.Select((value, row) => detector.Score(new Observation(stream, Start.AddMinutes(row), value))!.Value),
        ];
    }

    [Theory]
    [InlineData(8e13, 0, 1e9, 2e10)]        // bytes of a disk that leap
    [InlineData(1.7e19, 1e6, 1e5, 1e7)]     // a counter of 64 bits near its end whose rate leaps
    [InlineData(-9e19, 0, 1e16, 1e17)]
    public void A_fault_of_values_as_large_as_a_counter_of_64_bits_is_told(double from, double rate, double noise, double leap)
    {
        var random = new Random(1);
        double value = from;
        double[] series = [.. Enumerable.Range(0, 1550).Select(row =>
        {
            double more = (row is >= 1500 and < 1520 ? leap : 0) + (noise * Chance.Normal(random));
            value += rate > 0 ? Math.Max(0, rate + more) : 0;
            return rate > 0 ? value : from + more;
        })];

        List<(int Row, IncidentEvent Incident)> opened = Opened(series);

        Assert.Contains(opened, one => one.Row is >= 1500 and < 1520);
        Assert.All(opened, one => Assert.InRange(one.Incident.Score, 50, 100));
    }

    private static List<(int Row, IncidentEvent Incident)> Opened(double[] series)
    {
        var detector = new AnomalyDetector();
        List<(int, IncidentEvent)> opened = [];

        for (int row = 0; row < series.Length; row++)
        {
            detector.Score(new Observation("s", Start.AddMinutes(row), series[row]));
            opened.AddRange(detector.LastOutput.Incidents
                .Where(incident => incident.State == IncidentState.Opened)
                .Select(incident => (row, incident)));
        }

        foreach ((int row, IncidentEvent incident) in opened)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{row} {incident.Kind} {incident.Score:0} {incident.Explanation}");
        }

        return opened;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_level_shift_against_the_season_before_is_found_within_twenty_rows(int seed)
    {
        const int Period = 400, Shift = 3000;
        var random = new Random(seed);
        var detector = new AnomalyDetector();
        List<(int Row, IncidentKind Kind)> opened = [];

        for (int row = 0; row < Shift + 100; row++)
        {
            double value = 20 + 6 * Math.Sin(2 * Math.PI * row / Period) + 0.5 * Chance.Normal(random) + (row >= Shift ? 6 : 0);
            detector.Score(new Observation("s", DateTimeOffset.UnixEpoch.AddSeconds(row), value));
            opened.AddRange(detector.LastOutput.Incidents.Where(i => i.State == IncidentState.Opened).Select(i => (row, i.Kind)));
        }

        Assert.InRange(Assert.Single(opened).Row, Shift, Shift + 20);
        Assert.True(opened[0].Kind is IncidentKind.Point or IncidentKind.LevelShift, $"{opened[0].Kind}");   // at its first row it is a point yet
    }
}
