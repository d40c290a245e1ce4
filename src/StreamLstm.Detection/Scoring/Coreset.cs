using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace StreamLstm.Detection.Scoring;

/// <summary>A bounded set of vectors that stands for all it was shown: none is further from a member than about the radius.</summary>
/// <remarks>
/// A vector nearer than the radius to a member is not kept. When the set is full the radius grows to the 8 % quantile of
/// the members' distances to the nearest member before them, and members are kept greedily, oldest first, while they are
/// the radius apart. Only some 8 % can fall, so only they are looked up: no step costs more than a few hundred searches.
/// Components are kept as bytes, in steps of <c>step</c>; squared distances are whole numbers of steps, the same on
/// every machine. Members stand side by side, two dimensions of each at a time, as one multiplication takes them.
/// </remarks>
internal sealed class Coreset
{
    private const int TileMembers = 32;
    private const int ComponentMax = 127;

    /// <summary>Pairs of dimensions between two looks at whether a tile can still hold the nearest.</summary>
    private const int PairsPerLook = 2;

    private readonly int _dimension;
    private readonly int _pairs;
    private int _capacity;
    private readonly double _step;
    private sbyte[] _components = [];                         // (tiles, pairs, TileMembers, 2)
    private byte[] _nearestBefore = [];                       // (members): at least so far is the nearest earlier member, as SquaredSteps has it
    private int _radiusSquared;

    /// <summary>Where the last search ended: the next one begins with a good guess. No result depends on it.</summary>
    private int _hint;

    /// <param name="dimension">Components of a vector.</param>
    /// <param name="capacity">Members, at most.</param>
    /// <param name="step">To what components are rounded; they end at 127 of it.</param>
    public Coreset(int dimension, int capacity, double step)
    {
        _dimension = dimension;
        _pairs = (dimension + 1) / 2;
        _capacity = capacity;
        _step = step;
    }

    public int Count { get; private set; }

    /// <summary>How often members have been thought over: what was measured before says nothing after.</summary>
    public int Generation { get; private set; }

    /// <summary>Components of a quantised vector: the dimension, made even.</summary>
    public int CodeSize => 2 * _pairs;

    /// <summary>Rounds a vector (dimension) to a code (CodeSize).</summary>
    public void Quantise(ReadOnlySpan<float> vector, Span<sbyte> code)
    {
        code.Clear();

        for (int d = 0; d < _dimension; d++)
        {
            code[d] = (sbyte)Math.Clamp(Math.Round(vector[d] / _step), -ComponentMax, ComponentMax);
        }
    }

    /// <summary>Distance of <paramref name="vector"/> (dimension) to the nearest member; 0 while there is none.</summary>
    public double Novelty(ReadOnlySpan<float> vector)
    {
        Span<sbyte> code = stackalloc sbyte[CodeSize];
        Quantise(vector, code);
        return Count == 0 ? 0 : Distance(NearestSquared(code));
    }

    /// <summary>The same of squared steps.</summary>
    public double Distance(int squared) => _step * Math.Sqrt(squared);

    /// <summary>Squared steps from a code to the nearest member from <paramref name="first"/> on; <see cref="int.MaxValue"/> where there is none.</summary>
    public int NearestSquared(ReadOnlySpan<sbyte> code, int first = 0) => Nearest(code, first, Count, stopAt: -1);

    /// <summary>Whether a member stands for what is so many squared steps from it.</summary>
    public bool Represents(int squared) => Count > 0 && squared <= _radiusSquared;

    /// <summary>Takes the vector (dimension) in, unless a member stands for it.</summary>
    public void Add(ReadOnlySpan<float> vector)
    {
        Span<sbyte> code = stackalloc sbyte[CodeSize];
        Quantise(vector, code);
        Add(code, Nearest(code, 0, Count, stopAt: _radiusSquared));
    }

    /// <summary>Takes a code in, unless a member stands for it.</summary>
    /// <param name="code">(CodeSize).</param>
    /// <param name="nearest">Its squared steps to the nearest member, or to any within the radius.</param>
    public void Add(ReadOnlySpan<sbyte> code, int nearest)
    {
        if (Represents(nearest))
        {
            return;
        }

        if (Count == _capacity)
        {
            Thin();
        }

        Reserve(Count + 1);
        _nearestBefore[Count] = SquaredSteps.Code(nearest);
        Put(Count++, code);
    }

    /// <summary>Holds so many members from now on: more are thinned as ever when it is full.</summary>
    public void Resize(int members)
    {
        _capacity = members;

        if (Count > members)
        {
            Thin();
            Array.Resize(ref _nearestBefore, Tiles(members) * TileMembers);
            Array.Resize(ref _components, Tiles(members) * TileSize);
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Count);
        writer.Write(_radiusSquared);
        writer.Write(_nearestBefore.AsSpan(0, Count));
        writer.Write(MemoryMarshal.AsBytes(_components.AsSpan(0, Tiles(Count) * TileSize)));
    }

