using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;
using StreamLstm.Decoding;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Api;

/// <summary>/api/v1/maintenance: stretches of time in which streams are expected to be odd. On the disk before they hold.</summary>
internal static class MaintenanceEndpoints
{
    private const string Expected =
        """{"streams": "plant/*", "for": "2h"}, or "from" and "to", or "days", "start", "end" and "time_zone"; "mute_alerts", "freeze_learning", "note" if wanted""";

    public static void Map(IEndpointRouteBuilder routes, PipelineService pipeline, TimeProvider time)
    {
        var oneAtATime = new SemaphoreSlim(1);
        routes.MapRead("/api/v1/maintenance", () => List(pipeline, time.GetUtcNow()));
        routes.MapPost("/api/v1/maintenance", (HttpRequest request, CancellationToken cancellation) =>
            ChangeAsync(pipeline, oneAtATime, store => AddAsync(store, request, time.GetUtcNow(), cancellation), cancellation));
        routes.MapDelete("/api/v1/maintenance/{id}", (string id, CancellationToken cancellation) =>
            ChangeAsync(pipeline, oneAtATime, store => Task.FromResult(Remove(store, id, time.GetUtcNow())), cancellation));
    }

    private static IResult List(PipelineService pipeline, DateTimeOffset now) =>
        pipeline.Maintenance is { } store
            ? Results.Json(
                new { maintenance = store.All.Select(window => Answer(window, store.Asked.FirstOrDefault(asked => asked.Id == window.Id), now)) },
                EventJson.Options)
            : Restoring(pipeline);

    private static async Task<IResult> AddAsync(
        MaintenanceStore store, HttpRequest request, DateTimeOffset now, CancellationToken cancellation)
    {
        (MaintenanceBody? body, IResult? refused) = await JsonBody.ReadAsync<MaintenanceBody>(request, Expected, cancellation);

        if (body is null)
        {
            return refused!;
        }

        if (store.Asked.Count >= MaintenanceStore.WindowsMax)
        {
            return JsonBody.Error($"{store.Asked.Count} windows are kept, expected at most {MaintenanceStore.WindowsMax}: delete some", 409);
        }

        if (body.Options(now, out string? wrong) is not { } options || options.Detection("", out wrong) is null)
        {
            return JsonBody.Error($"{wrong}; expected {Expected}", 400);
        }

        StoredMaintenance stored = store.Add(options, now);
        return Results.Json(
            Answer(store.All.First(window => window.Id == stored.Id), stored, now), EventJson.Options, statusCode: 201);
    }

    private static IResult Remove(MaintenanceStore store, string id, DateTimeOffset now) =>
        store.Remove(id, now) ? Results.Json(new { id, removed_at = now }, EventJson.Options)
        : store.All.Any(window => window.Id == id)
            ? JsonBody.Error($"'{id}' is part of the configuration (maintenance:), and ends by a change there", 409)
        : JsonBody.Error($"maintenance '{id}' is not known; /api/v1/maintenance lists those that are", 404);

    /// <summary>One change after the other: what is on the disk is what the shards are told.</summary>
    private static async Task<IResult> ChangeAsync(
        PipelineService pipeline, SemaphoreSlim oneAtATime, Func<MaintenanceStore, Task<IResult>> change, CancellationToken cancellation)
    {
        if (pipeline is not { Pipeline: { } running, Maintenance: { } store })
        {
            return Restoring(pipeline);
        }

        await oneAtATime.WaitAsync(cancellation);

        try
        {
            IReadOnlyList<MaintenanceWindow> before = store.All;
            IResult answer = await change(store);

            if (store.All != before)
            {
                // Whoever asked may have gone: the shards hear of it nevertheless.
                await running.Decisions.MaintainAsync(store.All, CancellationToken.None);
            }

            return answer;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return JsonBody.Error($"the maintenance windows cannot be written ({failed.Message}): nothing has changed", 500);
        }
        catch (NotTakenException refused)
        {
            return JsonBody.Error($"{refused.Message}; it is written down and holds from the next start on", 503);
        }
        catch (ChannelClosedException)
        {
            return JsonBody.Error("the daemon is stopping", 503);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    private static object Answer(MaintenanceWindow window, StoredMaintenance? asked, DateTimeOffset now)
    {
        bool isWeekly = window.Days.Count > 0;
        return new
        {
            window.Id,
            origin = asked is null ? "configuration" : "api",
            created_at = asked?.CreatedAt,
            active = window.Holds(now),
            window.Streams,
            from = window.From == DateTimeOffset.MinValue ? (DateTimeOffset?)null : window.From,
            to = window.To == DateTimeOffset.MaxValue ? (DateTimeOffset?)null : window.To,
            days = isWeekly ? window.Days : null,
            start = isWeekly ? window.Start.ToString("HH:mm", null) : null,
            end = isWeekly ? window.End.ToString("HH:mm", null) : null,
            time_zone = isWeekly ? window.TimeZone.Id : null,
            window.MuteAlerts,
            window.FreezeLearning,
            note = window.Note.Length > 0 ? window.Note : null,
        };
    }

    private static IResult Restoring(PipelineService pipeline) =>
        pipeline.Cluster is null ? JsonBody.Error(PipelineService.WhyNoPipeline, 503) : JsonBody.Error(ClusterVerbs.NoMaintenance, 409);

    /// <summary>The options of a window, and how long it is to last from its beginning.</summary>
    private sealed record MaintenanceBody(
        string? Streams, string? From, string? To, string? For, IReadOnlyList<DayOfWeek>? Days, string? Start, string? End,
        string? TimeZone, bool? MuteAlerts, bool? FreezeLearning, string? Note)
    {
        public MaintenanceOptions? Options(DateTimeOffset now, out string? wrong)
        {
            bool isOnce = Days is null or [];
            string from = From ?? (isOnce ? now.ToString("O") : "");
            string to = To ?? "";
            wrong = null;

            if (For is not null)
            {
                if (!isOnce || To is not null || !Duration.TryParse(For, out TimeSpan length) || length <= TimeSpan.Zero
                    || !Decoding.Timestamps.TryParse(from, out DateTimeOffset begin) || length > DateTimeOffset.MaxValue - begin)
                {
                    wrong = $"for: '{For}', expected a duration such as 30m or 2h, without to and days";
                    return null;
                }

                to = (begin + length).ToString("O");
            }

            var defaults = new MaintenanceOptions();
            return new MaintenanceOptions
            {
                Streams = Streams ?? "",
                From = from,
                To = to,
                Days = Days ?? [],
                Start = Start ?? defaults.Start,
                End = End ?? defaults.End,
                TimeZone = TimeZone ?? defaults.TimeZone,
                MuteAlerts = MuteAlerts ?? defaults.MuteAlerts,
                FreezeLearning = FreezeLearning ?? defaults.FreezeLearning,
                Note = Note ?? "",
            };
        }
    }
}
