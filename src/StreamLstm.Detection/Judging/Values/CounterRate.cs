namespace StreamLstm.Detection.Judging.Values;

/// <summary>Knows a counter by its first values, and makes a rate of it: what it counts in the usual time between two values.</summary>
/// <remarks>A counter only rises, and now and then starts again at a lower value, which is no event of what it counts.</remarks>
internal sealed class CounterRate
{
    /// <summary>Values by which a counter is known; how many of them must rise, and may fall.</summary>
    private const int KnownRows = 64;
    private const int RisesMin = 50;
    private const int FallsMax = 1;

    private double _last;
    private int _rows;
    private int _rises;
    private int _falls;

    /// <summary>Whether the stream is a counter.</summary>
    public bool IsCounter { get; private set; }

    /// <summary>Whether it is known to be none.</summary>
    public bool IsSettled => !IsCounter && _rows >= KnownRows;

    /// <summary>Whether the last value made known that it is one: what was seen before had another meaning.</summary>
    public bool HasJustBecome { get; private set; }

    /// <summary>What is to be judged instead of the value: itself, or the rate; null where the counter has started again.</summary>
    /// <param name="value">The value that came.</param>
    /// <param name="gapRatio">Its gap to the one before it, in usual gaps.</param>
    public double? Of(double value, double gapRatio)
    {
        double increase = value - _last;
        HasJustBecome = false;

        if (_rows < KnownRows)
        {
            _rises += _rows > 0 && increase > 0 ? 1 : 0;
            _falls += _rows > 0 && increase < 0 ? 1 : 0;
            IsCounter = HasJustBecome = ++_rows == KnownRows && _rises > RisesMin && _falls <= FallsMax && value > 0;
        }

        return !IsCounter ? value : increase < 0 ? null : increase / gapRatio;
    }

    /// <summary>Takes the value that came.</summary>
    public void Take(double value) => _last = value;

    public void Save(BinaryWriter writer)
    {
        writer.Write(_last);
        writer.Write(_rows);
        writer.Write(_rises);
        writer.Write(_falls);
        writer.Write(IsCounter);
    }

    public void Load(BinaryReader reader)
    {
        _last = reader.ReadDouble();
        _rows = reader.ReadInt32();
        _rises = reader.ReadInt32();
        _falls = reader.ReadInt32();
        IsCounter = reader.ReadBoolean();
    }
}
