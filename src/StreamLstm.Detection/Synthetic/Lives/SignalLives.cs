using static StreamLstm.Detection.Synthetic.Lives.LifeFaultKind;

namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>Sorts of behaviour by themselves, whatever may produce them.</summary>
internal static class SignalLives
{
    public static IEnumerable<Family> All =>
    [
        new("autoregressive", false, Autoregressive),
        new("switching-regimes", true, SwitchingRegimes),
        new("random-walk", false, RandomWalk),
        new("drawn-back", true, DrawnBack),
        new("noise-by-hour", false, NoiseByHour),
        new("noise-by-level", false, NoiseByLevel),
        new("growth", false, Growth),
        new("trend-and-season", true, TrendAndSeason),
        new("two-seasons", false, TwoSeasons),
        new("heavy-tails", false, HeavyTails),
        new("returns", true, Returns),
        new("price", false, Price),
        new("coarse-steps", false, CoarseSteps),
        new("whole-degrees", true, WholeDegrees),
        new("states", false, States),
        new("poisson-sensor", false, PoissonSensor),
        new("change-reports", true, ChangeReports),
        new("harmonic-wave", true, HarmonicWave),
        new("slow-counts", false, SlowCounts),
    ];

    /// <summary>Of order one or two, with poles anywhere in the stable region that is not too slow.</summary>
    private static LifeModel Autoregressive(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        double radius = d.Between(0.3, 0.95), angle = d.Chance(0.5) ? 0 : d.Between(0.1, 1.5), one = 0, two = 0;
        double a = 2 * radius * Math.Cos(angle), b = -radius * radius, push = size * (1 - radius);
        m.Mean = _ => level;
        m.White(0.05 * size, Dice.Every(rows, () =>
        {
            (one, two) = (a * one + b * two + push * d.Normal(), one);
            return one;
        }));
        m.Faults = [.. Family.Points, .. Family.Shifts, NoiseBurst, Stuck, Dropout, Dropout];
        return m;
    }

    /// <summary>Calm and rough, quick and slow, in turns of some dozens of rows.</summary>
    private static LifeModel SwitchingRegimes(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        double[] rough = d.Bursts(rows, d.Between(30, 120), 20, 120, () => 0), gain = [1, d.Between(2, 3.5)], memory = [d.Between(0, 0.5), d.Between(0.6, 0.95)];
        double at = 0;
        int row = 0;
        m.Mean = _ => level;
        m.White(0.1 * size, Dice.Every(rows, () =>
        {
            int regime = rough[row++] == 0 ? 1 : 0;
            return at = memory[regime] * at + size * gain[regime] * Math.Sqrt(1 - memory[regime] * memory[regime]) * d.Normal();
        }));
        m.Faults = [.. Family.Points, .. Family.Shifts, Stuck, Stuck, Dropout];
        return m;
    }

    /// <summary>Goes anywhere.</summary>
    private static LifeModel RandomWalk(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        m.Mean = _ => level;
        m.White(size * d.Between(0.2, 1), d.Wander(rows, 1, size * d.Between(0.1, 0.4)));
        m.Trending = true;
        m.Faults = [.. Family.Points, Level, Variance, Variance, Stuck, NoiseBurst, Oscillation, Quieter];
        return m;
    }

