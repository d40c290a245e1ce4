using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

public sealed class StateCommandTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-3);
    private static readonly string[] Jsonl = ["sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false"];

    [Fact]
    public async Task What_was_exported_goes_on_elsewhere_and_a_file_that_was_damaged_is_refused()
    {
        using var directory = new TemporaryDirectory();
        string here = Path.Combine(directory.Path, "here"), there = Path.Combine(directory.Path, "there"), file = Path.Combine(directory.Path, "state.tar.gz");
        await LiveAsync(here, 0, 100);

        Assert.Equal(0, (await RunAsync(here, "export", file)).Code);
        byte[] whole = File.ReadAllBytes(file);

        for (int at = 0; at < whole.Length; at += whole.Length / 20)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x40;
            File.WriteAllBytes(file, damaged);
            (int code, string said) = await RunAsync(Path.Combine(directory.Path, $"damaged{at}"), "import", file);
            Assert.True(code == 1 || Same(here, Path.Combine(directory.Path, $"damaged{at}")), $"byte {at}: {said}");
        }

        File.WriteAllBytes(file, whole);
        Assert.Equal(0, (await RunAsync(there, "import", file)).Code);
        Assert.Contains("holds something already", (await RunAsync(there, "import", file)).Said, StringComparison.Ordinal);

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(there, Jsonl))
        {
            Assert.Contains("in use by another streamlstm", (await RunAsync(there, "export", file)).Said, StringComparison.Ordinal);
            Assert.Equal(100, (await daemon.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64());
        }
    }

    [Fact]
    public async Task Rolled_back_it_goes_on_from_the_older_snapshot_and_keeps_what_was_set_aside()
    {
        using var directory = new TemporaryDirectory();
        using var whole = new TemporaryDirectory();
        await LiveAsync(directory.Path, 0, 60);
        await LiveAsync(directory.Path, 60, 40);
        string events = Path.Combine(directory.Path, "events.jsonl");

        Assert.Contains("99, expected one of those kept", (await RunAsync(directory.Path, "rollback", "--to", "99")).Said, StringComparison.Ordinal);
        (int code, string said) = await RunAsync(directory.Path, "rollback", "--dry-run");
        Assert.Equal(0, code);
        Assert.Contains(" 40 observations and ", said, StringComparison.Ordinal);
        Assert.Equal(100, File.ReadAllLines(events).Length);
        Assert.Equal(0, (await RunAsync(directory.Path, "rollback")).Code);
        Assert.Equal(60, File.ReadAllLines(events).Length);
        Assert.Equal(100, File.ReadAllLines(Path.Combine(directory.Path, "quarantine", "events.jsonl")).Length);
        Assert.Equal(0, (await RunAsync(directory.Path, "verify")).Code);
        Assert.Single(Directory.GetDirectories(Path.Combine(directory.Path, "quarantine")));

        // The same rows again, as though they had come for the first time.
        await LiveAsync(directory.Path, 60, 40);
        await LiveAsync(whole.Path, 0, 100);
        Assert.Equal(File.ReadAllLines(Path.Combine(whole.Path, "events.jsonl")), File.ReadAllLines(events));
    }

    private static async Task LiveAsync(string state, int from, int rows)
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(state, [.. Jsonl, "storage.snapshot_interval=1h"]);
        await daemon.PostAsync("boiler", Series.Daily(1, from + rows)[from..], Start.AddSeconds(from));
        Assert.Equal(0, await daemon.TerminateAsync());
    }

    private static async Task<(int Code, string Said)> RunAsync(string state, params string[] verb)
    {
        using var said = new StringWriter();
        int code = await CommandLine.InvokeAsync(["state", .. verb, "--set", $"storage.directory={state}"], said, said);
        return (code, said.ToString());
    }

    private static bool Same(string here, string there) => Directory.GetFiles(here, "*.sl?", SearchOption.AllDirectories)
        .All(file => File.ReadAllBytes(file).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(there, Path.GetRelativePath(here, file)))));
}
