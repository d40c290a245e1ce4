using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Durability;

/// <summary>Snapshots of all state, numbered: MANIFEST-NUMBER beside snapshots/NUMBER.sls, the newest three kept.</summary>
/// <remarks>
/// A part at a time is written, so no more than one shard is in memory. The manifest is written last: R8, each file is synced
/// before it gets its name, and the folder after. R6: an older generation is deleted once the newer one's name is durable, and
/// the journal goes back to the oldest that is kept. R7: what does not match its checksum is no generation; the one before it
/// counts, and what was bad goes to quarantine/, never over a good one.
/// </remarks>
internal sealed class Generations(IDisk disk, ILogger logger)
{
    public const string Folder = "snapshots";
    public const string Quarantine = "quarantine";

    /// <summary>Changes whenever a row's layout does: rows of another layout are set aside, never misread.</summary>
    public const int Layout = 30;

    private const int Kept = 3;
    private const string Prefix = "MANIFEST-";

    private readonly SortedDictionary<long, long> _replayAfter = [];

    /// <summary>The newest generation that is whole; null where there is none and never was one.</summary>
    /// <exception cref="StorageException">There are generations, and none can be read: the daemon does not quietly start from nothing.</exception>
    public Generation? Newest()
    {
        List<string> reasons = [];
        Generation? newest = null;

        foreach (long number in Numbers().Reverse().ToArray())
        {
            try
            {
                Generation found = Open(number);
                newest ??= found;
                _replayAfter[number] = found.Manifest.ReplayAfter;
            }
            catch (Exception unreadable) when (unreadable is IOException or InvalidDataException or JsonException)
            {
                reasons.Add($"{ManifestOf(number)}: {unreadable.Message}");
                LogMessages.SnapshotUnreadable(logger, ManifestOf(number), unreadable.Message);
                SetAside(number);
            }
        }

        return newest is null && reasons.Count > 0
            ? throw new StorageException(
                $"no snapshot can be read ({string.Join("; ", reasons)}), they are in {Quarantine}/; restore them from a backup, or move the journal away too to let every stream learn anew")
            : newest;
    }

    /// <summary>Every generation's number, the oldest first.</summary>
    public IReadOnlyList<long> Numbers() => NumbersIn("");

    /// <summary>Reads a generation and everything in it once, to see that it is whole.</summary>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public Generation Open(long number)
    {
        using var buffer = new MemoryStream();

        using (Stream file = disk.OpenRead(ManifestOf(number)))
        {
            file.CopyTo(buffer);
        }

        Manifest manifest = Manifest.Read(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), number);
        var generation = new Generation(disk, number, manifest);

        foreach (ManifestSection section in manifest.Sections)
        {
            generation.Read(section);
        }

