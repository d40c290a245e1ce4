using System.Globalization;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace StreamLstm.Daemon.Sources;

/// <summary>Up to where a file has been read: which file, by its number and by how it begins, and which byte of it.</summary>
/// <param name="File">Which file.</param>
/// <param name="Offset">The first byte that was not read.</param>
/// <param name="Skip">Observations behind it that were taken in already: what is decoded together may be more than one batch.</param>
/// <param name="Line">Lines before it.</param>
/// <param name="LogTicks">Of a log, the last line's time, which lines without one share; 0 for none.</param>
/// <param name="Header">Of CSV, where the header stands that the next row has, as a file may go on with another one; 0 for its beginning.</param>
/// <param name="HeadLength">Length of the beginning that was hashed.</param>
/// <param name="HeadHash">XXH3 of the beginning: a file that was cut and written anew begins otherwise, whatever its length.</param>
internal sealed record FilePosition(FileIdentity File, long Offset, int Skip, int Line, long LogTicks, long Header, int HeadLength, ulong HeadHash)
{
    private const int HeadMax = 4096;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"2:{File.Device}:{File.Inode}:{Offset}:{Skip}:{Line}:{LogTicks}:{HeadLength}:{HeadHash}:{Header}");

    /// <summary>What <see cref="ToString"/> wrote, or the version before it, which knew of the first header only; null for anything else.</summary>
    public static FilePosition? Parse(string? text)
    {
        string[] parts = text?.Split(':') ?? [];
        long[] numbers = new long[7];
        long header = 0;

        if ((parts is not ["1", _, _, _, _, _, _, _, _] && !(parts is ["2", _, _, _, _, _, _, _, _, _] && TryParse(parts[9], out header)))
            || !ulong.TryParse(parts[8], NumberStyles.None, CultureInfo.InvariantCulture, out ulong hash))
        {
            return null;
        }

        for (int i = 0; i < numbers.Length; i++)
        {
            if (!TryParse(parts[i + 1], out numbers[i]))
            {
                return null;
            }
        }

        return new FilePosition(
            new FileIdentity(numbers[0], numbers[1]), numbers[2], (int)numbers[3], (int)numbers[4], numbers[5], header, (int)numbers[6], hash);
    }

    /// <summary>The length and hash of a file's beginning, up to the byte that has been read.</summary>
    public static (int Length, ulong Hash) HeadOf(SafeFileHandle file, long offset) => Hash(file, (int)Math.Min(HeadMax, offset));

    /// <summary>Whether the file still begins as it did, and is not shorter than what was read of it.</summary>
    public bool IsStill(SafeFileHandle file) =>
        RandomAccess.GetLength(file) >= Offset && Hash(file, HeadLength) == (HeadLength, HeadHash);

    private static bool TryParse(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static (int Length, ulong Hash) Hash(SafeFileHandle file, int length)
    {
        byte[] head = new byte[length];
        int read = 0;

        for (int count; read < length && (count = RandomAccess.Read(file, head.AsSpan(read), read)) > 0; read += count)
        {
        }

        return (read, XxHash3.HashToUInt64(head.AsSpan(0, read)));
    }
}
