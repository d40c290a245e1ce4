using System.Numerics;

namespace StreamLstm.Detection.Scoring;

/// <summary>A bounded set of vectors that stands for all it was shown: none is further from a member than about the radius.</summary>
/// <remarks>
/// A vector nearer than the radius to a member is not kept. When the set is full the radius grows to the 8 % quantile of
/// the members' distances to the nearest member before them, and members are kept greedily, oldest first, while they are
/// the radius apart. Only the 8 % can fall, so only they are looked up: no step costs more than a few hundred searches.
/// Components are kept as bytes, in steps of <c>step</c>; squared distances are whole numbers of steps, the same on
/// every machine. A lane is a member, 64 of them stand side by side.
/// </remarks>
internal sealed class Coreset(int dimension, int capacity, double step)
{
    private const int TileMembers = 64;

    /// <summary>Dimensions between two looks at whether a block of members can still hold the nearest.</summary>
    private const int DimensionsPerLook = 4;

    private const int ComponentMax = 127;

    private sbyte[] _components = [];                         // (tiles, dimension, TileMembers)
    private int[] _nearestBefore = [];                        // (members): squared distance to the nearest earlier member
    private int _radiusSquared;

    public int Count { get; private set; }

    /// <summary>Distance of <paramref name="vector"/> (dimension) to the nearest member; 0 while there is none.</summary>
    /// <param name="vector">(dimension).</param>
    /// <param name="limit">Components beyond it, the members' too, count as it.</param>
    public double Novelty(ReadOnlySpan<float> vector, double limit = double.PositiveInfinity)
    {
        if (Count == 0)
        {
            return 0;
        }

        Span<short> query = stackalloc short[dimension];
        int steps = (int)Math.Min(Math.Round(limit / step), ComponentMax);
        Quantise(vector, query, steps);
        return step * Math.Sqrt(NearestSquared(query, Count, stopAt: -1, (sbyte)steps));
    }

