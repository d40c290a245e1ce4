using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Api;

/// <summary>POST /api/v1/streams/{name}/accept: the stream's present level is its new normal.</summary>
internal static class AcceptEndpoint
{
    private const string Suffix = "/accept";

    public static void Map(IEndpointRouteBuilder routes, PipelineService pipeline) =>
        routes.MapPost("/api/v1/streams/{**path}", (string path, HttpRequest request, CancellationToken cancellation) =>
            AnswerAsync(pipeline, path, request, cancellation));

    private static async Task<IResult> AnswerAsync(
        PipelineService pipeline, string path, HttpRequest request, CancellationToken cancellation)
    {
        if (!path.EndsWith(Suffix, StringComparison.Ordinal) || path.Length == Suffix.Length)
        {
            return JsonBody.Error($"'/api/v1/streams/{path}', expected /api/v1/streams/NAME{Suffix}", 404);
        }

        (AcceptBody? body, IResult? refused) = await JsonBody.ReadAsync<AcceptBody>(request, "{}", cancellation);

        if (body is null)
        {
            return refused!;
        }

        string stream = path[..^Suffix.Length];

        if (pipeline.Cluster is { } cluster)
        {
            return await ClusterVerbs.AcceptAsync(cluster, request, stream, cancellation);
        }

        if (pipeline.Pipeline is not { } running)
        {
            return JsonBody.Error(PipelineService.WhyNoPipeline, 503);
        }

        try
        {
            return await running.Decisions.AcceptAsync(stream, cancellation) switch
            {
                AcceptOutcome.Applied => Results.Json(new { stream, accepted = true }, EventJson.Options),
                AcceptOutcome.NothingOpen => JsonBody.Error($"stream '{stream}' has no incident open but a silence, if any: there is nothing to accept", 409),
                _ => JsonBody.Error($"stream '{stream}' is not known; /api/v1/streams lists those that are", 404),
            };
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

    /// <summary>Nothing is to be said but that.</summary>
    private sealed record AcceptBody;
}
