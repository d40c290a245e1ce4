using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;

namespace StreamLstm.Tests.Simulation;

/// <summary>What a disk may do by itself, and what a program would do that broke a rule: both leave their traces in its files.</summary>
internal static class DiskMutations
{
    /// <summary>A bit of a generation turns: in its parts or in its manifest.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="number">The generation.</param>
    /// <param name="where">Any number: which bit.</param>
    /// <param name="isHidden">Whether the checksum is made to match: as though nobody compared it.</param>
    public static void Rot(SimulatedDisk disk, long number, int where, bool isHidden)
    {
        string file = Generations.FileOf(number), name = Generations.ManifestOf(number);
        Manifest manifest;

        try
        {
            manifest = Manifest.Read(disk[name], number);
        }
        catch (InvalidDataException)
        {
            return;
        }

        if (!isHidden)
        {
            string path = where % 2 == 0 ? file : name;
            Flip(path, where / 2 % disk[path].Length, where % 8);
            return;
        }

        // A float somewhere in a stream's row, so that it is still a row.
        ManifestSection section = manifest.Sections.Where(section => section.Kind == Parts.Shard).MaxBy(section => section.Length)!;
        Flip(file, (int)(section.Offset + section.Length / 2), 4);
        byte[] bytes = disk[file].AsSpan((int)section.Offset, (int)section.Length).ToArray();
        ManifestSection resealed = section with { Hash = GenerationWriter.Hash(bytes, section.Offset) };
        disk[name] = (manifest with { Sections = [.. manifest.Sections.Select(one => one == section ? resealed : one)] }).ToBytes(number);

        void Flip(string path, int at, int bit)
        {
            byte[] bytes = disk[path];
            bytes[at] ^= (byte)(1 << bit);
            disk[path] = bytes;
        }
    }

    /// <summary>Of the newest generation each shard has the bytes that it has in the one before, under its own place in the journal: as though what changed had been carried over.</summary>
    public static void CarryWhatChanged(SimulatedDisk disk, long number)
    {
        string name = Generations.ManifestOf(number);
        Manifest before = Manifest.Read(disk[Generations.ManifestOf(number - 1)], number - 1), manifest = Manifest.Read(disk[name], number);
        byte[] old = disk[Generations.FileOf(number - 1)], parts = disk[Generations.FileOf(number)];
        using var file = new MemoryStream();
        List<ManifestSection> sections = [];

        foreach (ManifestSection section in manifest.Sections)
        {
            bool isCarried = section.Kind == Parts.Shard;
            ManifestSection from = isCarried ? before.Sections.First(one => one.Kind == section.Kind && one.Number == section.Number) : section;
            byte[] bytes = (isCarried ? old : parts).AsSpan((int)from.Offset, (int)from.Length).ToArray();
            sections.Add(section with { Offset = file.Length, Length = bytes.Length, Hash = GenerationWriter.Hash(bytes, file.Length) });
            file.Write(bytes);
        }

        disk[Generations.FileOf(number)] = file.ToArray();
        disk[name] = (manifest with { Sections = sections, FileBytes = file.Length }).ToBytes(number);
    }

    /// <summary>Every entry of the journal that is whole; what a later file begins with overrules what an earlier one ends with.</summary>
    public static SortedDictionary<long, byte[]> Entries(SimulatedDisk disk)
    {
        var entries = new SortedDictionary<long, byte[]>();

        foreach ((long number, string path) in Files(disk))
        {
            byte[] bytes = disk[path];

            if (JournalFrame.ReadHead(bytes, number) is not { } head)
            {
                continue;
            }

            foreach (long overruled in entries.Keys.Where(sequence => sequence >= head.FirstSequence).ToArray())
            {
                entries.Remove(overruled);
            }

            for (int at = JournalFrame.HeadBytes; JournalFrame.Read(bytes.AsSpan(at), number) is { } frame; at += frame.Length)
            {
                long sequence = frame.FirstSequence;

                foreach (ReadOnlyMemory<byte> entry in JournalFrame.Entries(bytes.AsMemory(at, frame.Length)))
                {
                    entries[sequence++] = entry.ToArray();
                }
            }
        }

        return entries;
    }

    /// <summary>Every tick gets another time: as though the clock were read where the journal is read again.</summary>
    public static void TellTicksAnew(SimulatedDisk disk, Random random)
    {
        foreach ((long number, string path) in Files(disk))
        {
            byte[] bytes = disk[path];

            for (int at = JournalFrame.HeadBytes; at < bytes.Length && JournalFrame.Read(bytes.AsSpan(at), number) is { } frame;)
            {
                ReadOnlyMemory<byte>[] entries =
                [
                    .. JournalFrame.Entries(bytes.AsMemory(at, frame.Length)).Select(entry => EntryCodec.Read(entry) is TickEntry tick
                        ? EntryCodec.Write(tick with { Elapsed = tick.Elapsed + TimeSpan.FromMilliseconds(random.Next(1000)) })
                        : entry.ToArray()),
                ];
                byte[] anew = JournalFrame.Write(number, frame.FirstSequence, entries);
                anew.CopyTo(bytes, at);
                at += frame.Length;
            }

            disk[path] = bytes;
        }
    }

    private static IEnumerable<(long Number, string Path)> Files(SimulatedDisk disk) => disk.Paths
        .Where(path => path.StartsWith(Journal.Folder + "/", StringComparison.Ordinal))
        .Select(path => (long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture), path));
}
