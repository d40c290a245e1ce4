using System.Net;
using System.Net.Http.Headers;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Doors;

public sealed class HttpDoorTests : IDisposable
{
    private const string Admin = "admin-0123456789abcdef", Reader = "reader-0123456789abcdef";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Curl_trusts_the_certificate_by_its_authority_and_one_that_is_renewed_counts_without_a_restart()
    {
        string curl = Parts.Require("curl", "curl");
        using Authority authority = Authority.Create(_directory.Path, "authority");
        (string certificate, string key) = authority.Issue("server", ["127.0.0.1"]);
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            _directory.Path, $"http.tls.certificate_file={certificate}", $"http.tls.key_file={key}");
        string url = $"https://127.0.0.1:{daemon.HttpPort}/health/live";
        Assert.Equal("CN=server", daemon.CertificateName);
        Assert.Equal((0, "Healthy"), await Command.RunAsync(curl, "-s", "--cacert", authority.CaFile, url));
        Assert.NotEqual(0, (await Command.RunAsync(curl, "-s", url)).Code);

        // Half of a renewal: the old one counts on.
        (string renewed, string renewedKey) = authority.Issue("renewed", ["127.0.0.1"]);
        File.Copy(renewed, certificate, overwrite: true);
        await daemon.UntilAsync(
            async () => (await Command.RunAsync(curl, "-s", "--cacert", authority.CaFile, url)).Code == 0 && daemon.Output.Contains("what it said before counts on", StringComparison.Ordinal),
            "told of half a renewal");

        File.Copy(renewedKey, key, overwrite: true);
        await daemon.UntilAsync(
            async () => (await Command.RunAsync(curl, "-sv", "--cacert", authority.CaFile, url)) is (0, var said) && said.Contains("CN=renewed", StringComparison.Ordinal),
            "shown the renewed certificate");
        await daemon.UntilAsync(() => Task.FromResult(daemon.Output.Contains("is read again", StringComparison.Ordinal)), "said so");
    }

    [Fact]
    public async Task On_another_address_than_loopback_everything_asks_for_a_token_and_the_log_never_shows_one()
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            _directory.Path, "http.address=0.0.0.0", $"http.tokens.0.token={Admin}", "http.tokens.0.role=admin", "sources.mqtt_embedded.enabled=false");

        Assert.Equal(HttpStatusCode.Unauthorized, (await daemon.Http.GetAsync("/api/v1/status", TestContext.Current.CancellationToken)).StatusCode);
        daemon.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "wrong-0123456789abcdef");
        Assert.Equal(HttpStatusCode.Unauthorized, (await daemon.Http.GetAsync("/metrics", TestContext.Current.CancellationToken)).StatusCode);
        daemon.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Admin);
        await daemon.PostAsync("boiler", [1, 2, 3], DateTimeOffset.UtcNow.AddMinutes(-1));
        await daemon.UntilScoredAsync(3);

        Assert.Contains("tokens go over the network unencrypted", daemon.Output, StringComparison.Ordinal);
        Assert.Contains("A request was refused (token)", daemon.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", daemon.Output, StringComparison.Ordinal);
        Assert.Matches("streamlstm_http_refused_total{[^}]*reason=\"token\"[^}]*} 2", await daemon.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_page_of_another_origin_can_neither_feed_nor_read_nor_mute_where_no_token_is_asked_for()
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(_directory.Path);

        foreach ((HttpMethod method, string path, string header, string value) in new[]
        {
            (HttpMethod.Post, "/api/v1/observations", "Origin", "http://evil.example"),
            (HttpMethod.Post, "/api/v1/observations", "Sec-Fetch-Site", "cross-site"),
            (HttpMethod.Get, "/api/v1/live", "Sec-Fetch-Site", "same-site"),
            (HttpMethod.Delete, "/api/v1/maintenance/maintenance-1", "Origin", "null"),
        })
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.TryAddWithoutValidation(header, value);
            request.Content = method == HttpMethod.Post ? new StringContent("plant value=1", null, "text/plain") : null;
            using HttpResponseMessage answer = await daemon.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/api/v1/status") { Headers = { Host = "evil.example" } };
        using HttpResponseMessage misdirected = await daemon.Http.SendAsync(rebound, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, misdirected.StatusCode);
        Assert.Equal(0, (await daemon.GetAsync("/api/v1/status")).GetProperty("books").GetProperty("received").GetInt64());
    }

    [Fact]
    public async Task The_verbs_send_the_token_of_a_file_or_of_the_environment_and_say_what_is_missing()
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            _directory.Path, $"http.tokens.0.token={Admin}", "http.tokens.0.role=admin", $"http.tokens.1.token={Reader}", "http.tokens.1.role=read");
        string file = Path.Combine(_directory.Path, "token");
        string[] add = ["maintenance", "add", "--streams", "plant/*", "--for", "2h", "--url", $"http://127.0.0.1:{daemon.HttpPort}"];
        string[] program = [typeof(CommandLine).Assembly.Location, .. add];

        (int code, string said) = await Command.RunAsync("dotnet", program);
        Assert.Equal(1, code);
        Assert.Contains("no token, expected", said, StringComparison.Ordinal);
        Assert.Contains("--token-file FILE or the environment variable STREAMLSTM_TOKEN gives the token", said, StringComparison.Ordinal);

        await File.WriteAllTextAsync(file, Reader, TestContext.Current.CancellationToken);
        (code, said) = await Command.RunAsync("dotnet", [.. program, "--token-file", file]);
        Assert.Equal(1, code);
        Assert.Contains("this token has another role, expected", said, StringComparison.Ordinal);

        await File.WriteAllTextAsync(file, Admin + "\n", TestContext.Current.CancellationToken);
        (code, said) = await Command.RunAsync("dotnet", [.. program, "--token-file", file]);
        Assert.Equal(0, code);

        (code, said) = await Command.RunAsync("env", [$"STREAMLSTM_TOKEN={Reader}", "dotnet", typeof(CommandLine).Assembly.Location, "maintenance", "list", .. add[^2..]]);
        Assert.Equal(0, code);
        Assert.Contains("plant/*", said, StringComparison.Ordinal);
    }
}
