using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Views;

namespace StreamLstm.Daemon.Api;

/// <summary>POST and DELETE /api/v1/incidents/ID/acknowledgement: who looks after an incident, so that nobody else begins to. No score heeds it.</summary>
internal static class AcknowledgeEndpoints
{
    private const int NameMaxCharacters = 100;
    private const int NoteMaxCharacters = 2_000;
    private const string Expected = """{"by": "who", "note": "..."}""";

    private static readonly TimeSpan HistoryMax = TimeSpan.FromSeconds(10);

    public static void Map(IEndpointRouteBuilder routes, PipelineService pipeline, TimeProvider time)
    {
        routes.MapPost("/api/v1/incidents/{id}/acknowledgement", async (string id, HttpRequest request, CancellationToken cancellation) =>
        {
            (AcknowledgementBody? body, IResult? refused) = await JsonBody.ReadAsync<AcknowledgementBody>(request, Expected, cancellation);
            return refused ?? await SayAsync(pipeline, time, id, body!.By?.Trim() ?? "", body.Note ?? "", isTakenBack: false, cancellation);
        });
        routes.MapDelete("/api/v1/incidents/{id}/acknowledgement", (string id, CancellationToken cancellation) =>
            SayAsync(pipeline, time, id, "", "", isTakenBack: true, cancellation));
    }

    /// <summary>Who looks after it, as it stands beside an incident.</summary>
    public static JsonNode Node(Acknowledgement said) => JsonSerializer.SerializeToNode(said, EventJson.Options)!;

    private static async Task<IResult> SayAsync(
        PipelineService pipeline, TimeProvider time, string id, string by, string note, bool isTakenBack, CancellationToken cancellation)
    {
        if (!isTakenBack && by.Length is 0 or > NameMaxCharacters)
        {
            return JsonBody.Error($"by: {(by.Length == 0 ? "missing" : $"{by.Length} characters")}, expected 1 to {NameMaxCharacters}, as in {Expected}", 400);
        }

        if (note.Length > NoteMaxCharacters)
        {
            return JsonBody.Error($"note: {note.Length} characters, expected at most {NoteMaxCharacters}", 400);
        }

        if (pipeline.Cluster is not null)
        {
            return JsonBody.Error("a member of a cluster keeps no list of who looks after what", 404);
        }

        if (pipeline.Pipeline is not { } running)
        {
            return JsonBody.Error(PipelineService.WhyNoPipeline, 503);
        }

        if (pipeline is not { Labels: { } labels, History: { } history })
        {
            return JsonBody.Error("who looks after an incident is written down in the history, and none is kept (sinks.history.enabled: false)", 404);
        }

        if (history.Incident(id) is null)
        {
            return JsonBody.Error($"incident '{id}' is not known; /api/v1/incidents lists those that are", 404);
        }

        if (isTakenBack && labels.LookedAfter(id) is null)
        {
            return JsonBody.Error($"incident '{id}' is looked after by nobody", 404);
        }

        try
        {
            long position = await running.Decisions.AcknowledgeAsync(id, by, note, time.GetUtcNow(), cancellation);

            if (!await running.UntilSettledAsync(HistorySink.SinkName, position, HistoryMax, cancellation))
            {
                return JsonBody.Error($"it holds, and the history has not written it down within {HistoryMax.TotalSeconds:0} s: it is listed once sinks.history goes on (/api/v1/status)", 503);
            }

            Acknowledgement? held = labels.Acknowledged(id);
            return Results.Json(new { incident_id = id, acknowledged = held }, EventJson.Options, statusCode: isTakenBack ? 200 : 201);
        }
        catch (ChannelClosedException)
        {
            return JsonBody.Error("the daemon is stopping", 503);
        }
        catch (NotTakenException refused)
        {
            return JsonBody.Error(refused.Message, 503);
        }
    }

    private sealed record AcknowledgementBody(string? By, string? Note);
}
