using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Api;

/// <summary>GET /api/v1/live: what changed, once a second, as server-sent events (WHATWG HTML, section 9.2).</summary>
/// <remarks>
/// Each message is the change since the one before, read from the view when there is room for it: a slow client gets
/// fewer and larger messages, and nothing is queued for it. With ?stream=ID the points of that stream come along.
/// </remarks>
internal sealed class LiveFeed(LiveView live, Func<StatusAnswer> status, Func<string, StoredLabel?> labelOf, int clientsMax, TimeProvider time)
{
    /// <summary>Of a group, the strongest: what the page lists; all of them are in /api/v1/incidents?grouped=true.</summary>
    private const int MembersMax = 25;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private int _clients;

    public async Task ServeAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref _clients) > clientsMax)
        {
            Interlocked.Decrement(ref _clients);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await context.Response.WriteAsJsonAsync(
                new { error = $"more than {clientsMax} clients watch (http.live_clients_max)" });
            return;
        }

        // The host waits for open requests when it stops, and this one would never end by itself.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted,
            context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);

        try
        {
            await SendAsync(context.Response, context.Request.Query["stream"].FirstOrDefault(), ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The client went away, or the daemon stops.
        }
        finally
        {
            Interlocked.Decrement(ref _clients);
        }
    }

    private async Task SendAsync(HttpResponse response, string? stream, CancellationToken ended)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        using var timer = new PeriodicTimer(Interval, time);
        long revision = -1;
        bool first = true;
        DateTimeOffset after = DateTimeOffset.MinValue;

        do
        {
            IReadOnlyList<string> forgotten = revision < 0 ? [] : live.ForgottenSince(revision);
            (IReadOnlyList<LiveStreamState> streams, revision) = live.ChangedSince(revision);
            IReadOnlyList<LivePoint>? points = stream is null ? null : live.Points(stream, after);
            after = points is { Count: > 0 } ? points[^1].Time : after;
            IReadOnlyDictionary<string, IReadOnlyList<double>>? sparks = first ? live.Sparks() : null;
            first = false;
            IncidentEvent[] incidents = [.. live.Incidents().Take(100)];
            object[] groups = [.. live.Groups().Take(100).Select(group => EventJson.GroupBody(group, MembersMax))];
            StoredLabel[] labels = [.. incidents.Select(incident => labelOf(incident.IncidentId)).OfType<StoredLabel>()];
            string json = JsonSerializer.Serialize(
                new { status = status(), streams, forgotten, sparks, stream, points, incidents, groups, labels, swaps = live.Swaps() },
                EventJson.Options);
            await response.WriteAsync($"data: {json}\n\n", ended);
            await response.Body.FlushAsync(ended);
        }
        while (await timer.WaitForNextTickAsync(ended));
    }
}
