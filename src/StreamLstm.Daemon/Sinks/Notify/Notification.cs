using System.Globalization;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>What people are told: one cause, with the streams it shows in.</summary>
/// <param name="Key">The same for the same message, however often it is sent.</param>
/// <param name="Id">The same for all messages of one cause.</param>
/// <param name="State">opened, worse, resolved; summary of what quiet hours kept back.</param>
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

    /// <summary>What quiet hours kept back, in one.</summary>
    /// <param name="kept">What would have been told of each cause last.</param>
    /// <param name="more">Causes of which no more is known.</param>
    /// <param name="page">The page's address; empty where it is not known.</param>
    public static Notification Summary(IReadOnlyCollection<Notification> kept, long more, string page)
    {
        Notification[] ranked = [.. kept.OrderByDescending(one => one.Score).ThenBy(one => one.Id, StringComparer.Ordinal)];
        int open = kept.Count(one => one.ResolvedAt is null);
        long count = kept.Count + more;
        Notification strongest = ranked[0];
        string goesOn = open == 0 ? "all are over" : open == 1 ? "one goes on" : $"{open} go on";

        // The same causes give the same key, as often as it is sent.
        string id = $"quiet-{strongest.Id}-{kept.Max(one => one.Key.Length > 0 ? one.Key[(one.Key.LastIndexOf('-') + 1)..] : "")}-{count}";
        return new Notification(
            id, id, "summary", strongest.Severity,
            count == 1 ? $"kept back in quiet hours: {strongest.Title}" : $"{count} incidents were kept back in quiet hours, {goesOn}",
            count == 1 ? $"{strongest.Text} It {(open == 1 ? "goes on" : "is over")}." : $"The strongest: {strongest.Title}. {strongest.Text}",
            strongest.Stream, (int)Math.Min(int.MaxValue, count), strongest.Score, kept.Min(one => one.Onset)!, open > 0 ? null : kept.Max(one => one.ResolvedAt),
            count == 1 ? strongest.Link : page, [.. ranked.Take(MembersMax).Select(one => one.Members[0])]);
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
