namespace StreamLstm.Daemon.Backtesting;

/// <summary>Runs of rows that belong to incidents: [first, last], counted over the reported rows.</summary>
internal sealed class AbnormalRanges : IRowObserver
{
    private readonly List<long[]> _ranges = [];
    private long _row;
    private bool _inside;

    public IReadOnlyList<long[]> Ranges => _ranges;

    public void Add(in ReportedRow reported)
    {
        if (reported.Verdict.IsAbnormal && !_inside)
        {
            _ranges.Add([_row, _row]);
        }
        else if (reported.Verdict.IsAbnormal)
        {
            _ranges[^1][1] = _row;
        }

        _inside = reported.Verdict.IsAbnormal;
        _row++;
    }
}
