using System.Globalization;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>Hours of the day in which only what is severe enough is told.</summary>
/// <param name="From">When they begin.</param>
/// <param name="To">When they end; before <paramref name="From"/>: on the next day.</param>
/// <param name="Zone">Whose hours.</param>
/// <param name="SeverityMin">What is told all the same.</param>
internal sealed record QuietHours(TimeOnly From, TimeOnly To, TimeZoneInfo Zone, IncidentSeverity SeverityMin)
{
    /// <summary>Null where there are none, or where they are wrong, which is then said.</summary>
    public static QuietHours? Of(QuietHoursOptions options, out (string Option, string What)? wrong)
    {
        wrong = null;

        if (options.From.Length == 0 && options.To.Length == 0)
        {
            return null;
        }

        if (!TimeOnly.TryParseExact(options.From, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly from))
        {
            wrong = ("from", $"'{options.From}', expected a time of day such as 22:00");
            return null;
        }

        if (!TimeOnly.TryParseExact(options.To, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly to) || from == to)
        {
            wrong = ("to", $"'{options.To}', expected another time of day than from, such as 07:00");
            return null;
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(options.TimeZone, out TimeZoneInfo? zone))
        {
            wrong = ("time_zone", $"'{options.TimeZone}', expected a time zone such as Europe/Berlin");
            return null;
        }

        return new QuietHours(from, to, zone, options.SeverityMin);
    }

    /// <summary>Whether something of a severity is kept back at a time.</summary>
    public bool Holds(DateTimeOffset time, IncidentSeverity severity) =>
        severity < SeverityMin && IsAt(time);

    /// <summary>Whether a time is within them.</summary>
    public bool IsAt(DateTimeOffset time) => TimeOnly.FromDateTime(TimeZoneInfo.ConvertTime(time, Zone).DateTime).IsBetween(From, To);
}
