using static StreamLstm.Detection.Synthetic.Lives.LifeFaultKind;

namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>Computers, networks, shops.</summary>
internal static class ServiceLives
{
    public static IEnumerable<Family> All =>
    [
        new("request-rate", false, RequestRate),
        new("web-promotions", true, Promotions),
        new("latency", false, Latency),
        new("queue-length", true, Queue),
        new("error-counts", false, Errors),
        new("log-bursts", true, LogBursts),
        new("cpu-percent", false, Processor),
        new("cpu-cores", true, Cores),
        new("memory-collected", false, Memory),
        new("disk-filling", false, Disk),
        new("byte-counter", false, Bytes),
        new("packet-rate", false, Packets),
        new("connections", false, Connections),
        new("nightly-batch", false, NightlyBatch),
        new("cron-traffic", true, Cron),
        new("daily-sales", false, Sales),
    ];

    /// <summary>Requests by day and week.</summary>
    private static LifeModel RequestRate(Dice d, int rows)
    {
        LifeModel m = LifeModel.Weekly(d, rows, 300, 600, 900, 1800, 3600);
        double rate = d.Scale(5, 5000), low = d.Between(0.05, 0.4), noon = d.Between(0.4, 0.65), wide = d.Between(0.1, 0.18), free = d.Between(0.3, 1.3);
        m.Mean = _ => rate * low;
        m.Activity = t => rate * m.Workday(t.Clock, free) * LifeModel.Hump(m.DayShare(t.Clock), noon, wide);
        m.Counts(d.Between(0.02, 0.1));
        (m.BumpSize, m.Bumps, m.Holes) = (rate, m.Days(noon - 0.25, noon + 0.25, free: false), m.Days(noon - 0.45, noon - 0.25));
        m.Faults = [.. Family.Points, Missing, Missing, Extra, Level, Permanent, Rate, Phase, Dropout, Stuck, Variance];
        return m;
    }

