using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf.Reflection;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Type;

namespace StreamLstm.Decoding.Schemas;

/// <summary>How one type of message is read: its fields under the names that the schema gives them.</summary>
internal sealed class ProtobufMessage(string name, DescriptorProto descriptor, bool isProto3, ProtobufTypes types)
{
    private const string WellKnown = "google.protobuf.";
    private const long NanosecondsPerSecond = 1_000_000_000, SecondsMax = 9_200_000_000;

    private Field[]? _fields;

    /// <summary>Its name with that of its package.</summary>
    public string Name { get; } = name;

    /// <summary>Messages defined within it, in their order.</summary>
    public List<ProtobufMessage> Nested { get; } = [];

    // Made when first asked for: a message may have itself as a field.
    private Field[] Fields => _fields ??= [.. descriptor.Fields.Select(one => new Field(one, isProto3, types))];

    /// <summary>Writes a message as an object; a time, a duration and the wrappers of numbers as what they stand for.</summary>
    /// <exception cref="InvalidDataException">It is not laid out so.</exception>
    public void Write(ReadOnlySpan<byte> message, SchemaWalk walk)
    {
        walk.Count();
        walk.Descend();
        List<Occurrence> found = Read(message);

        switch (Name)
        {
            case WellKnown + "Timestamp":
                long seconds = Last(found, 1);

                // Years that a count of nanoseconds can hold; the rest is no time of a measurement.
                walk.Time(
                    seconds is > -SecondsMax and < SecondsMax ? (seconds * NanosecondsPerSecond) + (Last(found, 2) % NanosecondsPerSecond)
                        : throw new InvalidDataException($"{seconds} s, expected a time of the years 1678 to 2261"),
                    NanosecondsPerSecond);
                break;
            case WellKnown + "Duration":
                walk.Number(Last(found, 1) + (Last(found, 2) / 1e9));
                break;
            case WellKnown + "DoubleValue" or WellKnown + "FloatValue" or WellKnown + "Int64Value" or WellKnown + "UInt64Value" or WellKnown + "Int32Value"
                or WellKnown + "UInt32Value" or WellKnown + "BoolValue" or WellKnown + "StringValue" or WellKnown + "BytesValue":
                Single(Fields[0], message, found, walk);
                break;
            default:
                walk.Json.WriteStartObject();

                foreach (Field field in Fields)
                {
                    bool isThere = found.Exists(one => one.Field == field.Number);

                    if (isThere || (field.IsZeroWhereAbsent && !field.IsRepeated))
                    {
                        walk.Json.WritePropertyName(field.Name);
                        walk.Enter(field.Name);
                        All(field, message, found, walk);
                        walk.Leave();
                    }
                }

                walk.Json.WriteEndObject();
                break;
        }

        walk.Ascend();
    }

    /// <summary>Where each field stands; fields come in any order, and repeated ones in between others.</summary>
    private static List<Occurrence> Read(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        List<Occurrence> found = [];

        while (reader.Next())
        {
            message.Overlaps(reader.Bytes, out int from);
            found.Add(new Occurrence(reader.Field, reader.WireType, reader.Number, reader.Bytes.IsEmpty ? 0 : from, reader.Bytes.Length));
        }

        return found;
    }

    private static long Last(List<Occurrence> found, int field)
    {
        int at = found.FindLastIndex(one => one.Field == field);
        return at < 0 ? 0 : found[at].WireType == 0 ? (long)found[at].Number : throw new InvalidDataException($"wire type {found[at].WireType}, expected 0");
    }

    private static void All(Field field, ReadOnlySpan<byte> message, List<Occurrence> found, SchemaWalk walk)
    {
        if (!field.IsRepeated)
        {
            Single(field, message, found, walk);
            return;
        }

        walk.Descend();

        if (field.Message is { IsMapEntry: true } entry)
        {
            walk.Json.WriteStartObject();

            foreach (Occurrence one in CollectionsMarshal.AsSpan(found))
            {
                if (one.Field == field.Number)
                {
                    entry.Entry(one.Of(message), walk);
                }
            }

            walk.Json.WriteEndObject();
        }
        else
        {
            walk.Json.WriteStartArray();

            foreach (Occurrence one in CollectionsMarshal.AsSpan(found))
            {
                if (one.Field == field.Number)
                {
                    Items(field, one, message, walk);
                }
            }

            walk.Json.WriteEndArray();
        }

        walk.Ascend();
    }

    private bool IsMapEntry => descriptor.Options?.MapEntry == true;

    /// <summary>A pair of a map: its key is the name, its value what stands under it.</summary>
    private void Entry(ReadOnlySpan<byte> pair, SchemaWalk walk)
    {
        List<Occurrence> found = Read(pair);
        Field key = Fields[0], value = Fields[1];
        int at = found.FindLastIndex(one => one.Field == key.Number);
        string name = at < 0 ? key.Type == Type.TypeString ? "" : "0"
            : found[at].WireType == 2 ? Encoding.UTF8.GetString(found[at].Of(pair))
            : key.Whole(found[at].Number).ToString(CultureInfo.InvariantCulture);
        walk.Json.WritePropertyName(name);
        walk.Enter(name);
        Single(value, pair, found, walk);
        walk.Leave();
    }

