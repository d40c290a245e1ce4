using System.Globalization;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>What people are told of the indicators.</summary>
internal static class IndicatorSentences
{
    private static readonly string[] _names =
        [.. Enum.GetNames<Indicator>().Select(name => string.Concat(name.Select((c, i) => i > 0 && (char.IsUpper(c) || (char.IsDigit(c) && !char.IsDigit(name[i - 1]))) ? $"_{char.ToLowerInvariant(c)}" : char.ToLowerInvariant(c).ToString())))];

    /// <summary>Names and meanings, for explanations.</summary>
    public static readonly IndicatorWords Words = new(index => _names[index], (index, flatRows) => Meaning((Indicator)index, flatRows));

    /// <summary>The same where some are asked, in an order of their own.</summary>
    public static IndicatorWords WordsOf(Indicator[] asked) =>
        new(index => _names[(int)asked[index]], (index, flatRows) => Meaning(asked[index], flatRows));

    /// <summary>What kind of incident an indicator speaks of.</summary>
    public static IncidentKind KindOf(Indicator indicator) => indicator switch
    {
        Indicator.Step or Indicator.Level or Indicator.Course or Indicator.Rarity => IncidentKind.Point,
        Indicator.Forecast1 or Indicator.Forecast6 or Indicator.Forecast24 => IncidentKind.Contextual,
        Indicator.PeriodJump or Indicator.CalendarJump or Indicator.Context => IncidentKind.Contextual,
        Indicator.Standstill => IncidentKind.Flatline,
        Indicator.Lasting1 or Indicator.Lasting6 or Indicator.Lasting24 or Indicator.Long24 => IncidentKind.LevelShift,
        Indicator.LastingRarity or Indicator.LongRarity => IncidentKind.LevelShift,
        Indicator.Mean8 or Indicator.Mean32 or Indicator.Mean128 => IncidentKind.LevelShift,
        Indicator.Period8 or Indicator.Period32 or Indicator.Period128 => IncidentKind.LevelShift,
        Indicator.Calendar8 or Indicator.Calendar32 or Indicator.Calendar128 => IncidentKind.LevelShift,
        _ => IncidentKind.Pattern,
    };

    /// <summary>What incidents of a kind have in common with others: which indicator speaks loudest, and so the kind, changes from one night's job to the next. A value that stands still is something else.</summary>
    public static int LikenessOf(IncidentKind kind) => (int)(kind == IncidentKind.Flatline ? kind : IncidentKind.Point);

    /// <summary>Why the value is odd, with figures: what the strongest indicator says, and what is usual of it.</summary>
    /// <param name="strongest">The indicator.</param>
    /// <param name="said">What it says.</param>
    /// <param name="usual">What it says at most, usually.</param>
    /// <param name="value">The value.</param>
    /// <param name="expected">Median and band that were forecast; null where there was no forecast.</param>
    /// <param name="figures">The other figures.</param>
    public static string Of(
        Indicator strongest, double said, double usual, double value, (double Median, double Lower, double Upper)? expected, in IndicatorFigures figures)
    {
        // A difference of this value alone is told in the stream's own unit; of means over rows at several levels there is none.
        bool isOfNow = strongest is Indicator.Step or Indicator.Level or Indicator.Course or Indicator.PeriodJump or Indicator.CalendarJump;
        (said, usual) = isOfNow ? (said / figures.Factor, usual / figures.Factor) : (said, usual);
        string atMost = $"usually at most {Figures.Of(usual)}{(isOfNow && figures.IsByLevel ? " at this level" : "")}";
        string reason = strongest switch
        {
            _ when IsScaled(strongest) && !isOfNow && figures.IsByLevel => $"{Meaning(strongest, figures.FlatRows)}{Before(figures, strongest)}",
            Indicator.Step => $"a step of {Figures.Of(said)} from the last value, {atMost}",
            Indicator.Level => $"{Figures.Of(said)} away from the level of the last values, {atMost}",
            Indicator.Course => $"{Figures.Of(said)} off the course of the last values, {atMost}",
            Indicator.Forecast1 or Indicator.Forecast6 or Indicator.Forecast24 when expected is { } e =>
                $"expected {Figures.Of(e.Median)} ({Figures.Of(e.Lower)} to {Figures.Of(e.Upper)})",
            Indicator.Mean8 or Indicator.Mean32 or Indicator.Mean128 =>
                $"the mean of the last {RowsOf(strongest)} values is {Figures.Of(said)} from any before, {atMost}",
            Indicator.PeriodJump or Indicator.Period8 or Indicator.Period32 or Indicator.Period128 =>
                $"{Figures.Of(said)} off what it was one period before{Before(figures, strongest)}{Over(strongest)}, {atMost}",
            Indicator.CalendarJump or Indicator.Calendar8 or Indicator.Calendar32 or Indicator.Calendar128 =>
                $"{Figures.Of(said)} off the same time of other days{Before(figures, strongest)}{Over(strongest)}, {atMost}",
            Indicator.Scatter or Indicator.LongScatter => $"steps of {Figures.Of(said)} from value to value, {atMost}",
            Indicator.StayLong => Long("it has stayed near this level", figures.Stay),
            Indicator.CycleLong => Long("a cycle has gone on", figures.Cycle),
            _ => Meaning(strongest, figures.FlatRows),
        };
        string instead = expected is { } band && (value < band.Lower || value > band.Upper) && !reason.StartsWith("expected", StringComparison.Ordinal)
            ? $"; expected {Figures.Of(band.Median)} ({Figures.Of(band.Lower)} to {Figures.Of(band.Upper)})"
            : "";
        return $"{Figures.Of(value)}: {reason}{instead}";
    }

