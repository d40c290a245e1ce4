using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Durability;

public sealed class EventEntryTests
{
    [Fact]
    public void What_an_event_is_stands_in_the_journal()
    {
        Observation[] written =
        [
            Observation.Of("log", DateTimeOffset.UnixEpoch, new TextEvent("a line", "key")),
            Observation.Of("words", DateTimeOffset.UnixEpoch, new TextEvent("word", IsKind: true)),
            Observation.Of("names", DateTimeOffset.UnixEpoch, new TextEvent("name") { IsCharacters = true }),
            Observation.Of("commands", DateTimeOffset.UnixEpoch, new TextEvent("ls -l") { IsWords = true }),
        ];

        Entry read = EntryCodec.Read(EntryCodec.Write(new ObservationsEntry(new ObservationBatch("http", written, DateTimeOffset.UnixEpoch))));

        Assert.Equal(written, ((ObservationsEntry)read).Batch.Observations.ToArray());
    }
}
