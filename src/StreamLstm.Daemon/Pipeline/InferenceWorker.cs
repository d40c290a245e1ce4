using System.Diagnostics;
using System.Threading.Channels;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Applies the batches of the shards it owns, in order. It alone touches their state.</summary>
/// <remarks>One of its shards keeps a canary: what could make one blind and another not, code, weights, buffers and the thread, is the worker's.</remarks>
internal sealed class InferenceWorker(
    int number,
    IReadOnlyDictionary<int, DetectionShard> shards,
    BaseModel model,
    ChannelReader<WorkerMessage> inbox,
    ChannelWriter<ScoredBatch> scored,
    Ledger ledger,
    DetectorHealth detectors,
    DaemonMetrics metrics,
    IDeadLetters deadLetters,
    ILogger<InferenceWorker> logger)
{
    // Touched by this worker only.
    private readonly ShardOutput _output = new();
    private BaseModel _model = model;   // as of the last batch

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A thread of its own after the first batch would be the pool's again: scoring is short, and awaits only channels.
        await foreach (WorkerMessage message in inbox.ReadAllAsync(cancellationToken))
        {
            switch (message)
            {
                case ShardBatch batch:
                    await ApplyAsync(batch, cancellationToken);
                    break;
                case Tick tick:
                    await TickAsync(tick, cancellationToken);
                    break;
                case SnapshotRequest request:
                    TryComplete(request.Completion, SaveShards);
                    break;
                case WindowsRequest request:
                    TryComplete(request.Completion, () => [.. shards.Values.SelectMany(shard => shard.TrainingWindows)]);
                    break;
                case MaintenanceRequest request:
                    TryComplete(request.Completion, () => Maintain(request.Windows));
                    break;
                case AcceptRequest request:
                    await AcceptAsync(request, cancellationToken);
                    break;
                case ExplainRequest request:
                    TryComplete(request.Completion, () => new ExplainAnswer(
                        shards[request.Shard].Explain(request.Stream, request.At, out string? missing), missing));
                    break;
                case LabelRequest request:
                    await LabelAsync(request, cancellationToken);
                    break;
            }
        }

        // Here the inbox is completed and drained: every batch taken was applied, every verdict handed on.
    }

    /// <summary>The shards' states, once <see cref="RunAsync"/> has ended.</summary>
    public IReadOnlyList<(int Shard, byte[] State)> SaveShards()
    {
        List<(int, byte[])> states = [];

        foreach ((int number, DetectionShard shard) in shards)
        {
            using var buffer = new MemoryStream();
            using var writer = new BinaryWriter(buffer);
            shard.Save(writer);
            writer.Flush();
            states.Add((number, buffer.ToArray()));
        }

        return states;
    }

    private async ValueTask ApplyAsync(ShardBatch batch, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        using Activity? span = batch.Trace == default
            ? null
            : DaemonActivitySource.Source.StartActivity("score", ActivityKind.Internal, batch.Trace);
        _output.Clear();
        _model = batch.Model;

        foreach ((int shard, Observation[] observations) in batch.Shards)
        {
            shards[shard].Apply(observations, batch.IngestedAt, batch.Model, _output);
        }

        foreach ((Observation observation, Exception fault) in _output.Faults)
        {
            LogMessages.ScoringFault(logger, observation.Stream, fault);
            deadLetters.Add("pipeline", RejectionReason.Fault, fault.Message, System.Text.Encoding.UTF8.GetBytes(observation.Stream));
        }

        metrics.Scored(_output, Stopwatch.GetElapsedTime(started));
        span?.SetTag("streamlstm.observations", _output.Scored.Count);
        ActivityContext trace = span?.Context ?? batch.Trace;

        // Handed on first, settled second: what the books call scored has reached the sinks' channel.
        int count = _output.Scored.Count;
        await PublishAsync(batch.IngestedAt, trace, cancellationToken);
        ledger.Settle(count, _output.Rejected);
    }

    private async ValueTask TickAsync(Tick tick, CancellationToken cancellationToken)
    {
        _output.Clear();

        foreach (DetectionShard shard in shards.Values)
        {
            shard.Tick(tick.Now, tick.Elapsed, _output);
        }

        metrics.Suppressed(_output);
        detectors.Tell(number, shards[number].AdvanceCanary(tick.Elapsed, _model));

        await PublishAsync(tick.Now, default, cancellationToken);
    }

    private bool Maintain(IReadOnlyList<MaintenanceWindow> windows)
    {
        foreach (DetectionShard shard in shards.Values)
        {
            shard.Maintain(windows);
        }

        return true;
    }

    private async ValueTask AcceptAsync(AcceptRequest request, CancellationToken cancellationToken)
    {
        _output.Clear();
        TryComplete(request.Completion, () => shards[request.Shard].Accept(request.Stream, _output));
        await PublishAsync(request.Now, default, cancellationToken);
    }

    private async ValueTask LabelAsync(LabelRequest request, CancellationToken cancellationToken)
    {
        _output.Clear();
        TryComplete(request.Completion, () =>
            shards[request.Shard].Label(request.Stream, request.IncidentId, request.Label, request.Now, _output));
        await PublishAsync(request.Now, default, cancellationToken);
    }

    private async ValueTask PublishAsync(DateTimeOffset ingestedAt, ActivityContext trace, CancellationToken cancellationToken)
    {
        if (_output.Scored.Count > 0 || _output.Incidents.Count > 0)
        {
            await scored.WriteAsync(
                new ScoredBatch([.. _output.Scored], [.. _output.Incidents], [], ingestedAt, trace), cancellationToken);
        }
    }

    /// <summary>Answers; a failure is the asker's to handle, not this loop's.</summary>
    private static void TryComplete<T>(TaskCompletionSource<T> completion, Func<T> answer)
    {
        try
        {
            completion.TrySetResult(answer());
        }
#pragma warning disable CA1031 // travels to whoever asked
        catch (Exception failure)
#pragma warning restore CA1031
        {
            completion.TrySetException(failure);
        }
    }
}
