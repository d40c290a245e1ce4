using System.Globalization;
using CsvHelper;
using StreamLstm.Decoding;

namespace StreamLstm.Backtesting;

/// <summary>CSV as the daemon's file source reads it: wide (a time, then a column per value) or long (time, stream, value).</summary>
internal sealed class CsvSeries
{
    private readonly TextReader _reader;
    private readonly RowProblems _problems;
    private readonly string _prefix;
    private readonly char _separator;
    private readonly int _headerLine;
    private readonly string[] _names;
    private readonly CsvLayout _layout;
    private readonly int[] _valueColumns;
    private readonly CsvCells _cells;
    private readonly CsvMixture _mixture;
    private readonly bool[] _isText;
    private readonly CsvRules _rules;

    private CsvSeries(TextReader reader, string prefix, IReadOnlySet<string> labels, RowProblems problems, CsvRules rules)
    {
        var lines = new LineReader(reader, problems);
        string header = lines.ReadFirst("a header with the columns' names");

        while (CsvRowDecoder.IsAnnotation(header))
        {
            header = lines.ReadFirst("a header with the columns' names");
        }

        _reader = reader;
        _problems = problems;
        _prefix = prefix;
        _headerLine = lines.Line;
        _separator = CsvRowDecoder.SeparatorOf(header);
        _names = Names(header);
        _rules = rules;
        _layout = new CsvLayout(_names, rules);
        _cells = new CsvCells(_separator, _names.Length, _layout.NamesStreams);
        _mixture = new CsvMixture(_names);
        _isText = new bool[_names.Length];
        _valueColumns = [.. Enumerable.Range(0, _names.Length).Where(column => _layout.IsValue(column) && !labels.Contains(_names[column]))];

        if (_layout.Wrong is { } wrong)
        {
            throw problems.Fatal(_headerLine, wrong);
        }

        if (_valueColumns.Length == 0)
        {
            throw problems.Fatal(_headerLine, $"columns {Shown(string.Join(", ", _names))}: none of them holds values");
        }

        if (_valueColumns.Length > Decoded.FieldsMax)
        {
            throw problems.Fatal(_headerLine, $"{_valueColumns.Length} columns of values, expected at most {Decoded.FieldsMax}");
        }
    }

    /// <param name="reader">The text.</param>
    /// <param name="prefix">Before the names of streams.</param>
    /// <param name="labels">Columns that hold answers, and are not read.</param>
    /// <param name="problems">Where what cannot be read is counted.</param>
    /// <param name="rules">What the user says of the columns; null for nothing.</param>
    public static Series Read(TextReader reader, string prefix, IReadOnlySet<string> labels, RowProblems problems, CsvRules? rules = null)
    {
        var csv = new CsvSeries(reader, prefix, labels, problems, rules ?? CsvRules.Default);
        return new Series
        {
            Columns = [.. csv._valueColumns.Select(column => csv._names[column])],
            IsTimed = csv._layout.IsTimed,
            NamesStreams = csv._layout.NamesStreams,
            Rows = csv.Rows(),
        };
    }

    private string[] Names(string header)
    {
        using var parser = new CsvParser(new StringReader(header), CsvRowDecoder.Configuration(_separator));
        parser.Read();
        string[] names = [.. (parser.Record ?? []).Select((name, i) => name.Trim() is { Length: > 0 } trimmed ? trimmed : $"column{i + 1}")];

        if (names.All(name => double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out _)))
        {
            throw _problems.Fatal(_headerLine, $"'{Shown(header)}', expected a header with the columns' names");
        }

        return names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw _problems.Fatal(_headerLine, $"column {Shown(twice.Key)} is there {twice.Count()} times")
            : names;
    }

    private IEnumerable<SeriesRow> Rows()
    {
        using var lines = new BoundedLines(_reader, TextDecoder.LineMaxChars);
        using var parser = new CsvParser(lines, CsvRowDecoder.Configuration(_separator), leaveOpen: true);
        var values = new double[_valueColumns.Length];

        for (long number = 0; Next(parser); number++)
        {
            string[] row = parser.Record ?? [];
            int line = _headerLine + parser.RawRow;

            if (lines.WasCut(parser.RawRow))
            {
                _problems.Add(line, "length", TextDecoder.LongLine);
                continue;
            }

            if (row.Length > 0 && CsvRowDecoder.IsAnnotation(row[0]))
            {
                continue;
            }

            if (_layout.IsNextHeader(row))
            {
                if (!row.Select(name => name.Trim() is { Length: > 0 } trimmed ? trimmed : "column1").Skip(1).SequenceEqual(_names.Skip(1)))
                {
                    throw _problems.Fatal(line, $"a table with other columns ({Shown(string.Join(", ", row))}), expected those of the first; export each to a file of its own");
                }

                continue;
            }

            if (row.Length != _names.Length)
            {
                _problems.Add(line, "columns", $"{row.Length} columns, expected {_names.Length}");
                continue;
            }

            if (number == 0 && _layout.UnknownTime(row) is { } unknown)
            {
                throw _problems.Fatal(line, unknown);
            }

            DateTimeOffset time = RowTime.Of(number);
            string text = _layout.IsTimed ? _layout.TimeText(row) : number.ToString(CultureInfo.InvariantCulture);

            if (_layout.IsTimed && !Timestamps.TryParse(text, out time, _rules.Zone))
            {
                _problems.Add(line, "time", $"column {_layout.TimeName(_names)}: '{Shown(text)}', expected {Timestamps.Expectation}");
                continue;
            }

            for (int i = 0; i < values.Length; i++)
            {
                values[i] = Cell(row, _valueColumns[i], line);
            }

            if (!_layout.NamesStreams && _mixture.Look(row, column => _isText[column], _layout.IsTimed ? time : null) is { } mixed)
            {
                throw _problems.Fatal(line, mixed);
            }

            yield return new SeriesRow(
                line,
                text,
                time,
                _layout.NamesStreams ? _layout.StreamOf(row, _prefix) : "",
                values);
        }
    }

    private bool Next(CsvParser parser)
    {
        try
        {
            return parser.Read();
        }
        catch (Exception damaged) when (damaged is BadDataException or MaxFieldSizeException)
        {
            throw _problems.Fatal(_headerLine + parser.RawRow, damaged.Message.Split('\n')[0].Trim());
        }
    }

    private double Cell(string[] row, int column, int line)
    {
        string text = row[column];
        _isText[column] = false;

        switch (_cells.Read(text, column, out double value, out LeftOutReason reason, out string expected))
        {
            case CsvCell.Number:
                return value;
            case CsvCell.Empty:
                return double.NaN;
            default:
                _isText[column] = reason == LeftOutReason.Text;
                _problems.Add(line, $"column {column}", $"column {_names[column]}: '{Shown(text)}', {(reason == LeftOutReason.Text ? expected : "expected a number")}");
                return double.NaN;
        }
    }

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
