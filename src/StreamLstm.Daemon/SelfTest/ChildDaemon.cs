using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace StreamLstm.Daemon.SelfTest;

/// <summary>This program once more, as a process of its own that may be killed: on free ports, with a directory that survives it.</summary>
internal sealed partial class ChildDaemon : IAsyncDisposable
{
    private const int OutputMax = 64 << 10;

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly TaskCompletionSource<Uri?> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int?> _mqttPort = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildDaemon(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => End();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        if (process.HasExited)
        {
            End();
        }
    }

    public bool HasExited => _process.HasExited;

    public int Id => _process.Id;

    /// <summary>What it said, the last 64 KiB of it.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>The port of its broker, once that listens.</summary>
    /// <exception cref="IOException">It ended before.</exception>
    public async Task<int> MqttPortAsync(CancellationToken cancellationToken) =>
        await _mqttPort.Task.WaitAsync(cancellationToken) ?? throw new IOException("the daemon has ended");

    /// <param name="directory">Its storage directory.</param>
    /// <param name="settings">Options over the built-in ones, KEY=VALUE.</param>
    /// <param name="killAt">A <see cref="Durability.KillPoint"/>, and how often it is passed; null for none.</param>
    public static ChildDaemon Start(string directory, IEnumerable<string> settings, string? killAt = null)
    {
        (string program, string[] arguments) = Program();
        var start = new ProcessStartInfo(program, [.. arguments, "run"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,

            // A foreign directory: nothing may depend on where it is started.
            WorkingDirectory = Path.GetTempPath(),
        };

        foreach (string setting in (string[])[$"storage.directory={directory}", "http.port=0", .. settings])
        {
            start.ArgumentList.Add("--set");
            start.ArgumentList.Add(setting);
        }

        if (killAt is not null)
        {
            start.Environment["STREAMLSTM_KILL_AT"] = killAt;
        }

        return new ChildDaemon(Process.Start(start)!);
    }

    /// <summary>Waits until it takes observations in.</summary>
    /// <returns>False where it ended before.</returns>
    public async Task<bool> ReadyAsync(CancellationToken cancellationToken)
    {
        if (await _address.Task.WaitAsync(cancellationToken) is not { } address)
        {
            return false;
        }

        while (!_process.HasExited)
        {
            try
            {
                using HttpResponseMessage answer = await _http.GetAsync(new Uri(address, "/health/ready"), cancellationToken);

                if (answer.IsSuccessStatusCode)
                {
                    return true;
                }
            }
            catch (Exception none) when (none is HttpRequestException or IOException)
            {
                // Killed, or not yet.
            }

            await Task.Delay(5, cancellationToken);
        }

        return false;
    }

    /// <exception cref="HttpRequestException">It ended before it answered.</exception>
    public async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) =>
        JsonDocument.Parse(await GetTextAsync(path, cancellationToken)).RootElement;

    /// <exception cref="HttpRequestException">It ended before it answered.</exception>
    public async Task<string> GetTextAsync(string path, CancellationToken cancellationToken) =>
        await _http.GetStringAsync(await UriAsync(path, cancellationToken), cancellationToken);

    /// <returns>The answer's status and body.</returns>
    /// <exception cref="HttpRequestException">It ended before it answered.</exception>
    public async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string lines, CancellationToken cancellationToken)
    {
        using var content = new StringContent(lines, null, "application/x-ndjson");
        using HttpResponseMessage answer = await _http.PostAsync(await UriAsync(path, cancellationToken), content, cancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>SIGKILL: no chance to say goodbye.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>SIGTERM, and its exit code once it has drained.</summary>
    public async Task<int> TerminateAsync(CancellationToken cancellationToken)
    {
        using (Process signal = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await signal.WaitForExitAsync(cancellationToken);
        }

        return await ExitAsync(cancellationToken);
    }

    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
        _http.Dispose();
    }

    /// <summary>How this program is started: STREAMLSTM_TEST_PROGRAM names another build of it, as it would be shipped.</summary>
    private static (string Program, string[] Arguments) Program()
    {
        string assembly = Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PROGRAM") is { Length: > 0 } named ? named : typeof(ChildDaemon).Assembly.Location;
        bool isItself = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "streamlstm";
        return assembly.Length == 0 || (isItself && assembly == typeof(ChildDaemon).Assembly.Location)
            ? (Environment.ProcessPath!, [])
            : ("dotnet", [assembly]);
    }

    private async Task<Uri> UriAsync(string path, CancellationToken cancellationToken) =>
        new(await _address.Task.WaitAsync(cancellationToken) ?? throw new HttpRequestException("the daemon has ended"), path);

    private void End()
    {
        _address.TrySetResult(null);
        _mqttPort.TrySetResult(null);
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);

            if (_output.Length > OutputMax)
            {
                _output.Remove(0, _output.Length - OutputMax);
            }
        }

        if (OpenAt().Match(line) is { Success: true } open)
        {
            _address.TrySetResult(new Uri(open.Groups[1].Value));
        }

        if (MqttAt().Match(line) is { Success: true } mqtt)
        {
            _mqttPort.TrySetResult(int.Parse(mqtt.Groups[1].Value, CultureInfo.InvariantCulture));
        }
    }

    [GeneratedRegex(@"is watching: open (http://[^ ]+) ")]
    private static partial Regex OpenAt();

    [GeneratedRegex(@"started: MQTT on [^ ]*:(\d+)")]
    private static partial Regex MqttAt();
}
