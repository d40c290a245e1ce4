using System.Diagnostics;
using System.Threading.Channels;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Applies the entries of the shards it owns, in order. It alone touches their state.</summary>
/// <remarks>
/// A shard that a snapshot cut further on than the journal is read again passes over what it has applied already. One of its
/// shards keeps a canary: what could make one blind and another not, code, weights, buffers and the thread, is the worker's.
/// </remarks>
internal sealed class InferenceWorker(
    int number,
    IReadOnlyDictionary<int, DetectionShard> shards,
    IReadOnlyList<long> cuts,
    BaseModel model,
    ChannelReader<WorkerMessage> inbox,
    ChannelWriter<WorkerOutput> outputs,
    Ledger ledger,
    DetectorHealth detectors,
    DaemonMetrics metrics,
    IDeadLetters deadLetters,
    ILogger<InferenceWorker> logger)
{
    private static readonly Dictionary<string, StreamBirth> NoneBegin = [];

    // Touched by this worker only.
    private readonly ShardOutput _output = new();
    private readonly List<ShardPart> _parts = [];
    private readonly List<ForgottenStream> _forgotten = [];
    private readonly int[] _owned = [.. shards.Keys.Order()];
    private (ShardState State, TaskCompletionSource<ShardState> Completion)? _cut;   // under way
    private BaseModel _model = model;   // as of the last batch
    private long _at = long.MinValue;
    private int _scored;
    private int _incidents;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A thread of its own after the first batch would be the pool's again: scoring is short, and awaits only channels.
        while (_cut is not null || await inbox.WaitToReadAsync(cancellationToken))
        {
            // A stream's bytes between two messages: no batch waits for a whole shard to be written.
            GoOnWithCut();

            if (!inbox.TryRead(out WorkerMessage? message))
            {
                continue;
            }

            switch (message)
            {
                case WorkerStep step:
                    await outputs.WriteAsync(Apply(step), cancellationToken);
                    Settle(step);
                    break;
                case CutRequest request:
                    TryComplete(request.Completion, () =>
                    {
                        _cut = (new ShardState(shards[request.Shard].Cut(request.Round, request.CarriedFrom), Math.Max(_at, cuts[request.Shard])), request.Completion);
                        return null;
                    });
                    break;
                case WindowsRequest request:
                    TryComplete(request.Completion, () => [.. shards.Values.SelectMany(shard => shard.TrainingWindows)]);
                    break;
                case ExplainRequest request:
                    TryComplete(request.Completion, () => Explain(shards[request.Shard], request));
                    break;
            }
        }

        // Here the inbox is completed and drained: every batch taken was applied, every verdict handed on.
    }

    private static ExplainAnswer Explain(DetectionShard shard, ExplainRequest request)
    {
        if (request.What == Explained.Reconstruction)
        {
            Excerpt? excerpt = shard.Excerpt(request.Stream, request.At, out string? why);
            return new ExplainAnswer(null, why, Excerpt: excerpt);
        }

        Explanation? explanation = shard.Explain(request.Stream, request.At, out string? missing);
        return new ExplainAnswer(explanation, missing, request.What == Explained.Gates ? shard.Gates(request.Stream) : null);
    }

    /// <summary>A shard's state and the sequence up to which it goes; from outside once <see cref="RunAsync"/> has ended.</summary>
    public ShardState SaveShard(int shard, long round, long carriedFrom)
    {
        ShardCut cut = shards[shard].Cut(round, carriedFrom);

        while (!cut.IsDone)
        {
            cut.TakeNext();
        }

        return cut.Failure is null ? new ShardState(cut, Math.Max(_at, cuts[shard])) : throw cut.Failure;
    }

    private void GoOnWithCut()
    {
        if (_cut is not var (state, completion))
        {
            return;
        }

        state.Cut.TakeNext();

        if (state.Cut.IsDone)
        {
            _cut = null;
            TryComplete(completion, () => state.Cut.Failure is null ? state : throw state.Cut.Failure);
        }
    }

    private WorkerOutput Apply(WorkerStep step)
    {
        _output.Clear();
        _parts.Clear();
        _forgotten.Clear();
        _scored = _incidents = 0;
        _at = step.Sequence;
        var output = new WorkerOutput(step.Sequence, [], [], default);

        switch (step)
        {
            case ShardBatch batch:
                output = output with { Trace = Score(batch) };
                break;
            case Tick tick:
                // Shards in the order of their numbers, whatever the order in which streams go: how the worker's shards answer is one order.
                foreach (int shard in _owned.Where(shard => tick.Sequence > cuts[shard]))
                {
                    shards[shard].Tick(tick.Now, tick.Elapsed, _output);

                    foreach ((_, ForgottenStream what) in tick.Forgotten.Where(one => one.Shard == shard))
                    {
                        Forget(shard, what);
                    }

                    EndPart(shard);
                }

                foreach ((int shard, ResizedStream what) in tick.Resized)
                {
                    shards[shard].Resize(what.Stream, what.Form, _model);
                }

                output = output with { Forgotten = [.. _forgotten] };
                SayForgotten();

                metrics.Suppressed(_output);
                detectors.Tell(number, shards[number].AdvanceCanary(tick.Elapsed, _model));
                break;
            case TermsChange change:
                foreach (DetectionShard shard in shards.Values)
                {
                    shard.Ask(change.Terms);
                }

                break;
            case MaintenanceChange change:
                foreach (DetectionShard shard in shards.Values)
                {
                    shard.Maintain(change.Windows);
                }

                break;
            case AcceptStep accept when Owns(accept.Shard, accept.Sequence):
                Answer(accept.Entry.Answer, () => shards[accept.Shard].Accept(accept.Entry.Stream, _output));
                EndPart(accept.Shard);
                break;
            case ForgetStep forget when Owns(forget.Shard, forget.Sequence):
                Answer(forget.Entry.Answer, () => (Forget(forget.Shard, new ForgottenStream(forget.Entry.Stream, ForgetReason.Asked)), forget.Sequence));
                EndPart(forget.Shard);
                output = output with { Forgotten = [.. _forgotten] };
                break;
            case LabelStep label when Owns(label.Shard, label.Sequence):
                LabelEntry said = label.Entry;
                bool isApplied = false;
                Answer(said.Answer, () =>
                {
                    LabelOutcome outcome = shards[label.Shard].Label(said.Stream, said.IncidentId, said.Label, said.Now, _output);
                    isApplied = outcome == LabelOutcome.Applied;
                    return (outcome, label.Sequence);
                });
                EndPart(label.Shard);
                // A label taken back is told even where the stream has forgotten the incident: it stands in the history.
                output = output with { Label = isApplied || said.Label is null ? said : null };
                break;
        }

        return output with { Parts = [.. _parts], Rejected = Array.TrueForAll(_output.Rejected, count => count == 0) ? [] : [.. _output.Rejected] };
    }

    private ActivityContext Score(ShardBatch batch)
    {
        long started = Stopwatch.GetTimestamp();
        using Activity? span = batch.Trace == default || batch.Shards.Count == 0
            ? null
            : DaemonActivitySource.Source.StartActivity("score", ActivityKind.Internal, batch.Trace);
        _model = batch.Model;

        foreach ((int shard, ResizedStream what) in batch.Resized)
        {
            shards[shard].Resize(what.Stream, what.Form, _model);
        }

        foreach ((int shard, Observation[] observations) in batch.Shards)
        {
            shards[shard].Apply(observations, batch.IngestedAt, batch.Model, _output, batch.Begins ?? NoneBegin);
            EndPart(shard);
        }

        foreach ((Observation observation, Exception fault) in _output.Faults)
        {
            LogMessages.ScoringFault(logger, observation.Stream, fault);
            deadLetters.Add("pipeline", RejectionReason.Fault, fault.Message, System.Text.Encoding.UTF8.GetBytes(observation.Stream));
        }

        // Whoever sent them was told that they were taken in: it stands here why nothing came of them. A former life has said so already of what is read again.
        foreach ((Observation observation, RejectionReason reason) in batch.IsReplayed ? [] : _output.Refused)
        {
            if (!RefusedObservation.LosesNothing(reason) && deadLetters.Takes(batch.Source, reason))
            {
                deadLetters.Add(batch.Source, reason, RefusedObservation.Detail(observation, reason, batch.IngestedAt), RefusedObservation.Payload(observation));
            }
        }

        if (batch.Shards.Count > 0)
        {
            metrics.Scored(_output, Stopwatch.GetElapsedTime(started));
        }

        span?.SetTag("streamlstm.observations", _output.Scored.Count);
        return span?.Context ?? batch.Trace;
    }

    /// <summary>Handed on first, settled second: what the books call scored has reached the sinks' channel.</summary>
    private void Settle(WorkerStep step)
    {
        if (step is ShardBatch { IsReplayed: false, Shards.Count: > 0 })
        {
            ledger.Settle(_output.Scored.Count, _output.Rejected);
        }
    }

    private bool Owns(int shard, long sequence) => shards.ContainsKey(shard) && sequence > cuts[shard];

    private bool Forget(int shard, ForgottenStream what)
    {
        bool wasKnown = shards[shard].Forget(
            what.Stream,
            what.Reason switch
            {
                ForgetReason.Idle => "the stream had no observation for longer than limits.stream_retention, and is forgotten",
                ForgetReason.Memory => "the stream was idle longest when streams outgrew limits.memory_mib, and is forgotten",
                _ => "a person had the stream forgotten",
            },
            _output);

        if (wasKnown)
        {
            _forgotten.Add(what);
            metrics.Forgotten(what.Reason);
        }

        return wasKnown;
    }

    private void SayForgotten()
    {
        foreach (IGrouping<ForgetReason, ForgottenStream> some in _forgotten.GroupBy(what => what.Reason))
        {
            LogMessages.StreamsForgotten(logger, some.Count(), EventJson.Word(some.Key), some.First().Stream);
        }
    }

    /// <summary>What the output has grown by is this shard's.</summary>
    private void EndPart(int shard)
    {
        if (_output.Scored.Count > _scored || _output.Incidents.Count > _incidents)
        {
            _parts.Add(new ShardPart(
                shard,
                [.. _output.Scored[_scored..]],
                [.. _output.Incidents[_incidents..]]));
            (_scored, _incidents) = (_output.Scored.Count, _output.Incidents.Count);
        }
    }

    /// <summary>Answers, whether anybody waits or not.</summary>
    private static void Answer<T>(TaskCompletionSource<T>? completion, Func<T> answer) =>
        TryComplete(completion ?? new TaskCompletionSource<T>(), answer);

    /// <summary>Answers; a failure is the asker's to handle, not this loop's.</summary>
    private static void TryComplete<T>(TaskCompletionSource<T> completion, Func<T?> answer)
    {
        try
        {
            // Null: the answer comes later.
            if (answer() is { } found)
            {
                completion.TrySetResult(found);
            }
        }
#pragma warning disable CA1031 // travels to whoever asked
        catch (Exception failure)
#pragma warning restore CA1031
        {
            completion.TrySetException(failure);
        }
    }
}
