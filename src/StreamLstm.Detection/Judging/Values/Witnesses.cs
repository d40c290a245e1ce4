using System.Diagnostics;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>How far the strongest of what is known about a row agree, where several indicators of one thing count once.</summary>
/// <remarks>
/// A value never seen is rare, rare for eight rows and rare for thirty-two: three indicators, and one observation. Counted as three
/// they passed for agreement. Alerts of the job bench are told from false alarms by the mean of the four strongest indicators with an
/// area under the curve of .71, by that of the four strongest witnesses with .79.
/// </remarks>
internal static class Witnesses
{
    /// <summary>How many there are.</summary>
    public const int Count = 17;

    /// <summary>Mean decades of the strongest witnesses.</summary>
    /// <param name="decades">What the indicators are worth: (indicators).</param>
    /// <param name="strongest">How many are taken, 1 to <see cref="Count"/>.</param>
    /// <param name="atMost">Decades that one counts for at most.</param>
    public static double Mean(ReadOnlySpan<double> decades, int strongest, double atMost = double.PositiveInfinity)
    {
        Span<double> witnesses = stackalloc double[Count];
        witnesses.Clear();

        for (int i = 0; i < decades.Length; i++)
        {
            ref double witness = ref witnesses[_of[i]];
            witness = Math.Max(witness, Math.Min(decades[i], atMost));
        }

        witnesses.Sort();
        return System.Numerics.Tensors.TensorPrimitives.Average<double>(witnesses[^strongest..]);
    }

    private static readonly byte[] _of = [.. Enumerable.Range(0, ValueIndicators.Count).Select(i => Of((Indicator)i))];

    private static byte Of(Indicator indicator) => indicator switch
    {
        Indicator.Step or Indicator.Level or Indicator.Course => 0,
        Indicator.Forecast1 or Indicator.Forecast6 or Indicator.Forecast24 => 1,
        Indicator.Lasting1 or Indicator.Lasting6 or Indicator.Lasting24 or Indicator.Long24 => 2,
        Indicator.ForecastScatter => 3,
        Indicator.Rarity or Indicator.LastingRarity or Indicator.LongRarity => 4,
        Indicator.Mean8 or Indicator.Mean32 or Indicator.Mean128 => 5,
        Indicator.PeriodJump or Indicator.Period8 or Indicator.Period32 or Indicator.Period128 => 6,
        Indicator.PeriodScatter => 7,
        Indicator.CalendarJump or Indicator.Calendar8 or Indicator.Calendar32 or Indicator.Calendar128 => 8,
        Indicator.Scatter or Indicator.LongScatter or Indicator.Noisy => 9,
        Indicator.Quiet or Indicator.Calm or Indicator.Smooth or Indicator.Rough => 10,
        Indicator.Standstill => 11,
        Indicator.StayLong or Indicator.StayShort => 12,
        Indicator.CycleLong or Indicator.CycleShort => 13,
        Indicator.PeakHigh or Indicator.PeakLow => 14,
        Indicator.Context => 15,
        Indicator.ShapePeriod or Indicator.ShapeHalf or Indicator.ShapeQuarter or Indicator.Shape32 => 16,
        _ => throw new UnreachableException($"{indicator} is nobody's"),
    };
}