    /// <summary>The last of a field's values, which counts; 0 or empty where there is none.</summary>
    private static void Single(Field field, ReadOnlySpan<byte> message, List<Occurrence> found, SchemaWalk walk)
    {
        int at = found.FindLastIndex(one => one.Field == field.Number);
        Value(field, at < 0 ? new Occurrence(field.Number, field.WireType, 0, 0, 0) : found[at], message, walk);
    }

    private static void Items(Field field, Occurrence one, ReadOnlySpan<byte> message, SchemaWalk walk)
    {
        if (one.WireType != 2 || field.WireType == 2)
        {
            Value(field, one, message, walk);
            return;
        }

        // Packed: numbers one after the other, without their tags.
        for (ReadOnlySpan<byte> rest = one.Of(message); !rest.IsEmpty;)
        {
            Value(field, new Occurrence(field.Number, field.WireType, ProtobufReader.TakeNumber(ref rest, field.WireType), 0, 0), message, walk);
        }
    }

    private static void Value(Field field, Occurrence one, ReadOnlySpan<byte> message, SchemaWalk walk)
    {
        if (one.WireType != field.WireType)
        {
            throw new InvalidDataException($"wire type {one.WireType}, expected {field.WireType}: it was not written with this schema");
        }

        if (field.Message is { } inner)
        {
            inner.Write(one.Of(message), walk);
            return;
        }

        walk.Count();

        switch (field.Type)
        {
            case Type.TypeDouble:
                walk.Number(BitConverter.UInt64BitsToDouble(one.Number));
                break;
            case Type.TypeFloat:
                float single = BitConverter.UInt32BitsToSingle((uint)one.Number);

                // As it is written, not with the digits that a double would have.
                if (float.IsFinite(single))
                {
                    walk.Json.WriteNumberValue(single);
                }
                else
                {
                    walk.Number(single);
                }

                break;
            case Type.TypeBool:
                walk.Json.WriteBooleanValue(one.Number != 0);
                break;
            case Type.TypeUint64 or Type.TypeFixed64:
                walk.Json.WriteNumberValue(one.Number);
                break;
            case Type.TypeString:
                walk.Json.WriteStringValue(Encoding.UTF8.GetString(one.Of(message)));
                break;
            case Type.TypeBytes:
                walk.Json.WriteBase64StringValue(one.Of(message));
                break;
            case Type.TypeEnum when field.Symbols!.TryGetValue((int)one.Number, out string? symbol):
                walk.Json.WriteStringValue(symbol);
                break;
            default:
                walk.Json.WriteNumberValue(field.Whole(one.Number));
                break;
        }
    }

    /// <summary>A field where it stands in a message.</summary>
    private readonly record struct Occurrence(int Field, int WireType, ulong Number, int From, int Length)
    {
        public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> message) => message.Slice(From, Length);
    }

    /// <summary>A field as the schema has it.</summary>
    private sealed class Field
    {
        public Field(FieldDescriptorProto field, bool isProto3, ProtobufTypes types)
        {
            (Number, Name, Type) = (field.Number, field.Name, field.type);
            IsRepeated = field.label == FieldDescriptorProto.Label.LabelRepeated;
            IsZeroWhereAbsent = isProto3 && !field.Proto3Optional && !field.ShouldSerializeOneofIndex() && Type != Type.TypeMessage;
            WireType = Type switch
            {
                Type.TypeDouble or Type.TypeFixed64 or Type.TypeSfixed64 => 1,
                Type.TypeFloat or Type.TypeFixed32 or Type.TypeSfixed32 => 5,
                Type.TypeString or Type.TypeBytes or Type.TypeMessage => 2,
                Type.TypeGroup => 3,
                _ => 0,
            };
            Message = Type == Type.TypeMessage ? types.MessageOf(field) : null;

            if (Type == Type.TypeEnum)
            {
                Symbols = [];
                types.EnumOf(field).Values.ForEach(value => Symbols.TryAdd(value.Number, value.Name));
            }
        }

        public int Number { get; }

        public string Name { get; }

        public Type Type { get; }

        public int WireType { get; }

        public bool IsRepeated { get; }

        /// <summary>Whether 0 is not written.</summary>
        public bool IsZeroWhereAbsent { get; }

        public ProtobufMessage? Message { get; }

        public Dictionary<int, string>? Symbols { get; }

        /// <summary>A whole number as its type means the bits.</summary>
        public long Whole(ulong bits) => Type switch
        {
            Type.TypeSint32 or Type.TypeSint64 => (long)(bits >> 1) ^ -(long)(bits & 1),
            Type.TypeInt32 or Type.TypeSfixed32 or Type.TypeEnum => (int)bits,
            Type.TypeUint32 or Type.TypeFixed32 => (uint)bits,
            _ => (long)bits,
        };
    }
}
