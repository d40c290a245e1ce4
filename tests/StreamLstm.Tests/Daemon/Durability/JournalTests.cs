using StreamLstm.Daemon.Durability;
using StreamLstm.Tests.Simulation;

namespace StreamLstm.Tests.Daemon.Durability;

public sealed class JournalTests
{
    private const long First = 1000;

    [Fact]
    public void What_was_appended_is_read_again_in_order_over_several_files_and_starts()
    {
        var disk = new SimulatedDisk();
        List<string> written = [];

        for (int start = 0; start < 4; start++)
        {
            using Journal journal = Open(disk, after: null);
            Assert.Equal(First + written.Count, journal.NextSequence);
            Append(journal, written, groups: 7);
        }

        Assert.Equal(written, Read(disk));
        Assert.True(disk.Paths.Count > 4);
    }

    [Fact]
    public void R6_it_lets_go_of_files_whose_entries_are_all_in_a_snapshot_and_of_no_others()
    {
        var disk = new SimulatedDisk();
        List<string> written = [];
        using Journal journal = Open(disk, after: null);
        Append(journal, written, groups: 20);
        int files = disk.Paths.Count;

        journal.Trim(First + 9);

        Assert.InRange(disk.Paths.Count, 2, files - 1);
        using Journal again = Open(disk, after: First + 9);
        Assert.Equal(written[10..], again.Read(First + 9).Select(entry => Text(entry.Entry)));
    }

    [Fact]
    public void R1_what_was_acknowledged_survives_every_crash_and_a_torn_end_is_cut_off()
    {
        for (int seed = 0; seed < 2_000; seed++)
        {
            Assert.True(Survives(seed, _ => { }), $"seed {seed}");
        }
    }

    [Fact]
    public void R1_broken_the_crashes_show_it()
    {
        Assert.Contains(Enumerable.Range(0, 200), seed => !Survives(seed, disk => disk.LosesSyncs = true));
        Assert.Contains(Enumerable.Range(0, 200), seed => !Survives(seed, disk => disk.LosesFolderSyncs = true));
    }

    private static (SimulatedDisk Disk, List<string> Written) Written()
    {
        var disk = new SimulatedDisk();
        List<string> written = [];
        using Journal journal = Open(disk, after: null);
        Append(journal, written, groups: 12);
        return (disk, written);
    }

    [Fact]
    public void R7_every_byte_that_is_flipped_is_noticed_or_was_in_the_last_group()
    {
        (SimulatedDisk disk, List<string> written) = Written();

        foreach (string path in disk.Paths)
        {
            byte[] whole = disk[path];

            for (int i = 0; i < whole.Length; i++)
            {
                byte[] damaged = [.. whole];
                damaged[i] ^= (byte)(1 << (i % 8));
                disk[path] = damaged;

                try
                {
                    List<string> read = Read(disk);
                    Assert.Equal(written[..read.Count], read);
                    Assert.True(path == disk.Paths[^1] && read.Count >= written.Count - 3, $"{path}, byte {i}: {read.Count} of {written.Count} entries and no word");
                }
                catch (StorageException said)
                {
                    Assert.Contains("journal", said.Message, StringComparison.Ordinal);
                }
            }

            disk[path] = whole;
        }
    }

    [Fact]
    public void Cut_at_every_byte_the_last_file_gives_what_is_whole_and_any_other_file_is_missed()
    {
        (SimulatedDisk disk, List<string> written) = Written();

        foreach (string path in disk.Paths)
        {
            byte[] whole = disk[path];

            for (int length = 0; length < whole.Length; length++)
            {
                disk[path] = whole[..length];

                if (path == disk.Paths[^1])
                {
                    List<string> read = Read(disk);
                    Assert.Equal(written[..read.Count], read);
                }
                else
                {
                    Assert.Throws<StorageException>(() => Read(disk));
                }
            }

            disk[path] = whole;
        }
    }

