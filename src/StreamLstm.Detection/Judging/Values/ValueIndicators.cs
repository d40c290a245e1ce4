using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>Asks of each value what <see cref="Indicator"/> lists. Each has its own measure; what is usual of it is for others to say.</summary>
/// <remarks>
/// Means, tracks and states follow every value, as they must say what is at hand. What makes something usual (samples of
/// means, stays, cycles, standstills, shapes, contexts) is learnt of clean rows only.
/// </remarks>
internal sealed class ValueIndicators
{
    /// <summary>Indicators there are.</summary>
    public static readonly int Count = Enum.GetValues<Indicator>().Length;

    private const double DaySeconds = 86_400;

    /// <summary>A day of fewer rows has no shape to compare with.</summary>
    private const int DayRowsMin = 16;

    /// <summary>A period this near to a day is the day.</summary>
    private const double DayTolerance = 0.15;

    /// <summary>Seasons that are looked back to for a clean value, and those where what is abnormal has lasted for longer and may settle.</summary>
    private const int SeasonsBack = 3;
    private const int SeasonsBackMax = 8;

    /// <summary>Rows by which a value one season before may be late or early.</summary>
    private const double RowsOff = 3;

    /// <summary>Normal scores beyond this say no more in a mean.</summary>
    private const double NormalScoreMax = 6;
    private const double NormalScoreFarthest = 12;

    /// <summary>Steps beyond so many deviations count for that many in a mean.</summary>
    private const double StepMax = 50;

    /// <summary>Share of the least step that no step at all is taken for, and of the scale that the least step is taken for where it is smaller.</summary>
    private const double SmallestStep = 0.5;
    private const double RelativeStep = 1e-4;

    private enum Mean { Level, Course, Slope, Last1, Last6, Last24, Long24, ForecastSquares, Steps, LongSteps, UsualSteps, Y3, Y9, Y27, Of8, Of32, Of128, StepProducts, StepSquares, UsualRoughness, SmallSteps, UsualSmallSteps }

    private readonly double[] _means = new double[Enum.GetValues<Mean>().Length];
    private readonly double[] _values = new double[Count];
    private readonly bool[] _known = new bool[Count];
    private readonly FloatReservoir _means8, _means32, _means128;
    private readonly SeasonTrack _period = new();
    private readonly SeasonTrack _day = new();
    private readonly SeasonTrack _week = new();
    private readonly WeekdayRise _weeks = new();
    private readonly ClockChange _clock = new();
    private readonly NoiseLaw _noise = new();
    private readonly ShapeMemories _shapes;
    private readonly DelayedCoreset _contexts;
    private readonly float[] _context = new float[4];
    private double _last, _beforeLast;
    private long _normalFrom;      // the first row that a season before may be
    private long _acceptedFrom;    // the first row of what was accepted last
    private int _periods;

    /// <param name="sizes">What may be remembered.</param>
    public ValueIndicators(MemorySizes sizes)
    {
        _means8 = new FloatReservoir(sizes.Means.Of8, horizon: 8192);
        _means32 = new FloatReservoir(sizes.Means.Longer, horizon: 4096);
        _means128 = new FloatReservoir(sizes.Means.Longer, horizon: 4096);
        _shapes = new ShapeMemories(sizes.ShapeMembers);
        _contexts = new DelayedCoreset(sizes.NoveltyMembers);
    }

    /// <summary>The indicators: (<see cref="Count"/>).</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Which of them say anything: (<see cref="Count"/>).</summary>
    public ReadOnlySpan<bool> Known => _known;

    /// <summary>By what differences are multiplied, as the last value's were: more where the stream is quiet at its present level.</summary>
    public double Factor { get; private set; } = 1;

    /// <summary>The smallest difference between two of the stream's values.</summary>
    public double Resolution { get; private set; }

    /// <summary>The one value that the stream has had; NaN where there were several.</summary>
    public double Constant { get; private set; } = double.NaN;

