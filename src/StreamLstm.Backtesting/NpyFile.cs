using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace StreamLstm.Backtesting;

/// <summary>
/// A NumPy array in a file of its own (NEP 1: magic, version, header length, a Python dictionary, then the numbers):
/// one or two dimensions of little-endian f4 or f8 in C order, and nothing else.
/// </summary>
internal sealed partial class NpyFile
{
    private const int HeaderBytesMax = 1 << 16;
    private const int ColumnsMax = 1 << 16;

    private readonly Stream _stream;
    private readonly RowProblems _problems;
    private readonly int _itemBytes;

    /// <summary>Reads the header, and holds it against the file's length.</summary>
    /// <exception cref="SeriesException">It is no such file.</exception>
    public NpyFile(Stream stream, RowProblems problems)
    {
        _stream = stream;
        _problems = problems;
        string header = Header();
        Match described = Description().Match(header);

        if (!described.Success)
        {
            throw problems.Fatal(
                $"header {header.Trim()}: expected descr '<f4' or '<f8', fortran_order False and a shape of one or two dimensions");
        }

        _itemBytes = described.Groups["size"].ValueSpan[0] - '0';
        Rows = Length(described.Groups["rows"], int.MaxValue);
        Columns = described.Groups["columns"].Success ? (int)Length(described.Groups["columns"], ColumnsMax) : 1;
        long expected = Rows * Columns * _itemBytes;

        if (stream.Length - stream.Position != expected)
        {
            throw problems.Fatal($"{stream.Length - stream.Position} bytes behind the header, expected {expected}: {Rows} x {Columns} values of {_itemBytes} bytes");
        }
    }

    public long Rows { get; }

    public int Columns { get; }

    /// <summary>The rows: (Columns) each, every time the same array; NaN is a missing value.</summary>
    public IEnumerable<double[]> Read()
    {
        var values = new double[Columns];
        var bytes = new byte[Columns * _itemBytes];

        for (long row = 0; row < Rows; row++)
        {
            _stream.ReadExactly(bytes);

            for (int column = 0; column < Columns; column++)
            {
                ReadOnlySpan<byte> item = bytes.AsSpan(column * _itemBytes, _itemBytes);
                values[column] = _itemBytes == 8
                    ? BinaryPrimitives.ReadDoubleLittleEndian(item)
                    : BinaryPrimitives.ReadSingleLittleEndian(item);
            }

            yield return values;
        }
    }

    private string Header()
    {
        Span<byte> start = stackalloc byte[12];

        if (_stream.ReadAtLeast(start[..10], 10, throwOnEndOfStream: false) < 10
            || start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
        {
            throw _problems.Fatal("no NumPy array: it does not begin with \\x93NUMPY");
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);

        if (start[6] is not (1 or 2 or 3))
        {
            throw _problems.Fatal($"version {start[6]}.{start[7]} of the format, expected 1, 2 or 3");
        }

        if (start[6] > 1)
        {
            // Since version 2 the length has four bytes.
            if (_stream.ReadAtLeast(start[10..], 2, throwOnEndOfStream: false) < 2)
            {
                throw _problems.Fatal("the header is cut off");
            }

            length = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(start[8..]), int.MaxValue);
        }

        if (length > HeaderBytesMax)
        {
            throw _problems.Fatal($"a header of {length} bytes, expected at most {HeaderBytesMax}");
        }

        var header = new byte[length];
        return _stream.ReadAtLeast(header, length, throwOnEndOfStream: false) == length
            ? Encoding.Latin1.GetString(header)
            : throw _problems.Fatal("the header is cut off");
    }

    private long Length(Group written, int most) =>
        long.TryParse(written.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out long length) && length <= most && length > 0
            ? length
            : throw _problems.Fatal($"shape: '{written.Value}', expected 1 to {most}");

    [GeneratedRegex(@"^\{\s*'descr':\s*'<f(?<size>[48])',\s*'fortran_order':\s*False,\s*'shape':\s*\((?<rows>\d+),\s*(?<columns>\d+)?,?\s*\),?\s*\}\s*$")]
    private static partial Regex Description();
}
