namespace StreamLstm.Backtesting;

/// <summary>The rows with the highest scores, apart from each other, best first.</summary>
internal sealed class PeakRows(long firstRow) : IRowObserver
{
    /// <summary>Rows nearer than this to a better one are the same find.</summary>
    public const int Apart = 100;

    private readonly List<double> _scores = [];

    public void Add(in ReportedRow reported) => _scores.Add(reported.Verdict.Evidence ?? double.NegativeInfinity);

    /// <summary>At most this many rows, counted over the whole file; of equal scores the earlier row.</summary>
    public IReadOnlyList<long> Best(int count)
    {
        List<int> best = [];

        while (best.Count < count)
        {
            int next = -1;

            for (int row = 0; row < _scores.Count; row++)
            {
                if (_scores[row] > (next < 0 ? double.NegativeInfinity : _scores[next]) && best.TrueForAll(peak => Math.Abs(peak - row) > Apart))
                {
                    next = row;
                }
            }

            if (next < 0)
            {
                break;
            }

            best.Add(next);
        }

        return [.. best.Select(row => firstRow + row)];
    }
}