        return generation;
    }

    /// <summary>Opens a generation's snapshot file, for what is carried over from it.</summary>
    public Stream OpenRows(long number) => disk.OpenRead(FileOf(number));

    /// <summary>Begins the next generation.</summary>
    public GenerationWriter Begin()
    {
        long number = Numbers().Concat(SnapshotNumbers()).Concat(NumbersIn(Quarantine)).DefaultIfEmpty().Max() + 1;
        return new GenerationWriter(disk, number);
    }

    /// <summary>Makes a generation count, and lets go of what is older than the newest three.</summary>
    /// <returns>The sequence behind which the journal is still needed.</returns>
    public long Commit(GenerationWriter writer, Manifest manifest)
    {
        writer.Commit(manifest);
        KillPoint.Pass(KillPoint.R6NamedNothingDeleted);
        _replayAfter[writer.Number] = manifest.ReplayAfter;

        foreach (long old in Numbers().SkipLast(Kept).ToArray())
        {
            // The manifest first: what is left of a generation whose deletion is cut short is a file that nothing names.
            disk.Delete(ManifestOf(old));
            KillPoint.Pass(KillPoint.R6ManifestDeletedFileNot);
            _replayAfter.Remove(old);
        }

        disk.SyncFolder("");
        HashSet<long> named = [.. Numbers()];

        foreach (long orphan in SnapshotNumbers().Where(number => !named.Contains(number)).ToArray())
        {
            disk.Delete(FileOf(orphan));
        }

        foreach (string unfinished in disk.List("").Where(name => name.StartsWith(GenerationWriter.Unnamed, StringComparison.Ordinal)))
        {
            disk.Delete(unfinished);
        }

        return _replayAfter.Where(pair => named.Contains(pair.Key)).Min(pair => pair.Value);
    }

    /// <summary>Moves a generation to quarantine/: kept for people, in nobody's way.</summary>
    public void SetAside(long number)
    {
        foreach (string path in (string[])[ManifestOf(number), FileOf(number)])
        {
            if (disk.List(Path.GetDirectoryName(path) ?? "").Contains(Path.GetFileName(path)))
            {
                disk.Rename(path, $"{Quarantine}/{Path.GetFileName(path)}");
                KillPoint.Pass(KillPoint.R7HalfSetAside);
            }
        }
    }

    internal static string ManifestOf(long number) => $"{Prefix}{number:D10}";

    internal static string FileOf(long number) => $"{Folder}/{number:D10}.sls";

    private long[] NumbersIn(string folder) =>
    [
        .. disk.List(folder)
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => long.TryParse(name[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : -1)
            .Where(number => number > 0)
            .Order(),
    ];

    private IEnumerable<long> SnapshotNumbers() => disk.List(Folder)
        .Select(name => long.TryParse(name.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : -1)
        .Where(number => number > 0);
}

/// <summary>A generation that is whole.</summary>
internal sealed class Generation(IDisk disk, long number, Manifest manifest)
{
    public long Number => number;

    public Manifest Manifest => manifest;

    /// <summary>A part's bytes; null where it holds no such part.</summary>
    /// <exception cref="InvalidDataException">They are not what was written.</exception>
    public byte[]? Read(string kind, int part = 0) =>
        manifest.Sections.FirstOrDefault(section => section.Kind == kind && section.Number == part) is { } found ? Read(found) : null;

    internal byte[] Read(ManifestSection section)
    {
        using Stream file = disk.OpenRead(Generations.FileOf(number));

        if (file.Length != manifest.FileBytes || section.Length < 0 || section.Offset < 0 || section.Offset + section.Length > file.Length)
        {
            throw new InvalidDataException($"{Generations.FileOf(number)}: {file.Length} bytes, expected {manifest.FileBytes}");
        }

        byte[] bytes = new byte[section.Length];
        file.Position = section.Offset;
        file.ReadExactly(bytes);
        return GenerationWriter.Hash(bytes, section.Offset) == section.Hash
            ? bytes
            : throw new InvalidDataException($"{Generations.FileOf(number)}: {section.Kind} {section.Number} does not match its checksum");
    }
}

/// <summary>Writes one generation, part after part.</summary>
internal sealed class GenerationWriter(IDisk disk, long number) : IDisposable
{
    public const string Unnamed = "manifest.tmp";

    private readonly List<ManifestSection> _sections = [];
    /// <summary>
    /// As much is written between two syncs: where the journal is on the same disk, its sync waits for what is not synced of this file.
    /// </summary>
    private const int SyncEvery = 256 << 10;

    private IDiskFile? _file;
    private XxHash3 _hash = new();
    private (string Kind, int Part, long Offset) _section;
    private long _length;
    private long _synced;

    public long Number => number;

    public long Bytes => _length;

    public IReadOnlyList<ManifestSection> Sections => _sections;

    /// <summary>A part that is at hand whole.</summary>
    public void Add(string kind, int part, ReadOnlySpan<byte> bytes)
    {
        Begin(kind, part);
        Append(bytes);
        End();
    }

    /// <summary>A part that is at hand in pieces.</summary>
    public void AddPieces(string kind, int part, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        Begin(kind, part);

        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            Append(piece.Span);
        }

        End();
    }

    /// <summary>Begins a part.</summary>
    public void Begin(string kind, int part)
    {
        _file ??= disk.Create($"{Generations.FileOf(number)}");
        _section = (kind, part, _length);
        _hash = new XxHash3(_length);
    }

    /// <summary>Writes more of the part that has begun.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _file!.Append(bytes);
        _hash.Append(bytes);
        _length += bytes.Length;

        if (_length - _synced >= SyncEvery)
        {
            _file.Sync();
            _synced = _length;
        }
    }

    /// <summary>Ends it.</summary>
    public void End() => _sections.Add(new ManifestSection(
        _section.Kind, _section.Part, _section.Offset, _length - _section.Offset,
        _hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture)));

    internal void Commit(Manifest manifest)
    {
        // R8: the data and its name, then the manifest under a name that nobody reads, then its name.
        KillPoint.Pass(KillPoint.R8PartsNotSynced);
        _file!.Sync();
        _file.Dispose();
        disk.SyncFolder(Generations.Folder);
        KillPoint.Pass(KillPoint.R8PartsNoManifest);
        string temporary = $"{Unnamed}{number}";

        using (IDiskFile file = disk.Create(temporary))
        {
            file.Append(manifest.ToBytes(number));
            file.Sync();
        }

        KillPoint.Pass(KillPoint.R8ManifestNoName);
        disk.Rename(temporary, Generations.ManifestOf(number));
        KillPoint.Pass(KillPoint.R8NameNotSynced);
        disk.SyncFolder("");
    }

    public void Dispose() => _file?.Dispose();

    internal static string Hash(ReadOnlySpan<byte> bytes, long offset) => XxHash3.HashToUInt64(bytes, offset).ToString("x16", CultureInfo.InvariantCulture);
}
