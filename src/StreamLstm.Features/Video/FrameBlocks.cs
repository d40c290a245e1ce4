using System.Globalization;

namespace StreamLstm.Features.Video;

/// <summary>Pictures into records: of each block of a grid how bright it is, how much moves in it, and how many edges it has.</summary>
/// <remarks>
/// Brightness is the mean of the block, motion the mean of what each point differs from the picture before, edges the mean of what it
/// differs from its neighbours to the right and below; all from 0 to 255. So a column names its block, and what is odd of a picture has a place.
/// One camera's, in order.
/// </remarks>
public sealed class FrameBlocks
{
    /// <summary>Points of a side at most.</summary>
    public const int SideMax = 4_096;

    /// <summary>Blocks at most: three columns each, and two of the whole.</summary>
    public const int BlocksMax = 42;

    private const int PerBlock = 3;

    private readonly int _width;
    private readonly int _height;
    private readonly int _rows;
    private readonly int _columns;
    private readonly byte[] _before;
    private bool _hasBefore;

    /// <param name="width">Points of a row.</param>
    /// <param name="height">Rows of points.</param>
    /// <param name="rows">Rows of blocks.</param>
    /// <param name="columns">Blocks of a row.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is outside its range, or there are more blocks than points or <see cref="BlocksMax"/>.</exception>
    public FrameBlocks(int width, int height, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)rows * columns, BlocksMax, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 2 * columns);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 2 * rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, SideMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, SideMax);
        (_width, _height, _rows, _columns) = (width, height, rows, columns);
        _before = new byte[width * height];
        Columns =
        [
            .. Enumerable.Range(0, rows * columns).SelectMany(block => ((string[])["brightness", "motion", "edges"]).Select(what =>
                string.Create(CultureInfo.InvariantCulture, $"row {block / columns + 1} column {block % columns + 1} {what}"))),
            "brightness", "motion",
        ];
    }

    /// <summary>A record's columns: those of the blocks, from the top left one on, then those of the whole picture.</summary>
    public string[] Columns { get; }

    /// <summary>Bytes of a picture.</summary>
    public int FrameBytes => _width * _height;

    /// <summary>Takes a picture.</summary>
    /// <param name="frame">Its points from the top left one on, a byte each, 255 being white (FrameBytes).</param>
    /// <returns>Its record (columns); null of the first, as nothing is known of what moves.</returns>
    /// <exception cref="ArgumentException">The picture is of another size.</exception>
    public double[]? Take(ReadOnlySpan<byte> frame)
    {
        if (frame.Length != FrameBytes)
        {
            throw new ArgumentException($"a picture of {frame.Length} bytes, expected {FrameBytes}", nameof(frame));
        }

        double[]? record = _hasBefore ? Record(frame) : null;
        frame.CopyTo(_before);
        _hasBefore = true;
        return record;
    }

    private double[] Record(ReadOnlySpan<byte> frame)
    {
        var record = new double[Columns.Length];
        double brightness = 0, motion = 0;

        for (int row = 0; row < _rows; row++)
        {
            for (int column = 0; column < _columns; column++)
            {
                (long light, long moved, long edges, int points) = Block(
                    frame, row * _height / _rows, (row + 1) * _height / _rows, column * _width / _columns, (column + 1) * _width / _columns);
                int at = PerBlock * (row * _columns + column);
                (record[at], record[at + 1], record[at + 2]) = ((double)light / points, (double)moved / points, (double)edges / points);
                brightness += light;
                motion += moved;
            }
        }

        (record[^2], record[^1]) = (brightness / FrameBytes, motion / FrameBytes);
        return record;
    }

    private (long Light, long Moved, long Edges, int Points) Block(ReadOnlySpan<byte> frame, int top, int bottom, int left, int right)
    {
        long light = 0, moved = 0, edges = 0;

        for (int y = top; y < bottom; y++)
        {
            ReadOnlySpan<byte> line = frame.Slice(y * _width, _width), before = _before.AsSpan(y * _width, _width);
            ReadOnlySpan<byte> below = y + 1 < _height ? frame.Slice((y + 1) * _width, _width) : line;

            for (int x = left; x < right; x++)
            {
                int point = line[x];
                light += point;
                moved += Math.Abs(point - before[x]);
                edges += Math.Abs(point - line[Math.Min(x + 1, _width - 1)]) + Math.Abs(point - below[x]);
            }
        }

        return (light, moved, edges, (bottom - top) * (right - left));
    }
}
