namespace StreamLstm.Daemon.Commands.Load;

/// <summary>When each observation of a load is due: so many a second, evenly.</summary>
/// <remarks>
/// Observation k is due k / rate seconds after the start, so no rounding adds up and a late one makes none after it late. What a
/// target holds up for less than a second is caught up; beyond that the schedule moves on and the time is lost, because a burst
/// of all that was missed is another load than the one asked for.
/// </remarks>
/// <param name="rate">Observations a second; above 0.</param>
/// <param name="time">The clock.</param>
/// <param name="tell">Told once whenever the schedule cannot be kept up any more.</param>
internal sealed class TokenSchedule(double rate, TimeProvider time, Action<string> tell)
{
    /// <summary>How late an observation may be and still be made up for.</summary>
    public static readonly TimeSpan CaughtUp = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan OnTime = TimeSpan.FromMilliseconds(100);

    private readonly long _started = time.GetTimestamp();
    private TimeSpan _lost;
    private long _taken;
    private bool _isBehind;

    /// <summary>Observations a second.</summary>
    public double Rate { get; } = rate;

    /// <summary>Time by which the schedule was moved.</summary>
    public TimeSpan Lost => _lost;

    /// <summary>How long it is until the next one is due; none or less where it is.</summary>
    public TimeSpan Wait => NextAt - time.GetElapsedTime(_started);

    private TimeSpan NextAt => _lost + TimeSpan.FromTicks((long)(_taken / Rate * TimeSpan.TicksPerSecond));

    /// <summary>Takes the next one, which is due.</summary>
    /// <returns>When it was due, as the clock's timestamp.</returns>
    public long Take()
    {
        TimeSpan late = -Wait;

        if (late > CaughtUp)
        {
            _lost += late - CaughtUp;

            if (!_isBehind)
            {
                _isBehind = true;
                tell(FormattableString.Invariant(
                    $"{time.GetElapsedTime(_started).TotalSeconds:0} s: the target does not take {Rate:0.##} observations a second; what it takes is sent"));
            }
        }
        else if (late < OnTime)
        {
            _isBehind = false;
        }

        long due = _started + (long)(NextAt.TotalSeconds * time.TimestampFrequency);
        _taken++;
        return due;
    }
}
