using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Grouping;

/// <summary>Makes one line of incidents that began together, across streams: opened with the first of them, joined by the others.</summary>
/// <remarks>
/// Time is the records' own. The same messages in the same calls give the same groups; what one call holds is put into order
/// first. One caller at a time.
/// </remarks>
public sealed class IncidentGrouping
{
    /// <summary>Changes with the bytes. Others are not read: grouping begins anew, and no incident is lost by that.</summary>
    private const int Layout = 1;

    /// <summary>Groups followed at once, as many as the page keeps. The oldest makes room, one that has closed first.</summary>
    private const int GroupsMax = 500;

    /// <summary>In the order in which they opened.</summary>
    private readonly List<IncidentGroup> _groups = [];

    /// <summary>By stream: it has one incident at a time.</summary>
    private readonly Dictionary<string, (string IncidentId, IncidentGroup Group)> _open = new(StringComparer.Ordinal);
    private readonly Coincidence _coincidence = new();

    /// <summary>Puts incidents into groups.</summary>
    /// <param name="incidents">Their messages; those of one stream in their order.</param>
    public GroupedIncidents Apply(IReadOnlyList<IncidentEvent> incidents)
    {
        ArgumentNullException.ThrowIfNull(incidents);
        List<GroupEvent> events = [];
        return new GroupedIncidents([.. InOrder(incidents).Select(incident => Take(incident, events))], events);
    }

    /// <summary>Incidents that go on, as far as their groups list them: the latest group first, and in each the strongest.</summary>
    public IReadOnlyList<GroupMember> Open() =>
        [.. Enumerable.Reverse(_groups).SelectMany(group => group.Members.Where(member => member.IsOpen))];

    /// <summary>Writes all that is remembered.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Layout);
        _coincidence.Save(writer);
        writer.Write(_groups.Count);

        foreach (IncidentGroup group in _groups)
        {
            writer.Write(group.Id);
            group.Save(writer);
        }

        writer.Write(_open.Count);

        foreach ((string stream, (string incidentId, IncidentGroup group)) in _open)
        {
            writer.Write(stream);
            writer.Write(incidentId);
            writer.Write(_groups.IndexOf(group));
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into a new one.</summary>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);

        if (reader.ReadInt32() != Layout)
        {
            return;
        }

