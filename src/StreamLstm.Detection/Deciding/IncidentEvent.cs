namespace StreamLstm.Detection.Deciding;

/// <summary>What happened to an incident.</summary>
public enum IncidentState
{
    /// <summary>It began: the one event that should wake somebody.</summary>
    Opened,

    /// <summary>It goes on and became worse.</summary>
    Continued,

    /// <summary>It ended.</summary>
    Closed,
}

/// <summary>What kind of thing was seen.</summary>
public enum IncidentKind
{
    /// <summary>Single values far from what was forecast.</summary>
    Point,

    /// <summary>A value that is ordinary for the stream but not at this place.</summary>
    Contextual,

    /// <summary>The values moved and stay where they are.</summary>
    LevelShift,

    /// <summary>A value outside everything the stream has shown.</summary>
    Range,

    /// <summary>The values stopped changing.</summary>
    Flatline,

    /// <summary>A shape the stream has never shown.</summary>
    Pattern,

    /// <summary>The stream stopped sending.</summary>
    Silence,

    /// <summary>An event, or a row of events, that the stream's own past does not explain.</summary>
    Log,

    /// <summary>A line of text whose characters the stream's own past does not explain.</summary>
    Text,
}

/// <summary>How urgent an incident is.</summary>
public enum IncidentSeverity
{
    /// <summary>Worth a look some time (score below 60).</summary>
    Info,

    /// <summary>Worth a look today (score 60 to 70).</summary>
    Warning,

    /// <summary>Worth a look now (score above 70).</summary>
    Critical,
}

/// <summary>One message about one incident: opened, continued or closed.</summary>
public sealed record IncidentEvent
{
    /// <summary>Unique for this message; the same record in the same state gives the same id after a replay.</summary>
    public required string Id { get; init; }

    /// <summary>The id of the message that opened the incident.</summary>
    public required string IncidentId { get; init; }

    /// <summary>0 for the opening message, then counting up.</summary>
    public required int Revision { get; init; }

    /// <summary>The stream it is about.</summary>
    public required string Stream { get; init; }

    /// <summary>What the stream's name says of where it comes from, as names and values; null where nothing is known of that.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>The unit that its device declares of the stream's values; null where it declares none.</summary>
    public string? Unit { get; init; }

    /// <summary>The least value that the device declares possible, in the stream's unit; null where it declares none.</summary>
    public double? DeclaredLow { get; init; }

    /// <summary>The greatest one; null where it declares none.</summary>
    public double? DeclaredHigh { get; init; }

    /// <summary>Opened, continued or closed.</summary>
    public required IncidentState State { get; init; }

    /// <summary>What kind of thing was seen.</summary>
    public required IncidentKind Kind { get; init; }

    /// <summary>How urgent it is, by the highest score so far.</summary>
    public required IncidentSeverity Severity { get; init; }

    /// <summary>Time of the first abnormal observation (of the last one before a silence).</summary>
    public required DateTimeOffset Onset { get; init; }

    /// <summary>Time of the observation (or of the clock, for a silence) that led to this message.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>When the incident ended; null until it is closed.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>0 to 100, of this observation: 50 opens an incident.</summary>
    public required double Score { get; init; }

    /// <summary>0 to 100, the highest of the incident.</summary>
    public required double MaxScore { get; init; }

    /// <summary>The observed value; null for a silence.</summary>
    public double? Actual { get; init; }

    /// <summary>The median that was forecast, or null.</summary>
    public double? Expected { get; init; }

    /// <summary>Lower end of the forecast band, or null.</summary>
    public double? Lower { get; init; }

    /// <summary>Upper end of the forecast band, or null.</summary>
    public double? Upper { get; init; }

    /// <summary>For a record whose values are judged together: what was said of each column; null for a single value and for a silence.</summary>
    public IReadOnlyList<ColumnFigure>? Columns { get; init; }

    /// <summary>For an event: the template of its text; null for values.</summary>
    public string? Template { get; init; }

    /// <summary>For an event: the template that was held most likely instead; null where none was.</summary>
    public string? ExpectedTemplate { get; init; }

    /// <summary>1 for the first of its kind in this stream, 2 where one like it was seen before, and so on: one recurring incident.</summary>
    public int Occurrence { get; init; } = 1;

    /// <summary>When the first one like it began.</summary>
    public DateTimeOffset FirstSeen { get; init; }

    /// <summary>When the one like it before this began; null where it is the first.</summary>
    public DateTimeOffset? PreviousAt { get; init; }

    /// <summary>Why it fired: each indicator's share of the score, each scored column's where there are columns; summing to 1.</summary>
    public required IReadOnlyDictionary<string, double> Attribution { get; init; }

    /// <summary>Why it fired, as a sentence with the figures in it; of a closed one its opening sentence, and how it ended.</summary>
    public required string Explanation { get; init; }

    /// <summary>The version of the base weights in service at that moment.</summary>
    public required long ModelVersion { get; init; }

    /// <summary>The usual interval between two observations of the stream; null where it is not known.</summary>
    public double? IntervalSeconds { get; init; }

    /// <summary>The group of incidents of one cause that it is part of: the id of its first incident; null before it was grouped.</summary>
    public string? GroupId { get; init; }

    /// <summary>How many incidents that group has had so far; null before it was grouped.</summary>
    public int? GroupSize { get; init; }

    /// <summary>Whether this message opened the group: of all of the group's the one that should wake somebody.</summary>
    public bool OpensGroup { get; init; }
}
