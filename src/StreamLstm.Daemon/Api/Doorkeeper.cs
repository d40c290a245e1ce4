using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Api;

/// <summary>Asks of every request whether it may come in: by its name for this daemon, by the page it comes from, by its token.</summary>
/// <remarks>
/// A browser lets any page send requests to this computer. What it cannot change are the headers Host, Origin and Sec-Fetch-Site: so a
/// name that a stranger's DNS points here (DNS rebinding), a form and a script of another origin are refused, whatever the method. Who is
/// no browser sends neither of the last two. Only the page itself may be reached by a link from elsewhere: it holds no data.
/// </remarks>
internal sealed class Doorkeeper(Reload configuration, AccessTokens tokens, DaemonMetrics metrics, TimeProvider time, ILogger<Doorkeeper> logger)
{
    private readonly OncePerMinute _told = new(time);
    private readonly bool _isLoopback = IPAddress.IsLoopback(IPAddress.Parse(configuration.Options.Http.Address));

    public async Task AskAsync(HttpContext context, RequestDelegate next)
    {
        RequiredRole required = context.GetEndpoint()?.Metadata.GetMetadata<RequiredRole>() ?? new RequiredRole(Role.Admin);
        HttpRequest request = context.Request;

        if (!IsOurs(request.Host))
        {
            await RefuseAsync(
                context, StatusCodes.Status421MisdirectedRequest, "host",
                $"header Host: '{Shown(request.Host.Value)}' is not a name of this daemon; http.hosts lists those beside localhost and addresses");
        }
        else if (Foreign(request, isPage: required.Role is null) is { } foreign)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "origin", foreign);
        }
        else if (context.GetEndpoint() is null || required.Role is not { } role)
        {
            await next(context);
        }
        else if (tokens.AreAskedFor)
        {
            await (AskForToken(context, role) ?? next(context));
        }
        else
        {
            await next(context);
        }
    }

    /// <summary>Refuses a request whose token does not open the route; null where it does.</summary>
    private Task? AskForToken(HttpContext context, Role role)
    {
        string presented = Presented(context.Request, role);
        (bool isKnown, bool opens) = tokens.Ask(presented, role);

        if (opens)
        {
            return null;
        }

        string expected = $"expected \"Authorization: Bearer TOKEN\" with a token of role {Word(role)}{(role == Role.Admin ? "" : " or admin")} (http.tokens)";

        if (isKnown)
        {
            return RefuseAsync(context, StatusCodes.Status403Forbidden, "role", $"this token has another role, {expected}");
        }

        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"streamlstm\"";
        return RefuseAsync(
            context, StatusCodes.Status401Unauthorized, "token", presented.Length > 0 ? $"this token is not known, {expected}" : $"no token, {expected}");
    }

    /// <summary>Whether a request may be told what its route alone does not say.</summary>
    public bool MayRead(HttpContext context) => !tokens.AreAskedFor || tokens.Ask(Presented(context.Request, Role.Read), Role.Read).Opens;

    /// <summary>Whether a name in a request means this daemon.</summary>
    private bool IsOurs(HostString host)
    {
        string name = host.Host;

        if (IPAddress.TryParse(name.AsSpan().Trim("[]"), out IPAddress? address))
        {
            // Rebinding takes a name. One that listens for the network has addresses it does not know of itself, behind a container's or a router's.
            return !_isLoopback || IPAddress.IsLoopback(address);
        }

        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || configuration.Options.Http.Hosts.Any(known => known.Equals(host.Value, StringComparison.OrdinalIgnoreCase) || known.Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Why a request comes from another origin's page; null where it does not.</summary>
    private string? Foreign(HttpRequest request, bool isPage)
    {
        string site = request.Headers["Sec-Fetch-Site"].ToString(), origin = request.Headers.Origin.ToString();

        if (site is not ("" or "same-origin" or "none")
            && !(isPage && HttpMethods.IsGet(request.Method) && request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document"))
        {
            return $"header Sec-Fetch-Site: '{Shown(site)}', expected same-origin or none: a page of another origin may neither read nor send here";
        }

        return origin.Length == 0 || IsSame(origin, request.Host)
            ? null
            : $"header Origin: '{Shown(origin)}', expected this daemon's own ({Shown(request.Host.Value)}) or one of http.hosts: a page of another origin may neither read nor send here";
    }

    private bool IsSame(string origin, HostString host)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
        {
            return false;
        }

        // The scheme is not compared: a proxy that ends TLS changes it.
        int port = host.Port ?? uri.Port;
        return uri.IdnHost.Equals(host.Host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase) && (host.Port is not null ? uri.Port == port : uri.IsDefaultPort)
            || configuration.Options.Http.Hosts.Any(known => known.Equals(uri.Authority, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The token that a request shows: as a bearer, or as agents that send elsewhere write it down.</summary>
    /// <remarks>
    /// InfluxDB's clients say Token, or user and password; of those the password is the token, and the user is whoever he likes. In the query they stand only
    /// where observations are sent: elsewhere a link would carry it.
    /// </remarks>
    private static string Presented(HttpRequest request, Role role)
    {
        string header = request.Headers[HeaderNames.Authorization].ToString();
        int blank = header.IndexOf(' ', StringComparison.Ordinal);
        string shown = blank < 0 ? "" : header[(blank + 1)..].Trim();

        return header[..Math.Max(blank, 0)].ToLowerInvariant() switch
        {
            "bearer" or "token" => shown,
            "basic" => Password(shown),
            _ => header.Length == 0 && role == Role.Ingest ? request.Query["p"].ToString() : "",
        };
    }

    private static string Password(string basic)
    {
        byte[] credentials = new byte[basic.Length];
        string text = Convert.TryFromBase64String(basic, credentials, out int length) ? Encoding.UTF8.GetString(credentials, 0, length) : "";
        return text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    private Task RefuseAsync(HttpContext context, int status, string reason, string why)
    {
        metrics.RequestRefused(reason);

        if (_told.Tell($"{reason}: {why}", out _))
        {
            LogMessages.RequestRefused(logger, reason, why);
        }

        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(new { error = why });
    }

    private static string Word(Role role) => OptionPath.SnakeCase(role.ToString());

    /// <summary>What a stranger wrote, as far as it is worth a line.</summary>
    private static string Shown(string? text) =>
        new([.. (text ?? "").Take(100).Select(character => character is < ' ' or > '~' ? '?' : character)]);
}
