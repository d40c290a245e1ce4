using System.IO.Hashing;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Daemon.Durability;

public sealed class SnapshotStoreTests : IDisposable
{
    private static readonly BaseModel Model = new(7, BaseModel.Untrained(3).Weights);
    private static readonly (int, byte[])[] Shards = [(0, [1, 2, 3]), (5, [4, 5]), (63, [])];

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-state-").FullName;
    private readonly StorageDirectory _storage;
    private readonly SnapshotStore _store;

    public SnapshotStoreTests()
    {
        _storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        _store = new SnapshotStore(_storage, NullLogger<SnapshotStore>.Instance);
    }

    private string Current => Path.Combine(_directory, "snapshot.sls");

    public void Dispose()
    {
        _storage.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void What_was_written_is_read_again()
    {
        _store.Write(Model, Shards);

        Snapshot read = _store.Read()!;

        Assert.Equal(7, read.Model.Version);
        Assert.True(read.Model.Weights.Parameters.SequenceEqual(Model.Weights.Parameters));
        Assert.Equal(Shards.ToDictionary(shard => shard.Item1, shard => shard.Item2), read.State.Shards);
    }

    [Fact]
    public void What_is_known_of_groups_is_read_again_and_missing_in_the_file_of_a_version_that_did_not_group()
    {
        _store.Write(Model, Shards, [7, 8, 9]);
        Assert.Equal([7, 8, 9], _store.Read()!.State.Groups);

        byte[] former = File.ReadAllBytes(Current)[..^15];
        File.WriteAllBytes(Current, [.. former, .. BitConverter.GetBytes(XxHash3.HashToUInt64(former))]);

        Snapshot read = _store.Read()!;
        Assert.Empty(read.State.Groups);
        Assert.Equal(Shards.ToDictionary(shard => shard.Item1, shard => shard.Item2), read.State.Shards);
    }

    [Fact]
    public void A_first_start_finds_nothing() => Assert.Null(_store.Read());

    [Fact]
    public void A_damaged_snapshot_falls_back_to_the_one_before_wherever_the_damage_is()
    {
        _store.Write(new BaseModel(1, Model.Weights), Shards);
        _store.Write(Model, Shards);
        byte[] whole = File.ReadAllBytes(Current);
        var random = new Random(1);

        // Every byte but the four of the layout number, which names another format and is set aside instead.
        for (int i = 0; i < 300; i++)
        {
            int place = i < 40 ? i : random.Next(whole.Length);

            if (place is >= 8 and < 12)
            {
                continue;
            }

            byte[] damaged = [.. whole];
            damaged[place] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(Current, damaged);
            Assert.Equal(1, _store.Read()!.Model.Version);
        }
    }

    [Fact]
    public void A_snapshot_cut_short_anywhere_falls_back_to_the_one_before()
    {
        _store.Write(new BaseModel(1, Model.Weights), Shards);
        _store.Write(Model, Shards);
        byte[] whole = File.ReadAllBytes(Current);

        for (int length = 0; length < whole.Length; length += Math.Max(1, whole.Length / 200))
        {
            File.WriteAllBytes(Current, whole[..length]);
            Assert.Equal(1, _store.Read()!.Model.Version);
        }
    }

    [Fact]
    public void With_no_readable_snapshot_the_daemon_refuses_to_start_from_nothing()
    {
        _store.Write(Model, Shards);
        File.WriteAllText(Current, "rubbish rubbish rubbish rubbish rubbish");

        var refused = Assert.Throws<StorageException>(() => _store.Read());

        Assert.Contains("move them away to let every stream learn anew", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_layout_is_set_aside_and_kept()
    {
        _store.Write(Model, Shards);
        byte[] bytes = File.ReadAllBytes(Current);
        bytes[8] = 99;
        File.WriteAllBytes(Current, bytes);

        Assert.Null(_store.Read());
        Assert.True(File.Exists(Current + ".layout99"));
    }

    [Fact]
    public void A_second_process_is_refused_with_the_way_out()
    {
        var refused = Assert.Throws<StorageException>(() => StorageDirectory.Open(new StorageOptions { Directory = _directory }));

        Assert.Contains("in use by another streamlstm", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--set storage.directory=PATH", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_directory_is_for_its_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no modes");
            return;
        }

        string fresh = Path.Combine(_directory, "fresh");
        using StorageDirectory opened = StorageDirectory.Open(new StorageOptions { Directory = fresh });

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(fresh));
    }
}
