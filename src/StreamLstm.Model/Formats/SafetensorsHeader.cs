using System.Buffers;
using System.Text.Json;

namespace StreamLstm.Model.Formats;

/// <summary>The JSON in front of a safetensors file: name, type, sizes and place of every tensor, and text metadata.</summary>
internal sealed class SafetensorsHeader
{
    private const string MetadataName = "__metadata__";
    private const int NameLengthMax = 256;
    private const int RankMax = 8;
    private const int Alignment = 8;

    private readonly List<Entry> _entries = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsHeader()
    {
    }

    /// <summary>The tensors as listed; every range lies in the data and is as long as type and sizes say.</summary>
    public IReadOnlyList<Entry> Entries => _entries;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <exception cref="InvalidDataException">It is not such a header.</exception>
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, int dataLength)
    {
        if (json.Span is not [(byte)'{', ..])
        {
            throw new InvalidDataException("header: expected a JSON object");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(
                json, new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            var header = new SafetensorsHeader();

            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                header.Add(property, dataLength);
            }

            return header;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a text that is neither UTF-8 nor, escaped, UTF-16.
            throw new InvalidDataException($"header: {Printable(malformed.Message)}", malformed);
        }
    }

    /// <summary>The header's bytes, padded so that the tensors begin on a multiple of eight.</summary>
    public static byte[] Format(IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        json.WriteStartObject(MetadataName);

        foreach ((string name, string value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
        long begin = 0;

        foreach (NamedTensor tensor in tensors)
        {
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", "F32");
            json.WriteStartArray("shape");

            foreach (int size in tensor.Sizes)
            {
                json.WriteNumberValue(size);
            }

            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(begin);
            json.WriteNumberValue(begin += (long)sizeof(float) * tensor.Values.Length);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        int padding = -bytes.WrittenCount & (Alignment - 1);
        bytes.GetSpan(padding)[..padding].Fill((byte)' ');
        bytes.Advance(padding);
        return bytes.WrittenSpan.ToArray();
    }

    private void Add(JsonProperty property, int dataLength)
    {
        if (property.NameEquals(MetadataName))
        {
            AddMetadata(property.Value);
        }
        else if (_entries.Count == SafetensorsFile.TensorsMax)
        {
            throw new InvalidDataException($"more than {SafetensorsFile.TensorsMax} tensors");
        }
        else
        {
            _entries.Add(ParseEntry(Name(property.Name), property.Value, dataLength));
        }
    }

    private void AddMetadata(JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"header: {MetadataName} is {Printable(metadata.GetRawText())}, expected an object");
        }

        foreach (JsonProperty entry in metadata.EnumerateObject())
        {
            _metadata.Add(entry.Name, entry.Value.ValueKind == JsonValueKind.String
                ? entry.Value.GetString()!
                : throw new InvalidDataException($"header: {MetadataName}.{Printable(entry.Name)} is no text"));
        }
    }

    /// <summary>A name that can stand in a message and a log as it is.</summary>
    private static string Name(string name) =>
        name.Length is > 0 and <= NameLengthMax && !name.Any(char.IsControl)
            ? name
            : throw new InvalidDataException(
                $"tensor name '{Printable(name)}' of {name.Length} characters, expected 1 to {NameLengthMax}, all printable");

    private static Entry ParseEntry(string name, JsonElement entry, int dataLength)
    {
        if (entry.ValueKind != JsonValueKind.Object
            || !entry.TryGetProperty("dtype", out JsonElement type) || type.ValueKind != JsonValueKind.String
            || !entry.TryGetProperty("shape", out JsonElement shape) || shape.ValueKind != JsonValueKind.Array
            || !entry.TryGetProperty("data_offsets", out JsonElement offsets) || offsets.ValueKind != JsonValueKind.Array
            || offsets.GetArrayLength() != 2
            || entry.GetPropertyCount() != 3)
        {
            throw new InvalidDataException($"tensor {name}: expected dtype, shape and two data_offsets, and nothing else");
        }

        if (!type.ValueEquals("F32"))
        {
            throw new InvalidDataException($"tensor {name}: dtype {Printable(type.GetString()!)}, expected F32");
        }

        (int[] sizes, int bytes) = ParseSizes(name, shape);
        long begin = Integer(name, offsets[0]), end = Integer(name, offsets[1]);
        return begin >= 0 && end <= dataLength && begin <= end && end - begin == bytes
            ? new Entry(name, sizes, (int)begin, (int)end)
            : throw new InvalidDataException(
                $"tensor {name}: bytes {begin} to {end}, expected {bytes} of the {dataLength} that follow the header");
    }

    /// <summary>The sizes, and the bytes that they take together.</summary>
    private static (int[] Sizes, int Bytes) ParseSizes(string name, JsonElement shape)
    {
        if (shape.GetArrayLength() > RankMax)
        {
            throw new InvalidDataException($"tensor {name}: {shape.GetArrayLength()} dimensions, expected at most {RankMax}");
        }

        long[] sizes = [.. shape.EnumerateArray().Select(size => Integer(name, size))];
        long bytes = sizeof(float);

        foreach (long size in sizes)
        {
            // Each factor is small enough by then that the product cannot overflow.
            if (size < 1 || size > SafetensorsFile.FileBytesMax || (bytes *= size) > SafetensorsFile.FileBytesMax)
            {
                throw new InvalidDataException(
                    $"tensor {name}: shape ({string.Join(", ", sizes)}), expected sizes of 1 or more "
                    + $"and {SafetensorsFile.FileBytesMax} bytes at most");
            }
        }

        return ([.. sizes.Select(size => (int)size)], (int)bytes);
    }

    private static long Integer(string name, JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out long value)
            ? value
            : throw new InvalidDataException($"tensor {name}: {Printable(element.GetRawText())} is no whole number");

    /// <summary>What a file says, fit for a message: cut short, without control characters.</summary>
    internal static string Printable(string text) =>
        string.Concat(text.Take(NameLengthMax).Select(character => char.IsControl(character) ? '?' : character));

    /// <summary>A tensor's place among the bytes that follow the header.</summary>
    internal readonly record struct Entry(string Name, int[] Sizes, int Begin, int End);
}