    /// <summary>Wanders and is drawn back.</summary>
    private static LifeModel DrawnBack(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        m.Mean = _ => level;
        m.White(size * d.Between(0.1, 0.8), d.Wander(rows, 1 - d.Scale(0.005, 0.1), size * d.Between(1, 3)));
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, Stuck, Quieter, Dropout];
        return m;
    }

    /// <summary>Rough at some hours, calm at others.</summary>
    private static LifeModel NoiseByHour(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 120, 300, 600, 900);
        double level = d.Scale(1, 1000), size = level * d.Between(0.01, 0.1), rough = d.Between(2, 6), noon = d.Between(0, 1), share = 0;
        double[] noise = d.Normals(rows);
        m.Mean = t =>
        {
            share = 1 + (rough - 1) * LifeModel.Hump(m.DayShare(t.Clock), noon, 0.12);
            return level + size * 3 * Math.Sin(2 * Math.PI * m.DayShare(t.Clock));
        };
        m.Noise = (row, mean, wide) => mean + size * share * wide * noise[row];
        m.Faults = [.. Family.Points, .. Family.Shifts, Variance, Variance, Phase, Stuck, Oscillation, Dropout, Shape];
        return m;
    }

    /// <summary>The higher, the rougher.</summary>
    private static LifeModel NoiseByLevel(Dice d, int rows)
    {
        double share = d.Between(0.03, 0.15);
        LifeModel m = Scaled(d, rows, out double level, out _);
        double period = d.Scale(40, 400), swing = d.Between(0.3, 0.85);
        m.Mean = t => level * (1 + swing * Math.Sin(2 * Math.PI * t.Clock / period));
        m.Proportional(share, 0.005 * level);
        (m.Period, m.Season) = (period, period);
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, .. Family.Cycles, Phase, Stuck, Clipped];
        return m;
    }

    /// <summary>Multiplies over the life, its season and its noise with it.</summary>
    private static LifeModel Growth(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out _);
        double period = d.Scale(50, 500), swing = d.Between(0.05, 0.3), growth = d.Between(0.4, 2);
        m.Mean = t => level * Math.Exp(growth * t.Row / rows) * (1 + swing * Math.Sin(2 * Math.PI * t.Clock / period));
        m.Lognormal(d.Between(0.005, 0.04));
        (m.Period, m.Season, m.Trending) = (period, period, true);
        m.Faults = [.. Family.Points, .. Family.Cycles, Phase, Level, Drift, Variance, Variance, Stuck, Dropout, Oscillation];
        return m;
    }

    /// <summary>A straight line and a season with a bump.</summary>
    private static LifeModel TrendAndSeason(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        double period = d.Scale(60, 500), swing = size * d.Between(2, 10), slope = d.Sign() * swing * d.Between(0.5, 8) / rows, at = d.Between(0.2, 0.8);
        double bump = swing * d.Between(1, 2.5);
        m.Mean = t => level + slope * t.Row + swing * Math.Sin(2 * Math.PI * t.Clock / period);
        m.Activity = t => bump * LifeModel.Hump(t.Clock / period % 1, at, 0.04);
        m.White(size);
        (m.Period, m.Season, m.Trending, m.BumpSize) = (period, period, true, bump);
        m.Bumps = [.. Enumerable.Range(0, (int)(m.Length / period) + 1).Select(i => ((i + at - 0.12) * period, (i + at + 0.12) * period))];
        m.Holes = [.. m.Bumps.Select(place => (place.From + 0.45 * period, place.To + 0.45 * period))];
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Cycles, Missing, Missing, Extra, Phase, Variance, Stuck, Dropout];
        return m;
    }

    /// <summary>A short season on a long one.</summary>
    private static LifeModel TwoSeasons(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        double period = d.Scale(24, 120), times = d.Whole(4, 7), swing = size * d.Between(3, 12), other = swing * d.Between(0.3, 1);
        Func<double, double> shape = d.Harmonics(3), longer = d.Harmonics(2);
        m.Mean = t => level + swing * shape(t.Clock / period % 1) + other * longer(t.Clock / (times * period) % 1);
        m.White(size);
        (m.Period, m.Season) = (period, times * period);
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, .. Family.Cycles, Phase, Stuck, Clipped, Dropout];
        return m;
    }

    /// <summary>Student's t: now and then far out, and that is normal.</summary>
    private static LifeModel HeavyTails(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        int degrees = d.Whole(3, 5);
        double[] noise = Dice.Every(rows, () => size * d.StudentT(degrees));
        m.Mean = _ => level;
        m.Noise = (row, mean, wide) => mean + wide * noise[row];
        m.Faults = [.. Family.Points, .. Family.Shifts, Variance, Quieter, Stuck];
        return m;
    }

    /// <summary>Returns of a price: calm days and rough days follow each other.</summary>
    private static LifeModel Returns(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 300, 3600));
        double size = d.Scale(0.0005, 0.02);
        double[] mood = d.Wander(rows, d.Between(0.97, 0.99), d.Between(0.2, 0.45));
        double[] noise = Dice.Every(rows, () => d.StudentT(5));
        m.Noise = (row, mean, wide) => mean + size * Math.Exp(mood[row]) * wide * noise[row];
        m.Tidy = value => Math.Round(value, 6);
        m.Sentinels = [-1, 1, -999];
        m.Faults = [.. Family.Points, Level, Stuck, NoiseBurst, NoiseBurst, Dropout];
        return m;
    }

    /// <summary>The price itself: a walk with heavy-tailed steps.</summary>
    private static LifeModel Price(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 300, 3600));
        double price = d.Scale(5, 500), step = d.Scale(0.0005, 0.004), log = 0;
        m.Mean = _ => price;
        double[] factor = Dice.Every(rows, () => Math.Exp(log = 0.9998 * log + step * Math.Clamp(d.StudentT(4), -8, 8)));
        m.Lognormal(0.0002, factor);
        m.Steps(0.01);
        (m.Trending, m.Sentinels) = (true, [0, -1]);
        m.Faults = [Spike, Dip, GrowingSpikes, ShrinkingSpikes, Stuck, Stuck, Dropout, Dropout, NoiseBurst];
        return m;
    }

    /// <summary>A smooth wave read in steps of a half or of one.</summary>
    private static LifeModel CoarseSteps(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 300));
        double step = d.Of(0.5, 1), period = d.Scale(80, 500), swing = step * d.Between(3, 15), level = d.Between(10, 60);
        Func<double, double> shape = d.Harmonics(2);
        m.Mean = t => level + swing * shape(t.Clock / period % 1);
        m.White(step * d.Between(0.1, 0.5), d.Wander(rows, 0.99, step * d.Between(0, 0.8)));
        m.Steps(step);
        (m.Period, m.Season, m.Sentinels) = (period, period, [85, -127, 0]);
        m.Faults = [.. Family.Points, Level, Drift, .. Family.Cycles, Phase, Stuck, Clipped, Dropout, NoiseBurst, Variance];
        return m;
    }

    /// <summary>Outdoor temperature in whole degrees: a day, and weather.</summary>
    private static LifeModel WholeDegrees(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 300, 600, 900, 3600);
        double level = d.Between(-5, 25), swing = d.Between(2, 8);
        m.Mean = t => level + swing * Math.Sin(2 * Math.PI * (m.DayShare(t.Clock) - 0.375));
        m.White(d.Between(0.1, 0.4), d.Wander(rows, m.Memory(d.Between(20, 80)), d.Between(0.5, 2.5)));
        m.Steps(d.Of(0.5, 1));
        (m.Calendar, m.Sentinels) = (false, [85, -127, -40]);
        m.Faults = [.. Family.Points, Level, Stuck, Dropout, Dropout, Phase, Fast, Slow, NoiseBurst, Variance, Shape];
        return m;
    }

    /// <summary>Three to six levels by a Markov chain, with noise or without.</summary>
    private static LifeModel States(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        double[] levels = [.. Enumerable.Range(0, d.Whole(3, 6)).Select(i => level + size * (12 * i + d.Between(0, 6)))];
        double hold = d.Scale(10, 80);
        int state = 0;
        m.States = m.NewTimeline(t =>
        {
            state = (state + d.Whole(1, levels.Length - 1)) % levels.Length;
            t.Add(hold * d.Between(0.5, 1.6), state, levels[state]);
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.White(d.Of(0, 1, 1) * size);
        (m.Period, m.Season) = (hold, hold);
        m.Faults = [.. Family.Points, Level, Level, Dwell, Dwell, Dropout, NoiseBurst, Variance];
        return m;
    }

    /// <summary>Told at random times, about once in a while.</summary>
    private static LifeModel PoissonSensor(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60, 600), irregular: true);
        double level = d.Scale(5, 500), size = level * d.Between(0.002, 0.03), period = d.Scale(80, 400), swing = size * d.Of(0, 5, 10);
        m.Mean = t => level + swing * Math.Sin(2 * Math.PI * t.Clock / period);
        m.White(size, d.Wander(rows, d.Between(0.9, 0.99), size * d.Between(0, 2)));
        (m.Period, m.Season) = (swing > 0 ? period : 60, swing > 0 ? period : 60);
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, Stuck, Quieter, Dropout];
        return m;
    }

    /// <summary>Told when it has moved by a threshold, or after a heartbeat.</summary>
    private static LifeModel ChangeReports(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 300));
        double period = d.Scale(150, 600), swing = d.Between(2, 10), threshold = swing * d.Between(0.03, 0.1), level = d.Between(10, 50), heartbeat = d.Between(5, 15);
        Func<double, double> shape = d.Harmonics(3), other = d.Harmonics(3);
        Func<double, double> at = clock => level + swing * shape(clock / period % 1) + 0.5 * swing * other(clock / (period * 4.3) % 1);
        var seconds = new double[rows];
        double clock = 0, told = at(0);

        for (int row = 0; row < rows; row++)
        {
            seconds[row] = RowTimes.Monday + m.BeginSeconds + Math.Round(clock * m.StepSeconds, 3);
            double since = clock;
            clock += 0.25;

            while (Math.Abs(at(clock) - told) < threshold * d.Between(0.9, 1.1) && clock - since < heartbeat)
            {
                clock += 0.25;
            }

            told = at(clock);
        }

        m.Seconds = seconds;
        m.Mean = t => at(t.Clock);
        m.White(threshold * d.Between(0.05, 0.3));
        m.Steps(0.01);
        (m.Period, m.Season, m.Sentinels) = (0, period / 2, [85, -127, 0]);
        m.Faults = [.. Family.Points, Level, Drift, Stuck, Dropout, Dropout, NoiseBurst, Oscillation];
        return m;
    }

    /// <summary>A quick wave of any shape whose height varies slowly.</summary>
    private static LifeModel HarmonicWave(Dice d, int rows)
    {
        LifeModel m = Scaled(d, rows, out double level, out double size);
        double period = d.Scale(20, 200), swing = size * d.Between(4, 20), breath = d.Between(0, 0.15), beat = period * d.Between(3, 9);
        Func<double, double> shape = d.Harmonics(d.Whole(1, 5));
        m.Mean = t => level + swing * (1 + breath * Math.Sin(2 * Math.PI * t.Clock / beat)) * shape(t.Clock / period % 1);
        m.White(size);
        (m.Period, m.Season) = (period, beat);
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, .. Family.Cycles, .. Family.Cycles, Phase, Stuck, Clipped, Dropout, Quieter];
        return m;
    }

    /// <summary>Events in an interval at a rate that wanders slowly.</summary>
    private static LifeModel SlowCounts(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 300));
        double rate = d.Scale(1, 40);
        double[] mood = d.Wander(rows, 0.99, d.Between(0, 0.3));
        m.Mean = _ => rate;
        m.Counts(d.Between(0, 0.15), [.. mood.Select(Math.Exp)]);
        m.Sentinels = [-1, 255];
        m.Faults = [.. Family.Up, Level, Level, Permanent, Rate, Rate, Stuck, Dropout, Drift];
        return m;
    }

    /// <summary>A model of any step, level and size of noise.</summary>
    private static LifeModel Scaled(Dice d, int rows, out double level, out double size)
    {
        var m = new LifeModel(d, rows, d.Of(1, 10, 60, 300, 3600));
        level = d.Scale(0.5, 2000);
        size = level * d.Scale(0.005, 0.1);
        m.Tidy = value => Math.Round(value, 6);
        return m;
    }
}
