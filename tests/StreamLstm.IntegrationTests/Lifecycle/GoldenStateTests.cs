using System.Text.Json;
using StreamLstm.Daemon.Commands;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>Storage directories of every release, as it exported them: each is read for ever, by whatever program comes later.</summary>
/// <remarks>
/// A release writes its own once: STREAMLSTM_TEST_GOLDEN=FOLDER (absolute: tests/StreamLstm.IntegrationTests/Golden) StreamLstm.IntegrationTests --filter-class "*GoldenStateTests".
/// It holds 700 rows of a lean stream, and was killed behind a snapshot, so that a journal follows it.
/// </remarks>
public sealed class GoldenStateTests
{
    private const int Rows = 700;

    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    public static TheoryData<string> Releases => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Golden"), "*.tar.gz").Select(file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_directory_of_this_release_goes_on_or_says_which_layout_it_has_and_keeps_its_books(string release)
    {
        using var directory = new TemporaryDirectory();
        string state = Path.Combine(directory.Path, "state");
        Assert.Equal(0, await RunAsync(state, "import", Path.Combine(AppContext.BaseDirectory, "Golden", release)));
        Manifest manifest = ManifestOf(state);

        await using DaemonProcess daemon = await DaemonProcess.StartAsync(state, "detection.form=lean", "retrain.enabled=false");
        Assert.Contains("Restored snapshot", daemon.Output, StringComparison.Ordinal);
        Assert.Equal(Rows, (await daemon.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64());

        if (manifest.Layout == Generations.Layout)
        {
            await daemon.PostAsync("boiler", Series.Daily(1, Rows + 1)[Rows..], Start.AddSeconds(Rows));
            await daemon.UntilScoredAsync(1);
            JsonElement stream = (await daemon.GetAsync("/api/v1/streams/boiler")).GetProperty("state");
            Assert.Equal("active", stream.GetProperty("lifecycle").GetString());
        }
        else
        {
            Assert.Contains($"holds streams of layout {manifest.Layout}, expected {Generations.Layout}: another version wrote it", daemon.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task This_release_writes_its_own_where_it_is_told_to()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("STREAMLSTM_TEST_GOLDEN") is { Length: > 0 }, "STREAMLSTM_TEST_GOLDEN names no folder: a release sets it once");
        string folder = Path.GetFullPath(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_GOLDEN")!);
        using var directory = new TemporaryDirectory();
        string[] settings = ["detection.form=lean", "retrain.enabled=false", "storage.snapshot_interval=1h", "sinks.history.enabled=false", "sources.mqtt_embedded.enabled=false"];
        double[] values = Series.Daily(1, Rows);

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, settings))
        {
            await daemon.PostAsync("boiler", values[..600], Start);
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, settings))
        {
            await daemon.PostAsync("boiler", values[600..], Start.AddSeconds(600));
            await daemon.KillAsync();
        }

        Directory.CreateDirectory(folder);
        Assert.Equal(0, await RunAsync(directory.Path, "export", Path.Combine(folder, $"{DaemonTelemetry.Version}-layout-{Generations.Layout}.tar.gz")));
    }

    private static Manifest ManifestOf(string state)
    {
        string newest = Directory.GetFiles(state, "MANIFEST-*").Max(StringComparer.Ordinal)!;
        return Manifest.Read(File.ReadAllBytes(newest), long.Parse(newest[^10..], System.Globalization.CultureInfo.InvariantCulture));
    }

    private static Task<int> RunAsync(string state, string verb, string file) =>
        CommandLine.InvokeAsync(["state", verb, file, "--set", $"storage.directory={state}"], TextWriter.Null, TextWriter.Null);
}
