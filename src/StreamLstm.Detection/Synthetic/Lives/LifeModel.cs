namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>A row as a model sees it.</summary>
/// <param name="Row">Counted from 0.</param>
/// <param name="Clock">Where the stream's cycles are, in steps; a fault may make it run fast, or jump.</param>
/// <param name="Elapsed">True time since the row before, in steps.</param>
internal readonly record struct Moment(int Row, double Clock, double Elapsed);

/// <summary>What one stream does by itself. It is rendered once, row after row, as its functions may remember.</summary>
internal sealed class LifeModel
{
    private readonly double[] _normals;
    private readonly ulong _rowSeed;

    /// <param name="dice">The stream's.</param>
    /// <param name="rows">How long it lives.</param>
    /// <param name="stepSeconds">Usual time between two rows.</param>
    /// <param name="irregular">Whether rows come at random, as events do.</param>
    public LifeModel(Dice dice, int rows, double stepSeconds, bool irregular = false)
    {
        (Rows, StepSeconds) = (rows, stepSeconds);
        var own = new Dice(dice.Seed());
        BeginSeconds = Math.Floor(own.Between(0, 7 * 86400) / stepSeconds) * stepSeconds;
        Seconds = RowTimes.Draw(own, rows, stepSeconds, irregular, RowTimes.Monday + own.Whole(0, 100) * 7 * 86400 + BeginSeconds);
        _normals = own.Normals(rows);
        _rowSeed = own.Seed();
    }

    public int Rows { get; }

    public double StepSeconds { get; }

    /// <summary>Seconds of the first row since Monday, 0 h.</summary>
    public double BeginSeconds { get; }

    /// <summary>(rows) Since 1970.</summary>
    public double[] Seconds { get; set; }

    /// <summary>The clock at the end, in steps.</summary>
    public double Length => (Seconds[^1] - Seconds[0]) / StepSeconds;

    /// <summary>Steps of a cycle that phases and speeds refer to; 0 for none.</summary>
    public double Period { get; set; }

    /// <summary>Steps of the longest season; no fault starts before two of them have passed.</summary>
    public double Season { get; set; }

    /// <summary>Whether people's days drive it, so that summer time does too.</summary>
    public bool Calendar { get; set; }

    /// <summary>(7) Days of the week, Monday first, that are not like the others; empty where all are alike.</summary>
    public bool[] FreeDays { get; set; } = [];

    /// <summary>Whether it has no level that it keeps, so that "above all that was" means nothing.</summary>
    public bool Trending { get; set; }

    /// <summary>A change of the clock that is nobody's fault: summer time.</summary>
    public (int Row, double Steps)? ClockChange { get; set; }

    /// <summary>What is to be expected, without the part that can go missing.</summary>
    public Func<Moment, double> Mean { get; set; } = _ => 0;

    /// <summary>The part that can go missing: bumps, batches, working hours.</summary>
    public Func<Moment, double> Activity { get; set; } = _ => 0;

    /// <summary>How high a bump is that comes where none belongs.</summary>
    public double BumpSize { get; set; }

    /// <summary>The least share of a bump whose absence is no ordinary day.</summary>
    public double CutMin { get; set; } = 0.5;

    /// <summary>How far another level may go before it looks like something that is normal.</summary>
    public double LiftMax { get; set; } = double.PositiveInfinity;

    /// <summary>Clock intervals in which a bump may go missing.</summary>
    public IReadOnlyList<(double From, double To)> Bumps { get; set; } = [];

    /// <summary>Clock intervals in which an extra bump may stand.</summary>
    public IReadOnlyList<(double From, double To)> Holes { get; set; } = [];

    /// <summary>States whose length a fault may change.</summary>
    public Timeline? States { get; set; }

    /// <summary>The state that a leak makes shorter, -1 for a leak that pulls values down.</summary>
    public int LeakingState { get; set; } = -1;

    /// <summary>The value of a row around a mean, its noise so many times as wide: (row, mean, wide).</summary>
    public Func<int, double, double, double> Noise { get; set; } = (_, mean, _) => mean;

    /// <summary>How the instrument tells it: rounded, clipped.</summary>
    public Func<double, double> Tidy { get; set; } = value => Math.Round(value, 4);

    /// <summary>Whether values are increments of a counter.</summary>
    public bool IsCounter { get; private set; }

    /// <summary>Rows at which the counter starts again.</summary>
    public HashSet<int> Restarts { get; } = [];

    /// <summary>Where the counter rolls over.</summary>
    public double Modulus { get; private set; } = double.PositiveInfinity;

    /// <summary>What "no value" looks like.</summary>
    public double[] Sentinels { get; set; } = [0, -1];

    /// <summary>The faults that make sense.</summary>
    public LifeFaultKind[] Faults { get; set; } = [];

    /// <summary>Steps of a day.</summary>
    public double Day => 86400 / StepSeconds;

    /// <summary>A model of people's days, or of the sun's, at a step of which two days are known early enough.</summary>
    public static LifeModel Daily(Dice dice, int rows, params ReadOnlySpan<int> steps)
    {
        var model = new LifeModel(dice, rows, Step(dice, rows, 86400, steps));
        (model.Period, model.Season, model.Calendar) = (model.Day, model.Day, true);
        return model;
    }

