namespace StreamLstm.Detection.Judging.Records;

/// <summary>How rare a column's residual is: -log10 of the share of admitted ones above it, exponential beyond the 95 % quantile.</summary>
internal sealed class ResidualTail
{
    /// <summary>No more decades than rows have been seen by a stream that is not young.</summary>
    private const double Highest = 5;

    /// <summary>Least mean excess, in units of the column's spread: what differs by less is no fault, however still the column was.</summary>
    private const double LeastExcess = 0.05;

    private readonly UniformSample _residuals = new();
    private double _u;
    private double _beta = 1;

    public void Add(double residual, ref SeededRandom random)
    {
        if (_residuals.Add(residual, ref random))
        {
            Fit();
        }
    }

    public void Clear() => _residuals.Clear();

    /// <summary>In decades, 0 to 5; 0 while nothing is known.</summary>
    public double Score(double residual)
    {
        if (_residuals.Count == 0)
        {
            return 0;
        }

        if (residual <= _u)
        {
            // Equals count as above: a constant column's residual is always 0, and says nothing.
            int above = _residuals.Count - _residuals.CountNotAbove(double.BitDecrement(residual));
            return -Math.Log10((double)above / _residuals.Count);
        }

        return Math.Min(Highest, 1.301 + 0.434 * (residual - _u) / _beta);
    }

    public void Save(BinaryWriter writer) => _residuals.Save(writer);

    public void Load(BinaryReader reader)
    {
        _residuals.Load(reader);

        if (_residuals.Count > 0)
        {
            Fit();
        }
    }

    private void Fit()
    {
        _u = _residuals.Quantile(0.95);
        ReadOnlySpan<double> beyond = _residuals.Sorted[_residuals.CountNotAbove(_u)..];
        double sum = 0;

        foreach (double residual in beyond)
        {
            sum += residual - _u;
        }

        _beta = Math.Max(beyond.IsEmpty ? 0 : sum / beyond.Length, 0.2 * _u + LeastExcess);
    }
}
