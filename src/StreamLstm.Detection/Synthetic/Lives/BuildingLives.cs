using static StreamLstm.Detection.Synthetic.Lives.LifeFaultKind;

namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>Buildings, energy, water and weather.</summary>
internal static class BuildingLives
{
    public static IEnumerable<Family> All =>
    [
        new("room-temperature", false, RoomTemperature),
        new("greenhouse", true, Greenhouse),
        new("room-co2", false, RoomCarbonDioxide),
        new("fridge", false, Fridge),
        new("freezer-defrost", true, Freezer),
        new("heat-pump", true, HeatPump),
        new("humidity-steps", false, Humidity),
        new("household-power", false, Household),
        new("office-power", true, OfficePower),
        new("factory-shifts", false, FactoryShifts),
        new("water-meter", true, WaterMeter),
        new("energy-meter", false, EnergyMeter),
        new("room-occupied", false, Occupied),
        new("battery-charge", false, Battery),
        new("solar-inverter", false, Solar),
        new("wind-turbine", true, WindTurbine),
        new("grid-frequency", true, GridFrequency),
        new("tide", false, Tide),
        new("river-level", true, River),
        new("water-network-flow", false, WaterNetwork),
    ];

    /// <summary>Heated by day, let cool by night; weather comes through the walls.</summary>
    private static LifeModel RoomTemperature(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 60, 120, 300, 600, 900);
        double day = d.Between(19, 23), setback = d.Between(1, 5), morning = d.Between(0.2, 0.3), evening = d.Between(0.8, 0.97);
        var air = new Lag(m.Hours(d.Between(0.3, 3)), 0);
        m.Mean = _ => day;
        m.Activity = t => air.Toward(m.DayShare(t.Clock) > morning && m.DayShare(t.Clock) < evening ? 0 : -setback, t.Elapsed);
        m.White(d.Between(0.02, 0.1), d.Wander(rows, m.Memory(d.Between(4, 30)), d.Between(0.1, 0.4)));
        m.Steps(d.Of(0.01, 0.1, 0.1, 0.2));
        (m.BumpSize, m.Bumps, m.Holes) = (-setback, m.Days(evening, 1 + morning), m.Days(morning + 0.1, evening - 0.1));
        m.Sentinels = [0, -127, 85, -40];
        m.Faults = [.. Family.Points, Level, Drift, Stuck, Missing, Extra, Phase, Dropout, Oscillation];
        return m;
    }

    /// <summary>Sun and clouds warm it, vents keep it below a limit, heating above another.</summary>
    private static LifeModel Greenhouse(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 60, 120, 300, 600, 1800);
        double night = d.Between(12, 18), sun = d.Between(6, 18), vent = night + sun * d.Between(0.6, 1.1), rise = d.Between(0.2, 0.3);
        double[] sky = d.Wander(rows, m.Memory(d.Between(0.5, 5)), 1);
        var air = new Lag(m.Hours(d.Between(0.2, 1)), night);
        m.Mean = _ => night;
        m.Activity = t =>
        {
            double height = Math.Sin(Math.PI * (m.DayShare(t.Clock) - rise) / (1 - 2 * rise));
            double warm = night + sun * Math.Max(0, height) / (1 + Math.Exp(-1.5 * sky[t.Row]));
            return air.Toward(Math.Min(warm, vent + 0.15 * (warm - vent)), t.Elapsed) - night;
        };
        m.White(d.Between(0.05, 0.2));
        m.Steps(d.Of(0.01, 0.1));
        (m.BumpSize, m.Bumps, m.Holes, m.CutMin) = (sun, m.Days(rise, 1 - rise), m.Days(0.85, 1.1), 0.92);
        m.Faults = [.. Family.Up, Extra, Missing, Stuck, Dropout, NoiseBurst, Permanent];
        return m;
    }

    /// <summary>People come, breathe and leave; at weekends nobody does.</summary>
    private static LifeModel RoomCarbonDioxide(Dice d, int rows)
    {
        LifeModel m = LifeModel.Weekly(d, rows, 300, 600, 900, 1800);
        double high = d.Between(300, 1200), come = d.Between(0.3, 0.38), leave = d.Between(0.65, 0.8);
        double[] people = d.Wander(rows, m.Memory(d.Between(0.5, 3)), 0.15);
        var air = new Lag(m.Hours(d.Between(0.4, 2)), 0);
        m.Mean = _ => 415;
        m.Activity = t =>
        {
            double x = m.DayShare(t.Clock), there = x > come && x < leave ? 1 - 0.6 * LifeModel.Hump(x, 0.52, 0.02) : 0;
            return air.Toward(high * m.Workday(t.Clock, 0) * there * Math.Max(0.2, 1 + people[t.Row]), t.Elapsed);
        };
        m.White(d.Between(2, 10));
        m.Steps(d.Of(1, 5, 10), low: 380);
        m.BumpSize = high;
        (m.Bumps, m.Holes) = (m.Days(come, Math.Min(1, leave + 0.2), free: false), [.. m.Days(0.02, 0.22), .. m.Days(come, leave, free: true)]);
        m.Holes = [.. m.Holes.OrderBy(hole => hole.From)];
        m.Faults = [.. Family.Up, Missing, Extra, Extra, Stuck, Dropout, Phase, Permanent];
        return m;
    }

    /// <summary>A compressor cools down to one limit, the room warms up to the other; doors are opened.</summary>
    private static LifeModel Fridge(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 30, 60));
        double off = d.Scale(25, 120), on = off * d.Between(0.3, 0.9), low = d.Between(1, 4), high = low + d.Between(1.5, 5), spread = d.Between(0.03, 0.15);
        m.States = m.NewTimeline(t =>
        {
            t.Add(off * d.Between(1 - spread, 1 + spread), 0, low, high);
            t.Add(on * d.Between(1 - spread, 1 + spread), 1, high, low);
        });
        var air = new Lag(d.Between(1, 6), low);
        double heat = d.Between(0.3, 1.5);
        m.Mean = t => air.Toward(m.States.Level(t.Clock), t.Elapsed);
        m.White(d.Between(0.03, 0.15), d.Pulses(rows, d.Between(60, 200), 0.8, () => heat * d.Between(0.3, 1)));
        m.Steps(d.Of(0.01, 0.1));
        (m.Period, m.Season, m.LeakingState, m.Sentinels) = (off + on, off + on, 0, [-127, 85, 0, -40]);
        m.Faults = [.. Family.Points, .. Family.Cycles, Dwell, Drift, Level, Leak, Stuck, Dropout, NoiseBurst];
        return m;
    }

    /// <summary>Cold with a fine ripple, and a defrost every few hours.</summary>
    private static LifeModel Freezer(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 120, 300));
        double every = d.Scale(80, 500), length = Math.Max(8, every * d.Between(0.06, 0.15)), cold = d.Between(-26, -16), rise = d.Between(3, 12);
        double ripple = d.Between(0.2, 0.8), cycle = d.Between(9, 25);
        m.States = m.NewTimeline(t =>
        {
            t.Add((every - length) * d.Between(0.98, 1.02), 0, 0);
            t.Add(length * d.Between(0.95, 1.05), 1, 1);
        });
        var coil = new Lag(length / 3, 0);
        m.Mean = t => cold + ripple * Math.Sin(2 * Math.PI * t.Clock / cycle);
        m.Activity = t => rise * coil.Toward(m.States.Level(t.Clock), t.Elapsed);
        m.White(d.Between(0.05, 0.2));
        m.Steps(0.1);
        (m.Period, m.Season, m.BumpSize, m.Bumps, m.Holes) = (every, every, rise, m.States.Of(1, -0.6), m.States.Of(0, 0.4));
        m.Faults = [.. Family.Points, Missing, Extra, Level, Drift, Phase, Stuck, Dropout, Oscillation, Permanent];
        return m;
    }

    /// <summary>Electric power of a compressor whose runs grow longer as it gets colder outside.</summary>
    private static LifeModel HeatPump(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(30, 60));
        double day = m.Day, on = d.Between(15, 50), off = d.Between(20, 60), power = d.Between(800, 4000), idle = d.Between(5, 60), clock = 0;
        m.States = m.NewTimeline(t =>
        {
            double cold = 1 + 0.35 * Math.Sin(2 * Math.PI * clock / day), run = on * cold * d.Between(0.9, 1.1), rest = off / cold * d.Between(0.9, 1.1);
            t.Add(run, 1, power, power * 1.08);
            t.Add(rest, 0, idle);
            clock += run + rest;
        });
        var ramp = new Lag(d.Between(0.3, 1.2), idle);
        m.Mean = t => ramp.Toward(m.States.Level(t.Clock), t.Elapsed);
        m.Proportional(d.Between(0.005, 0.03), d.Between(1, 4));
        m.Steps(d.Of(1, 5), low: 0);
        (m.Period, m.Season) = (on + off, on + off);
        m.Faults = [.. Family.Up, Dwell, Dwell, Level, Level, Dropout, NoiseBurst, Stuck, Variance];
        return m;
    }

    /// <summary>A humidifier that switches at two limits, read in whole percent.</summary>
    private static LifeModel Humidity(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(10, 60));
        double target = d.Between(35, 65), band = d.Between(2, 6), up = d.Between(8, 30), down = d.Between(15, 80);
        m.States = m.NewTimeline(t =>
        {
            t.Add(up * d.Between(0.85, 1.15), 1, target - band, target + band);
            t.Add(down * d.Between(0.85, 1.15), 0, target + band, target - band);
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.White(d.Between(0.1, 0.5));
        m.Steps(d.Of(0.5, 1), 0, 100);
        (m.Period, m.Season, m.LeakingState, m.Sentinels) = (up + down, up + down, 0, [0, 255, -1]);
        m.Faults = [.. Family.Points, .. Family.Cycles, Level, Drift, Leak, Stuck, Dropout, Permanent];
        return m;
    }

    /// <summary>A base load, a fridge, an evening, and kettles: peaks of a few rows are normal.</summary>
    private static LifeModel Household(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 60, 120, 300, 900);
        double floor = d.Between(60, 250), fridge = d.Between(40, 120), evening = d.Between(200, 900), at = d.Between(0.75, 0.88);
        double cycle = d.Between(0.5, 1.2) / 24 * m.Day;
        double[] kettle = d.Bursts(rows, d.Between(40, 120), 1, 5, () => d.Between(1500, 2500));
        m.Mean = t => floor + fridge * (t.Clock / cycle % 1 < 0.4 ? 1 : 0);
        m.Activity = t => evening * LifeModel.Hump(m.DayShare(t.Clock), at, 0.05) + 0.4 * evening * LifeModel.Hump(m.DayShare(t.Clock), 0.3, 0.03);
        double[] appliances = [.. kettle.Select(level => level > 1 ? level : 0)];
        m.Proportional(d.Between(0.03, 0.1), 3, appliances);
        m.Steps(1, low: 0);
        (m.BumpSize, m.Holes) = (evening * 2, m.Days(0.02, 0.18));
        m.Faults = [Spike, RepeatedSpike, Level, Extra, Stuck, Dropout, Permanent, Clipped];
        return m;
    }

    /// <summary>Load of an office: working hours of working days, with a lunch dip.</summary>
    private static LifeModel OfficePower(Dice d, int rows)
    {
        LifeModel m = LifeModel.Weekly(d, rows, 300, 600, 900, 1800, 3600);
        double floor = d.Between(5, 40), high = floor * d.Between(1.5, 8), start = d.Between(0.25, 0.36), end = d.Between(0.7, 0.82), edge = d.Between(0.008, 0.03);
        m.Mean = _ => floor;
        m.Activity = t =>
        {
            double x = m.DayShare(t.Clock), open = 1 / (1 + Math.Exp(-(x - start) / edge)) / (1 + Math.Exp((x - end) / edge));
            return high * m.Workday(t.Clock, 0.05) * open * (1 - 0.15 * LifeModel.Hump(x, 0.52, 0.02));
        };
        m.Proportional(d.Between(0.01, 0.05), d.Between(0.1, 0.5), d.Wander(rows, m.Memory(3), 0.02 * high));
        m.Steps(0.1, low: 0);
        (m.BumpSize, m.Bumps) = (high, m.Days(start - 0.04, end + 0.04, free: false));
        m.Holes = [.. m.Days(0, start - 0.06).Concat(m.Days(start, end, free: true)).OrderBy(hole => hole.From)];
        m.Faults = [.. Family.Points, Missing, Missing, Extra, Extra, Phase, Level, Dropout, Clipped, Permanent, Stuck];
        return m;
    }

    /// <summary>Two or three shifts at levels of their own, changeovers between them, and weekends.</summary>
    private static LifeModel FactoryShifts(Dice d, int rows)
    {
        LifeModel m = LifeModel.Weekly(d, rows, 300, 600, 900, 1800);
        double idle = d.Between(20, 80), high = d.Between(200, 900), begin = d.Between(0.2, 0.28);
        double[] shifts = [1, d.Between(0.6, 1), d.Chance(0.5) ? 0 : d.Between(0.4, 0.8)];
        var plant = new Lag(m.Hours(d.Between(0.05, 0.4)), 0);
        m.Mean = _ => idle;
        m.Activity = t =>
        {
            double x = (m.DayShare(t.Clock) - begin + 1) % 1 * 3, free = m.Workday(t.Clock - begin * m.Day > 0 ? t.Clock - begin * m.Day : t.Clock, 0);
            return plant.Toward(high * free * shifts[(int)x] * (x % 1 < 0.04 ? 0.6 : 1), t.Elapsed);
        };
        m.Proportional(d.Between(0.01, 0.06), 2);
        m.Steps(1, low: 0);
        (m.BumpSize, m.Bumps, m.Holes) = (high * 0.8, m.Days(begin, begin + 1 / 3.0, free: false), m.Days(0.3, 0.6, free: true));
        m.Faults = [.. Family.Points, Missing, Missing, Extra, Level, Level, Dropout, Stuck, Variance, Drift];
        return m;
    }

    /// <summary>A counter of litres that rolls over; almost nothing flows at night.</summary>
    private static LifeModel WaterMeter(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 300, 600, 900, 3600);
        double use = d.Scale(2, 60), morning = d.Between(0.27, 0.35), evening = d.Between(0.74, 0.84);
        m.Mean = t =>
        {
            double x = m.DayShare(t.Clock);
            return use * (0.02 + LifeModel.Hump(x, morning, 0.05) + 0.7 * LifeModel.Hump(x, evening, 0.07) + 0.25 * LifeModel.Hump(x, 0.52, 0.1));
        };
        m.Counts(0.6);
        m.Counter(d, double.PositiveInfinity, d.Chance(0.5) ? double.PositiveInfinity : Math.Round(0.35 * use * rows / d.Whole(4, 12)));
        (m.Trending, m.Sentinels) = (true, [0, -1]);
        m.Faults = [Spike, Dip, Rate, Rate, Rate, Dropout, Stuck, Phase];
        return m;
    }

    /// <summary>Kilowatt hours that only rise, faster by day.</summary>
    private static LifeModel EnergyMeter(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 300, 900, 1800, 3600);
        double load = d.Scale(0.2, 50), swing = d.Between(0.2, 0.8), phase = d.Between(0, 1);
        m.Mean = t => load * (1 + swing * Math.Sin(2 * Math.PI * (m.DayShare(t.Clock) - phase)));
        m.Lognormal(d.Between(0.05, 0.3));
        m.Counter(d, d.Chance(0.5) ? double.PositiveInfinity : rows / 8.0);
        m.Steps(load > 5 ? 1 : 0.01);
        m.Trending = true;
        m.Faults = [Spike, Dip, Rate, Rate, Dropout, Stuck];
        return m;
    }

    /// <summary>1 while somebody is in a room, 0 else.</summary>
    private static LifeModel Occupied(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(30, 60, 300));
        double away = d.Scale(8, 60), here = d.Scale(8, 60);
        m.States = m.NewTimeline(t =>
        {
            t.Add(away * d.Between(0.4, 1.6), 0, 0);
            t.Add(here * d.Between(0.4, 1.6), 1, 1);
        });
        m.Mean = t => m.States.Level(t.Clock);
        (m.Period, m.Season, m.Sentinels, m.Tidy) = (away + here, away + here, [-1, 2, 255], value => Math.Round(Math.Clamp(value, 0, 1)));
        m.Faults = [Dwell, Dwell, Dwell, Dropout];
        return m;
    }

    /// <summary>Charge in percent: charged at constant current, then constant voltage, and used down to where somebody plugs it in.</summary>
    private static LifeModel Battery(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 300));
        double charge = d.Scale(30, 150), use = charge * d.Between(1, 4), full = d.Between(92, 100), last = full, lowest = d.Between(10, 30);
        m.States = m.NewTimeline(t =>
        {
            double low = lowest + d.Between(0, 20), length = use * (last - low) / 100 * d.Between(0.9, 1.1);
            t.Add(length, 0, last, low);
            t.Add(charge * (85 - low) / 85, 1, low, 85);
            t.Add(charge * 0.4, 2, 85, full);
            t.Add(charge * d.Between(0.1, 0.3), 3, full);
            last = full;
        });
        m.Mean = t => m.States.Level(t.Clock);
        m.White(d.Between(0.05, 0.4));
        m.Steps(d.Of(0.1, 0.5), 0, 100);
        (m.Period, m.Season, m.LeakingState) = (charge * 1.5 + use * 0.7, charge * 1.5 + use * 0.7, 0);
        m.Faults = [Spike, Dip, Dip, Level, Leak, Leak, Slow, Fast, Dwell, Stuck, Dropout, Oscillation];
        return m;
    }

    /// <summary>Nothing at night; by day a bell that clouds cut to pieces.</summary>
    private static LifeModel Solar(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 120, 300, 600, 900, 3600);
        double peak = d.Scale(3, 500), rise = d.Between(0.2, 0.32), clear = d.Between(0, 2.5);
        double[] sky = d.Wander(rows, m.Memory(d.Between(0.3, 3)), d.Between(0.3, 1.5));
        m.Activity = t =>
        {
            double height = Math.Sin(Math.PI * (m.DayShare(t.Clock) - rise) / (1 - 2 * rise));
            return height <= 0 ? 0 : peak * Math.Pow(height, 1.3) / (1 + Math.Exp(-clear - sky[t.Row]));
        };
        m.Proportional(d.Between(0.005, 0.03), 0);
        m.Steps(peak > 30 ? 0.1 : 0.01, low: 0);
        (m.BumpSize, m.Bumps, m.Holes, m.Sentinels) = (peak * 0.6, m.Days(rise, 1 - rise), m.Days(0.88, 1.12), [-1, 65535]);
        m.CutMin = 0.92;
        m.Faults = [Spike, RepeatedSpike, GrowingSpikes, Missing, Extra, Extra, Dropout, Clipped, Stuck, NoiseBurst];
        return m;
    }

    /// <summary>Wind that wanders, cubed, cut at the rated power and below the cut-in speed.</summary>
    private static LifeModel WindTurbine(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(60, 600));
        double rated = d.Scale(500, 5000), mean = d.Between(6, 9);
        double[] wind = d.Wander(rows, Math.Exp(-1 / d.Scale(30, 300)), d.Between(1.5, 3));
        double[] gust = d.Wander(rows, 0.7, d.Between(0.2, 0.6));
        m.Noise = (row, add, wide) => add + rated * Math.Clamp(Math.Pow(Math.Max(0, mean + wind[row] + gust[row] * wide - 3) / 9, 3), 0, 1);
        m.Steps(1, low: 0);
        m.Sentinels = [-1, -999, 65535];
        m.Faults = [Spike, RepeatedSpike, GrowingSpikes, Stuck, Stuck, Dropout, Dropout, NoiseBurst, Variance];
        return m;
    }

    /// <summary>50 or 60 Hz, drawn back all the time; small steps when the market changes hands.</summary>
    private static LifeModel GridFrequency(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(1, 10, 60));
        double nominal = d.Of(50, 60), every = d.Between(80, 300), step = d.Between(0, 0.02);
        m.Mean = t => nominal + step * Math.Exp(-(t.Clock % every) / (every / 8));
        m.White(d.Between(0.002, 0.006), d.Wander(rows, d.Between(0.8, 0.98), d.Between(0.005, 0.025)));
        m.Steps(d.Of(0.001, 0.005));
        (m.Period, m.Season) = (every, every);
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Noises, Stuck, Dropout, Dropout];
        return m;
    }

    /// <summary>Moon and sun, and what the wind does to it.</summary>
    private static LifeModel Tide(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(360, 600, 900));
        double moon = d.Between(0.5, 4), sun = moon * d.Between(0.2, 0.4), phase = d.Between(0, 1), level = d.Between(2, 8);
        m.Mean = t => level + moon * Math.Sin(2 * Math.PI * t.Clock / m.Hours(12.4206)) + sun * Math.Sin(2 * Math.PI * (t.Clock / m.Hours(12) + phase));
        m.White(d.Between(0.01, 0.05), d.Wander(rows, m.Memory(d.Between(6, 40)), d.Between(0.02, 0.2)));
        m.Steps(0.01);
        (m.Period, m.Season, m.Sentinels) = (m.Hours(12.4206), m.Hours(24.84), [0, -1, 99.99]);
        m.Faults = [.. Family.Points, .. Family.Shifts, .. Family.Cycles, Phase, Stuck, Clipped, Dropout, Variance, NoiseBurst];
        return m;
    }

    /// <summary>Rain lifts it quickly, it falls slowly; between rains it wanders.</summary>
    private static LifeModel River(Dice d, int rows)
    {
        var m = new LifeModel(d, rows, d.Of(300, 900, 3600));
        double rain = d.Between(0.1, 0.6), level = d.Between(0.5, 4);
        double[] path = d.Wander(rows, 0.999, rain / 3);
        double[] rains = d.Pulses(rows, d.Between(80, 300), Math.Exp(-1 / d.Scale(15, 100)), () => d.Exponential(rain));
        var bank = new Lag(d.Between(2, 8), 0);
        m.Mean = _ => level;
        m.White(d.Between(0.004, 0.02), [.. rains.Select((r, row) => path[row] + bank.Toward(r, 1))]);
        m.Steps(d.Of(0.001, 0.01));
        m.Sentinels = [0, -1, -9.99];
        m.Faults = [.. Family.Points, Dip, Level, Stuck, Stuck, Variance, NoiseBurst, Oscillation, Dropout];
        return m;
    }

    /// <summary>Flow into a district: two peaks a day, and a minimum at night that shows leaks.</summary>
    private static LifeModel WaterNetwork(Dice d, int rows)
    {
        LifeModel m = LifeModel.Daily(d, rows, 300, 600, 900, 1800);
        double night = d.Between(5, 20), high = d.Between(30, 120), morning = d.Between(0.28, 0.36), evening = d.Between(0.74, 0.84);
        m.Mean = t => night + high * 0.3 * Math.Max(0, Math.Sin(Math.PI * (m.DayShare(t.Clock) - 0.2) / 0.75));
        m.Activity = t => high * (LifeModel.Hump(m.DayShare(t.Clock), morning, 0.05) + 0.8 * LifeModel.Hump(m.DayShare(t.Clock), evening, 0.07));
        m.Proportional(d.Between(0.02, 0.08), 0.3, d.Wander(rows, m.Memory(4), 0.03 * high));
        m.Steps(0.1, low: 0);
        (m.BumpSize, m.Bumps, m.Holes) = (high * 0.7, m.Days(morning - 0.12, morning + 0.12), m.Days(0.02, 0.2));
        m.Faults = [.. Family.Points, .. Family.Shifts, Missing, Extra, Phase, Stuck, Dropout, Shape, Variance, Clipped];
        return m;
    }
}
