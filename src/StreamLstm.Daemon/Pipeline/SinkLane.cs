using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>The way to one sink: a bounded queue and one writer.</summary>
/// <remarks>
/// A sink with a promise is written to again and again until it takes what it is given, and while it does not, its queue fills
/// and all waits behind it: nothing is dropped, nothing is acknowledged beyond the journal. A tap may drop, and what it
/// dropped is counted. The others fail for all.
/// </remarks>
internal sealed class SinkLane(IScoreSink sink, int capacity, DaemonMetrics metrics, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(
        new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly OncePerMinute _told = new(time);

    // Counted up before a batch is queued, down once it is written; _passed is set behind both.
    private long _waiting;
    private long _passed = long.MinValue;
    private long _written = long.MinValue;

    public string Name => sink.Name;

    /// <summary>
    /// The place in the journal up to which the sink has written all there was to tell: whoever reads what it writes finds it
    /// there. <see cref="long.MinValue"/> before the first entry. A tap may have missed some.
    /// </summary>
    public long Settled
    {
        get
        {
            long passed = Volatile.Read(ref _passed);
            return Interlocked.Read(ref _waiting) == 0 ? passed : Volatile.Read(ref _written);
        }
    }

    public bool IsTap => sink is ITap;

    public int Depth => _queue.Reader.Count;

    /// <summary>Why the sink takes nothing at present; null where it does.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Why what the sink has taken does not get any further at present; null where it does.</summary>
    public string? ConnectionTrouble => (sink as IConnectedSink)?.Trouble;

    public async ValueTask OfferAsync(ScoredBatch batch, CancellationToken failure)
    {
        if (!sink.Takes(batch))
        {
            return;
        }

        Interlocked.Increment(ref _waiting);

        if (!IsTap && !sink.DropsWhenFull)
        {
            await _queue.Writer.WriteAsync(new Work(batch, Mark: null), failure);
        }
        else if (IsTap && batch.IsReplayed)
        {
            Interlocked.Decrement(ref _waiting);
        }
        else if (!_queue.Writer.TryWrite(new Work(batch, Mark: null)))
        {
            Interlocked.Decrement(ref _waiting);
            metrics.Dropped(sink.Name, sink.Wanted(batch));
        }
    }

    /// <summary>All up to a place in the journal has been offered, or there was nothing to tell.</summary>
    public void Pass(long sequence) => Volatile.Write(ref _passed, sequence);

    /// <summary>Asks the sink to make all before this durable; gets where it stands then. Null where it promises nothing.</summary>
    public async ValueTask<Task<string>?> AskForMarkAsync(CancellationToken failure)
    {
        if (sink is not IJournalSink)
        {
            return null;
        }

        var mark = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new Work(Batch: null, mark), failure);
        return mark.AwaitAsync(failure);
    }

    public void Complete() => _queue.Writer.TryComplete();

    public async Task RunAsync(CancellationToken failure)
    {
        await foreach (Work work in _queue.Reader.EachAsync(failure))
        {
            for (TimeSpan wait = FirstWait; !await TryAsync(work, failure); wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
            {
                // No two sinks in step.
                await Task.Delay(wait * (0.5 + Random.Shared.NextDouble()), time, failure);
            }
        }

        // Here the sink has taken all it was given.
    }

    private async ValueTask<bool> TryAsync(Work work, CancellationToken failure)
    {
        try
        {
            if (work.Batch is { } batch)
            {
                using System.Diagnostics.Activity? span = batch.Trace == default
                    ? null
                    : DaemonActivitySource.Source.StartActivity($"sink {sink.Name}", System.Diagnostics.ActivityKind.Internal, batch.Trace);
                await sink.WriteAsync(batch, failure);
                metrics.Published(sink.Name, batch);
                Volatile.Write(ref _written, batch.Sequence);
                Interlocked.Decrement(ref _waiting);
            }
            else
            {
                work.Mark!.TrySetResult(await ((IJournalSink)sink).MarkAsync(failure));
            }
        }
        catch (Exception refused) when (sink is IJournalSink && refused is SqliteException or IOException or UnauthorizedAccessException)
        {
            if (_told.Tell($"{sink.Name}: {refused.Message}", out int times) || Trouble is null)
            {
                LogMessages.SinkWaits(logger, sink.Name, times > 1 ? $"{refused.Message} ({times} times)" : refused.Message);
            }

            metrics.SinkRetried(sink.Name);
            Trouble = refused.Message;
            return false;
        }

        if (Trouble is not null)
        {
            LogMessages.SinkGoesOn(logger, sink.Name);
            Trouble = null;
        }

        return true;
    }

    private readonly record struct Work(ScoredBatch? Batch, TaskCompletionSource<string>? Mark);
}
