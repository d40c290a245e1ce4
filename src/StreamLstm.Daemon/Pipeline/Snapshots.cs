using System.Diagnostics;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Takes a snapshot on its interval while the pipeline runs, and a last one when it has drained.</summary>
/// <remarks>
/// Nothing depends on when: what came since the last one is in the journal. So it may be seldom, and only bounds how much a
/// start has to read again. One shard at a time is asked for and written; the others go on, each is cut at a place of its own.
/// Where nothing but time has passed since the last one, none is taken. A failure is told and counted, and the next interval tries again.
/// </remarks>
internal sealed class Snapshots(
    DetectionPipeline pipeline,
    Journal journal,
    Generations generations,
    StorageOptions options,
    Ledger ledger,
    DaemonMetrics metrics,
    Action written,
    TimeProvider time,
    ILogger<Snapshots> logger)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    private long _takenAt = time.GetTimestamp();
    private long _bytesThen = journal.Bytes;
    private long _receivedThen = -1;
    private long _size;
    private long _round;
    private CarriedRows? _former;   // of the last generation this life wrote

    /// <summary>As asked for, or as long as the size of the last one asks for.</summary>
    private TimeSpan Interval
    {
        get
        {
            var bySize = TimeSpan.FromSeconds(_size / 1024.0 / options.SnapshotKibPerSecond);
            return bySize > options.SnapshotInterval ? bySize : options.SnapshotInterval;
        }
    }

    /// <summary>Why the last one failed; null where it did not.</summary>
    public string? Failure { get; private set; }

    public async Task RunAsync(CancellationToken stopping)
    {
        TimeSpan look = options.SnapshotInterval < LookInterval ? options.SnapshotInterval : LookInterval;
        using var timer = new PeriodicTimer(look, time);

        try
        {
            await pipeline.Replayed.WaitAsync(stopping);

            while (await timer.WaitForNextTickAsync(stopping))
            {
                bool isFull = journal.Bytes - _bytesThen > options.SnapshotAfterMib * 1024L * 1024L;
                bool isDue = time.GetElapsedTime(_takenAt) >= Interval && ledger.Cut().Received != _receivedThen;

                if (isFull || isDue)
                {
                    await TryAsync(() => TakeAsync(stopping));
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            // The last snapshot is taken once the pipeline has drained.
        }
    }

    /// <summary>The snapshot at the end, of the drained pipeline.</summary>
    public Task WriteFinalAsync(IEnumerable<IJournalSink> sinks) => TryAsync(async () =>
    {
        var marks = new Dictionary<string, string>();

        foreach (IJournalSink sink in sinks)
        {
            marks[sink.Name] = await sink.MarkAsync(CancellationToken.None);
        }

        RouterPart router = pipeline.FinalRouterPart();
        using GenerationWriter writer = generations.Begin();
        long[] cuts = new long[StreamRouter.ShardCount];

        CarriedRows? former = Former();
        var rows = new CarriedRows(++_round, writer.Number);

        for (int shard = 0; shard < cuts.Length; shard++)
        {
            ShardState state = pipeline.FinalCut(shard, _round, former?.Round ?? 0);
            cuts[shard] = state.At;
            rows.Write(writer, generations, shard, state.Cut, former);
        }

        Commit(writer, router, cuts, pipeline.FinalEndPart() with { Sinks = marks }, Stopwatch.GetTimestamp());
        _former = rows;
        return true;
    });

    private async Task TryAsync(Func<Task<bool>> take)
    {
        (_takenAt, _bytesThen) = (time.GetTimestamp(), journal.Bytes);
        long received = ledger.Cut().Received;

        try
        {
            if (await take())
            {
                (_receivedThen, _bytesThen, Failure) = (received, journal.Bytes, null);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            throw;
        }
#pragma warning disable CA1031 // told and counted: memory stays the truth, the former generation stays valid
        catch (Exception failed)
#pragma warning restore CA1031
        {
            Failure = failed.Message;
            metrics.SnapshotFailed();
            LogMessages.SnapshotFailed(logger, failed.Message, failed is IOException or UnauthorizedAccessException ? null : failed);
        }
    }

    /// <summary>One snapshot of the running pipeline, whatever the interval says; false where there is to be none now.</summary>
    internal async Task<bool> TakeAsync(CancellationToken stopping)
    {
        long started = Stopwatch.GetTimestamp();
        RouterPart router = await pipeline.RouterPartAsync(stopping);
        using GenerationWriter writer = generations.Begin();
        long[] cuts = new long[StreamRouter.ShardCount];

        CarriedRows? former = Former();
        var rows = new CarriedRows(++_round, writer.Number);

        for (int shard = 0; shard < cuts.Length; shard++)
        {
            ShardState state = await pipeline.CutAsync(shard, _round, former?.Round ?? 0, stopping);
            cuts[shard] = state.At;
            rows.Write(writer, generations, shard, state.Cut, former);
        }

        EndPart end = await pipeline.EndPartAsync(stopping);

        if (await pipeline.ServingAsync(stopping) != router.Model)
        {
            // Shards that were cut behind a swap hold what the weights before it do not explain. The next interval has one model.
            return false;
        }

        Commit(writer, router, cuts, end, started);
        _former = rows;
        return true;
    }

    /// <summary>What the next round may carry over; until that is committed nothing is, so that a round that fails is not built on.</summary>
    private CarriedRows? Former()
    {
        CarriedRows? former = _former;
        _former = null;
        return former;
    }

    private void Commit(GenerationWriter writer, RouterPart router, long[] cuts, EndPart end, long started)
    {
        writer.AddPieces(Parts.Router, 0, router.State);
        writer.Add(Parts.Groups, 0, end.Groups);
        writer.Add(Parts.Books, 0, end.Books.Write());
        writer.Add(Parts.Receipts, 0, end.Receipts);
        writer.Add(Parts.Model, 0, ModelBytes.Of(router.Model));
        KillPoint.Pass(KillPoint.R2MarkedNoManifest);
        long needed = generations.Commit(writer, new Manifest(
            Manifest.CurrentFormat, Generations.Layout, DaemonTelemetry.Version, time.GetUtcNow(), router.At, cuts, end.At, writer.Bytes,
            writer.Sections, new Dictionary<string, string>(end.Books.Positions), end.Sinks));

        // R6: the pointer is durable; what is before the oldest kept generation is not needed any more.
        journal.Trim(needed);
        written();
        _size = writer.Bytes;
        metrics.SnapshotWritten(Stopwatch.GetElapsedTime(started), writer.Bytes);
    }
}
