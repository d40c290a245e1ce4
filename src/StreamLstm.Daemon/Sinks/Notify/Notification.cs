using System.Globalization;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>What people are told: one cause, with the streams it shows in.</summary>
/// <param name="Key">The same for the same message, however often it is sent.</param>
/// <param name="Id">The same for all messages of one cause.</param>
/// <param name="State">opened, worse or resolved.</param>
/// <param name="Severity">info, warning, critical.</param>
/// <param name="Title">In one line.</param>
/// <param name="Text">Why, in a sentence or two.</param>
/// <param name="Stream">The strongest one.</param>
/// <param name="Size">How many streams.</param>
/// <param name="Score">0 to 100, the highest.</param>
/// <param name="Onset">When it began, RFC 3339.</param>
/// <param name="ResolvedAt">When it ended; null while it goes on.</param>
/// <param name="Link">The page, at the strongest stream; empty where its address is not known.</param>
/// <param name="Members">The strongest streams, with what each shows.</param>
internal sealed record Notification(
    string Key, string Id, string State, string Severity, string Title, string Text, string Stream, int Size, double Score, string Onset, string? ResolvedAt,
    string Link, IReadOnlyList<NotifiedStream> Members)
{
    private const int MembersMax = 10;

    public static Notification Of(GroupEvent group, long sequence, string page)
    {
        GroupMember strongest = group.Members[0];
        bool isResolved = group.State == GroupState.Closed;
        return new Notification(
            string.Create(CultureInfo.InvariantCulture, $"{group.Id}-{group.Revision}-{sequence}"), group.Id,
            isResolved ? "resolved" : group.State == GroupState.Opened ? "opened" : "worse",
            EventJson.Word(group.Severity), Plain(group.Size == 1 ? $"{strongest.Stream}: {strongest.Figure}" : group.Title), Plain(strongest.Explanation), Plain(strongest.Stream),
            group.Size, Math.Round(group.MaxScore, 1), Time(group.Onset), group.ClosedAt is { } closed ? Time(closed) : null,
            page.Length > 0 ? $"{page.TrimEnd('/')}/#{Uri.EscapeDataString(strongest.Stream)}?incident={strongest.IncidentId}" : "",
            [.. group.Members.Take(MembersMax).Select(member => new NotifiedStream(Plain(member.Stream), EventJson.Word(member.Severity), Plain(member.Figure), Plain(member.Explanation)))]);
    }

    /// <summary>One that says that it is a test.</summary>
    public static Notification Test(DateTimeOffset now, string page) => new(
        $"test-{now.UtcTicks}", $"test-{now.UtcTicks}", "opened", "info", "StreamLstm test notification",
        "Somebody asked for it: nothing is wrong. Incidents will come this way.", "streamlstm/test", 1, 50, Time(now), null, page, []);

    private static string Time(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A name may hold anything; a header or a subject must not have a line of its own.</summary>
    private static string Plain(string text) => string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character));
}

/// <summary>A stream in which a cause shows.</summary>
internal sealed record NotifiedStream(string Stream, string Severity, string Figure, string Explanation);
