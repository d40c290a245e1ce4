namespace StreamLstm.Daemon.Pipeline;

/// <summary>Tasks that run beside each other: while one of them runs, more may join.</summary>
internal sealed class JoinedTasks
{
    private readonly Lock _lock = new();
    private readonly List<Task> _tasks = [];

    public void Add(Task task)
    {
        lock (_lock)
        {
            // What has ended well says nothing any more; what has failed is still to be told.
            _tasks.RemoveAll(one => one.IsCompletedSuccessfully);
            _tasks.Add(task);
        }
    }

    /// <summary>Ends when all have ended, and fails as they did.</summary>
    public async Task RunAsync()
    {
        while (Running() is { Length: > 0 } running)
        {
            await Task.WhenAll(running);
        }
    }

    private Task[] Running()
    {
        lock (_lock)
        {
            _tasks.RemoveAll(one => one.IsCompletedSuccessfully);
            return [.. _tasks];
        }
    }
}
