using System.Text;

namespace StreamLstm.Tests.Support;

/// <summary>Writes fields of Protocol Buffers, byte by byte: messages as their senders make them.</summary>
internal static class Proto
{
    public static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    /// <summary>A message within a message.</summary>
    public static byte[] Message(int field, params byte[][] fields) => Bytes(field, [.. fields.SelectMany(bytes => bytes)]);

    public static byte[] Bytes(int field, byte[] bytes) => [.. Varint((ulong)(field << 3 | 2)), .. Varint((ulong)bytes.Length), .. bytes];

    public static byte[] Number(int field, long number) => [.. Varint((ulong)(field << 3)), .. Varint((ulong)number)];

    public static byte[] Fixed(int field, ulong number) => [.. Varint((ulong)(field << 3 | 1)), .. BitConverter.GetBytes(number)];

    public static byte[] Double(int field, double number) => Fixed(field, BitConverter.DoubleToUInt64Bits(number));

    public static byte[] Varint(ulong number)
    {
        List<byte> bytes = [];

        for (; number > 127; number >>= 7)
        {
            bytes.Add((byte)(number | 128));
        }

        return [.. bytes, (byte)number];
    }
}
