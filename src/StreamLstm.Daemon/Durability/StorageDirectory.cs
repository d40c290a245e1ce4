namespace StreamLstm.Daemon.Durability;

/// <summary>The one directory the daemon writes to, held by one process at a time.</summary>
internal sealed class StorageDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;

    private StorageDirectory(string path, FileStream @lock)
    {
        Path = path;
        _lock = @lock;
    }

    public string Path { get; }

    /// <summary>Eight digits that name this directory for as long as it is there: a client of brokers is known by them.</summary>
    /// <exception cref="StorageException">They cannot be read or kept.</exception>
    public string Instance
    {
        get
        {
            string file = FileIn("instance");

            try
            {
                if (!File.Exists(file))
                {
                    string draft = file + ".new";
                    File.WriteAllText(draft, Guid.NewGuid().ToString("N")[..8]);
                    File.Move(draft, file);
                }

                return File.ReadAllText(file).Trim();
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                throw new StorageException($"storage.directory: {file} cannot be read or written ({refused.Message})", refused);
            }
        }
    }

    /// <summary>Creates the directory where it is missing, and locks it.</summary>
    /// <exception cref="StorageException">It cannot be written, or another process holds it.</exception>
    public static StorageDirectory Open(StorageOptions options)
    {
        string path = Resolve(options.Directory);

        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, OwnerOnly);
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"storage.directory: {path} cannot be created ({refused.Message}); set storage.directory to a place this user may write to", refused);
        }

        try
        {
            return new StorageDirectory(
                path,
                new FileStream(System.IO.Path.Combine(path, "LOCK"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"storage.directory: {path} is in use by another streamlstm, or not writable ({held.Message}); "
                + "stop the other one, or give this one a directory of its own with --set storage.directory=PATH",
                held);
        }
    }

    /// <summary>A file below the directory; absolute paths stay what they are.</summary>
    public string FileIn(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => _lock.Dispose();

    /// <summary>The directory that is meant: as configured, else systemd's, else the user's own.</summary>
    public static string Resolve(string configured)
    {
        if (configured.Length > 0)
        {
            return System.IO.Path.GetFullPath(configured);
        }

        if (Environment.GetEnvironmentVariable("STATE_DIRECTORY") is { Length: > 0 } systemd)
        {
            return systemd.Split(':')[0];
        }

        string state = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } xdg
            ? xdg
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return System.IO.Path.Combine(state, "streamlstm");
    }
}

/// <summary>State cannot be kept or read, for a reason the user can mend.</summary>
internal sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner);
