using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace StreamLstm.Model.Formats;

/// <summary>Weights as a safetensors file, strict on reading: what is not exactly right is refused by name.</summary>
/// <remarks>
/// Layout: length of the header (u64, little endian), the header (JSON), the tensors (float32, little endian, row-major).
/// Names as PyTorch's state dict: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 (zero: one bias is enough), ...,
/// head.weight, head.bias; offset_kernels (K, A, 2B - 1). The shape stands in the metadata.
/// Format: huggingface/safetensors, README.
/// </remarks>
public static class WeightsFile
{
    private const int HeaderMaxBytes = 1 << 20;
    private const long FileMaxBytes = 64L << 20;
    private const int TensorsMax = 256;

    /// <summary>Writes the weights.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="weights">What.</param>
    /// <param name="metadata">Further entries for the header; "shape" is ours.</param>
    public static void Write(Stream file, ForecastWeights weights, IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(metadata);

        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("shape", Describe(weights.Shape));

            foreach ((string name, string value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            long offset = 0;

            foreach (Tensor tensor in Tensors(weights.Shape))
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
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // Padded so that the tensors begin on a multiple of eight.
        while (header.Length % 8 != 0)
        {
            header.WriteByte((byte)' ');
        }

        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        header.WriteTo(file);

        foreach (Tensor tensor in Tensors(weights.Shape))
        {
            file.Write(MemoryMarshal.AsBytes<float>(tensor.Read(weights)));
        }
    }

    /// <summary>Reads weights.</summary>
    /// <param name="file">From its beginning to its end.</param>
    /// <param name="metadata">The header's entries.</param>
    /// <exception cref="InvalidDataException">It is not such a file, too large, damaged, or a value is not finite; the message names the tensor.</exception>
    public static ForecastWeights Read(Stream file, out IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(file);
        byte[] bytes = ReadAll(file);
        int headerLength = HeaderLength(bytes);
        using JsonDocument header = ParseHeader(bytes.AsMemory(8, headerLength));
        metadata = Metadata(header.RootElement);
        ForecastShape shape = ParseShape(metadata);
        var weights = new ForecastWeights(shape);
        ReadOnlySpan<byte> data = bytes.AsSpan(8 + headerLength);
        Dictionary<string, JsonElement> entries = Entries(header.RootElement);
        var taken = new List<(long From, long To)>();

        foreach (Tensor tensor in Tensors(shape))
        {
            if (!entries.Remove(tensor.Name, out JsonElement entry))
            {
                throw new InvalidDataException($"tensor {tensor.Name} is missing");
            }

            long from = CheckEntry(tensor, entry, data.Length);
            taken.Add((from, from + tensor.Bytes));
            float[] values = MemoryMarshal.Cast<byte, float>(data.Slice((int)from, tensor.Bytes)).ToArray();

            for (int i = 0; i < values.Length; i++)
            {
                if (!float.IsFinite(values[i]))
                {
                    throw new InvalidDataException($"tensor {tensor.Name}[{i}] is {values[i]}, expected a finite number");
                }
            }

            tensor.Write(weights, values);
        }

        if (entries.Count > 0)
        {
            throw new InvalidDataException($"tensor {entries.Keys.First()} is not one of this network's");
        }

        RequireCover(taken, data.Length);
        return weights;
    }

    private static byte[] ReadAll(Stream file)
    {
        using var buffer = new MemoryStream();
        byte[] chunk = new byte[1 << 16];

        for (int read; (read = file.Read(chunk)) > 0;)
        {
            buffer.Write(chunk, 0, read);

            if (buffer.Length > FileMaxBytes)
            {
                throw new InvalidDataException($"more than {FileMaxBytes} bytes");
            }
        }

        return buffer.ToArray();
    }

    private static int HeaderLength(byte[] bytes)
    {
        if (bytes.Length < 8)
        {
            throw new InvalidDataException($"{bytes.Length} bytes, expected at least 8");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);

        if (length > HeaderMaxBytes || length > (ulong)bytes.Length - 8)
        {
            throw new InvalidDataException($"header of {length} bytes, expected at most {Math.Min(HeaderMaxBytes, bytes.Length - 8)}");
        }

        return (int)length;
    }

    private static JsonDocument ParseHeader(ReadOnlyMemory<byte> json)
    {
        try
        {
            JsonDocument header = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });

            if (header.RootElement.ValueKind == JsonValueKind.Object)
            {
                return header;
            }

            header.Dispose();
        }
        catch (JsonException malformed)
        {
            throw new InvalidDataException($"header: {malformed.Message}", malformed);
        }

        throw new InvalidDataException("header: expected an object");
    }

