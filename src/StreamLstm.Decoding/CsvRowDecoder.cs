using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace StreamLstm.Decoding;

/// <summary>Rows of a CSV file: wide (a time, then one column per stream) or long (time, stream, value), by its header.</summary>
internal sealed class CsvRowDecoder
{
    private static readonly char[] Separators = [',', ';', '\t'];

    private readonly string[] _header;
    private readonly string _prefix;
    private readonly CsvLayout _layout;

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

    public void Decode(string[] row, int line, Decoded decoded)
    {
        if (row.AsSpan().SequenceEqual(_header))
        {
            // A rotated file begins with its header again.
            return;
        }

        if (row.Length != _header.Length)
        {
            decoded.Reject(line, $"{row.Length} columns, expected {_header.Length}", string.Join(',', row));
            return;
        }

        if (row.Length > Decoded.FieldsMax)
        {
            decoded.RejectFields(line, row.Length, Encoding.UTF8.GetBytes(string.Join(',', row.AsSpan(0, 100))));
            return;
        }

        DateTimeOffset? time = null;

        if (_layout.IsTimed)
        {
            string text = _layout.TimeText(row);

            if (!Timestamps.TryParse(text, out DateTimeOffset parsed))
            {
                decoded.Reject(
                    line, $"column {Shown(_layout.TimeName(_header))}: '{Shown(text)}', expected {Timestamps.Expectation}", string.Join(',', row));
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

        decoded.Reject(line, $"column {Shown(_header[column])}: '{Shown(row[column])}', expected a number", string.Join(',', row));
        return null;
    }

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
