using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>The time of observations whose record's value says none: the record's own, and never the same twice in a partition.</summary>
/// <remarks>
/// Kafka's times are milliseconds: records of one go on in ticks of 100 ns. A record up to ten milliseconds before the last
/// (producers whose clocks differ) goes behind it. A function of what the partition holds: no clock is read.
/// </remarks>
internal sealed class RecordStamp() : IngestStamp(TimeProvider.System)
{
    private const long Near = 10 * TimeSpan.TicksPerMillisecond;

    private long _record;

    /// <summary>The last time that was given in this partition, in ticks of UTC; 0 for none.</summary>
    public long LastTicks { get; private set; }

    /// <summary>The record's time, in ticks of UTC.</summary>
    public void Begin(long recordTicks, long lastTicks) => (_record, LastTicks) = (recordTicks, lastTicks);

    public override DateTimeOffset Next()
    {
        LastTicks = _record > LastTicks || LastTicks - _record > Near ? _record : LastTicks + 1;
        return new DateTimeOffset(LastTicks, TimeSpan.Zero);
    }
}
