using System.Net;
using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

public sealed class StopTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Terminated_under_load_it_scores_all_it_answered_and_the_next_start_reads_nothing_again()
    {
        using var directory = new TemporaryDirectory();
        int answered = 0;

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "storage.snapshot_interval=1h"))
        {
            Task posting = Task.Run(
                async () =>
                {
                    for (int post = 0; ; post++)
                    {
                        string lines = string.Concat(Enumerable.Range(20 * post, 20).Select(row => $"{{\"stream\":\"boiler\",\"timestamp\":\"{Start.AddSeconds(row):O}\",\"value\":{row % 7}}}\n"));
                        using var content = new StringContent(lines, null, "application/x-ndjson");
                        using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations", content, Cancellation);

                        if (answer.StatusCode != HttpStatusCode.Accepted)
                        {
                            return;
                        }

                        answered += 20;
                    }
                },
                Cancellation);
            await daemon.UntilScoredAsync(100);
            Assert.Equal(0, await daemon.TerminateAsync());
            await posting.ContinueWith(_ => { }, Cancellation, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
        Assert.Contains("0 journal entries follow", again.Output, StringComparison.Ordinal);

        // A request whose answer did not come before the end may have been taken in.
        long scored = (await again.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64();
        Assert.InRange(scored, answered, answered + 20);
    }

    [Fact]
    public async Task A_second_process_on_the_same_directory_ends_with_the_reason_and_the_first_is_not_disturbed()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess first = await DaemonProcess.StartAsync(directory.Path);
        await first.PostAsync("boiler", Series.Daily(1, 50), Start);

        for (int tries = 0; tries < 2; tries++)
        {
            await using DaemonProcess second = await DaemonProcess.StartAsync(directory.Path);
            Assert.Equal(1, await second.ExitAsync());
            Assert.Contains($"storage.directory: {directory.Path} is in use by another streamlstm", second.Output, StringComparison.Ordinal);
        }

        await first.PostAsync("boiler", Series.Daily(2, 50), Start.AddSeconds(50));
        await first.UntilScoredAsync(100);
        JsonElement ready = await first.GetAsync("/health/ready");
        Assert.False(ready.GetProperty("degraded").GetBoolean());
        Assert.Equal(0, await first.TerminateAsync());

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
        Assert.Equal(100, (await again.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64());
    }
}
