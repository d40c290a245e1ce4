namespace StreamLstm.Detection.Thresholds;

/// <summary>Picks alerts out of the reported score, as many in every e-fold of the stream's age: as records come.</summary>
/// <remarks>
/// A score that counts comparable events so far exceeds its earlier values ever more rarely, like the records of a series,
/// whose number grows with the logarithm of its length. So does this budget: an alert raises the threshold, an e-fold
/// of age lowers it by what <see cref="AlertsPerEFold"/> of them raise it. An alert is followed by silence that grows
/// with age, broken only by a score clearly above the last alert's. The daemon's incidents have a stricter rule of their
/// own (<see cref="AlertBudget"/>); this one serves rankings in which a few false alerts cost less than a miss.
/// </remarks>
internal sealed class RecordBudget
{
    /// <summary>Where the threshold starts, in decades.</summary>
    private const double ThresholdStart = -1.5;

    private const double RisePerAlert = 0.1;

    private const double AlertsPerEFold = 2.4;

    /// <summary>Decades above the last alert that break the silence behind it.</summary>
    private const double SilenceMargin = 2;

    /// <summary>Silence as a share of age, and its limits in rows.</summary>
    private const double SilencePerRow = 0.08;
    private const double SilentRowsMin = 20;
    private const double SilentRowsMax = 150;

    /// <summary>Keeps the score of the least alert above 0.</summary>
    private const double LeastAlert = 0.5;

    private double _threshold = ThresholdStart;
    private long _silentUntil;
    private double _lastAlert = double.NegativeInfinity;

    /// <summary>How many decades above the threshold the row is, and half a decade more; null where it is no alert.</summary>
    /// <param name="score">The row's score.</param>
    /// <param name="row">The row's number, above 0: the stream's age.</param>
    public double? Observe(double score, long row)
    {
        _threshold -= RisePerAlert * AlertsPerEFold / row;

        if (score < _threshold || (row < _silentUntil && score < _lastAlert + SilenceMargin))
        {
            return null;
        }

        double margin = score - _threshold + LeastAlert;
        _lastAlert = score;
        _silentUntil = row + (long)Math.Clamp(SilencePerRow * row, SilentRowsMin, SilentRowsMax);
        _threshold += RisePerAlert;
        return margin;
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