    /// <summary>The distance of a value from the values the stream takes.</summary>
    public Rarity Rarity { get; } = new();

    /// <summary>The states of the stream.</summary>
    public Stays Stays { get; } = new();

    /// <summary>The cycles of the stream.</summary>
    public Cycles Cycles { get; } = new();

    /// <summary>How long the value has not changed.</summary>
    public Standstills Standstills { get; } = new();

    /// <summary>The value a season before that the last one was held against, nearest first, or where it has been abnormal for so long, could be; null where there was none.</summary>
    public double? SeasonBefore { get; private set; }

    /// <summary>Whether another period was found since the last row: what was learnt of the old one says nothing.</summary>
    public bool HasOtherPeriod { get; private set; }

    /// <summary>Whether weeks are known since the last row: by days alone weekends and Mondays were odd.</summary>
    public bool HasOtherCalendar { get; private set; }

    private double this[Mean mean] => _means[(int)mean];

    /// <summary>The first value, or the first of another meaning.</summary>
    public void Begin(double value)
    {
        (_last, _beforeLast) = (value, value);

        foreach (Mean mean in (ReadOnlySpan<Mean>)[Mean.Level, Mean.Course, Mean.Y3, Mean.Y9, Mean.Y27, Mean.Of8, Mean.Of32, Mean.Of128])
        {
            _means[(int)mean] = value;
        }
    }

    /// <summary>Looks at a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="seconds">Its time.</param>
    /// <param name="isBroken">Whether a gap before it parts it from what was forecast.</param>
    /// <param name="usualSeconds">The usual gap between two values; NaN while unknown.</param>
    /// <param name="forecast">What is known of the stream; holds the values before it.</param>
    /// <param name="isSpared">Whether the last row was not clean, so that nothing is learnt now of what it was part of.</param>
    public void Observe(double value, double seconds, bool isBroken, double usualSeconds, ValueForecast forecast, bool isSpared)
    {
        Array.Clear(_values);
        Array.Clear(_known);
        ValueScale scale = forecast.Scale;
        double factor = Factor = _noise.FactorAt(this[Mean.Level]);
        HasOtherPeriod = forecast.Periods != _periods;
        _periods = forecast.Periods;
        HasOtherCalendar = false;

        if (HasOtherPeriod)
        {
            _period.Clear();
        }

        Say(Indicator.Step, Math.Abs(value - _last) * factor);
        Say(Indicator.Level, Math.Abs(value - this[Mean.Level]) * factor);
        Say(Indicator.Course, Math.Abs(value - this[Mean.Course] - this[Mean.Slope]) * factor);

        if (!isBroken && forecast.IsWarm)
        {
            AskForecast(forecast.Tails);
        }

        AskSeasons(value, seconds, usualSeconds, factor, forecast, isSpared);
        AskMeans(value, forecast);
        AskSteps(value, factor, scale, forecast.Ring.Count, isSpared);
        Say(Indicator.Standstill, Standstills.Observe(value, _last, isSpared));
        AskStates(value, scale, forecast, isSpared);
        _shapes.Observe(forecast.Ring, scale, (int)forecast.Period, isSpared);

        for (int memory = 0; memory < ShapeMemories.Count; memory++)
        {
            if (_shapes[memory] is { } novelty)
            {
                Say(Indicator.ShapePeriod + memory, novelty);
            }
        }

        (_beforeLast, _last) = (_last, value);
    }

    /// <summary>Takes the value just looked at into the samples of means and contexts, if it <paramref name="teaches"/>.</summary>
    public void Remember(long row, bool teaches, ref SeededRandom random)
    {
        _contexts.Remember(_context, row, teaches);

        if (!teaches)
        {
            return;
        }

        if (row % 4 == 0)
        {
            _means8.Add(this[Mean.Of8], ref random);
        }

        if (row % 8 == 0)
        {
            _means32.Add(this[Mean.Of32], ref random);
        }

        if (row % 16 == 0)
        {
            _means128.Add(this[Mean.Of128], ref random);
        }
    }

