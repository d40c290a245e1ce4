namespace StreamLstm.Detection;

/// <summary>What was said of one column of a record whose values were judged together.</summary>
public readonly record struct ColumnFigure
{
    /// <summary>The column's name.</summary>
    public string Column { get; init; }

    /// <summary>The value that was judged, in the column's unit; null where there was none.</summary>
    public double? Actual { get; init; }

    /// <summary>The median of what was forecast for the column before the record came; while there is no forecast, the mean of what it had in the five most similar stretches of the stream's past; null where there is neither.</summary>
    public double? Expected { get; init; }

    /// <summary>The lower end of the 98 % band that was forecast; while there is none, the least of those values; or null.</summary>
    public double? Lower { get; init; }

    /// <summary>The upper end, or the greatest of those values, or null.</summary>
    public double? Upper { get; init; }

    /// <summary>Its share of the score, 0 to 1; the shares of all scored columns sum to 1, or to 0 where nothing is scored.</summary>
    public double Share { get; init; }

    /// <summary>Whether the record lacked the value and the policy for missing ones gave it.</summary>
    public bool IsImputed { get; init; }

    /// <summary>Whether the column only helps to find analogies and to forecast, and is not scored.</summary>
    public bool IsContext { get; init; }
}