    [Fact]
    public void A_write_that_fails_takes_nothing_is_not_tried_on_the_same_file_again_and_the_next_one_goes_on()
    {
        var random = new Random(3);

        for (int at = 0; at < 60; at++)
        {
            var disk = new SimulatedDisk();
            List<string> written = [];
            int left = at;
            string? failed = null;
            disk.Fault = what =>
            {
                Assert.NotEqual(failed, what.Split(' ')[^1]);

                if (left-- == 0)
                {
                    failed = what.Split(' ')[^1] is var path && path.EndsWith(".slj", StringComparison.Ordinal) ? path : null;
                    throw new IOException("no space left");
                }
            };

            using (Journal journal = Open(disk, after: null))
            {
                for (int group = 0; group < 10; group++)
                {
                    try
                    {
                        Append(journal, written, groups: 1);
                    }
                    catch (IOException)
                    {
                        // Not acknowledged.
                    }
                }
            }

            // Of the very last write nobody knows whether it is there; whoever handed it in was told that it is not.
            disk.Fault = null;
            Assert.Equal(written, Read(disk)[..written.Count]);
            disk.Crash(random);
            Assert.Equal(written, Read(disk)[..written.Count]);
        }
    }

    [Fact]
    public void What_a_snapshot_names_and_the_journal_does_not_hold_stops_the_start()
    {
        var disk = new SimulatedDisk();
        using (Journal journal = Open(disk, after: null))
        {
            Append(journal, [], groups: 20);
            journal.Trim(First + 20);
        }

        Assert.Contains("begins at", Assert.Throws<StorageException>(() => Open(disk, after: First + 1)).Message, StringComparison.Ordinal);
        Assert.Contains("ends before", Assert.Throws<StorageException>(() => Open(disk, after: First + 1000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Beyond_its_limit_it_takes_nothing_until_a_snapshot_lets_go()
    {
        var disk = new SimulatedDisk();
        using Journal journal = Journal.Open(disk, null, First, segmentBytes: 200, maxBytes: 1000);
        List<string> written = [];

        IOException full = Assert.Throws<IOException>(() => Append(journal, written, groups: 1000));
        Assert.Contains("storage.journal_max_mib", full.Message, StringComparison.Ordinal);

        journal.Trim(journal.NextSequence - 1);
        Append(journal, written, groups: 1);
        Assert.Equal(written[^1], Text(journal.Read(journal.NextSequence - 2).Single().Entry));
    }

    private static bool Survives(int seed, Action<SimulatedDisk> damage)
    {
        var random = new Random(seed);
        var disk = new SimulatedDisk();
        damage(disk);
        List<string> acknowledged = [];

        for (int life = 0; life < 4; life++)
        {
            try
            {
                using Journal journal = Open(disk, after: null);
                List<string> read = [.. journal.Read(long.MinValue + 2).Select(entry => Text(entry.Entry))];

                if (read.Count < acknowledged.Count || !read[..acknowledged.Count].SequenceEqual(acknowledged))
                {
                    return false;
                }

                // What was written and not acknowledged may be there; from now on it is.
                acknowledged = read;
                int until = random.Next(25);
                disk.Fault = _ =>
                {
                    if (until-- == 0)
                    {
                        throw new CrashException();
                    }
                };
                Append(journal, acknowledged, groups: random.Next(12), random);
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

    private static Journal Open(SimulatedDisk disk, long? after) => Journal.Open(disk, after, First, segmentBytes: 200);

    private static void Append(Journal journal, List<string> written, int groups, Random? random = null)
    {
        for (int group = 0; group < groups; group++)
        {
            string[] entries = [.. Enumerable.Range(0, 1 + (random?.Next(3) ?? group % 3)).Select(i => $"entry {journal.NextSequence + i}")];
            journal.Append([.. entries.Select(entry => (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(entry))]);
            written.AddRange(entries);
        }
    }

    private static List<string> Read(SimulatedDisk disk)
    {
        using Journal journal = Open(disk, after: null);
        return [.. journal.Read(long.MinValue + 2).Select(entry => Text(entry.Entry))];
    }

    private static string Text(ReadOnlyMemory<byte> entry) => System.Text.Encoding.UTF8.GetString(entry.Span);

    private sealed class CrashException : Exception;
}
