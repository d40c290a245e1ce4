using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>One column of a record as the joint network sees it: what it is told of the column, what it forecasts, and how far to trust it.</summary>
/// <remarks>
/// What is forecast is the column's next value, or its next change where changes are the smaller of the two: a bin of 32
/// says little of where a column that moves slowly goes next. Beside the network stands the marginal, all values or
/// changes so far; for changes that is persistence with a band.
/// </remarks>
internal sealed class ColumnForecast
{
    /// <summary>What the network is told of a column in a row: its rank, and its last change.</summary>
    public const int InputSize = 2;

    /// <summary>What a row without a value has for a bin.</summary>
    public const sbyte NoBin = -1;

    /// <summary>Values before there are bins.</summary>
    private const int FirstBins = 32;

    /// <summary>Values and changes kept, and about how many rows they stand for.</summary>
    private const int Kept = 512;
    private const int KeptRows = 2048;

    /// <summary>Rows without a value after which nothing is said of the next: a band for one step is none for as many.</summary>
    private const int SilentRows = 16;

    /// <summary>Share by which the trust in network and marginal returns to even per row: the better one may change.</summary>
    private const double FixedShare = 0.01;

    /// <summary>Mean size of the changes over that of the values' distances from their median: below the first changes are forecast, above the second values.</summary>
    private const double ChangesBelow = 0.7, ValuesAbove = 1;

    /// <summary>Weight of a row in these means.</summary>
    private const double SizeShare = 1.0 / 256;

    private readonly SortedReservoir _values = new(Kept, KeptRows);
    private readonly SortedReservoir _changes = new(Kept, KeptRows);
    private readonly QuantileBins _bins = new();
    private double _changeScale = 1;
    private double _last = double.NaN;
    private double _trust = 0.5;
    private double _distance;
    private double _changeSize;
    private int _silentRows;

    /// <summary>Whether there are bins: before, the column is neither forecast nor learnt.</summary>
    public bool HasBins { get; private set; }

    /// <summary>Whether its changes are forecast rather than its values.</summary>
    public bool IsByChange { get; private set; }

    /// <summary>Share of the forecast target in each bin: (Count).</summary>
    public ReadOnlySpan<float> Marginal => _bins.Marginal;

    private SortedReservoir Targets => IsByChange ? _changes : _values;

    /// <summary>What was last has nothing to do with what comes: there is no change between them.</summary>
    public void Reset() => _last = double.NaN;

    /// <summary>Median and 98 % band of the value that comes next; null where nothing can be said of it.</summary>
    /// <param name="network">What the network forecasts: (Count).</param>
    public (double Median, double Lower, double Upper)? Expect(ReadOnlySpan<float> network)
    {
        if (!HasBins || _silentRows > SilentRows || (IsByChange && double.IsNaN(_last)))
        {
            return null;
        }

        Span<float> mixture = stackalloc float[QuantileBins.Count];
        Mix(network, mixture);
        double origin = IsByChange ? _last : 0;
        return (
            origin + _bins.QuantileOf(mixture, 0.5, Targets),
            origin + _bins.QuantileOf(mixture, 0.01, Targets),
            origin + _bins.QuantileOf(mixture, 0.99, Targets));
    }

    /// <summary>Believes more in the one that gave a value more probability.</summary>
    public void Trust(double value, ReadOnlySpan<float> network)
    {
        sbyte bin = BinOf(value);

        if (bin == NoBin)
        {
            return;
        }

        // Bayes.
        double byNetwork = _trust * network[bin];
        double byMarginal = (1 - _trust) * _bins.Marginal[bin];
        double trust = byNetwork + byMarginal > 0 ? byNetwork / (byNetwork + byMarginal) : 0.5;
        _trust = (1 - FixedShare) * trust + FixedShare * 0.5;
    }

    /// <summary>Takes a value for the column's last.</summary>
    /// <param name="value">NaN where the record has none.</param>
    /// <param name="learns">Whether it counts as one of the column's.</param>
    /// <param name="input">(InputSize): what the network is told.</param>
    /// <param name="random">For samples.</param>
    /// <returns>The bin that was to be forecast, or <see cref="NoBin"/>.</returns>
    public sbyte Take(double value, bool learns, Span<float> input, ref SeededRandom random)
    {
        input.Clear();

        if (double.IsNaN(value))
        {
            _silentRows = Math.Min(_silentRows, SilentRows) + 1;
            return NoBin;
        }

        _silentRows = 0;

        double change = value - _last;
        sbyte bin = BinOf(value);
        input[0] = (float)(3 * _values.CentredRank(value));
        input[1] = double.IsNaN(change) ? 0 : (float)(0.7 * Math.Asinh(change / _changeScale));

        if (learns)
        {
            _values.Add(value, ref random);
        }

        if (learns && !double.IsNaN(change))
        {
            _changes.Add(change, ref random);
            _distance += SizeShare * (Math.Abs(value - _values.Quantile(0.5)) - _distance);
            _changeSize += SizeShare * (Math.Abs(change) - _changeSize);
        }

        _last = value;
        return bin;
    }

    /// <summary>Looks at the column as a whole; true where something else is forecast from now on, so that bins mean something else.</summary>
    public bool Refresh()
    {
        if (Math.Min(_values.Count, _changes.Count) < FirstBins)
        {
            return false;
        }

        bool byChange = IsByChange ? _changeSize <= ValuesAbove * _distance : _changeSize < ChangesBelow * _distance;
        bool begins = !HasBins || byChange != IsByChange;
        IsByChange = byChange;
        HasBins = true;
        _bins.Refresh(Targets);
        double usual = Math.Max(_changes.Quantile(0.9), -_changes.Quantile(0.1));
        _changeScale = usual > 0 ? usual : 0.1 * ValueScale.Of(_values).Scale;
        _trust = begins ? 0.5 : _trust;
        return begins;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(HasBins);
        writer.Write(IsByChange);
        writer.Write(_changeScale);
        writer.Write(_last);
        writer.Write(_trust);
        writer.Write(_distance);
        writer.Write(_changeSize);
        writer.Write(_silentRows);
        _values.Save(writer);
        _changes.Save(writer);
        _bins.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        HasBins = reader.ReadBoolean();
        IsByChange = reader.ReadBoolean();
        _changeScale = reader.ReadDouble();
        _last = reader.ReadDouble();
        _trust = reader.ReadDouble();
        _distance = reader.ReadDouble();
        _changeSize = reader.ReadDouble();
        _silentRows = reader.ReadInt32();
        _values.Load(reader);
        _changes.Load(reader);
        _bins.Load(reader);
    }

    private sbyte BinOf(double value)
    {
        double target = IsByChange ? value - _last : value;
        return HasBins && !double.IsNaN(target) ? (sbyte)_bins.BinOf(target) : NoBin;
    }

    private void Mix(ReadOnlySpan<float> network, Span<float> mixture)
    {
        for (int bin = 0; bin < mixture.Length; bin++)
        {
            mixture[bin] = (float)(_trust * network[bin] + (1 - _trust) * _bins.Marginal[bin]);
        }
    }
}
