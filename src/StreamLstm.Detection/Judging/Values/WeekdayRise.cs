using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>By how much a stream usually rises or falls from one day to the next at this time of the week, as from Sunday to Monday.</summary>
/// <remarks>
/// It counts only where, a week ago too, the day before said clearly less of the day than the week before usually does. Else a Saturday that is
/// worked like the Friday before it, and a Monday without work, would be as they were yesterday.
/// </remarks>
internal sealed class WeekdayRise
{
    private const double DaySeconds = 86_400;

    /// <summary>Weight of a new value in the mean over about 32 rows.</summary>
    private const double Weight32 = 0.05;

    /// <summary>Usual distances from the week before beyond which a rise is one.</summary>
    private const double Clear = 3;

    /// <summary>Rows by which a value may be late or early.</summary>
    private const double RowsOff = 3;

    /// <summary>Rows that make the usual distance, and those without which nothing is known of it.</summary>
    private const int UsualRows = 1024;
    private const int UsualRowsMin = 128;

    private double _rise;          // of late, a week ago: a mean
    private double _usual;         // size of the mean distance from the week before
    private int _rows;
    private double _since = double.NaN;   // seconds from which on no week before was known

    /// <summary>What is to be added to the day before; 0 where nothing is.</summary>
    public double Rise { get; private set; }

    /// <summary>Looks at a row; true where a week before is known again after a day or more without.</summary>
    /// <param name="ring">The values before it.</param>
    /// <param name="lastWeek">The row a week before, or some weeks; -1 where there is none.</param>
    /// <param name="yesterday">The row a day before, or some days.</param>
    /// <param name="seconds">The row's time.</param>
    /// <param name="usualSeconds">The usual gap.</param>
    /// <param name="normalFrom">The first row that says anything of what is normal now.</param>
    public bool Observe(ValueRing ring, long lastWeek, long yesterday, double seconds, double usualSeconds, long normalFrom)
    {
        Rise = 0;

        if (lastWeek < 0)
        {
            _since = double.IsNaN(_since) ? seconds : _since;
            return false;
        }

        bool isBack = seconds - _since >= DaySeconds;
        _since = double.NaN;
        double days = Math.Round((seconds - ring.Seconds(yesterday)) / DaySeconds);
        long before = ring.RowAt(ring.Seconds(lastWeek) - days * DaySeconds, RowsOff * usualSeconds);

        if (before >= normalFrom && !ring.IsAbnormal(before))
        {
            double rise = ring[lastWeek] - ring[before];
            _rise += Weight32 * (rise - _rise);
            Rise = _rows >= UsualRowsMin && Math.Abs(_rise) > Clear * _usual ? rise : 0;
        }

        return isBack;
    }

    /// <summary>Takes the mean distance from the week before, unless the row <paramref name="isSpared"/>.</summary>
    public void Learn(double distance, bool isSpared)
    {
        if (!isSpared)
        {
            _rows = Math.Min(UsualRows, _rows + 1);
            _usual += (Math.Abs(distance) - _usual) / _rows;
        }
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double value in (ReadOnlySpan<double>)[_rise, _usual, _since, Rise])
        {
            writer.Write(value);
        }

        writer.Write(_rows);
    }

    public void Load(BinaryReader reader)
    {
        (_rise, _usual, _since, Rise) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        _rows = reader.ReadInt32();
    }
}
