using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>
/// Whether a stream's days begin an hour sooner or later than they did, as they do twice a year where its clock, or those it
/// serves, keep summer time: what was usual of a time of day is then to be looked for an hour away.
/// </summary>
internal sealed class ClockChange
{
    private const double HourSeconds = 3_600;
    private const double DaySeconds = 24 * HourSeconds;

    /// <summary>Values further apart than so many seconds do not show an hour.</summary>
    public const double GapSecondsMax = HourSeconds / 3;

    /// <summary>What has to fit better for so long, in seconds and in rows, is the clock.</summary>
    private const double FitSeconds = 3 * HourSeconds;
    private const double FitRows = 32;

    /// <summary>Share of the distance as the clock is that another hour must come down to. A day without a shape fits as well at any hour.</summary>
    private const double FitsBetter = 0.5;

    /// <summary>Hours that are tried, from the present one: as it is, sooner, later.</summary>
    private static readonly int[] Hours = [0, -1, 1];

    /// <summary>The place of the distance from a week before, behind those of the hours: what is as it was then is a weekend and no clock.</summary>
    private const int LastWeek = 3;

    private readonly double[] _distances = new double[LastWeek + 1];
    private double _since = double.NegativeInfinity;
    private int _hours, _rows;

    /// <summary>Where what happened at a time of the clock as it is now happened, in seconds.</summary>
    public double At(double seconds) => seconds < _since ? seconds + _hours * HourSeconds : seconds;

    /// <summary>Looks at a value; true where the clock has changed by it.</summary>
    /// <param name="value">The value.</param>
    /// <param name="seconds">Its time.</param>
    /// <param name="usualSeconds">The usual gap between two values.</param>
    /// <param name="past">The values before it.</param>
    /// <param name="lastWeek">The row a week before; -1 where there is none.</param>
    /// <param name="normalFrom">The first of their rows that says anything of what is normal now.</param>
    public bool Observe(double value, double seconds, double usualSeconds, ValueRing past, long lastWeek, long normalFrom)
    {
        double rows = Math.Max(FitRows, FitSeconds / usualSeconds), yesterday = At(seconds - DaySeconds);
        Span<double> distances = stackalloc double[LastWeek + 1];

        // In a stream's first week the first weekend and another hour look alike.
        if (past.First == 0 && (past.Count == 0 || seconds - past.Seconds(0) < 7 * DaySeconds))
        {
            return false;
        }

        for (int i = 0; i < Hours.Length; i++)
        {
            long row = past.RowAt(yesterday + Hours[i] * HourSeconds, usualSeconds);

            if (row < normalFrom || past.IsAbnormal(row))
            {
                return false;
            }

            distances[i] = Math.Abs(value - past[row]);
        }

        distances[LastWeek] = lastWeek < 0 ? distances[0] : Math.Abs(value - past[lastWeek]);
        _rows++;

        for (int i = 0; i <= LastWeek; i++)
        {
            _distances[i] += (distances[i] - _distances[i]) / Math.Min(_rows, rows);
        }

        int best = _distances[1] < _distances[2] ? 1 : 2;

        if (_rows < rows || _distances[best] >= FitsBetter * Math.Min(_distances[0], _distances[LastWeek]))
        {
            return false;
        }

        // What is remembered of the clock as it was before that is behind the change too.
        (_hours, _since, _rows) = (yesterday < _since ? _hours + Hours[best] : Hours[best], seconds, 0);
        Array.Clear(_distances);
        return true;
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double distance in _distances)
        {
            writer.Write(distance);
        }

        writer.Write(_since);
        writer.Write(_hours);
        writer.Write(_rows);
    }

    public void Load(BinaryReader reader)
    {
        for (int i = 0; i < _distances.Length; i++)
        {
            _distances[i] = reader.ReadDouble();
        }

        (_since, _hours, _rows) = (reader.ReadDouble(), reader.ReadInt32(), reader.ReadInt32());
    }
}
