using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Tests.Simulation;

namespace StreamLstm.Tests.Daemon.Durability;

public sealed class GenerationsTests
{
    [Fact]
    public void What_was_written_is_read_again_and_the_newest_three_are_kept()
    {
        var disk = new SimulatedDisk();

        for (int round = 1; round <= 5; round++)
        {
            Write(disk, round);
        }

        Generation newest = Open(disk).Newest()!;
        Assert.Equal((5, 50L), (newest.Number, newest.Manifest.End));
        Assert.Equal(Bytes(5, 63), newest.Read("shard", 63));
        Assert.Null(newest.Read("shard", 64));
        Assert.Equal([3, 4, 5], Open(disk).Numbers());
        Assert.Equal(6, disk.Paths.Count);
    }

    [Fact]
    public void R6_the_journal_is_needed_from_the_oldest_generation_that_is_kept()
    {
        var disk = new SimulatedDisk();
        Write(disk, 1);
        Write(disk, 2);

        Generations generations = Open(disk);
        generations.Newest();

        Assert.Equal(7, Write(generations, 3));
        Assert.Equal(17, Write(generations, 4));
    }

    [Fact]
    public void A_first_start_finds_nothing() => Assert.Null(Open(new SimulatedDisk()).Newest());

    [Fact]
    public void R7_every_byte_that_is_flipped_and_every_cut_leads_to_the_generation_before_and_into_quarantine()
    {
        var disk = new SimulatedDisk();
        Write(disk, 1);
        Write(disk, 2);

        foreach (string path in (string[])["MANIFEST-0000000002", "snapshots/0000000002.sls"])
        {
            byte[] whole = disk[path];

            for (int i = 0; i < whole.Length; i++)
            {
                SimulatedDisk flipped = disk.Copy(), cut = disk.Copy();
                byte[] damaged = [.. whole];
                damaged[i] ^= (byte)(1 << (i % 8));
                flipped[path] = damaged;
                cut[path] = whole[..i];

                foreach (SimulatedDisk bad in (SimulatedDisk[])[flipped, cut])
                {
                    Assert.Equal(1, Open(bad).Newest()!.Number);
                    Assert.Contains("quarantine/MANIFEST-0000000002", bad.Paths);

                    // Neither over the good one nor under the number of the bad one.
                    Assert.Equal(7, Write(Open(bad), 3));
                    Assert.Equal(3, Open(bad).Newest()!.Number);
                }
            }
        }
    }

    [Fact]
    public void R8_at_every_crash_the_former_generation_or_the_new_one_is_whole()
    {
        for (int seed = 0; seed < 1_000; seed++)
        {
            Assert.True(Survives(seed, _ => { }), $"seed {seed}");
        }
    }

    [Fact]
    public void R8_broken_the_crashes_show_it()
    {
        Assert.Contains(Enumerable.Range(0, 300), seed => !Survives(seed, disk => disk.LosesSyncs = true));
        Assert.Contains(Enumerable.Range(0, 300), seed => !Survives(seed, disk => disk.LosesFolderSyncs = true));
    }

    [Fact]
    public void With_none_that_can_be_read_the_start_is_refused()
    {
        var disk = new SimulatedDisk();
        Write(disk, 1);
        disk["MANIFEST-0000000001"] = [1, 2, 3];

        var refused = Assert.Throws<StorageException>(() => Open(disk).Newest());

        Assert.Contains("move the journal away too to let every stream learn anew", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Writes generations until the power goes, four times; what was committed must be there, or a later one.</summary>
    private static bool Survives(int seed, Action<SimulatedDisk> damage)
    {
        var random = new Random(seed);
        var disk = new SimulatedDisk();
        damage(disk);
        int committed = 0;
        int round = 0;

        for (int life = 0; life < 4; life++)
        {
            try
            {
                Generations generations = Open(disk);
                Generation? newest = generations.Newest();
                int found = newest is null ? 0 : (int)(newest.Manifest.End / 10);

                if (found < committed || (newest is not null && !Bytes(found, 63).SequenceEqual(newest.Read("shard", 63)!)))
                {
                    return false;
                }

                int until = random.Next(40);
                disk.Fault = _ =>
                {
                    if (until-- == 0)
                    {
                        throw new CrashException();
                    }
                };

                for (int i = 0; i < 6; i++)
                {
                    Write(generations, ++round);
                    committed = round;
                }
            }
            catch (CrashException)
            {
                // The power went.
            }
            catch (StorageException)
            {
                return false;
            }

            disk.Fault = null;
            disk.Crash(random);
        }

        return true;
    }

    private static Generations Open(SimulatedDisk disk) => new(disk, NullLogger.Instance);

    private static void Write(SimulatedDisk disk, int round) => Write(Open(disk), round);

    private static long Write(Generations generations, int round)
    {
        using GenerationWriter writer = generations.Begin();
        writer.Add("shard", 0, Bytes(round, 0));
        writer.Add("shard", 63, Bytes(round, 63));
        writer.Add("groups", 0, []);
        generations.Newest();
        return generations.Commit(writer, new Manifest(
            Manifest.CurrentFormat, Generations.Layout, "test", DateTimeOffset.UnixEpoch, 10 * round, [10 * round - 3, 10 * round], 10 * round,
            writer.Bytes, writer.Sections, new Dictionary<string, string> { ["file"] = "7" }, new Dictionary<string, string>()));
    }

    private static byte[] Bytes(int round, int shard) => [.. Enumerable.Range(0, 40).Select(i => (byte)(i * round + shard))];

    private sealed class CrashException : Exception;
}
