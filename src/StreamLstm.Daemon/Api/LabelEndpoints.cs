using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Api;

/// <summary>/api/v1/labels: what people say of incidents. A label takes effect in the stream's own state, and is written down in the history.</summary>
internal static class LabelEndpoints
{
    private const int BodyMaxBytes = 16 * 1024;
    private const int NoteMaxCharacters = 2_000;
    private static readonly TimeSpan HistoryMax = TimeSpan.FromSeconds(10);
    private const int PageMax = 1_000;
    private const string Expected = """expected {"incident_id": "...", "label": "false_alarm" or "real", "note": "..."}""";

    public static void Map(IEndpointRouteBuilder routes, LiveView live, PipelineService pipeline, TimeProvider time)
    {
        routes.MapPost("/api/v1/labels", (HttpRequest request, CancellationToken cancellation) => pipeline.Cluster is { } cluster
            ? AddAsync(cluster, time, request, cancellation)
            : GuardedAsync(pipeline, (running, labels) => AddAsync(running, labels, live, pipeline.History!, time, request, cancellation)));
        routes.MapDelete("/api/v1/labels/{id}", (string id, HttpRequest request, CancellationToken cancellation) => pipeline.Cluster is { } cluster
            ? ClusterVerbs.LabelAsync(cluster, request, id, label: null, body: null, time.GetUtcNow(), cancellation)
            : GuardedAsync(pipeline, (running, labels) => RemoveAsync(running, labels, time, id, cancellation)));
        routes.MapRead("/api/v1/labels", (int? limit, int? offset) => List(pipeline, limit, offset));
    }

    /// <summary>An incident as JSON with what people said of it, if anything.</summary>
    public static string WithLabel(string incident, LabelStore labels)
    {
        JsonObject parsed = JsonNode.Parse(incident)!.AsObject();
        return Said(parsed, labels) ? parsed.ToJsonString(EventJson.Options) : incident;
    }

    /// <summary>Puts what people said of an incident beside it: what it was, who looks after it.</summary>
    /// <returns>Whether they said anything.</returns>
    public static bool Said(JsonObject incident, LabelStore labels)
    {
        string id = (string)incident["incident_id"]!;
        (StoredLabel? label, Acknowledgement? lookedAfter) = (labels.Of(id), labels.LookedAfter(id));

        if (label is not null)
        {
            incident["label"] = Node(label);
        }

        if (lookedAfter is not null)
        {
            incident["acknowledged"] = AcknowledgeEndpoints.Node(lookedAfter);
        }

        return label is not null || lookedAfter is not null;
    }

    private static JsonNode Node(StoredLabel label) => JsonSerializer.SerializeToNode(new { label.Id, label.Label, label.Note, label.Time }, EventJson.Options)!;

    private static async Task<IResult> AddAsync(
        DetectionPipeline running, LabelStore labels, LiveView live, HistoryReader history, TimeProvider time,
        HttpRequest request, CancellationToken cancellation)
    {
        (LabelWish? wish, IResult? refused) = await WishAsync(request, cancellation);

        if (wish is not { IncidentId: var incidentId, Label: var label, Note: var note })
        {
            return refused!;
        }

        string? stream = live.Incidents().FirstOrDefault(incident => incident.IncidentId == incidentId)?.Stream
            ?? history.StreamOfIncident(incidentId);

        if (stream is null)
        {
            return Error($"incident_id: '{incidentId}' is not known; /api/v1/incidents lists those that are", 404);
        }

        DateTimeOffset now = time.GetUtcNow();
        (LabelOutcome outcome, long position) = await running.Decisions.LabelAsync(stream, incidentId, label, note, now, cancellation);

        if (outcome != LabelOutcome.Applied)
        {
            return Error(
                $"incident_id: stream '{stream}' does not remember incident '{incidentId}' any more: a stream keeps its last 16, and 32 with labels", 404);
        }

        return !await WrittenAsync(running, position, cancellation) ? NotYet()
            : labels.Given(position) is { } given ? Results.Json(given, EventJson.Options, statusCode: 201)
            : Error($"incident_id: '{incidentId}' was labelled again in the same moment; /api/v1/labels lists what holds", 409);
    }

    /// <summary>In a cluster the label is in its stream's state alone, with which it goes to other daemons: nobody keeps a list of them, or notes.</summary>
    private static async Task<IResult> AddAsync(ClusterNode cluster, TimeProvider time, HttpRequest request, CancellationToken cancellation)
    {
        (LabelWish? wish, IResult? refused) = await WishAsync(request, cancellation);
        return wish is null ? refused!
            : await ClusterVerbs.LabelAsync(
                cluster, request, wish.IncidentId, wish.Label,
                JsonSerializer.SerializeToUtf8Bytes(new LabelBody(wish.IncidentId, EventJson.Word(wish.Label), null), EventJson.Options), time.GetUtcNow(), cancellation);
    }

