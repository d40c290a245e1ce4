using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Pipeline;

public sealed class ReceiptsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_receipt_is_kept_for_24_hours_of_journal_time_and_over_a_snapshot()
    {
        var receipts = new Receipts();
        Receipt receipt = Add(receipts, "a", 0);
        receipt.Scored.SetResult(new ScoredCounts(3, 2, 1, 61.5) { RefusedByReason = new Dictionary<string, long> { ["late"] = 2 } });
        Add(receipts, "b", 1);

        var again = new Receipts();
        again.Load(receipts.Save());
        again.Add(new TickEntry(Start.AddHours(24), TimeSpan.FromSeconds(1), []));

        Assert.Equal((receipt.BodyHash, receipt.Status), (again.Of("a")!.BodyHash, again.Of("a")!.Status));
        Assert.Equal(receipt.Answer, again.Of("a")!.Answer);
        ScoredCounts counts = await again.Of("a")!.Scored.Task;
        Assert.Equal(new ScoredCounts(3, 2, 1, 61.5), counts with { RefusedByReason = null });
        Assert.Equal([("late", 2)], counts.RefusedByReason!.Select(one => (one.Key, one.Value)));
        Assert.False(again.Of("b")!.Scored.Task.IsCompleted);
        again.Add(new TickEntry(Start.AddHours(24).AddSeconds(1), TimeSpan.FromSeconds(1), []));
        Assert.Null(again.Of("a"));
        Assert.NotNull(again.Of("b"));
    }

    [Fact]
    public void Beyond_their_number_or_their_bytes_the_oldest_goes()
    {
        var few = new Receipts(countMax: 3);
        var small = new Receipts(bytesMax: 400);

        for (int i = 0; i < 10; i++)
        {
            Add(few, $"{i}", i);
            Add(small, $"{i}", i);
        }

        Assert.Equal(["7", "8", "9"], Enumerable.Range(0, 10).Select(i => $"{i}").Where(key => few.Of(key) is not null));
        Assert.Equal(["6", "7", "8", "9"], Enumerable.Range(0, 10).Select(i => $"{i}").Where(key => small.Of(key) is not null));
    }

    [Fact]
    public void It_goes_through_the_journal_with_its_observations()
    {
        var receipt = new Receipt("key", 7, 202, [1, 2, 3]);
        var batch = new ObservationBatch("http", new Observation[] { new("boiler", Start, 1) }, Start) { Receipt = receipt };

        ObservationBatch read = ((ObservationsEntry)EntryCodec.Read(EntryCodec.Write(new ObservationsEntry(batch)))).Batch;

        Assert.Equal(("key", 7UL, 202), (read.Receipt!.Key, read.Receipt.BodyHash, read.Receipt.Status));
        Assert.Equal([1, 2, 3], read.Receipt.Answer);
        Assert.Equal("boiler", read.Observations.Span[0].Stream);
    }

    private static Receipt Add(Receipts receipts, string key, int minute)
    {
        var receipt = new Receipt(key, 1, 202, new byte[30]);
        receipts.Add(new ObservationsEntry(new ObservationBatch("http", ReadOnlyMemory<Observation>.Empty, Start.AddMinutes(minute)) { Receipt = receipt }));
        return receipt;
    }
}
