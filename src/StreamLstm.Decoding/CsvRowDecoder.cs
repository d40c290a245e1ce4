using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace StreamLstm.Decoding;

/// <summary>Rows of a CSV file: wide (a time, then one column per stream) or long (time, stream, value), by its header.</summary>
internal sealed class CsvRowDecoder
{
    private static readonly char[] Separators = [',', ';', '\t'];

    private const long CopiedMaxChars = 8 << 20;

    private readonly string[] _header;
    private readonly string _prefix;
    private readonly CsvLayout _layout;
    private byte[]? _beginning;   // of the row that is decoded, once a cell of it is wrong

    /// <param name="header">The first row.</param>
    /// <param name="prefix">Before the names of wide columns; for a single one the stream's whole name.</param>
    public CsvRowDecoder(string[] header, string prefix)
    {
        _header = [.. header.Select(column => column.Trim())];
        _prefix = prefix;
        _layout = new CsvLayout(_header);
    }

    public static CsvConfiguration Configuration(char separator) => new(CultureInfo.InvariantCulture)
    {
        Delimiter = separator.ToString(),
        HasHeaderRecord = false,
        BadDataFound = null,
        IgnoreBlankLines = true,
        MaxFieldSize = 1 << 20,
    };

    /// <summary>The separator that the header has most of.</summary>
    public static char SeparatorOf(string headerLine) =>
        Separators.MaxBy(candidate => headerLine.Count(c => c == candidate));

    /// <summary>The row that a parser has read, or null where its cells cost too much to take apart, which is told.</summary>
    /// <remarks>The library copies the whole row for each cell that has a quote where none belongs: of a megabyte of those, gigabytes.</remarks>
    public static string[]? Row(CsvParser parser, char separator, int line, Decoded decoded)
    {
        string raw = parser.RawRecord;
        long copied = raw.Contains('"', StringComparison.Ordinal) ? BadCells(raw, separator) * (long)raw.Length : 0;

        if (copied <= CopiedMaxChars)
        {
            return parser.Record ?? [];
        }

        decoded.Reject(
            line, $"a row of {raw.Length} characters with quotes inside cells, expected cells that have quotes to be in quotes themselves, and those in them doubled",
            raw[..Math.Min(raw.Length, 1024)]);
        return null;
    }

    /// <summary>How many cells have a quote where none belongs: within, or behind the one that ends it.</summary>
    private static int BadCells(string row, char separator)
    {
        int bad = 0;

        for (int i = 0; i < row.Length; i++)
        {
            bool isBad = false;

            if (row[i] == '"')
            {
                for (i++; i < row.Length && !(row[i] == '"' && (i + 1 == row.Length || row[i + 1] != '"')); i++)
                {
                    i += row[i] == '"' ? 1 : 0;
                }

                i++;
            }

            for (int begin = i; i < row.Length && row[i] != separator; i++)
            {
                isBad |= row[i] == '"' || (i == begin && begin > 0 && row[i - 1] == '"' && row[i] is not ('\r' or '\n'));
            }

            bad += isBad ? 1 : 0;
        }

        return bad;
    }

    public void Decode(string[] row, int line, Decoded decoded)
    {
        _beginning = null;

        if (row.AsSpan().SequenceEqual(_header))
        {
            // A rotated file begins with its header again.
            return;
        }

        if (row.Length != _header.Length)
        {
            decoded.Reject(line, $"{row.Length} columns, expected {_header.Length}", Beginning(row));
            return;
        }

        if (row.Length > Decoded.FieldsMax)
        {
            decoded.RejectFields(line, row.Length, Encoding.UTF8.GetBytes(Beginning(row)));
            return;
        }

        DateTimeOffset? time = null;

        if (_layout.IsTimed)
        {
            string text = _layout.TimeText(row);

            if (!Timestamps.TryParse(text, out DateTimeOffset parsed))
            {
                decoded.Reject(
                    line, $"column {Shown(_layout.TimeName(_header))}: '{Shown(text)}', expected {Timestamps.Expectation}", Beginning(row));
                return;
            }

            time = parsed;
        }

        if (_layout.StreamColumn >= 0)
        {
            if (Cell(row, _layout.ValueColumn, line, decoded) is { } value)
            {
                string stream = row[_layout.StreamColumn];
                decoded.Add(_prefix.Length > 0 ? $"{_prefix}/{stream}" : stream, time, value);
            }

            return;
        }

        bool single = _header.Length - _layout.TimeColumns == 1;

        for (int column = 0; column < row.Length; column++)
        {
            if (_layout.IsTime(column) || row[column].Length == 0 || Cell(row, column, line, decoded) is not { } value)
            {
                continue;
            }

            if (single || _prefix.Length == 0)
            {
                decoded.Add(_prefix.Length > 0 ? _prefix : _header[column], time, value);
            }
            else
            {
                decoded.AddField(_header[column], value);
            }
        }

        decoded.EndRecord(_prefix, time);
    }

    private double? Cell(string[] row, int column, int line, Decoded decoded)
    {
        if (double.TryParse(row[column], NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
        {
            return value;
        }

        _beginning ??= Encoding.UTF8.GetBytes(Beginning(row));
        decoded.Reject(line, $"column {Shown(_header[column])}: '{Shown(row[column])}', expected a number", _beginning);
        return null;
    }

    /// <summary>As much of a row as is kept of it: each of its cells may be wrong, and the whole row for each of them would be its square.</summary>
    private static string Beginning(string[] row)
    {
        int cells = 0;

        for (int length = 0; cells < row.Length && length < 1024; cells++)
        {
            length += row[cells].Length + 1;
        }

        return string.Join(',', row.AsSpan(0, cells).ToArray().Select(cell => cell.Length <= 1024 ? cell : cell[..1024]));
    }

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
