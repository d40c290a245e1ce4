using System.Globalization;

namespace StreamLstm.Daemon.Decoding;

/// <summary>Times as the world writes them.</summary>
internal static class Timestamps
{
    public const string Expectation = "an RFC 3339 time or a Unix time in s, ms, us or ns";

    private static readonly string[] Formats =
    [
        "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm", "yyyy/MM/dd HH:mm:ss",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mmK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd",
    ];

    private static readonly HashSet<string> ColumnNames = new(StringComparer.OrdinalIgnoreCase)
    {
        "timestamp", "time", "ts", "datetime", "date", "date_time", "@timestamp", "_time",
    };

    /// <summary>Whether a field or column of this name holds the record's time.</summary>
    public static bool IsTimeName(string name) => ColumnNames.Contains(name);

    /// <summary>Reads a written time; one without an offset is UTC.</summary>
    public static bool TryParse(string text, out DateTimeOffset time)
    {
        if (DateTimeOffset.TryParseExact(
            text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out time))
        {
            time = time.ToUniversalTime();
            return true;
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double unix) && TryFromUnix(unix, out time);
    }

    /// <summary>Seconds, or milli-, micro-, nanoseconds, told apart by size: each unit's present is a thousand times the last one's.</summary>
    public static bool TryFromUnix(double unix, out DateTimeOffset time)
    {
        double size = Math.Abs(unix);
        double seconds = size switch
        {
            < 1e11 => unix,
            < 1e14 => unix / 1e3,
            < 1e17 => unix / 1e6,
            _ => unix / 1e9,
        };

        if (!double.IsFinite(seconds) || Math.Abs(seconds) > 2e11)
        {
            time = default;
            return false;
        }

        double ticks = seconds * TimeSpan.TicksPerSecond;
        bool isAfterYearZero = ticks >= -(double)DateTimeOffset.UnixEpoch.Ticks;
        time = isAfterYearZero ? DateTimeOffset.UnixEpoch.AddTicks((long)ticks) : default;
        return isAfterYearZero;
    }

    /// <summary>A whole number of the given units.</summary>
    public static bool TryFromUnix(long unix, long unitsPerSecond, out DateTimeOffset time)
    {
        Int128 ticks = (Int128)unix * TimeSpan.TicksPerSecond / unitsPerSecond;
        bool fits = ticks > -(Int128)DateTimeOffset.UnixEpoch.Ticks && ticks < DateTimeOffset.MaxValue.Ticks - DateTimeOffset.UnixEpoch.Ticks;
        time = fits ? DateTimeOffset.UnixEpoch.AddTicks((long)ticks) : default;
        return fits;
    }
}
