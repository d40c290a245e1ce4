using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>How far a value is from those the stream takes: the distance to the third nearest of a sample of them.</summary>
/// <remarks>
/// Between two states, and beyond the highest and the lowest value, it is large; one wild value that was learnt does not
/// make others like it usual.
/// </remarks>
internal static class Nearest
{
    /// <summary>Which of the nearest counts.</summary>
    public const int Neighbour = 3;

    private const int CountMin = 20;

    /// <summary>Members on either side that are looked at.</summary>
    private const int Reach = Neighbour + 1;

    /// <summary>Distance of a value to the third nearest of a sample; 0 while there are fewer than 20.</summary>
    public static double Distance(FloatReservoir sample, double value)
    {
        int place = sample.CountLess(value), first = Math.Max(0, place - Reach), last = Math.Min(sample.Count, place + Reach);
        Span<double> near = stackalloc double[2 * Reach];

        for (int i = first; i < last; i++)
        {
            near[i - first] = sample[i];
        }

        return sample.Count < CountMin ? 0 : Walk(near[..(last - first)], value, place - first);
    }

    /// <summary>The same with distances measured in y.</summary>
    public static double Distance(SortedReservoir sample, double value, ValueScale scale)
    {
        int place = sample.CountLess(value), first = Math.Max(0, place - Reach), last = Math.Min(sample.Count, place + Reach);
        Span<double> near = stackalloc double[2 * Reach];

        for (int i = first; i < last; i++)
        {
            near[i - first] = scale.Y(sample.Sorted[i]);
        }

        return sample.Count < CountMin ? 0 : Walk(near[..(last - first)], scale.Y(value), place - first);
    }

    private static double Walk(ReadOnlySpan<double> sorted, double value, int place)
    {
        int left = place - 1, right = place;
        double distance = 0;

        for (int k = 0; k < Neighbour; k++)
        {
            double below = left >= 0 ? value - sorted[left] : double.MaxValue;
            double above = right < sorted.Length ? sorted[right] - value : double.MaxValue;

            if (below <= above)
            {
                (distance, left) = (below, left - 1);
            }
            else
            {
                (distance, right) = (above, right + 1);
            }
        }

        return distance;
    }
}