    /// <summary>A model of working weeks.</summary>
    public static LifeModel Weekly(Dice dice, int rows, params ReadOnlySpan<int> steps)
    {
        var model = new LifeModel(dice, rows, Step(dice, rows, 7 * 86400, steps));
        (model.Period, model.Season, model.Calendar) = (model.Day, 7 * model.Day, true);
        int first = dice.Of(5, 5, 5, 5, 4, 6);
        model.FreeDays = [.. Enumerable.Range(0, 7).Select(day => day == first || (first < 6 && day == first + 1))];
        return model;
    }

    /// <summary>Hours in steps.</summary>
    public double Hours(double hours) => hours * 3600 / StepSeconds;

    /// <summary>Memory of an AR(1) that forgets in so many hours.</summary>
    public double Memory(double hours) => Math.Exp(-1 / Hours(hours));

    /// <summary>Hour of the day as a share, 0 to 1.</summary>
    public double DayShare(double clock)
    {
        double days = (BeginSeconds + clock * StepSeconds) / 86400;
        return days - Math.Floor(days);
    }

    /// <summary>1 on ordinary days, the given share on free ones.</summary>
    public double Workday(double clock, double freeShare) =>
        FreeDays.Length > 0 && FreeDays[(int)Math.Floor((BeginSeconds + clock * StepSeconds) / 86400) % 7] ? freeShare : 1;

    /// <summary>Clock intervals between two shares of the day, every day, on ordinary days or on free ones.</summary>
    public IReadOnlyList<(double From, double To)> Days(double from, double to, bool? free = null)
    {
        List<(double, double)> days = [];
        double begin = BeginSeconds / StepSeconds;

        for (int day = 0; (day + from) * Day - begin < Length; day++)
        {
            double start = (day + from) * Day - begin;

            if (start >= 0 && (free is null || FreeDays.Length > 0 && FreeDays[day % 7] == free))
            {
                days.Add((start, (day + to) * Day - begin));
            }
        }

        return days;
    }

    /// <summary>States until twice the end, as a fault may make the clock run fast.</summary>
    public Timeline NewTimeline(Action<Timeline> cycle) => new(2 * Length + 100, cycle);

    /// <summary>White noise of a deviation, on top of a path that wanders.</summary>
    public void White(double deviation, double[]? path = null) =>
        Noise = (row, mean, wide) => mean + (path is null ? 0 : path[row]) + deviation * wide * _normals[row];

    /// <summary>Noise that is a share of the mean, and some besides.</summary>
    public void Proportional(double share, double floor, double[]? path = null) =>
        Noise = (row, mean, wide) => mean + (path is null ? 0 : path[row]) + (share * Math.Abs(mean) + floor) * wide * _normals[row];

    /// <summary>The mean times e^(s z).</summary>
    public void Lognormal(double s, double[]? factor = null) =>
        Noise = (row, mean, wide) => mean * (factor is null ? 1 : factor[row]) * Math.Exp(s * wide * _normals[row]);

    /// <summary>Poisson counts whose rate is the mean times e^(s z).</summary>
    public void Counts(double s = 0, double[]? factor = null) => Noise = (row, mean, wide) =>
    {
        SeededRandom random = RandomOf(row);
        return Draw.Poisson(ref random, Math.Max(0, mean) * (factor is null ? 1 : factor[row]) * Math.Exp(s * wide * _normals[row]));
    };

    /// <summary>Values are increments; the counter starts again now and then, or rolls over.</summary>
    public void Counter(Dice dice, double meanRestart, double modulus = double.PositiveInfinity)
    {
        (IsCounter, Modulus) = (true, modulus);

        for (double row = double.IsInfinity(meanRestart) ? Rows : dice.Exponential(meanRestart); row < Rows; row += 50 + dice.Exponential(meanRestart))
        {
            Restarts.Add((int)row);
        }
    }

    /// <summary>Values in steps of a size, clipped.</summary>
    public void Steps(double size, double low = double.NegativeInfinity, double high = double.PositiveInfinity) =>
        Tidy = value => Math.Round(Math.Clamp(Math.Round(value / size) * size, low, high), 6);

    /// <summary>A source of chance of one row: what other rows draw does not move it.</summary>
    public SeededRandom RandomOf(int row) => new(new SeededRandom(_rowSeed + (ulong)row).NextUInt64());

    /// <summary>A bell around the centre of a cycle, 0 to 1.</summary>
    public static double Hump(double x, double centre, double width)
    {
        double distance = Math.Abs(x - centre);
        distance = Math.Min(distance, 1 - distance) / width;
        return Math.Exp(-0.5 * distance * distance);
    }

    private static int Step(Dice dice, int rows, double seasonSeconds, ReadOnlySpan<int> steps)
    {
        List<int> short2 = [];

        foreach (int step in steps)
        {
            if (2 * seasonSeconds / step <= 0.4 * rows)
            {
                short2.Add(step);
            }
        }

        return short2.Count > 0 ? dice.Of([.. short2]) : steps[^1];
    }
}
