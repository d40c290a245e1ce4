using System.Diagnostics;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Model;

namespace StreamLstm.Daemon.Messages;

/// <summary>What an inference worker is asked to do, in the order of its inbox.</summary>
internal abstract record WorkerMessage;

/// <summary>Something that may change state: every worker gets one for every entry of the journal, and answers each with one <see cref="WorkerOutput"/>.</summary>
/// <param name="Sequence">The entry's place.</param>
internal abstract record WorkerStep(long Sequence) : WorkerMessage;

/// <summary>Observations for shards of this worker; none where the entry holds none for it.</summary>
/// <param name="Sequence">The entry's place.</param>
/// <param name="Shards">Each shard's observations, in the order in which they arrived; shards in the order of their numbers.</param>
/// <param name="Model">The base weights in service when the batch was routed: no batch spans a swap.</param>
/// <param name="IngestedAt">The stamp of the source's batch.</param>
/// <param name="Trace">The span of the source's batch.</param>
internal sealed record ShardBatch(
    long Sequence,
    IReadOnlyList<(int Shard, Observation[] Observations)> Shards,
    BaseModel Model,
    DateTimeOffset IngestedAt,
    ActivityContext Trace) : WorkerStep(Sequence)
{
    /// <summary>Streams that begin with these observations, and what each begins with; null for none.</summary>
    public IReadOnlyDictionary<string, StreamBirth>? Begins { get; init; }

    /// <summary>Streams that have another form from before these observations on, each with its shard.</summary>
    public IReadOnlyList<(int Shard, ResizedStream What)> Resized { get; init; } = [];

    /// <summary>The name of the source that took them in.</summary>
    public string Source { get; init; } = "";

    /// <summary>Whether a former life took the observations in, and has them in its books.</summary>
    public bool IsReplayed { get; init; }
}

/// <summary>Time goes on.</summary>
/// <param name="Sequence">The entry's place.</param>
/// <param name="Now">The wall clock.</param>
/// <param name="Elapsed">Since the last tick, without the time in which the machine stood still.</param>
internal sealed record Tick(long Sequence, DateTimeOffset Now, TimeSpan Elapsed) : WorkerStep(Sequence)
{
    /// <summary>Streams that go here, each with its shard.</summary>
    public IReadOnlyList<(int Shard, ForgottenStream What)> Forgotten { get; init; } = [];

    /// <summary>Streams that have another form from here on, each with its shard.</summary>
    public IReadOnlyList<(int Shard, ResizedStream What)> Resized { get; init; } = [];
}

/// <summary>A stream is forgotten because a person asked for it.</summary>
/// <param name="Sequence">The entry's place.</param>
/// <param name="Shard">Where the stream lives; -1 where this worker does not own it.</param>
/// <param name="Entry">What was asked.</param>
internal sealed record ForgetStep(long Sequence, int Shard, ForgetEntry Entry) : WorkerStep(Sequence);

/// <summary>Other things are asked of alerts from here on.</summary>
/// <param name="Sequence">The entry's place.</param>
/// <param name="Terms">All of them.</param>
internal sealed record TermsChange(long Sequence, AlertTerms Terms) : WorkerStep(Sequence);

/// <summary>Other maintenance windows hold from here on.</summary>
/// <param name="Sequence">The entry's place.</param>
/// <param name="Windows">All of them.</param>
internal sealed record MaintenanceChange(long Sequence, IReadOnlyList<MaintenanceWindow> Windows) : WorkerStep(Sequence);

/// <summary>A stream's present level is its new normal.</summary>
/// <param name="Sequence">The entry's place.</param>
/// <param name="Shard">Where the stream lives; -1 where this worker does not own it.</param>
/// <param name="Entry">What was said.</param>
internal sealed record AcceptStep(long Sequence, int Shard, AcceptEntry Entry) : WorkerStep(Sequence);

/// <summary>Take a person's word on an incident.</summary>
/// <param name="Sequence">The entry's place.</param>
/// <param name="Shard">Where the stream lives; -1 where this worker does not own it.</param>
/// <param name="Entry">What was said.</param>
internal sealed record LabelStep(long Sequence, int Shard, LabelEntry Entry) : WorkerStep(Sequence);

/// <summary>Cut one shard between two batches, and take its streams' bytes one by one between those that follow.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Round">The round of snapshots.</param>
/// <param name="CarriedFrom">The round whose bytes are at hand; 0 for none.</param>
/// <param name="Completion">Gets the bytes once all are taken, and the sequence up to which they go.</param>
internal sealed record CutRequest(int Shard, long Round, long CarriedFrom, TaskCompletionSource<ShardState> Completion) : WorkerMessage;

/// <summary>A shard as it was at a place in the journal.</summary>
internal sealed record ShardState(ShardCut Cut, long At);

/// <summary>Hand over the clean windows kept for training.</summary>
/// <param name="Completion">Gets them.</param>
internal sealed record WindowsRequest(TaskCompletionSource<IReadOnlyList<TrainingWindow>> Completion) : WorkerMessage;

/// <summary>Say why a decision of one stream was made.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Shard">Where it lives.</param>
/// <param name="At">The time asked for; null for its last decision.</param>
/// <param name="What">What is to be shown.</param>
/// <param name="Completion">Gets the answer.</param>
internal sealed record ExplainRequest(
    string Stream, int Shard, DateTimeOffset? At, Explained What, TaskCompletionSource<ExplainAnswer> Completion) : WorkerMessage;

/// <summary>What is to be shown of a stream.</summary>
internal enum Explained
{
    /// <summary>Why it alerted, or did not.</summary>
    Why,

    /// <summary>What its LSTM kept, took in and gave out.</summary>
    Gates,

    /// <summary>What a stretch of it should have looked like.</summary>
    Reconstruction,
}

/// <summary>An explanation, or why there is none. Of a reconstruction only what it is made from: making it takes its time, and is not the worker's.</summary>
internal sealed record ExplainAnswer(Explanation? Explanation, string? Missing, GateTrace? Gates = null, Excerpt? Excerpt = null);

/// <summary>What one worker's shards made of one entry.</summary>
/// <param name="Sequence">The entry's place.</param>
/// <param name="Parts">Verdicts and incidents of each shard that had something to say, in the order of shards.</param>
/// <param name="Rejected">Observations rejected, indexed by reason; empty for none.</param>
/// <param name="Trace">The span of the scoring.</param>
internal sealed record WorkerOutput(
    long Sequence, IReadOnlyList<ShardPart> Parts, int[] Rejected, ActivityContext Trace)
{
    /// <summary>A label that was applied.</summary>
    public LabelEntry? Label { get; init; }

    /// <summary>Streams that are no more.</summary>
    public IReadOnlyList<ForgottenStream> Forgotten { get; init; } = [];
}

/// <summary>What one shard made of one entry.</summary>
internal readonly record struct ShardPart(int Shard, ScoredObservation[] Scored, IncidentEvent[] Incidents);
