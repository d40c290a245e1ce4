using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace StreamLstm.Benchmarks.Quality;

/// <summary>Columns of a CSV file by name.</summary>
internal sealed class ColumnFile
{
    private readonly string _path;
    private readonly string[] _names;
    private readonly List<string[]> _rows = [];

    public ColumnFile(string path, char separator = ',')
    {
        _path = path;
        using var reader = new StreamReader(path);
        using var parser = new CsvParser(reader, new CsvConfiguration(CultureInfo.InvariantCulture) { Delimiter = separator.ToString() });
        _names = parser.Read() ? parser.Record! : [];

        while (parser.Read())
        {
            _rows.Add(parser.Record!);
        }
    }

    public IReadOnlyList<string> Names => _names;

    public bool Has(string column) => _names.Contains(column);

    /// <exception cref="InvalidDataException">There is no such column.</exception>
    public IReadOnlyList<string> Texts(string column)
    {
        int index = Array.IndexOf(_names, column);
        return index >= 0
            ? [.. _rows.Select(row => row[index])]
            : throw new InvalidDataException($"{_path}: no column {column} among {string.Join(", ", _names)}");
    }

    public IReadOnlyList<double> Numbers(string column) =>
        [.. Texts(column).Select(text => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture))];

    /// <summary>Numbers; -infinity where the cell is empty: no score is the lowest.</summary>
    public IReadOnlyList<double> Scores(string column) =>
        [.. Texts(column).Select(text => text.Length == 0 ? double.NegativeInfinity : double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture))];

    /// <summary>0 or 1; null where the cell is empty.</summary>
    public IReadOnlyList<bool?> Flags(string column) =>
        [.. Texts(column).Select(text => text.Length == 0 ? (bool?)null : double.Parse(text, CultureInfo.InvariantCulture) > 0)];

    public IReadOnlyList<DateTimeOffset> Times(string column) =>
        [.. Texts(column).Select(text => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal))];
}
