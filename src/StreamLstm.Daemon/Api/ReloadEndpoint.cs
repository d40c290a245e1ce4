using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;

namespace StreamLstm.Daemon.Api;

/// <summary>POST /api/v1/reload: the configuration is read again and put into force; the answer says what changed, and what waits for the next start.</summary>
internal static class ReloadEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, Reload reload) =>
        routes.MapPost("/api/v1/reload", async (CancellationToken cancellation) =>
        {
            try
            {
                ReloadReport report = await reload.RunAsync("POST /api/v1/reload", cancellation);
                return Results.Json(
                    new { changed = report.Changes.Select(one => new { one.Change.Key, one.Change.Before, one.Change.After, one.Outcome, one.Words }) }, EventJson.Options);
            }
            catch (ConfigurationException wrong)
            {
                return Results.Json(new { error = $"the configuration holds as it was: {string.Join("; ", wrong.Errors)}", wrong.Errors }, EventJson.Options, statusCode: 400);
            }
            catch (Exception refused) when (refused is NotTakenException or System.Threading.Channels.ChannelClosedException)
            {
                return JsonBody.Error(refused is NotTakenException ? refused.Message : "the daemon is stopping", 503);
            }
        });
}
