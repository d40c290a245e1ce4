using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Scoring;

/// <summary>A stream's values as tokens: <see cref="Count"/> bins between quantiles of its history, finer towards the tails.</summary>
/// <remarks>Bin b holds the values v with edge[b-1] &lt; v &lt;= edge[b]; bins between equal edges stay empty.</remarks>
internal sealed class QuantileBins
{
    /// <summary>Number of bins.</summary>
    public const int Count = 32;

    /// <summary>The edges lie at normal scores evenly spaced from -2.8 to 2.8: the outer bins hold 0.26 % each.</summary>
    internal static readonly double[] EdgeProbabilities = [.. Enumerable.Range(0, Count - 1)
        .Select(i => NormalCumulative(-2.8 + 5.6 * i / (Count - 2)))];

    private readonly double[] _edges = new double[Count - 1];
    private readonly int[] _membersUpTo = new int[Count];
    private readonly float[] _marginal = new float[Count];

    /// <summary>Share of the history in each bin, with a hundredth of a member added to each: (Count).</summary>
    public ReadOnlySpan<float> Marginal => _marginal;

    public void Refresh(SortedReservoir history)
    {
        for (int edge = 0; edge < _edges.Length; edge++)
        {
            _edges[edge] = history.Quantile(EdgeProbabilities[edge]);
        }

        int before = 0;

        for (int bin = 0; bin < Count; bin++)
        {
            _membersUpTo[bin] = bin == Count - 1 ? history.Count : history.CountLessOrEqual(_edges[bin]);
            _marginal[bin] = (float)((_membersUpTo[bin] - before + 0.01) / (history.Count + 0.01 * Count));
            before = _membersUpTo[bin];
        }
    }

    public int BinOf(double value) => Ordered.CountLess<double>(_edges, value);

    /// <summary>How likely a value as extreme was, on either side, under the distribution over bins.</summary>
    /// <param name="probabilities">Probability of each bin: (Count), summing to 1.</param>
    /// <param name="value">The value that came.</param>
    /// <param name="history">The history the bins were made from (it may have grown since).</param>
    /// <param name="scale">The stream's scale, for values beyond everything seen.</param>
    /// <param name="moves">How often the stream's value has ever changed: what is known of how far it moves.</param>
    public Tail TailOf(
        ReadOnlySpan<float> probabilities, double value, SortedReservoir history, ValueScale scale, long moves)
    {
        int bin = BinOf(value);
        double below = 0, above = 0;

        for (int b = 0; b < bin; b++)
        {
            below += probabilities[b];
        }

        for (int b = bin + 1; b < Count; b++)
        {
            above += probabilities[b];
        }

        // Inside the bin by rank. A value shared by many counts as a whole on both sides: constants are not extreme.
        int first = bin == 0 ? 0 : history.CountLessOrEqual(_edges[bin - 1]);
        int last = bin == Count - 1 ? history.Count : history.CountLessOrEqual(_edges[bin]);
        double members = last - first;
        double shareUpTo = (history.CountLessOrEqual(value) - first + 0.5) / (members + 1);
        double shareFrom = (last - history.CountLess(value) + 0.5) / (members + 1);
        double lower = below + probabilities[bin] * Math.Min(1, shareUpTo);
        double upper = above + probabilities[bin] * Math.Min(1, shareFrom);

        return Extend(lower, upper, value, history, scale, moves);
    }

    /// <summary>How likely a value as extreme was, on either side, among all values of the stream; bins do not matter here.</summary>
    public static Tail MarginalTailOf(double value, SortedReservoir history, ValueScale scale, long moves)
    {
        double members = history.Count + 1;
        double lower = (history.CountLessOrEqual(value) + 0.5) / members;
        double upper = (history.Count - history.CountLess(value) + 0.5) / members;
        return Extend(Math.Min(1, lower), Math.Min(1, upper), value, history, scale, moves);
    }

    private static Tail Extend(double lower, double upper, double value, SortedReservoir history, ValueScale scale, long moves)
    {
        // What was never seen in n values has a chance of about 1/n (Laplace's rule of succession), whatever an empty bin says.
        double unseen = 0.5 / (history.Count + 1);

        if (value > history.Max)
        {
            double excess = scale.Y(value) - scale.Y(history.Max);
            upper = Math.Max(upper, unseen) * Beyond(excess, OuterMeanExcess(history, scale, upperSide: true), moves);
        }
        else if (value < history.Min)
        {
            double excess = scale.Y(history.Min) - scale.Y(value);
            lower = Math.Max(lower, unseen) * Beyond(excess, OuterMeanExcess(history, scale, upperSide: false), moves);
        }

        return lower < upper ? new Tail(Math.Max(lower, 1e-300), -1) : new Tail(Math.Max(upper, 1e-300), 1);
    }

