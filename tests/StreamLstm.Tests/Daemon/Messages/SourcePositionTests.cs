using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Tests.Daemon.Messages;

/// <summary>Where sources stand: in memory, in the books of a snapshot and in the journal the same.</summary>
public sealed class SourcePositionTests
{
    [Fact]
    public void Positions_that_belong_together_are_one_entry_and_each_counts_as_if_it_had_come_alone()
    {
        var together = SourcePosition.Together(
            [new SourcePosition("session", "+4:cd"), new SourcePosition("session:open:plant/\"a\"", "{\"x\":1}"), new SourcePosition("gone", "")])!;
        Entry written = EntryCodec.Read(EntryCodec.Write(new ObservationsEntry(new ObservationBatch("mqtt", default, DateTimeOffset.UnixEpoch) { Position = together })));
        var books = new Books();
        var positions = new SourcePositions();

        foreach (Entry entry in new[] { Entry(new SourcePosition("session", "+4:xab")), Entry(new SourcePosition("gone", "7")), written })
        {
            books.Add(entry, []);
            positions.Set(((ObservationsEntry)entry).Batch.Position!);
        }

        Assert.Equal([("session", "+4:abcd"), ("session:open:plant/\"a\"", "{\"x\":1}")], books.Copy().Positions.Select(position => (position.Key, position.Value)));
        Assert.Equal([("", "+4:abcd"), (":open:plant/\"a\"", "{\"x\":1}")], positions.Under("session").Order());
        Assert.Null(positions.Of("gone"));
    }

    [Fact]
    public void One_alone_is_itself_and_none_is_none()
    {
        var one = new SourcePosition("file", "12");

        Assert.Same(one, SourcePosition.Together([one]));
        Assert.Null(SourcePosition.Together([]));
        Assert.Equal([one], one.Each());
    }

    private static ObservationsEntry Entry(SourcePosition position) => new(new ObservationBatch("mqtt", default, DateTimeOffset.UnixEpoch) { Position = position });
}
