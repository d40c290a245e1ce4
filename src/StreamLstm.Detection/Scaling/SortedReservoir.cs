namespace StreamLstm.Detection.Scaling;

/// <summary>A bounded random sample of a stream's values, kept in order, so that ranks and quantiles are look-ups.</summary>
/// <remarks>
/// Once it is full every newcomer enters with probability capacity / horizon in place of any other, so that the sample stands
/// for about the last horizon values (a reservoir biased towards the present, Aggarwal 2006). What was wild once is let go of.
/// </remarks>
internal sealed class SortedReservoir(int capacity, int horizon)
{
    private int _capacity = capacity;
    /// <summary>Members there is room for from the first on.</summary>
    private const int MembersFirst = 8;

    private double[] _sorted = [];

    public int Count { get; private set; }

    public double Min => _sorted[0];

    public double Max => _sorted[Count - 1];

    public ReadOnlySpan<double> Sorted => _sorted.AsSpan(0, Count);

    public void Add(double value, ref SeededRandom random)
    {
        if (Count < _capacity)
        {
            if (Count == _sorted.Length)
            {
                Array.Resize(ref _sorted, Math.Min(_capacity, Math.Max(MembersFirst, 2 * _sorted.Length)));
            }

            Replace(Count++, value);
            return;
        }

        if (random.NextDouble() < (double)_capacity / horizon)
        {
            Replace(random.Next(_capacity), value);
        }
    }

    /// <summary>Holds so many members from now on: of more it keeps as many that lie evenly among them.</summary>
    public void Resize(int members)
    {
        if (Count > members)
        {
            _sorted = Ordered.Thinned(Sorted, members);
            Count = members;
        }

        _capacity = members;
    }

    /// <summary>The value below which a share of <paramref name="probability"/> lies, interpolated; NaN when empty.</summary>
    public double Quantile(double probability) => Ordered.Quantile(Sorted, probability);

    /// <summary>How many members are smaller than <paramref name="value"/>.</summary>
    public int CountLess(double value) => Ordered.CountLess(Sorted, value);

    /// <summary>How many members are smaller than <paramref name="value"/> or equal to it.</summary>
    public int CountLessOrEqual(double value) => CountLess(double.BitIncrement(value));

    /// <summary>Centre of the member's rank in [-0.5, 0.5], ties at their middle.</summary>
    public double CentredRank(double value)
    {
        if (Count == 0)
        {
            return 0;
        }

        // Most values have no equals: where the next member is larger, as many are smaller or equal as are smaller.
        int less = CountLess(value), equal = less < Count && _sorted[less] <= value ? Ordered.CountLess(Sorted[less..], double.BitIncrement(value)) : 0;
        return (less + less + equal) / (2.0 * Count) - 0.5;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Count);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Sorted));
    }

    public void Load(BinaryReader reader)
    {
        int count = reader.ReadInt32();

        if (count < 0 || count > _capacity)
        {
            throw new InvalidDataException($"reservoir: {count} members, expected 0 to {_capacity}");
        }

        Count = count;
        _sorted = new double[count];
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_sorted.AsSpan(0, count)));
    }

    /// <summary>Overwrites the slot and moves what lies between it and the value's place by one.</summary>
    private void Replace(int slot, double value)
    {
        // Counts the member that goes as well, which lies below the value exactly when slot < place.
        int place = Ordered.CountLess<double>(_sorted.AsSpan(0, slot == Count - 1 ? slot : Count), value);

        if (slot < place)
        {
            place--;
            Array.Copy(_sorted, slot + 1, _sorted, slot, place - slot);
        }
        else if (slot > place)
        {
            Array.Copy(_sorted, place, _sorted, place + 1, slot - place);
        }

        _sorted[place] = value;
    }
}
