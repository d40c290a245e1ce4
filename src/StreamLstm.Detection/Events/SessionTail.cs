namespace StreamLstm.Detection.Events;

/// <summary>Turns evidence into decades: log10 of one over the share of normal sessions with as much of it.</summary>
/// <remarks>
/// Among the sample the share is counted; beyond its largest three in a thousand an exponential tail goes on (Pickands
/// 1975, shape 0). Its scale is taken from the median excess, not the mean: the one odd session among thousands of normal
/// ones must not make every later one like it look ordinary.
/// </remarks>
internal sealed class SessionTail
{
    private const double TailShare = 1 / 316.0; // half a decade before one in a thousand
    private const int TailMin = 8;

    private readonly double[] _descending;
    private readonly int _tail;
    private readonly double _scale;

    /// <param name="evidence">Of normal sessions the model did not learn from, at least two.</param>
    /// <param name="unit">Evidence that makes a session e times rarer where its source is right: the scale is no smaller.</param>
    public SessionTail(IEnumerable<double> evidence, double unit)
    {
        _descending = [.. evidence.OrderDescending()];
        int size = Math.Max(TailMin, (int)Math.Round(TailShare * _descending.Length));
        _tail = Math.Min(size, _descending.Length / 2);
        double median = (_descending[(_tail - 1) / 2] + _descending[_tail / 2]) / 2;
        _scale = Math.Max((median - _descending[_tail]) / Math.Log(2), unit);
    }

    /// <summary>0 = as odd as every normal session, 3 = as odd as one in a thousand.</summary>
    public double Decades(double evidence)
    {
        double threshold = _descending[_tail];

        if (evidence > threshold)
        {
            return Math.Log10((double)_descending.Length / _tail) + (evidence - threshold) / _scale * Math.Log10(Math.E);
        }

        // Descending: how many are at least as large.
        int low = 0, high = _descending.Length;

        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _descending[middle] >= evidence ? (middle + 1, high) : (low, middle);
        }

        return Math.Log10(_descending.Length / (double)Math.Max(low, _tail));
    }
}
