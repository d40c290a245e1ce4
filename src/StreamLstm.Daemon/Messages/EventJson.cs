using System.Text.Json;
using System.Text.Json.Serialization;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Messages;

/// <summary>How events are written as JSON, everywhere the same: snake_case, enums as words, no nulls.</summary>
internal static class EventJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>A name of an enumeration as it is written everywhere.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    public static string Incident(IncidentEvent incident) => JsonSerializer.Serialize(new
    {
        type = "incident",
        schema_version = 1,
        incident.Id,
        incident.IncidentId,
        incident.Revision,
        incident.Stream,
        incident.Labels,
        incident.Unit,
        incident.DeclaredLow,
        incident.DeclaredHigh,
        incident.State,
        incident.Kind,
        incident.Severity,
        incident.Onset,
        detected_at = incident.Time,
        incident.ClosedAt,
        score = Math.Round(incident.Score, 1),
        max_score = Math.Round(incident.MaxScore, 1),
        incident.Actual,
        expected = incident.Expected is null ? null : new { value = incident.Expected, lower = incident.Lower, upper = incident.Upper },
        incident.Columns,
        incident.Template,
        incident.ExpectedTemplate,
        incident.Occurrence,
        incident.FirstSeen,
        incident.PreviousAt,
        incident.Attribution,
        incident.Explanation,
        model = new { version = incident.ModelVersion },
        incident.GroupId,
        incident.GroupSize,
        opens_group = incident.GroupId is null ? (bool?)null : incident.OpensGroup,
    }, Options);

    public static string Group(GroupEvent group) => JsonSerializer.Serialize(GroupBody(group, group.Members.Count), Options);

    /// <summary>A group as it is now, with its strongest members.</summary>
    public static object GroupBody(GroupEvent group, int membersMax) => new
    {
        type = "incident_group",
        schema_version = 1,
        group.Id,
        group.Revision,
        state = group.ClosedAt is null ? IncidentState.Opened : IncidentState.Closed,
        group.Severity,
        group.Onset,
        group.ClosedAt,
        max_score = Math.Round(group.MaxScore, 1),
        group.Size,
        group.OpenSize,
        group.Title,
        members = group.Members.Take(membersMax).Select(member => new
        {
            member.Stream,
            member.IncidentId,
            member.Kind,
            member.Severity,
            member.Onset,
            max_score = Math.Round(member.MaxScore, 1),
            state = member.IsOpen ? IncidentState.Opened : IncidentState.Closed,
            member.Figure,
            member.Explanation,
        }),
    };

    public static string Score(in ScoredObservation scored) => JsonSerializer.Serialize(new
    {
        type = "score",
        scored.Stream,
        scored.Time,
        scored.Value,
        scored.Lifecycle,
        scored.AnomalyScore,
        score = Math.Round(scored.Score, 1),
        scored.Evidence,
        scored.Expected,
        scored.Lower,
        scored.Upper,
        scored.IsAlert,
        scored.Columns,
        scored.Template,
        scored.ExpectedTemplate,
        model = new { version = scored.ModelVersion },
    }, Options);

    public static string Swap(ModelSwap swap) => JsonSerializer.Serialize(new { type = "model_swap", swap }, Options);
}
