using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Grouping;

/// <summary>What happened to a group of incidents.</summary>
public enum GroupState
{
    /// <summary>Its first incident opened.</summary>
    Opened,

    /// <summary>A further incident is of the same cause; where all had ended, the group is open again.</summary>
    Joined,

    /// <summary>One of its incidents became worse, or ended while others go on.</summary>
    Continued,

    /// <summary>All of its incidents have ended.</summary>
    Closed,
}

/// <summary>One message about incidents that began together: the whole group as it is now.</summary>
/// <param name="Id">The id of its first incident.</param>
/// <param name="Revision">0 for the opening message, then counting up.</param>
/// <param name="State">What happened.</param>
/// <param name="Onset">The earliest onset of its incidents.</param>
/// <param name="Time">Time of the incident's message that led to this one.</param>
/// <param name="ClosedAt">When the last of its incidents ended; null while one is open.</param>
/// <param name="Severity">The highest of its incidents.</param>
/// <param name="IsMoreSevere">Whether that has risen by this message.</param>
/// <param name="MaxScore">0 to 100, the highest of its incidents.</param>
/// <param name="Size">How many streams have joined it.</param>
/// <param name="OpenSize">In how many of them the incident goes on.</param>
/// <param name="Title">The group in one line.</param>
/// <param name="Members">Its incidents, the strongest first, at most 100.</param>
/// <param name="Incident">The incident's message that led to this one; null where the group was closed because another needs the room.</param>
public sealed record GroupEvent(
    string Id, int Revision, GroupState State, DateTimeOffset Onset, DateTimeOffset Time, DateTimeOffset? ClosedAt,
    IncidentSeverity Severity, bool IsMoreSevere, double MaxScore, int Size, int OpenSize, string Title, IReadOnlyList<GroupMember> Members,
    IncidentEvent? Incident);

/// <summary>One incident of a group.</summary>
/// <param name="Stream">The stream it is about.</param>
/// <param name="IncidentId">The incident's id.</param>
/// <param name="Kind">What kind of thing was seen.</param>
/// <param name="Severity">How urgent it is.</param>
/// <param name="MaxScore">0 to 100, the highest of the incident.</param>
/// <param name="Onset">When it began.</param>
/// <param name="Figure">What was seen, in a few words: "97 (expected 3 to 12)".</param>
/// <param name="Explanation">Why it fired, as a sentence.</param>
/// <param name="IsOpen">Whether it goes on.</param>
/// <param name="IntervalSeconds">The usual interval between two observations of the stream; null where it is not known.</param>
public sealed record GroupMember(
    string Stream, string IncidentId, IncidentKind Kind, IncidentSeverity Severity, double MaxScore, DateTimeOffset Onset,
    string Figure, string Explanation, bool IsOpen, double? IntervalSeconds);

/// <summary>What became of a batch of incidents.</summary>
/// <param name="Incidents">The incidents' messages with their groups, by time and stream.</param>
/// <param name="Groups">What happened to groups, in order.</param>
public sealed record GroupedIncidents(IReadOnlyList<IncidentEvent> Incidents, IReadOnlyList<GroupEvent> Groups);
