using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Messages;

/// <summary>All that enters the core, in the one order that the journal gives it: what follows is a function of these alone.</summary>
internal abstract record Entry;

/// <summary>Observations of one source.</summary>
internal sealed record ObservationsEntry(ObservationBatch Batch) : Entry;

/// <summary>Time goes on: R9, no other clock is read where scores and incidents are made.</summary>
/// <param name="Now">The wall clock.</param>
/// <param name="Elapsed">Since the last tick, without the time in which the machine stood still.</param>
/// <param name="Rejected">What sources could not decode since the last tick: for the books.</param>
internal sealed record TickEntry(DateTimeOffset Now, TimeSpan Elapsed, IReadOnlyList<RejectedCount> Rejected) : Entry;

/// <summary>Records of a source that could not be decoded.</summary>
internal readonly record struct RejectedCount(string Source, RejectionReason Reason, long Count);

/// <summary>R4: new base weights go into service here. Their file is durable under their hash before this is written.</summary>
internal sealed record SwapEntry(ModelSwap Swap) : Entry
{
    /// <summary>The weights, where they are at hand; a replay finds them by their hash.</summary>
    public BaseModel? Model { get; init; }
}

/// <summary>R4: a person's word on an incident.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="IncidentId">The incident's id.</param>
/// <param name="Label">What it was; null takes a label back.</param>
/// <param name="Note">What else was said.</param>
/// <param name="Now">The wall clock.</param>
internal sealed record LabelEntry(string Stream, string IncidentId, IncidentLabel? Label, string Note, DateTimeOffset Now) : Entry
{
    /// <summary>Gets what became of it, and its sequence.</summary>
    public TaskCompletionSource<(LabelOutcome Outcome, long Sequence)>? Answer { get; init; }
}

/// <summary>R4: a person looks after an incident, or does no longer. It changes no score: whoever looks at the list knows that somebody is at it.</summary>
/// <param name="IncidentId">The incident's id.</param>
/// <param name="By">Who; empty where that is taken back.</param>
/// <param name="Note">What else was said.</param>
/// <param name="Now">The wall clock.</param>
internal sealed record AcknowledgeEntry(string IncidentId, string By, string Note, DateTimeOffset Now) : Entry;

/// <summary>R4: a stream's present level is its new normal.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Now">The wall clock.</param>
internal sealed record AcceptEntry(string Stream, DateTimeOffset Now) : Entry
{
    /// <summary>Gets what became of it.</summary>
    public TaskCompletionSource<AcceptOutcome>? Answer { get; init; }
}

/// <summary>R4: other maintenance windows hold from here on.</summary>
/// <param name="Windows">All of them.</param>
internal sealed record MaintenanceEntry(IReadOnlyList<MaintenanceWindow> Windows) : Entry;

/// <summary>R4: a stream is forgotten because a person asked for it.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Now">The wall clock.</param>
internal sealed record ForgetEntry(string Stream, DateTimeOffset Now) : Entry
{
    /// <summary>Gets whether there was such a stream, and the entry's sequence.</summary>
    public TaskCompletionSource<(bool WasKnown, long Sequence)>? Answer { get; init; }
}

/// <summary>R4: other bounds on streams hold from here on: they are the configuration's and the machine's, which a replay may not ask.</summary>
internal sealed record LimitsEntry(StreamLimits Limits) : Entry;

/// <summary>R4: other things are asked of alerts from here on: a replay asks no configuration.</summary>
internal sealed record TermsEntry(AlertTerms Terms) : Entry;

/// <summary>A place that counts for nothing: what stood there was taken back, or is missing. It is given to nothing else, as sinks may have been told of it.</summary>
internal sealed record VoidEntry : Entry;

/// <summary>Asks the router for its part of a snapshot. Not written down: it changes nothing.</summary>
/// <param name="WithState">Whether its state is wanted too, or only where it stands and which weights serve.</param>
/// <param name="Answer">Gets it, once it is written as it was here.</param>
internal sealed record RouterQuestion(bool WithState, TaskCompletionSource<RouterPart> Answer) : Entry;

/// <summary>Asks what lies behind the shards for its part of a snapshot, once all before it has passed. Not written down.</summary>
internal sealed record EndQuestion(TaskCompletionSource<EndPart> Answer) : Entry;

/// <summary>What the router adds to a snapshot.</summary>
/// <param name="At">The last sequence it has routed.</param>
/// <param name="State">Who has a place, the maintenance windows in force, and what is asked of alerts; in pieces.</param>
/// <param name="Model">The base weights in service.</param>
internal sealed record RouterPart(long At, IReadOnlyList<ReadOnlyMemory<byte>> State, BaseModel Model);

/// <summary>What lies behind the shards adds to a snapshot.</summary>
/// <param name="At">The last sequence it has seen, and every sink with a promise has made durable.</param>
/// <param name="Groups">The state of the grouping.</param>
/// <param name="Books">The books.</param>
/// <param name="Receipts">What requests with a key were answered.</param>
/// <param name="Sinks">Where each sink with a promise stands.</param>
internal sealed record EndPart(long At, byte[] Groups, Books Books, byte[] Receipts, IReadOnlyDictionary<string, string> Sinks);

/// <summary>An entry with its place in the order.</summary>
/// <param name="Sequence">Its place; of a question the place before it.</param>
/// <param name="Entry">What it is.</param>
/// <param name="IsReplayed">Whether it was written by a former life of this program.</param>
internal sealed record Sequenced(long Sequence, Entry Entry, bool IsReplayed);

/// <summary>An entry on its way to the journal.</summary>
/// <param name="Entry">What it is.</param>
/// <param name="OnDisk">Gets its sequence once it would survive; or why it was not taken.</param>
internal sealed record Handed(Entry Entry, TaskCompletionSource<long>? OnDisk);
