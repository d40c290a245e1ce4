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

    /// <summary>S = log10(10^a + 10^b): the evidence of two tests, either of which may raise the alarm.</summary>
    public static double Sum(double a, double b) => Math.Log10(Math.Pow(10, a) + Math.Pow(10, b));

    /// <summary>S = log10(mean over channels of 10^(p s)) / p: the nearer p is to 0 the nearer to their mean, above 1 to their highest.</summary>
    /// <param name="scores">(channels), in decades.</param>
    /// <param name="power">p, above 0.</param>
    public static double PowerMean(ReadOnlySpan<double> scores, double power)
    {
        double highest = double.NegativeInfinity;

        foreach (double score in scores)
        {
            highest = Math.Max(highest, score);
        }

        double sum = 0;

        foreach (double score in scores)
        {
            sum += Math.Pow(10, power * (score - highest));
        }

        return highest + Math.Log10(sum / scores.Length) / power;
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

    /// <summary>0 to 100 for people: 50 where a thirtieth of an event was to be expected, 75 at a thousandth.</summary>
    public static double ForPeople(double anomalyScore) =>
        anomalyScore <= 0 ? 0 : 100 * (1 - Math.Pow(2, -anomalyScore / 1.5));
}
