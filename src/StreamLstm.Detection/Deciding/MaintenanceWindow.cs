using System.IO.Enumeration;

namespace StreamLstm.Detection.Deciding;

/// <summary>A stretch of time in which some streams are expected to be odd: once, or every week.</summary>
public sealed record MaintenanceWindow
{
    /// <summary>Tells it from others.</summary>
    public required string Id { get; init; }

    /// <summary>Names of the streams: * stands for any characters, ? for one.</summary>
    public required string Streams { get; init; }

    /// <summary>Its first instant; of a weekly one the first that may lie in it. By the records' own clock.</summary>
    public DateTimeOffset From { get; init; } = DateTimeOffset.MinValue;

    /// <summary>The first instant behind it.</summary>
    public DateTimeOffset To { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>The days on which it begins; empty = once, from <see cref="From"/> to <see cref="To"/>.</summary>
    public IReadOnlyList<DayOfWeek> Days { get; init; } = [];

    /// <summary>The time of day at which it begins on them.</summary>
    public TimeOnly Start { get; init; }

    /// <summary>The time of day at which it ends, on the next day where that is not after <see cref="Start"/>.</summary>
    public TimeOnly End { get; init; }

    /// <summary>The clock that days and times of day are told by: where it is set forward or back, the window follows.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>Whether nothing opens or is raised in it.</summary>
    public bool MuteAlerts { get; init; } = true;

    /// <summary>Whether nothing of it is learnt.</summary>
    public bool FreezeLearning { get; init; } = true;

    /// <summary>What for.</summary>
    public string Note { get; init; } = "";

    /// <summary>Whether the name is one of <see cref="Streams"/>.</summary>
    public bool Matches(string stream) => FileSystemName.MatchesSimpleExpression(Streams, stream, ignoreCase: false);

    /// <summary>Whether an instant lies in it.</summary>
    public bool Holds(DateTimeOffset time)
    {
        if (time < From || time >= To)
        {
            return false;
        }

        if (Days.Count == 0)
        {
            return true;
        }

        DateTime local = TimeZoneInfo.ConvertTime(time, TimeZone).DateTime;
        var clock = TimeOnly.FromDateTime(local);
        return Start < End
            ? clock >= Start && clock < End && Days.Contains(local.DayOfWeek)
            : clock >= Start ? Days.Contains(local.DayOfWeek)
            : clock < End && Days.Contains((DayOfWeek)(((int)local.DayOfWeek + 6) % 7));
    }
}

/// <summary>What maintenance asks for at one instant.</summary>
/// <param name="MuteAlerts">Nothing opens or is raised.</param>
/// <param name="FreezeLearning">Nothing is learnt.</param>
internal readonly record struct Maintenance(bool MuteAlerts, bool FreezeLearning);
