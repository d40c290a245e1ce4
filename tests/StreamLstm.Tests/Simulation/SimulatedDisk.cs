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

    /// <summary>Broken on purpose: syncs of these files that do nothing.</summary>
    public Func<string, bool> LosesSyncsOf { get; set; } = _ => false;

    /// <summary>Broken on purpose: a sync makes survive what the one before should have.</summary>
    public Func<string, bool> LagsSyncsOf { get; set; } = _ => false;

    /// <summary>Told of each file before it is deleted.</summary>
    public Action<string>? Deleting { get; set; }

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
        _now.TryGetValue(path, out Content? content) ? content.Read() : throw new FileNotFoundException(path);

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
        Deleting?.Invoke(path);
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
        get => _now[path].Bytes.ToArray();
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
            same.Replace(content.Bytes);
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
        private byte[] _buffer = new byte[64];
        private int _length;

        public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

        public int Synced { get; set; }

        /// <summary>Length at the last sync.</summary>
        public int Asked { get; set; }

        public int Length => _length;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            if (_length + bytes.Length > _buffer.Length)
            {
                Array.Resize(ref _buffer, 2 * (_length + bytes.Length));
            }

            bytes.CopyTo(_buffer.AsSpan(_length));
            _length += bytes.Length;
        }

        /// <summary>As it is now: nothing is copied, as what is there is never changed while somebody reads.</summary>
        public MemoryStream Read() => new(_buffer, 0, _length, writable: false);

        public void Replace(ReadOnlySpan<byte> bytes)
        {
            _length = 0;
            Append(bytes);
            Synced = Asked = _length;
        }

        public void Lose(Random random)
        {
            int unsynced = _length - Synced;

            if (unsynced > 0)
            {
                _length = Synced + random.Next(unsynced + 1);

                // A page that never arrived between two that did.
                if (_length > Synced && random.Next(2) == 0)
                {
                    int from = random.Next(Synced, _length), to = random.Next(from, _length);
                    _buffer.AsSpan(from, to - from).Clear();
                }
            }

            Synced = Asked = _length;
        }
    }

    private sealed class File(SimulatedDisk disk, string path, Content content, int crashes) : IDiskFile
    {
        public void Append(ReadOnlySpan<byte> bytes)
        {
            try
            {
                disk.Fault?.Invoke($"write {path}");
            }
            catch (IOException)
            {
                // As much as there was room for.
                Add(bytes[..(bytes.Length / 2)]);
                throw;
            }

            Add(bytes);
        }

        private void Add(ReadOnlySpan<byte> bytes)
        {
            if (disk._crashes == crashes)
            {
                content.Append(bytes);
            }
        }

        public void Sync()
        {
            disk.Fault?.Invoke($"sync {path}");

            if (disk._crashes == crashes && !disk.LosesSyncs && !disk.LosesSyncsOf(path))
            {
                (content.Synced, content.Asked) = (disk.LagsSyncsOf(path) ? content.Asked : content.Length, content.Length);
            }
        }

        public void Dispose()
        {
        }
    }
}
