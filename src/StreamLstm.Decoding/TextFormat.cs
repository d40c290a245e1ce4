namespace StreamLstm.Decoding;

/// <summary>How text is laid out.</summary>
internal enum TextFormat
{
    /// <summary>By the file's ending, else by its first line.</summary>
    Auto,

    /// <summary>CSV with a header, wide or long.</summary>
    Csv,

    /// <summary>One JSON object a line.</summary>
    Ndjson,

    /// <summary>InfluxDB line protocol.</summary>
    Influx,

    /// <summary>Prometheus: the text of a scrape, OpenMetrics, or what promtool tsdb dump writes.</summary>
    Prometheus,

    /// <summary>A log: every line is an event of one stream.</summary>
    Log,

    /// <summary>Text: every line is judged by its characters.</summary>
    Text,

    /// <summary>Text: every line is judged by its words.</summary>
    Words,
}
