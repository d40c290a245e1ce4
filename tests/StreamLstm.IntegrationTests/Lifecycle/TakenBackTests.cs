using System.Net.Http.Json;
using System.Text.Json;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>A directory whose state goes back behind what was told: the history goes with it, and what comes then is told.</summary>
public sealed class TakenBackTests : IDisposable
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-3);
    private static readonly string[] Settings = ["storage.snapshot_interval=1h", "retrain.enabled=false", "sources.mqtt_embedded.enabled=false"];

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_directory.Path, "state");

    [Fact]
    public async Task Rolled_back_the_history_holds_no_incident_or_label_that_no_longer_counts_and_a_later_one_is_told()
    {
        await LiveAsync(900, 50);
        await TellAsync(value: 80);

        using var said = new StringWriter();
        Assert.Equal(0, await CommandLine.InvokeAsync(["state", "rollback", "--set", $"storage.directory={State}"], said, said));

        Assert.Contains(" 1 observations and ", said.ToString(), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(State, "quarantine", "history.db")));
        await WithoutItAsync(expectedWords: null);
    }

    [Fact]
    public async Task Behind_a_journal_from_an_older_backup_the_history_goes_back_too_and_says_so()
    {
        await LiveAsync(900, 50);
        string backup = Path.Combine(_directory.Path, "backup");
        await CopyAsync(State, backup);
        await TellAsync(value: 80);

        // All but the history and what sinks remember is of before.
        File.Copy(Path.Combine(State, "history.db"), Path.Combine(backup, "history.db"), overwrite: true);
        Directory.Delete(State, recursive: true);
        await CopyAsync(backup, State);

        await WithoutItAsync(expectedWords: "and history was told of entry ");
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>Opens an incident and labels it.</summary>
    private async Task TellAsync(double value)
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(State, Settings);
        await daemon.PostAsync("boiler", [value], Start.AddSeconds(900));
        await daemon.UntilScoredAsync(1);
        await daemon.UntilSettledAsync("history");
        string incident = Assert.Single(await IncidentsAsync(daemon)).GetProperty("incident_id").GetString()!;
        using HttpResponseMessage answer = await daemon.Http.PostAsJsonAsync("/api/v1/labels", new { incident_id = incident, label = "real" }, Cancellation);
        Assert.True(answer.IsSuccessStatusCode);
        Assert.Equal(0, await daemon.TerminateAsync());
    }

    private async Task WithoutItAsync(string? expectedWords)
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(State, Settings);
        Assert.Equal(expectedWords is not null, expectedWords is not null && daemon.Output.Contains(expectedWords, StringComparison.Ordinal));
        await daemon.UntilSettledAsync("history");
        Assert.Empty(await IncidentsAsync(daemon));
        Assert.Empty((await daemon.GetAsync("/api/v1/labels")).GetProperty("labels").EnumerateArray());

        // At the same place in the journal, of the same row.
        await daemon.PostAsync("boiler", [90], Start.AddSeconds(900));
        await daemon.UntilScoredAsync(1);
        await daemon.UntilSettledAsync("history");
        Assert.Equal(90, Assert.Single(await IncidentsAsync(daemon)).GetProperty("actual").GetDouble());
    }

    private async Task LiveAsync(int rows, int lessRows)
    {
        // Two snapshots, so that there is one to go back to.
        foreach ((int from, int to) in ((int, int)[])[(0, rows - lessRows), (rows - lessRows, rows)])
        {
            await using DaemonProcess daemon = await DaemonProcess.StartAsync(State, Settings);
            await daemon.PostAsync("boiler", Series.Daily(3, rows)[from..to], Start.AddSeconds(from));
            Assert.Equal(0, await daemon.TerminateAsync());
        }
    }

    private static async Task<JsonElement[]> IncidentsAsync(DaemonProcess daemon) =>
        [.. (await daemon.GetAsync("/api/v1/incidents?stream=boiler")).GetProperty("incidents").EnumerateArray()];

    private static async Task CopyAsync(string from, string to)
    {
        using var copy = System.Diagnostics.Process.Start("cp", ["-a", from, to]);
        await copy.WaitForExitAsync(Cancellation);
        Assert.Equal(0, copy.ExitCode);
    }
}
