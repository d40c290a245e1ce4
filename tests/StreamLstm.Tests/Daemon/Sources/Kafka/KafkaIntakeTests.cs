using System.Text;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Kafka;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Sources.Kafka;

/// <summary>Records become observations with the partition's position behind them: ended anywhere, nothing is missing or there twice.</summary>
public sealed class KafkaIntakeTests
{
    private const int BatchMax = 4;

    private static readonly KafkaPartition Partition = new("plant", 3);

    // Some hold more than a batch, some nothing, some cannot be read; times repeat, and one goes back.
    private static readonly KafkaRecord[] Records =
    [
        Record(10, 1, at: 1_000), Record(11, 11, at: 1_000), Record(12, 0, at: 1_000), Record(14, 3, at: 1_002), Record(15, 9, at: 1_001), Record(19, 2, at: 5_000),
    ];

    [Fact]
    public async Task Ended_behind_any_batch_the_next_life_goes_on_with_what_is_missing_and_the_same_times()
    {
        var whole = new CaughtIntake();
        int batches = 0;
        whole.OnBatch = () => batches++;
        await LiveAsync(whole);
        Observation[] expected = whole.TakeAll();

        Assert.Equal(1 + 11 + 3 + 9 + 2, expected.Length);
        Assert.Equal(expected.Length, expected.Select(one => one.Time).Distinct().Count());
        Assert.Equal(DateTimeOffset.UnixEpoch.AddMilliseconds(1_000), expected[0].Time);
        Assert.Equal(20, KafkaPosition.Parse(whole.Positions.Of("kafka:k:plant/3"))!.Offset);

        for (int life = 1; life < batches; life++)
        {
            var caught = new CaughtIntake();
            int left = life;
            caught.OnBatch = () =>
            {
                if (left-- == 0)
                {
                    throw new IOException("killed behind it");
                }
            };

            while (true)
            {
                try
                {
                    await LiveAsync(caught);
                    break;
                }
                catch (IOException)
                {
                    // The next life.
                }
            }

            Assert.Equal(expected.Select(Told), caught.TakeAll().Select(Told));
        }
    }

    [Fact]
    public async Task What_stands_behind_the_last_record_and_is_none_is_passed_and_written_down()
    {
        var caught = new CaughtIntake();
        KafkaIntake taking = Begin(caught);
        taking.Take(Records[0]);
        await taking.HandInAsync(TestContext.Current.CancellationToken);
        taking.Take(new KafkaRecord(KafkaReadKind.End, Partition, 11));
        Assert.False(taking.HasSomething);
        taking.Take(new KafkaRecord(KafkaReadKind.End, Partition, 13));
        await taking.HandInAsync(TestContext.Current.CancellationToken);
        Assert.Equal(13, KafkaPosition.Parse(caught.Positions.Of("kafka:k:plant/3"))!.Offset);
    }

    [Fact]
    public async Task What_was_taken_and_what_is_of_another_partition_is_not_taken_again()
    {
        var caught = new CaughtIntake();
        KafkaIntake taking = Begin(caught);
        taking.Take(Records[0]);
        taking.Take(Records[0]);
        taking.Take(Records[1] with { Partition = new KafkaPartition("plant", 4) });
        await taking.HandInAsync(TestContext.Current.CancellationToken);
        Assert.Single(caught.TakeAll());
    }

    [Fact]
    public async Task A_batch_that_was_refused_is_not_passed()
    {
        var caught = new CaughtIntake { Refusal = "the disk is full" };
        KafkaIntake taking = Begin(caught);
        taking.Take(Records[0]);
        await taking.HandInAsync(TestContext.Current.CancellationToken);
        taking.Take(Records[1]);
        await Assert.ThrowsAsync<StreamLstm.Daemon.Messages.NotTakenException>(() => taking.HandInAsync(TestContext.Current.CancellationToken));
        Assert.Null(caught.Positions.Of("kafka:k:plant/3"));
        Assert.Empty(taking.TakeOnDisk());
    }

    [Fact]
    public void A_position_is_read_as_it_was_written_and_nothing_else_is()
    {
        var position = new KafkaPosition("AbC-_d", 1_234_567_890_123, -1, 7, 638_000_000_000_000_000);
        Assert.Equal(position, KafkaPosition.Parse(position.ToString()));
        Assert.All(new[] { null, "", "2:a:1:1:1:1", "1:a:-1:1:1:1", "1:a:1:1:1", "1:a:x:1:1:1" }, text => Assert.Null(KafkaPosition.Parse(text)));
    }

    private static async Task LiveAsync(CaughtIntake caught)
    {
        KafkaIntake taking = Begin(caught);

        foreach (KafkaRecord record in Records)
        {
            taking.Take(record);

            if (taking.IsFull)
            {
                await taking.HandInAsync(TestContext.Current.CancellationToken);
            }
        }

        await taking.HandInAsync(TestContext.Current.CancellationToken);
        await taking.SettleAsync();
    }

    private static KafkaIntake Begin(CaughtIntake caught)
    {
        var taking = new KafkaIntake("k", new KafkaSourceOptions(), RecordRules.None, BatchMax, caught.Intake, deadLetters: null, TimeProvider.System);
        taking.Begin(Partition, KafkaPosition.Parse(caught.Positions.Of(taking.PositionName(Partition))) ?? new KafkaPosition("id", 10, -1, 0, 0));
        return taking;
    }

    private static KafkaRecord Record(long offset, int values, long at) => new(KafkaReadKind.Record, Partition, offset)
    {
        Key = "boiler"u8.ToArray(),
        Timestamp = at,
        Value = Encoding.UTF8.GetBytes(values == 0 ? "{" : $"{{{string.Join(',', Enumerable.Range(0, values).Select(field => $"\"f{field}\":{offset}"))}}}"),
    };

    private static (string, DateTimeOffset, double) Told(Observation one) => (one.Stream, one.Time, one.Value);
}
