namespace StreamLstm.Detection;

/// <summary>How long a stream has been quiet without anything being wrong, by the clock on which its records come and not by their own times.</summary>
/// <remarks>
/// For a device that sends when something changes: its gaps by day say nothing of its nights, and its week nothing of its weekends. So in
/// its first fortnight it counts as silent three days after the longest wait it has shown would be over, and later after two such waits.
/// </remarks>
internal struct Waits
{
    private const double DaySeconds = 86_400;

    /// <summary>Two weekends: from then on the longest wait is known. It is kept for one to two such spans.</summary>
    private const double SpanSeconds = 14 * DaySeconds;

    /// <summary>A weekend that has not been seen yet is a night and two days; with a holiday, three.</summary>
    private const double UnseenSeconds = 3 * DaySeconds;

    private double _firstSeconds = double.NaN;
    private double _sinceSeconds;
    private double _longest;
    private double _longestBefore;

    public Waits()
    {
    }

    /// <summary>The longest wait of the last two to four weeks, in seconds.</summary>
    public readonly double LongestSeconds => Math.Max(_longest, _longestBefore);

    /// <param name="clockSeconds">The shard's clock.</param>
    /// <param name="waitedSeconds">Since the last record came; NaN for the first one, and where the wait was told as a silence.</param>
    public void Arrive(double clockSeconds, double waitedSeconds)
    {
        if (double.IsNaN(_firstSeconds))
        {
            _firstSeconds = _sinceSeconds = clockSeconds;
        }

        if (clockSeconds - _sinceSeconds >= SpanSeconds)
        {
            (_longestBefore, _longest, _sinceSeconds) = (_longest, 0, clockSeconds);
        }

        _longest = waitedSeconds > _longest ? waitedSeconds : _longest;
    }

    /// <summary>How long a stream that sends when something changes may be quiet.</summary>
    public readonly double PatienceSeconds(double clockSeconds) =>
        clockSeconds - _firstSeconds < SpanSeconds ? LongestSeconds + UnseenSeconds : 2 * LongestSeconds;

    public readonly void Save(BinaryWriter writer)
    {
        writer.Write(_firstSeconds);
        writer.Write(_sinceSeconds);
        writer.Write(_longest);
        writer.Write(_longestBefore);
    }

    public void Load(BinaryReader reader) =>
        (_firstSeconds, _sinceSeconds, _longest, _longestBefore) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
}