    /// <summary>Keeps rows from teaching, as far as they have not yet.</summary>
    public void Spare(long firstRow, long endRow, long nextRow) => _contexts.Spare(firstRow, endRow, nextRow);

    /// <summary>Means as they are now are normal from here on: as many as so many clean rows would have brought.</summary>
    /// <param name="firstRow">The first row of what was accepted.</param>
    /// <param name="endRow">The first row behind it.</param>
    /// <param name="random">Draws what is kept.</param>
    public void Accept(long firstRow, long endRow, ref SeededRandom random)
    {
        _acceptedFrom = firstRow;

        // Of a new level the old one says nothing: else it would be told again, one season on, that it has come.
        if (endRow - firstRow >= CleanTail.BlockRows)
        {
            _normalFrom = firstRow;
            _period.Clear();
            _day.Clear();
            _week.Clear();
            Cycles.ForgetHeights();
        }

        long rows = endRow - firstRow;

        for (long row = 0; row < rows; row += 4)
        {
            _means8.Add(this[Mean.Of8], ref random);
            _means32.Add(this[Mean.Of32], ref random);
            _means128.Add(this[Mean.Of128], ref random);
        }
    }

    /// <summary>Refreshes, by count, what is known of the stream as a whole.</summary>
    /// <param name="forecast">What is known of the stream.</param>
    /// <param name="room">(<see cref="Judging.Values.Rarity.RoomValues"/>): overwritten.</param>
    public void Refresh(ValueForecast forecast, Span<double> room)
    {
        long rows = forecast.Ring.Count;

        if (rows % ValueForecast.RefreshEvery == 0)
        {
            Stays.Refresh(forecast.History, forecast.Ring);
        }

        // Not on the rows on which the network trains.
        if ((rows + ValueForecast.RefreshEvery / 2) % 128 == 0)
        {
            Resolution = ResolutionOf(forecast.History);
            Constant = forecast.History.Sorted is [double least, .., double greatest] && least == greatest ? least : double.NaN;
            Rarity.Refresh(forecast.Ring, forecast.Scale, Resolution, room);

            if (rows < 1024 || rows % 512 < 128)
            {
                _noise.Refresh(forecast.Ring);
            }
        }
    }

    /// <summary>Remembers so much from now on.</summary>
    public void Resize(MemorySizes sizes)
    {
        _means8.Resize(sizes.Means.Of8);
        _means32.Resize(sizes.Means.Longer);
        _means128.Resize(sizes.Means.Longer);
        _shapes.Resize(sizes.ShapeMembers);
        _contexts.Resize(sizes.NoveltyMembers);
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double value in _means.Concat(_values).Concat([_last, _beforeLast, Resolution, Constant, _normalFrom, _acceptedFrom]))
        {
            writer.Write(value);
        }

        foreach (bool known in _known)
        {
            writer.Write(known);
        }

