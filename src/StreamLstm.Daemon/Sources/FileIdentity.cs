using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StreamLstm.Daemon.Sources;

/// <summary>Which file it is, whatever it is called: its device and its number there. Both 0 where the system does not say.</summary>
internal readonly partial record struct FileIdentity(long Device, long Inode)
{
    private const int EmptyPath = 0x1000;      // AT_EMPTY_PATH: the descriptor itself
    private const uint InodeNumber = 0x100;    // STATX_INO

    public static FileIdentity Of(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            return default;
        }

        // struct statx (linux/stat.h), the same on every architecture: stx_ino at 32, stx_dev_major and _minor at 136.
        byte[] found = new byte[256];

        return Statx(file, "", EmptyPath, InodeNumber, found) != 0 ? default : new FileIdentity(
            ((long)BinaryPrimitives.ReadUInt32LittleEndian(found.AsSpan(136)) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(found.AsSpan(140)),
            BinaryPrimitives.ReadInt64LittleEndian(found.AsSpan(32)));
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle descriptor, string path, int flags, uint mask, [In, Out] byte[] found);
}
