namespace StreamLstm.Detection.Deciding;

/// <summary>Why one observation was an alert, or why it was none.</summary>
public sealed record Explanation
{
    /// <summary>The stream's name.</summary>
    public required string Stream { get; init; }

    /// <summary>The observation's own time.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The observed value, in the stream's unit; of a record J, in decades; of an event its surprise, in nats.</summary>
    public required double Value { get; init; }

    /// <summary>The median that was forecast for it, or null.</summary>
    public double? Expected { get; init; }

    /// <summary>Lower end of the 98 % band that was forecast, or null.</summary>
    public double? Lower { get; init; }

    /// <summary>Upper end of that band, or null.</summary>
    public double? Upper { get; init; }

    /// <summary>Value minus forecast, in the stream's unit, or null.</summary>
    public double? Error => Value - Expected;

    /// <summary>Where the stream stood.</summary>
    public required Lifecycle Lifecycle { get; init; }

    /// <summary>Why it could not alert yet; null where it could.</summary>
    public WarmUp? WarmUp { get; init; }

    /// <summary>How unlike normal operation it is, in decades. Null while the stream is learning.</summary>
    public double? Evidence { get; init; }

    /// <summary>The evidence as it were had no incident of the stream been labelled a false alarm; null where none has.</summary>
    public double? EvidenceWithoutLabels { get; init; }

    /// <summary>What it was held against, in decades.</summary>
    public required double Threshold { get; init; }

    /// <summary>Decades that were missing for an incident; 0 where there were enough, null while the stream is learning.</summary>
    public double? ShortBy => Evidence is { } evidence ? Math.Max(0, Needed - evidence) : null;

    /// <summary>Decades that would have opened an incident: the threshold, or more while what was accepted settles.</summary>
    public required double Needed { get; init; }

    /// <summary>Whether the observation opened an incident, or raised an open one.</summary>
    public required bool IsAlert { get; init; }

    /// <summary>Whether an incident was open after it.</summary>
    public required bool IncidentOpen { get; init; }

    /// <summary>The incident it is part of; null for none.</summary>
    public string? IncidentId { get; init; }

    /// <summary>What a person said of that incident; null for nothing.</summary>
    public IncidentLabel? Label { get; init; }

    /// <summary>What would have kept it from opening an incident whatever its evidence.</summary>
    public required SuppressedBy SuppressedBy { get; init; }

    /// <summary>Observations after which that ends; null where it does not count by observations.</summary>
    public long? SuppressedRows { get; init; }

    /// <summary>Every indicator, the strongest first; empty while the stream is learning.</summary>
    public required IReadOnlyList<Indication> Indicators { get; init; }

    /// <summary>Of a record: its columns, with all figures for the last one, with their shares for older ones; else null.</summary>
    public IReadOnlyList<ColumnFigure>? Columns { get; init; }

    /// <summary>Of an event: the template of its text; else null.</summary>
    public string? Template { get; init; }

    /// <summary>The version of the base weights in service.</summary>
    public required long ModelVersion { get; init; }

    /// <summary>All of it in a sentence or two.</summary>
    public required string Sentence { get; init; }

    /// <summary>Which decisions of this stream can be explained.</summary>
    public required HeldDecisions Held { get; init; }
}

/// <summary>What one indicator said.</summary>
/// <param name="Name">As in the attribution of incidents.</param>
/// <param name="Score">Its calibrated score in decades; -2 while it has nothing to compare with.</param>
/// <param name="Share">Its share of the evidence; all shares sum to 1.</param>
/// <param name="Meaning">What it means that it speaks up.</param>
public readonly record struct Indication(string Name, double Score, double Share, string Meaning);

/// <summary>Which of a stream's decisions are kept: the last ones, and older ones with at least half the evidence needed.</summary>
/// <param name="Recent">How many of the last observations.</param>
/// <param name="Since">Time of the first of them.</param>
/// <param name="Notable">How many of those before.</param>
/// <param name="NotableSince">From this time on every notable one is kept.</param>
public readonly record struct HeldDecisions(int Recent, DateTimeOffset Since, int Notable, DateTimeOffset NotableSince);
