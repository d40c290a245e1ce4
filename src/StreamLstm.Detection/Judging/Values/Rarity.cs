using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>Rarity of the stream's single values, on the scale y, in which heavy tails are short.</summary>
internal sealed class Rarity
{
    /// <summary>Weights of the means over about 8 and 32 rows.</summary>
    private const double Weight8 = 0.2;
    private const double Weight32 = 0.06;

    /// <summary>Members of which the largest distances make the tail.</summary>
    private const int KeptMax = 24;

    private const double PriorCount = 6;
    private const double PriorRatio = 0.15;

    /// <summary>One wild value counts for this much, as a logarithm of usual distances.</summary>
    private const double LogMax = 4;

    private double _usual = 1;      // the distance nine tenths of the sample keep
    private double _outer = 1;      // the k-th largest distance
    private double _meanExcess = 1;
    private int _kept;
    private int _members;

    /// <summary>The value's distance, in y.</summary>
    public double Distance { get; private set; }

    /// <summary>Means of its logarithm over usual distances, over about 8 and 32 rows.</summary>
    public double Mean8 { get; private set; }

    public double Mean32 { get; private set; }

    /// <summary>What values can be told apart by, in y.</summary>
    public double Unit { get; private set; } = 0.005;

    /// <summary>Takes a value.</summary>
    public void Observe(double value, SortedReservoir history, ValueScale scale)
    {
        Distance = Nearest.Distance(history, value, scale);
        double log = Math.Min(LogMax, Math.Log(1 + Distance / Math.Max(_usual, Unit)));
        Mean8 += Weight8 * (log - Mean8);
        Mean32 += Weight32 * (log - Mean32);
    }

    /// <summary>Decades of blocks of rows between two values that far from the sample, by the sample's own distances.</summary>
    public double Score()
    {
        if (_kept == 0)
        {
            return 0;
        }

        double decades = Math.Max(0, Math.Log10(_members / (double)(CleanTail.BlockRows * _kept)));
        double known = _kept + PriorCount;
        return Distance <= _outer
            ? decades * Distance / Math.Max(_outer, 1e-12)
            : decades + known * Math.Log10(1 + (Distance - _outer) / (known * _meanExcess));
    }

    /// <summary>Measures the sample's distances anew.</summary>
    /// <param name="history">The stream's values.</param>
    /// <param name="scale">The stream's scale.</param>
    /// <param name="resolution">The smallest difference between two of its values.</param>
    /// <param name="room">Twice as much as the history holds.</param>
    public void Refresh(SortedReservoir history, ValueScale scale, double resolution, Span<double> room)
    {
        int count = history.Count;

        if (count < 32)
        {
            return;
        }

        Unit = Math.Max(resolution / scale.Scale, 0.005);
        Span<double> y = room[..count], distances = room.Slice(count, count);

        for (int i = 0; i < count; i++)
        {
            y[i] = scale.Y(history.Sorted[i]);
        }

        for (int i = 0; i < count; i++)
        {
            distances[i] = Nearest.Distance(y, y[i], i, skip: 1);
        }

        distances.Sort();
        _members = count;
        _kept = Math.Clamp(count / 64, 2, KeptMax);
        _usual = distances[(int)(0.9 * count)];
        _outer = distances[^_kept];
        double sum = 0;

        foreach (double distance in distances[^_kept..])
        {
            sum += Math.Min(distance - _outer, 4 * Math.Max(_outer, Unit));
        }

        double prior = Math.Max(Unit, PriorRatio * _outer);
        _meanExcess = Math.Max(0.3 * prior, (sum + PriorCount * prior) / (_kept + PriorCount));
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double value in (ReadOnlySpan<double>)[_usual, _outer, _meanExcess, Distance, Mean8, Mean32, Unit])
        {
            writer.Write(value);
        }

        writer.Write(_kept);
        writer.Write(_members);
    }

    public void Load(BinaryReader reader)
    {
        (_usual, _outer, _meanExcess, Distance) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (Mean8, Mean32, Unit) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        _kept = reader.ReadInt32();
        _members = reader.ReadInt32();
    }
}
