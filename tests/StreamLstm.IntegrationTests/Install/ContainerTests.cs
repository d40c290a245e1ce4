using System.Diagnostics;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Install;

/// <summary>The image that the SDK builds by the project file, unpacked and run as its user, as docker-compose.yml runs it: nothing but the volume may be written.</summary>
/// <remarks>There is no engine here and no registry: the base comes from one of our own, by the tag that the project pins. STREAMLSTM_TEST_PACKAGES=1 asks for it.</remarks>
public sealed class ContainerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string Project => Path.Combine(Parts.Repository(), "src", "StreamLstm.Daemon");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_image_starts_as_its_user_writes_its_volume_only_and_goes_on_after_a_stop()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PACKAGES") == "1", "STREAMLSTM_TEST_PACKAGES=1 builds and unpacks the image");
        Assert.SkipUnless(Environment.UserName == "root", "only root may enter an unpacked image: sudo, or run the tests as root");
        string unshare = Parts.Require("unshare", "util-linux");
        (string root, JsonElement config) = await BuildAsync();

        Assert.Equal("1654", config.GetProperty("User").GetString());
        Assert.True(config.GetProperty("ExposedPorts").TryGetProperty("8080/tcp", out _));
        Assert.Equal("0.1.0", config.GetProperty("Labels").GetProperty("org.opencontainers.image.version").GetString());
        Assert.Equal("MIT", config.GetProperty("Labels").GetProperty("org.opencontainers.image.licenses").GetString());
        Directory.CreateDirectory(Path.Combine(root, "etc/streamlstm"));
        File.Copy(Path.Combine(Parts.Repository(), "deploy/container.yaml"), Path.Combine(root, "etc/streamlstm/container.yaml"));

        (int exit, string first) = await RunAsync(unshare, root, config, async http =>
        {
            using var content = new StringContent("""{"stream":"boiler","value":71.3}""", null, "application/json");
            using HttpResponseMessage answer = await http.PostAsync("/api/v1/observations?wait=scored", content, Cancellation);
            Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);

            for (int tries = 0; tries < 300 && !(await http.GetStringAsync("/health/ready", Cancellation)).Contains("sources.kafka.0.brokers: ", StringComparison.Ordinal); tries++)
            {
                await Task.Delay(200, Cancellation);
            }
        });
        Assert.True(exit == 0, first);

        // What is native in it was loaded: it looks for the Kafka beside it, in vain here.
        Assert.Contains("sources.kafka.0.brokers: ", first, StringComparison.Ordinal);
        string home = Path.Combine(root, "home/app");
        Assert.NotEmpty(Directory.GetFiles(home, "*.sls", SearchOption.AllDirectories));
        (_, string owners) = await Command.RunAsync("find", home, "-not", "-uid", "1654");
        Assert.Equal("", owners);

        (exit, string second) = await RunAsync(unshare, root, config, async http =>
            Assert.Equal(1, (await JsonAsync(http, "/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64()));
        Assert.True(exit == 0, second);
        Assert.Contains("0 journal entries follow", second, StringComparison.Ordinal);
    }

    /// <summary>Builds the image onto the base it names, from a registry that has no other tag.</summary>
    /// <returns>The folder where its layers are unpacked one over the other, and its configuration.</returns>
    private async Task<(string Root, JsonElement Config)> BuildAsync()
    {
        (int asked, string pinned) = await Command.RunAsync("dotnet", "msbuild", Project, "-getProperty:ContainerBaseImage");
        Assert.True(asked == 0, pinned);
        string image = pinned.Trim()[(pinned.IndexOf('/', StringComparison.Ordinal) + 1)..], layer = Path.Combine(_directory.Path, "base.tar.gz");
        await using ImageRegistry registry = await ImageRegistry.StartAsync(image, layer, await BaseImage.WriteLayerAsync(layer), BaseImage.Settings);
        string archive = Path.Combine(_directory.Path, "image.tar.gz"), parts = Directory.CreateDirectory(Path.Combine(_directory.Path, "parts")).FullName;

        // Without TLS only where that is said, on loopback too.
        (int code, string said) = await Command.RunAsync(
            "env", $"DOTNET_CONTAINER_INSECURE_REGISTRIES={registry.Host}", "dotnet", "publish", Project, "-c", "Release", "-t:PublishContainer", $"-p:ContainerBaseImage={registry.Host}/{image}", $"-p:ContainerArchiveOutputPath={archive}", "--nologo");
        Assert.True(code == 0, said);
        Assert.Equal(0, (await Command.RunAsync("tar", "-xf", archive, "-C", parts)).Code);

        using JsonDocument manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(parts, "manifest.json"), Cancellation));
        JsonElement one = Assert.Single(manifest.RootElement.EnumerateArray());
        Assert.Equal("streamlstm:0.1.0", Assert.Single(one.GetProperty("RepoTags").EnumerateArray()).GetString());
        string root = Directory.CreateDirectory(Path.Combine(_directory.Path, "root")).FullName;

        foreach (JsonElement part in one.GetProperty("Layers").EnumerateArray())
        {
            Assert.Equal(0, (await Command.RunAsync("tar", "-xzpf", Path.Combine(parts, part.GetString()!), "--numeric-owner", "-C", root)).Code);
        }

        using JsonDocument config = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(parts, one.GetProperty("Config").GetString()!), Cancellation));
        return (root, config.RootElement.GetProperty("config").Clone());
    }

    /// <summary>Runs it by its own entry point, environment and user, asks it, and stops it with SIGTERM.</summary>
    /// <returns>Its exit code and what it said.</returns>
    private static async Task<(int Exit, string Said)> RunAsync(string unshare, string root, JsonElement config, Func<HttpClient, Task> ask)
    {
        int port = DaemonProcess.FreePort();
        string[] entry = Texts(config, "Entrypoint"), settings = Texts(config, "Env"), user = config.GetProperty("User").GetString()!.Split(':');

        // Each step becomes the next one, so that who is started is who is stopped. As an engine does it: the root is read-only, /tmp and the volume are not.
        string enter = $"""
            mount --bind {root} {root} && mount --rbind /proc {root}/proc && mount --rbind /dev {root}/dev && mount -t tmpfs tmpfs {root}/tmp \
            && mount --bind {root}/home/app {root}/home/app && mount -o remount,bind,ro {root} \
            && exec chroot --userspec={user[0]}:{user[^1]} --groups= {root} "$@"
            """;
        var start = new ProcessStartInfo(
            unshare,
            ["--mount", "sh", "-c", enter, "sh", .. entry, "run", "--config", "/etc/streamlstm/container.yaml", "--set", $"http.port={port}",
             "--set", "sources.host.enabled=false", "--set", "sources.stdin.time_zone=Europe/Berlin"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();

        foreach (string setting in (string[])[.. settings, "STREAMLSTM_TOKEN=a-token-of-this-test-0123456789", "HOME=/home/app"])
        {
            start.Environment[setting.Split('=')[0]] = setting[(setting.IndexOf('=', StringComparison.Ordinal) + 1)..];
        }

        using Process daemon = Process.Start(start)!;
        Task<string> output = daemon.StandardOutput.ReadToEndAsync(Cancellation), error = daemon.StandardError.ReadToEndAsync(Cancellation);

        try
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            http.DefaultRequestHeaders.Authorization = new("Bearer", "a-token-of-this-test-0123456789");
            await UntilReadyAsync(http, daemon);

            if (!daemon.HasExited)
            {
                await ask(http);
                Assert.Equal(0, (await Command.RunAsync("kill", "-TERM", $"{daemon.Id}")).Code);
            }

            await daemon.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            return (daemon.ExitCode, await output + await error);
        }
        finally
        {
            if (!daemon.HasExited)
            {
                daemon.Kill();
            }
        }
    }

    private static async Task UntilReadyAsync(HttpClient http, Process daemon)
    {
        for (int tries = 0; tries < 300 && !daemon.HasExited; tries++)
        {
            try
            {
                if ((await http.GetAsync("/health/ready", Cancellation)).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(200, Cancellation);
        }

        Assert.True(daemon.HasExited, "never ready");
    }

    private static async Task<JsonElement> JsonAsync(HttpClient http, string path) =>
        JsonDocument.Parse(await http.GetStringAsync(path, Cancellation)).RootElement;

    private static string[] Texts(JsonElement config, string name) => [.. config.GetProperty(name).EnumerateArray().Select(one => one.GetString()!)];
}
