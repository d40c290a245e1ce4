using System.Diagnostics;
using System.Net;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>A disk that is really full: a small tmpfs, which only root may mount.</summary>
public sealed class FullDiskTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_disk_acknowledges_nothing_says_so_loses_nothing_and_goes_on_when_there_is_room()
    {
        using var directory = new TemporaryDirectory();
        string disk = Path.Combine(directory.Path, "disk");
        Directory.CreateDirectory(disk);
        await MountAsync(disk);

        try
        {
            string state = Path.Combine(disk, "state"), ballast = Path.Combine(disk, "ballast");
            int acknowledged;

            await using (DaemonProcess daemon = await DaemonProcess.StartAsync(state, "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false"))
            {
                await daemon.PostAsync("boiler", Series.Daily(1, 100), Start);
                acknowledged = 100;
                Fill(ballast);
                Assert.Equal(HttpStatusCode.ServiceUnavailable, await UntilAsync(HttpStatusCode.ServiceUnavailable));
                JsonElement ready = await daemon.GetAsync("/health/ready");
                Assert.True(ready.GetProperty("degraded").GetBoolean());
                Assert.Contains("nothing can be taken in", ready.GetProperty("reasons")[0].GetString(), StringComparison.Ordinal);
                Assert.Contains("nothing is taken in or acknowledged until it can", daemon.Output, StringComparison.Ordinal);

                File.Delete(ballast);
                Assert.Equal(HttpStatusCode.Accepted, await UntilAsync(HttpStatusCode.Accepted));

                // Full once more, and killed so.
                Fill(ballast);
                await UntilAsync(HttpStatusCode.ServiceUnavailable);
                await daemon.KillAsync();
                File.Delete(ballast);

                async Task<HttpStatusCode> UntilAsync(HttpStatusCode wanted)
                {
                    for (int tries = 0; tries < 400; tries++)
                    {
                        using var content = new StringContent(
                            $"{{\"stream\":\"boiler\",\"timestamp\":\"{Start.AddSeconds(acknowledged):O}\",\"value\":20}}\n", null, "application/x-ndjson");
                        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations", content, Cancellation);
                        acknowledged += answer.StatusCode == HttpStatusCode.Accepted ? 1 : 0;

                        if (answer.StatusCode == wanted)
                        {
                            return wanted;
                        }

                        Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}");
                        await Task.Delay(20, Cancellation);
                    }

                    return default;
                }
            }

            await using DaemonProcess again = await DaemonProcess.StartAsync(state, "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false");
            await again.UntilAsync(async () => (await Total(again)).GetProperty("scored").GetInt64() >= acknowledged, $"scored {acknowledged}");
            Assert.Equal(0, await again.TerminateAsync());
            string[] scored = [.. File.ReadLines(Path.Combine(state, "events.jsonl")).Where(line => line.StartsWith("{\"type\":\"score\"", StringComparison.Ordinal))];

            // One that came while the disk was full may be there, and was not acknowledged: it came again, with the same time.
            Assert.Equal(acknowledged, scored.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("time").GetString()).Distinct().Count());
            Assert.Equal(acknowledged, scored.Length);
        }
        finally
        {
            await RunAsync("umount", "--lazy", disk);
        }
    }

    private static async Task<JsonElement> Total(DaemonProcess daemon) => (await daemon.GetAsync("/api/v1/status")).GetProperty("total");

    private static void Fill(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);

            for (byte[] block = new byte[4096]; ;)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private static async Task MountAsync(string directory)
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root" || !await RunAsync("mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", directory))
        {
            // Also where CI runs in a container that may not mount: no package mends that.
            Assert.Skip("a tmpfs cannot be mounted here: run this as root");
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync(Cancellation);
        return process.ExitCode == 0;
    }
}
