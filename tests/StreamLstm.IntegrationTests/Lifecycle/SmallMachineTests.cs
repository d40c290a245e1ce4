using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>A heap as in a control group of 256 MiB, and more streams that send faster than it can score: it slows them down and lives.</summary>
public sealed class SmallMachineTests
{
    private const int Streams = 1_600;
    private const int Rows = 200;
    private const int RowsEach = 2;

    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_daemon_with_little_memory_makes_senders_wait_and_loses_nothing()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            directory.Path,
            new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "9800000" },   // hexadecimal: 152 MiB
            ["detection.form=auto", "sources.mqtt_embedded.enabled=false", "storage.snapshot_interval=5s", "storage.snapshot_kib_per_second=65536", "pipeline.workers=1"]);

        try
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(SendAsync));
        }
        catch (HttpRequestException gone)
        {
            Assert.Fail($"{gone.Message}\n{string.Join('\n', daemon.Output.Split('\n').TakeLast(20))}");
        }

        JsonElement books = default;
        await daemon.UntilAsync(async () => (books = (await daemon.GetAsync("/api/v1/status")).GetProperty("books")).GetProperty("queued").GetInt64() == 0, "scored all");
        Assert.Equal(Streams * Rows, books.GetProperty("scored").GetInt64());
        Assert.True(books.GetProperty("balances").GetBoolean(), books.ToString());
        Assert.DoesNotContain("OutOfMemory", daemon.Output, StringComparison.Ordinal);
        string metrics = await daemon.Http.GetStringAsync("/metrics", Cancellation);
        Assert.Matches("streamlstm_streams_by_form[{][^}]*form=\"lean\"[}] [1-9]", metrics);

        // Each has a quarter of the streams: rows of one stream come in order.
        async Task SendAsync(int lane)
        {
            for (int row = 0; row < Rows; row += RowsEach)
            {
                var body = new StringBuilder();

                foreach (int at in Enumerable.Range(row, RowsEach))
                {
                    for (int stream = lane; stream < Streams; stream += 4)
                    {
                        body.Append(CultureInfo.InvariantCulture, $"{{\"stream\":\"plant/s{stream:0000}\",\"timestamp\":\"{Start.AddSeconds(10 * at):O}\",\"value\":{20 + (5 * Math.Sin((at + stream) / 20.0)) + (at * 31 % 17 / 17.0):0.###}}}\n");
                    }
                }

                HttpStatusCode status;

                do
                {
                    using var content = new StringContent(body.ToString(), Encoding.UTF8, "application/x-ndjson");
                    using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations", content, Cancellation);
                    status = answer.StatusCode;

                    if (status >= HttpStatusCode.TooManyRequests)
                    {
                        await Task.Delay(100, Cancellation);
                    }
                }
                while (status >= HttpStatusCode.TooManyRequests);

                Assert.Equal(HttpStatusCode.Accepted, status);
            }
        }
    }
}
