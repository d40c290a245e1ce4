using Microsoft.Win32.SafeHandles;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources;

/// <summary>A file that is being read: which one it is, and its text, unpacked where it is packed.</summary>
/// <remarks>Positions are those of the text, which a restart unpacks again to the same bytes.</remarks>
internal sealed class OpenedFile : IDisposable
{
    private readonly SafeFileHandle _named;
    private FileStream? _unpacked;

    private OpenedFile(SafeFileHandle named, bool isPacked) => (_named, IsPacked, Identity) = (named, isPacked, FileIdentity.Of(named));

    /// <summary>Which file it is, whatever its name.</summary>
    public FileIdentity Identity { get; }

    /// <summary>Its text, which is unpacked when it is asked for first.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or no gzip.</exception>
    public SafeFileHandle Text => !IsPacked ? _named
        : (_unpacked ??= PackedFile.Unpack(new FileStream(new SafeFileHandle(_named.DangerousGetHandle(), ownsHandle: false), FileAccess.Read))).SafeFileHandle;

    private bool IsPacked { get; }

    /// <exception cref="IOException">It cannot be opened.</exception>
    public static OpenedFile Open(string path) =>
        new(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), PackedFile.Is(path));

    public void Dispose()
    {
        _unpacked?.Dispose();
        _named.Dispose();
    }
}
