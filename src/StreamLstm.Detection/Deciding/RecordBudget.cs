namespace StreamLstm.Detection.Deciding;

/// <summary>Picks alerts out of a score that counts comparable events: where hardly more than a few were to be expected so far.</summary>
/// <remarks>
/// One threshold for every stream, as the score means the same on all. A stream that nevertheless alerts more often than
/// records come, whose number grows with the logarithm of a series' length, pays for it: an alert raises its threshold, an
/// e-fold of age lowers it again by what <see cref="AlertsPerEFold"/> alerts raise it, never below the common one. An alert
/// is followed by silence that grows with age, broken only by a score clearly above the last alert's. The daemon's
/// incidents have a stricter rule of their own (<see cref="AlertBudget"/>); this one serves rankings in which a few false
/// alerts cost less than a miss.
/// </remarks>
internal sealed class RecordBudget
{
    /// <summary>The common threshold, in decades.</summary>
    private const double ThresholdMin = -0.95;

    private const double RisePerAlert = 0.05;

    private const double AlertsPerEFold = 4;

    /// <summary>Decades above the last alert that break the silence behind it.</summary>
    private const double SilenceMargin = 1;

    /// <summary>Silence as a share of age, and its limits in rows.</summary>
    private const double SilencePerRow = 0.08;
    private const double SilentRowsMin = 50;
    private const double SilentRowsMax = 150;

    /// <summary>Keeps the score of every alert above 0, as that of rows that are none is 0.</summary>
    private const double LeastAlert = 3;

    private double _threshold = ThresholdMin;
    private long _silentUntil;
    private double _lastAlert = double.NegativeInfinity;

    /// <summary>The row's score, three decades higher so that it is above 0; null where the row is no alert.</summary>
    /// <param name="score">The row's score.</param>
    /// <param name="row">The row's number, above 0: the stream's age.</param>
    public double? Observe(double score, long row)
    {
        _threshold = Math.Max(ThresholdMin, _threshold - RisePerAlert * AlertsPerEFold / row);

        if (score < _threshold || (row < _silentUntil && score < _lastAlert + SilenceMargin))
        {
            return null;
        }

        _lastAlert = score;
        _silentUntil = row + (long)Math.Clamp(SilencePerRow * row, SilentRowsMin, SilentRowsMax);
        _threshold += RisePerAlert;
        return score + LeastAlert;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_threshold);
        writer.Write(_silentUntil);
        writer.Write(_lastAlert);
    }

    public void Load(BinaryReader reader)
    {
        _threshold = reader.ReadDouble();
        _silentUntil = reader.ReadInt64();
        _lastAlert = reader.ReadDouble();
    }
}