        writer.Write(_periods);
        _means8.Save(writer);
        _means32.Save(writer);
        _means128.Save(writer);
        _period.Save(writer);
        _day.Save(writer);
        _week.Save(writer);
        _weeks.Save(writer);
        _clock.Save(writer);
        _noise.Save(writer);
        Rarity.Save(writer);
        Stays.Save(writer);
        Cycles.Save(writer);
        Standstills.Save(writer);
        _shapes.Save(writer);
        _contexts.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        foreach (double[] values in (double[][])[_means, _values])
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = reader.ReadDouble();
            }
        }

        (_last, _beforeLast, Resolution, Constant) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_normalFrom, _acceptedFrom) = ((long)reader.ReadDouble(), (long)reader.ReadDouble());

        for (int i = 0; i < _known.Length; i++)
        {
            _known[i] = reader.ReadBoolean();
        }

        _periods = reader.ReadInt32();
        _means8.Load(reader);
        _means32.Load(reader);
        _means128.Load(reader);
        _period.Load(reader);
        _day.Load(reader);
        _week.Load(reader);
        _weeks.Load(reader);
        _clock.Load(reader);
        _noise.Load(reader);
        Rarity.Load(reader);
        Stays.Load(reader);
        Cycles.Load(reader);
        Standstills.Load(reader);
        _shapes.Load(reader);
        _contexts.Load(reader);
    }

    private void Say(Indicator indicator, double value)
    {
        _values[(int)indicator] = double.IsFinite(value) ? value : 0;
        _known[(int)indicator] = true;
    }

    private double Move(Mean mean, double value, double weight) => _means[(int)mean] += weight * (value - this[mean]);

    private void AskForecast(ReadOnlySpan<Tail> tails)
    {
        double z1 = tails[0].NormalScore(NormalScoreFarthest), z6 = tails[1].NormalScore(NormalScoreFarthest);
        double z24 = tails[2].NormalScore(NormalScoreFarthest);
        Say(Indicator.Forecast1, Math.Abs(z1));
        Say(Indicator.Forecast6, Math.Abs(z6));
        Say(Indicator.Forecast24, Math.Abs(z24));
        Say(Indicator.Lasting1, Math.Abs(Move(Mean.Last1, Limited(z1), 0.2)));
        Say(Indicator.Lasting6, Math.Abs(Move(Mean.Last6, Limited(z6), 0.2)));
        Say(Indicator.Lasting24, Math.Abs(Move(Mean.Last24, Limited(z24), 0.2)));
        Say(Indicator.Long24, Math.Abs(Move(Mean.Long24, Limited(z24), 0.06)));
        Say(Indicator.ForecastScatter, Move(Mean.ForecastSquares, Math.Min(NormalScoreMax * NormalScoreMax, z1 * z1), 0.06));

        static double Limited(double z) => Math.Clamp(z, -NormalScoreMax, NormalScoreMax);
    }

    private void AskSeasons(double value, double seconds, double usualSeconds, double factor, ValueForecast forecast, bool isSpared)
    {
        SeasonBefore = null;
        double periodSeconds = forecast.Period * usualSeconds;
        bool isDay = Math.Abs(periodSeconds - DaySeconds) < DayTolerance * DaySeconds;

        if (forecast.Period > 0 && !isDay && Before(periodSeconds, isCalendar: false) is >= 0 and var before)
        {
            _period.Observe((value - forecast.Ring[before]) * factor, before, _acceptedFrom, isSpared);
            Say(Indicator.PeriodJump, _period.Jump);
            Say(Indicator.Period8, Math.Abs(_period.Mean8));
            Say(Indicator.Period32, Math.Abs(_period.Mean32));
            Say(Indicator.Period128, Math.Abs(_period.Mean128));
            Say(Indicator.PeriodScatter, _period.Scatter);
            SeasonBefore = forecast.Ring[before];
        }
        else if (forecast.Period > 0 && !isDay)
        {
            SeasonBefore = LongBefore(periodSeconds, isCalendar: false);
        }

        if (!(DaySeconds / usualSeconds >= DayRowsMin))
        {
            return;
        }

        long lastWeek = Before(7 * DaySeconds, isWeek: true);

        if (usualSeconds <= ClockChange.GapSecondsMax && _clock.Observe(value, seconds, usualSeconds, forecast.Ring, lastWeek, _normalFrom))
        {
            _day.Clear();
            _week.Clear();
            lastWeek = Before(7 * DaySeconds, isWeek: true);
        }

        if (Before(DaySeconds) is not (>= 0 and var yesterday))
        {
            SeasonBefore ??= LongBefore(DaySeconds);
            return;
        }

        double difference = value - forecast.Ring[yesterday];
        HasOtherCalendar = _weeks.Observe(forecast.Ring, lastWeek, yesterday, seconds, usualSeconds, _normalFrom);
        _day.Observe((difference - _weeks.Rise) * factor, yesterday, _acceptedFrom, isSpared);
        double jump = _day.Jump, mean8 = Math.Abs(_day.Mean8), mean32 = Math.Abs(_day.Mean32), mean128 = Math.Abs(_day.Mean128);
        SeasonBefore ??= forecast.Ring[yesterday];

        // What is as it was yesterday or a week ago is as it was: weekends are known by the week, Mondays too.
        if (lastWeek >= 0)
        {
            bool isOfNow = lastWeek >= _normalFrom;
            _week.Observe((value - forecast.Ring[lastWeek]) * factor, lastWeek, _acceptedFrom, isSpared || !isOfNow);
            _weeks.Learn(_week.Mean32 / factor, isSpared || !isOfNow);
            jump = Math.Min(jump, _week.Jump);
            mean8 = Math.Min(mean8, Math.Abs(_week.Mean8));
            mean32 = Math.Min(mean32, Math.Abs(_week.Mean32));
            mean128 = Math.Min(mean128, Math.Abs(_week.Mean128));
            SeasonBefore = forecast.Ring[Math.Abs(value - forecast.Ring[lastWeek]) < Math.Abs(difference) ? lastWeek : yesterday];
        }

        Say(Indicator.CalendarJump, jump);
        Say(Indicator.Calendar8, mean8);
        Say(Indicator.Calendar32, mean32);
        Say(Indicator.Calendar128, mean128);

        // The row of the nearest clean value so many seasons before: else a fault would be missed, one season on, where it was.
        long Before(double season, bool isCalendar = true, bool isWeek = false, int from = 1, int to = SeasonsBack)
        {
            for (int back = from; back <= to; back++)
            {
                double at = seconds - back * season;
                long row = forecast.Ring.RowAt(isCalendar ? _clock.At(at) : at, RowsOff * usualSeconds);

                // Before what was accepted another level held; a week that was as today is no less so for a weekend accepted meanwhile.
                if (row < 0 || (row < _normalFrom && !isWeek))
                {
                    break;
                }

                if (!forecast.Ring.IsAbnormal(row))
                {
                    return row;
                }
            }

            // Weekends are odd until the second one: what a week ago was odd is what is to be expected.
            return isWeek ? forecast.Ring.RowAt(_clock.At(seconds - season), RowsOff * usualSeconds) : -1;
        }

        // Without it a drift would seem to have settled as soon as nothing but its own rows are within reach: the season alone is left.
        double? LongBefore(double season, bool isCalendar = true) =>
            isSpared && Before(season, isCalendar, from: SeasonsBack + 1, to: SeasonsBackMax) is >= 0 and var row ? forecast.Ring[row] : null;
    }

    private void AskMeans(double value, ValueForecast forecast)
    {
        ValueScale scale = forecast.Scale;
        Move(Mean.Level, value, 0.2);
        double course = this[Mean.Course] + this[Mean.Slope], off = value - course;
        _means[(int)Mean.Course] = course + 0.4 * off;
        _means[(int)Mean.Slope] += 0.1 * off;
        double y3 = scale.Y(Move(Mean.Y3, value, 0.33)), y9 = scale.Y(Move(Mean.Y9, value, 0.2)), y27 = scale.Y(Move(Mean.Y27, value, 0.07));
        Move(Mean.Of8, value, 0.22);
        Move(Mean.Of32, value, 0.06);
        Move(Mean.Of128, value, 0.0155);
        Rarity.Observe(value, forecast.History, scale);
        Say(Indicator.Rarity, Rarity.Single);
        Say(Indicator.LastingRarity, Rarity.Lasting);
        Say(Indicator.LongRarity, Rarity.Long);
        Say(Indicator.Mean8, Nearest.Distance(_means8, this[Mean.Of8]));
        Say(Indicator.Mean32, Nearest.Distance(_means32, this[Mean.Of32]));
        Say(Indicator.Mean128, Nearest.Distance(_means128, this[Mean.Of128]));
        (_context[0], _context[1], _context[2], _context[3]) = ((float)scale.Y(value), (float)y3, (float)y9, (float)y27);
        Say(Indicator.Context, 10 * _contexts.Novelty(_context));
    }

    private void AskSteps(double value, double factor, ValueScale scale, long row, bool isSpared)
    {
        double size = Math.Min(Math.Abs(value - _last) * factor, StepMax * scale.Scale);
        double steps = Move(Mean.Steps, size, 0.06), usual = this[Mean.UsualSteps];
        Say(Indicator.Scatter, steps);
        Say(Indicator.LongScatter, Move(Mean.LongSteps, size, 0.025));
        Move(Mean.UsualSteps, Math.Min(Math.Abs(value - _last) * factor, 5 * usual + 0.01 * scale.Scale), 0.002);
        double squareMax = StepMax * scale.Scale * scale.Scale;
        double product = (value - _last) * (_last - _beforeLast) * factor * factor, square = size * size;
        Move(Mean.StepProducts, Math.Clamp(product, -squareMax, squareMax), 0.06);
        Move(Mean.StepSquares, Math.Min(square, squareMax), 0.06);
        double roughness = this[Mean.StepProducts] / (this[Mean.StepSquares] + 0.25 * Resolution * Resolution + 1e-300);
        Move(Mean.UsualRoughness, roughness, 0.005);

        // In a mean of steps the few jumps of a setpoint or a gust count for all, in one of their logarithms for no more than their number.
        double smallStep = Math.Log(size + SmallestStep * Math.Max(Resolution, scale.Scale * RelativeStep) + 1e-300);
        Move(Mean.SmallSteps, smallStep, Math.Max(0.04, 1.0 / (row + 1)));

        if (!isSpared)
        {
            Move(Mean.UsualSmallSteps, smallStep, Math.Max(0.002, 1.0 / (row + 1)));
        }

        // What is usual of steps takes some hundred of them.
        if (row > 300)
        {
            Say(Indicator.Quiet, Math.Max(0, Math.Log((this[Mean.UsualSteps] + 1.5 * Resolution + 1e-300) / (steps + 1.5 * Resolution + 1e-300))));
            Say(Indicator.Smooth, Math.Max(0, roughness - this[Mean.UsualRoughness]));
            Say(Indicator.Rough, Math.Max(0, this[Mean.UsualRoughness] - roughness));
            double noise = this[Mean.SmallSteps] - this[Mean.UsualSmallSteps];
            Say(Indicator.Noisy, Math.Max(0, noise));

            // That nothing changes at all is the standstill's to tell.
            Say(Indicator.Calm, size > 0 ? Math.Max(0, -noise) : 0);
        }
    }

    private void AskStates(double value, ValueScale scale, ValueForecast forecast, bool isSpared)
    {
        Stays.Observe(forecast.Ring.Count, value, isSpared);
        Cycles.Observe(forecast.Ring.Count, value, scale, isSpared);

        if (Stays.AreTold)
        {
            Say(Indicator.StayLong, Stays.Long);
            Say(Indicator.StayShort, Stays.Short);
        }

        if (Cycles.IsKnown)
        {
            Say(Indicator.CycleLong, Cycles.Long);
            Say(Indicator.CycleShort, Cycles.Short);
            Say(Indicator.PeakHigh, Cycles.PeakHigh);
            Say(Indicator.PeakLow, Cycles.PeakLow);
        }
    }

    /// <summary>The least difference between two of the values; of a single one a unit of its last digit, as nothing else is known.</summary>
    private static double ResolutionOf(SortedReservoir history)
    {
        ReadOnlySpan<double> sorted = history.Sorted;
        double least = double.MaxValue;

        for (int i = 1; i < sorted.Length; i++)
        {
            least = sorted[i] > sorted[i - 1] ? Math.Min(least, sorted[i] - sorted[i - 1]) : least;
        }

        if (least < double.MaxValue || sorted.IsEmpty)
        {
            return least < double.MaxValue ? least : 0;
        }

        double digit = Math.Pow(10, -((decimal)sorted[0]).Scale);
        return sorted[0] == 0 ? digit : Math.Min(digit, Math.Abs(sorted[0]));
    }
}
