namespace StreamLstm.Detection.Scoring;

/// <summary>One score from the channels' calibrated scores.</summary>
internal static class ScoreCombination
{
    /// <summary>Between a mean (towards 0) and a maximum (towards infinity) of the channels' odds.</summary>
    private const double Power = 0.4;

    /// <summary>S = log10(mean over channels of 10^(0.4 s)) / 0.4.</summary>
    public static double Combine(ReadOnlySpan<double> scores)
    {
        double sum = 0;

        foreach (double score in scores)
        {
            sum += Math.Pow(10, Power * score);
        }

        return Math.Log10(sum / scores.Length) / Power;
    }

    /// <summary>Each channel's share of the combined score, summing to 1.</summary>
    public static void Attribute(ReadOnlySpan<double> scores, Span<double> shares)
    {
        double sum = 0;

        for (int i = 0; i < scores.Length; i++)
        {
            shares[i] = Math.Pow(10, Power * scores[i]);
            sum += shares[i];
        }

        for (int i = 0; i < shares.Length; i++)
        {
            shares[i] /= sum;
        }
    }

    /// <summary>0 to 100 for people: 50 where a hundredth of an event was to be expected, 75 at a ten-thousandth.</summary>
    public static double ForPeople(double anomalyScore) =>
        anomalyScore <= 0 ? 0 : 100 * (1 - Math.Pow(2, -anomalyScore / 2));
}
