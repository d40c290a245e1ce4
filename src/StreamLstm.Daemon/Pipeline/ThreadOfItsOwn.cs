using System.Collections.Concurrent;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>One thread on which asynchronous work runs, and goes on behind each wait.</summary>
/// <remarks>
/// For work that stands still on the disk for long: of the pool's threads there are as many as cores, and while some of them stand
/// still, whatever else has something to do waits for the others.
/// </remarks>
#pragma warning disable CA1001 // what waits lives as long as the thread
internal sealed class ThreadOfItsOwn : SynchronizationContext
#pragma warning restore CA1001
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _waiting = [];

    private ThreadOfItsOwn()
    {
    }

    /// <summary>Runs work to its end on a new thread.</summary>
    public static Task RunAsync(string name, Func<Task> work)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            var context = new ThreadOfItsOwn();
            SetSynchronizationContext(context);
            context.Run(work, ended);
        })
        {
            IsBackground = true,
            Name = name,
        };
        thread.Start();
        return ended.Task;
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            _waiting.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            // The work has ended: nothing of it is left that could go on.
        }
    }

    private void Run(Func<Task> work, TaskCompletionSource ended)
    {
        Task running = work();
        running.ContinueWith(_ => _waiting.CompleteAdding(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        foreach ((SendOrPostCallback callback, object? state) in _waiting.GetConsumingEnumerable())
        {
            callback(state);
        }

        ended.TrySetFromTask(running);
    }
}
