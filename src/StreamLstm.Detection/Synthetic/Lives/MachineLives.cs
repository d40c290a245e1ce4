using static StreamLstm.Detection.Synthetic.Lives.LifeFaultKind;

namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>Machines, vehicles, processes, and bodies.</summary>
internal static class MachineLives
{
    public static IEnumerable<Family> All =>
    [
        new("regulated", false, Regulated),
        new("loop-free-setpoints", true, FreeSetPoints),
        new("loop-known-setpoints", false, KnownSetPoints),
        new("pump-pressure", false, PumpPressure),
        new("tank-level", false, Tank),
        new("silo-level", false, Silo),
        new("air-compressor", true, AirCompressor),
        new("vibration", false, Vibration),
        new("motor-current", true, MotorCurrent),
        new("conveyor-counts", false, Conveyor),
        new("furnace-recipes", false, Furnace),
        new("press-cycle", false, Press),
        new("heart-beat", false, HeartBeat),
        new("breathing", true, Breathing),
        new("elevator", true, Elevator),
        new("robot-axis", false, RobotAxis),
        new("ph-dosing", false, Dosing),
        new("chlorine", true, Chlorine),
        new("machine-modes", false, Modes),
        new("vehicle-speed", false, VehicleSpeed),
        new("valve-positions", false, Valve),
    ];

