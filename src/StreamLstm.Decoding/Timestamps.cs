using System.Globalization;

namespace StreamLstm.Decoding;

/// <summary>Times as the world writes them.</summary>
internal static class Timestamps
{
    public const string Expectation = "an RFC 3339 time or a Unix time in s, ms, us or ns, of the years 1000 to 8999";

    // Room on both sides: times are calculated with, and must not leave what a DateTimeOffset holds.
    private static readonly DateTimeOffset Earliest = new(1000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

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
            return time >= Earliest && time < End;
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

        if (!double.IsFinite(seconds))
        {
            time = default;
            return false;
        }

        return TryFromTicks((Int128)(seconds * TimeSpan.TicksPerSecond), out time);
    }

    /// <summary>A whole number of the given units.</summary>
    public static bool TryFromUnix(long unix, long unitsPerSecond, out DateTimeOffset time) =>
        TryFromTicks((Int128)unix * TimeSpan.TicksPerSecond / unitsPerSecond, out time);

    private static bool TryFromTicks(Int128 sinceEpoch, out DateTimeOffset time)
    {
        Int128 ticks = sinceEpoch + DateTimeOffset.UnixEpoch.Ticks;
        bool fits = ticks >= Earliest.Ticks && ticks < End.Ticks;
        time = fits ? new DateTimeOffset((long)ticks, TimeSpan.Zero) : default;
        return fits;
    }
}
