using StreamLstm.Daemon.Durability;

namespace StreamLstm.Tests.Simulation;

/// <summary>A disk in memory that loses what a disk may lose: what was not synced, in part or as a whole, at any crash.</summary>
/// <remarks>
/// A file's bytes survive as far as it was synced; of those behind, any part may be there, or zeros in their place. A name
/// survives once its folder was synced; of changes since, those up to any point are there.
/// </remarks>
internal sealed class SimulatedDisk : IDisk
{
    // Snapshots and the journal are written by two tasks.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Content> _now = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Content> _durable = new(StringComparer.Ordinal);
    private readonly List<(string Folder, Action Apply)> _pending = [];
    private int _crashes;

    /// <summary>Asked before each write, sync and change of a name; what it throws is what the disk says.</summary>
    public Action<string>? Fault { get; set; }

    /// <summary>Broken on purpose: syncs of files that do nothing.</summary>
    public bool LosesSyncs { get; set; }

    /// <summary>Broken on purpose: syncs of folders that do nothing.</summary>
    public bool LosesFolderSyncs { get; set; }

    public IReadOnlyList<string> List(string folder) =>
        [.. Paths.Where(path => FolderOf(path) == folder).Select(path => Path.GetFileName(path))];

    public IDiskFile Create(string path)
    {
        Fault?.Invoke($"create {path}");

        if (_now.ContainsKey(path))
        {
            throw new IOException($"{path} is there");
        }

        var content = new Content();
        Change(FolderOf(path), names => names[path] = content);
        return new File(this, path, content, _crashes);
    }

    public Stream OpenRead(string path) =>
        new MemoryStream(_now.TryGetValue(path, out Content? content) ? [.. content.Bytes] : throw new FileNotFoundException(path), writable: false);

    public void Rename(string from, string to)
    {
        Fault?.Invoke($"rename {from} {to}");
        Content content = _now[from];
        Change(FolderOf(from), names =>
        {
            names.Remove(from);
            names[to] = content;
        });
    }

    public void Delete(string path)
    {
        Fault?.Invoke($"delete {path}");
        Change(FolderOf(path), names => names.Remove(path));
    }

    public void SyncFolder(string folder)
    {
        Fault?.Invoke($"sync folder {folder}");

        if (LosesFolderSyncs)
        {
            return;
        }

        lock (_lock)
        {
            foreach ((_, Action apply) in _pending.Where(change => change.Folder == folder))
            {
                apply();
            }

            _pending.RemoveAll(change => change.Folder == folder);
        }
    }

    /// <summary>The power goes: what is left is what may be left.</summary>
    public void Crash(Random random)
    {
        int kept = random.Next(_pending.Count + 1);

        foreach ((_, Action apply) in _pending[..kept])
        {
            apply();
        }

        _pending.Clear();
        _now.Clear();
        _crashes++;

        foreach ((string path, Content content) in _durable)
        {
            content.Lose(random);
            _now[path] = content;
        }
    }

    /// <summary>Bytes as they are, to be damaged.</summary>
    public byte[] this[string path]
    {
        get => [.. _now[path].Bytes];
        set => _now[path].Replace(value);
    }

    public IReadOnlyList<string> Paths
    {
        get
        {
            lock (_lock)
            {
                return [.. _now.Keys.Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>A copy of what is there now.</summary>
    public SimulatedDisk Copy()
    {
        var copy = new SimulatedDisk();

        foreach ((string path, Content content) in _now)
        {
            var same = new Content();
            same.Replace([.. content.Bytes]);
            copy._now[path] = copy._durable[path] = same;
        }

        return copy;
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(path) ?? "";

    private void Change(string folder, Action<Dictionary<string, Content>> change)
    {
        lock (_lock)
        {
            change(_now);
            _pending.Add((folder, () => change(_durable)));
        }
    }

    private sealed class Content
    {
        public List<byte> Bytes { get; } = [];

        public int Synced { get; set; }

        public void Replace(byte[] bytes)
        {
            Bytes.Clear();
            Bytes.AddRange(bytes);
            Synced = bytes.Length;
        }

        public void Lose(Random random)
        {
            int unsynced = Bytes.Count - Synced;

            if (unsynced > 0)
            {
                int left = Synced + random.Next(unsynced + 1);
                Bytes.RemoveRange(left, Bytes.Count - left);

                // A page that never arrived between two that did.
                if (left > Synced && random.Next(2) == 0)
                {
                    int from = random.Next(Synced, left), to = random.Next(from, left);

                    for (int i = from; i < to; i++)
                    {
                        Bytes[i] = 0;
                    }
                }
            }

            Synced = Bytes.Count;
        }
    }

    private sealed class File(SimulatedDisk disk, string path, Content content, int crashes) : IDiskFile
    {
        public void Append(ReadOnlySpan<byte> bytes)
        {
            disk.Fault?.Invoke($"write {path}");

            if (disk._crashes == crashes)
            {
                content.Bytes.AddRange(bytes);
            }
        }

        public void Sync()
        {
            disk.Fault?.Invoke($"sync {path}");

            if (disk._crashes == crashes && !disk.LosesSyncs)
            {
                content.Synced = content.Bytes.Count;
            }
        }

        public void Dispose()
        {
        }
    }
}
