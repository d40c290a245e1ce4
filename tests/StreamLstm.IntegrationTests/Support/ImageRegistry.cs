using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>A registry on loopback that serves one image of one layer by the tag it is asked for, as the OCI distribution specification has it.</summary>
internal sealed class ImageRegistry : IAsyncDisposable
{
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";

    private readonly WebApplication _application;

    private ImageRegistry(WebApplication application, string host) => (_application, Host) = (application, host);

    /// <summary>HOST:PORT, as it stands before an image's name.</summary>
    public string Host { get; }

    /// <param name="image">NAME:TAG; any other one is not there.</param>
    /// <param name="layer">The layer, a packed tar.</param>
    /// <param name="diffId">The digest of what is in it, unpacked.</param>
    /// <param name="settings">The image's own configuration: Env, User and the like.</param>
    public static async Task<ImageRegistry> StartAsync(string image, string layer, string diffId, object settings)
    {
        byte[] config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture = "amd64",
            os = "linux",
            config = settings,
            rootfs = new { type = "layers", diff_ids = new[] { diffId } },
            history = new[] { new { created_by = "a test" } },
        });
        await using FileStream packed = File.OpenRead(layer);
        string layerDigest = $"sha256:{Convert.ToHexStringLower(await SHA256.HashDataAsync(packed, TestContext.Current.CancellationToken))}";
        byte[] manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ManifestType,
            config = new { mediaType = "application/vnd.docker.container.image.v1+json", size = config.Length, digest = Digest(config) },
            layers = new[] { new { mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip", size = packed.Length, digest = layerDigest } },
        });
        string host = $"127.0.0.1:{DaemonProcess.FreePort()}", name = image.Split(':')[0], tag = image.Split(':')[1];
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication application = builder.Build();
        application.Urls.Add($"http://{host}");
        application.MapMethods("/v2/", ["GET"], () => Results.Ok());
        application.MapMethods($"/v2/{name}/manifests/{{reference}}", ["GET", "HEAD"], (string reference, HttpResponse response) =>
        {
            response.Headers["Docker-Content-Digest"] = Digest(manifest);
            return reference == tag || reference == Digest(manifest) ? Results.Bytes(manifest, ManifestType) : Results.NotFound();
        });
        application.MapMethods($"/v2/{name}/blobs/{{digest}}", ["GET", "HEAD"], (string digest) =>
            digest == Digest(config) ? Results.Bytes(config, "application/octet-stream")
            : digest == layerDigest ? Results.File(layer, "application/octet-stream")
            : Results.NotFound());
        await application.StartAsync(TestContext.Current.CancellationToken);
        return new ImageRegistry(application, host);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static string Digest(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
}
