using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Doors;

namespace StreamLstm.Daemon.Api;

/// <summary>Routes that only show something. Those that change something say no role, and so ask for admin.</summary>
internal static class ReadRoutes
{
    /// <summary>A GET route for who may read.</summary>
    public static RouteHandlerBuilder MapRead(this IEndpointRouteBuilder routes, string pattern, Delegate handler) =>
        routes.MapGet(pattern, handler).WithMetadata(new RequiredRole(Role.Read));
}
