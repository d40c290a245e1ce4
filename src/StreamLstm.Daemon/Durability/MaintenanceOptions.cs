using System.Globalization;
using StreamLstm.Decoding;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Durability;

/// <summary>A stretch of time in which some streams are expected to be odd: once, or every week.</summary>
internal sealed class MaintenanceOptions
{
    /// <summary>Names of the streams: * stands for any characters, ? for one.</summary>
    [Required]
    public string Streams { get; init; } = "";

    /// <summary>Its first instant, RFC 3339; of a weekly one the first that may lie in it, empty = any.</summary>
    public string From { get; init; } = "";

    /// <summary>The first instant behind it.</summary>
    public string To { get; init; } = "";

    /// <summary>monday to sunday: the days of the week on which it begins; empty = once, from from to to.</summary>
    public IReadOnlyList<DayOfWeek> Days { get; init; } = [];

    /// <summary>The time of day at which it begins on them, HH:MM.</summary>
    public string Start { get; init; } = "00:00";

    /// <summary>The time of day at which it ends, on the next day where that is not after start.</summary>
    public string End { get; init; } = "00:00";

    /// <summary>The clock for days, start and end: an IANA name such as Europe/Berlin.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Nothing opens or is raised in it.</summary>
    public bool MuteAlerts { get; init; } = true;

    /// <summary>Nothing of it is learnt.</summary>
    public bool FreezeLearning { get; init; } = true;

    /// <summary>What for.</summary>
    public string Note { get; init; } = "";

    /// <summary>The detector's part; null where the options are wrong, then with what is.</summary>
    /// <param name="id">Tells the window from others.</param>
    /// <param name="wrong">Key, value, and what was expected.</param>
    public MaintenanceWindow? Detection(string id, out string? wrong)
    {
        DateTimeOffset from = DateTimeOffset.MinValue, to = DateTimeOffset.MaxValue;
        TimeOnly start = default, end = default;
        TimeZoneInfo? zone = TimeZoneInfo.Utc;
        wrong = Streams.Length is 0 or > 256 ? $"streams: '{Streams}', expected a pattern of 1 to 256 characters"
            : From.Length > 0 && !Timestamps.TryParse(From, out from) ? $"from: '{From}', expected {Timestamps.Expectation}"
            : To.Length > 0 && !Timestamps.TryParse(To, out to) ? $"to: '{To}', expected {Timestamps.Expectation}"
            : Days.Count == 0 && From.Length == 0 ? "from: missing, expected a time; or days of the week"
            : Days.Count == 0 && To.Length == 0 ? "to: missing, expected a time; or days of the week"
            : to <= from ? $"to: '{To}', expected a time after from, '{From}'"
            : !IsTimeOfDay(Start, out start) ? $"start: '{Start}', expected a time of day such as 22:00"
            : !IsTimeOfDay(End, out end) ? $"end: '{End}', expected a time of day such as 06:00"
            : Days.Count == 0 && (start, end) != default ? $"start: '{Start}', end: '{End}', expected days of the week with them"
            : !TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out zone) ? $"time_zone: '{TimeZone}', expected an IANA name this machine knows, such as Europe/Berlin"
            : !MuteAlerts && !FreezeLearning ? "mute_alerts, freeze_learning: both false, expected at least one"
            : Note.Length > 2_000 ? $"note: {Note.Length} characters, expected at most 2000"
            : null;
        return wrong is not null ? null : new MaintenanceWindow
        {
            Id = id,
            Streams = Streams,
            From = from,
            To = to,
            Days = [.. Days],
            Start = start,
            End = end,
            TimeZone = zone!,
            MuteAlerts = MuteAlerts,
            FreezeLearning = FreezeLearning,
            Note = Note,
        };
    }

    private static bool IsTimeOfDay(string text, out TimeOnly time) =>
        TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
}