    /// <summary>Takes the vector (dimension) in, unless a member stands for it.</summary>
    public void Add(ReadOnlySpan<float> vector)
    {
        Span<short> query = stackalloc short[dimension];
        Quantise(vector, query);
        int nearest = Count == 0 ? int.MaxValue : NearestSquared(query, Count, stopAt: _radiusSquared);

        if (nearest <= _radiusSquared)
        {
            return;
        }

        if (Count == capacity)
        {
            Thin();
        }

        Reserve(Count + 1);
        _nearestBefore[Count] = nearest;
        Put(Count++, query);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Count);
        writer.Write(_radiusSquared);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_nearestBefore.AsSpan(0, Count)));
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_components.AsSpan(0, Tiles(Count) * dimension * TileMembers)));
    }

    public void Load(BinaryReader reader)
    {
        int count = reader.ReadInt32();

        if (count < 0 || count > capacity)
        {
            throw new InvalidDataException($"coreset: {count} members, expected 0 to {capacity}");
        }

        _radiusSquared = reader.ReadInt32();
        _nearestBefore = new int[Tiles(count) * TileMembers];
        _components = new sbyte[Tiles(count) * dimension * TileMembers];
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_nearestBefore.AsSpan(0, count)));
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_components.AsSpan()));
        Count = count;
    }

    private static int Tiles(int count) => (count + TileMembers - 1) / TileMembers;

    private void Quantise(ReadOnlySpan<float> vector, Span<short> query, int limit = ComponentMax)
    {
        for (int d = 0; d < query.Length; d++)
        {
            query[d] = (short)Math.Clamp(Math.Round(vector[d] / step), -limit, limit);
        }
    }

    private void Reserve(int count)
    {
        if (count > _nearestBefore.Length)
        {
            int tiles = Math.Min(Tiles(capacity), Math.Max(1, 2 * _nearestBefore.Length / TileMembers));
            Array.Resize(ref _nearestBefore, tiles * TileMembers);
            Array.Resize(ref _components, tiles * dimension * TileMembers);
        }
    }

    private void Put(int member, ReadOnlySpan<short> vector)
    {
        int at = Offset(member);

        for (int d = 0; d < dimension; d++)
        {
            _components[at + d * TileMembers] = (sbyte)vector[d];
        }
    }

    private void Get(int member, Span<short> vector)
    {
        int at = Offset(member);

        for (int d = 0; d < dimension; d++)
        {
            vector[d] = _components[at + d * TileMembers];
        }
    }

    private int Offset(int member) => member / TileMembers * dimension * TileMembers + member % TileMembers;

    private void Thin()
    {
        int[] sorted = _nearestBefore[..Count];
        Array.Sort(sorted);
        int radius = Math.Max((int)Math.Ceiling(1.02 * _radiusSquared), sorted[(int)(0.08 * Count)]);
        Span<short> vector = stackalloc short[dimension];

        for (; ; radius = (int)Math.Ceiling(1.2 * radius) + 1)
        {
            int kept = 0;

            for (int member = 0; member < Count; member++)
            {
                int nearest = _nearestBefore[member];
                Get(member, vector);

                // Its nearest may have fallen since.
                if (nearest <= radius && kept > 0)
                {
                    nearest = NearestSquared(vector, kept, stopAt: radius);
                }

                if (nearest > radius || kept == 0)
                {
                    _nearestBefore[kept] = nearest;
                    Put(kept++, vector);
                }
            }

            Count = kept;
            _radiusSquared = radius;

            if (kept <= 0.97 * capacity)
            {
                return;
            }
        }
    }

    /// <summary>Squared distance to the nearest of the first <paramref name="count"/> members, in steps; any that is at most <paramref name="stopAt"/> will do.</summary>
    private int NearestSquared(ReadOnlySpan<short> query, int count, int stopAt, sbyte limit = ComponentMax)
    {
        var top = new Vector<sbyte>(limit);
        uint best = int.MaxValue;
        int width = Vector<sbyte>.Count;
        int quarter = Vector<uint>.Count;
        Span<uint> lanes = stackalloc uint[TileMembers];

        for (int first = 0; first < count; first += width)
        {
            int at = Offset(first);
            Vector<uint> a = default, b = default, c = default, e = default;
            bool hopeless = false;

            for (int d = 0; d < query.Length; d++)
            {
                Vector<sbyte> members = Vector.Min(top, Vector.Max(-top, new Vector<sbyte>(_components, at + d * TileMembers)));
                Vector.Widen(members, out Vector<short> low, out Vector<short> high);
                var q = new Vector<short>(query[d]);
                low -= q;
                high -= q;

                // At most 254 squared, which 16 bits hold.
                Vector.Widen(Vector.AsVectorUInt16(low * low), out Vector<uint> low0, out Vector<uint> low1);
                Vector.Widen(Vector.AsVectorUInt16(high * high), out Vector<uint> high0, out Vector<uint> high1);
                a += low0;
                b += low1;
                c += high0;
                e += high1;

                if (d % DimensionsPerLook == DimensionsPerLook - 1)
                {
                    Vector<uint> smallest = Vector.Min(Vector.Min(a, b), Vector.Min(c, e));

                    if (Vector.GreaterThanOrEqualAll(smallest, new Vector<uint>(best)))
                    {
                        hopeless = true;
                        break;
                    }
                }
            }

            if (hopeless)
            {
                continue;
            }

            a.CopyTo(lanes);
            b.CopyTo(lanes[quarter..]);
            c.CopyTo(lanes[(2 * quarter)..]);
            e.CopyTo(lanes[(3 * quarter)..]);

            for (int lane = 0; lane < Math.Min(width, count - first); lane++)
            {
                best = Math.Min(best, lanes[lane]);
            }

            if ((int)best <= stopAt)
            {
                break;
            }
        }

        return (int)best;
    }
}
