using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>Where a value lies among the members of a sample.</summary>
/// <param name="Value">The value.</param>
/// <param name="Less">Members that are less.</param>
/// <param name="UpTo">Members that are less or the same.</param>
/// <param name="Position">Where it lies between them, the lowest place for one that is shared.</param>
/// <param name="Bin">Its bin.</param>
internal readonly record struct Place(float Value, int Less, int UpTo, double Position, int Bin);

/// <summary>A small sample of a stream's values in normal operation, in order: ranks, bins and scale by 48 floats.</summary>
/// <remarks>
/// What <see cref="SortedReservoir"/>, <see cref="QuantileBins"/> and <see cref="ValueScale"/> are to a stream that may remember more.
/// Bins are worked out from the sample as they are asked for, as their edges would take as much room again.
/// </remarks>
internal struct SharedSample
{
    /// <summary>Members.</summary>
    public const int Most = 48;

    /// <summary>The sample stands for about so many of the last values.</summary>
    private const int Horizon = 4096;

    /// <summary>Share of all values in each bin.</summary>
    private static readonly float[] Shares = [.. Enumerable.Range(0, QuantileBins.Count)
        .Select(bin => (float)((bin < QuantileBins.EdgeProbabilities.Length ? QuantileBins.EdgeProbabilities[bin] : 1) - (bin > 0 ? QuantileBins.EdgeProbabilities[bin - 1] : 0)))];

    /// <summary>The edges between bins, and behind them one that nothing lies beyond.</summary>
    private static readonly double[] Edges = [.. QuantileBins.EdgeProbabilities, double.NaN];

    private Members _members;      // NaN where there is none yet, which is neither less nor more than any value
    private float _centre;
    private float _scale;
    private float _resolution;
    private byte _count;

    [InlineArray(Most)]
    private struct Members
    {
        private float _first;
    }

    /// <summary>Members there are.</summary>
    public readonly int Count => _count;

    /// <summary>The stream's scale, as it was when it was last refreshed.</summary>
    public readonly ValueScale Scale => new(_centre, _scale > 0 ? _scale : 1);

    /// <summary>The smallest difference between two members; 0 where all are the same.</summary>
    public readonly float Resolution => _resolution;

    /// <summary>Whether all members are the same, and there are any.</summary>
    public readonly bool IsConstant => _count > 0 && Least == Greatest;

    public readonly float Least => _members[0];

    public readonly float Greatest => _members[Math.Max(0, _count - 1)];

    /// <summary>Share of all values in each bin, where none is shared by many: (bins).</summary>
    public static ReadOnlySpan<float> Marginal => Shares;

    [UnscopedRef]
    private readonly ReadOnlySpan<float> Sorted => ((ReadOnlySpan<float>)_members)[.._count];

    /// <summary>Takes a value: in place of any other once the sample is full, and then only now and then unless it <paramref name="must"/> be in it.</summary>
    public void Add(float value, ref SeededRandom random, bool must = false)
    {
        if (_count == 0)
        {
            ((Span<float>)_members).Fill(float.NaN);
        }

        if (_count < Most)
        {
            Insert(value, _count++);
        }
        else if (must || random.NextDouble() < (double)Most / Horizon)
        {
            Insert(value, random.Next(Most));
        }
    }

    /// <summary>Works out centre, scale and resolution anew.</summary>
    public void Refresh()
    {
        double centre = Quantile(0.5);
        double scale = Math.Max((Quantile(0.75) - Quantile(0.25)) / 1.35, (Quantile(0.95) - Quantile(0.05)) / 6.58);
        ReadOnlySpan<float> sorted = Sorted;
        float least = float.MaxValue;

        for (int i = 1; i < sorted.Length; i++)
        {
            least = sorted[i] > sorted[i - 1] ? Math.Min(least, sorted[i] - sorted[i - 1]) : least;
        }

        _resolution = least < float.MaxValue ? least : 0;
        _centre = (float)centre;
        _scale = (float)(scale > 0 ? scale : 0);
    }

    /// <summary>What stands for the scale of a stream that hardly moves.</summary>
    /// <param name="scale">A tenth of what its values are, or one of what is counted.</param>
    public void Suppose(double scale) => _scale = _scale > 0 ? _scale : (float)scale;

    /// <summary>Where a value lies among the members.</summary>
    public readonly Place PlaceOf(float value)
    {
        Vector256<float> one = Vector256.Create(value);
        Vector256<int> less = default, upTo = default;

        foreach (ref readonly Vector256<float> eight in MemoryMarshal.Cast<float, Vector256<float>>(_members))
        {
            less -= Vector256.LessThan(eight, one).AsInt32();
            upTo -= Vector256.LessThanOrEqual(eight, one).AsInt32();
        }

        (int before, int until) = (Vector256.Sum(less), Vector256.Sum(upTo));
        double position = before == 0 ? 0
            : before >= _count ? _count - 1 + 1e-9
            : before - 1 + (value - _members[before - 1]) / (double)(_members[before] - _members[before - 1]);
        return new Place(value, before, until, position, BinAt(position));
    }

    /// <summary>Centre of a value's rank in [-0.5, 0.5], ties at their middle.</summary>
    public readonly double CentredRank(in Place place) => _count == 0 ? 0 : (place.Less + place.UpTo) / (2.0 * _count) - 0.5;

