using System.Numerics;

namespace StreamLstm.Detection.Scaling;

/// <summary>Look-ups in numbers that lie in order, the least first.</summary>
internal static class Ordered
{
    /// <summary>How many of them are smaller than <paramref name="value"/>.</summary>
    /// <remarks>
    /// With branches: where a guess is right the next number is called from memory before this one has come. Streams are many and theirs is seldom in a
    /// cache; without branches each of the ten numbers is waited for.
    /// </remarks>
    /// <param name="sorted">(count), floats or doubles.</param>
    /// <param name="value">What they are held against.</param>
    public static int CountLess<T>(ReadOnlySpan<T> sorted, double value)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        int low = 0, high = sorted.Length;

        while (low < high)
        {
            int middle = (low + high) >>> 1;

            if (double.CreateTruncating(sorted[middle]) < value)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>The value below which a share of them lies, interpolated; NaN when there are none.</summary>
    /// <param name="sorted">(count), floats or doubles.</param>
    /// <param name="probability">The share.</param>
    public static double Quantile<T>(ReadOnlySpan<T> sorted, double probability)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (sorted.IsEmpty)
        {
            return double.NaN;
        }

        double position = Math.Clamp(probability, 0, 1) * (sorted.Length - 1);
        int at = (int)position;
        double below = double.CreateTruncating(sorted[at]), above = double.CreateTruncating(sorted[Math.Min(at + 1, sorted.Length - 1)]);
        return below + (position - at) * (above - below);
    }

    /// <summary>So many of them that lie evenly among all.</summary>
    public static T[] Thinned<T>(ReadOnlySpan<T> sorted, int members)
        where T : struct
    {
        var thinned = new T[members];

        for (int i = 0; i < members; i++)
        {
            thinned[i] = sorted[(int)((2L * i + 1) * sorted.Length / (2 * members))];
        }

        return thinned;
    }
}
