using System.Diagnostics;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Messages;

/// <summary>What came of one entry of the journal, for the sinks: verdicts in stream order, incidents, and model swaps, any of them possibly empty.</summary>
/// <param name="Observations">In the order in which each stream was scored. Immutable once published.</param>
/// <param name="Incidents">In the order of their times and streams.</param>
/// <param name="Swaps">New base weights that took effect before these observations.</param>
/// <param name="IngestedAt">The stamp of the observations' batch.</param>
/// <param name="Trace">The span of the batch they came in; default where the trace is not sampled.</param>
internal sealed record ScoredBatch(
    IReadOnlyList<ScoredObservation> Observations,
    IReadOnlyList<IncidentEvent> Incidents,
    IReadOnlyList<ModelSwap> Swaps,
    DateTimeOffset IngestedAt,
    ActivityContext Trace = default)
{
    /// <summary>The entry's place: a sink that has taken this one has taken all before it.</summary>
    public long Sequence { get; init; }

    /// <summary>Whether a former life took the entry in: it may have told of it already.</summary>
    public bool IsReplayed { get; init; }

    /// <summary>What happened to groups by these incidents, in order.</summary>
    public IReadOnlyList<GroupEvent> Groups { get; init; } = [];

    /// <summary>A person's word on an incident, which was applied.</summary>
    public LabelEntry? Label { get; init; }

    /// <summary>That a person looks after an incident, or does no longer.</summary>
    public AcknowledgeEntry? Acknowledged { get; init; }

    /// <summary>Streams that are no more behind these observations.</summary>
    public IReadOnlyList<ForgottenStream> Forgotten { get; init; } = [];

    public bool IsEmpty => Observations.Count + Incidents.Count + Swaps.Count + Groups.Count + Forgotten.Count == 0 && Label is null && Acknowledged is null;
}

/// <summary>Other base weights went into service.</summary>
/// <param name="Version">The number every later event carries; one higher with each swap, whichever weights it brings.</param>
/// <param name="Time">When that was decided.</param>
/// <param name="ChampionLoss">Mean loss of the weights that theirs were held against on the held-out windows, in nats per value; null where there were none.</param>
/// <param name="CandidateLoss">The same of these weights: lower.</param>
/// <param name="TrainingWindows">How many windows they were trained on here.</param>
/// <param name="Sha256">Identity of the weights file, lower-case hex.</param>
/// <param name="Reason">What brought them.</param>
/// <param name="By">Who.</param>
/// <param name="Group">The group of streams they are for; null for all that are in none with weights of its own.</param>
internal sealed record ModelSwap(
    long Version,
    DateTimeOffset Time,
    double? ChampionLoss,
    double? CandidateLoss,
    int TrainingWindows,
    string Sha256,
    SwapReason Reason = SwapReason.Trained,
    string By = ModelSwap.Retrainer,
    string? Group = null)
{
    /// <summary>Who swaps where nobody asks.</summary>
    public const string Retrainer = "retrainer";
}

/// <summary>What brings weights into service. Written down: numbers stay.</summary>
internal enum SwapReason : byte
{
    /// <summary>They were trained, and forecast better than those before.</summary>
    Trained = 0,

    /// <summary>A person chose them of those that are kept.</summary>
    Promoted = 1,

    /// <summary>Those are back that served before: a person wanted them, or the retrainer found that they forecast recent windows better.</summary>
    RolledBack = 2,
}
