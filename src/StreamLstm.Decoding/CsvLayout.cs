namespace StreamLstm.Decoding;

/// <summary>What the columns of a CSV file hold, by its header: wide (a time, then a column per value) or long (time, stream, value).</summary>
/// <remarks>Long as Home Assistant's history writes it too: entity_id, state, last_changed. Elsewhere a state is a column like others.</remarks>
internal sealed class CsvLayout
{
    private static readonly string[] StreamNames = ["stream", "series", "sensor", "metric", "name", "id", EntityName];

    private const string EntityName = "entity_id";

    private readonly int _timeColumn;
    private readonly int _dayColumn = -1;   // where the time column holds the time of day alone

    /// <param name="header">The columns' names.</param>
    public CsvLayout(string[] header)
    {
        _timeColumn = Timestamps.TimeColumn(header);
        int day = IndexOf(header, "date"), ofDay = IndexOf(header, "time");

        if (day >= 0 && ofDay >= 0 && (_timeColumn == day || _timeColumn == ofDay))
        {
            (_dayColumn, _timeColumn) = (day, ofDay);
        }

        int entity = IndexOf(header, EntityName), state = IndexOf(header, "state"), value = IndexOf(header, "value");
        int stream = Array.FindIndex(header, column => StreamNames.Contains(column, StringComparer.OrdinalIgnoreCase));
        (StreamColumn, ValueColumn) = value >= 0 && stream >= 0 ? (stream, value) : entity >= 0 && state >= 0 ? (entity, state) : (-1, -1);
    }

    /// <summary>Whether rows have a time.</summary>
    public bool IsTimed => _timeColumn >= 0;

    /// <summary>The column that names a row's stream; -1 of a wide file.</summary>
    public int StreamColumn { get; }

    /// <summary>The column with its value; -1 of a wide file.</summary>
    public int ValueColumn { get; }

    /// <summary>How many columns hold the time.</summary>
    public int TimeColumns => (_timeColumn >= 0 ? 1 : 0) + (_dayColumn >= 0 ? 1 : 0);

    /// <summary>Whether a column is the time, or a part of it.</summary>
    public bool IsTime(int column) => column >= 0 && (column == _timeColumn || column == _dayColumn);

    /// <summary>The time as the row has it.</summary>
    public string TimeText(IReadOnlyList<string> row) => _dayColumn >= 0 ? $"{row[_dayColumn].Trim()} {row[_timeColumn].Trim()}" : row[_timeColumn];

    /// <summary>The names of the columns that hold it, for messages.</summary>
    public string TimeName(IReadOnlyList<string> header) => _dayColumn >= 0 ? $"{header[_dayColumn]} and {header[_timeColumn]}" : header[_timeColumn];

    private static int IndexOf(string[] header, string name) => Array.FindIndex(header, column => column.Equals(name, StringComparison.OrdinalIgnoreCase));
}