    public void Load(BinaryReader reader)
    {
        int count = reader.ReadInt32();

        if (count < 0 || count > _capacity)
        {
            throw new InvalidDataException($"coreset: {count} members, expected 0 to {_capacity}");
        }

        _radiusSquared = reader.ReadInt32();
        _nearestBefore = new byte[Tiles(count) * TileMembers];
        _components = new sbyte[Tiles(count) * TileSize];
        reader.BaseStream.ReadExactly(_nearestBefore.AsSpan(0, count));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_components.AsSpan()));
        Count = count;
    }

    private int TileSize => _pairs * TileMembers * 2;

    private static int Tiles(int count) => (count + TileMembers - 1) / TileMembers;

    private void Reserve(int count)
    {
        if (count > _nearestBefore.Length)
        {
            int tiles = Math.Min(Tiles(_capacity), Math.Max(1, 2 * _nearestBefore.Length / TileMembers));
            Array.Resize(ref _nearestBefore, tiles * TileMembers);
            Array.Resize(ref _components, tiles * TileSize);
        }
    }

    private void Put(int member, ReadOnlySpan<sbyte> code)
    {
        int at = Offset(member);

        for (int pair = 0; pair < _pairs; pair++, at += 2 * TileMembers)
        {
            _components[at] = code[2 * pair];
            _components[at + 1] = code[2 * pair + 1];
        }
    }

    private void Get(int member, Span<sbyte> code)
    {
        int at = Offset(member);

        for (int pair = 0; pair < _pairs; pair++, at += 2 * TileMembers)
        {
            code[2 * pair] = _components[at];
            code[2 * pair + 1] = _components[at + 1];
        }
    }

    private int Offset(int member) => member / TileMembers * TileSize + member % TileMembers * 2;

    private void Thin()
    {
        Generation++;
        _hint = 0;
        byte[] sorted = ArrayPool<byte>.Shared.Rent(Count);
        _nearestBefore.AsSpan(0, Count).CopyTo(sorted);
        Array.Sort(sorted, 0, Count);
        int radius = Math.Max((int)Math.Ceiling(1.02 * _radiusSquared), SquaredSteps.Of(sorted[(int)(0.08 * Count)]));
        ArrayPool<byte>.Shared.Return(sorted);
        Span<sbyte> code = stackalloc sbyte[CodeSize];

        for (; ; radius = (int)Math.Ceiling(1.2 * radius) + 1)
        {
            int kept = 0;

            for (int member = 0; member < Count; member++)
            {
                int nearest = SquaredSteps.Of(_nearestBefore[member]);
                Get(member, code);

                // Its nearest may have fallen since, or lie further away than is held: never nearer.
                if (nearest <= radius && kept > 0)
                {
                    nearest = Nearest(code, 0, kept, stopAt: radius);
                }

                if (nearest > radius || kept == 0)
                {
                    _nearestBefore[kept] = SquaredSteps.Code(nearest);
                    Put(kept++, code);
                }
            }

            Count = kept;
            _radiusSquared = radius;

            if (kept <= 0.97 * _capacity)
            {
                return;
            }
        }
    }

    /// <summary>Squared steps to the nearest of the members [first, end); any that is at most <paramref name="stopAt"/> will do.</summary>
    private int Nearest(ReadOnlySpan<sbyte> code, int first, int end, int stopAt)
    {
        if (first >= end)
        {
            return int.MaxValue;
        }

        // Neighbours in time are near each other: mostly this is the nearest already, and the rest is seen to be further.
        int best = Squared(code, Math.Clamp(_hint, first, end - 1));
        int from = first / TileMembers * TileMembers;
        ReadOnlySpan<short> pairs = MemoryMarshal.Cast<sbyte, short>(code);
        ref sbyte components = ref MemoryMarshal.GetArrayDataReference(_components);

        for (int tile = from; tile < end && best > stopAt; tile += TileMembers)
        {
            nuint at = (nuint)(tile / TileMembers * TileSize);
            Vector256<int> a = default, b = default, c = default, d = default;
            bool hopeless = false;

            for (int pair = 0; pair < pairs.Length; pair++, at += 2 * TileMembers)
            {
                Vector256<sbyte> low = Vector256.LoadUnsafe(ref components, at);
                Vector256<sbyte> high = Vector256.LoadUnsafe(ref components, at + TileMembers);

                Vector256<short> query = Vector256.WidenLower(Vector256.Create(pairs[pair]).AsSByte());
                a += SquaredLengths(Vector256.WidenLower(low) - query);
                b += SquaredLengths(Vector256.WidenUpper(low) - query);
                c += SquaredLengths(Vector256.WidenLower(high) - query);
                d += SquaredLengths(Vector256.WidenUpper(high) - query);

                if (pair % PairsPerLook == PairsPerLook - 1
                    && Vector256.GreaterThanOrEqualAll(
                        Vector256.Min(Vector256.Min(a, b), Vector256.Min(c, d)), Vector256.Create(best)))
                {
                    hopeless = true;
                    break;
                }
            }

            if (hopeless)
            {
                continue;
            }

            Take(a, tile, ref best);
            Take(b, tile + 8, ref best);
            Take(c, tile + 16, ref best);
            Take(d, tile + 24, ref best);
        }

        return best;

        void Take(Vector256<int> squared, int member, ref int least)
        {
            for (int lane = 0; lane < Vector256<int>.Count; lane++, member++)
            {
                if (member >= first && member < end && squared[lane] < least)
                {
                    least = squared[lane];
                    _hint = member;
                }
            }
        }
    }

    private int Squared(ReadOnlySpan<sbyte> code, int member)
    {
        Span<sbyte> other = stackalloc sbyte[CodeSize];
        Get(member, other);
        int squared = 0;

        for (int d = 0; d < code.Length; d++)
        {
            int difference = other[d] - code[d];
            squared += difference * difference;
        }

        return squared;
    }

    /// <summary>x^2 + y^2 of eight pairs.</summary>
    private static Vector256<int> SquaredLengths(Vector256<short> pairs)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.MultiplyAddAdjacent(pairs, pairs);
        }

        Vector256<int> x = Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(pairs.AsInt32(), 16), 16);
        Vector256<int> y = Vector256.ShiftRightArithmetic(pairs.AsInt32(), 16);
        return x * x + y * y;
    }
}
