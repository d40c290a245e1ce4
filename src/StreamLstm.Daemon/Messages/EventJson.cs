using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
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
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>A name of an enumeration as it is written everywhere.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static readonly EventShape<IncidentEvent> IncidentShape = EventShape<IncidentEvent>.Of(incident => new
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
    });

    private static readonly EventShape<(GroupEvent Group, int MembersMax)> GroupShape = EventShape<(GroupEvent Group, int MembersMax)>.Of(one => new
    {
        type = "incident_group",
        schema_version = 1,
        one.Group.Id,
        one.Group.Revision,
        state = one.Group.ClosedAt is null ? IncidentState.Opened : IncidentState.Closed,
        one.Group.Severity,
        one.Group.Onset,
        one.Group.ClosedAt,
        max_score = Math.Round(one.Group.MaxScore, 1),
        one.Group.Size,
        one.Group.OpenSize,
        one.Group.Title,
        members = one.Group.Members.Take(one.MembersMax).Select(member => new
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
    });

    private static readonly EventShape<ScoredObservation> ScoreShape = EventShape<ScoredObservation>.Of(scored => new
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
    });

    private static readonly EventShape<ModelSwap> SwapShape = EventShape<ModelSwap>.Of(swap => new { type = "model_swap", swap });

    public static string Incident(IncidentEvent incident) => IncidentShape.Write(incident);

    public static string Group(GroupEvent group) => GroupShape.Write((group, group.Members.Count));

    /// <summary>A group as it is now, with its strongest members.</summary>
    public static object GroupBody(GroupEvent group, int membersMax) => GroupShape.Body((group, membersMax));

    public static string Score(in ScoredObservation scored) => ScoreShape.Write(scored);

    public static string Swap(ModelSwap swap) => SwapShape.Write(swap);

    /// <summary>What sinks write, as a JSON schema (draft 2020-12).</summary>
    public static JsonObject Schema() => new()
    {
        ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
        ["title"] = "An event of StreamLstm",
        ["oneOf"] = new JsonArray(IncidentShape.Schema("incident"), GroupShape.Schema("incident_group"), ScoreShape.Schema("score"), SwapShape.Schema("model_swap")),
    };
}
