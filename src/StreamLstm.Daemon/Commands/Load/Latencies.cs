namespace StreamLstm.Daemon.Commands.Load;

/// <summary>Counts times in bins that grow by a hundredth, from a microsecond to three hours: percentiles to within a percent, in 18 kB.</summary>
internal sealed class Latencies
{
    private const double Growth = 1.01;

    private readonly long[] _bins = new long[2_320];
    private long _count;

    public void Add(TimeSpan latency)
    {
        double microseconds = Math.Max(1, latency.TotalMicroseconds);
        _bins[Math.Min((int)Math.Round(Math.Log(microseconds) / Math.Log(Growth)), _bins.Length - 1)]++;
        _count++;
    }

    /// <summary>The time that so many took no longer than; null where there is none.</summary>
    /// <param name="share">0 to 1.</param>
    public TimeSpan? Percentile(double share)
    {
        long below = (long)Math.Ceiling(share * _count);
        long seen = 0;

        for (int bin = 0; bin < _bins.Length; bin++)
        {
            seen += _bins[bin];

            if (seen > 0 && seen >= below)
            {
                return TimeSpan.FromMicroseconds(Math.Pow(Growth, bin));
            }
        }

        return null;
    }
}
