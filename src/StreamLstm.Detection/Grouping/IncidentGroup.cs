using System.Globalization;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Grouping;

/// <summary>Incidents that began together, while they are followed.</summary>
internal sealed class IncidentGroup(string id)
{
    /// <summary>Listed, the strongest; more are counted only, as nobody reads them.</summary>
    private const int MembersMax = 100;

    /// <summary>A title is one line.</summary>
    private const int FigureMaxCharacters = 80;

    private readonly List<GroupMember> _members = [];
    private int _revision = -1;
    private string _prefix = "";
    private IncidentSeverity _severity;

    public string Id { get; } = id;

    public DateTimeOffset Onset { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>The member that began last, listed or not.</summary>
    public GroupMember? Last { get; private set; }

    public DateTimeOffset? ClosedAt { get; private set; }

    public int Size { get; private set; }

    public int OpenSize { get; private set; }

    /// <summary>Members that are no relatives of those before them: the first, and those of something larger.</summary>
    public int Strangers { get; private set; }

    /// <summary>The strongest first.</summary>
    public IReadOnlyList<GroupMember> Members => _members;

    public static GroupMember MemberOf(IncidentEvent incident) => new(
        incident.Stream, incident.IncidentId, incident.Kind, incident.Severity, incident.MaxScore, incident.Onset,
        FigureOf(incident), incident.Explanation, IsOpen: true, incident.IntervalSeconds);

    /// <summary>Takes in an incident; a stream that was in it already is listed with the new one.</summary>
    public void Add(GroupMember member, bool isStranger)
    {
        _prefix = Size == 0 ? member.Stream : Coincidence.Shared(_prefix, member.Stream);
        Size += _members.RemoveAll(other => other.Stream == member.Stream) > 0 ? 0 : 1;
        OpenSize++;
        Strangers += isStranger ? 1 : 0;
        ClosedAt = null;
        Onset = member.Onset < Onset ? member.Onset : Onset;
        Last = Last is null || member.Onset >= Last.Onset ? member : Last;
        Place(member);
    }

    /// <summary>One of its incidents became worse.</summary>
    public void Follow(GroupMember member)
    {
        _members.RemoveAll(other => other.IncidentId == member.IncidentId);
        Place(member);
    }

    /// <summary>One of its incidents ended; why it began is what people look for, so that stays.</summary>
    public void End(string incidentId, DateTimeOffset time)
    {
        if (_members.FindIndex(member => member.IncidentId == incidentId) is >= 0 and int place)
        {
            _members[place] = _members[place] with { IsOpen = false };
        }

        OpenSize--;
        ClosedAt = OpenSize == 0 ? time : null;
    }

    /// <summary>All of it is taken for ended.</summary>
    public void EndAll(DateTimeOffset time) => (OpenSize, ClosedAt) = (0, time);

    public GroupEvent Event(GroupState state, DateTimeOffset time, IncidentEvent? incident)
    {
        (IncidentSeverity before, _severity) = (_severity, Severity());
        return new GroupEvent(
            Id, ++_revision, state, Onset, time, ClosedAt, _severity, _severity > before, _members[0].MaxScore, Size, OpenSize,
            Title(), [.. _members], incident);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_revision);
        writer.Write(_prefix);
        writer.Write(Onset.UtcTicks);
        writer.Write(ClosedAt?.UtcTicks ?? 0);
        writer.Write(Size);
        writer.Write(OpenSize);
        writer.Write(Strangers);
        writer.Write(_members.Count);

        foreach (GroupMember member in _members.Append(Last!))
        {
            writer.Write(member.Stream);
            writer.Write(member.IncidentId);
            writer.Write((int)member.Kind);
            writer.Write((int)member.Severity);
            writer.Write(member.MaxScore);
            writer.Write(member.Onset.UtcTicks);
            writer.Write(member.Figure);
            writer.Write(member.Explanation);
            writer.Write(member.IsOpen);
            writer.Write(member.IntervalSeconds ?? 0);
        }
    }

    public void Load(BinaryReader reader)
    {
        _revision = reader.ReadInt32();
        _prefix = reader.ReadString();
        Onset = Time(reader);
        ClosedAt = Time(reader) is { Ticks: > 0 } closed ? closed : null;
        Size = reader.ReadInt32();
        OpenSize = reader.ReadInt32();
        Strangers = reader.ReadInt32();

        int count = reader.ReadInt32();

        for (int i = 0; i <= count; i++)
        {
            _members.Add(new GroupMember(
                reader.ReadString(), reader.ReadString(), (IncidentKind)reader.ReadInt32(), (IncidentSeverity)reader.ReadInt32(), reader.ReadDouble(),
                Time(reader), reader.ReadString(), reader.ReadString(), reader.ReadBoolean(), reader.ReadDouble() is > 0 and var interval ? interval : null));
        }

        Last = _members[count];
        _members.RemoveAt(count);
        _severity = Severity();
    }

    private static DateTimeOffset Time(BinaryReader reader) => new(reader.ReadInt64(), TimeSpan.Zero);

    private static string FigureOf(IncidentEvent incident)
    {
        string words =
            incident.Kind == IncidentKind.Silence ? "fell silent"
            : incident.Columns is { Count: > 0 } columns && columns.MaxBy(column => column.Share) is var most
                ? $"{most.Column} {Banded(most.Actual, most.Lower, most.Upper)}"
            : incident.Template is not null ? $"'{incident.Template}'"
            : Banded(incident.Actual, incident.Lower, incident.Upper);
        return words.Length <= FigureMaxCharacters ? words : words[..FigureMaxCharacters] + "...";
    }

    private static string Banded(double? actual, double? lower, double? upper) => lower is null
        ? Figures.Of(actual)
        : $"{Figures.Of(actual)} (expected {Figures.Of(lower)} to {Figures.Of(upper)})";

    /// <summary>By score, then onset, then name.</summary>
    private void Place(GroupMember member)
    {
        int place = _members.FindIndex(other =>
            (-member.MaxScore, member.Onset).CompareTo((-other.MaxScore, other.Onset)) is var order
            && (order < 0 || (order == 0 && string.CompareOrdinal(member.Stream, other.Stream) < 0)));
        _members.Insert(place < 0 ? _members.Count : place, member);

        if (_members.Count > MembersMax)
        {
            _members.RemoveAt(MembersMax);
        }
    }

    private IncidentSeverity Severity() => _members.Max(member => member.Severity);

    private string Title()
    {
        GroupMember strongest = _members[0];

        if (Size == 1)
        {
            return $"{strongest.Stream} {strongest.Figure}";
        }

        double seconds = (Last!.Onset - Onset).TotalSeconds;
        string within =
            seconds < 1 ? "at once"
            : seconds < 120 ? string.Create(CultureInfo.InvariantCulture, $"within {seconds:0} s")
            : string.Create(CultureInfo.InvariantCulture, $"within {seconds / 60:0} min");
        string name = _prefix.Length > 0 && strongest.Stream.Length > _prefix.Length ? strongest.Stream[(_prefix.Length + 1)..] : strongest.Stream;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Size} streams{(_prefix.Length > 0 ? " of " + _prefix : "")} changed {within}: {name} {strongest.Figure} and {Size - 1} more");
    }
}
