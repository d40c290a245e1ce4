using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using StreamLstm.Daemon.Doors;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Api;

/// <summary>Every route that the daemon maps, with every caller: a route that is new here fails until somebody has said who may use it.</summary>
public sealed class RouteTableTests : IAsyncLifetime
{
    private const string Reader = "reader-0123456789abcdef", Sender = "sender-0123456789abcdef", Master = "master-0123456789abcdef";
    private const string Foreign = "http://evil.example";

    /// <summary>Who may use what; "anyone" for what says nothing of what is watched.</summary>
    private static readonly Dictionary<string, string> Table = new()
    {
        ["GET /"] = "anyone",
        ["GET /access.js"] = "anyone",
        ["GET /app.js"] = "anyone",
        ["GET /chart.js"] = "anyone",
        ["GET /echarts.js"] = "anyone",
        ["GET /fleet.js"] = "anyone",
        ["GET /format.js"] = "anyone",
        ["GET /icon.svg"] = "anyone",
        ["GET /kept-back.js"] = "anyone",
        ["GET /label.js"] = "anyone",
        ["GET /list.js"] = "anyone",
        ["GET /notify.js"] = "anyone",
        ["GET /brush.js"] = "anyone",
        ["GET /gates.js"] = "anyone",
        ["GET /header.js"] = "anyone",
        ["GET /incidents.js"] = "anyone",
        ["GET /lanes.js"] = "anyone",
        ["GET /preferences.js"] = "anyone",
        ["GET /range.js"] = "anyone",
        ["GET /reconstruction.js"] = "anyone",
        ["GET /route.js"] = "anyone",
        ["GET /title.js"] = "anyone",
        ["GET /style.css"] = "anyone",
        ["GET /why.js"] = "anyone",
        ["GET /health"] = "anyone",
        ["GET /health/live"] = "anyone",
        ["GET /health/ready"] = "anyone",
        ["GET /ping"] = "anyone",
        ["HEAD /ping"] = "anyone",
        ["GET /metrics"] = "read",
        ["GET /api/v1/explain"] = "read",
        ["GET /api/v1/fleet"] = "read",
        ["GET /api/v1/history/{**stream}"] = "read",
        ["GET /api/v1/incidents"] = "read",
        ["GET /api/v1/incidents/{id}"] = "read",
        ["GET /api/v1/labels"] = "read",
        ["GET /api/v1/live"] = "read",
        ["GET /api/v1/maintenance"] = "read",
        ["GET /api/v1/models"] = "read",
        ["GET /api/v1/models/{id}"] = "read",
        ["GET /api/v1/models/{id}/weights"] = "read",
        ["GET /api/v1/models/{id}/windows"] = "read",
        ["GET /api/v1/notify"] = "read",
        ["GET /api/v1/odd"] = "read",
        ["GET /api/v1/status"] = "read",
        ["GET /api/v1/streams"] = "read",
        ["GET /api/v1/streams/{**stream}"] = "read",
        ["POST /api/v1/observations"] = "ingest",
        ["POST /api/v1/write"] = "ingest",
        ["POST /api/v2/write"] = "ingest",
        ["POST /query"] = "ingest",
        ["POST /v1/metrics"] = "ingest",
        ["POST /write"] = "ingest",
        ["DELETE /api/v1/incidents/{id}/acknowledgement"] = "admin",
        ["DELETE /api/v1/labels/{id}"] = "admin",
        ["DELETE /api/v1/maintenance/{id}"] = "admin",
        ["DELETE /api/v1/streams/{**stream}"] = "admin",
        ["POST /api/v1/incidents/{id}/acknowledgement"] = "admin",
        ["POST /api/v1/labels"] = "admin",
        ["POST /api/v1/maintenance"] = "admin",
        ["POST /api/v1/models"] = "admin",
        ["POST /api/v1/models/rollback"] = "admin",
        ["POST /api/v1/models/{id}/promote"] = "admin",
        ["POST /api/v1/notify/test"] = "admin",
        ["POST /api/v1/reload"] = "admin",
        ["POST /api/v1/streams/{**path}"] = "admin",
    };

    private HostedDaemon? _daemon;

    public async ValueTask InitializeAsync() => _daemon = await HostedDaemon.StartAsync(
        $"http.tokens.0.token={Reader}", "http.tokens.0.role=read", $"http.tokens.1.token={Sender}", "http.tokens.1.role=ingest",
        $"http.tokens.2.token={Master}", "http.tokens.2.role=admin", "http.hosts.0=monitor.example");

    public ValueTask DisposeAsync() => _daemon!.DisposeAsync();

    [Fact]
    public void Every_route_says_who_may_use_it_and_no_other_is_mapped() =>
        Assert.Equal(
            Table.Select(route => $"{route.Key}: {route.Value}").Order(StringComparer.Ordinal),
            Routes().Select(route => $"{route.Name}: {route.Role?.ToString().ToLowerInvariant() ?? "anyone"}").Order(StringComparer.Ordinal));

