using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Scaling;

/// <summary>A bounded random sample like <see cref="SortedReservoir"/> in half the bytes, for what nobody compares for equality: means and differences.</summary>
/// <remarks>
/// Members are floats, as distances from an origin near their middle: they are as exact as the members lie close together, however far
/// from 0 that is.
/// </remarks>
/// <param name="capacity">Members, at most.</param>
/// <param name="horizon">Of about how many of the last values it is a sample.</param>
internal sealed class FloatReservoir(int capacity, int horizon)
{
    /// <summary>Members there is room for from the first on.</summary>
    private const int MembersFirst = 8;

    /// <summary>Quartile distances that the middle may be away from the origin: of 24 bits fourteen are left to tell the middle half apart.</summary>
    private const float FarMax = 1024;

    private int _capacity = capacity;
    private float[] _sorted = [];
    private double _origin;

    /// <summary>Members.</summary>
    public int Count { get; private set; }

    private ReadOnlySpan<float> Distances => _sorted.AsSpan(0, Count);

    /// <summary>A member, the least being 0.</summary>
    public double this[int member] => _origin + _sorted[member];

    public void Add(double value, ref SeededRandom random)
    {
        if (Count < _capacity)
        {
            if (Count == _sorted.Length)
            {
                Array.Resize(ref _sorted, Math.Min(_capacity, Math.Max(MembersFirst, 2 * _sorted.Length)));
            }

            _origin = Count == 0 ? value : _origin;
            Replace(Count, DistanceOf(value));
            Count++;
        }
        else if (random.NextDouble() < (double)_capacity / horizon)
        {
            Replace(random.Next(_capacity), DistanceOf(value));
        }
        else
        {
            return;
        }

        float middle = _sorted[Count / 2], width = _sorted[3 * Count / 4] - _sorted[Count / 4];

        if (Math.Abs(middle) > FarMax * width)
        {
            Move(_origin + middle);
        }
    }

    /// <summary>Holds so many members from now on: of more it keeps as many that lie evenly among them.</summary>
    public void Resize(int members)
    {
        if (Count > members)
        {
            _sorted = Ordered.Thinned(Distances, members);
            Count = members;
        }

        _capacity = members;
    }

    /// <summary>The value below which a share of <paramref name="probability"/> lies, interpolated; NaN when empty.</summary>
    public double Quantile(double probability) => _origin + Ordered.Quantile(Distances, probability);

    /// <summary>How many members are smaller than <paramref name="value"/>.</summary>
    public int CountLess(double value) => Ordered.CountLess(Distances, value - _origin);

    public void Save(BinaryWriter writer)
    {
        writer.Write(Count);
        writer.Write(_origin);
        writer.Write(MemoryMarshal.AsBytes(_sorted.AsSpan(0, Count)));
    }

    public void Load(BinaryReader reader)
    {
        int count = reader.ReadInt32();

        if (count < 0 || count > _capacity)
        {
            throw new InvalidDataException($"reservoir: {count} members, expected 0 to {_capacity}");
        }

        (Count, _origin) = (count, reader.ReadDouble());
        _sorted = new float[count];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_sorted.AsSpan()));
    }

    /// <summary>What no float reaches is as far as one does: infinities would make no number of the next distance.</summary>
    private float DistanceOf(double value) => (float)Math.Clamp(value - _origin, float.MinValue, float.MaxValue);

    /// <summary>Overwrites the slot, of a member or behind the last, and moves what lies between it and the place of the new one by one.</summary>
    private void Replace(int slot, float distance)
    {
        int place = Ordered.CountLess(Distances, distance);

        if (slot < place)
        {
            place--;
            Array.Copy(_sorted, slot + 1, _sorted, slot, place - slot);
        }
        else if (slot > place)
        {
            Array.Copy(_sorted, place, _sorted, place + 1, slot - place);
        }

        _sorted[place] = distance;
    }

    private void Move(double origin)
    {
        double by = _origin - origin;
        _origin = origin;

        foreach (ref float distance in _sorted.AsSpan(0, Count))
        {
            distance = (float)(distance + by);
        }
    }
}
