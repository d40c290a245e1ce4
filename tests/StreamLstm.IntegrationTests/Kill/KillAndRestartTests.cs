using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kill;

public sealed class KillAndRestartTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-2);

    [Fact]
    public async Task After_a_kill_streams_do_not_start_learning_again()
    {
        using var directory = new TemporaryDirectory();
        double[] values = Series.Daily(3, 700);

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path))
        {
            await daemon.PostAsync("boiler", values[..600], Start);
            await daemon.UntilScoredAsync(600);
            await daemon.KillAsync();
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
        await again.PostAsync("boiler", values[600..610], Start.AddSeconds(600));
        await again.UntilScoredAsync(10);
        await again.UntilSettledAsync("live");

        JsonElement state = (await again.GetAsync("/api/v1/streams/boiler")).GetProperty("state");
        Assert.Equal("active", state.GetProperty("lifecycle").GetString());
        Assert.InRange(state.GetProperty("upper").GetDouble() - state.GetProperty("lower").GetDouble(), 0.5, 11);
    }

    [Fact]
    public async Task After_a_kill_a_record_that_was_scored_before_it_is_not_scored_twice()
    {
        using var directory = new TemporaryDirectory();
        double[] values = Series.Daily(4, 200);

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path))
        {
            await daemon.PostAsync("boiler", values, Start);
            await daemon.UntilScoredAsync(200);
            await daemon.KillAsync();
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
        await again.PostAsync("boiler", values, Start);
        await again.UntilAsync(async () => (await Books(again)).GetProperty("rejected").GetInt64() == 200, "rejected 200");

        JsonElement books = await Books(again);
        Assert.Equal(199, books.GetProperty("rejected_by_reason").GetProperty("late").GetInt64());
        Assert.Equal(1, books.GetProperty("rejected_by_reason").GetProperty("duplicate").GetInt64());
        Assert.True(books.GetProperty("balances").GetBoolean());
    }

    [Fact]
    public async Task Killed_again_and_again_it_always_comes_back()
    {
        using var directory = new TemporaryDirectory();
        double[] values = Series.Daily(5, 1000);

        for (int round = 0; round < 8; round++)
        {
            await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "storage.snapshot_interval=20ms");
            await daemon.PostAsync("boiler", values[(round * 100)..((round + 1) * 100)], Start.AddSeconds(round * 100));
            await Task.Delay(30 * round, TestContext.Current.CancellationToken);
            await daemon.KillAsync();
        }

        await using DaemonProcess last = await DaemonProcess.StartAsync(directory.Path);
        await last.UntilSettledAsync("live");
        Assert.Contains("Restored snapshot", last.Output, StringComparison.Ordinal);
        Assert.Equal(800, (await last.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64());
        Assert.DoesNotContain("unreadable", last.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Terminated_it_drains_saves_everything_and_says_so()
    {
        using var directory = new TemporaryDirectory();
        double[] values = Series.Daily(6, 900);

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "storage.snapshot_interval=1h"))
        {
            await daemon.PostAsync("boiler", values[..800], Start);
            Assert.Equal(0, await daemon.TerminateAsync());
            Assert.Contains("received 800 = scored 800", daemon.Output, StringComparison.Ordinal);
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);
        await again.PostAsync("boiler", values[800..], Start.AddSeconds(800));
        await again.UntilScoredAsync(100);
        await again.UntilSettledAsync("live");
        Assert.Equal("active", (await again.GetAsync("/api/v1/streams/boiler")).GetProperty("state").GetProperty("lifecycle").GetString());
    }

    private static async Task<JsonElement> Books(DaemonProcess daemon) => (await daemon.GetAsync("/api/v1/status")).GetProperty("books");
}
