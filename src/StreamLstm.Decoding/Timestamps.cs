using System.Globalization;

namespace StreamLstm.Decoding;

/// <summary>Times as the world writes them.</summary>
internal static class Timestamps
{
    public const string Expectation = "an RFC 3339 time or a Unix time in s, ms, us or ns, of the years 1000 to 8999";

    // Room on both sides: times are calculated with, and must not leave what a DateTimeOffset holds.
    private static readonly DateTimeOffset Earliest = new(1000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const int TickDigits = 7;

    private static readonly string[] Formats =
    [
        "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm", "yyyy/MM/dd HH:mm:ss",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mmK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd",
        "yyyy/MM/dd HH:mm:ss.FFFFFFF", "yyyy/MM/dd HH:mm", "yyyyMMddHHmmss", "yyyyMMddTHHmmssK", "yyyyMMddTHHmmss.FFFFFFFK",
        "dd.MM.yyyy HH:mm:ss", "dd.MM.yyyy HH:mm:ss.FFFFFFF", "dd.MM.yyyy HH:mm", "d.M.yyyy HH:mm:ss", "d.M.yyyy HH:mm",
    ];

    /// <summary>Under these names every decoder looks for a record's time, whatever their case; of several the first counts.</summary>
    private static readonly string[] Names =
    [
        "timestamp", "@timestamp", "time", "ts", "datetime", "date_time", "_time", "date", "last_updated", "last_changed", "last_seen",
        "received_at", "measured_at", "recorded_at", "created_at",
    ];

    private static readonly int OthersFrom = Array.IndexOf(Names, "last_updated");

    private static readonly Dictionary<string, int> RankOf =
        Names.Index().ToDictionary(name => name.Item, name => name.Index, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a field or column of this name holds the record's time.</summary>
    public static bool IsTimeName(string name) => TimeRank(name) is not null;

    /// <summary>The column that holds the records' time; -1 for none.</summary>
    public static int TimeColumn(IReadOnlyList<string> header)
    {
        int column = -1;

        for (int i = 0; i < header.Count; i++)
        {
            column = TimeRank(header[i]) is { } rank && (column < 0 || rank < TimeRank(header[column])) ? i : column;
        }

        return column;
    }

    /// <summary>Whether a field of this rank may also be something else, so that what is no time there is passed over.</summary>
    public static bool MayBeOther(int rank) => rank >= OthersFrom;

    /// <summary>How soon a field of this name counts as the record's time: 0 before all others; null where it never does.</summary>
    public static int? TimeRank(string name) => RankOf.TryGetValue(WithoutUnit(name), out int rank) ? rank : null;

    /// <summary>"Time (UTC)" and "timestamp [ms]" are Time and timestamp: which unit it is, the number itself says.</summary>
    private static string WithoutUnit(string name) =>
        name.Length > 0 && name[^1] is ')' or ']' && name.AsSpan().IndexOfAny('(', '[') is > 0 and var bracket ? name[..bracket].TrimEnd() : name;

    /// <summary>Reads a written time; one without an offset is of the zone given, else UTC.</summary>
    public static bool TryParse(string text, out DateTimeOffset time, TimeZoneInfo? zone = null)
    {
        text = OfTicks(text);

        if (zone is not null && zone != TimeZoneInfo.Utc
            && DateTime.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AllowWhiteSpaces, out DateTime local)
            && local.Kind == DateTimeKind.Unspecified && local.Year is > 1 and < 9999)
        {
            time = new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
            return time >= Earliest && time < End;
        }

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

    /// <summary>A fraction behind a comma (ISO 8601) with a point, and no finer than the 100 ns that a time here is told apart by.</summary>
    private static string OfTicks(string text)
    {
        int at = text.AsSpan().LastIndexOfAny('.', ',');

        // Behind a time of day alone: a Unix time has a point of its own.
        if (at < 0 || text.AsSpan(0, at).IndexOfAny(':', 'T') < 0)
        {
            return text;
        }

        int end = at + 1;

        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        int kept = Math.Min(end, at + 1 + TickDigits);
        return text[at] == '.' && kept == end ? text : $"{text.AsSpan(0, at)}.{text.AsSpan(at + 1, kept - at - 1)}{text.AsSpan(end)}";
    }

    private static bool TryFromTicks(Int128 sinceEpoch, out DateTimeOffset time)
    {
        Int128 ticks = sinceEpoch + DateTimeOffset.UnixEpoch.Ticks;
        bool fits = ticks >= Earliest.Ticks && ticks < End.Ticks;
        time = fits ? new DateTimeOffset((long)ticks, TimeSpan.Zero) : default;
        return fits;
    }
}
