using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using StreamLstm.Daemon.Doors;

namespace StreamLstm.Daemon.Dashboard;

/// <summary>Serves the page from resources inside the assembly: the same from any directory, in a container, in a single file.</summary>
internal static class DashboardEndpoints
{
    private const string Prefix = "dashboard/";

    private static readonly Dictionary<string, string> ContentTypes = new(StringComparer.Ordinal)
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    };

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (string resource in typeof(DashboardEndpoints).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            byte[] bytes = Read(resource);
            string path = resource[Prefix.Length..];
            string type = ContentTypes[Path.GetExtension(path)];
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
            routes.MapGet(path == "index.html" ? "/" : $"/{path}", (HttpContext context) =>
            {
                if (!context.Request.Path.HasValue)
                {
                    // The prefix alone: what the page asks for is relative, and would be looked for beside it.
                    return Results.Redirect($"{context.Request.PathBase}/");
                }

                // Always asked again, answered 304 while it is the same: a new version shows at once.
                context.Response.Headers.CacheControl = "no-cache";
                return Results.Bytes(bytes, type, entityTag: tag);
            }).WithMetadata(new RequiredRole(null));
        }
    }

    private static byte[] Read(string resource)
    {
        using Stream stream = typeof(DashboardEndpoints).Assembly.GetManifestResourceStream(resource)!;
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return buffer.ToArray();
    }
}
