using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Durability;

/// <summary>A whole storage directory as one file, to be carried to another machine: a gzipped tar, its first entry the list of all others with their checksums.</summary>
internal static class StateArchive
{
    private const int Format = 1;
    private const string Index = "streamlstm-state.json";
    private const string Unpacked = "import.tmp";
    private const string LockFile = "LOCK";

    /// <summary>Writes all that is in a directory but what is in quarantine.</summary>
    /// <returns>How many files it holds.</returns>
    /// <exception cref="StorageException">What is there is not whole.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static int Export(StorageDirectory storage, string file)
    {
        RequireWhole(storage.Path);
        Packed[] packed =
        [
            .. Directory.EnumerateFiles(storage.Path, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(storage.Path, path))
                .Where(path => path != LockFile && !path.EndsWith(".tmp", StringComparison.Ordinal)
                    && !path.StartsWith(Generations.Quarantine, StringComparison.Ordinal) && !path.StartsWith(Unpacked, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(path => new Packed(path, new FileInfo(storage.FileIn(path)).Length, HashOf(storage.FileIn(path)))),
        ];
        string temporary = $"{file}.tmp";

        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
            using (var tar = new TarWriter(gzip))
            {
                byte[] index = JsonSerializer.SerializeToUtf8Bytes(new Content(Format, DaemonTelemetry.Version, Generations.Layout, packed), EventJson.Options);
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, Index) { DataStream = new MemoryStream(index) });

                foreach (Packed one in packed)
                {
                    using FileStream content = File.OpenRead(storage.FileIn(one.Path));
                    tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, one.Path) { DataStream = content });
                }
            }

            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
        return packed.Length;
    }

    /// <summary>Reads what <see cref="Export"/> wrote into a directory that holds no state.</summary>
    /// <returns>How many files there were.</returns>
    /// <exception cref="StorageException">The file is damaged, or the directory holds state.</exception>
    public static int Import(StorageDirectory storage, string file)
    {
        if (Directory.EnumerateFileSystemEntries(storage.Path).Any(entry => Path.GetFileName(entry) is not (LockFile or Unpacked)))
        {
            throw new StorageException($"{storage.Path} holds something already; import into an empty directory with --set storage.directory=PATH, or move it away");
        }

        string unpacked = storage.FileIn(Unpacked);

        if (Directory.Exists(unpacked))
        {
            Directory.Delete(unpacked, recursive: true);
        }

        Content content;

        try
        {
            content = Unpack(file, unpacked);
            RequireWhole(unpacked);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or JsonException or EndOfStreamException or FormatException)
        {
            throw new StorageException($"{file}: {damaged.Message}; nothing was imported, expected a file that streamlstm state export wrote", damaged);
        }

        // Manifests last: without one there is no state.
        foreach (string entry in Directory.EnumerateFileSystemEntries(unpacked).OrderBy(entry => Path.GetFileName(entry).StartsWith("MANIFEST-", StringComparison.Ordinal)).ToArray())
        {
            Directory.Move(entry, storage.FileIn(Path.GetFileName(entry)));
        }

        Directory.Delete(unpacked);
        LocalDisk.Sync(storage.Path);
        return content.Files.Count;
    }

    private static Content Unpack(string file, string to)
    {
        using FileStream stream = File.OpenRead(file);
        using var gzip = new GZipStream(stream, CompressionMode.Decompress);
        using var tar = new TarReader(gzip);

        if (tar.GetNextEntry() is not { Name: Index, DataStream: { } index })
        {
            throw new InvalidDataException($"it does not begin with {Index}");
        }

        Content content = JsonSerializer.Deserialize<Content>(index, EventJson.Options) ?? throw new JsonException("null");

        if (content.Format != Format)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"format {content.Format}, expected {Format}: another version wrote it"));
        }

        var missing = content.Files.ToDictionary(one => one.Path, StringComparer.Ordinal);

        while (tar.GetNextEntry() is { } entry)
        {
            string path = Path.GetFullPath(Path.Combine(to, entry.Name));

            if (!missing.Remove(entry.Name, out Packed? packed) || !path.StartsWith(to + Path.DirectorySeparatorChar, StringComparison.Ordinal) || entry.EntryType != TarEntryType.RegularFile)
            {
                throw new InvalidDataException($"it holds {entry.Name}, which its list does not name");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);

            using (var written = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                entry.DataStream?.CopyTo(written);
                written.Flush(flushToDisk: true);
            }

            if (new FileInfo(path).Length != packed.Bytes || HashOf(path) != packed.Xxh3)
            {
                throw new InvalidDataException($"{entry.Name} does not match its checksum");
            }
        }

        return missing.Count == 0 ? content : throw new InvalidDataException($"{missing.Keys.First()} is missing");
    }

    private static void RequireWhole(string directory)
    {
        var disk = new LocalDisk(directory);
        var generations = new Generations(disk, NullLogger.Instance);
        Generation? newest = null;

        try
        {
            foreach (long number in generations.Numbers())
            {
                newest = generations.Open(number);
            }
        }
        catch (InvalidDataException damaged)
        {
            throw new StorageException($"{damaged.Message}; streamlstm state verify says more, and starting the daemon once sets what is damaged aside", damaged);
        }

        if (newest is null)
        {
            throw new StorageException($"{directory} holds no snapshot; expected the storage directory of a daemon that has run");
        }

        Journal.Open(disk, newest.Manifest.ReplayAfter, firstEver: 1).Dispose();
    }

    private static string HashOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        var hash = new XxHash3();
        hash.Append(file);
        return hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture);
    }

    private sealed record Content(int Format, string Program, int Layout, IReadOnlyList<Packed> Files);

    private sealed record Packed(string Path, long Bytes, string Xxh3);
}
