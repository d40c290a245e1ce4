namespace StreamLstm.Daemon.Durability;

/// <summary>As much of a disk as durability needs, and no more: small enough to be simulated with every fault a disk has.</summary>
/// <remarks>Paths are relative to the storage directory. Nothing here survives a power loss before it is synced.</remarks>
internal interface IDisk
{
    /// <summary>The names of the files in a folder, in no order; none where there is no folder.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>Makes a new file, which must not be there, and its folder.</summary>
    IDiskFile Create(string path);

    /// <summary>Opens a file to be read.</summary>
    Stream OpenRead(string path);

    /// <summary>Gives a file another name, in place of the file that had it.</summary>
    void Rename(string from, string to);

    void Delete(string path);

    /// <summary>Makes the names in a folder survive: those that were given, and those that were taken away.</summary>
    void SyncFolder(string folder);
}

/// <summary>A file that is only ever appended to.</summary>
internal interface IDiskFile : IDisposable
{
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Makes what was appended survive. Where it fails, nothing is known of what did, and the file is not used again.</summary>
    void Sync();
}
