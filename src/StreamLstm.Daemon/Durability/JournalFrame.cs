using System.Buffers.Binary;
using System.IO.Hashing;

namespace StreamLstm.Daemon.Durability;

/// <summary>How the journal's files are laid out: a head, then one frame for each group of entries that was synced together.</summary>
/// <remarks>
/// <code>
/// head   magic 8 · first sequence 8 · number of the file before it, 0 for none 8 · hash 8
/// frame  magic 4 · payload length 4 · first sequence 8 · entries 4 · unused 4 · hash 8 · payload: (length 4 · bytes) for each entry
/// </code>
/// Little-endian. Hashes are XXH3 of all that is before them and of the payload behind them, seeded with the file's number, so
/// that a frame of another file fails even when it is whole. A frame is synced before the next is written: one that is bad with
/// a good one behind it was acknowledged and is damaged; a bad one with nothing behind it was being written when the end came.
/// </remarks>
internal static class JournalFrame
{
    public const int HeadBytes = 32;
    public const int FrameHeadBytes = 32;

    /// <summary>A group larger than this is not written, so a length beyond it is rubbish.</summary>
    public const int PayloadMaxBytes = 1 << 28;

    private const ulong HeadMagic = 0x314A_4D54_534C_5453;  // "STLSTMJ1"
    private const uint FrameMagic = 0x464A_4C53;            // "SLJF"

    public static byte[] Head(long number, long firstSequence, long before)
    {
        byte[] head = new byte[HeadBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(head, HeadMagic);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(8), firstSequence);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), before);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(24), XxHash3.HashToUInt64(head.AsSpan(0, 24), number));
        return head;
    }

    /// <summary>The first sequence a file may hold, and the number of the file before it; null where its head is not whole.</summary>
    public static (long FirstSequence, long Before)? ReadHead(ReadOnlySpan<byte> file, long number) =>
        file.Length >= HeadBytes
        && BinaryPrimitives.ReadUInt64LittleEndian(file) == HeadMagic
        && BinaryPrimitives.ReadUInt64LittleEndian(file[24..]) == XxHash3.HashToUInt64(file[..24], number)
            ? (BinaryPrimitives.ReadInt64LittleEndian(file[8..]), BinaryPrimitives.ReadInt64LittleEndian(file[16..]))
            : null;

    public static byte[] Write(long number, long firstSequence, IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        int length = entries.Sum(entry => 4 + entry.Length);
        byte[] frame = new byte[FrameHeadBytes + length];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, FrameMagic);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), length);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(8), firstSequence);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(16), entries.Count);
        int at = FrameHeadBytes;

        foreach (ReadOnlyMemory<byte> entry in entries)
        {
            BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(at), entry.Length);
            entry.Span.CopyTo(frame.AsSpan(at + 4));
            at += 4 + entry.Length;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(24), Hash(frame, number));
        return frame;
    }

    /// <summary>R7: the length of the whole frame that begins here, with its first sequence and its entries; null where it is not whole.</summary>
    public static (int Length, long FirstSequence, int Entries)? Read(ReadOnlySpan<byte> bytes, long number)
    {
        if (bytes.Length < FrameHeadBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != FrameMagic)
        {
            return null;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);

        if (length is < 0 or > PayloadMaxBytes || length > bytes.Length - FrameHeadBytes)
        {
            return null;
        }

        ReadOnlySpan<byte> frame = bytes[..(FrameHeadBytes + length)];
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]) == Hash(frame, number)
            ? (frame.Length, BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]))
            : null;
    }

    /// <summary>The entries of a whole frame.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Entries(ReadOnlyMemory<byte> frame)
    {
        for (int at = FrameHeadBytes; at < frame.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(frame.Span[at..]);
            yield return frame.Slice(at + 4, length);
            at += 4 + length;
        }
    }

    /// <summary>Whether a whole frame begins anywhere from here on.</summary>
    public static bool AnyIn(ReadOnlySpan<byte> bytes, long number)
    {
        Span<byte> magic = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, FrameMagic);

        while (bytes.IndexOf(magic) is >= 0 and int at)
        {
            if (Read(bytes[at..], number) is not null)
            {
                return true;
            }

            bytes = bytes[(at + 1)..];
        }

        return false;
    }

    private static ulong Hash(ReadOnlySpan<byte> frame, long number)
    {
        var hash = new XxHash3(number);
        hash.Append(frame[..24]);
        hash.Append(frame[FrameHeadBytes..]);
        return hash.GetCurrentHashAsUInt64();
    }
}
