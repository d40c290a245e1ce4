using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Api;
using StreamLstm.Daemon.Sinks;
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
    public void A_label_is_there_after_a_restart()
    {
        StoredLabel given = Store().Add("x-1-o", "boiler", IncidentLabel.FalseAlarm, "a test run", Now);

        Assert.Equal(given, Store().Of("x-1-o"));
        Assert.Equal([given], Store().List(10, 0));
    }

    [Fact]
    public void Another_label_takes_the_one_before_back_and_both_stay_written_down()
    {
        LabelStore store = Store();
        StoredLabel first = store.Add("x-1-o", "boiler", IncidentLabel.FalseAlarm, "", Now);

        StoredLabel second = store.Add("x-1-o", "boiler", IncidentLabel.Real, "", Now.AddMinutes(1));

        Assert.Equal(second, store.Of("x-1-o"));
        Assert.Equal([second, first with { RemovedAt = Now.AddMinutes(1) }], store.List(10, 0));
        Assert.Equal([second], store.LastWords());
    }

    [Fact]
    public void A_label_taken_back_holds_no_more_but_stays_written_down()
    {
        LabelStore store = Store();
        StoredLabel given = store.Add("x-1-o", "boiler", IncidentLabel.Real, "", Now);

        StoredLabel removed = store.Remove(given, Now.AddMinutes(1));

        Assert.Null(store.Of("x-1-o"));
        Assert.Null(Store().Of("x-1-o"));
        Assert.Equal(given with { RemovedAt = Now.AddMinutes(1) }, removed);
        Assert.Equal([removed], store.LastWords());
    }

    [Fact]
    public void An_incident_is_listed_with_the_label_that_holds()
    {
        LabelStore store = Store();
        store.Add("x-1-o", "boiler", IncidentLabel.FalseAlarm, "a test run", Now);

        Assert.Contains(
            "\"label\":{\"id\":1,\"label\":\"false_alarm\",\"note\":\"a test run\"",
            LabelEndpoints.WithLabel("""{"incident_id":"x-1-o"}""", store), StringComparison.Ordinal);
        Assert.Equal("""{"incident_id":"x-2-o"}""", LabelEndpoints.WithLabel("""{"incident_id":"x-2-o"}""", store));
    }

    private LabelStore Store() => new(_history.ConnectionString);
}
