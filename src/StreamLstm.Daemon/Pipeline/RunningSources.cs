using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>The sources, each running for itself: one may end, begin, or take another's place while the others go on.</summary>
/// <param name="intake">What they hand to.</param>
/// <param name="metrics">Counts their failures.</param>
/// <param name="time">For the time between two attempts.</param>
/// <param name="loggers">Theirs.</param>
internal sealed class RunningSources(ObservationIntake intake, DaemonMetrics metrics, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly JoinedTasks _tasks = new();
    private readonly SemaphoreSlim _oneChange = new(1);
    private volatile Place[] _places = [];
    private Func<Task, Task> _watched = task => task;
    private CancellationToken _stopping;

    /// <summary>Why sources do not run, or do less than they should.</summary>
    public IEnumerable<string> Troubles => _places.Select(place => place.Supervised.Trouble).OfType<string>();

    /// <summary>Runs until every source has ended.</summary>
    /// <param name="sources">Those to begin with.</param>
    /// <param name="watched">What their tasks are put into.</param>
    /// <param name="stopping">All are to end.</param>
    public Task RunAsync(IReadOnlyList<IObservationSource> sources, Func<Task, Task> watched, CancellationToken stopping)
    {
        (_watched, _stopping) = (watched, stopping);
        _places = [.. sources.Select(source => Begin(source, endsAll: true))];
        return _tasks.RunAsync();
    }

    /// <summary>Ends a source, and begins another where there is one: what the first has read is taken in before.</summary>
    /// <param name="ending">The one that is to end; null where one only begins.</param>
    /// <param name="next">Makes the other one; called when the first has ended. Null for none.</param>
    /// <returns>The one that has begun; null for none.</returns>
    public async Task<IObservationSource?> ReplaceAsync(IObservationSource? ending, Func<IObservationSource>? next)
    {
        await _oneChange.WaitAsync(_stopping);

        // The pipeline does not end for want of a source between the two.
        var change = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _tasks.Add(change.Task);

        try
        {
            if (_places.FirstOrDefault(place => place.Source == ending) is { } former)
            {
                await former.Stop.CancelAsync();
                await former.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                _places = [.. _places.Where(place => place != former)];
                former.Stop.Dispose();
            }

            if (next is null)
            {
                return null;
            }

            IObservationSource begun = next();
            _places = [.. _places, Begin(begun, endsAll: false)];
            return begun;
        }
        finally
        {
            _oneChange.Release();
            change.SetResult();
        }
    }

    public void Dispose()
    {
        _oneChange.Dispose();
        Array.ForEach(_places, place => place.Stop.Dispose());
    }

    private Place Begin(IObservationSource source, bool endsAll)
    {
        var supervised = new SupervisedSource(source, intake, metrics, time, loggers.CreateLogger<SupervisedSource>()) { MayEndAll = endsAll };
        var stop = CancellationTokenSource.CreateLinkedTokenSource(_stopping);
        Task task = _watched(supervised.RunAsync(stop.Token));
        _tasks.Add(task);
        return new Place(source, supervised, stop, task);
    }

    private sealed record Place(IObservationSource Source, SupervisedSource Supervised, CancellationTokenSource Stop, Task Task);
}
