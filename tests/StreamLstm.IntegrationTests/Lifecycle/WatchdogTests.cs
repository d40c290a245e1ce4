using System.Net.Sockets;
using System.Text;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>What systemd hears on its socket: that the daemon is ready, that it is alive, and that it stops.</summary>
public sealed class WatchdogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Systemd_hears_when_it_is_ready_that_it_is_alive_and_when_it_stops()
    {
        string path = Path.Combine(_directory.Path, "notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        var environment = new Dictionary<string, string> { ["NOTIFY_SOCKET"] = path, ["WATCHDOG_USEC"] = "400000" };
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            Directory.CreateDirectory(Path.Combine(_directory.Path, "data")).FullName, environment, ["sources.mqtt_embedded.enabled=false"]);

        Assert.Equal("READY=1", await HeardAsync());
        Assert.Equal("WATCHDOG=1", await HeardAsync());
        Assert.Equal("WATCHDOG=1", await HeardAsync());

        // A process that stands still says nothing: that is what it is asked for.
        await daemon.SignalAsync("STOP");
        await Task.Delay(500, TestContext.Current.CancellationToken);
        while (socket.Available > 0)
        {
            await HeardAsync();
        }

        await Task.Delay(1_000, TestContext.Current.CancellationToken);
        Assert.Equal(0, socket.Available);

        await daemon.SignalAsync("CONT");
        Assert.Equal("WATCHDOG=1", await HeardAsync());
        Assert.Equal(0, await daemon.TerminateAsync());
        string last;

        do
        {
            last = await HeardAsync();
        }
        while (last == "WATCHDOG=1");

        Assert.Equal("STOPPING=1", last);

        async Task<string> HeardAsync()
        {
            byte[] buffer = new byte[256];
            int length = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            return Encoding.UTF8.GetString(buffer, 0, length).Trim();
        }
    }

    [Fact]
    public async Task A_unit_that_systemd_starts_says_what_the_daemon_says()
    {
        string unit = await File.ReadAllTextAsync(Path.Combine(Parts.Repository(), "deploy", "systemd", "streamlstm.service"), TestContext.Current.CancellationToken);

        // 78 is the exit code of a wrong configuration: starting again does not mend it.
        (int code, _) = await Command.RunAsync("dotnet", typeof(StreamLstm.Daemon.Commands.CommandLine).Assembly.Location, "run", "--set", "http.port=x");
        Assert.Equal(78, code);

        foreach (string line in new[] { "Type=notify", "WatchdogSec=60", $"RestartPreventExitStatus={code}", "StartLimitBurst=10", "MemoryMax=2G", "ExecStart=/usr/bin/streamlstm run --config /etc/streamlstm" })
        {
            Assert.Contains($"\n{line}\n", unit, StringComparison.Ordinal);
        }
    }
}
