using System.Diagnostics;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>What an inference worker is asked to do, in the order of its inbox.</summary>
internal abstract record WorkerMessage;

/// <summary>Observations for shards of this worker.</summary>
/// <param name="Shards">Each shard's observations, in the order in which they arrived.</param>
/// <param name="Model">The base weights in service when the batch was routed: no batch spans a swap.</param>
/// <param name="IngestedAt">The stamp of the source's batch.</param>
/// <param name="Trace">The span of the source's batch.</param>
internal sealed record ShardBatch(
    IReadOnlyList<(int Shard, Observation[] Observations)> Shards,
    BaseModel Model,
    DateTimeOffset IngestedAt,
    ActivityContext Trace) : WorkerMessage;

/// <summary>Time goes on.</summary>
/// <param name="Now">The wall clock.</param>
/// <param name="Elapsed">Since the last tick, without the time in which the machine stood still.</param>
internal sealed record Tick(DateTimeOffset Now, TimeSpan Elapsed) : WorkerMessage;

/// <summary>Write the state of every shard, between two batches.</summary>
/// <param name="Completion">Gets each shard's bytes.</param>
internal sealed record SnapshotRequest(TaskCompletionSource<IReadOnlyList<(int Shard, byte[] State)>> Completion) : WorkerMessage;

/// <summary>Hand over the clean windows kept for training.</summary>
/// <param name="Completion">Gets them.</param>
internal sealed record WindowsRequest(TaskCompletionSource<IReadOnlyList<TrainingWindow>> Completion) : WorkerMessage;

/// <summary>Other maintenance windows hold from here on.</summary>
/// <param name="Windows">All of them.</param>
/// <param name="Completion">Gets true.</param>
internal sealed record MaintenanceRequest(
    IReadOnlyList<MaintenanceWindow> Windows, TaskCompletionSource<bool> Completion) : WorkerMessage;

/// <summary>A stream's present level is its new normal.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Shard">Where it lives.</param>
/// <param name="Now">The wall clock.</param>
/// <param name="Completion">Gets what became of it.</param>
internal sealed record AcceptRequest(
    string Stream, int Shard, DateTimeOffset Now, TaskCompletionSource<AcceptOutcome> Completion) : WorkerMessage;

/// <summary>Say why a decision of one stream was made.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Shard">Where it lives.</param>
/// <param name="At">The time asked for; null for its last decision.</param>
/// <param name="Completion">Gets the answer.</param>
internal sealed record ExplainRequest(
    string Stream, int Shard, DateTimeOffset? At, TaskCompletionSource<ExplainAnswer> Completion) : WorkerMessage;

/// <summary>An explanation, or why there is none.</summary>
internal sealed record ExplainAnswer(Explanation? Explanation, string? Missing);

/// <summary>Take a person's word on an incident.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Shard">Where it lives.</param>
/// <param name="IncidentId">The incident's id.</param>
/// <param name="Label">What it was; null takes a label back.</param>
/// <param name="Now">The wall clock.</param>
/// <param name="Completion">Gets what became of it.</param>
internal sealed record LabelRequest(
    string Stream, int Shard, string IncidentId, IncidentLabel? Label, DateTimeOffset Now, TaskCompletionSource<LabelOutcome> Completion)
    : WorkerMessage;
