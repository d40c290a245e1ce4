namespace StreamLstm.Backtesting;

/// <summary>One file's rows in their order, as a format reads them.</summary>
internal sealed record Series
{
    /// <summary>Names of a row's values: (D).</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>How many of them, from the first, are judged; the others are context.</summary>
    public int? JudgedColumns { get; init; }

    /// <summary>Whether rows carry a time of their own; otherwise they are numbered.</summary>
    public required bool IsTimed { get; init; }

    /// <summary>Whether every row names its stream.</summary>
    public bool NamesStreams { get; init; }

    /// <summary>The rows, read as they are asked for.</summary>
    public required IEnumerable<SeriesRow> Rows { get; init; }
}

/// <summary>One row of a series.</summary>
/// <param name="Line">Where it stands in its file, counting from 1.</param>
/// <param name="Label">Its time as written, or its number, counting from 0.</param>
/// <param name="Time">Its time; for numbered rows a fixed step apart.</param>
/// <param name="Stream">The stream it belongs to; empty: the file is one stream.</param>
/// <param name="Values">(D), NaN where a value is missing. The next row may use the same array.</param>
/// <param name="IsReported">Whether it appears in the results; false for rows that only teach.</param>
/// <param name="IsSingle">Whether its one value is its stream, whatever columns others have: such rows are not judged together.</param>
internal readonly record struct SeriesRow(
    int Line, string Label, DateTimeOffset Time, string Stream, double[] Values, bool IsReported = true, bool IsSingle = false);

/// <summary>Times of rows that carry none.</summary>
internal static class RowTime
{
    /// <summary>One in ten seconds: no day or week fits into what a stream remembers, so its season is its own, and an hour is a few hundred rows.</summary>
    public static DateTimeOffset Of(long row) => DateTimeOffset.UnixEpoch.AddSeconds(10.0 * row);

    /// <summary>For people and for results.</summary>
    public static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
