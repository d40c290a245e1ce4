using System.Diagnostics;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>What a worker hands to the sinks: verdicts in stream order, incidents, and model swaps, any of them possibly empty.</summary>
/// <param name="Observations">In the order in which each stream was scored. Immutable once published.</param>
/// <param name="Incidents">In the order in which they were decided.</param>
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
    /// <summary>What happened to groups by these incidents, in order; empty before the grouping stage.</summary>
    public IReadOnlyList<GroupEvent> Groups { get; init; } = [];

    /// <summary>Asks the grouping stage for its state, after all that came before; such a batch is empty and goes no further.</summary>
    public TaskCompletionSource<byte[]>? GroupsAsked { get; init; }
}

/// <summary>New base weights went into service.</summary>
/// <param name="Version">The number every later event carries.</param>
/// <param name="Time">When the router put them into service.</param>
/// <param name="ChampionLoss">Mean loss of the former weights on the held-out windows, in nats per value.</param>
/// <param name="CandidateLoss">The same of the new weights: lower.</param>
/// <param name="TrainingWindows">How many windows it was trained on.</param>
/// <param name="Sha256">Identity of the weights file, lower-case hex.</param>
internal sealed record ModelSwap(
    long Version,
    DateTimeOffset Time,
    double ChampionLoss,
    double CandidateLoss,
    int TrainingWindows,
    string Sha256);
