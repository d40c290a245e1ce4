using Google.Protobuf.Reflection;

namespace StreamLstm.Decoding.Schemas;

/// <summary>Records of Protobuf's encoding (protobuf.dev, encoding), behind the path that says which message of the schema they are.</summary>
/// <remarks>
/// The library reads the text of schemas, so no descriptor need be made beforehand. A field that is not there and cannot be told from one
/// of value 0 (proto3 without optional) is 0: its producer meant that.
/// </remarks>
internal sealed class ProtobufRecordSchema : RecordSchema
{
    private const int PathMax = 16;
    private const string Root = "record.proto";

    private readonly List<ProtobufMessage> _messages;

    private ProtobufRecordSchema(List<ProtobufMessage> messages) => _messages = messages;

    /// <exception cref="InvalidDataException">It is no schema of Protobuf.</exception>
    public static new ProtobufRecordSchema Parse(SchemaText schema)
    {
        var set = new FileDescriptorSet();

        try
        {
            foreach ((string name, string text) in schema.References)
            {
                set.Add(name, includeInOutput: false, new StringReader(text));
            }

            set.Add(Root, includeInOutput: true, new StringReader(schema.Text));
            set.Process();
        }
#pragma warning disable CA1031 // the library may throw what it likes for what is no schema
        catch (Exception none)
#pragma warning restore CA1031
        {
            throw new InvalidDataException($"no schema of Protobuf: {none.Message}", none);
        }

        if (set.GetErrors().FirstOrDefault(error => error.IsError) is { } wrong)
        {
            throw new InvalidDataException($"no schema of Protobuf: line {wrong.LineNumber}: {wrong.Message}");
        }

        var types = new ProtobufTypes(set.Files);
        return new ProtobufRecordSchema([.. set.Files.First(file => file.Name == Root).MessageTypes.Select(message => types.Of(message))]);
    }

    protected override void Write(ReadOnlySpan<byte> record, SchemaWalk walk)
    {
        ProtobufMessage message = MessageOf(ref record);
        message.Write(record, walk);
    }

    /// <summary>The message that the record is: how many numbers follow, and each the place of a message within the last one. None is the first message.</summary>
    private ProtobufMessage MessageOf(ref ReadOnlySpan<byte> record)
    {
        long count = Number(ref record);

        if (count is < 0 or > PathMax)
        {
            throw new InvalidDataException($"{count} numbers that say which message it is, expected at most {PathMax}");
        }

        List<ProtobufMessage> within = _messages;
        ProtobufMessage? message = null;

        for (long left = Math.Max(1, count); left > 0; left--)
        {
            long index = count == 0 ? 0 : Number(ref record);
            message = index >= 0 && index < within.Count
                ? within[(int)index]
                : throw new InvalidDataException($"message {index} of {(message is null ? "the schema" : message.Name)}, which has {within.Count}");
            within = message.Nested;
        }

        return message!;
    }

    private static long Number(ref ReadOnlySpan<byte> rest)
    {
        ulong value = 0;

        for (int i = 0; i < 10 && i < rest.Length; i++)
        {
            value |= (ulong)(rest[i] & 127) << (7 * i);

            if ((rest[i] & 128) == 0)
            {
                rest = rest[(i + 1)..];
                return (long)(value >> 1) ^ -(long)(value & 1);
            }
        }

        throw new InvalidDataException("which message it is ends within itself");
    }
}

/// <summary>The messages and enumerations of a schema and of all that it imports, each made once, as they may refer to one another.</summary>
internal sealed class ProtobufTypes
{
    private readonly Dictionary<string, (DescriptorProto Message, bool IsProto3)> _messages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EnumDescriptorProto> _enums = new(StringComparer.Ordinal);
    private readonly Dictionary<DescriptorProto, ProtobufMessage> _made = [];

    public ProtobufTypes(IEnumerable<FileDescriptorProto> files)
    {
        foreach (FileDescriptorProto file in files)
        {
            string prefix = file.Package.Length > 0 ? $".{file.Package}" : "";
            file.EnumTypes.ForEach(type => _enums[$"{prefix}.{type.Name}"] = type);
            file.MessageTypes.ForEach(type => Add(prefix, type, file.Syntax == "proto3"));
        }
    }

    /// <summary>How a message is read.</summary>
    public ProtobufMessage Of(DescriptorProto message)
    {
        if (!_made.TryGetValue(message, out ProtobufMessage? made))
        {
            (string name, (_, bool isProto3)) = _messages.First(one => ReferenceEquals(one.Value.Message, message));
            made = new ProtobufMessage(name[1..], message, isProto3, this);
            _made.Add(message, made);
            made.Nested.AddRange(message.NestedTypes.Select(Of));
        }

        return made;
    }

    /// <summary>The message that a field is.</summary>
    public ProtobufMessage MessageOf(FieldDescriptorProto field) => Of(_messages[field.TypeName].Message);

    /// <summary>The enumeration that a field is of.</summary>
    public EnumDescriptorProto EnumOf(FieldDescriptorProto field) => _enums[field.TypeName];

    private void Add(string prefix, DescriptorProto message, bool isProto3)
    {
        string name = $"{prefix}.{message.Name}";
        _messages[name] = (message, isProto3);
        message.EnumTypes.ForEach(type => _enums[$"{name}.{type.Name}"] = type);
        message.NestedTypes.ForEach(nested => Add(name, nested, isProto3));
    }
}