    /// <summary>How likely a value as extreme was, on either side, under probabilities of bins.</summary>
    /// <param name="probabilities">(bins), summing to 1.</param>
    /// <param name="place">Where the value that came lies.</param>
    /// <param name="moves">How often the stream's value has ever changed.</param>
    public readonly Tail TailOf(ReadOnlySpan<float> probabilities, in Place place, int moves)
    {
        (float value, int bin) = (place.Value, place.Bin);
        double below = 0, above = 0;

        for (int b = 0; b < bin; b++)
        {
            below += probabilities[b];
        }

        for (int b = bin + 1; b < probabilities.Length; b++)
        {
            above += probabilities[b];
        }

        // Inside the bin by rank. A value shared by many counts as a whole on both sides.
        double first = bin == 0 ? 0 : QuantileBins.EdgeProbabilities[bin - 1], last = bin == QuantileBins.EdgeProbabilities.Length ? 1 : QuantileBins.EdgeProbabilities[bin];
        double share = Math.Clamp((place.Position / Math.Max(1, _count - 1) - first) / (last - first), 0, 1);
        bool isShared = place.UpTo - place.Less > 1;
        double lower = below + probabilities[bin] * (isShared ? 1 : share), upper = above + probabilities[bin] * (isShared ? 1 : 1 - share);
        double unseen = 0.5 / (_count + 1);

        if (value > Greatest)
        {
            upper = Math.Max(upper, unseen) * Beyond(Scale.Y(value) - Scale.Y(Greatest), moves);
        }
        else if (value < Least)
        {
            lower = Math.Max(lower, unseen) * Beyond(Scale.Y(Least) - Scale.Y(value), moves);
        }

        return lower < upper ? new Tail(Math.Max(lower, 1e-300), -1) : new Tail(Math.Max(upper, 1e-300), 1);
    }

    /// <summary>What bins before each have: (bins + 1).</summary>
    public static void Cumulate(ReadOnlySpan<float> probabilities, Span<double> cumulative)
    {
        double before = cumulative[0] = 0;

        for (int b = 0; b < probabilities.Length; b++)
        {
            cumulative[b + 1] = before += probabilities[b];
        }
    }

    /// <summary>The value below which the distribution over bins has <paramref name="probability"/>.</summary>
    /// <param name="probabilities">(bins).</param>
    /// <param name="cumulative">What those before each have: (bins + 1).</param>
    /// <param name="probability">That share.</param>
    public readonly float QuantileOf(ReadOnlySpan<float> probabilities, ReadOnlySpan<double> cumulative, double probability)
    {
        int bin = 0;

        for (int b = 1; b < QuantileBins.Count; b++)
        {
            bin += cumulative[b] < probability ? 1 : 0;
        }

        double first = bin == 0 ? 0 : QuantileBins.EdgeProbabilities[bin - 1], last = bin == QuantileBins.EdgeProbabilities.Length ? 1 : QuantileBins.EdgeProbabilities[bin];
        double share = Math.Clamp((probability - cumulative[bin]) / Math.Max(probabilities[bin], 1e-9), 0, 1);
        return (float)Quantile(first + share * (last - first));
    }

    public readonly void Save(BinaryWriter writer)
    {
        writer.Write(_count);
        writer.Write(_centre);
        writer.Write(_scale);
        writer.Write(_resolution);
        writer.Write(MemoryMarshal.AsBytes(Sorted));
    }

    public void Load(BinaryReader reader)
    {
        _count = reader.ReadByte();

        if (_count > Most)
        {
            throw new InvalidDataException($"sample: {_count} members, expected at most {Most}");
        }

        (_centre, _scale, _resolution) = (reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle());
        ((Span<float>)_members).Fill(float.NaN);
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(((Span<float>)_members)[.._count]));
    }

    /// <summary>Exponential with a mean excess of 0.15 in y, how far it is from that integrated out over the moves it is known from.</summary>
    private static double Beyond(double excess, int moves)
    {
        const double MeanExcess = 0.15;
        return moves == 0 ? 1 : Math.Pow(1 + excess / (moves * MeanExcess), -moves);
    }

    private readonly double Quantile(double probability)
    {
        double position = probability * (_count - 1);
        int below = Math.Clamp((int)position, 0, Math.Max(0, _count - 1)), above = Math.Min(below + 1, Math.Max(0, _count - 1));
        return _members[below] + (position - below) * (_members[above] - _members[below]);
    }

    /// <summary>The bin of a position: edges that lie before it.</summary>
    private readonly int BinAt(double position)
    {
        Vector256<double> here = Vector256.Create(position);
        double span = _count - 1;
        Vector256<long> before = default;

        foreach (ref readonly Vector256<double> four in MemoryMarshal.Cast<double, Vector256<double>>(Edges))
        {
            before -= Vector256.LessThan(four * span, here).AsInt64();
        }

        return (int)Vector256.Sum(before);
    }

    /// <summary>Overwrites a place and moves what lies between it and the value's own by one.</summary>
    private void Insert(float value, int place)
    {
        Span<float> members = _members;

        for (; place > 0 && members[place - 1] > value; place--)
        {
            members[place] = members[place - 1];
        }

        for (; place < _count - 1 && members[place + 1] < value; place++)
        {
            members[place] = members[place + 1];
        }

        members[place] = value;
    }
}
