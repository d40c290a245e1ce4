using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Backtesting;

/// <summary>Judges a stream whose rows hold D values.</summary>
internal interface IRowDetector
{
    /// <summary>Judges a row against what came before it, then learns from it.</summary>
    /// <param name="time">The row's time.</param>
    /// <param name="values">(D), NaN where a value is missing.</param>
    /// <param name="attribution">(D): each value's share of the score, summing to 1; all 0 where there is no score.</param>
    RowVerdict Apply(DateTimeOffset time, ReadOnlySpan<double> values, Span<double> attribution);
}

/// <summary>What is said of a row.</summary>
internal readonly record struct RowVerdict
{
    /// <summary>In decades, without a bound; null while nothing is known. By the fixed threshold of benchmarks it is J.</summary>
    public double? Evidence { get; init; }

    /// <summary>The score, 0 to 1: half is where an incident opens.</summary>
    public double AnomalyScore { get; init; }

    /// <summary>Whether an incident was opened by this row.</summary>
    public bool IsAlert { get; init; }

    /// <summary>Whether the row belongs to an incident.</summary>
    public bool IsAbnormal { get; init; }

    /// <summary>What the value that says most was expected to be, or null.</summary>
    public double? Expected { get; init; }

    /// <summary>Lower end of the band it was expected in, or null.</summary>
    public double? Lower { get; init; }

    /// <summary>Upper end of that band, or null.</summary>
    public double? Upper { get; init; }

    /// <summary>The indicator that says most of that value; empty while there is none.</summary>
    public string Channel { get; init; }

    /// <summary>What was told of incidents by this row; null for nothing.</summary>
    public IReadOnlyList<IncidentEvent>? Incidents { get; init; }

    /// <summary>What the stream's strongest incident so far looks like from near by, where this row shows more of it; null else, and for rows of several values.</summary>
    public Closeup? Closeup { get; init; }

    /// <summary>Why the row, or one of its values, was not taken; null where all were.</summary>
    public RejectionReason? Rejected { get; init; }
}
