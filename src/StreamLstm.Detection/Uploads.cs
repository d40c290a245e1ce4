namespace StreamLstm.Detection;

/// <summary>How long a stream keeps quiet between uploads: a device that stores and forwards is away for a while and has missed nothing.</summary>
/// <remarks>
/// That a wait was filled shows when it ends: what comes follows on what came before by the record's own time. From then on such waits
/// are no silence, until as many records have come without one as would have held several.
/// </remarks>
internal struct Uploads
{
    /// <summary>Shorter waits are the transport's jitter.</summary>
    private const double ShortestSeconds = 5;

    /// <summary>Records after which a single wait is taken for an outage that is over.</summary>
    private const int OnceRows = 256;

    private int _inARow;
    private int _rowsSince;
    private int _rowsBetween;
    private double _longestSeconds;

    /// <summary>How long the stream may be quiet because it uploads; 0 where it does not.</summary>
    public readonly double PatienceSeconds => _inARow > 0 && _rowsSince <= RowsMax ? 2 * _longestSeconds : 0;

    private readonly int RowsMax => _inARow == 1 ? OnceRows : 4 * Math.Max(_rowsBetween, 16);

    /// <summary>Whether a wait was filled by the record that ended it.</summary>
    /// <param name="waitedSeconds">Since the last record came.</param>
    /// <param name="gapSeconds">Between the records' own times; negative where the clock was set back.</param>
    public static bool IsFilled(double waitedSeconds, double gapSeconds) =>
        waitedSeconds >= ShortestSeconds && gapSeconds >= 0 && waitedSeconds >= 3 * gapSeconds;

    /// <param name="waitedSeconds">Since the last record came.</param>
    /// <param name="gapSeconds">Between the records' own times; negative where the clock was set back.</param>
    public void Arrive(double waitedSeconds, double gapSeconds)
    {
        if (!IsFilled(waitedSeconds, gapSeconds))
        {
            _rowsSince = Math.Min(_rowsSince + 1, int.MaxValue - 1);
            return;
        }

        bool isHabit = _inARow > 0 && _rowsSince <= RowsMax;
        _longestSeconds = isHabit ? Math.Max(waitedSeconds, 0.9 * _longestSeconds) : waitedSeconds;
        _inARow = isHabit ? Math.Min(_inARow + 1, 1_000) : 1;
        (_rowsBetween, _rowsSince) = (Math.Min(_rowsSince, 1 << 20), 0);
    }

    public readonly void Save(BinaryWriter writer)
    {
        writer.Write(_inARow);
        writer.Write(_rowsSince);
        writer.Write(_rowsBetween);
        writer.Write(_longestSeconds);
    }

    public void Load(BinaryReader reader) =>
        (_inARow, _rowsSince, _rowsBetween, _longestSeconds) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadDouble());
}