    [Fact]
    public async Task Each_role_opens_its_routes_and_no_others()
    {
        foreach ((string name, string method, string path, Role? role) in Routes())
        {
            foreach ((string? token, string may) in new[] { (null, ""), ("unknown-0123456789abcdef", ""), (Reader, "read"), (Sender, "ingest"), (Master, "read ingest admin") })
            {
                using HttpResponseMessage answer = await SendAsync(method, path, token);
                HttpStatusCode? refusal =
                    role is not { } needed || may.Contains(needed.ToString(), StringComparison.OrdinalIgnoreCase) ? null
                    : may.Length == 0 ? HttpStatusCode.Unauthorized : HttpStatusCode.Forbidden;

                if (refusal is null)
                {
                    Assert.False(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, $"{name} with {token}: {answer.StatusCode}");
                }
                else
                {
                    Assert.True(answer.StatusCode == refusal, $"{name} with {token}: {answer.StatusCode}, expected {refusal}");
                    Assert.Equal(refusal == HttpStatusCode.Unauthorized, answer.Headers.WwwAuthenticate.Count == 1);
                    string said = await SaidAsync(answer, "expected");
                    Assert.Contains("expected", said, StringComparison.Ordinal);
                    Assert.DoesNotContain("0123456789abcdef", said, StringComparison.Ordinal);
                }
            }
        }
    }

    [Theory]
    [InlineData("Origin", Foreign)]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://127.0.0.1:1")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task No_page_of_another_origin_gets_through_any_route_whatever_its_token(string header, string value)
    {
        foreach ((string name, string method, string path, _) in Routes())
        {
            using HttpResponseMessage answer = await SendAsync(method, path, Master, (header, value));
            Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, $"{name}: {answer.StatusCode}");
            Assert.Contains($"header {header}: '{value}', expected", await SaidAsync(answer, $"header {header}: '{value}', expected"), StringComparison.Ordinal);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("localhost.evil.example:8080")]
    [InlineData("10.0.0.7")]
    public async Task No_strange_name_for_this_daemon_gets_through_any_route(string host)
    {
        foreach ((string name, string method, string path, _) in Routes())
        {
            using HttpResponseMessage answer = await SendAsync(method, path, Master, ("Host", host));
            Assert.True(answer.StatusCode == HttpStatusCode.MisdirectedRequest, $"{name}: {answer.StatusCode}");
            Assert.Contains("http.hosts", await SaidAsync(answer, "http.hosts"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Host", "localhost:99", "")]
    [InlineData("Host", "[::1]", "")]
    [InlineData("Host", "monitor.example", "")]
    [InlineData("Sec-Fetch-Site", "same-origin", "")]
    [InlineData("Sec-Fetch-Site", "none", "")]
    [InlineData("Origin", "http://monitor.example", "")]
    [InlineData("Origin", "https://monitor.example", "Host=monitor.example")]
    [InlineData("Origin", "http://localhost:8080", "Host=localhost:8080")]
    public async Task The_pages_own_requests_and_those_of_named_hosts_get_through(string header, string value, string also)
    {
        (string, string)[] headers = also.Length == 0 ? [(header, value)] : [(header, value), (also.Split('=')[0], also.Split('=')[1])];
        using HttpResponseMessage answer = await SendAsync("GET", "/api/v1/status", Reader, headers);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("/", HttpStatusCode.OK)]
    [InlineData("/api/v1/status", HttpStatusCode.Forbidden)]
    public async Task A_link_elsewhere_leads_to_the_page_and_to_nothing_else(string path, HttpStatusCode expected)
    {
        using HttpResponseMessage answer = await SendAsync(
            "GET", path, Master, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"));

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task Why_it_is_not_ready_is_for_those_who_may_read()
    {
        using HttpResponseMessage probe = await SendAsync("GET", "/health/ready", token: null), reader = await SendAsync("GET", "/health/ready", Reader);

        Assert.Contains("\"reasons\":[]", await probe.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Matches("\"reasons\":\\[\".+\"\\]", await reader.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private IEnumerable<(string Name, string Method, string Path, Role? Role)> Routes() =>
        from endpoint in _daemon!.Application.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        let pattern = $"/{endpoint.RoutePattern.RawText!.TrimStart('/')}"
        let required = endpoint.Metadata.GetMetadata<RequiredRole>() ?? new RequiredRole(Role.Admin)
        select ($"{method} {pattern}", method, System.Text.RegularExpressions.Regex.Replace(pattern, @"\{[^}]*\}", "x"), required.Role);

    /// <summary>What an answer says; that of HEAD, which says nothing, is taken to say what is expected.</summary>
    private static async Task<string> SaidAsync(HttpResponseMessage answer, string expected) =>
        answer.RequestMessage!.Method == HttpMethod.Head ? expected : await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string? token, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        // The feed never ends.
        return await _daemon!.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }
}
