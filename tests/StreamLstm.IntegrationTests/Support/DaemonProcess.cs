using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using StreamLstm.Daemon.Commands;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>The daemon as its users run it: a process of its own, on free ports, with a directory that survives it.</summary>
internal sealed class DaemonProcess : IAsyncDisposable
{
    /// <summary>Ports that are handed out: below those that Linux gives to connections going out.</summary>
    private const int FirstPort = 20_000;
    private const int Ports = 8_000;

    private static int s_ports = 97 * Environment.ProcessId;   // each process of tests begins elsewhere

    private readonly Process _process;
    private readonly List<string> _output = [];

    private DaemonProcess(Process process, int httpPort, int mqttPort, bool usesTls)
    {
        _process = process;
        HttpPort = httpPort;
        MqttPort = mqttPort;
        Http = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => Shown(certificate) })
        {
            BaseAddress = new Uri($"http{(usesTls ? "s" : "")}://127.0.0.1:{httpPort}"),
        };
    }

    public int HttpPort { get; }

    public int MqttPort { get; }

    public HttpClient Http { get; }

    /// <summary>The name of the certificate that the last connection was shown, where it uses TLS.</summary>
    public string? CertificateName { get; private set; }

    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join('\n', _output);
            }
        }
    }

    /// <summary>Starts it with the host source off unless a setting says otherwise, and waits until it is ready.</summary>
    public static Task<DaemonProcess> StartAsync(string directory, params string[] settings) => StartAsync(directory, killAt: null, settings);

    /// <param name="directory">Its storage directory.</param>
    /// <param name="killAt">Where it kills itself: a <see cref="StreamLstm.Daemon.Durability.KillPoint"/>, and how often it is passed; null for nowhere.</param>
    /// <param name="settings">KEY=VALUE.</param>
    /// <param name="config">A configuration file; null for none.</param>
    public static Task<DaemonProcess> StartAsync(string directory, string? killAt, IEnumerable<string> settings, string? config = null) =>
        StartAsync(directory, killAt is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["STREAMLSTM_KILL_AT"] = killAt }, settings, config);

    /// <param name="directory">Its storage directory.</param>
    /// <param name="environment">Variables over those of the tests' own process.</param>
    /// <param name="settings">KEY=VALUE.</param>
    /// <param name="config">A configuration file; null for none.</param>
    public static async Task<DaemonProcess> StartAsync(
        string directory, IReadOnlyDictionary<string, string> environment, IEnumerable<string> settings, string? config = null)
    {
        int http = FreePort(), mqtt = FreePort();
        string[] all =
        [
            $"storage.directory={directory}", $"http.port={http}", $"sources.mqtt_embedded.port={mqtt}", "sources.host.enabled=false",
            "storage.snapshot_interval=1s", "storage.snapshot_kib_per_second=1048576", .. settings,
        ];

        // As from a terminal or a service: whoever runs the tests under nohup has them inherit that SIGHUP is ignored, and .NET heeds that.
        var start = new ProcessStartInfo(OperatingSystem.IsLinux() ? "env" : "dotnet")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,

            // A foreign directory: nothing may depend on where it is started.
            WorkingDirectory = Path.GetTempPath(),
        };

        if (OperatingSystem.IsLinux())
        {
            start.ArgumentList.Add("--default-signal=HUP");
            start.ArgumentList.Add("dotnet");
        }

        start.ArgumentList.Add(typeof(CommandLine).Assembly.Location);
        start.ArgumentList.Add("run");

        foreach (string setting in all)
        {
            start.ArgumentList.Add("--set");
            start.ArgumentList.Add(setting);
        }

        if (config is not null)
        {
            start.ArgumentList.Add("--config");
            start.ArgumentList.Add(config);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        var daemon = new DaemonProcess(Process.Start(start)!, http, mqtt, settings.Any(setting => setting.StartsWith("http.tls.", StringComparison.Ordinal)));
        daemon._process.OutputDataReceived += daemon.Keep;
        daemon._process.ErrorDataReceived += daemon.Keep;
        daemon._process.BeginOutputReadLine();
        daemon._process.BeginErrorReadLine();
        await daemon.UntilAsync(async () => daemon._process.HasExited || (await daemon.Http.GetAsync("/health/ready")).IsSuccessStatusCode, "ready");
        return daemon;
    }

    public static int FreePort()
    {
        while (true)
        {
            // No port twice, and none of those that connections going out are given: whoever asked may bind it much later.
            int port = FirstPort + (int)((uint)Interlocked.Increment(ref s_ports) % Ports);

            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }

    public async Task<JsonElement> GetAsync(string path) =>
        await Http.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    /// <summary>Posts rows of "stream,value" from a time on, a second apart.</summary>
    public async Task PostAsync(string stream, IEnumerable<double> values, DateTimeOffset from)
    {
        string body = string.Concat(values.Select((value, row) =>
            FormattableString.Invariant($"{{\"stream\":\"{stream}\",\"timestamp\":\"{from.AddSeconds(row):O}\",\"value\":{value}}}\n")));
        using var content = new StringContent(body, null, "application/x-ndjson");
        using HttpResponseMessage answer = await Http.PostAsync("/api/v1/observations", content, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    /// <summary>Waits until the condition holds; the daemon's words are in the failure where it never does.</summary>
    public async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var waited = Stopwatch.StartNew();

        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"never {what}; the daemon said:\n{Output}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public Task UntilScoredAsync(long count) => UntilAsync(
        async () => (await GetAsync("/api/v1/status")).GetProperty("books").GetProperty("scored").GetInt64() >= count, $"scored {count}");

    /// <summary>Waits until a sink has written all that came of what was taken in so far: what it writes may be read then.</summary>
    public async Task UntilSettledAsync(string sink)
    {
        long? taken = null;
        await UntilAsync(
            async () =>
            {
                JsonElement status = await GetAsync("/api/v1/status");
                taken ??= status.GetProperty("sequence").GetInt64();
                JsonElement standing = status.GetProperty("sinks").EnumerateArray().First(one => one.GetProperty("name").GetString() == sink);
                return standing.TryGetProperty("settled", out JsonElement settled) && settled.ValueKind == JsonValueKind.Number && settled.GetInt64() >= taken;
            },
            $"settled in {sink}");
    }

    /// <summary>SIGKILL: no chance to say goodbye.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>SIGTERM, and its exit code once it has drained.</summary>
    public async Task<int> TerminateAsync()
    {
        await SignalAsync("TERM");
        return await ExitAsync();
    }

    /// <summary>TERM, STOP, CONT, HUP.</summary>
    public async Task SignalAsync(string name)
    {
        using Process signal = Process.Start("kill", [$"-{name}", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await signal.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        Http.Dispose();
    }

    /// <summary>Which one it is, a test asks; whether a client trusts it, curl is asked.</summary>
    private bool Shown(System.Security.Cryptography.X509Certificates.X509Certificate2? certificate)
    {
        CertificateName = certificate?.Subject;
        return true;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
        {
            _output.Add(line.Data ?? "");
        }
    }
}
