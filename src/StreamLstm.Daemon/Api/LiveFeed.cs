using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Views;

namespace StreamLstm.Daemon.Api;

/// <summary>GET /api/v1/live: how things stand, once a second, as server-sent events (WHATWG HTML, section 9.2).</summary>
/// <remarks>
/// Each message is read from the view when there is room for it: a slow client gets fewer and larger messages, and nothing is queued for it.
/// With ?stream=ID that stream's state comes along, and its points since the message before. Neither other streams nor incidents do, whose number has
/// no bound here: a client asks for the window of the list that it shows, and for incidents where incidents_revision is another one.
/// </remarks>
internal sealed class LiveFeed(LiveView live, Func<StatusAnswer> status, Func<long> incidentsRevision, int clientsMax, TimeProvider time)
{
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
        DateTimeOffset after = DateTimeOffset.MinValue;
        int swaps = -1;

        do
        {
            IReadOnlyList<LivePoint>? points = stream is null ? null : live.Points(stream, after);
            after = points is { Count: > 0 } ? points[^1].Time : after;
            IReadOnlyList<ModelSwap> all = live.Swaps();
            (bool swapped, swaps) = (all.Count != swaps, all.Count);
            string json = JsonSerializer.Serialize(
                new
                {
                    status = status(),
                    incidents_revision = incidentsRevision(),
                    open_groups = live.Groups().Count(group => group.ClosedAt is null),
                    stream,
                    state = stream is null ? null : live.State(stream),
                    points = points?.Select(Short),
                    swaps = swapped ? all : null,
                },
                EventJson.Options);
            await response.WriteAsync($"data: {json}\n\n", ended);
            await response.Body.FlushAsync(ended);
        }
        while (await timer.WaitForNextTickAsync(ended));
    }

    /// <summary>A point in few characters: milliseconds since 1970, value, score, expected, lower, upper, 1 for an alert.</summary>
    private static double?[] Short(LivePoint point) =>
    [
        point.Time.ToUnixTimeMilliseconds(), point.Value, double.Round(point.Score, 1), Rounded(point.Expected), Rounded(point.Lower), Rounded(point.Upper), point.Alert ? 1 : null,
    ];

    /// <summary>In seven digits: more are not seen.</summary>
    private static double? Rounded(double? value) =>
        value is { } number && double.IsFinite(number) && number != 0
            ? double.Parse(number.ToString("G7", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
            : value;
}
