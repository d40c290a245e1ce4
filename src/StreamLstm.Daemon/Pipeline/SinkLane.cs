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
internal sealed class SinkLane(IScoreSink sink, int capacity, DaemonMetrics metrics, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>What a sink gets to take what it is being given, where another is to take its place.</summary>
    private static readonly TimeSpan LetGoMax = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(
        new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly OncePerMinute _told = new(time);

    // Counted up before a batch is queued, down once it is written; _passed is set behind both.
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IScoreSink _sink = sink;
    private volatile Change? _change;
    private volatile bool _isLeaving;
    private CancellationTokenSource _letGo = new();
    private Task<Work?> _beside = Task.FromResult<Work?>(null);   // a mark that the sink makes while it takes more; what comes of it is what another sink is to do
    private string? _markTrouble;
    private string? _trouble;
    private long _waiting;
    private long _passed = long.MinValue;
    private long _written = long.MinValue;

    public string Name => _sink.Name;

    public IScoreSink Sink => _sink;

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

    public bool IsTap => _sink is ITap;

    public int Depth => _queue.Reader.Count;

    /// <summary>Why the sink takes nothing at present; null where it does.</summary>
    public string? Trouble => _trouble ?? _markTrouble;

    /// <summary>Why what the sink has taken does not get any further at present; null where it does.</summary>
    public string? ConnectionTrouble => (_sink as IConnectedSink)?.Trouble;

    public async ValueTask OfferAsync(ScoredBatch batch, CancellationToken failure)
    {
        IScoreSink sink = _sink;

        if (!sink.Takes(batch))
        {
            return;
        }

        Interlocked.Increment(ref _waiting);

        if (!IsTap && !sink.DropsWhenFull)
        {
            try
            {
                await _queue.Writer.WriteAsync(new Work(batch, Mark: null), failure);
            }
            catch (ChannelClosedException) when (_isLeaving)
            {
                Interlocked.Decrement(ref _waiting);
                metrics.Dropped(sink.Name, sink.Wanted(batch));
            }
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
        if (_sink is not IJournalSink || _isLeaving)
        {
            return null;
        }

        var mark = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);

        try
        {
            await _queue.Writer.WriteAsync(new Work(Batch: null, mark), failure);
        }
        catch (ChannelClosedException) when (_isLeaving)
        {
            return null;
        }

        return mark.AwaitAsync(failure);
    }

    public void Complete() => _queue.Writer.TryComplete();

    public async Task RunAsync(CancellationToken failure)
    {
        using var failureOrEnd = CancellationTokenSource.CreateLinkedTokenSource(failure, _ending.Token);

        try
        {
            await foreach (Work work in _queue.Reader.EachAsync(failureOrEnd.Token))
            {
                await TakeOverAsync(failureOrEnd.Token);

                if (work.Mark is not null && _sink is IJournalSink { TakesWhileMarking: true })
                {
                    await EndMarkAsync(failureOrEnd.Token);
                    _beside = MarkBesideAsync(work, failureOrEnd.Token);
                    continue;
                }

                for (TimeSpan wait = FirstWait; !await TryAsync(work, failureOrEnd.Token); wait = Longer(wait))
                {
                    await RestAsync(wait, failureOrEnd.Token);
                    await TakeOverAsync(failureOrEnd.Token);
                }
            }

            await EndMarkAsync(failureOrEnd.Token);
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested && !failure.IsCancellationRequested)
        {
            while (_queue.Reader.TryRead(out Work left))
            {
                metrics.Dropped(Name, left.Batch is { } batch ? _sink.Wanted(batch) : 0);
                left.Mark?.TrySetCanceled(CancellationToken.None);
            }
        }
        finally
        {
            await ((Task)_beside).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _change?.Done.TrySetCanceled(CancellationToken.None);
            _ended.TrySetResult();
        }

        // Here the sink has taken all it was given.
    }

    /// <summary>Has another sink take on what waits, from what this one has not taken on.</summary>
    /// <param name="next">Makes it, once the former has let go of its files; told of the last entry that one wrote, null where it wrote none.</param>
    /// <param name="again">Makes the former again, where that fails; told the same.</param>
    /// <exception cref="IOException">It cannot be made; the former goes on.</exception>
    public async Task ReplaceAsync(Func<long?, IScoreSink> next, Func<long?, IScoreSink> again)
    {
        var change = new Change(next, again, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

        // One that tries in vain is interrupted; one that waits for work is woken.
        _letGo.CancelAfter(LetGoMax);
        _change = change;
        _queue.Writer.TryWrite(new Work(Batch: null, Mark: null));
        await Task.WhenAny(change.Done.Task, _ended.Task);
        await (change.Done.Task.IsCompleted ? change.Done.Task : Task.CompletedTask);
    }

    /// <summary>Ends it: what the sink has not taken within a few seconds is dropped, counted.</summary>
    public async Task EndAsync()
    {
        _isLeaving = true;
        _queue.Writer.TryComplete();
        _ending.CancelAfter(LetGoMax);
        await Task.WhenAny(_ended.Task, Task.Delay(2 * LetGoMax, time));
        await _sink.DisposeAsync();
    }

    public void Dispose()
    {
        _ending.Dispose();
        _letGo.Dispose();
    }

    /// <summary>Until it is made, or another sink is to take its place, which it is left to then.</summary>
    private async Task<Work?> MarkBesideAsync(Work work, CancellationToken failureOrEnd)
    {
        try
        {
            for (TimeSpan wait = FirstWait; !await TryAsync(work, failureOrEnd); wait = Longer(wait))
            {
                await RestAsync(wait, failureOrEnd);

                if (_change is not null)
                {
                    return work;
                }
            }

            return null;
        }
        catch (OperationCanceledException)
        {
            work.Mark!.TrySetCanceled(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Waits for the mark that is under way, whichever sink makes it in the end.</summary>
    private async Task EndMarkAsync(CancellationToken failureOrEnd)
    {
        while (await _beside is not null)
        {
            await TakeOverAsync(failureOrEnd);
        }
    }

    private async Task RestAsync(TimeSpan wait, CancellationToken failureOrEnd)
    {
        // No two sinks in step.
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(failureOrEnd, _letGo.Token);
        await Task.Delay(wait * (0.5 + Random.Shared.NextDouble()), time, wake.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        failureOrEnd.ThrowIfCancellationRequested();
    }

    private static TimeSpan Longer(TimeSpan wait) => wait * 2 < LongestWait ? wait * 2 : LongestWait;

    private async ValueTask TakeOverAsync(CancellationToken failureOrEnd)
    {
        if (_change is not { } change)
        {
            return;
        }

        Work? left = await _beside;
        (_change, CancellationTokenSource former) = (null, _letGo);
        _letGo = new CancellationTokenSource();
        former.Dispose();
        await _sink.DisposeAsync();
        long? told = Volatile.Read(ref _written) is var written and > long.MinValue ? written : null;

        try
        {
            _sink = change.Next(told);
            change.Done.SetResult();
        }
#pragma warning disable CA1031 // travels to whoever asked for it
        catch (Exception refused)
#pragma warning restore CA1031
        {
            _sink = change.Again(told);
            change.Done.SetException(refused);
        }

        (_trouble, _markTrouble) = (null, null);
        _beside = left is { } mark ? MarkBesideAsync(mark, failureOrEnd) : Task.FromResult<Work?>(null);
    }

    private async ValueTask<bool> TryAsync(Work work, CancellationToken failureOrEnd)
    {
        IScoreSink sink = _sink;
        using var failure = CancellationTokenSource.CreateLinkedTokenSource(failureOrEnd, _letGo.Token);

        try
        {
            if (work.Batch is { } batch)
            {
                using System.Diagnostics.Activity? span = batch.Trace == default
                    ? null
                    : DaemonActivitySource.Source.StartActivity($"sink {sink.Name}", System.Diagnostics.ActivityKind.Internal, batch.Trace);
                await sink.WriteAsync(batch, failure.Token);
                metrics.Published(sink.Name, batch);
                Volatile.Write(ref _written, batch.Sequence);
                Interlocked.Decrement(ref _waiting);
            }
            else if (work.Mark is { } mark)
            {
                mark.TrySetResult(sink is IJournalSink journal ? await journal.MarkAsync(failure.Token) : "");
            }
        }
        catch (OperationCanceledException) when (_letGo.IsCancellationRequested && !failureOrEnd.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception refused) when (sink is IJournalSink && refused is SqliteException or IOException or UnauthorizedAccessException)
        {
            ref string? trouble = ref work.Mark is null ? ref _trouble : ref _markTrouble;

            if (_told.Tell($"{sink.Name}: {refused.Message}", out int times) || trouble is null)
            {
                LogMessages.SinkWaits(logger, sink.Name, times > 1 ? $"{refused.Message} ({times} times)" : refused.Message);
            }

            metrics.SinkRetried(sink.Name);
            trouble = refused.Message;
            return false;
        }

        GoOn(ref work.Mark is null ? ref _trouble : ref _markTrouble);
        return true;
    }

    private void GoOn(ref string? trouble)
    {
        if (trouble is not null)
        {
            LogMessages.SinkGoesOn(logger, Name);
            trouble = null;
        }
    }

    private sealed record Change(Func<long?, IScoreSink> Next, Func<long?, IScoreSink> Again, TaskCompletionSource Done);

    private readonly record struct Work(ScoredBatch? Batch, TaskCompletionSource<string>? Mark);
}
