using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>How long a stream's swings about its middle take, and how far they reach: for cycles that no fixed period tells.</summary>
/// <remarks>A cycle begins where the value has been low (below the 35 % quantile) and comes to be high (above the 65 % one).</remarks>
internal sealed class Cycles
{
    private const double Low = 0.35;
    private const double High = 0.65;

    /// <summary>Share of the range by which the two must differ, and may move before they count as others.</summary>
    private const double Apart = 0.05;
    private const double Moved = 0.15;

    private const int ToldRows = 4;

    private readonly BoundedSample _lengths = new();
    private readonly BoundedSample _peaks = new();
    private readonly BoundedSample _troughs = new();
    private double _low = double.NaN;
    private double _high;
    private bool _isUp;
    private long _began = -1;
    private double _peak, _trough;
    private double _short, _peakHigh, _peakLow;
    private int _told;

    /// <summary>Whether enough cycles are known.</summary>
    public bool IsKnown => _lengths.IsKnown;

    /// <summary>Decades by which the present cycle is longer than any.</summary>
    public double Long { get; private set; }

    /// <summary>Decades by which the last one was shorter.</summary>
    public double Short => _told > 0 ? _short : 0;

    /// <summary>Decades by which its peak or its trough lay higher than any.</summary>
    public double PeakHigh => _told > 0 ? _peakHigh : 0;

    /// <summary>The same for lower.</summary>
    public double PeakLow => _told > 0 ? _peakLow : 0;

    /// <summary>Rows of the present cycle, and of the longest.</summary>
    public (long Rows, double Longest) Present { get; private set; }

    /// <summary>Looks for the middle among the stream's values: at every doubling of its age, then every 2,048 rows.</summary>
    public void Refresh(SortedReservoir history, long rows)
    {
        if (rows < 256 || (!long.IsPow2(rows) && rows % 2048 != 0))
        {
            return;
        }

        double bottom = history.Quantile(0.05), top = history.Quantile(0.95), range = top - bottom;
        double low = history.Quantile(Low), high = history.Quantile(High);

        if (!(high - low > Apart * range))
        {
            // Most values are alike: the middle of the range parts them from the others.
            (low, high) = ((bottom + top) / 2 - Moved * range, (bottom + top) / 2 + Moved * range);
        }

        if (range > 0 && !(Math.Abs(low - _low) <= Moved * range && Math.Abs(high - _high) <= Moved * range))
        {
            (_low, _high) = (low, high);
        }
    }

    /// <summary>Takes a value; where it ends a cycle, that teaches unless <paramref name="isSpared"/>.</summary>
    public void Observe(long row, double value, ValueScale scale, bool isSpared)
    {
        Long = 0;
        _told--;

        if (double.IsNaN(_low))
        {
            return;
        }

        double y = scale.Y(value);
        (_peak, _trough) = (Math.Max(_peak, y), Math.Min(_trough, y));

        if (!_isUp && value > _high)
        {
            _isUp = true;

            if (_began >= 0)
            {
                End(Math.Log(row - _began), isSpared);
            }

            (_began, _peak, _trough) = (row, y, y);
        }
        else if (_isUp && value < _low)
        {
            _isUp = false;
        }

        if (_began >= 0)
        {
            Long = _lengths.Above(Math.Log(row - _began + 1));
            Present = (row - _began + 1, Math.Exp(_lengths.Greatest));
        }
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double value in (ReadOnlySpan<double>)[_low, _high, _peak, _trough, _short, _peakHigh, _peakLow])
        {
            writer.Write(value);
        }

        writer.Write(_isUp);
        writer.Write(_began);
        writer.Write(_told);
        _lengths.Save(writer);
        _peaks.Save(writer);
        _troughs.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        (_low, _high, _peak, _trough) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_short, _peakHigh, _peakLow) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        _isUp = reader.ReadBoolean();
        _began = reader.ReadInt64();
        _told = reader.ReadInt32();
        _lengths.Load(reader);
        _peaks.Load(reader);
        _troughs.Load(reader);
    }

    private void End(double length, bool isSpared)
    {
        _short = _lengths.Below(length);
        _peakHigh = Math.Max(_peaks.Above(_peak), _troughs.Above(_trough));
        _peakLow = Math.Max(_peaks.Below(_peak), _troughs.Below(_trough));
        _told = ToldRows;

        if (!isSpared)
        {
            _lengths.Add(length);
            _peaks.Add(_peak);
            _troughs.Add(_trough);
        }
    }
}