    /// <summary>A value that is held, with noise that remembers a little.</summary>
    private static LifeModel Regulated(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 10, 60));
        double level = d.Scale(1, 1000), noise = level * d.Scale(0.001, 0.05);
        m.Mean = _ => level;
        m.White(noise, d.Wander(rows, d.Between(0.3, 0.95), noise * d.Between(0, 1)));
        m.Tidy = value => Math.Round(value, 5);
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, Quieter, Stuck, Dropout];
        return m;
    }

    /// <summary>A controlled value that overshoots after every change of its set point; any set point is normal.</summary>
    private static LifeModel FreeSetPoints(Dice d, int rows)
    {
        double centre = d.Between(20, 200), spread = centre * d.Between(0.02, 0.1);
        LifeModel m = Loop(d, rows, 0.1 * spread, () => centre + spread * d.Normal());
        m.Faults = [.. Family.Points, .. Family.Noises, Variance, Quieter, Stuck, Dropout];
        return m;
    }

    /// <summary>The same with three to five set points that come again.</summary>
    private static LifeModel KnownSetPoints(Dice d, int rows)
    {
        double centre = d.Between(20, 200), spread = centre * d.Between(0.05, 0.2);
        double[] levels = Dice.Every(d.Whole(3, 5), () => centre + spread * d.Normal());
        LifeModel m = Loop(d, rows, 0.05 * spread, () => d.Of(levels));
        m.Faults = [.. Family.Points, .. Family.Noises, Quieter, Level, Level, Stuck, Dropout, Drift];
        return m;
    }

    /// <summary>x'' = w²(target - x) - 2 z w x'.</summary>
    private static LifeModel Loop(Dice d, int rows, double noise, Func<double> target)
    {
        var m = new LifeModel(d, rows, d.Of(1, 5, 10));
        double hold = d.Between(60, 180), w = d.Between(0.15, 0.6), damping = d.Between(0.3, 1), value = target(), speed = 0;
        m.States = m.NewTimeline(t => t.Add(hold * d.Between(0.6, 1.4), 0, target()));
        m.Mean = t =>
        {
            double aim = m.States.Level(t.Clock), part = Math.Min(t.Elapsed, 40) / 4;

            for (int i = 0; i < 4 * Math.Ceiling(part); i++)
            {
                double dt = part / Math.Ceiling(part);
                speed += dt * (w * w * (aim - value) - 2 * damping * w * speed);
                value += dt * speed;
            }

            return value;
        };
        m.White(noise * d.Between(0.3, 1), d.Wander(rows, 0.8, noise * d.Between(0, 0.5)));
        return m;
    }

    /// <summary>Bar while a pump runs and while it stands, with a surge at every start.</summary>
    private static LifeModel PumpPressure(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 5, 10, 60));
        double on = d.Scale(20, 120), off = d.Scale(10, 100), spread = d.Between(0.02, 0.2), high = d.Between(3, 12), low = d.Between(0.3, 1.5), surge = d.Between(0, 0.25);
        m.States = m.NewTimeline(t =>
        {
            t.Add(off * d.Between(1 - spread, 1 + spread), 0, low);
            t.Add(on * d.Between(1 - spread, 1 + spread), 1, high);
        });
        var pipe = new Lag(d.Between(0.4, 2), low);
        m.Mean = t =>
        {
            Stay stay = m.States.At(t.Clock);
            return pipe.Toward(stay.From * (1 + (stay.State == 1 ? surge * Math.Exp(-(t.Clock - stay.Start) / 3) : 0)), t.Elapsed);
        };
        m.Proportional(d.Between(0.003, 0.03), 0.01);
        m.Steps(0.01, low: 0);
        (m.Period, m.Season, m.LeakingState, m.Sentinels) = (on + off, on + off, 0, [0, -1, 65535]);
        m.Faults = [.. Family.Points, Fast, Slow, Dwell, Dwell, Level, Leak, Stuck, Dropout, NoiseBurst, Oscillation];
        return m;
    }

    /// <summary>Filled slowly between two floats, emptied quickly.</summary>
    private static LifeModel Tank(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60, 300));
        double fill = d.Scale(40, 250), drain = fill * d.Between(0.05, 0.4), low = d.Between(5, 30), high = d.Between(60, 95), spread = d.Between(0.02, 0.12);
        m.States = m.NewTimeline(t =>
        {
            t.Add(fill * d.Between(1 - spread, 1 + spread), 0, low, high);
            t.Add(drain * d.Between(1 - spread, 1 + spread), 1, high, low);
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.White(d.Between(0.1, 0.8));
        m.Steps(d.Of(0.01, 0.1), 0, 100);
        (m.Period, m.Season, m.LeakingState, m.Sentinels) = (fill + drain, fill + drain, 1, [0, 255, -1]);
        m.Faults = [.. Family.Points, Fast, Slow, Slow, Dwell, Leak, Stuck, Dropout, Clipped, Oscillation, Level];
        return m;
    }

    /// <summary>Emptied by production, never quite as fast, and filled by a lorry when it gets low.</summary>
    private static LifeModel Silo(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(300, 900));
        double length = d.Scale(80, 350), load = d.Between(10, 60), level = 0;
        m.States = m.NewTimeline(t =>
        {
            double from = load * d.Between(0.85, 1), to = load * d.Between(0.1, 0.25), middle = to + (from - to) * d.Between(0.4, 0.6);
            t.Add(0.04 * length, 2, level, from);
            t.Add(length * d.Between(0.3, 0.6), 0, from, middle);
            t.Add(length * d.Between(0.3, 0.6), 0, middle, to);
            level = to;
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.White(load * d.Between(0.002, 0.01));
        m.Steps(d.Of(0.01, 0.1), low: 0);
        (m.Period, m.Season, m.LeakingState) = (length, length, 0);
        m.Faults = [Spike, Dip, RepeatedSpike, GrowingSpikes, ShrinkingSpikes, Leak, Leak, Stuck, Dropout, NoiseBurst, Level];
        return m;
    }

    /// <summary>Pressure between load and unload.</summary>
    private static LifeModel AirCompressor(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 5, 10));
        double load = d.Scale(10, 40), unload = d.Scale(25, 150), low = d.Between(5.5, 7), high = low + d.Between(0.4, 1.5), spread = d.Between(0.05, 0.2);
        m.States = m.NewTimeline(t =>
        {
            t.Add(unload * d.Between(1 - spread, 1 + spread), 0, high, low);
            t.Add(load * d.Between(1 - spread, 1 + spread), 1, low, high);
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.White((high - low) * d.Between(0.005, 0.05));
        m.Steps(0.001);
        (m.Period, m.Season, m.LeakingState) = (load + unload, load + unload, 0);
        m.Faults = [.. Family.Points, Leak, Leak, Leak, Fast, Slow, Dwell, Level, Drift, Stuck, Dropout, Oscillation, Shape];
        return m;
    }

    /// <summary>Millimetres a second of a bearing under two or three loads; it scatters as wide as it is high.</summary>
    private static LifeModel Vibration(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60, 600));
        double[] levels = Dice.Every(d.Whole(1, 3), () => d.Between(0.8, 4));
        double hold = d.Between(40, 200);
        m.States = m.NewTimeline(t => t.Add(hold * d.Between(0.5, 1.5), 0, d.Of(levels)));
        m.Mean = t => m.States.Level(t.Clock);
        m.Lognormal(d.Between(0.04, 0.25));
        m.Steps(0.001, low: 0);
        m.Faults = [.. Family.Up, Level, Drift, Drift, Variance, Stuck, NoiseBurst, Dropout, Quieter, Permanent];
        return m;
    }

    /// <summary>Amperes of a motor that starts with a rush, runs under load or idle, and stands.</summary>
    private static LifeModel MotorCurrent(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 5, 10));
        double loaded = d.Scale(3, 80), idle = loaded * d.Between(0.25, 0.5), rush = d.Between(1.5, 4), length = d.Scale(15, 80);
        m.States = m.NewTimeline(t =>
        {
            t.Add(length * d.Between(0.7, 1.3), 0, 0);
            t.Add(length * d.Between(0.3, 0.6), 1, idle);
            t.Add(length * d.Between(1.2, 2), 2, loaded);
        });
        m.Mean = t =>
        {
            Stay stay = m.States.At(t.Clock);
            return stay.From + (stay.State == 1 ? (rush - 1) * loaded * Math.Exp(-(t.Clock - stay.Start) / 1.2) : 0);
        };
        m.Proportional(d.Between(0.01, 0.06), 0.01 * loaded);
        m.Steps(0.01, low: 0);
        (m.Period, m.Season, m.BumpSize, m.Holes) = (length * 3, length * 3, loaded, m.States.Of(0, 0.2));
        m.Faults = [.. Family.Up, Level, Level, Dwell, Dwell, Extra, Stuck, Variance, NoiseBurst, Dropout];
        return m;
    }

    /// <summary>Parts in an interval: a steady rate with short stops, and breaks at fixed times.</summary>
    private static LifeModel Conveyor(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 60, 120, 300, 600);
        double rate = d.Scale(8, 200), begin = d.Between(0, 0.2), breakLength = d.Between(0.015, 0.04);
        double[] stops = d.Bursts(rows, d.Between(60, 150), 1, 4, () => d.Between(0, 0.5));
        m.Activity = t => rate * ((m.DayShare(t.Clock) + begin) % 0.25 < breakLength ? 0 : 1);
        m.Counts(d.Between(0, 0.1), stops);
        m.BumpSize = rate;
        m.Period = m.Day / 4;
        m.Faults = [.. Family.Up, Level, Rate, Rate, Rate, Permanent, Missing, Stuck, Drift, Variance];
        m.Bumps = m.Days(0.4, 0.5);
        return m;
    }

    /// <summary>Temperatures of recipes in any order, reached with inertia.</summary>
    private static LifeModel Furnace(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60));
        double[] levels = Dice.Every(d.Whole(3, 6), () => d.Between(150, 1100));
        double hold = d.Between(60, 160), last = levels[0];
        m.States = m.NewTimeline(t =>
        {
            double[] others = [.. levels.Where(level => level != last)];
            last = d.Of(others);
            t.Add(hold * d.Between(0.6, 1.4), Array.IndexOf(levels, last), last);
        });
        var heat = new Lag(d.Between(1, 12), last);
        m.Mean = t => heat.Toward(m.States.Level(t.Clock), t.Elapsed);
        m.White(d.Between(0.5, 6), d.Wander(rows, 0.9, d.Between(0, 2)));
        m.Steps(d.Of(0.1, 1));
        m.Sentinels = [0, -1, 1372, 65535];
        m.Faults = [.. Family.Points, Level, Level, Dwell, Stuck, Dropout, Variance, Oscillation, NoiseBurst, Quieter];
        return m;
    }

    /// <summary>Force of a press: the same stroke again and again, not quite as high or as long.</summary>
    private static LifeModel Press(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 2, 5));
        double period = d.Scale(20, 200), rise = d.Between(0.1, 0.3), hold = d.Between(0.1, 0.3), force = d.Scale(10, 1000), second = d.Between(0, 0.5);
        Strokes(m, d, period, d.Between(0.005, 0.03), d.Between(0.01, 0.05), x =>
            force * (x < rise ? x / rise : x < rise + hold ? 1 : Math.Exp(-(x - rise - hold) / 0.06) + second * LifeModel.Hump(x, 0.8, 0.04)));
        m.White(force * d.Between(0.004, 0.02));
        m.Faults = [.. Family.Points, .. Family.Cycles, Shape, Missing, Phase, Level, Drift, Variance, Stuck, Clipped];
        return m;
    }

    /// <summary>P, QRS and T, with amplitudes and intervals that vary.</summary>
    private static LifeModel HeartBeat(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 2));
        double period = d.Scale(20, 150), height = d.Scale(0.5, 50), t0 = d.Between(0.2, 0.35), width = Math.Max(0.012, 0.7 / period);
        Strokes(m, d, period, d.Between(0.01, 0.05), d.Between(0.02, 0.08), x => height * (LifeModel.Hump(x, 0.4, width)
            - 0.2 * LifeModel.Hump(x, 0.4 + 2.2 * width, width) + t0 * LifeModel.Hump(x, 0.68, 0.05) + 0.12 * LifeModel.Hump(x, 0.24, 0.03)));
        m.White(height * d.Between(0.005, 0.03), d.Wander(rows, 0.99, height * d.Between(0, 0.05)));
        m.Faults = [.. Family.Points, .. Family.Cycles, Shape, Missing, Missing, Variance, Level, NoiseBurst, Oscillation, Dropout];
        return m;
    }

    /// <summary>Breaths whose period wanders slowly between its bounds.</summary>
    private static LifeModel Breathing(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, 1);
        double period = d.Scale(20, 120), depth = d.Between(0.3, 3), part = d.Between(0.3, 0.45);
        Strokes(m, d, period, d.Between(0.02, 0.06), d.Between(0.03, 0.1), x => depth * (x < part
            ? Math.Sin(Math.PI / 2 * x / part)
            : Math.Exp(-(x - part) / 0.12)), slow: 0.12);
        m.White(depth * d.Between(0.01, 0.04));
        m.Faults = [Spike, Dip, RepeatedSpike, .. Family.Cycles, Missing, Missing, Stuck, Clipped, Variance, Drift, NoiseBurst];
        return m;
    }

    /// <summary>A shape over cycles whose length and height vary; slow is how far the length wanders for long.</summary>
    private static void Strokes(LifeModel m, Dice d, double period, double lengthSpread, double heightSpread, Func<double, double> shape, double slow = 0)
    {
        double wander = 0;
        m.States = m.NewTimeline(t =>
        {
            wander = 0.95 * wander + 0.3 * slow * d.Normal();
            double length = period * (1 + Math.Clamp(wander, -2 * slow, 2 * slow) + lengthSpread * Math.Clamp(d.Normal(), -2.5, 2.5));
            t.Add(Math.Max(8, length), 0, 1 + heightSpread * d.Normal());
        });
        m.Activity = t =>
        {
            Stay stay = m.States.At(t.Clock);
            return stay.From * shape(Math.Clamp((t.Clock - stay.Start) / stay.Length, 0, 0.9999));
        };
        (m.Period, m.Season, m.Bumps) = (period, period, m.States.Of(0));
    }

    /// <summary>Floors: it stands at one, goes to another, one row a floor or less.</summary>
    private static LifeModel Elevator(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(5, 10));
        int floors = d.Whole(4, 12), at = 0;
        double wait = d.Between(8, 25), speed = d.Between(0.5, 2);
        m.States = m.NewTimeline(t =>
        {
            int next = at == 0 || d.Chance(0.4) ? d.Whole(1, floors) : 0;
            t.Add(wait * d.Between(0.3, 1.7), 0, at);
            t.Add(Math.Max(1, Math.Abs(next - at) * speed), 1, at, next);
            at = next;
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.Tidy = Math.Round;
        m.Sentinels = [-1, 99, 255];
        m.Faults = [Dwell, Dwell, Dwell, Dropout, Dropout, RepeatedSpike];
        return m;
    }

    /// <summary>An axis that moves between taught positions, in the same order every cycle.</summary>
    private static LifeModel RobotAxis(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 2));
        double[] places = Dice.Every(d.Whole(2, 5), () => d.Between(-180, 180));
        double[] waits = Dice.Every(places.Length, () => d.Between(6, 25));
        double pace = d.Between(4, 12), spread = d.Between(0.005, 0.04);
        m.States = m.NewTimeline(t =>
        {
            for (int i = 0; i < places.Length; i++)
            {
                t.Add(waits[i] * d.Between(1 - spread, 1 + spread), i, places[i]);
                t.Add(pace, places.Length, places[i], places[(i + 1) % places.Length]);
            }
        });
        var arm = new Lag(d.Between(0.5, 1.5), places[0]);
        m.Mean = t => arm.Toward(m.States.Level(t.Clock), t.Elapsed);
        m.White(d.Between(0.05, 1));
        m.Period = m.Season = waits.Sum() + pace * places.Length;
        m.Sentinels = [0, -999, 65535];
        m.Faults = [.. Family.Points, .. Family.Cycles, Phase, Dwell, Level, Drift, Oscillation, Stuck, Dropout, Variance];
        return m;
    }

    /// <summary>pH falls slowly; when it is too low, a dose lifts it.</summary>
    private static LifeModel Dosing(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60, 300));
        double fall = d.Scale(30, 200), low = d.Between(6.2, 7), step = d.Between(0.2, 0.8), spread = d.Between(0.05, 0.25);
        m.States = m.NewTimeline(t =>
        {
            t.Add(fall * d.Between(1 - spread, 1 + spread), 0, low + step, low);
            t.Add(fall * 0.04, 1, low, low + step);
        });
        var basin = new Lag(fall * d.Between(0.02, 0.08), low);
        m.Mean = t => basin.Toward(m.States.Level(t.Clock), t.Elapsed);
        m.White(step * d.Between(0.01, 0.06), d.Wander(rows, 0.95, step * d.Between(0, 0.06)));
        m.Steps(d.Of(0.001, 0.01));
        (m.Period, m.Season, m.LeakingState, m.Sentinels) = (fall, fall, 0, [0, 14, -1]);
        m.Faults = [.. Family.Points, .. Family.Shifts, Fast, Slow, Leak, Leak, Dwell, Stuck, Dropout, Oscillation, Variance, Quieter];
        return m;
    }

    /// <summary>Milligrams a litre: held near a target, eaten up by the day's water.</summary>
    private static LifeModel Chlorine(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 60, 300, 600, 900);
        double target = d.Between(0.3, 1.2), dip = target * d.Between(0.1, 0.4), wide = d.Between(0.05, 0.12);
        m.Mean = _ => target;
        m.Activity = t => -dip * (LifeModel.Hump(m.DayShare(t.Clock), 0.32, wide) + 0.7 * LifeModel.Hump(m.DayShare(t.Clock), 0.8, wide));
        m.White(target * d.Between(0.005, 0.03), d.Wander(rows, d.Between(0.9, 0.98), target * d.Between(0, 0.03)));
        m.Steps(d.Of(0.001, 0.01), low: 0);
        (m.BumpSize, m.Holes, m.Bumps) = (d.Sign() * dip, m.Days(0.02, 0.18), m.Days(0.2, 0.45));
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, Missing, Extra, Leak, Stuck, Dropout, Phase, Quieter];
        return m;
    }

    /// <summary>A machine's mode as a number: modes follow each other by chance, some often, some seldom.</summary>
    private static LifeModel Modes(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(5, 30));
        double[] holds = Dice.Every(d.Whole(3, 5), () => d.Scale(10, 60));
        int mode = 0;
        m.States = m.NewTimeline(t =>
        {
            mode = d.Chance(0.7) ? (mode + 1) % holds.Length : (mode + 1 + d.Whole(0, holds.Length - 2)) % holds.Length;
            t.Add(holds[mode] * d.Between(0.6, 1.4), mode, mode);
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.Tidy = Math.Round;
        (m.Period, m.Season, m.Sentinels) = (holds.Sum(), holds.Sum(), [-1, 99, 255]);
        m.Faults = [Dwell, Dwell, Dwell, Dropout, Dropout, RepeatedSpike];
        return m;
    }

    /// <summary>Metres a second: stops, goes, never quite the same cruising speed.</summary>
    private static LifeModel VehicleSpeed(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 2));
        double cruise = d.Between(6, 25), length = d.Between(30, 120);
        m.States = m.NewTimeline(t =>
        {
            double speed = cruise * d.Between(0.6, 1.15), pace = speed / d.Between(0.8, 2);
            t.Add(d.Between(5, 40), 0, 0);
            t.Add(pace, 1, 0, speed);
            t.Add(length * d.Between(0.4, 1.6), 2, speed, speed * d.Between(0.9, 1.1));
            t.Add(pace, 3, speed, 0);
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.Proportional(d.Between(0.005, 0.03), 0.03);
        m.Steps(d.Of(0.01, 0.1), low: 0);
        m.Sentinels = [-1, 999];
        m.Faults = [.. Family.Up, RepeatedSpike, Dip, Stuck, Dropout, NoiseBurst, Oscillation, Dwell];
        return m;
    }

    /// <summary>Percent open: a few positions, read exactly, changed now and then.</summary>
    private static LifeModel Valve(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60));
        double[] places = Dice.Every(d.Whole(3, 6), () => Math.Round(d.Between(0, 20)) * 5);
        double hold = d.Scale(15, 80);
        m.States = m.NewTimeline(t => t.Add(hold * d.Between(0.5, 1.5), 0, d.Of(places)));
        m.Mean = t => m.States.Level(t.Clock);
        m.White(d.Of(0, 0.15));
        m.Steps(d.Of(0.1, 0.5), 0, 100);
        m.Sentinels = [-1, 255, 127];
        m.Faults = [Level, Level, Dropout, Oscillation, Spike, Dip, NoiseBurst];
        return m;
    }
}
