using System.Diagnostics;

namespace StreamLstm.Tests.Simulation;

/// <summary>One thread for all that a simulated life does at once: of what could go on next, the seed says what does.</summary>
/// <remarks>So a seed is one order of events, the same each time, and another seed another order.</remarks>
internal sealed class SeededContext(Random random) : SynchronizationContext
{
    private static readonly TimeSpan StandsStill = TimeSpan.FromSeconds(20);

    private readonly object _lock = new();   // waited on, too
    private readonly List<(SendOrPostCallback Callback, object? State)> _ready = [];

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_lock)
        {
            _ready.Add((d, state));
            Monitor.Pulse(_lock);
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => Post(d, state);

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs until the task has ended; its exception comes out.</summary>
    /// <exception cref="TimeoutException">Nothing can go on, and it has not ended.</exception>
    public void Run(Func<Task> start)
    {
        SynchronizationContext? before = Current;
        SetSynchronizationContext(this);

        try
        {
            Task running = start();

            while (!running.IsCompleted)
            {
                RunOne(running);
            }

            running.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    private void RunOne(Task running)
    {
        (SendOrPostCallback Callback, object? State) one;

        lock (_lock)
        {
            // What came from elsewhere, as from the callbacks of a cancellation, is waited for.
            for (var waited = Stopwatch.StartNew(); _ready.Count == 0; Monitor.Wait(_lock, 5))
            {
                if (running.IsCompleted)
                {
                    return;
                }

                if (waited.Elapsed > StandsStill)
                {
                    throw new TimeoutException("everything waits");
                }
            }

            int index = random.Next(_ready.Count);
            one = _ready[index];
            _ready[index] = _ready[^1];
            _ready.RemoveAt(_ready.Count - 1);
        }

        one.Callback(one.State);
    }
}
