using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>How long a stream's swings about its middle take, and how far they reach: for cycles that no fixed period tells.</summary>
/// <remarks>
/// A cycle begins where the value has been low and comes to be high: by a third of its mean deviation below, or above, its
/// mean of late. The mean follows a trend, and is not moved much by one cycle.
/// </remarks>
internal sealed class Cycles
{
    /// <summary>Deviations from the mean, in mean deviations.</summary>
    private const double Apart = 0.3;

    /// <summary>Weight of a new value in mean and deviation, and rows before they mean something.</summary>
    private const double Weight = 1 / 512.0;
    private const int RowsMin = 256;

    private const int ToldRows = 4;

    private readonly BoundedSample _lengths = new();
    private readonly BoundedSample _peaks = new();
    private readonly BoundedSample _troughs = new();
    private ValueScale _scale = new(0, 1);
    private double _mean;
    private double _deviation;
    private long _rows;
    private bool _isUp;
    private long _began = -1;
    private double _peak, _trough;
    private bool _isWhole;      // no row of the present cycle is left out
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

    /// <summary>Takes a value; where it ends a cycle, that teaches unless <paramref name="isSpared"/>.</summary>
    public void Observe(long row, double value, ValueScale scale, bool isSpared)
    {
        Long = 0;
        _told--;

        // As if all values so far weighed the same, until that would be less than the weight.
        double weight = Math.Max(Weight, 1.0 / ++_rows);
        _mean += weight * (value - _mean);
        _deviation += weight * (Math.Abs(value - _mean) - _deviation);

        if (_rows < RowsMin)
        {
            return;
        }

        if (scale != _scale)
        {
            Measure(scale);
        }

        // What the row before was is known by now: how high a cycle reached is not known where a fault is part of it.
        double y = scale.Y(value);
        _isWhole &= !isSpared;
        (_peak, _trough) = (Math.Max(_peak, y), Math.Min(_trough, y));

        if (!_isUp && value > _mean + Apart * _deviation)
        {
            _isUp = true;

            if (_began >= 0)
            {
                End(Math.Log(row - _began), isSpared);
            }

            (_began, _peak, _trough, _isWhole) = (row, y, y, true);
        }
        else if (_isUp && value < _mean - Apart * _deviation)
        {
            _isUp = false;
        }

        if (_began >= 0)
        {
            Long = _lengths.Above(Math.Log(row - _began + 1));
            Present = (row - _began + 1, Math.Exp(_lengths.Greatest));
        }
    }

    /// <summary>Forgets how high cycles are, not how long.</summary>
    public void ForgetHeights()
    {
        _peaks.Clear();
        _troughs.Clear();
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double value in (ReadOnlySpan<double>)[_mean, _deviation, _scale.Centre, _scale.Scale, _peak, _trough, _short, _peakHigh, _peakLow])
        {
            writer.Write(value);
        }

        writer.Write(_rows);
        writer.Write(_isUp);
        writer.Write(_isWhole);
        writer.Write(_began);
        writer.Write(_told);
        _lengths.Save(writer);
        _peaks.Save(writer);
        _troughs.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        (_mean, _deviation) = (reader.ReadDouble(), reader.ReadDouble());
        _scale = new ValueScale(reader.ReadDouble(), reader.ReadDouble());
        (_peak, _trough) = (reader.ReadDouble(), reader.ReadDouble());
        (_short, _peakHigh, _peakLow) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        _rows = reader.ReadInt64();
        _isUp = reader.ReadBoolean();
        _isWhole = reader.ReadBoolean();
        _began = reader.ReadInt64();
        _told = reader.ReadInt32();
        _lengths.Load(reader);
        _peaks.Load(reader);
        _troughs.Load(reader);
    }

    /// <summary>Heights are kept as they are on the stream's scale; that of a stream with few values that differ leaps.</summary>
    private void Measure(ValueScale scale)
    {
        ValueScale before = _scale;
        _scale = scale;
        _peaks.Map((Old: before, New: scale), static (scales, y) => scales.New.Y(scales.Old.Value(y)));
        _troughs.Map((Old: before, New: scale), static (scales, y) => scales.New.Y(scales.Old.Value(y)));
        (_peak, _trough) = (scale.Y(before.Value(_peak)), scale.Y(before.Value(_trough)));
    }

    private void End(double length, bool isSpared)
    {
        _short = _lengths.Below(length);
        _peakHigh = _isWhole ? Math.Max(_peaks.Above(_peak), _troughs.Above(_trough)) : 0;
        _peakLow = _isWhole ? Math.Max(_peaks.Below(_peak), _troughs.Below(_trough)) : 0;
        _told = ToldRows;

        if (!isSpared)
        {
            _lengths.Add(length);
        }

        if (_isWhole)
        {
            _peaks.Add(_peak);
            _troughs.Add(_trough);
        }
    }
}
