using System.Globalization;
using System.Text.Json;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Sinks;

/// <summary>From where on a file of JSON lines holds what is told again after a kill.</summary>
/// <remarks>
/// A snapshot's mark says how long the file was. Where another file, or other settings, took its place behind that snapshot, what was
/// told before stands in the former one: so a file's beginning, its length then and the first entry of the journal that it was told of, is
/// on the disk before its first line, and counts for as long as no snapshot was taken behind it.
/// </remarks>
internal sealed class JsonlStart
{
    /// <summary>Where beginnings stand, in the storage directory.</summary>
    public const string BeginningFile = "jsonl.beginning";

    private readonly string _beginningFile;
    private readonly string _path;   // seen from there: a directory that is moved takes its files along
    private long? _told;   // the entry behind which it begins, where known
    private bool _isBegun;

    private JsonlStart(string beginningFile, string path) =>
        (_beginningFile, _path) = (beginningFile, Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(beginningFile))!, Path.GetFullPath(path)));

    /// <summary>Where in the file stands what is told again, in bytes; null where nothing does.</summary>
    public long? Length { get; private init; }

    /// <summary>What came of entries before it stands in another file.</summary>
    public long First { get; private set; } = long.MinValue;

    /// <summary>A start of the program.</summary>
    /// <param name="beginningFile">Where beginnings stand.</param>
    /// <param name="path">The file of lines.</param>
    /// <param name="mark">What <see cref="Mark"/> gave the snapshot; null for none.</param>
    /// <param name="snapshotEnd">The entry up to which the snapshot's sinks had been told.</param>
    public static JsonlStart AtStart(string beginningFile, string path, string? mark, long snapshotEnd)
    {
        var start = new JsonlStart(beginningFile, path);

        if (Read(beginningFile) is { } begun && begun.Path == start._path && begun.First > snapshotEnd)
        {
            return new JsonlStart(beginningFile, path) { Length = begun.Length, First = begun.First, _isBegun = true };
        }

        // A mark without a path is of a version that had but one.
        string[] said = mark?.Split(' ', 2) ?? [];
        return said.Length > 0 && (said.Length == 1 || said[1] == start._path) && long.TryParse(said[0], NumberStyles.None, CultureInfo.InvariantCulture, out long length)
            ? new JsonlStart(beginningFile, path) { Length = length, _isBegun = true }
            : start;
    }

    /// <summary>While the program runs.</summary>
    /// <param name="beginningFile">Where beginnings stand.</param>
    /// <param name="path">The file of lines.</param>
    /// <param name="told">The last entry that the sink before it was told of; null where there was none.</param>
    public static JsonlStart Now(string beginningFile, string path, long? told) => new(beginningFile, path) { _told = told };

    /// <summary>For a snapshot.</summary>
    /// <param name="length">The file's length, in bytes.</param>
    public string Mark(long length) => string.Create(CultureInfo.InvariantCulture, $"{length} {_path}");

    /// <summary>Whether all that is told again was told to another file before this one began.</summary>
    public bool PassesOver(long sequence) => sequence < First;

    /// <summary>Keeps where the file begins, if that is not known yet: before its first line.</summary>
    /// <param name="length">The file's length, in bytes.</param>
    /// <param name="sequence">The entry that the line comes of.</param>
    /// <exception cref="IOException">It cannot be kept.</exception>
    public void Begin(long length, long sequence)
    {
        if (_isBegun)
        {
            return;
        }

        long first = _told + 1 ?? sequence;
        ReplacedFile.Write(_beginningFile, JsonSerializer.SerializeToUtf8Bytes(new Beginning(_path, length, first), EventJson.Options), isSynced: true);
        (First, _isBegun) = (first, true);
    }

    private static Beginning? Read(string file)
    {
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize<Beginning>(File.ReadAllBytes(file), EventJson.Options) : null;
        }
        catch (JsonException)
        {
            // Written by hand: the mark counts.
            return null;
        }
    }

    private sealed record Beginning(string Path, long Length, long First);
}
