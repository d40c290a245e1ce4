using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>The token endpoint of an OpenID Connect provider (client credentials), whose tokens the broker of these tests believes.</summary>
internal sealed class TokenServer : IAsyncDisposable
{
    public const string Issuer = "https://login.test", Audience = "kafka", Client = "reader", Secret = "reader-secret";

    private const string KeyId = "k1";

    private readonly WebApplication _application;
    private readonly RSA _key;
    private int _given;

    private TokenServer(WebApplication application, RSA key, string url) => (_application, _key, Url) = (application, key, url);

    public string Url { get; }

    /// <summary>Tokens given so far.</summary>
    public int Given => _given;

    /// <summary>Makes the key that tokens are signed with, and what the broker knows it by.</summary>
    /// <returns>The path of the latter.</returns>
    public static string CreateKey(string folder)
    {
        using var key = RSA.Create(2048);
        RSAParameters shown = key.ExportParameters(includePrivateParameters: false);
        string path = Path.Combine(folder, "jwks.json");
        File.WriteAllText(Path.Combine(folder, "tokens.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(path, JsonSerializer.Serialize(new
        {
            keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = KeyId, n = Base64Url.EncodeToString(shown.Modulus), e = Base64Url.EncodeToString(shown.Exponent) } },
        }));
        return path;
    }

    /// <param name="folder">Where <see cref="CreateKey"/> made the key.</param>
    /// <param name="subject">Whom the tokens name.</param>
    /// <param name="lifetime">How long each is good for.</param>
    /// <param name="certificate">PEM files of what it shows over TLS; null for none.</param>
    public static async Task<TokenServer> StartAsync(string folder, string subject, TimeSpan lifetime, (string CertificateFile, string KeyFile)? certificate = null)
    {
        int port = DaemonProcess.FreePort();
        var key = RSA.Create();
        key.ImportFromPem(File.ReadAllText(Path.Combine(folder, "tokens.key")));
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            if (certificate is var (certificateFile, keyFile))
            {
                listen.UseHttps(X509Certificate2.CreateFromPemFile(certificateFile, keyFile));
            }
        }));
        WebApplication application = builder.Build();
        var server = new TokenServer(application, key, $"{(certificate is null ? "http" : "https")}://127.0.0.1:{port}/token");
        application.MapPost("/token", async (HttpContext context) =>
        {
            IFormCollection form = await context.Request.ReadFormAsync();
            string shown = context.Request.Headers.Authorization.ToString();

            if (form["grant_type"] != "client_credentials" || shown != $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Client}:{Secret}"))}")
            {
                context.Response.StatusCode = (int)HttpStatusCode.Unauthorized;
                await context.Response.WriteAsJsonAsync(new { error = "invalid_client" });
                return;
            }

            Interlocked.Increment(ref server._given);
            await context.Response.WriteAsJsonAsync(new { access_token = server.Token(subject, lifetime), token_type = "Bearer", expires_in = (int)lifetime.TotalSeconds });
        });
        await application.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _key.Dispose();
    }

    private string Token(string subject, TimeSpan lifetime)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string head = Part(new { alg = "RS256", typ = "JWT", kid = KeyId });
        string claims = Part(new { iss = Issuer, aud = Audience, sub = subject, iat = now, exp = now + (long)lifetime.TotalSeconds, scope = "kafka" });
        byte[] signature = _key.SignData(Encoding.ASCII.GetBytes($"{head}.{claims}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{head}.{claims}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
