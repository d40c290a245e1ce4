using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Features.Video;

namespace StreamLstm.Tests.Features;

public sealed class FrameBlocksTests
{
    private const int Width = 16, Height = 12;

    [Fact]
    public void Each_column_is_of_its_block()
    {
        var blocks = new FrameBlocks(Width, Height, rows: 3, columns: 4);
        var frame = new byte[Width * Height];
        Assert.Null(blocks.Take(frame));

        // The block of row 2, column 3 becomes white.
        Fill(frame, 8, 4, 255);
        double[] record = blocks.Take(frame)!;

        Assert.Equal((255, 255), (Value("row 2 column 3 brightness"), Value("row 2 column 3 motion")));
        Assert.True(Value("row 2 column 3 edges") > 0);
        Assert.Equal((0, 0), (Value("row 1 column 1 brightness"), Value("row 3 column 4 motion")));
        Assert.Equal((255 / 12.0, 255 / 12.0), (Value("brightness"), Value("motion")));

        // What stays does not move.
        Assert.Equal(0, blocks.Take(frame)![Array.IndexOf(blocks.Columns, "row 2 column 3 motion")]);

        double Value(string column) => record[Array.IndexOf(blocks.Columns, column)];
    }

    [Fact]
    public void Pictures_are_cut_out_of_bytes_that_come_in_any_pieces()
    {
        var decoded = new Decoded(new IngestStamp(new FakeTimeProvider()), RecordRules.All);
        DateTimeOffset start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var decoder = new VideoDecoder("hall", new FrameBlocks(Width, Height, 3, 4), start, TimeSpan.FromSeconds(0.2));
        var bytes = new byte[5 * Width * Height + 17];
        new Random(1).NextBytes(bytes);

        foreach (byte[] piece in bytes.Chunk(100))
        {
            decoder.Decode(piece, decoded);
        }

        // The first has none before it, and the last is not whole.
        Assert.Equal([0.2, 0.4, 0.6, 0.8], decoded.Observations.Select(one => Math.Round((one.Time - start).TotalSeconds, 3)));
        Assert.All(decoded.Observations, one => Assert.Equal(38, one.Record!.Values.Length));
    }

    [Theory]
    [InlineData(16, 12, 7, 7)]
    [InlineData(3, 12, 1, 4)]
    [InlineData(5_000, 12, 1, 4)]
    public void Sizes_outside_their_ranges_are_refused(int width, int height, int rows, int columns) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameBlocks(width, height, rows, columns));

    private static void Fill(byte[] frame, int left, int top, byte light)
    {
        for (int y = top; y < top + 4; y++)
        {
            frame.AsSpan(y * Width + left, 4).Fill(light);
        }
    }
}
