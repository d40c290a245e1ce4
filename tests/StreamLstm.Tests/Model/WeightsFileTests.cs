using System.Buffers.Binary;
using System.Text;
using StreamLstm.Model;
using StreamLstm.Model.Formats;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

public sealed class WeightsFileTests
{
    private static readonly ForecastShape Shape = new(new LstmShape(2, 3, 2, 8), 2, 4, 1);

    [Fact]
    public void What_was_written_is_read_again_with_its_metadata()
    {
        ForecastWeights weights = Random();

        ForecastWeights read = WeightsFile.Read(
            new MemoryStream(Write(weights)), out IReadOnlyDictionary<string, string> metadata);

        Assert.Equal(Shape, read.Shape);
        Assert.True(weights.Parameters.SequenceEqual(read.Parameters));
        Assert.Equal("7", metadata["version"]);
    }

    [Fact]
    public void Matrices_are_row_major_in_the_file_as_pytorch_has_them()
    {
        ForecastWeights weights = Random();
        byte[] file = Write(weights);
        int data = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);

        // weight_ih_l0 (12, 2) comes first: its second float is row 0, column 1.
        Assert.Equal(weights.Network.Layer(0).InputWeights[12], BinaryPrimitives.ReadSingleLittleEndian(file.AsSpan(data + 4)));
    }

    [Theory]
    [InlineData("\"F32\"", "\"F64\"", "tensor weight_ih_l0: dtype F64, expected F32")]
    [InlineData("[12,2]", "[2,12]", "tensor weight_ih_l0: shape (2, 12), expected (12, 2)")]
    [InlineData("[12,2]", "[99999999999,2]", "tensor weight_ih_l0: shape (99999999999, 2)")]
    [InlineData("[12,2]", "[1.5,2]", "tensor weight_ih_l0: 1.5 is no whole number")]
    [InlineData("\"weight_hh_l0\"", "\"weight_xx_l0\"", "tensor weight_hh_l0 is missing")]
    [InlineData("\"head.bias\"", "\"head.weight\"", "header:")]
    [InlineData("[0,96]", "[4,100]", "overlap or leave a hole")]
    [InlineData("[0,96]", "[-96,0]", "bytes -96 to 0")]
    [InlineData("[0,96]", "[0,9999999]", "bytes 0 to 9999999")]
    [InlineData("\"shape\":\"2,3,2,2,4,1\"", "\"shape\":\"2,3,2,2,4\"", "expected six sizes")]
    [InlineData("\"shape\":\"2,3,2,2,4,1\"", "\"shape\":\"2,99999,2,2,4,1\"", "expected 1 to 1024")]
    [InlineData("\"shape\":\"2,3,2,2,4,1\"", "\"shape\":\"2,3,1,2,4,1\"", "is not one of this network's")]
    [InlineData("{\"__metadata__\"", "[\"__metadata__\"", "header:")]
    [InlineData("\"__metadata__\":{\"shape\":\"2,3,2,2,4,1\",\"version\":\"7\"},", "", "__metadata__ is missing")]
    [InlineData("\"__metadata__\"", "\"__metadate__\"", "tensor __metadate__: expected dtype, shape and two data_offsets")]
    public void A_header_that_is_not_exactly_right_is_refused_by_name(string from, string to, string expected)
    {
        byte[] file = Write(Random());
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        string header = Encoding.UTF8.GetString(file, 8, length);
        int place = header.IndexOf(from, StringComparison.Ordinal);
        Assert.True(place >= 0, header);
        byte[] changed = Encoding.UTF8.GetBytes(header[..place] + to + header[(place + from.Length)..]);
        byte[] damaged = [.. BitConverter.GetBytes((long)changed.Length), .. changed, .. file[(8 + length)..]];

        Assert.Contains(expected, Refusal(damaged), StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_is_not_finite_is_refused_with_its_index()
    {
        ForecastWeights weights = Random();
        weights.Network.OutputBias[5] = float.NaN;

        Assert.Contains("tensor head.bias[5] is NaN", Refusal(Write(weights)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_cut_short_anywhere_or_with_something_behind_is_refused()
    {
        byte[] file = Write(Random());

        for (int length = 0; length < file.Length; length++)
        {
            Assert.NotEmpty(Refusal(file[..length]));
        }

        Assert.Contains("bytes after the last tensor belong to none", Refusal([.. file, 0, 0, 0, 0]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_length_beyond_reason_is_refused_before_anything_is_allocated()
    {
        byte[] file = Write(Random());
        BinaryPrimitives.WriteUInt64LittleEndian(file, ulong.MaxValue);

        Assert.Contains("expected at most", Refusal(file), StringComparison.Ordinal);
    }

    private static ForecastWeights Random()
    {
        var weights = new ForecastWeights(Shape);
        Chance.Normal(new Random(1), Shape.ParameterCount).CopyTo(weights.Parameters);
        return weights;
    }

    private static byte[] Write(ForecastWeights weights)
    {
        using var file = new MemoryStream();
        WeightsFile.Write(file, weights, new Dictionary<string, string> { ["version"] = "7" });
        return file.ToArray();
    }

    private static string Refusal(byte[] file) =>
        Assert.Throws<InvalidDataException>(() => WeightsFile.Read(new MemoryStream(file), out _)).Message;
}
