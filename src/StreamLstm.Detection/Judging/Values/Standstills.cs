namespace StreamLstm.Detection.Judging.Values;

/// <summary>How long a value has not changed at all, and how long it has stood still at the same value before.</summary>
/// <remarks>A load that is often at 0 or 100 % stands still there; that says nothing of standing still at 37.4.</remarks>
internal sealed class Standstills
{
    private const int ValuesMax = 32;

    /// <summary>Rows of a run that rounding alone may make, where nothing is known.</summary>
    private const int RowsKnown = 3;

    /// <summary>A run of twice the longest one at that value is odd.</summary>
    private const double PerKnownRow = 1.5;

    private const double PerDoubling = 6;

    private readonly Dictionary<double, int> _longest = [];

    /// <summary>Rows the value has not changed for.</summary>
    public int Rows { get; private set; }

    /// <summary>Takes a value, and gives the logarithm of how long it has stood still, against what it has before.</summary>
    /// <remarks>Short runs too: where rounding makes many of two rows one of four is not rare, and the tail can only know that by having seen them.</remarks>
    public double Observe(double value, double previous, bool isSpared)
    {
        if (value.Equals(previous))
        {
            Rows++;
        }
        else
        {
            Learn(previous, isSpared);
            Rows = 0;
        }

        return PerDoubling * Math.Log2(Rows / (RowsKnown + PerKnownRow * _longest.GetValueOrDefault(value)) + 1);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Rows);
        writer.Write(_longest.Count);

        foreach ((double value, int rows) in _longest)
        {
            writer.Write(value);
            writer.Write(rows);
        }
    }

    public void Load(BinaryReader reader)
    {
        Rows = reader.ReadInt32();
        _longest.Clear();
        int count = reader.ReadInt32();

        if (count is < 0 or > ValuesMax)
        {
            throw new InvalidDataException($"standstills: {count} values, expected at most {ValuesMax}");
        }

        for (; count > 0; count--)
        {
            _longest[reader.ReadDouble()] = reader.ReadInt32();
        }
    }

    private void Learn(double value, bool isSpared)
    {
        if (isSpared || Rows <= RowsKnown || Rows <= _longest.GetValueOrDefault(value))
        {
            return;
        }

        _longest[value] = Rows;

        if (_longest.Count > ValuesMax)
        {
            _longest.Remove(_longest.MinBy(known => known.Value).Key);
        }
    }
}
