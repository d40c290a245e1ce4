using System.Globalization;
using System.Text.RegularExpressions;
using StreamLstm.Detection;

namespace StreamLstm.Decoding;

/// <summary>Reads the lines of one log: a time where one is recognisable, the key of the session, and the rest as an event.</summary>
/// <remarks>
/// Times at the beginning: ISO 8601 (with a blank, a T or slashes, with a comma or point before fractions), syslog (RFC 3164
/// and 5424), Unix time in s, ms, us or ns; in brackets or not. Further on: that of web servers' access logs (Common Log
/// Format). A line without one belongs to the line before it, as those of a stack trace do.
/// </remarks>
internal sealed partial class LogLineDecoder
{
    /// <summary>Largest pattern of a key: each character of a line costs as much.</summary>
    private const int KeySizeMax = 256;

    private readonly string _stream;
    private readonly Regex? _key;
    private readonly TimeZoneInfo _zone;
    private readonly Func<DateTimeOffset> _now;

    /// <summary>The last line's time, which lines without one share; null while there was none.</summary>
    public DateTimeOffset? Last { get; set; }

    /// <param name="stream">The stream's name.</param>
    /// <param name="key">Finds the key, see <see cref="KeyOf"/>; null for none.</param>
    /// <param name="zone">Of times that name none.</param>
    /// <param name="now">For lines before the first that has a time, and for the year of times that have none.</param>
    public LogLineDecoder(string stream, Regex? key, TimeZoneInfo zone, Func<DateTimeOffset> now)
    {
        _stream = stream;
        _key = key;
        _zone = zone;
        _now = now;
    }

    /// <summary>What is expected of the pattern of a session's key, for people.</summary>
    public static readonly string KeyExpectation =
        $"a regular expression without look-around and back-references, of at most {KeySizeMax} characters with its counts written out";

    /// <summary>The pattern of a session's key, which takes time proportional to the line whatever it says; null for an empty one.</summary>
    /// <exception cref="ArgumentException">It is no regular expression, has look-around or back-references, or is too large.</exception>
    public static Regex? KeyPattern(string pattern)
    {
        if (pattern.Length > KeySizeMax || PatternSize.Of(pattern) > KeySizeMax)
        {
            throw new ArgumentException($"larger than {KeySizeMax} characters with its counts written out", nameof(pattern));
        }

        try
        {
            return pattern.Length == 0 ? null : new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (NotSupportedException unsupported)
        {
            throw new ArgumentException(unsupported.Message, nameof(pattern), unsupported);
        }
    }

    /// <summary>Adds a line; its own time where it has one.</summary>
    public void Decode(string line, int number, Decoded decoded)
    {
        if (line.Contains('\0', StringComparison.Ordinal))
        {
            decoded.Reject(number, "holds a NUL character, expected text", line[..Math.Min(line.Length, 1024)]);
            return;
        }

        LogLine read = Read(line);
        decoded.Add(_stream, read.Time, read.What);
    }

    /// <summary>A line's event and time; the time is null where neither it nor one before it had one.</summary>
    public LogLine Read(string line)
    {
        Match start = Start().Match(line);
        string text = line;

        if (start.Success && TryTime(start, out DateTimeOffset time))
        {
            Last = time;
            text = line[start.Length..];
        }
        else if (Access().Match(line) is { Success: true } access && TryAccess(access.Groups["time"].Value, out time))
        {
            Last = time;
            text = line.Remove(access.Index, access.Length);
        }

        text = text.Trim();
        string? key = KeyOf(text);

        // What names the session says nothing of the kind of line.
        string message = string.IsNullOrEmpty(key) ? text : text.Replace(key, "<key>", StringComparison.Ordinal);

        // A time and nothing else is a line too.
        return new LogLine(Last, new TextEvent(message.Length > 0 ? message : "<time>", key));
    }

    /// <summary>The group named "key", else the first group, else the whole match; null where nothing matches.</summary>
    private string? KeyOf(string text)
    {
        if (_key?.Match(text) is not { Success: true } match)
        {
            return null;
        }

        Group group = match.Groups["key"];
        group = group.Success || match.Groups.Count < 2 ? group : match.Groups[1];
        string key = group.Success ? group.Value : match.Value;
        return key.Length > 0 ? key : null;
    }

    private bool TryTime(Match start, out DateTimeOffset time)
    {
        if (start.Groups["unix"] is { Success: true } unix)
        {
            // Ten digits or more: fewer are hardly ever a time.
            return Timestamps.TryFromUnix(double.Parse(unix.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture), out time);
        }

        if (start.Groups["month"].Success)
        {
            return TrySyslog(start, out time);
        }

        string text = start.Groups["iso"].Value.Replace('/', '-').Replace(',', '.').Replace(" +", "+", StringComparison.Ordinal).Replace(" -", "-", StringComparison.Ordinal).Replace(' ', 'T');
        bool hasZone = start.Groups["zone"].Success;

        if (hasZone ? DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out time)
            : InZone(DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local), local, out time))
        {
            time = time.ToUniversalTime();
            return true;
        }

        return false;
    }

    /// <summary>Syslog's times have no year: the one that brings them nearest to now without going more than a day beyond it.</summary>
    private bool TrySyslog(Match start, out DateTimeOffset time)
    {
        DateTimeOffset now = _now();
        string text = $"{start.Groups["month"].Value} {start.Groups["day"].Value.Trim()} {start.Groups["clock"].Value}";

        foreach (int year in (ReadOnlySpan<int>)[now.Year + 1, now.Year, now.Year - 1])
        {
            bool exists = DateTime.TryParseExact(
                $"{year} {text}", "yyyy MMM d HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local);

            if (InZone(exists, local, out time) && time <= now.AddDays(1))
            {
                return true;
            }
        }

        time = default;
        return false;
    }

    private static bool TryAccess(string text, out DateTimeOffset time)
    {
        bool exists = DateTimeOffset.TryParseExact(
            text.Insert(text.Length - 2, ":"), "dd/MMM/yyyy:HH:mm:ss zzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
        time = time.ToUniversalTime();
        return exists;
    }

    private bool InZone(bool exists, DateTime local, out DateTimeOffset time)
    {
        // The first and last day of all time have no room for an offset.
        exists &= local.Year is > 1 and < 9999;
        time = exists ? new DateTimeOffset(local, _zone.GetUtcOffset(local)).ToUniversalTime() : default;
        return exists;
    }

    [GeneratedRegex(
        """
        ^\s*(?:<\d{1,3}>(?:\d\ )?)?\[?
        (?:
            (?<iso>\d{4}(?:-\d\d-|/\d\d/)\d\d[T\ ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?<zone>Z|\ ?[+-]\d\d:?\d\d)?)
            |(?<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\ (?<day>[\ \d]\d|\d)\ (?<clock>\d\d:\d\d:\d\d)
            |(?<unix>\d{10,19}(?:\.\d{1,9})?)
        )
        (?:\]|(?=[\s:]|$)):?\s*
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant)]
    private static partial Regex Start();

    [GeneratedRegex(@"\[(?<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] ?", RegexOptions.CultureInvariant)]
    private static partial Regex Access();
}

/// <summary>A line of a log.</summary>
/// <param name="Time">When it was written; null where that is not known.</param>
/// <param name="What">What it says.</param>
internal readonly record struct LogLine(DateTimeOffset? Time, TextEvent What);
