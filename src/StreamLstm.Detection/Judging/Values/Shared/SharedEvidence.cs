using System.Numerics.Tensors;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>Makes one number of what the indicators say of a row: in rows, where the strongest few agree or their mean is rare enough.</summary>
internal static class SharedEvidence
{
    /// <summary>Decades that one indicator counts for at most where the strongest few are to agree, and how many they are.</summary>
    private const double AgreedMost = 6;
    private const int AgreedOf = 4;

    /// <summary>What the indicators' mean is worth more in rows than in blocks; less than <see cref="LearntJudge.WithoutJudge"/>, as a tail of sixteen blocks is known less well.</summary>
    private const double InRows = 1;

    /// <summary>What a decade of the strongest indicators' mean adds above the line.</summary>
    private const double PerDecade = 0.5;

    /// <summary>Decades of rows between two that come to what the indicators say.</summary>
    /// <param name="decades">What they are worth.</param>
    /// <param name="known">Whether they have anything to say.</param>
    /// <param name="threshold">The evidence at which an incident opens.</param>
    public static double Of(ReadOnlySpan<double> decades, ReadOnlySpan<bool> known, double threshold)
    {
        double evidence = InRows + Math.Max(0, ScoreCombination.Combine(decades, known));

        // The strongest few come to no more than the strongest.
        if (evidence < threshold && TensorPrimitives.Max(decades) < threshold)
        {
            return evidence;
        }

        Span<double> sorted = stackalloc double[decades.Length];
        decades.CopyTo(sorted);
        sorted.Sort();
        double strongest = TensorPrimitives.Average<double>(sorted[^AgreedOf..]);
        TensorPrimitives.Min(sorted, AgreedMost, sorted);
        return evidence < threshold && TensorPrimitives.Average<double>(sorted[^AgreedOf..]) < threshold ? evidence : threshold + PerDecade * strongest;
    }
}