    private static Dictionary<string, string> Metadata(JsonElement header)
    {
        if (!header.TryGetProperty("__metadata__", out JsonElement metadata) || metadata.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException("header: __metadata__ is missing");
        }

        return metadata.EnumerateObject().ToDictionary(
            entry => entry.Name,
            entry => entry.Value.ValueKind == JsonValueKind.String
                ? entry.Value.GetString()!
                : throw new InvalidDataException($"header: __metadata__.{entry.Name} is no string"),
            StringComparer.Ordinal);
    }

    private static Dictionary<string, JsonElement> Entries(JsonElement header)
    {
        Dictionary<string, JsonElement> entries = header.EnumerateObject()
            .Where(entry => entry.Name != "__metadata__")
            .ToDictionary(entry => entry.Name, entry => entry.Value, StringComparer.Ordinal);
        return entries.Count <= TensorsMax
            ? entries
            : throw new InvalidDataException($"{entries.Count} tensors, expected at most {TensorsMax}");
    }

    /// <summary>The tensor's first byte, once type, sizes and range are what they must be.</summary>
    private static long CheckEntry(Tensor tensor, JsonElement entry, int dataLength)
    {
        if (entry.ValueKind != JsonValueKind.Object
            || !entry.TryGetProperty("dtype", out JsonElement type) || type.ValueKind != JsonValueKind.String
            || !entry.TryGetProperty("shape", out JsonElement sizes) || sizes.ValueKind != JsonValueKind.Array
            || !entry.TryGetProperty("data_offsets", out JsonElement offsets) || offsets.ValueKind != JsonValueKind.Array
            || offsets.GetArrayLength() != 2)
        {
            throw new InvalidDataException($"tensor {tensor.Name}: expected dtype, shape and two data_offsets");
        }

        if (type.GetString() != "F32")
        {
            throw new InvalidDataException($"tensor {tensor.Name}: dtype {type.GetString()}, expected F32");
        }

        long[] found = [.. sizes.EnumerateArray().Select(size => Integer(tensor, size))];

        if (!found.SequenceEqual(tensor.Sizes.Select(size => (long)size)))
        {
            throw new InvalidDataException(
                $"tensor {tensor.Name}: shape ({string.Join(", ", found)}), expected ({string.Join(", ", tensor.Sizes)})");
        }

        long from = Integer(tensor, offsets[0]), to = Integer(tensor, offsets[1]);
        return from >= 0 && to <= dataLength && to - from == tensor.Bytes
            ? from
            : throw new InvalidDataException(
                $"tensor {tensor.Name}: bytes {from} to {to}, expected {tensor.Bytes} of the {dataLength} that follow the header");
    }

    private static long Integer(Tensor tensor, JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out long value)
            ? value
            : throw new InvalidDataException($"tensor {tensor.Name}: {element.GetRawText()} is no whole number");

    private static void RequireCover(List<(long From, long To)> taken, long length)
    {
        long end = 0;

        foreach ((long from, long to) in taken.OrderBy(range => range.From))
        {
            if (from != end)
            {
                throw new InvalidDataException($"tensors overlap or leave a hole at byte {Math.Min(from, end)}");
            }

            end = to;
        }

        if (end != length)
        {
            throw new InvalidDataException($"{length - end} bytes after the last tensor belong to none");
        }
    }

