using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Service;
using StreamLstm.Decoding;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Model;

namespace StreamLstm.Daemon.Api;

/// <summary>
/// GET /api/v1/explain?stream=X[&amp;at=TIME]: why an observation was an alert, or why it was none, of an incident that is not in memory any more
/// what the history kept; with &amp;gates=true instead what the stream's LSTM kept, took in and gave out over what came last, with &amp;reconstruction=true what the
/// incident of that time, or the last one, should have looked like.
/// </summary>
internal static class ExplainEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, PipelineService pipeline)
    {
        // A reconstruction takes about half a second of one core: whatever many people ask, it takes no second one.
        var turn = new SemaphoreSlim(1);
        routes.MapRead("/api/v1/explain", (string? stream, string? at, bool? gates, bool? reconstruction, HttpRequest request, CancellationToken cancellation) =>
            AnswerAsync(pipeline, turn, stream, at, reconstruction == true ? Explained.Reconstruction : gates == true ? Explained.Gates : Explained.Why, request, cancellation));
    }

    private static async Task<IResult> AnswerAsync(
        PipelineService pipeline, SemaphoreSlim turn, string? stream, string? at, Explained what, HttpRequest request, CancellationToken cancellation)
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
            if (what != Explained.Why)
            {
                return Error($"query parameter {what.ToString().ToLowerInvariant()}: true, expected false where a cluster shares the streams", 400);
            }

            return await ClusterVerbs.ExplainAsync(cluster, request, stream, time, cancellation);
        }

        if (pipeline.Pipeline is not { } running)
        {
            return Error(PipelineService.WhyNoPipeline, 503);
        }

        try
        {
            if (what == Explained.Reconstruction)
            {
                return await ReconstructAsync(running, turn, stream, time, cancellation);
            }

            ExplainAnswer answer = await running.ExplainAsync(stream, time, cancellation, what);

            if (what == Explained.Gates && answer.Explanation is not null)
            {
                return answer.Gates is { } trace ? Results.Json(Shown(stream, trace), EventJson.Options) : Error($"stream '{stream}' has no gates to show: expected values or texts with weights of its own, and 48 rows", 404);
            }

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

    /// <summary>Each gate row by row, a figure for each cell.</summary>
    private static object Shown(string stream, GateTrace trace)
    {
        return new { stream, steps = trace.Steps, cells = trace.Cells, forget = Rows(trace.Forget), input = Rows(trace.Input), output = Rows(trace.Output), cell = Rows(trace.Cell) };

        float[][] Rows(ReadOnlyMemory<float> values) => [.. Enumerable.Range(0, trace.Steps).Select(step => values.Slice(step * trace.Cells, trace.Cells).ToArray().Select(value => MathF.Round(value, 3)).ToArray())];
    }

    /// <summary>Here, and not in the worker: no stream waits for it. Who waits for a turn holds nothing yet.</summary>
    private static async Task<IResult> ReconstructAsync(DetectionPipeline running, SemaphoreSlim turn, string stream, DateTimeOffset? at, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);

        try
        {
            ExplainAnswer answer = await running.ExplainAsync(stream, at, cancellation, Explained.Reconstruction);
            return answer.Excerpt is { } excerpt
                ? Results.Json(Shown(stream, excerpt.Reconstruct(cancellation)), EventJson.Options)
                : Error($"stream '{stream}' has no stretch to reconstruct: {answer.Missing}", 404);
        }
        finally
        {
            turn.Release();
        }
    }

    private static object Shown(string stream, Reconstruction reconstruction) => new
    {
        stream,
        mean_distance = reconstruction.MeanDistance,
        in_band = Math.Round(reconstruction.InBand, 3),
        clean_rows = reconstruction.CleanRows,
        is_cut = reconstruction.IsCut,
        is_rate = reconstruction.IsRate,
        rows = reconstruction.Rows,
    };

    private static IResult Error(string error, int statusCode) => Results.Json(new { error }, EventJson.Options, statusCode: statusCode);
}
