using System.Text.Json;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Durability;

/// <summary>A maintenance window that was asked for while the daemon ran.</summary>
internal sealed record StoredMaintenance(string Id, DateTimeOffset CreatedAt, MaintenanceOptions Window);

/// <summary>The maintenance windows: those of the configuration, and those asked for since, kept in a file of their own.</summary>
/// <remarks>
/// The file is replaced whole (temporary name, fsync, rename, fsync of the directory) before a change holds, so that a kill
/// leaves the windows before it or after it. Windows that ended a day ago are dropped with the next change. One caller at a
/// time.
/// </remarks>
internal sealed class MaintenanceStore
{
    /// <summary>Windows asked for that are kept at once.</summary>
    public const int WindowsMax = 1_000;

    private static readonly TimeSpan KeptAfterEnd = TimeSpan.FromDays(1);

    private readonly StorageDirectory _storage;
    private IReadOnlyList<MaintenanceWindow> _configured;
    private Content _content;

    private MaintenanceStore(StorageDirectory storage, IReadOnlyList<MaintenanceWindow> configured, Content content)
    {
        _storage = storage;
        _configured = configured;
        _content = content;
        All = Join();
    }

    /// <summary>All windows, those of the configuration first.</summary>
    public IReadOnlyList<MaintenanceWindow> All { get; private set; }

    /// <summary>Those asked for.</summary>
    public IReadOnlyList<StoredMaintenance> Asked => _content.Windows;

    private string Path => _storage.FileIn("maintenance.json");

    /// <exception cref="StorageException">The file is there and cannot be read.</exception>
    public static MaintenanceStore Open(StorageDirectory storage, IReadOnlyList<MaintenanceWindow> configured)
    {
        string path = storage.FileIn("maintenance.json");

        try
        {
            Content content = File.Exists(path) ? Read(File.ReadAllBytes(path)) : new Content(1, []);
            return new MaintenanceStore(storage, configured, content);
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new StorageException(
                $"{path}: the maintenance windows cannot be read ({unreadable.Message}); restore the file from a backup, or move it away to forget them", unreadable);
        }
    }

    /// <summary>Other windows are part of the configuration.</summary>
    public void Configure(IReadOnlyList<MaintenanceWindow> configured)
    {
        _configured = configured;
        All = Join();
    }

    /// <summary>Keeps a window.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public StoredMaintenance Add(MaintenanceOptions window, DateTimeOffset now)
    {
        var stored = new StoredMaintenance($"maintenance-{_content.Next}", now, window);
        Replace(new Content(_content.Next + 1, [.. _content.Windows.Where(other => !IsOver(other, now)), stored]));
        return stored;
    }

    /// <summary>Drops a window; false where there is none of that id among those asked for.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public bool Remove(string id, DateTimeOffset now)
    {
        if (!_content.Windows.Any(window => window.Id == id))
        {
            return false;
        }

        Replace(_content with { Windows = [.. _content.Windows.Where(other => other.Id != id && !IsOver(other, now))] });
        return true;
    }

    private static bool IsOver(StoredMaintenance stored, DateTimeOffset now) => Window(stored).To < now - KeptAfterEnd;

    private static MaintenanceWindow Window(StoredMaintenance stored) =>
        stored.Window.Detection(stored.Id, out string? wrong) ?? throw new InvalidDataException($"{stored.Id}: {wrong}");

    private void Replace(Content content)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(content, EventJson.Options);
        ReplacedFile.Write(Path, [.. json, .. Seal(json)], isSynced: true);
        _content = content;
        All = Join();
    }

    /// <summary>R7: one without a checksum is of a version before 0.2, or written by hand.</summary>
    private static Content Read(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.LastIndexOf((byte)'\n');
        ReadOnlySpan<byte> json = end < 0 ? bytes : bytes[..end];

        if (end >= 0 && !bytes[end..].SequenceEqual(Seal(json)))
        {
            throw new InvalidDataException("the checksum in its last line does not match: it is damaged; who changes it by hand takes that line away");
        }

        return JsonSerializer.Deserialize<Content>(json, EventJson.Options) ?? throw new JsonException("null");
    }

    private static byte[] Seal(ReadOnlySpan<byte> json) =>
        System.Text.Encoding.ASCII.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"\nxxh3:{System.IO.Hashing.XxHash3.HashToUInt64(json):x16}"));

    private IReadOnlyList<MaintenanceWindow> Join() => [.. _configured, .. _content.Windows.Select(Window)];

    private sealed record Content(long Next, IReadOnlyList<StoredMaintenance> Windows);
}
