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

    private readonly string _prefix;
    private readonly char _separator;
    private readonly CsvRules _rules;
    private string[] _header = [];
    private CsvLayout _layout;
    private CsvCells _cells;
    private CsvMixture _mixture;
    private double?[] _values = [];
    private bool[] _isText = [];
    private bool _isSingle;       // one column of values
    private bool _hasBegun;       // a row was read
    private string? _refusal;     // why no row of the file is taken
    private byte[]? _beginning;   // of the row that is decoded, once a cell of it is wrong

    /// <param name="header">The first row.</param>
    /// <param name="prefix">Before the names of wide columns; for a single one the stream's whole name.</param>
    /// <param name="separator">Between cells.</param>
    /// <param name="rules">What the user says of the columns; null for nothing.</param>
    public CsvRowDecoder(string[] header, string prefix, char separator = ',', CsvRules? rules = null)
    {
        (_prefix, _separator, _rules) = (prefix, separator, rules ?? CsvRules.Default);
        Begin(header);
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

    /// <returns>Whether it was another header, which the rows behind it have.</returns>
    public bool Decode(string[] row, int line, Decoded decoded)
    {
        _beginning = null;

        if (!row.AsSpan().SequenceEqual(_header) && _layout.IsNextHeader(row))
        {
            Begin(row);
            return true;
        }

        DecodeValues(row, line, decoded);
        return false;
    }

    private void DecodeValues(string[] row, int line, Decoded decoded)
    {
        if (row.AsSpan().SequenceEqual(_header) || IsAnnotation(row))
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

        _refusal ??= _layout.Wrong ?? (_hasBegun ? null : _layout.UnknownTime(row));
        _hasBegun = true;

        if (_refusal is not null)
        {
            decoded.Reject(line, _refusal, Beginning(row));
            return;
        }

        DateTimeOffset? time = null;

        if (_layout.IsTimed)
        {
            string text = _layout.TimeText(row);

            if (!Timestamps.TryParse(text, out DateTimeOffset parsed, _rules.Zone))
            {
                decoded.Reject(
                    line, $"column {Shown(_layout.TimeName(_header))}: '{Shown(text)}', expected {Timestamps.Expectation}", Beginning(row));
                return;
            }

            time = parsed;
        }

        string stream = _layout.NamesStreams ? _layout.StreamOf(row, _prefix) : _prefix;
        ReadCells(row, line, stream, decoded);

        if (!_layout.NamesStreams && _mixture.Look(row, column => _isText[column], time) is { } mixed)
        {
            decoded.Reject(line, mixed, Beginning(row));
            return;
        }

        Add(stream, time, decoded);
    }

    private void Add(string stream, DateTimeOffset? time, Decoded decoded)
    {
        for (int column = 0; column < _header.Length; column++)
        {
            if (_values[column] is not { } value)
            {
                continue;
            }

            if (_layout.NamesStreams && _layout.ValueColumn >= 0)
            {
                decoded.Add(stream, time, value);
            }
            else if (!_layout.NamesStreams && (_isSingle || _prefix.Length == 0))
            {
                decoded.Add(_prefix.Length > 0 ? _prefix : _header[column], time, value);
            }
            else
            {
                decoded.AddField(_header[column], value);
            }
        }

        decoded.EndRecord(stream, time);
    }

    private void ReadCells(string[] row, int line, string stream, Decoded decoded)
    {
        for (int column = 0; column < row.Length; column++)
        {
            (_values[column], _isText[column]) = (null, false);

            if (!_layout.IsValue(column))
            {
                continue;
            }

            switch (_cells.Read(row[column], column, out double value, out LeftOutReason reason, out string expected))
            {
                case CsvCell.Number:
                    _values[column] = value;
                    break;
                case CsvCell.LeftOut:
                    _isText[column] = reason == LeftOutReason.Text;
                    decoded.LeftOut.Add(reason, _layout.NamesStreams && _layout.ValueColumn >= 0 ? stream : _header[column], Shown(row[column]), expected);
                    break;
                case CsvCell.Wrong:
                    _beginning ??= Encoding.UTF8.GetBytes(Beginning(row));
                    decoded.Reject(line, $"column {Shown(_header[column])}: '{Shown(row[column])}', {expected}", _beginning);
                    break;
            }
        }
    }

    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(_layout), nameof(_cells), nameof(_mixture))]
    private void Begin(string[] header)
    {
        _header = [.. header.Select(column => column.Trim())];
        _layout = new CsvLayout(_header, _rules);
        _cells = new CsvCells(_separator, _header.Length, _layout.NamesStreams);
        _mixture = new CsvMixture(_header);
        _isSingle = Enumerable.Range(0, _header.Length).Count(_layout.IsValue) == 1;
        (_values, _isText) = (new double?[_header.Length], new bool[_header.Length]);
    }

    /// <summary>Whether a line tells of the lines behind it: InfluxDB's annotations, Excel's separator. Neither a header nor a row.</summary>
    public static bool IsAnnotation(string line) =>
        line.StartsWith("#group", StringComparison.Ordinal) || line.StartsWith("#datatype", StringComparison.Ordinal) || line.StartsWith("#default", StringComparison.Ordinal)
        || (line.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && line.TrimEnd().Length == 5);

    private static bool IsAnnotation(string[] row) => row.Length > 0 && row[0].StartsWith('#') && IsAnnotation(row[0]);

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
