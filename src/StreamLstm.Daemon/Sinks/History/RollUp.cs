using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sinks.History;

/// <summary>What came of one stream in one stretch of time, told together.</summary>
/// <param name="Start">Where the stretch begins, in UTC ticks.</param>
/// <param name="Count">How many observations.</param>
/// <param name="Mean">Of their values, in the stream's unit, as the next two.</param>
/// <param name="Minimum">The lowest.</param>
/// <param name="Maximum">The highest.</param>
/// <param name="Score">The highest score, 0 to 100.</param>
/// <param name="ScoreAt">When that was, in UTC ticks.</param>
/// <param name="Expected">Mean of what was forecast, NaN where nothing was; as the next two.</param>
/// <param name="Lower">Mean of the band's lower end.</param>
/// <param name="Upper">Mean of the band's upper end.</param>
internal readonly record struct RollUp(
    long Start, int Count, double Mean, double Minimum, double Maximum, double Score, long ScoreAt, double Expected, double Lower, double Upper)
{
    /// <summary>One observation by itself.</summary>
    /// <param name="scored">It.</param>
    /// <param name="step">Length of a stretch, in ticks.</param>
    public static RollUp Of(in ScoredObservation scored, long step) => new(
        scored.Time.UtcTicks / step * step, 1, scored.Value, scored.Value, scored.Value, scored.Score, scored.Time.UtcTicks,
        scored.Expected ?? double.NaN, scored.Lower ?? double.NaN, scored.Upper ?? double.NaN);

    /// <summary>Both together; the stretch begins with the earlier one.</summary>
    public RollUp With(in RollUp other) => new(
        Math.Min(Start, other.Start),
        Count + other.Count,
        Together(Mean, Count, other.Mean, other.Count),
        Math.Min(Minimum, other.Minimum),
        Math.Max(Maximum, other.Maximum),
        Math.Max(Score, other.Score),
        other.Score > Score ? other.ScoreAt : ScoreAt,
        Together(Expected, Count, other.Expected, other.Count),
        Together(Lower, Count, other.Lower, other.Count),
        Together(Upper, Count, other.Upper, other.Count));

    private static double Together(double a, int countA, double b, int countB) =>
        double.IsNaN(a) ? b : double.IsNaN(b) ? a : a + ((b - a) * countB / (countA + countB));
}
