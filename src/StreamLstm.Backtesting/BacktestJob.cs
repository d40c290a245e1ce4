using StreamLstm.Decoding;

namespace StreamLstm.Backtesting;

/// <summary>What a format makes of its input: one job for every series, and what follows when all are done.</summary>
/// <param name="Jobs">In the order of the summary.</param>
internal sealed record BacktestPlan(IReadOnlyList<BacktestJob> Jobs)
{
    /// <summary>Writes what holds the results of all series; given those results in the order of the jobs.</summary>
    public Action<IReadOnlyList<BacktestResult>>? Complete { get; init; }
}

/// <summary>One series to run through the detector.</summary>
internal sealed record BacktestJob
{
    /// <summary>In the summary.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its stream; with several columns of STREAM/COLUMN.</summary>
    public required string Stream { get; init; }

    /// <summary>The files it is read from, in order.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Reads them.</summary>
    public required Func<IReadOnlyList<SeriesInput>, Series> Read { get; init; }

    /// <summary>For a log, whose lines are events: what reads them, instead of <see cref="Read"/>; null for series of values.</summary>
    public LogLineDecoder? Log { get; init; }

    /// <summary>
    /// Whether every row counts, as in benchmarks: one that cannot be read ends the series, and one whose time does not
    /// advance is taken a tick after the row before it. Otherwise the daemon's record policy decides.
    /// </summary>
    public bool EveryRow { get; init; }

    /// <summary>Of which streams the values of a row are judged together, where there are 2 to 128 of them.</summary>
    public RecordRules Together { get; init; } = RecordRules.None;

    /// <summary>The file of its results, below the output directory; null for none.</summary>
    public string? Output { get; init; }

    /// <summary>Whether that file has the columns pred and cp.</summary>
    public bool WritesFlags { get; init; }

    /// <summary>Whether its anomaly_score is that of rows that opened an incident, 0 elsewhere: for scorers that count every row above a threshold.</summary>
    public bool ScoresAlerts { get; init; }

    /// <summary>Sees every reported row.</summary>
    public IRowObserver? Observer { get; init; }
}

/// <summary>An open file of a series, and where its problems are counted.</summary>
internal sealed record SeriesInput(Stream Stream, RowProblems Problems);

/// <summary>What a series gave.</summary>
internal sealed record BacktestResult
{
    public required string Name { get; init; }

    /// <summary>Rows reported.</summary>
    public long Rows { get; init; }

    /// <summary>Values given to the detector, those of rows that only teach among them.</summary>
    public long Values { get; init; }

    /// <summary>Rows reported with a score: what came before them was a stream's warm-up. Null where that is not how it is judged.</summary>
    public long? ScoredRows { get; init; }

    public long Alerts { get; init; }

    /// <summary>Time covered, over all streams; null where rows carry no time.</summary>
    public double? StreamDays { get; init; }

    /// <summary>What could not be taken.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Why there are no results; null where there are.</summary>
    public string? Error { get; init; }
}

/// <summary>A row that is reported, and what was said of it.</summary>
/// <param name="Row">The row; its values are the reader's own array.</param>
/// <param name="Verdict">The detector's.</param>
/// <param name="Top">What says most: the indicator where there is one column, else the column.</param>
internal readonly record struct ReportedRow(SeriesRow Row, RowVerdict Verdict, string Top);

/// <summary>Makes something of a series' rows.</summary>
internal interface IRowObserver
{
    /// <summary>Takes the next row.</summary>
    void Add(in ReportedRow reported);
}

/// <summary>The command cannot be run as it was given.</summary>
internal sealed class BacktestUsageException(string message) : Exception(message);
