namespace StreamLstm.Detection.Judging.Records;

/// <summary>Where a column's admitted values lie and how far they spread.</summary>
internal sealed class ColumnScale
{
    /// <summary>What the limits of the range lose per row towards the sample's extremes.</summary>
    private const double Shrink = 0.0005;

    private readonly UniformSample _values = new();
    private double _low = double.PositiveInfinity;
    private double _high = double.NegativeInfinity;

    public double Centre { get; private set; }

    public double Scale { get; private set; } = 1;

    public void Add(double value, ref SeededRandom random)
    {
        _values.Add(value, ref random);
        _low = Math.Min(_low, value);
        _high = Math.Max(_high, value);
    }

    /// <summary>Forgets all values; centre and scale stay until they are refreshed.</summary>
    public void Clear()
    {
        _values.Clear();
        _low = double.PositiveInfinity;
        _high = double.NegativeInfinity;
    }

    /// <summary>Takes what was added into account.</summary>
    /// <param name="rows">Rows since the last time.</param>
    /// <param name="origin">What was taken off every value.</param>
    public void Refresh(int rows, double origin)
    {
        if (_values.Count == 0)
        {
            return;
        }

        double kept = Math.Pow(1 - Shrink, rows);
        _low = _values.Sorted[0] + kept * (_low - _values.Sorted[0]);
        _high = _values.Sorted[^1] + kept * (_high - _values.Sorted[^1]);
        Centre = _values.Quantile(0.5);
        double scale = Math.Max(
            (_values.Quantile(0.75) - _values.Quantile(0.25)) / 1.35,
            Math.Max((_values.Quantile(0.95) - _values.Quantile(0.05)) / 3.29, 0.1 * (_high - _low)));
        Scale = Math.Max(scale > 0 ? scale : 0.001 * Math.Abs(origin + Centre), 1e-6);
    }

    public void Save(BinaryWriter writer)
    {
        _values.Save(writer);
        writer.Write(_low);
        writer.Write(_high);
        writer.Write(Centre);
        writer.Write(Scale);
    }

    public void Load(BinaryReader reader)
    {
        _values.Load(reader);
        _low = reader.ReadDouble();
        _high = reader.ReadDouble();
        Centre = reader.ReadDouble();
        Scale = reader.ReadDouble();
    }
}
