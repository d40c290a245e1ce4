namespace StreamLstm.Detection.Events;

/// <summary>Turns evidence into decades: log10 of one over the share of normal sessions with as much of it.</summary>
/// <remarks>Among the sample the share is counted; beyond its 16th largest an exponential tail goes on (Pickands 1975, shape 0).</remarks>
internal sealed class SessionTail
{
    private const int TailSize = 16;

    private readonly double[] _descending;
    private readonly int _tail;
    private readonly double _scale;

    /// <param name="evidence">Of normal sessions the model did not learn from, at least two.</param>
    public SessionTail(IEnumerable<double> evidence)
    {
        _descending = [.. evidence.OrderDescending()];
        _tail = Math.Min(TailSize, _descending.Length / 2);
        double beyond = _descending.AsSpan(0, _tail).ToArray().Average(value => value - _descending[_tail]);
        _scale = Math.Max(beyond, 0.1 * Math.Abs(_descending[_tail]) + 1e-6);
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
