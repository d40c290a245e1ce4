namespace StreamLstm.Detection.Judging.Values;

/// <summary>How far values are from those one season before: at once, and for how long.</summary>
internal sealed class SeasonTrack
{
    /// <summary>Weights of a new value in the means over about 8, 32 and 128 rows, and in what a jump is measured from.</summary>
    private const double Weight8 = 0.2;
    private const double Weight32 = 0.05;
    private const double Weight128 = 0.0155;
    private const double WeightJump = 0.1;

    /// <summary>Rows that teach by how much each season lies above the one before, and those that the guess that it does not is worth.</summary>
    private const int TrendRows = 1024;
    private const int TrendPrior = 256;

    private double _base;
    private double _trend;
    private int _trendRows;
    private long _before = -1;

    /// <summary>Size of the last difference, apart from what has been usual for the last few.</summary>
    public double Jump { get; private set; }

    /// <summary>Means of the differences, signed.</summary>
    public double Mean8 { get; private set; }

    public double Mean32 { get; private set; }

    public double Mean128 { get; private set; }

    /// <summary>Mean size of the jumps over about 16 rows.</summary>
    public double Scatter { get; private set; }

    /// <summary>Takes a difference.</summary>
    /// <param name="difference">From the value one season before.</param>
    /// <param name="before">The row of that one.</param>
    /// <param name="acceptedFrom">The first row of what was accepted last: that the season before has come to it is news to nobody.</param>
    /// <param name="isSpared">Whether nothing is learnt now of how seasons rise or fall.</param>
    public void Observe(double difference, long before, long acceptedFrom, bool isSpared)
    {
        // What rises lies above its last season each time: that is no news, and would hide what is.
        difference -= _trend;

        if (!isSpared)
        {
            _trendRows = Math.Min(TrendRows, _trendRows + 1);
            _trend += difference / (_trendRows + TrendPrior);
        }

        if (_before < acceptedFrom && before >= acceptedFrom)
        {
            Forget();
            _base = difference;
        }

        _before = before;
        Jump = Math.Abs(difference - _base);
        _base += WeightJump * (difference - _base);
        Mean8 += Weight8 * (difference - Mean8);
        Mean32 += Weight32 * (difference - Mean32);
        Mean128 += Weight128 * (difference - Mean128);
        Scatter += Weight32 * (Math.Abs(difference - _base) - Scatter);
    }

    /// <summary>Forgets all: what comes is held against another season.</summary>
    public void Clear()
    {
        Forget();
        (_trend, _trendRows) = (0, 0);
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double value in (ReadOnlySpan<double>)[_base, Jump, Mean8, Mean32, Mean128, Scatter, _trend])
        {
            writer.Write(value);
        }

        writer.Write(_trendRows);
        writer.Write(_before);
    }

    public void Load(BinaryReader reader)
    {
        (_base, Jump, Mean8) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (Mean32, Mean128, Scatter, _trend) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        _trendRows = reader.ReadInt32();
        _before = reader.ReadInt64();
    }

    private void Forget() => _base = Jump = Mean8 = Mean32 = Mean128 = Scatter = 0;
}
