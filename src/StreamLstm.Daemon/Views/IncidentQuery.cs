using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Views;

/// <summary>Which groups of incidents are asked for, and in which order.</summary>
/// <param name="Stream">A stream that is in them.</param>
/// <param name="Filter">Words of a stream's name that is in them; see <see cref="StreamFilter"/>.</param>
/// <param name="State">Whether they go on.</param>
/// <param name="Severity">At least so severe.</param>
/// <param name="Label">What people said of an incident of them.</param>
/// <param name="Since">Those that went on then or later.</param>
/// <param name="Until">Those that began before.</param>
/// <param name="Order">The first is the newest, the worst, the largest, the longest.</param>
internal sealed record IncidentQuery(
    string? Stream = null, string? Filter = null, GroupsState? State = null, IncidentSeverity? Severity = null, GroupsLabel? Label = null,
    DateTimeOffset? Since = null, DateTimeOffset? Until = null, GroupsOrder Order = GroupsOrder.Began)
{
    /// <summary>Whether a group is one of them; what people said is in the history only.</summary>
    public bool Takes(GroupEvent group)
    {
        var filter = new StreamFilter(Filter);
        return (Stream is null || group.Members.Any(member => member.Stream == Stream))
            && group.Members.Any(member => filter.Takes(member.Stream))
            && (State is null || (group.ClosedAt is null) == (State == GroupsState.Open))
            && (Severity is null || group.Severity >= Severity)
            && (Since is null || group.ClosedAt is null || group.ClosedAt >= Since)
            && (Until is null || group.Onset < Until);
    }

    public IOrderedEnumerable<GroupEvent> Ordered(IEnumerable<GroupEvent> groups, DateTimeOffset now) => Order switch
    {
        GroupsOrder.Score => groups.OrderByDescending(group => group.MaxScore),
        GroupsOrder.Size => groups.OrderByDescending(group => group.Size),
        GroupsOrder.Lasted => groups.OrderByDescending(group => (group.ClosedAt ?? now) - group.Onset),
        _ => groups.OrderByDescending(group => group.Onset),
    };
}

/// <summary>Whether a group goes on.</summary>
internal enum GroupsState
{
    /// <summary>It does.</summary>
    Open,

    /// <summary>All of its incidents have ended.</summary>
    Closed,
}

/// <summary>What people said of a group.</summary>
internal enum GroupsLabel
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>An incident of it was a false alarm.</summary>
    FalseAlarm,

    /// <summary>An incident of it was real.</summary>
    Real,
}

/// <summary>In which order groups are listed.</summary>
internal enum GroupsOrder
{
    /// <summary>The newest first.</summary>
    Began,

    /// <summary>The highest score first.</summary>
    Score,

    /// <summary>Those of most streams first.</summary>
    Size,

    /// <summary>Those that lasted longest first.</summary>
    Lasted,
}
