namespace StreamLstm.Daemon.Durability;

/// <summary>A small file that is written whole: whoever reads it finds what was there before or what is there now, and no half of either.</summary>
internal static class ReplacedFile
{
    /// <param name="path">The file.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="isSynced">Whether it is to survive a power loss from here on; else that may take it back to what it was.</param>
    /// <exception cref="IOException">It cannot be written; it is as it was.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool isSynced)
    {
        string temporary = path + ".tmp";

        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            file.Write(bytes);

            if (isSynced)
            {
                file.Flush(flushToDisk: true);
            }
        }

        File.Move(temporary, path, overwrite: true);

        if (isSynced)
        {
            LocalDisk.Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
    }
}
