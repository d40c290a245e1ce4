using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace StreamLstm.Model.Formats;

/// <summary>A safetensors file: named tensors and text metadata, strict on reading, the same bytes for the same content.</summary>
/// <remarks>
/// Layout: length of the header (u64, little endian), the header (JSON), the tensors (float32, little endian, row-major).
/// Stricter than the format asks for: float32 and finite values only, no empty tensors, bounds on everything. Memory is
/// taken for bytes that are there, never for bytes that a header speaks of.
/// Format: huggingface/safetensors, README.
/// </remarks>
/// <param name="tensors">In the order of their bytes.</param>
/// <param name="metadata">Text entries.</param>
internal sealed class SafetensorsFile(IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
{
    public const int FileBytesMax = 64 << 20;
    public const int HeaderBytesMax = 1 << 20;
    public const int TensorsMax = 256;

    private const int LengthBytes = sizeof(ulong);

    public IReadOnlyList<NamedTensor> Tensors { get; } = tensors;

    public IReadOnlyDictionary<string, string> Metadata { get; } = metadata;

    /// <summary>Reads a file from where the stream stands to its end.</summary>
    /// <exception cref="InvalidDataException">It is not such a file, too large, damaged, or a value is not finite; the message names the tensor.</exception>
    public static SafetensorsFile Read(Stream file)
    {
        ReadOnlyMemory<byte> bytes = ReadAll(file);
        int dataStart = LengthBytes + HeaderLength(bytes.Span);
        ReadOnlySpan<byte> data = bytes.Span[dataStart..];
        SafetensorsHeader header = SafetensorsHeader.Parse(bytes[LengthBytes..dataStart], data.Length);
        RequireCover(header.Entries, data.Length);
        var tensors = new List<NamedTensor>();

        foreach (SafetensorsHeader.Entry entry in header.Entries)
        {
            var values = new float[(entry.End - entry.Begin) / sizeof(float)];
            data[entry.Begin..entry.End].CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
            RequireFinite(entry.Name, values);
            tensors.Add(new NamedTensor(entry.Name, entry.Sizes, values));
        }

        return new SafetensorsFile(tensors, header.Metadata);
    }

    /// <summary>Writes the file.</summary>
    /// <exception cref="ArgumentException">It would be larger than what <see cref="Read"/> accepts.</exception>
    public void Write(Stream file)
    {
        byte[] header = SafetensorsHeader.Format(Tensors, Metadata);
        long size = LengthBytes + header.Length + Tensors.Sum(tensor => (long)sizeof(float) * tensor.Values.Length);

        if (header.Length > HeaderBytesMax || Tensors.Count > TensorsMax || size > FileBytesMax)
        {
            throw new ArgumentException(
                $"{Tensors.Count} tensors with a header of {header.Length} bytes, {size} bytes in all; "
                + $"expected at most {TensorsMax}, {HeaderBytesMax} and {FileBytesMax}");
        }

        Span<byte> length = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);

        foreach (NamedTensor tensor in Tensors)
        {
            file.Write(MemoryMarshal.AsBytes<float>(tensor.Values));
        }
    }

    private static ReadOnlyMemory<byte> ReadAll(Stream file)
    {
        var buffer = new MemoryStream();
        byte[] chunk = new byte[1 << 16];

        for (int read; (read = file.Read(chunk)) > 0;)
        {
            if (buffer.Length + read > FileBytesMax)
            {
                throw new InvalidDataException($"more than {FileBytesMax} bytes");
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
    }

    private static int HeaderLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < LengthBytes)
        {
            throw new InvalidDataException($"{bytes.Length} bytes, expected at least {LengthBytes}");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        int longest = Math.Min(HeaderBytesMax, bytes.Length - LengthBytes);
        return length <= (ulong)longest
            ? (int)length
            : throw new InvalidDataException($"header of {length} bytes, expected at most {longest}");
    }

    /// <summary>Every byte after the header belongs to one tensor: nothing is hidden, nothing read twice.</summary>
    private static void RequireCover(IReadOnlyList<SafetensorsHeader.Entry> entries, int length)
    {
        int end = 0;

        foreach (SafetensorsHeader.Entry entry in entries.OrderBy(entry => entry.Begin))
        {
            if (entry.Begin != end)
            {
                throw new InvalidDataException(
                    $"tensor {entry.Name} begins at byte {entry.Begin}, expected {end}: tensors overlap or leave a hole");
            }

            end = entry.End;
        }

        if (end != length)
        {
            throw new InvalidDataException($"{length - end} bytes after the last tensor belong to none");
        }
    }

    private static void RequireFinite(string name, float[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                throw new InvalidDataException($"tensor {name}[{i}] is {values[i]}, expected a finite number");
            }
        }
    }
}