    /// <summary>A shop's visitors with peaks when letters go out: several a week, at any hour of the day.</summary>
    private static LifeModel Promotions(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 300, 600, 900);
        double rate = d.Scale(20, 800), high = d.Between(0.8, 3), swing = d.Between(0.3, 0.8);
        double[] letters = d.Pulses(rows, d.Between(80, 250), Math.Exp(-1 / d.Between(4, 15)), () => high * d.Between(0.6, 1.2));
        m.Mean = t => rate * (1 - swing * Math.Cos(2 * Math.PI * (m.DayShare(t.Clock) - 0.1)));
        m.Counts(d.Between(0.02, 0.1), [.. letters.Select(letter => 1 + letter)]);
        m.Faults = [Spike, RepeatedSpike, GrowingSpikes, Level, Rate, Rate, Dropout, Stuck, Permanent, Phase];
        return m;
    }

    /// <summary>Milliseconds, lognormal; a few in a hundred are much slower, which is normal.</summary>
    private static LifeModel Latency(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 10, 60), irregular: d.Chance(0.2));
        double middle = d.Scale(2, 300), share = d.Scale(0.002, 0.03), far = d.Between(3, 9);
        m.Mean = _ => middle;
        m.Lognormal(d.Between(0.1, 0.5), Dice.Every(rows, () => d.Chance(share) ? d.Between(2, far) : 1));
        m.Steps(d.Of(0.01, 1), low: 0.01);
        m.Faults = [.. Family.Up, Level, Level, Permanent, Drift, Variance, Stuck, Quieter, Dropout];
        return m;
    }

    /// <summary>Waiting in an M/M/1 queue at the end of every interval.</summary>
    private static LifeModel Queue(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 10, 60));
        double load = d.Between(0.5, 0.85), served = d.Between(2, 12), waiting = 0;
        m.Noise = (row, add, _) =>
        {
            SeededRandom random = m.RandomOf(row);
            waiting = Math.Max(0, waiting + Draw.Poisson(ref random, load * served) - Draw.Poisson(ref random, served));
            return waiting + add;
        };
        m.Tidy = value => Math.Max(0, Math.Round(value));
        m.Sentinels = [-1, 65535];
        m.Faults = [.. Family.Up, Level, Level, Permanent, Drift, Dropout, Oscillation];
        return m;
    }

    /// <summary>Errors in an interval: mostly none.</summary>
    private static LifeModel Errors(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60, 300));
        double rate = d.Scale(0.02, 0.8);
        m.Mean = _ => rate;
        m.Counts(d.Between(0, 0.8));
        m.Sentinels = [-1, 65535];
        m.Faults = [.. Family.Up, Level, Level, Level, Permanent, Drift, NoiseBurst, Dropout];
        return m;
    }

    /// <summary>Lines in an interval: bursts of some minutes are normal.</summary>
    private static LifeModel LogBursts(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60), irregular: false);
        double rate = d.Scale(2, 60), high = d.Between(2, 5);
        m.Mean = _ => rate;
        m.Counts(d.Between(0.1, 0.5), d.Bursts(rows, d.Between(60, 160), 3, 12, () => high * d.Between(0.7, 1.2)));
        m.Sentinels = [-1, 0];
        m.Faults = [.. Family.Up, Level, Rate, Rate, Permanent, Stuck, Dropout, Variance];
        return m;
    }

    /// <summary>0 to 100: idle, with jobs that take all there is.</summary>
    private static LifeModel Processor(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 10, 60));
        double idle = d.Between(5, 30), gap = d.Between(60, 250), length = d.Between(8, 60);
        double[] jobs = d.Bursts(rows, gap, (int)length, (int)(2 * length), () => 120), path = d.Wander(rows, d.Between(0.5, 0.9), d.Between(2, 8));
        m.Mean = _ => idle;
        m.White(d.Between(0.5, 3), [.. path.Select((value, row) => jobs[row] > 1 ? d.Between(70, 110) : value)]);
        m.Steps(d.Of(0.1, 1), 0, 100);
        (m.Sentinels, m.LiftMax) = ([-1, 255], 62 - idle);
        m.Faults = [Level, Level, Permanent, Stuck, Stuck, Dropout, Oscillation, Drift, Variance];
        return m;
    }

    /// <summary>Load of a busy server by day: never idle, never full.</summary>
    private static LifeModel Cores(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 60, 300, 600);
        double floor = d.Between(5, 25), swing = d.Between(10, 45), noon = d.Between(0.4, 0.7);
        m.Mean = _ => floor;
        m.Activity = t => swing * LifeModel.Hump(m.DayShare(t.Clock), noon, 0.15);
        m.Proportional(d.Between(0.02, 0.1), 0.5, d.Wander(rows, 0.9, d.Between(0.3, 2)));
        m.Steps(0.1, 0, 100);
        (m.BumpSize, m.Bumps, m.Holes) = (swing, m.Days(noon - 0.25, noon + 0.25), m.Days(noon - 0.48, noon - 0.28));
        m.Sentinels = [0, -1, 255];
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, Missing, Extra, Phase, Clipped, Stuck, Shape, Dropout];
        return m;
    }

    /// <summary>Megabytes that rise with work and fall when they are collected.</summary>
    private static LifeModel Memory(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 10, 60));
        double length = d.Scale(15, 150), low = d.Scale(50, 2000), high = low * d.Between(1.3, 3), spread = d.Between(0.05, 0.3);
        m.States = m.NewTimeline(t =>
        {
            double share = d.Between(1 - spread, 1 + spread);
            t.Add(length * share, 0, low * d.Between(0.97, 1.03), low + (high - low) * share);
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.White((high - low) * d.Between(0.002, 0.02));
        m.Steps(0.1, low: 0);
        (m.Period, m.Season, m.LeakingState) = (length, length, 0);
        m.Faults = [.. Family.Up, .. Family.Shifts, Drift, Fast, Slow, Leak, Stuck, Dropout, Clipped];
        return m;
    }

    /// <summary>Percent used: fills in steps, cleaned at night or when it gets full.</summary>
    private static LifeModel Disk(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 300, 900));
        double length = d.Scale(100, 400), low = d.Between(20, 50), high = low + d.Between(8, 40);
        m.States = m.NewTimeline(t =>
        {
            double middle = low + (high - low) * d.Between(0.3, 0.7);
            t.Add(length * d.Between(0.4, 0.6), 0, low, middle);
            t.Add(length * d.Between(0.4, 0.6), 0, middle, high * d.Between(0.97, 1.03));
            t.Add(length * 0.02, 1, high, low);
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.White(d.Between(0.01, 0.2));
        m.Steps(d.Of(0.01, 0.1), 0, 100);
        (m.Period, m.Season, m.LeakingState) = (length, length, 0);
        m.Faults = [Spike, Dip, Level, Fast, Fast, Slow, Leak, Leak, Stuck, Dropout, GrowingSpikes];
        return m;
    }

    /// <summary>Bytes since the start of a process that starts again now and then.</summary>
    private static LifeModel Bytes(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60));
        double rate = d.Scale(100, 1e6);
        m.Mean = _ => rate;
        m.Lognormal(d.Between(0.1, 0.7), d.Bursts(rows, 100, 3, 15, () => d.Between(1.5, 4)));
        m.Counter(d, d.Between(300, 900), d.Of(double.PositiveInfinity, 4294967296));
        m.Steps(1, low: 0);
        m.Trending = true;
        m.Faults = [Spike, Dip, Rate, Rate, Rate, Stuck, Dropout];
        return m;
    }

    /// <summary>Packets a second, heavy-tailed bursts on a daily wave.</summary>
    private static LifeModel Packets(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 60, 300, 600);
        double rate = d.Scale(50, 20000), swing = d.Between(0.2, 0.8), phase = d.Between(0, 1);
        double[] heavy = Dice.Every(rows, () => Math.Exp(0.12 * Math.Clamp(d.StudentT(4), -12, 12)));
        m.Mean = t => rate * (1 + swing * Math.Sin(2 * Math.PI * (m.DayShare(t.Clock) - phase)));
        m.Lognormal(d.Between(0.05, 0.2), heavy);
        m.Steps(1, low: 0);
        m.Faults = [.. Family.Up, Level, Permanent, Rate, Rate, Phase, Variance, Stuck, Dropout, Drift, Fast, Shape];
        return m;
    }

    /// <summary>Connections of a pool: whole numbers that step up and down.</summary>
    private static LifeModel Connections(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(5, 10, 60));
        double size = d.Scale(8, 150), wander = size * d.Between(0.1, 0.3);
        m.Mean = _ => size;
        m.White(0.3, d.Wander(rows, d.Between(0.9, 0.98), wander));
        m.Tidy = value => Math.Max(0, Math.Round(value));
        m.Faults = [Spike, Dip, RepeatedSpike, GrowingSpikes, Level, Permanent, Leak, Drift, Dropout, NoiseBurst, Oscillation];
        return m;
    }

    /// <summary>Little to do all day, and a batch every night at its hour, never quite as long.</summary>
    private static LifeModel NightlyBatch(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 120, 300, 600, 900);
        double idle = d.Scale(1, 50), high = idle * d.Scale(5, 40), at = d.Between(0.02, 0.2), length = d.Between(0.04, 0.15);
        double[] heights = Dice.Every(400, () => d.Between(0.85, 1.1)), lengths = Dice.Every(400, () => length * d.Between(0.85, 1.15));
        m.Mean = _ => idle;
        m.Activity = t =>
        {
            double x = m.DayShare(t.Clock);
            int day = (int)((m.BeginSeconds + t.Clock * m.StepSeconds) / 86400) % 400;
            return x >= at && x < at + lengths[day] ? high * heights[day] : 0;
        };
        m.Proportional(d.Between(0.03, 0.15), 0.03 * idle);
        m.Steps(0.1, low: 0);
        (m.BumpSize, m.Bumps, m.Holes) = (high, m.Days(at, at + 1.1 * length), m.Days(0.4, 0.4 + length));
        m.Sentinels = [-1, 65535];
        m.Faults = [.. Family.Up, Missing, Missing, Extra, Extra, Level, Phase, Variance, Stuck, Permanent, Drift];
        return m;
    }

    /// <summary>A job every few hours, and a greater one every fourth time.</summary>
    private static LifeModel Cron(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 120));
        double every = d.Between(40, 120), length = d.Between(4, 15), high = d.Scale(5, 500), idle = high * d.Between(0.02, 0.2);
        int number = 0;
        m.States = m.NewTimeline(t =>
        {
            t.Add(every - length, 0, 0);
            t.Add(length, 1, high * (++number % 4 == 0 ? 2 : 1) * d.Between(0.93, 1.07));
        });
        m.Mean = _ => idle;
        m.Activity = t => m.States.Level(t.Clock);
        m.Proportional(d.Between(0.02, 0.1), 0.1 * idle);
        m.Steps(0.1, low: 0);
        (m.Period, m.Season, m.BumpSize) = (every, 4 * every, high);
        (m.Bumps, m.Holes) = (m.States.Of(1), [.. m.States.Of(0).Select(rest => (rest.From + 8, rest.From + 8 + length))]);
        m.Faults = [.. Family.Up, Missing, Missing, Extra, Extra, Phase, Fast, Slow, Level, Drift, Dropout];
        return m;
    }

    /// <summary>One row a day for years: weekdays, a year, growth.</summary>
    private static LifeModel Sales(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, 86400);
        double level = d.Scale(50, 5000), growth = d.Between(0.2, 1.5), yearly = d.Between(0.05, 0.3);
        double[] week = Dice.Every(7, () => d.Between(0.6, 1.3));
        m.Mean = t => level * Math.Exp(growth * t.Row / rows) * (1 + yearly * Math.Sin(2 * Math.PI * t.Clock / 365.25)) * week[(int)t.Clock % 7];
        m.Counts(d.Between(0.03, 0.12));
        (m.Period, m.Season, m.Trending) = (7, 366, true);
        m.Faults = [.. Family.Points, Level, Level, Permanent, Rate, Dropout, Variance, Stuck];
        return m;
    }
}
