using Microsoft.AspNetCore.Builder;
using StreamLstm.Daemon.Commands;
using StreamLstm.Daemon.Configuration;

namespace StreamLstm.Tests.Support;

/// <summary>The whole daemon inside the tests' process, with a directory of its own and no source but HTTP, and a client of it.</summary>
internal sealed class HostedDaemon : IAsyncDisposable
{
    // In memory where there is such a place: thousands of requests are synced, and it is not the disk that is tried.
    private readonly string _directory = Directory.CreateDirectory(
        Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"streamlstm-hosted-{Guid.NewGuid():N}")).FullName;

    private HostedDaemon(string[] settings)
    {
        Settings = settings;
        Application = DaemonHost.Build(Read(), Read, () => [], out _, out _);
    }

    /// <summary>KEY=VALUE: what a reload reads, beside what the daemon is hosted with.</summary>
    public IReadOnlyList<string> Settings { get; set; }

    public WebApplication Application { get; }

    /// <summary>What it has written to a file of its storage directory so far; empty where there is none.</summary>
    public string Read(string file)
    {
        string path = Path.Combine(_directory, file);

        if (!File.Exists(path))
        {
            return "";
        }

        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    public HttpClient Http { get; } = new();

    /// <param name="settings">KEY=VALUE.</param>
    public static async Task<HostedDaemon> StartAsync(params string[] settings)
    {
        var daemon = new HostedDaemon(settings);
        await daemon.Application.StartAsync(TestContext.Current.CancellationToken);
        daemon.Http.BaseAddress = new Uri(daemon.Application.Urls.First());
        return daemon;
    }

    private LoadedOptions Read() => ConfigurationLoader.Read(
        [],
        [
            $"storage.directory={_directory}", "http.port=0", "sources.host.enabled=false", "sources.mqtt_embedded.enabled=false",
            "sinks.console.enabled=false", .. Settings,
        ],
        new Dictionary<string, string>());

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Application.StopAsync(TestContext.Current.CancellationToken);
        await Application.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
