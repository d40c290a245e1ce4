using System.Buffers.Binary;
using System.Text;

namespace StreamLstm.Decoding;

/// <summary>The fields of one protobuf message, in the order in which they come (protobuf.dev, encoding).</summary>
/// <exception cref="InvalidDataException">It ends within a field, or is no protobuf; thrown by every member that reads.</exception>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The field that was read.</summary>
    public int Field { get; private set; }

    /// <summary>How it is written: 0 varint, 1 64 bits, 2 with a length, 5 32 bits.</summary>
    public int WireType { get; private set; }

    /// <summary>Its value where it is a number: varint, 32 or 64 bits.</summary>
    public ulong Number { get; private set; }

    /// <summary>Its value where it has a length: a text, bytes, a message.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    public readonly float Float => BitConverter.UInt32BitsToSingle((uint)Number);

    public readonly double Double => BitConverter.UInt64BitsToDouble(Number);

    /// <summary>Reads the next field; false at the end.</summary>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        ulong tag = Varint();
        Field = (int)(tag >> 3);
        WireType = (int)(tag & 7);
        Number = 0;
        Bytes = default;

        switch (WireType)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                Bytes = Take(Varint());
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw new InvalidDataException($"field {Field} is of wire type {WireType}, expected 0, 1, 2 or 5");
        }

        return true;
    }

    /// <summary>Takes the next of numbers that stand one after the other without tags.</summary>
    /// <param name="rest">What is left of them.</param>
    /// <param name="wireType">How each is written: 0, 1 or 5.</param>
    public static ulong TakeNumber(ref ReadOnlySpan<byte> rest, int wireType)
    {
        var reader = new ProtobufReader(rest);
        ulong number = wireType switch
        {
            1 => BinaryPrimitives.ReadUInt64LittleEndian(reader.Take(8)),
            5 => BinaryPrimitives.ReadUInt32LittleEndian(reader.Take(4)),
            _ => reader.Varint(),
        };
        rest = reader._rest;
        return number;
    }

    private ulong Varint()
    {
        ulong value = 0;

        for (int i = 0; i < 10 && i < _rest.Length; i++)
        {
            value |= (ulong)(_rest[i] & 127) << (7 * i);

            if ((_rest[i] & 128) == 0)
            {
                _rest = _rest[(i + 1)..];
                return value;
            }
        }

        throw new InvalidDataException("a number ends within itself");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
        {
            throw new InvalidDataException($"a field of {length} bytes, of which {_rest.Length} are there");
        }

        ReadOnlySpan<byte> taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }
}
