using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Api;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Daemon.Sinks;

public sealed class LabelStoreTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-labels-").FullName;
    private readonly HistorySink _history;

    public LabelStoreTests() => _history = new HistorySink(
        new HistorySinkOptions(), Path.Combine(_directory, "history.db"), new FakeTimeProvider(Now), NullLogger<HistorySink>.Instance);

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _history.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_label_is_there_after_a_restart()
    {
        StoredLabel given = await GivenAsync(Store(), new LabelEntry("boiler", "x-1-o", IncidentLabel.FalseAlarm, "a test run", Now), 1);

        Assert.Equal(given, Store().Of("x-1-o"));
        Assert.Equal([given], Store().List(10, 0));
    }

    [Fact]
    public async Task Another_label_takes_the_one_before_back_and_both_stay_written_down()
    {
        LabelStore store = Store();
        StoredLabel first = await GivenAsync(store, new LabelEntry("boiler", "x-1-o", IncidentLabel.FalseAlarm, "", Now), 2);

        StoredLabel second = await GivenAsync(store, new LabelEntry("boiler", "x-1-o", IncidentLabel.Real, "", Now.AddMinutes(1)), 3);

        Assert.Equal(second, store.Of("x-1-o"));
        Assert.Equal([second, first with { RemovedAt = Now.AddMinutes(1) }], store.List(10, 0));
    }

    [Fact]
    public async Task A_label_taken_back_holds_no_more_but_stays_written_down()
    {
        LabelStore store = Store();
        StoredLabel given = await GivenAsync(store, new LabelEntry("boiler", "x-1-o", IncidentLabel.Real, "", Now), 4);

        await WriteAsync(new LabelEntry("boiler", "x-1-o", null, "", Now.AddMinutes(1)), 5);
        StoredLabel removed = store.TakenBack(given);

        Assert.Null(store.Of("x-1-o"));
        Assert.Null(Store().Of("x-1-o"));
        Assert.Equal(given with { RemovedAt = Now.AddMinutes(1) }, removed);
        Assert.Equal([removed], store.List(10, 0));
    }

    [Fact]
    public async Task What_the_journal_repeats_is_written_once_and_what_came_later_stays()
    {
        LabelStore store = Store();
        var first = new LabelEntry("boiler", "x-1-o", IncidentLabel.FalseAlarm, "", Now);
        var taken = new LabelEntry("boiler", "x-1-o", null, "", Now.AddMinutes(1));
        var second = new LabelEntry("boiler", "x-1-o", IncidentLabel.Real, "", Now.AddMinutes(2));
        await WriteAsync(first, 11);
        await WriteAsync(taken, 12);
        StoredLabel holds = await GivenAsync(store, second, 13);

        foreach ((LabelEntry entry, long position) in new[] { (first, 11L), (taken, 12), (second, 13) })
        {
            await WriteAsync(entry, position, isReplayed: true);
        }

        Assert.Equal(2, store.List(10, 0).Count);
        Assert.Equal(holds, Store().Of("x-1-o"));
    }

    [Fact]
    public async Task An_incident_is_listed_with_the_label_that_holds()
    {
        LabelStore store = Store();
        await GivenAsync(store, new LabelEntry("boiler", "x-1-o", IncidentLabel.FalseAlarm, "a test run", Now), 5);

        Assert.Contains(
            "\"label\":{\"id\":1,\"label\":\"false_alarm\",\"note\":\"a test run\"",
            LabelEndpoints.WithLabel("""{"incident_id":"x-1-o"}""", store), StringComparison.Ordinal);
        Assert.Equal("""{"incident_id":"x-2-o"}""", LabelEndpoints.WithLabel("""{"incident_id":"x-2-o"}""", store));
    }

    private async Task<StoredLabel> GivenAsync(LabelStore store, LabelEntry label, long position)
    {
        await WriteAsync(label, position);
        return store.Given(position)!;
    }

    private ValueTask WriteAsync(LabelEntry label, long position, bool isReplayed = false) => _history.WriteAsync(
        new ScoredBatch([], [], [], Now) { Label = label, Sequence = position, IsReplayed = isReplayed }, TestContext.Current.CancellationToken);

    private LabelStore Store() => new(_history.ConnectionString);
}
