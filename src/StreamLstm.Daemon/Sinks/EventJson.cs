using System.Text.Json;
using System.Text.Json.Serialization;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks;

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

    public static string Incident(IncidentEvent incident) => JsonSerializer.Serialize(new
    {
        type = "incident",
        schema_version = 1,
        incident.Id,
        incident.IncidentId,
        incident.Revision,
        incident.Stream,
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
    }, Options);

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