        _coincidence.Load(reader);

        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            var group = new IncidentGroup(reader.ReadString());
            group.Load(reader);
            _groups.Add(group);
        }

        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            _open.Add(reader.ReadString(), (reader.ReadString(), _groups[reader.ReadInt32()]));
        }
    }

    /// <summary>By time, then stream. A silence is told by the clock and its end by the record: a stream's own order goes before time.</summary>
    private static IEnumerable<IncidentEvent> InOrder(IReadOnlyList<IncidentEvent> incidents)
    {
        Dictionary<string, DateTimeOffset> last = new(StringComparer.Ordinal);
        (DateTimeOffset Time, IncidentEvent Incident)[] timed =
        [
            .. incidents.Select(incident =>
                (last[incident.Stream] = last.TryGetValue(incident.Stream, out DateTimeOffset before) && before > incident.Time ? before : incident.Time, incident)),
        ];
        return timed.OrderBy(one => one.Time).ThenBy(one => one.Incident.Stream, StringComparer.Ordinal).Select(one => one.Incident);
    }

    private IncidentEvent Take(IncidentEvent incident, List<GroupEvent> events)
    {
        bool isKnown = _open.TryGetValue(incident.Stream, out (string IncidentId, IncidentGroup Group) open) && open.IncidentId == incident.IncidentId;
        bool isEnd = incident.State == IncidentState.Closed;
        IncidentGroup? group = isKnown ? open.Group : null;
        GroupState state = GroupState.Continued;

        if (isEnd && group is null)
        {
            // It has ended already, or so long ago that its group has gone: there is nothing to tell.
            group = _groups.Find(one => one.Members.Any(member => member.IncidentId == incident.IncidentId));
            return incident with { GroupId = group?.Id ?? incident.IncidentId, GroupSize = group?.Size ?? 1 };
        }

        if (group is null)
        {
            // What the stream had open before: its end was lost, in a crash for one.
            if (open.Group is { } former && End(incident) == GroupState.Closed)
            {
                events.Add(former.Event(GroupState.Closed, incident.Time, null));
            }

            (group, state) = Assign(IncidentGroup.MemberOf(incident));
        }
        else if (isEnd)
        {
            state = End(incident);
        }
        else
        {
            group.Follow(IncidentGroup.MemberOf(incident));
        }

        events.Add(group.Event(state, incident.Time, incident));
        MakeRoom(incident.Time, events);
        return incident with { GroupId = group.Id, GroupSize = group.Size, OpensGroup = state == GroupState.Opened };
    }

    private GroupState End(IncidentEvent incident)
    {
        _open.Remove(incident.Stream, out (string IncidentId, IncidentGroup Group) open);
        open.Group.End(open.IncidentId, incident.Time);
        return open.Group.ClosedAt is null ? GroupState.Continued : GroupState.Closed;
    }

    private (IncidentGroup Group, GroupState State) Assign(GroupMember incident)
    {
        // Groups that have just closed too: a short cause ends before its slowest stream has seen it.
        IncidentGroup[] near = [.. _groups.Where(group => (incident.Onset - group.Onset).Duration() <= Coincidence.LagMax)];

        // Whom it is a relative of explains it; only what has none may be part of something larger.
        IncidentGroup? found = Least(near, group => group.Members.Append(group.Last!).Min(member => _coincidence.OfRelatives(incident, member)));
        bool isStranger = found is null;
        found ??= Least(near, group => OfStrangers(incident, group, near));
        GroupState state = found is null ? GroupState.Opened : GroupState.Joined;

        if (found is null)
        {
            found = new IncidentGroup(incident.IncidentId);
            _groups.Add(found);
        }

        _coincidence.Learn(incident, near.SelectMany(group => group.Members));
        found.Add(incident, isStranger);
        _open[incident.Stream] = (incident.IncidentId, found);
        return (found, state);
    }

    /// <summary>The group that leaves the least doubt, the latest of equals; null where each leaves more than is allowed.</summary>
    private static IncidentGroup? Least(IncidentGroup[] groups, Func<IncidentGroup, double> doubt) =>
        groups.Select(group => (Group: group, Doubt: doubt(group))).Where(one => one.Doubt <= 1).Reverse().OrderBy(one => one.Doubt).FirstOrDefault().Group;

    /// <summary>It may have met any part of the group, so what counts is the time since that began, and all strangers that have come since.</summary>
    private double OfStrangers(GroupMember incident, IncidentGroup group, IncidentGroup[] near)
    {
        TimeSpan apart = (incident.Onset - group.Onset).Duration(), behind = (incident.Onset - group.Last!.Onset).Duration();
        int between = near.Count(other => other != group && (other.Onset - group.Onset).Duration() <= apart && (other.Onset - incident.Onset).Duration() <= apart);
        return Math.Min(apart.TotalSeconds, behind.TotalSeconds) <= Coincidence.Window(incident, group.Last)
            ? _coincidence.OfStrangers(incident, group.Last, apart.TotalSeconds, group.Strangers + between)
            : double.PositiveInfinity;
    }

    private void MakeRoom(DateTimeOffset now, List<GroupEvent> events)
    {
        _groups.RemoveAll(group => group.ClosedAt < now - Coincidence.LagMax);

        if (_groups.Count > GroupsMax)
        {
            IncidentGroup oldest = _groups.Find(group => group.ClosedAt is not null) ?? _groups[0];
            _groups.Remove(oldest);

            if (oldest.ClosedAt is null)
            {
                foreach (string stream in _open.Where(pair => pair.Value.Group == oldest).Select(pair => pair.Key).ToArray())
                {
                    _open.Remove(stream);
                }

                oldest.EndAll(now);
                events.Add(oldest.Event(GroupState.Closed, now, null));
            }
        }
    }
}
