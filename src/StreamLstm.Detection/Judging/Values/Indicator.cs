namespace StreamLstm.Detection.Judging.Values;

/// <summary>What is asked of a value. None is ever negative; high = unlike normal operation.</summary>
internal enum Indicator
{
    /// <summary>The step from the last value.</summary>
    Step,

    /// <summary>Distance from the level of the last few values.</summary>
    Level,

    /// <summary>Distance from where level and slope of the last few values lead.</summary>
    Course,

    /// <summary>Normal score of the value under the network's forecast of 1, 6 and 24 rows before.</summary>
    Forecast1,
    Forecast6,
    Forecast24,

    /// <summary>Means of these scores over about 8 rows, and of the last over about 32: the values stay on one side.</summary>
    Lasting1,
    Lasting6,
    Lasting24,
    Long24,

    /// <summary>Mean square of the one-step scores over about 32 rows.</summary>
    ForecastScatter,

    /// <summary>Distance from the nearest values the stream takes, and means of it over about 8 and 32 rows.</summary>
    Rarity,
    LastingRarity,
    LongRarity,

    /// <summary>The same of means over about 8, 32 and 128 rows, among such means.</summary>
    Mean8,
    Mean32,
    Mean128,

    /// <summary>Of the difference from one period before: its jump, means over about 8, 32 and 128 rows, and scatter.</summary>
    PeriodJump,
    Period8,
    Period32,
    Period128,
    PeriodScatter,

    /// <summary>The same of the same time of the day, or of the week where that is nearer.</summary>
    CalendarJump,
    Calendar8,
    Calendar32,
    Calendar128,

    /// <summary>Mean size of the steps over about 32 and 80 rows.</summary>
    Scatter,
    LongScatter,

    /// <summary>By how much the steps are smaller than usual, as a logarithm.</summary>
    Quiet,

    /// <summary>By how much steps follow one another in the same direction more, or less, than usual.</summary>
    Smooth,
    Rough,

    /// <summary>By how much the usual small steps are larger, or smaller, than usual, as a logarithm: jumps between them hardly count.</summary>
    Noisy,
    Calm,

    /// <summary>Rows in which the value did not change at all, as a logarithm.</summary>
    Standstill,

    /// <summary>A state among few is kept for longer, or was for shorter, than ever: in decades.</summary>
    StayLong,
    StayShort,

    /// <summary>A cycle takes longer, or was shorter, than ever; its peak or trough lies higher, or lower: in decades.</summary>
    CycleLong,
    CycleShort,
    PeakHigh,
    PeakLow,

    /// <summary>The value and its means never stood together like this.</summary>
    Context,

    /// <summary>The last period, its half and quarter, never looked like this; nor, whatever their size, the last 32 rows.</summary>
    ShapePeriod,
    ShapeHalf,
    ShapeQuarter,
    Shape32,
}
