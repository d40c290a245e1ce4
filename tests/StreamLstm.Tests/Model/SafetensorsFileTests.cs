using System.Buffers.Binary;
using System.Text;
using CsCheck;
using StreamLstm.Model;
using StreamLstm.Model.Formats;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

/// <summary>The container's own rules. The files here are hostile: hand-made headers, flipped bytes, claims of sizes that are not there.</summary>
public sealed class SafetensorsFileTests
{
    private static readonly string[] Hostile =
    [
        "", "\"", "{", "}", "[", "]", ",", ":", "0", "-1", "1e999", "9223372036854775807", "18446744073709551616", "1073741824",
        "null", "true", "\\ud800", "\\u0000", "\u00ff", "F32", "F64", "__metadata__", "\"shape\":[],", "{}", "[[[[[[", "  ",
    ];

    [Fact]
    public void What_was_written_is_read_again()
    {
        var written = new SafetensorsFile(
            [new NamedTensor("a", [2, 3], [1, 2, 3, 4, 5, 6]), new NamedTensor("scalar", [], [7]), new NamedTensor("größe \"b\"", [1], [8])],
            new Dictionary<string, string> { ["z"] = "1", ["a"] = "ä\n" });

        SafetensorsFile read = Read(Bytes(written));

        Assert.Equal(["a", "scalar", "größe \"b\""], read.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([2, 3], read.Tensors[0].Sizes);
        Assert.Equal([1, 2, 3, 4, 5, 6], read.Tensors[0].Values);
        Assert.Equal([], read.Tensors[1].Sizes);
        Assert.Equal([7f], read.Tensors[1].Values);
        Assert.Equal("ä\n", read.Metadata["a"]);
        Assert.Equal(Bytes(written), Bytes(read));
    }

    [Fact]
    public void Metadata_may_be_missing_and_tensors_stand_in_any_order()
    {
        SafetensorsFile read = Read(File(
            """{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"data_offsets":[0,4],"shape":[1,1],"dtype":"F32"}}""", 1, 2));

        Assert.Empty(read.Metadata);
        Assert.Equal([2f], read.Tensors.Single(tensor => tensor.Name == "b").Values);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "shape (0), expected sizes of 1 or more")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "shape (-2), expected sizes of 1 or more")]
    [InlineData("""{"a":{"dtype":"F32","shape":[65536,65536,65536,65536],"data_offsets":[0,8]}}""", "67108864 bytes at most")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967298],"data_offsets":[0,8]}}""", "67108864 bytes at most")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}}""", "67108864 bytes at most")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""", "9 dimensions, expected at most 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "bytes 8 to 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,-9223372036854775808]}}""", "bytes 0 to -9223372036854775808")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775807,-9223372036854775801]}}""", "bytes 9223372036854775807 to")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", "bytes 0 to 8, expected 4 of the 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,1e1]}}""", "1e1 is no whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}}""", "two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}""", "and nothing else")]
    [InlineData("""{"a":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}""", "dtype BF16, expected F32")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "overlap or leave a hole")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "begins at byte 4, expected 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes after the last tensor belong to none")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "header:")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "header:")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", "header:")]
    [InlineData("""{"__metadata__":{"k":"1","\u006b":"2"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "header:")]
    [InlineData("""{"__metadata__":{"k":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "__metadata__.k is no text")]
    [InlineData("""{"__metadata__":7,"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "__metadata__ is 7, expected an object")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "header:")]
    [InlineData("""{"a\u001b[31m":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "tensor name 'a?[31m' of 6 characters")]
    [InlineData("""{"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "of 0 characters, expected 1 to 256")]
    [InlineData("""{"a":[[[[[[]]]]]]}""", "header:")]
    [InlineData(""" {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "expected a JSON object")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}x""", "header:")]
    public void A_header_that_breaks_a_rule_is_refused(string header, string expected) =>
        Assert.Contains(expected, Refusal(File(header, 1, 2)), StringComparison.Ordinal);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_not_finite_is_refused_with_tensor_and_index(float value) =>
        Assert.Contains(
            "tensor b[1] is ",
            Refusal(File(
                """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 1, 2, value)),
            StringComparison.Ordinal);

    [Fact]
    public void More_tensors_bytes_or_header_than_the_limits_are_refused()
    {
        string tensors = string.Join(',', Enumerable.Range(0, 257).Select(
            i => $$""" "t{{i}}":{"dtype":"F32","shape":[1],"data_offsets":[{{4 * i}},{{4 * i + 4}}]} """));
        Assert.Contains("more than 256 tensors", Refusal(File($"{{{tensors}}}", new float[257])), StringComparison.Ordinal);

        string longHeader = $$""" {"__metadata__":{"k":"{{new string('x', 1 << 20)}}"} } """;
        Assert.Contains("expected at most 1048576", Refusal(File(longHeader)), StringComparison.Ordinal);

        using var endless = new EndlessStream();
        Assert.Contains(
            "more than 67108864 bytes", Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(endless)).Message, StringComparison.Ordinal);
        Assert.InRange(endless.Position, 64 << 20, 65 << 20);
    }

    [Fact]
    public void What_could_not_be_read_again_is_not_written()
    {
        var tooLarge = new LstmWeights(new LstmShape(1024, 1024, 2, 1));

        Assert.Throws<ArgumentException>(() => TorchStateDict.Write(new MemoryStream(), tooLarge));
        Assert.Throws<ArgumentException>(() => new SafetensorsFile(
            [.. Enumerable.Range(0, 257).Select(i => new NamedTensor($"{i}", [1], [0]))], new Dictionary<string, string>()).Write(new MemoryStream()));
    }

    [Fact]
    public void Flipped_bytes_and_cuts_end_in_a_reading_or_in_the_one_exception_and_take_no_memory_for_claims()
    {
        byte[][] files = [TorchFile(), ForecastFile()];
        Gen<byte[]> damaged =
            from file in AnyOf(files)
            from flips in Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte).Array[0, 6]
            from length in Gen.Frequency((3, Gen.Const(file.Length)), (1, Gen.Int[0, file.Length]))
            select Flip(file, flips)[..length];

        damaged.Sample(ReadAllWays, iter: 5_000);
    }

    [Fact]
    public void Hostile_headers_end_in_a_reading_or_in_the_one_exception_and_take_no_memory_for_claims()
    {
        byte[][] files = [TorchFile(), ForecastFile()];
        Gen<byte[]> damaged =
            from file in AnyOf(files)
            let header = Header(file)
            from edits in Gen.Select(Gen.Double[0, 1], Gen.Int[0, 12], AnyOf(Hostile)).Array[1, 4]
            select Replace(file, edits.Aggregate(header, Edit));

        damaged.Sample(ReadAllWays, iter: 5_000);

        static string Edit(string header, (double Place, int Removed, string Inserted) edit)
        {
            int place = (int)(edit.Place * header.Length);
            int removed = Math.Min(edit.Removed, header.Length - place);
            return header[..place] + edit.Inserted + header[(place + removed)..];
        }
    }

    [Theory]
    [InlineData("1024,1024,8,16,256,16")]
    [InlineData("1024,1024,8,1,2,0")]
    public void A_shape_that_only_the_metadata_claims_takes_no_memory(string claim)
    {
        byte[] file = ForecastFile();

        ReadAllWays(Replace(file, Header(file).Replace("2,3,2,2,4,1", claim, StringComparison.Ordinal)));
    }

    [Fact]
    public void Layers_that_only_their_names_claim_take_no_memory()
    {
        // The first layer says H = 512, and seven more have the name of a tensor alone: 67 MB of weights, were they believed.
        List<NamedTensor> tensors =
        [
            new("weight_ih_l0", [2048, 1], new float[2048]), new("weight_hh_l0", [2048, 512], new float[2048 * 512]),
            .. Enumerable.Range(1, 7).Select(layer => new NamedTensor($"weight_ih_l{layer}", [1, 1], [0])),
            new("head.weight", [1, 512], new float[512]),
        ];

        ReadAllWays(Bytes(new SafetensorsFile(tensors, new Dictionary<string, string>())));
    }

    /// <summary>Reads with every reader; what is thrown is declared, and memory follows the file's length, not its claims.</summary>
    private static void ReadAllWays(byte[] file)
    {
        ReadOneWay(stream => SafetensorsFile.Read(stream));
        ReadOneWay(stream => TorchStateDict.Read(stream));
        ReadOneWay(stream => WeightsFile.Read(stream, out _));

        void ReadOneWay(Action<Stream> read)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();

            try
            {
                read(new MemoryStream(file, writable: false));
            }
            catch (InvalidDataException refused)
            {
                Assert.InRange(refused.Message.Length, 1, 2_000);
                Assert.DoesNotContain('\u001b', refused.Message);
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (1 << 20) + 16L * file.Length);
        }
    }

    private static Gen<T> AnyOf<T>(T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static byte[] TorchFile()
    {
        using var file = new MemoryStream();
        TorchStateDict.Write(file, WeightInitializer.Create(new LstmShape(2, 3, 2, 2), 1));
        return file.ToArray();
    }

    private static byte[] ForecastFile()
    {
        using var file = new MemoryStream();
        WeightsFile.Write(
            file, WeightInitializer.Create(new ForecastShape(new LstmShape(2, 3, 2, 8), 2, 4, 1), 1), new Dictionary<string, string>());
        return file.ToArray();
    }

    private static byte[] Flip(byte[] file, (int Place, byte Mask)[] flips)
    {
        byte[] flipped = [.. file];

        foreach ((int place, byte mask) in flips)
        {
            flipped[place] ^= mask;
        }

        return flipped;
    }

    private static string Header(byte[] file) =>
        Encoding.UTF8.GetString(file, 8, (int)BinaryPrimitives.ReadInt64LittleEndian(file));

    private static byte[] Replace(byte[] file, string header)
    {
        int data = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        byte[] bytes = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)bytes.Length), .. bytes, .. file[data..]];
    }

    private static byte[] File(string header, params float[] values)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)bytes.Length), .. bytes, .. values.SelectMany(BitConverter.GetBytes)];
    }

    private static byte[] Bytes(SafetensorsFile file)
    {
        using var bytes = new MemoryStream();
        file.Write(bytes);
        return bytes.ToArray();
    }

    private static SafetensorsFile Read(byte[] file) => SafetensorsFile.Read(new MemoryStream(file));

    private static string Refusal(byte[] file) => Assert.Throws<InvalidDataException>(() => Read(file)).Message;

    /// <summary>Zeros without end, as a device or a bomb would give them.</summary>
    private sealed class EndlessStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Clear();
            Position += count;
            return count;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
