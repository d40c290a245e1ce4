using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Api;

/// <summary>GET /api/v1/explain?stream=X[&amp;at=TIME]: why an observation was an alert, or why it was none; of an incident that is not in memory any more, what the history kept.</summary>
internal static class ExplainEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, PipelineService pipeline) =>
        routes.MapRead("/api/v1/explain", (string? stream, string? at, HttpRequest request, CancellationToken cancellation) =>
            AnswerAsync(pipeline, stream, at, request, cancellation));

    private static async Task<IResult> AnswerAsync(
        PipelineService pipeline, string? stream, string? at, HttpRequest request, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(stream))
        {
            return Error("query parameter stream: missing, expected a stream's name; /api/v1/streams lists them", 400);
        }

        DateTimeOffset? time = null;

        if (!string.IsNullOrEmpty(at))
        {
            if (!Timestamps.TryParse(at, out DateTimeOffset parsed))
            {
                return Error($"query parameter at: '{at}', expected {Timestamps.Expectation}", 400);
            }

            time = parsed;
        }

        if (pipeline.Cluster is { } cluster)
        {
            return await ClusterVerbs.ExplainAsync(cluster, request, stream, time, cancellation);
        }

        if (pipeline.Pipeline is not { } running)
        {
            return Error(PipelineService.WhyNoPipeline, 503);
        }

        try
        {
            ExplainAnswer answer = await running.ExplainAsync(stream, time, cancellation);
            return answer.Explanation is { } explanation ? Results.Json(explanation, EventJson.Options)
                : time is { } then && pipeline.History?.OpeningAt(stream, then) is { } opening ? Results.Json(Kept(opening), EventJson.Options)
                : Error(answer.Missing!, 404);
        }
        catch (ChannelClosedException)
        {
            return Error("the daemon is stopping", 503);
        }
    }

    /// <summary>What the history kept of the incident of that time: why it was told, and what its score was made of.</summary>
    private static object Kept(string opening)
    {
        JsonObject incident = JsonNode.Parse(opening)!.AsObject();
        JsonObject? expected = incident["expected"] as JsonObject;
        return new
        {
            stream = (string?)incident["stream"],
            time = (string?)incident["detected_at"],
            value = incident["actual"],
            expected = expected?["value"],
            lower = expected?["lower"],
            upper = expected?["upper"],
            is_alert = true,
            incident_id = (string?)incident["incident_id"],
            is_kept = true,
            sentence = $"{((string?)incident["explanation"])?.TrimEnd('.')}. So it was told then; what else each observation of that time weighed is not kept any more, as that is held in memory only.",
            indicators = (incident["attribution"] as JsonObject ?? []).Select(share => new { name = share.Key, share = (double)share.Value! }).OrderByDescending(one => one.share),
        };
    }

    private static IResult Error(string error, int statusCode) => Results.Json(new { error }, EventJson.Options, statusCode: statusCode);
}