    /// <summary>What is asked for; the second is the answer where it cannot be understood.</summary>
    private static async Task<(LabelWish? Wish, IResult? Refused)> WishAsync(HttpRequest request, CancellationToken cancellation)
    {
        // A page of another origin may send a form without asking, but not JSON.
        if (!request.HasJsonContentType())
        {
            return (null, Error($"content type '{request.ContentType}', expected application/json", 415));
        }

        if (await ReadAsync(request, cancellation) is not { } body)
        {
            return (null, Error($"body: more than {BodyMaxBytes} bytes; {Expected}", 413));
        }

        if (!TryParse(body, out string incidentId, out IncidentLabel label, out string note, out string? wrong))
        {
            return (null, Error(wrong!, 400));
        }

        return (new LabelWish(incidentId, label, note), null);
    }

    private static async Task<IResult> RemoveAsync(
        DetectionPipeline running, LabelStore labels, TimeProvider time, string id, CancellationToken cancellation)
    {
        if (!long.TryParse(id, out long number) || labels.Find(number) is not { } label)
        {
            return Error($"label '{id}' is not known; /api/v1/labels lists those that are", 404);
        }

        if (label.RemovedAt is { } removed)
        {
            return Error($"label {number} was taken back at {removed:O} already", 404);
        }

        // Where the stream has forgotten the incident there is no effect left to take back, and the history marks it all the same.
        (_, long position) = await running.Decisions.LabelAsync(label.Stream, label.IncidentId, null, "", time.GetUtcNow(), cancellation);
        return await WrittenAsync(running, position, cancellation) ? Results.Json(labels.TakenBack(label), EventJson.Options) : NotYet();
    }

    /// <summary>What holds is listed once the history has got that far.</summary>
    private static Task<bool> WrittenAsync(DetectionPipeline running, long position, CancellationToken cancellation) =>
        running.UntilSettledAsync(HistorySink.SinkName, position, HistoryMax, cancellation);

    private static IResult NotYet() =>
        Error($"the label holds, and the history has not written it down within {HistoryMax.TotalSeconds:0} s: /api/v1/labels lists it once sinks.history goes on (/api/v1/status)", 503);

    private static IResult List(PipelineService pipeline, int? limit, int? offset) =>
        limit is < 1 or > PageMax ? Error($"query parameter limit: {limit}, expected 1 to {PageMax}", 400)
        : offset < 0 ? Error($"query parameter offset: {offset}, expected 0 or more", 400)
        : pipeline.Cluster is not null ? Error("a member of a cluster keeps no list of labels: each is in its stream's state (DELETE /api/v1/labels/INCIDENT_ID takes it back)", 404)
        : pipeline.Labels is { } labels ? Results.Json(new { labels = labels.List(limit ?? 100, offset ?? 0) }, EventJson.Options)
        : NoHistory();

    private static async Task<IResult> GuardedAsync(
        PipelineService pipeline, Func<DetectionPipeline, LabelStore, Task<IResult>> answer)
    {
        if (pipeline.Pipeline is not { } running)
        {
            return Error(PipelineService.WhyNoPipeline, 503);
        }

        if (pipeline.Labels is not { } labels)
        {
            return NoHistory();
        }

        try
        {
            return await answer(running, labels);
        }
        catch (ChannelClosedException)
        {
            return Error("the daemon is stopping", 503);
        }
        catch (NotTakenException refused)
        {
            return Error(refused.Message, 503);
        }
        catch (SqliteException failed)
        {
            return Error($"the history cannot be read or written ({failed.Message}): the label may hold without being listed", 500);
        }
    }

    private static bool TryParse(byte[] body, out string incidentId, out IncidentLabel label, out string note, out string? wrong)
    {
        incidentId = note = "";
        label = default;
        wrong = null;

        try
        {
            LabelBody? parsed = JsonSerializer.Deserialize<LabelBody>(body, EventJson.Options);
            incidentId = parsed?.IncidentId ?? "";
            note = parsed?.Note ?? "";

            if (incidentId.Length == 0)
            {
                wrong = $"incident_id: missing, {Expected}";
            }
            else if (parsed!.Label is not ("false_alarm" or "real"))
            {
                wrong = $"label: '{parsed.Label}', expected false_alarm or real";
            }
            else if (note.Length > NoteMaxCharacters)
            {
                wrong = $"note: {note.Length} characters, expected at most {NoteMaxCharacters}";
            }

            label = parsed?.Label == "real" ? IncidentLabel.Real : IncidentLabel.FalseAlarm;
        }
        catch (JsonException broken)
        {
            wrong = $"body: {broken.Message} {Expected}";
        }

        return wrong is null;
    }

    private static async Task<byte[]?> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        var buffer = new byte[BodyMaxBytes + 1];
        int length = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
        return length > BodyMaxBytes ? null : buffer[..length];
    }

    private static IResult NoHistory() =>
        Error("labels are written down in the history, and none is kept (sinks.history.enabled: false)", 404);

    private static IResult Error(string error, int statusCode) => Results.Json(new { error }, EventJson.Options, statusCode: statusCode);

    private sealed record LabelWish(string IncidentId, IncidentLabel Label, string Note);

    private sealed record LabelBody(string? IncidentId, string? Label, string? Note);
}
