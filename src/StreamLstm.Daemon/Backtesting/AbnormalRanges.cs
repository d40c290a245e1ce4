namespace StreamLstm.Daemon.Backtesting;

/// <summary>Runs of abnormal rows: [first, last], counted over the reported rows.</summary>
/// <remarks>
/// A run begins where hardly more than three comparable events were to be expected so far, and ends when a while has
/// passed without such a row: for scorers in which a false run costs as much as a missed sequence, unlike an incident
/// that wakes somebody.
/// </remarks>
internal sealed class AbnormalRanges : IRowObserver
{
    /// <summary>Evidence of a row that begins a run or keeps it going, in decades.</summary>
    private const double Threshold = -0.5;

    /// <summary>Rows without one that end it.</summary>
    private const int QuietRows = 60;

    private readonly List<long[]> _ranges = [];
    private long _row;
    private long _lastAbnormal = -QuietRows - 1;

    public IReadOnlyList<long[]> Ranges => _ranges;

    public void Add(in ReportedRow reported)
    {
        bool abnormal = reported.Verdict.Evidence >= Threshold;
        bool inside = _row - _lastAbnormal <= QuietRows;

        if (abnormal && !inside)
        {
            _ranges.Add([_row, _row]);
        }
        else if (inside)
        {
            _ranges[^1][1] = _row;
        }

        _lastAbnormal = abnormal ? _row : _lastAbnormal;
        _row++;
    }
}
