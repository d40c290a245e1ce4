using System.Diagnostics;
using System.Runtime.InteropServices;

namespace StreamLstm.Daemon.Durability;

/// <summary>The machine's own disk, below one directory.</summary>
internal sealed partial class LocalDisk(string root) : IDisk
{
    /// <summary>As much of a file is given back at once: a disk that discards what is deleted does nothing else meanwhile.</summary>
    private const int ShortenedBy = 4 << 20;

    /// <summary>
    /// Whether somebody else on the same disk waits for less: each sync is followed by as long a rest, and a large file is deleted in steps.
    /// Whoever calls is held up by that.
    /// </summary>
    public bool GivesWay { get; set; }

    public IReadOnlyList<string> List(string folder) =>
        Directory.Exists(At(folder)) ? [.. Directory.EnumerateFiles(At(folder)).Select(file => Path.GetFileName(file))] : [];

    public IDiskFile Create(string path)
    {
        string folder = Path.GetDirectoryName(At(path))!;

        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            Sync(Path.GetDirectoryName(folder)!);
        }

        return new LocalFile(new FileStream(At(path), FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0), this);
    }

    public Stream OpenRead(string path) => new FileStream(At(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);

    public void Rename(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(to))!);
        File.Move(At(from), At(to), overwrite: true);
    }

    public void Delete(string path)
    {
        if (GivesWay && File.Exists(At(path)))
        {
            Shorten(At(path));
        }

        File.Delete(At(path));
    }

    public void SyncFolder(string folder) => Sync(At(folder));

    /// <summary>fsync of a directory: what makes a name in it survive a power loss.</summary>
    public static void Sync(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // .NET opens no directories: three calls of libc.
        int descriptor = Open(directory, flags: 0);

        if (descriptor < 0)
        {
            throw new IOException($"open {directory}: errno {Marshal.GetLastPInvokeError()}");
        }

        try
        {
            if (Fsync(descriptor) != 0)
            {
                throw new IOException($"fsync {directory}: errno {Marshal.GetLastPInvokeError()}");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private void Shorten(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

        for (long left = file.Length - ShortenedBy; left > 0; left -= ShortenedBy)
        {
            file.SetLength(left);
            Sync(file);
        }
    }

    private void Sync(FileStream file)
    {
        long started = Stopwatch.GetTimestamp();
        file.Flush(flushToDisk: true);

        if (GivesWay)
        {
            Thread.Sleep(Stopwatch.GetElapsedTime(started));
        }
    }

    private string At(string path) => Path.Combine(root, path);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    private sealed class LocalFile(FileStream file, LocalDisk disk) : IDiskFile
    {
        public void Append(ReadOnlySpan<byte> bytes) => file.Write(bytes);

        public void Sync() => disk.Sync(file);

        public void Dispose() => file.Dispose();
    }
}
