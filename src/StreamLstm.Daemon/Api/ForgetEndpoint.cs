using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;

namespace StreamLstm.Daemon.Api;

/// <summary>DELETE /api/v1/streams/{name}: the stream is forgotten, and what comes under its name is a new one.</summary>
/// <remarks>It goes from the page, the next snapshot, and the history's scores; incidents that were told stay in the history.</remarks>
internal static class ForgetEndpoint
{
    /// <summary>The page and the history are waited for no longer.</summary>
    private static readonly TimeSpan SinksMax = TimeSpan.FromSeconds(5);

    public static void Map(IEndpointRouteBuilder routes, PipelineService pipeline) =>
        routes.MapDelete("/api/v1/streams/{**stream}", (string stream, HttpRequest request, CancellationToken cancellation) => AnswerAsync(pipeline, stream, request, cancellation));

    private static async Task<IResult> AnswerAsync(PipelineService pipeline, string stream, HttpRequest request, CancellationToken cancellation)
    {
        if (pipeline.Cluster is { } cluster)
        {
            return await ClusterVerbs.ForgetAsync(cluster, request, stream, cancellation);
        }

        if (pipeline.Pipeline is not { } running)
        {
            return JsonBody.Error(PipelineService.WhyNoPipeline, 503);
        }

        try
        {
            (bool wasKnown, long sequence) = await running.Decisions.ForgetAsync(stream, cancellation);

            if (!wasKnown)
            {
                return JsonBody.Error($"stream '{stream}' is not known; /api/v1/streams lists those that are", 404);
            }

            foreach (string sink in running.Sinks.Select(sink => sink.Name))
            {
                await running.UntilSettledAsync(sink, sequence, SinksMax, cancellation);
            }

            return Results.Json(new { stream, forgotten = true }, EventJson.Options);
        }
        catch (NotTakenException full)
        {
            return JsonBody.Error(full.Message, 503);
        }
        catch (ChannelClosedException)
        {
            return JsonBody.Error("the daemon is stopping", 503);
        }
    }
}
