using System.Globalization;

namespace StreamLstm.Decoding;

/// <summary>What the user says of the columns of CSV files whose header does not say it in words that are known.</summary>
/// <param name="Time">The column with the time; empty = by its name.</param>
/// <param name="Stream">Columns that name a row's stream, joined by slashes; none = by their names.</param>
/// <param name="Value">The column with a row's value; empty = by its name, or every column of numbers.</param>
/// <param name="Zone">Of times that say no offset.</param>
internal sealed record CsvRules(string Time, IReadOnlyList<string> Stream, string Value, TimeZoneInfo Zone)
{
    /// <summary>All by their names, and UTC.</summary>
    public static readonly CsvRules Default = new("", [], "", TimeZoneInfo.Utc);
}

/// <summary>What the columns of a CSV file hold, by its header: wide (a time, then a column per value) or long (time, stream, value).</summary>
/// <remarks>
/// Long as exports write it too: Home Assistant's history (entity_id, state, last_changed), Grafana's series (Series, Time, Value), InfluxDB's tables
/// (_measurement, tags, _field, _time, _value). Elsewhere a state is a column like others. Where rows of several things stand below each other and only
/// one stream's name is there, they must not become one stream: see <see cref="CsvMixture"/>.
/// </remarks>
internal sealed class CsvLayout
{
    private static readonly string[] StreamNames = ["stream", "series", "sensor", "metric", "name", "id", EntityName];

    private const string EntityName = "entity_id";

    /// <summary>Columns of InfluxDB's tables that are neither tags nor values.</summary>
    private static readonly string[] InfluxOthers = ["", "result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement"];

    private readonly string[] _header;
    private readonly int _timeColumn;
    private readonly int _dayColumn = -1;   // where the time column holds the time of day alone
    private readonly int[] _streamColumns = [];
    private readonly bool _isInflux;

    /// <param name="header">The columns' names.</param>
    /// <param name="rules">What the user says of them; null for nothing.</param>
    public CsvLayout(string[] header, CsvRules? rules = null)
    {
        rules ??= CsvRules.Default;
        _header = header;
        _isInflux = rules.Stream.Count == 0 && IndexOf("_value") >= 0 && IndexOf("_field") >= 0;
        _timeColumn = rules.Time.Length > 0 ? Named(rules.Time, "time") : Timestamps.TimeColumn(header);
        int day = IndexOf("date"), ofDay = IndexOf("time");

        if (rules.Time.Length == 0 && day >= 0 && ofDay >= 0 && (_timeColumn == day || _timeColumn == ofDay))
        {
            (_dayColumn, _timeColumn) = (day, ofDay);
        }

        if (rules.Stream.Count > 0 || rules.Value.Length > 0)
        {
            _streamColumns = [.. rules.Stream.Select(name => Named(name, "stream"))];
            ValueColumn = rules.Value.Length > 0 ? Named(rules.Value, "value") : -1;
            return;
        }

        if (_isInflux)
        {
            ValueColumn = IndexOf("_value");
            _streamColumns = [IndexOf("_field")];
            return;
        }

        int entity = IndexOf(EntityName), state = IndexOf("state"), value = IndexOf("value");
        int stream = Array.FindIndex(header, column => StreamNames.Contains(column, StringComparer.OrdinalIgnoreCase));
        (int of, ValueColumn) = value >= 0 && stream >= 0 ? (stream, value) : entity >= 0 && state >= 0 ? (entity, state) : (-1, -1);
        _streamColumns = of >= 0 ? [of] : [];
    }

    /// <summary>What is wrong with what the user says of the columns; null where all are there.</summary>
    public string? Wrong { get; private set; }

    /// <summary>Whether rows have a time.</summary>
    public bool IsTimed => _timeColumn >= 0;

    /// <summary>Whether rows name their stream.</summary>
    public bool NamesStreams => _streamColumns.Length > 0;

