using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Service;

namespace StreamLstm.Daemon.Api;

/// <summary>/api/v1/models: the base weights that are kept, which serve, and who decided so. A change is on the disk before it holds.</summary>
internal static class ModelsEndpoints
{
    private const int NameMaxCharacters = 100;
    private const int FileBytesMax = 1 << 20;
    private const string Expected = """{"by": "who", "group": "a model group, or nothing"}""";
    private const int StreamsShown = 100;
    private const string Nobody = "a person";
    private const string Everyone = "all streams";

    public static void Map(IEndpointRouteBuilder routes, PipelineService pipeline)
    {
        routes.MapRead("/api/v1/models", () => List(pipeline));
        routes.MapRead("/api/v1/models/{id}", (string id) => One(pipeline, id));
        routes.MapRead("/api/v1/models/{id}/weights", (string id) => Weights(pipeline, id));
        routes.MapRead("/api/v1/models/{id}/windows", (string id) => Windows(pipeline, id));
        routes.MapPost("/api/v1/models", (string? by, bool? promote, string? group, HttpRequest request, CancellationToken cancellation) =>
            ChangeAsync(pipeline, by, models => ImportAsync(models, request, by ?? Nobody, promote ?? false, group, cancellation)));
        routes.MapPost("/api/v1/models/rollback", (HttpRequest request, CancellationToken cancellation) =>
            SwapAsync(pipeline, request, (models, group, by) => models.RollbackAsync(group, by, cancellation), cancellation));
        routes.MapPost("/api/v1/models/{id}/promote", (string id, HttpRequest request, CancellationToken cancellation) =>
            SwapAsync(pipeline, request, (models, group, by) => models.PromoteAsync(id, group, by, cancellation), cancellation));
    }

    private static IResult List(PipelineService pipeline) => Results.Json(
        new
        {
            serving = pipeline.LiveModel?.Serving.Model.Version ?? 0,
            groups = pipeline.LiveModel?.Serving.Model.Groups.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => new { group = one.Key, version = one.Value.Version }) ?? [],
            swaps = pipeline.Models?.Swaps ?? [],
            kept = pipeline.Models is { } models ? models.Kept.Select(one => Answer(models, one)) : [],
            last_training = pipeline.Retrainer?.Last,
            next_training_at = pipeline.Retrainer?.NextAt,
        },
        EventJson.Options);

    private static IResult One(PipelineService pipeline, string id) =>
        pipeline.Models is not { } models ? Restoring()
        : models.Find(id) is { } found ? Results.Json(Answer(models, found), EventJson.Options)
        : Unknown(id);

    private static IResult Windows(PipelineService pipeline, string id) =>
        pipeline.Models is not { } models ? Restoring()
        : models.Find(id) is { } found ? Results.Json(models.Sources(found), EventJson.Options)
        : Unknown(id);

    private static IResult Weights(PipelineService pipeline, string id)
    {
        try
        {
            return pipeline.Models is not { } models ? Restoring()
                : models.Find(id) is { } found ? Results.File(models.Bytes(found), "application/octet-stream", $"streamlstm-{found.Sha256[..12]}.safetensors")
                : Unknown(id);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return JsonBody.Error($"model '{id}' cannot be read ({unreadable.Message})", 500);
        }
    }

    private static async Task<IResult> ImportAsync(ModelVersions models, HttpRequest request, string by, bool promote, string? group, CancellationToken cancellation)
    {
        // As of JSON: a page of another origin may not send it without asking.
        if (request.ContentType != "application/octet-stream")
        {
            return JsonBody.Error($"content type '{request.ContentType}', expected application/octet-stream: a safetensors file", 415);
        }

        var buffer = new byte[FileBytesMax + 1];
        int length = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);

        if (length > FileBytesMax)
        {
            return JsonBody.Error($"body: more than {FileBytesMax} bytes, expected a safetensors file as models export gives it", 413);
        }

        KeptModel kept;

        try
        {
            kept = await models.ImportAsync(buffer[..length], by, cancellation);
        }
        catch (InvalidDataException wrong)
        {
            return JsonBody.Error($"body: {wrong.Message}; expected a safetensors file as models export gives it", 400);
        }

        if (promote)
        {
            await models.PromoteAsync(kept.Sha256, group, by, cancellation);
        }

        return Results.Json(Answer(models, kept), EventJson.Options, statusCode: 201);
    }

    private static async Task<IResult> SwapAsync(
        PipelineService pipeline, HttpRequest request, Func<ModelVersions, string?, string, Task<ModelSwap>> decide, CancellationToken cancellation)
    {
        (ModelBody? body, IResult? refused) = await JsonBody.ReadAsync<ModelBody>(request, Expected, cancellation);
        return refused ?? await ChangeAsync(
            pipeline, body!.By, async models => Results.Json(await decide(models, body.Group, body.By?.Trim() ?? Nobody), EventJson.Options, statusCode: 201));
    }

    private static async Task<IResult> ChangeAsync(PipelineService pipeline, string? by, Func<ModelVersions, Task<IResult>> change)
    {
        if (by is not null && by.Trim().Length is 0 or > NameMaxCharacters)
        {
            return JsonBody.Error($"by: {by.Trim().Length} characters, expected 1 to {NameMaxCharacters}", 400);
        }

        if (pipeline.Models is not { } models)
        {
            return Restoring();
        }

        try
        {
            return await change(models);
        }
        catch (ModelRefusedException refused)
        {
            return JsonBody.Error(refused.Message, 409);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return JsonBody.Error($"the weights cannot be written or read ({failed.Message}): nothing has changed", 500);
        }
        catch (NotTakenException refused)
        {
            return JsonBody.Error($"{refused.Message}; the same weights serve as before", 503);
        }
        catch (ChannelClosedException)
        {
            return JsonBody.Error("the daemon is stopping", 503);
        }
    }

    private static object Answer(ModelVersions models, KeptModel kept) => new
    {
        kept.Sha256,
        kept.Origin,
        kept.Time,
        by = kept.By.Length > 0 ? kept.By : null,
        kept.Group,
        is_serving = models.ServedBy(kept.Sha256).Count > 0,
        serves = models.ServedBy(kept.Sha256).Select(group => group ?? Everyone),
        versions = models.Swaps.Where(swap => swap.Sha256 == kept.Sha256).Select(swap => swap.Version).Concat(kept.Version is { } first ? [first] : []).Distinct().Order(),
        kept.ChampionLoss,
        kept.CandidateLoss,
        kept.ChampionSeparation,
        kept.CandidateSeparation,
        kept.TrainingWindows,
        kept.HeldOutWindows,
        streams = models.Sources(kept).GroupBy(source => source.Stream).OrderByDescending(same => same.Count()).ThenBy(same => same.Key, StringComparer.Ordinal).Take(StreamsShown)
            .Select(same => new { stream = same.Key, windows = same.Count(), held_out = same.Count(one => one.IsHeldOut), from = same.Min(one => one.From), to = same.Max(one => one.To) }),
        swaps = models.Swaps.Where(swap => swap.Sha256 == kept.Sha256).Select(swap => new { swap.Version, swap.Time, swap.Reason, swap.By, swap.Group }),
    };

    private static IResult Unknown(string id) =>
        JsonBody.Error($"model '{id}' is not kept; expected a version or the first characters of a SHA-256, which /api/v1/models lists", 404);

    private static IResult Restoring() => JsonBody.Error(PipelineService.WhyNoPipeline, 503);

    private sealed record ModelBody(string? By, string? Group = null);
}
