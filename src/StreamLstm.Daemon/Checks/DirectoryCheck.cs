using StreamLstm.Daemon.Durability;

namespace StreamLstm.Daemon.Checks;

/// <summary>Whether files may be read, and written where they are to be; nothing is left behind.</summary>
internal static class DirectoryCheck
{
    /// <exception cref="IOException">It may not.</exception>
    public static string Storage(StorageOptions options)
    {
        string path = StorageDirectory.Resolve(options.Directory);

        if (!File.Exists(Path.Combine(path, "LOCK")))
        {
            return Writable(path);
        }

        try
        {
            using var held = new FileStream(Path.Combine(path, "LOCK"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return $"{Writable(path)}; a daemon has used it before";
        }
        catch (IOException)
        {
            return $"{Writable(path)}; a daemon runs on it";
        }
    }

    /// <exception cref="IOException">It is not there, or may not be read.</exception>
    public static string Readable(string path, bool isFollowed)
    {
        if (!File.Exists(path))
        {
            return isFollowed ? $"{path} is not there yet, and waited for" : throw new IOException($"{path} is not there");
        }

        using FileStream file = File.OpenRead(path);
        return $"{path} can be read, {file.Length} bytes";
    }

    /// <exception cref="IOException">Nothing can be written there.</exception>
    public static string Writable(string directory)
    {
        string existing = directory;

        while (!Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing) ?? throw new IOException($"{directory} is no directory");
        }

        string probe = Path.Combine(existing, $".streamlstm-check-{Guid.NewGuid():N}");

        try
        {
            using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
                return existing == directory ? $"{directory} can be written" : $"{directory} can be made";
            }
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException($"{existing} cannot be written by this user", refused);
        }
    }
}
