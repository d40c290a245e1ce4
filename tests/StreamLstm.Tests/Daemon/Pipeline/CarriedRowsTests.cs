using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Simulation;

namespace StreamLstm.Tests.Daemon.Pipeline;

/// <summary>Of streams that have not changed a snapshot holds copies of what the one before held.</summary>
public sealed class CarriedRowsTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly SimulatedDisk _disk = new();
    private readonly Generations _generations;
    private readonly DetectionShard _shard = new(new DetectionOptions(), new StreamQuota(10, 10), 0, 1, new DetectionScratch());
    private int _row;

    public CarriedRowsTests() => _generations = new Generations(_disk, NullLogger.Instance);

    [Fact]
    public void What_is_carried_over_and_what_has_changed_come_to_the_shard_as_it_is()
    {
        Feed(80, "a", "b", "c");
        CarriedRows first = Write(1, former: null);
        Feed(5, "b");
        CarriedRows second = Write(2, first);
        Feed(5, "c");
        CarriedRows third = Write(3, second);

        Assert.Equal((0, 2, 2), (first.Carried, second.Carried, third.Carried));
        Assert.Equal(Saved(), Saved(Read(3)));
    }

    [Fact]
    public void R7_what_has_rotted_is_not_carried_over()
    {
        Feed(80, "a", "b");
        CarriedRows first = Write(1, former: null);
        byte[] rotten = [.. _disk["snapshots/0000000001.sls"]];
        rotten[700] ^= 1;
        _disk["snapshots/0000000001.sls"] = rotten;

        Assert.Throws<InvalidDataException>(() => Write(2, first));

        // The round after it builds on nothing.
        Write(3, former: null);
        Assert.Equal(Saved(), Saved(Read(3)));
    }

    private CarriedRows Write(long round, CarriedRows? former)
    {
        using var writer = new GenerationWriter(_disk, round);
        var rows = new CarriedRows(round, round);
        ShardCut cut = _shard.Cut(round, former?.Round ?? 0);

        while (!cut.IsDone)
        {
            cut.TakeNext();
        }

        rows.Write(writer, _generations, 0, cut, former);
        writer.Commit(new Manifest(
            Manifest.CurrentFormat, Generations.Layout, "test", Start, round, [round], round, writer.Bytes, writer.Sections,
            new Dictionary<string, string>(), new Dictionary<string, string>()));
        return rows;
    }

    private DetectionShard Read(long number)
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(10, 10), 0, 1, new DetectionScratch());
        shard.Load(new BinaryReader(new MemoryStream(_generations.Open(number).Read(Parts.Shard)!)), BaseModel.Pretrained);
        return shard;
    }

    private byte[] Saved(DetectionShard? shard = null)
    {
        using var buffer = new MemoryStream();
        (shard ?? _shard).Save(new BinaryWriter(buffer));
        return buffer.ToArray();
    }

    private void Feed(int rows, params string[] streams)
    {
        var output = new ShardOutput();

        for (int i = 0; i < rows; i++, _row++)
        {
            foreach (string stream in streams)
            {
                DateTimeOffset time = Start.AddSeconds(_row);
                _shard.Apply([new Observation(stream, time, _row % 7)], time, BaseModel.Pretrained, output);
            }
        }
    }
}