    /// <summary>The column with a row's value; -1 where every column of numbers is one.</summary>
    public int ValueColumn { get; } = -1;

    /// <summary>Whether a column holds a value.</summary>
    public bool IsValue(int column) => ValueColumn >= 0 ? column == ValueColumn : !IsTime(column) && !_streamColumns.Contains(column);

    /// <summary>Whether a column is the time, or a part of it.</summary>
    public bool IsTime(int column) => column >= 0 && (column == _timeColumn || column == _dayColumn);

    /// <summary>The time as the row has it.</summary>
    public string TimeText(IReadOnlyList<string> row) => _dayColumn >= 0 ? $"{row[_dayColumn].Trim()} {row[_timeColumn].Trim()}" : row[_timeColumn];

    /// <summary>The names of the columns that hold it, for messages.</summary>
    public string TimeName(IReadOnlyList<string> header) => _dayColumn >= 0 ? $"{header[_dayColumn]} and {header[_timeColumn]}" : header[_timeColumn];

    /// <summary>The stream that a row names.</summary>
    /// <param name="row">The row.</param>
    /// <param name="prefix">What its name begins with; empty for nothing.</param>
    public string StreamOf(IReadOnlyList<string> row, string prefix)
    {
        if (!_isInflux)
        {
            string name = _streamColumns.Length == 1 ? row[_streamColumns[0]] : string.Join('/', _streamColumns.Select(column => row[column]));
            return prefix.Length > 0 ? $"{prefix}/{name}" : name;
        }

        var tags = new List<(string Name, string Value)>();

        for (int column = 0; column < _header.Length; column++)
        {
            if (!InfluxOthers.Contains(_header[column]) && row[column].Length > 0)
            {
                tags.Add((_header[column], row[column]));
            }
        }

        int measurement = IndexOf("_measurement");
        return $"{Agents.SeriesName.Of(prefix, measurement >= 0 ? row[measurement] : "", tags)}/{row[_streamColumns[0]]}";
    }

    /// <summary>That a column holds times and its name does not say so: the rows' own time is not to be the one at which they are read.</summary>
    /// <param name="row">The first row.</param>
    public string? UnknownTime(IReadOnlyList<string> row)
    {
        if (IsTimed)
        {
            return null;
        }

        int column = Enumerable.Range(0, row.Count).FirstOrDefault(
            column => row[column].AsSpan().IndexOfAny(':', '-') > 0 && Timestamps.TryParse(row[column], out _)
                && !double.TryParse(row[column], NumberStyles.Float, CultureInfo.InvariantCulture, out _),
            -1);
        return column < 0 ? null
            : $"column {_header[column]} holds times such as '{row[column]}', and none of the columns is known as the time; call it timestamp, or write columns: {{time: {_header[column]}}}";
    }

    /// <summary>Whether a row is another table's header: InfluxDB writes one behind the other, loggers go on with a column more.</summary>
    /// <remarks>Elsewhere by the time's name among cells of which none is a number or a time: no row of values is such a one.</remarks>
    public bool IsNextHeader(string[] row)
    {
        if (_isInflux)
        {
            return row.Contains("_value") && row.Contains("_field");
        }

        for (int column = 0; IsTimed && column < row.Length; column++)
        {
            if (row[column].AsSpan().Trim().Equals(_header[_timeColumn], StringComparison.OrdinalIgnoreCase))
            {
                return row.Length > 1 && !Array.Exists(row, cell => Timestamps.TryParse(cell, out _) || double.TryParse(cell, CultureInfo.InvariantCulture, out _));
            }
        }

        return false;
    }

    private int Named(string name, string what)
    {
        int column = IndexOf(name);
        Wrong ??= column < 0 ? $"no column '{name}', which columns.{what} names; the header has {string.Join(", ", _header.Take(20))}" : null;
        return column;
    }

    private int IndexOf(string name) => Array.FindIndex(_header, column => column.Equals(name, StringComparison.OrdinalIgnoreCase));
}
