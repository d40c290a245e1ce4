namespace StreamLstm.Decoding;

/// <summary>Notices where rows of several things stand below each other in a file that names one stream a column: they would merge.</summary>
/// <param name="header">The columns' names.</param>
internal sealed class CsvMixture(string[] header)
{
    /// <summary>Names that a column has which says of what thing a row is.</summary>
    private static readonly HashSet<string> Things = new(StringComparer.OrdinalIgnoreCase)
    {
        "device", "device_id", "deviceid", "device_name", "sensor", "sensor_id", "sensor_name", "host", "hostname", "station", "station_id", "machine", "machine_id",
        "asset", "asset_id", "entity_id", "node", "node_id", "serial", "channel", "channel_id", "series", "stream", "metric", "tags",
    };

    private string?[]? _texts;   // of the last row: what stands in columns that are no numbers
    private DateTimeOffset? _time;
    private string? _wrong;      // once seen it is true of all rows behind

    /// <summary>Looks at a row of a file whose rows name no stream.</summary>
    /// <param name="row">The row.</param>
    /// <param name="isText">Whether a column holds a text.</param>
    /// <param name="time">The row's time; null for none.</param>
    /// <returns>Why it is not taken; null where it may be.</returns>
    public string? Look(string[] row, Func<int, bool> isText, DateTimeOffset? time)
    {
        if (_wrong is not null || (_texts is null && !Enumerable.Range(0, row.Length).Any(isText)))
        {
            return _wrong;
        }

        string?[] texts = [.. row.Select((cell, column) => isText(column) ? cell : null)];

        for (int column = 0; _texts is not null && column < row.Length && _wrong is null; column++)
        {
            if (_texts[column] is { } before && texts[column] is { } now && before != now && (Things.Contains(header[column]) || (time is not null && time <= _time)))
            {
                _wrong = $"column {header[column]} holds {Shown(before)} and {Shown(now)}: several things in one file; write columns: {{stream: [{header[column]}]}} to tell them apart";
            }
        }

        _time = time;
        _texts = texts;
        return _wrong;
    }

    private static string Shown(string text) => text.Length <= 40 ? $"'{text}'" : $"'{text[..40]}...'";
}