    private static string Long(string what, (long Rows, double Longest) present) =>
        $"{what} for {Figures.Count(present.Rows, "observation")}, never for more than {Figures.Of(Math.Round(present.Longest))}";

    private static string Before(in IndicatorFigures figures, Indicator indicator) =>
        figures.SeasonBefore is { } before && indicator is not (Indicator.PeriodScatter or Indicator.Scatter or Indicator.LongScatter) ? $" ({Figures.Of(before)})" : "";

    /// <summary>Whether it is a difference that is held against the noise at the present level.</summary>
    private static bool IsScaled(Indicator indicator) =>
        indicator is Indicator.Step or Indicator.Level or Indicator.Course or (>= Indicator.PeriodJump and <= Indicator.LongScatter);

    private static string Over(Indicator indicator) => RowsOf(indicator) is var rows && rows > 1
        ? string.Create(CultureInfo.InvariantCulture, $" in the mean of {rows} values") : "";

    private static int RowsOf(Indicator indicator) => indicator switch
    {
        Indicator.Mean8 or Indicator.Period8 or Indicator.Calendar8 => 8,
        Indicator.Mean32 or Indicator.Period32 or Indicator.Calendar32 => 32,
        Indicator.Mean128 or Indicator.Period128 or Indicator.Calendar128 => 128,
        _ => 1,
    };

    private static string Meaning(Indicator indicator, int flatRows) => indicator switch
    {
        Indicator.Step => "a step of this size is rare",
        Indicator.Level or Indicator.Course => "far from where the last values lead",
        Indicator.Forecast1 or Indicator.Forecast6 or Indicator.Forecast24 => "not what the network forecast",
        Indicator.Lasting1 or Indicator.Lasting6 or Indicator.Lasting24 or Indicator.Long24 => "the values stay on one side of the forecasts",
        Indicator.ForecastScatter => "the forecasts are further off than they were",
        Indicator.Rarity => "a value this stream does not take",
        Indicator.LastingRarity or Indicator.LongRarity => "the values stay where this stream seldom is",
        Indicator.Mean8 or Indicator.Mean32 or Indicator.Mean128 => "the mean of the last values is where it never was",
        Indicator.PeriodJump or Indicator.Period8 or Indicator.Period32 or Indicator.Period128 => "not as it was one period before",
        Indicator.PeriodScatter => "it follows its period less closely than it did",
        Indicator.CalendarJump or Indicator.Calendar8 or Indicator.Calendar32 or Indicator.Calendar128 => "not as at the same time of other days",
        Indicator.Scatter or Indicator.LongScatter or Indicator.Noisy => "the values scatter more than they did",
        Indicator.Quiet or Indicator.Calm => "the values hardly move any more",
        Indicator.Smooth => "the values go on in one direction for longer than they did",
        Indicator.Rough => "the values go to and fro more than they did",
        Indicator.Standstill => $"unchanged for {Figures.Count(flatRows, "observation")}",
        Indicator.StayLong => "it stays at this level for longer than it ever did",
        Indicator.StayShort => "it stayed at the last level for shorter than it ever did",
        Indicator.CycleLong => "a cycle takes longer than any did",
        Indicator.CycleShort => "the last cycle was shorter than any was",
        Indicator.PeakHigh => "the last cycle reached higher than any did",
        Indicator.PeakLow => "the last cycle reached less high than any did",
        Indicator.Context => "the value and its recent means never stood together like this",
        _ => "the last values never had this shape",
    };
}

/// <summary>What sentences name beside what the strongest indicator says.</summary>
/// <param name="SeasonBefore">The value one season before; null where there was none.</param>
/// <param name="FlatRows">Rows the value has not changed for.</param>
/// <param name="Stay">Rows of the present stay, and of the longest.</param>
/// <param name="Cycle">The same of the cycle.</param>
internal readonly record struct IndicatorFigures(double? SeasonBefore, int FlatRows, (long Rows, double Longest) Stay, (long Rows, double Longest) Cycle)
{
    private const double Alike = 1.2;

    /// <summary>By what differences were multiplied, as the noise is at the present level.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Whether that makes a difference to people.</summary>
    public bool IsByLevel => Factor is > Alike or < 1 / Alike;
}
