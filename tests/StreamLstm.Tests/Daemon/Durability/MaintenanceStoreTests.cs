using StreamLstm.Daemon.Durability;

namespace StreamLstm.Tests.Daemon.Durability;

public sealed class MaintenanceStoreTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-maintenance-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Windows_asked_for_are_there_after_a_start_beside_those_of_the_configuration()
    {
        Use(store => store.Add(Window("2026-05-01T13:00Z"), Now));

        Use(store =>
        {
            Assert.Equal(["configuration-0", "maintenance-1"], store.All.Select(window => window.Id));
            Assert.True(store.All[1].Holds(Now));
            Assert.Equal((false, "boiler works"), (store.All[1].FreezeLearning, store.All[1].Note));
        });
    }

    [Fact]
    public void One_that_is_taken_back_stays_gone_and_its_id_is_not_used_again()
    {
        Use(store =>
        {
            store.Add(Window("2026-05-01T13:00Z"), Now);
            Assert.True(store.Remove("maintenance-1", Now));
            Assert.False(store.Remove("maintenance-1", Now));
            Assert.False(store.Remove("configuration-0", Now));
        });

        Use(store =>
        {
            Assert.Single(store.All);
            Assert.Equal("maintenance-2", store.Add(Window("2026-05-01T13:00Z"), Now).Id);
        });
    }

    [Fact]
    public void Those_that_ended_a_day_ago_are_dropped_with_the_next_change() => Use(store =>
    {
        store.Add(Window("2026-05-01T13:00Z"), Now);
        store.Add(Window("2026-05-04T13:00Z"), Now.AddHours(20));
        Assert.Equal(2, store.Asked.Count);

        store.Add(Window("2026-05-04T13:00Z"), Now.AddHours(26));
        Assert.Equal(["maintenance-2", "maintenance-3"], store.Asked.Select(window => window.Id));
    });

    [Fact]
    public void A_damaged_file_stops_the_start_with_its_name()
    {
        File.WriteAllText(Path.Combine(_directory, "maintenance.json"), "{");

        var refused = Assert.Throws<StorageException>(() => Use(_ => { }));

        Assert.Contains("maintenance.json", refused.Message, StringComparison.Ordinal);
    }

    private static MaintenanceOptions Window(string to) =>
        new() { Streams = "boiler*", From = "2026-05-01T11:00Z", To = to, FreezeLearning = false, Note = "boiler works" };

    private void Use(Action<MaintenanceStore> use)
    {
        using StorageDirectory storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        use(MaintenanceStore.Open(
            storage,
            [new MaintenanceOptions { Streams = "*", Days = [DayOfWeek.Sunday] }.Detection("configuration-0", out _)!]));
    }
}
