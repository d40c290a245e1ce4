using System.Numerics.Tensors;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>The last rows looked at in hindsight: how far each was from the values of other times.</summary>
internal static class Hindsight
{
    /// <summary>Share of the stretches whose highest values make a tail, and of those left out of it.</summary>
    private const int KeptShare = 4;
    private const int KeptMin = 3;
    private const int KeptMax = 12;
    private const int LeftOutShare = 16;
    private const int StretchesForOneOut = 8;

    /// <summary>Measures how far each value is from the third nearest of those that came at other times.</summary>
    /// <param name="values">(N): the values as they came.</param>
    /// <param name="rows">(N): the rows they came at.</param>
    /// <param name="apart">Rows within which two came at one time.</param>
    /// <param name="distances">(N): the distances.</param>
    /// <param name="sorted">(N): the values in order.</param>
    public static void Distances(ReadOnlySpan<double> values, ReadOnlySpan<int> rows, int apart, Span<double> distances, Span<double> sorted)
    {
        Span<int> places = stackalloc int[values.Length];

        for (int i = 0; i < places.Length; i++)
        {
            places[i] = i;
        }

        values.CopyTo(sorted);
        sorted.Sort(places);

        for (int i = 0; i < sorted.Length; i++)
        {
            distances[places[i]] = Distance(sorted, places, rows, i, apart);
        }
    }

    /// <summary>The tail of what was measured for each of some rows, of which those within so many rows are one occurrence.</summary>
    /// <param name="values">(N): what was measured.</param>
    /// <param name="rows">(N): the rows it was measured at.</param>
    /// <param name="apart">Rows within which two came at one time.</param>
    /// <param name="blocks">Blocks of <see cref="CleanTail.BlockRows"/> rows that these stand for.</param>
    /// <param name="scale">How excesses are measured.</param>
    /// <param name="unit">The least difference that means something.</param>
    /// <param name="room">(N): overwritten.</param>
    public static ExceedanceTail TailOf(
        ReadOnlySpan<double> values, ReadOnlySpan<int> rows, int apart, double blocks, TailScale scale, double unit, Span<double> room)
    {
        int stretches = Math.Max(1, (int)(blocks * CleanTail.BlockRows / (2 * apart + 1)));
        int kept = Math.Clamp(stretches / KeptShare, KeptMin, KeptMax);
        int leftOut = Math.Clamp(stretches / LeftOutShare, stretches >= StretchesForOneOut ? 1 : 0, kept - 2);
        Span<double> left = room[..values.Length], highest = stackalloc double[KeptMax];
        values.CopyTo(left);

        for (int k = 0; k < kept; k++)
        {
            int best = TensorPrimitives.IndexOfMax<double>(left);
            highest[k] = Math.Max(0, left[best]);

            for (int i = best; i >= 0 && rows[best] - rows[i] <= apart; i--)
            {
                left[i] = -1;
            }

            for (int i = best + 1; i < left.Length && rows[i] - rows[best] <= apart; i++)
            {
                left[i] = -1;
            }
        }

        return new ExceedanceTail(highest[..kept], leftOut, blocks, scale, unit);
    }

    private static double Distance(ReadOnlySpan<double> sorted, ReadOnlySpan<int> places, ReadOnlySpan<int> rows, int member, int apart)
    {
        int left = member - 1, right = member + 1, found = 0, row = rows[places[member]];
        double value = sorted[member], distance = 0;

        while (found < Nearest.Neighbour && (left >= 0 || right < sorted.Length))
        {
            double below = left >= 0 ? value - sorted[left] : double.MaxValue;
            double above = right < sorted.Length ? sorted[right] - value : double.MaxValue;
            int other = below <= above ? left-- : right++;

            if (Math.Abs(rows[places[other]] - row) > apart)
            {
                distance = Math.Min(below, above);
                found++;
            }
        }

        return distance;
    }
}
