using StreamLstm.Detection;
using StreamLstm.Detection.Multivariate;

namespace StreamLstm.Daemon.Backtesting;

/// <summary>A row's values judged together, by analogy with the stream's past.</summary>
/// <param name="columns">Values in a row.</param>
/// <param name="judged">How many of them, from the first, are scored; the others are context.</param>
/// <param name="seed">Of what is remembered.</param>
internal sealed class JointDetector(int columns, int judged, int seed) : IRowDetector
{
    private readonly VectorDetector _detector = new(columns, judged, (ulong)seed);

    public RowVerdict Apply(DateTimeOffset time, ReadOnlySpan<double> values, Span<double> attribution)
    {
        VectorVerdict verdict = _detector.Apply(values, attribution);
        int top = 0;

        for (int column = 1; column < attribution.Length; column++)
        {
            top = attribution[column] > attribution[top] ? column : top;
        }

        (double mean, double least, double greatest) = _detector.Expected(top);
        bool known = verdict.Score is not null && !double.IsNaN(mean);
        return new RowVerdict
        {
            Score = verdict.Score,
            IsAlert = verdict.IsAlert,
            IsAbnormal = verdict.IsAbnormal,
            Expected = known ? mean : null,
            Lower = known ? least : null,
            Upper = known ? greatest : null,
            Channel = verdict.Score is null ? "" : "analogy",
            Rejected = verdict.HasBadValue ? RejectionReason.BadValue : null,
        };
    }
}
