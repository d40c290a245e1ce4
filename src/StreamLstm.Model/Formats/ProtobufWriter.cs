using System.Buffers;
using System.Text;

namespace StreamLstm.Model.Formats;

/// <summary>Writes the fields of a protocol buffers message.</summary>
/// <remarks>
/// The three kinds of field that ONNX needs, instead of a package and generated code for all of onnx.proto: the model
/// library has one dependency, and this is all of the format that writing takes. Encoding: protobuf.dev, Encoding.
/// </remarks>
internal sealed class ProtobufWriter
{
    private const int Varint = 0;
    private const int LengthDelimited = 2;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public void Integer(int field, long value)
    {
        WriteVarint((ulong)(field << 3 | Varint));
        WriteVarint((ulong)value);
    }

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        WriteVarint((ulong)(field << 3 | LengthDelimited));
        WriteVarint((ulong)value.Length);
        _bytes.Write(value);
    }

    /// <summary>A message within this one.</summary>
    public void Message(int field, ProtobufWriter inner) => Bytes(field, inner._bytes.WrittenSpan);

    /// <summary>A message within this one, written on the spot.</summary>
    public void Message(int field, Action<ProtobufWriter> write)
    {
        var inner = new ProtobufWriter();
        write(inner);
        Message(field, inner);
    }

    public void CopyTo(Stream stream) => stream.Write(_bytes.WrittenSpan);

    /// <summary>Seven bits a byte, the lowest first; the eighth says that more follow.</summary>
    private void WriteVarint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            WriteByte((byte)(value | 0x80));
        }

        WriteByte((byte)value);
    }

    private void WriteByte(byte value) => _bytes.Write([value]);
}