    private static string Describe(ForecastShape shape) => string.Create(
        CultureInfo.InvariantCulture,
        $"{shape.Network.InputSize},{shape.Network.HiddenSize},{shape.Network.LayerCount},{shape.HorizonCount},{shape.BinCount},{shape.AnchorCount}");

    private static ForecastShape ParseShape(IReadOnlyDictionary<string, string> metadata)
    {
        string text = metadata.GetValueOrDefault("shape", "");
        int[] sizes = [.. text.Split(',').Select(part =>
            int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) ? size : -1)];

        if (sizes.Length != 6 || sizes.Contains(-1))
        {
            throw new InvalidDataException($"metadata shape is '{text}', expected six sizes: input,hidden,layers,horizons,bins,anchors");
        }

        try
        {
            return new ForecastShape(
                new LstmShape(sizes[0], sizes[1], sizes[2], checked(sizes[3] * sizes[4])), sizes[3], sizes[4], sizes[5]);
        }
        catch (Exception outside) when (outside is ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"metadata shape is '{text}': {outside.Message}", outside);
        }
    }

    private static IEnumerable<Tensor> Tensors(ForecastShape shape)
    {
        LstmShape network = shape.Network;
        int gates = 4 * network.HiddenSize;

        for (int layer = 0; layer < network.LayerCount; layer++)
        {
            int index = layer;
            yield return Matrix($"weight_ih_l{layer}", gates, network.LayerInputSize(layer), weights => weights.Network.Layer(index).InputWeights);
            yield return Matrix($"weight_hh_l{layer}", gates, network.HiddenSize, weights => weights.Network.Layer(index).RecurrentWeights);
            yield return Vector($"bias_ih_l{layer}", [gates], weights => weights.Network.Layer(index).Bias);
            yield return new Tensor(
                $"bias_hh_l{layer}", [gates], _ => new float[gates], (weights, values) => Add(values, weights.Network.Layer(index).Bias));
        }

        yield return Matrix("head.weight", network.OutputSize, network.HiddenSize, weights => weights.Network.OutputWeights);
        yield return Vector("head.bias", [network.OutputSize], weights => weights.Network.OutputBias);

        if (shape.AnchorCount > 0)
        {
            yield return Vector(
                "offset_kernels",
                [shape.HorizonCount, shape.AnchorCount, shape.KernelSize],
                weights => weights.Parameters[shape.Network.ParameterCount..]);
        }
    }

    private static Tensor Vector(string name, int[] sizes, Func<ForecastWeights, Span<float>> view) =>
        new(name, sizes, weights => view(weights).ToArray(), (weights, values) => values.CopyTo(view(weights)));

    /// <summary>Row-major in the file, by columns in memory.</summary>
    private static Tensor Matrix(string name, int rows, int columns, Func<ForecastWeights, Span<float>> view) =>
        new(
            name,
            [rows, columns],
            weights => Transpose(view(weights), columns, rows),
            (weights, values) => Transpose(values, rows, columns).CopyTo(view(weights)));

    private static float[] Transpose(ReadOnlySpan<float> matrix, int rows, int columns)
    {
        var transposed = new float[matrix.Length];

        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                transposed[c * rows + r] = matrix[r * columns + c];
            }
        }

        return transposed;
    }

    private static void Add(float[] values, Span<float> sums) =>
        System.Numerics.Tensors.TensorPrimitives.Add(sums, values, sums);

    private sealed record Tensor(
        string Name, int[] Sizes, Func<ForecastWeights, float[]> Read, Action<ForecastWeights, float[]> Write)
    {
        public int Bytes => sizeof(float) * Sizes.Aggregate((product, size) => checked(product * size));
    }
}
