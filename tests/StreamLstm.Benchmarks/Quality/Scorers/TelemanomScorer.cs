namespace StreamLstm.Benchmarks.Quality.Scorers;

/// <summary>One channel: what was detected and what is labelled, rows from 0, ends inclusive.</summary>
internal sealed record TelemanomChannel(
    IReadOnlyList<(long First, long Last)> Detections, IReadOnlyList<(long First, long Last)> Labelled, long Rows);

/// <summary>Sequences found, false detections, sequences missed, and the rows inside detections.</summary>
internal readonly record struct TelemanomResult(int Found, int False, int Missed, long FlaggedRows, long Rows)
{
    public double Precision => Found + False == 0 ? 0 : (double)Found / (Found + False);

    public double Recall => Found + Missed == 0 ? 0 : (double)Found / (Found + Missed);

    public double F1 => F(1);

    /// <summary>F with precision counting twice as much as recall.</summary>
    public double F05 => F(0.25);

    /// <summary>Of all rows, in %.</summary>
    public double FlaggedShare => 100.0 * FlaggedRows / Rows;

    private double F(double recallWeight) =>
        Found == 0 ? 0 : (1 + recallWeight) * Precision * Recall / (recallWeight * Precision + Recall);
}

/// <summary>
/// SMAP and MSL as Telemanom counts them (Hundman et al. 2018): a detection that overlaps a labelled sequence finds the
/// first such one; one that overlaps none is false; a sequence never found is missed.
/// </summary>
internal static class TelemanomScorer
{
    public static TelemanomResult Score(IEnumerable<TelemanomChannel> channels)
    {
        int found = 0, falseDetections = 0, missed = 0;
        long flagged = 0, rows = 0;

        foreach (TelemanomChannel channel in channels)
        {
            var credited = new HashSet<int>();

            foreach ((long first, long last) in channel.Detections)
            {
                int overlapped = channel.Labelled.ToList().FindIndex(label => first <= label.Last && last >= label.First);

                if (overlapped >= 0)
                {
                    credited.Add(overlapped);
                }
                else
                {
                    falseDetections++;
                }
            }

            found += credited.Count;
            missed += channel.Labelled.Count - credited.Count;
            flagged += Covered(channel);
            rows += channel.Rows;
        }

        return new TelemanomResult(found, falseDetections, missed, flagged, rows);
    }

    private static long Covered(TelemanomChannel channel)
    {
        long covered = 0, end = 0;

        foreach ((long first, long last) in channel.Detections.Order())
        {
            long from = Math.Max(first, end), to = Math.Min(last + 1, channel.Rows);
            covered += Math.Max(0, to - from);
            end = Math.Max(end, to);
        }

        return covered;
    }
}
