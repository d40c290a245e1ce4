using System.Diagnostics;
using System.Net.Sockets;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>A real mosquitto on a port of its own, whose messages outlive it unless that is not asked for.</summary>
internal sealed class Mosquitto : IAsyncDisposable
{
    private readonly string _directory;
    private readonly string _program;
    private readonly string _configuration;
    private readonly NetworkNamespace? _network;
    private Process _process;

    private Mosquitto(string directory, string program, int port, string more, NetworkNamespace? network, bool isKept)
    {
        (_directory, _program, Port, _network) = (directory, program, port, network);
        _configuration = Path.Combine(directory, "mosquitto.conf");
        File.WriteAllText(
            _configuration,
            $"""
            listener {port} {Address}
            {(more.Contains("allow_anonymous", StringComparison.Ordinal) ? "" : "allow_anonymous true")}
            {(isKept ? $"persistence true\npersistence_location {directory}/\nautosave_on_changes true\nautosave_interval 1" : "persistence false")}
            max_queued_messages 100000
            log_dest none
            {(Environment.UserName == "root" ? "user root" : "")}
            {more}
            """);
        _process = Start();
    }

    public int Port { get; }

    public string Url => $"mqtt://{Address}:{Port}";

    private string Address => _network?.Inside ?? "127.0.0.1";

    /// <param name="directory">Where it keeps what it holds.</param>
    /// <param name="more">Further lines of its configuration.</param>
    /// <param name="network">Where it runs; null for where the test does.</param>
    /// <param name="isKept">Whether what it holds is saved at each change: with ten thousand messages waiting that takes minutes.</param>
    public static async Task<Mosquitto> StartAsync(string directory, string more = "", NetworkNamespace? network = null, bool isKept = true)
    {
        string program = Parts.Find("mosquitto").FirstOrDefault() ?? (File.Exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : Parts.Require("mosquitto", "mosquitto"));
        Directory.CreateDirectory(directory);
        var broker = new Mosquitto(directory, program, DaemonProcess.FreePort(), more, network, isKept);
        await broker.UntilListeningAsync();
        return broker;
    }

    /// <summary>Ends it, with SIGKILL or SIGTERM, and starts it again.</summary>
    public async Task RestartAsync(bool kill)
    {
        if (kill)
        {
            _process.Kill();
        }
        else
        {
            using Process signal = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            await signal.WaitForExitAsync();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = Start();
        await UntilListeningAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private Process Start()
    {
        ProcessStartInfo start = _network?.Within(_program, ["-c", _configuration]) ?? new ProcessStartInfo(_program, ["-c", _configuration]);
        start.WorkingDirectory = _directory;
        return Process.Start(start)!;
    }

    private async Task UntilListeningAsync()
    {
        for (int tries = 0; tries < 200; tries++)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(Address, Port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50);
            }
        }

        Assert.Fail("mosquitto does not listen");
    }
}
