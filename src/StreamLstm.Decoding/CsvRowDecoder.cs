using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace StreamLstm.Decoding;

/// <summary>Rows of a CSV file: wide (a time, then one column per stream) or long (time, stream, value), by its header.</summary>
internal sealed class CsvRowDecoder
{
    /// <summary>Columns of these names hold the stream of a row, where there is a column value.</summary>
    public static readonly IReadOnlyList<string> StreamNames = ["stream", "series", "sensor", "metric", "name", "id"];

    private static readonly char[] Separators = [',', ';', '\t'];

    private readonly string[] _header;
    private readonly string _prefix;
    private readonly int _timeColumn;
    private readonly int _streamColumn = -1;
    private readonly int _valueColumn = -1;

    /// <param name="header">The first row.</param>
    /// <param name="prefix">Before the names of wide columns; for a single one the stream's whole name.</param>
    public CsvRowDecoder(string[] header, string prefix)
    {
        _header = [.. header.Select(column => column.Trim())];
        _prefix = prefix;
        _timeColumn = Timestamps.TimeColumn(_header);
        int value = Array.FindIndex(_header, column => column.Equals("value", StringComparison.OrdinalIgnoreCase));
        int stream = Array.FindIndex(_header, column => StreamNames.Contains(column, StringComparer.OrdinalIgnoreCase));

        if (value >= 0 && stream >= 0)
        {
            _valueColumn = value;
            _streamColumn = stream;
        }
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

        if (_timeColumn >= 0)
        {
            if (!Timestamps.TryParse(row[_timeColumn], out DateTimeOffset parsed))
            {
                decoded.Reject(
                    line, $"column {Shown(_header[_timeColumn])}: '{Shown(row[_timeColumn])}', expected {Timestamps.Expectation}", string.Join(',', row));
                return;
            }

            time = parsed;
        }

        if (_streamColumn >= 0)
        {
            if (Cell(row, _valueColumn, line, decoded) is { } value)
            {
                decoded.Add(_prefix.Length > 0 ? $"{_prefix}/{row[_streamColumn]}" : row[_streamColumn], time, value);
            }

            return;
        }

        bool single = _header.Length - (_timeColumn >= 0 ? 1 : 0) == 1;

        for (int column = 0; column < row.Length; column++)
        {
            if (column == _timeColumn || row[column].Length == 0 || Cell(row, column, line, decoded) is not { } value)
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
