namespace StreamLstm.Detection.Scoring;

/// <summary>One score from the channels' calibrated scores.</summary>
internal static class ScoreCombination
{
    /// <summary>S = log10(mean over channels of 10^s).</summary>
    /// <remarks>
    /// 10^s is one over an expected number of events, an e-value; a mean of e-values is one again, however the channels
    /// depend on each other (Vovk and Wang 2021). One channel alone thus pays a decade for the company of eight others.
    /// </remarks>
    public static double Combine(ReadOnlySpan<double> scores)
    {
        double sum = 0;

        foreach (double score in scores)
        {
            sum += Math.Pow(10, score);
        }

        return Math.Log10(sum / scores.Length);
    }

    /// <summary>The same over those that say anything; 0 where none does.</summary>
    public static double Combine(ReadOnlySpan<double> scores, ReadOnlySpan<bool> known)
    {
        double sum = 0;
        int count = 0;

        for (int i = 0; i < scores.Length; i++)
        {
            if (known[i])
            {
                sum += scores[i] == 0 ? 1 : Math.Pow(10, scores[i]);
                count++;
            }
        }

        return count == 0 ? 0 : Math.Log10(sum / count);
    }

    /// <summary>Each channel's share of the combined score, summing to 1.</summary>
    public static void Attribute(ReadOnlySpan<double> scores, Span<double> shares)
    {
        double sum = 0;

        for (int i = 0; i < scores.Length; i++)
        {
            shares[i] = Math.Pow(10, scores[i]);
            sum += shares[i];
        }

        for (int i = 0; i < shares.Length; i++)
        {
            shares[i] /= sum;
        }
    }
}