    /// <summary>The value below which the distribution has <paramref name="probability"/>, inside a bin by the history's ranks.</summary>
    public double QuantileOf(ReadOnlySpan<float> probabilities, double probability, SortedReservoir history)
    {
        double before = 0;
        int bin = 0;

        while (bin < Count - 1 && before + probabilities[bin] < probability)
        {
            before += probabilities[bin++];
        }

        int first = bin == 0 ? 0 : Math.Min(_membersUpTo[bin - 1], history.Count - 1);
        int last = Math.Clamp(_membersUpTo[bin] - 1, first, history.Count - 1);
        double share = Math.Clamp((probability - before) / Math.Max(probabilities[bin], 1e-9), 0, 1);
        double position = first + share * (last - first);
        int left = (int)position;
        ReadOnlySpan<double> sorted = history.Sorted;
        double next = sorted[Math.Min(left + 1, history.Count - 1)];
        return sorted[left] + (position - left) * (next - sorted[left]);
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double edge in _edges)
        {
            writer.Write(edge);
        }

        foreach (int members in _membersUpTo)
        {
            writer.Write(members);
        }

        foreach (float share in _marginal)
        {
            writer.Write(share);
        }
    }

    public void Load(BinaryReader reader)
    {
        for (int edge = 0; edge < _edges.Length; edge++)
        {
            _edges[edge] = reader.ReadDouble();
        }

        for (int bin = 0; bin < Count; bin++)
        {
            _membersUpTo[bin] = reader.ReadInt32();
        }

        for (int bin = 0; bin < Count; bin++)
        {
            _marginal[bin] = reader.ReadSingle();
        }
    }

    /// <summary>
    /// Probability of going beyond everything seen by <paramref name="excess"/> in y: exponential with the outer values'
    /// mean excess, its uncertainty integrated out over the moves it is known from.
    /// A stream that has never moved says nothing about how far it will: probability 1.
    /// </summary>
    private static double Beyond(double excess, double meanExcess, long moves)
    {
        const int MovesMax = 64;
        double known = Math.Min(moves, MovesMax);
        return known == 0 ? 1 : Math.Pow(1 + excess / (known * meanExcess), -known);
    }

    /// <summary>Mean distance in y of the outermost fiftieth of the history from where it begins; at least 0.1.</summary>
    private static double OuterMeanExcess(SortedReservoir history, ValueScale scale, bool upperSide)
    {
        ReadOnlySpan<double> sorted = history.Sorted;
        int members = Math.Max(1, sorted.Length / 50);
        double from = scale.Y(upperSide ? sorted[^members] : sorted[members - 1]);
        double sum = 0;

        for (int i = 0; i < members; i++)
        {
            sum += Math.Abs(scale.Y(upperSide ? sorted[^(i + 1)] : sorted[i]) - from);
        }

        return Math.Max(0.1, sum / members);
    }

    /// <remarks>Abramowitz and Stegun 26.2.17, absolute error below 7.5e-8.</remarks>
    private static double NormalCumulative(double z)
    {
        double t = 1 / (1 + 0.2316419 * Math.Abs(z));
        double tail = Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI)
            * t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        return z > 0 ? 1 - tail : tail;
    }
}

/// <summary>A one-sided tail probability and the side it lies on.</summary>
/// <param name="Probability">In (0, 1].</param>
/// <param name="Side">-1 for a low value, 1 for a high one.</param>
internal readonly record struct Tail(double Probability, int Side)
{
    /// <summary>-ln of the two-sided probability: 0 for a value in the middle.</summary>
    public double Surprise => Math.Max(0, -Math.Log(2 * Probability));

    /// <summary>The normal score, signed, at most <paramref name="limit"/> in size.</summary>
    public double NormalScore(double limit) =>
        Probability >= 0.5 ? 0 : Side * Math.Min(limit, NormalDistribution.UpperQuantile(Math.Max(Probability, 1e-15)));
}
