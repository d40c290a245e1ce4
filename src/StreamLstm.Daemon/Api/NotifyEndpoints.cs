using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.Notify;

namespace StreamLstm.Daemon.Api;

/// <summary>/api/v1/notify: who is told of incidents; POST /api/v1/notify/test sends each of them a message that says that it is a test.</summary>
internal static class NotifyEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, Func<IReadOnlyList<NotifyOptions>> receivers, TimeProvider time)
    {
        routes.MapRead("/api/v1/notify", () => Results.Json(
            new { notify = receivers().Select((one, i) => new { name = NotifyOptions.NameOf(one, i), one.By, one.SeverityMin }) }, EventJson.Options));
        routes.MapPost("/api/v1/notify/test", async (CancellationToken cancellation) =>
        {
            TestedReceiver[] tested = await Task.WhenAll(receivers().Select((one, i) => TestAsync(one, i, time, cancellation)));
            return tested.Length == 0
                ? JsonBody.Error("nobody is told of incidents (sinks.notify is empty)", 404)
                : Results.Json(new { tested }, EventJson.Options, statusCode: tested.All(one => one.Error is null) ? 200 : 502);
        });
    }

    /// <summary>Sends one receiver a test.</summary>
    public static async Task<TestedReceiver> TestAsync(NotifyOptions options, int index, TimeProvider time, CancellationToken cancellation)
    {
        string name = NotifyOptions.NameOf(options, index);

        try
        {
            await NotifySink.TestAsync(options, time, cancellation);
            return new TestedReceiver(name, Error: null);
        }
        catch (Exception failed) when (failed is IOException or RefusedException)
        {
            return new TestedReceiver(name, failed.Message);
        }
    }
}

/// <summary>What became of a test.</summary>
/// <param name="Name">The receiver.</param>
/// <param name="Error">Why it was not taken; null where it was.</param>
internal sealed record TestedReceiver(string Name, string? Error);
