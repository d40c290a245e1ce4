namespace StreamLstm.Backtesting;

/// <summary>Runs of abnormal rows: [first, last], counted over the reported rows.</summary>
/// <remarks>
/// A run begins where a score would open an incident, and goes on where it would keep one open; after a while without such a row it
/// has ended with the last one. What rules and maintenance keep back is abnormal all the same.
/// </remarks>
internal sealed class AbnormalRanges : IRowObserver
{
    /// <summary>Score of a row that begins a run.</summary>
    private const double Opens = 0.5;

    /// <summary>Score of one that keeps it going: a decade less evidence than the usual four.</summary>
    private static readonly double KeepsOpen = 1 - Math.Pow(2, -3.0 / 4);

    /// <summary>Rows without one that end it, as they end an incident.</summary>
    private const int QuietRows = 30;

    private readonly List<long[]> _ranges = [];
    private long _row;
    private long _lastAbnormal = -QuietRows - 1;

    public IReadOnlyList<long[]> Ranges => _ranges;

    public void Add(in ReportedRow reported)
    {
        bool inside = _row - _lastAbnormal <= QuietRows;
        bool abnormal = reported.Verdict.AnomalyScore >= (inside ? KeepsOpen : Opens);

        if (abnormal && !inside)
        {
            _ranges.Add([_row, _row]);
        }
        else if (abnormal)
        {
            _ranges[^1][1] = _row;
        }

        _lastAbnormal = abnormal ? _row : _lastAbnormal;
        _row++;
    }
}
