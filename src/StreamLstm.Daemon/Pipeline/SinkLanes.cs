using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>The ways to the sinks: one may begin, end, or get another sink at its end while the others go on.</summary>
/// <remarks>What is offered and passed goes to those that there are at that entry; the loop that offers sees whole lists alone.</remarks>
internal sealed class SinkLanes : IDisposable
{
    private readonly JoinedTasks _tasks = new();
    private readonly JoinedTasks _taps = new();
    private readonly Func<IScoreSink, SinkLane> _newLane;
    private readonly Lock _lock = new();
    private volatile SinkLane[] _lanes;
    private Func<Task, Task> _watched = task => task;
    private CancellationToken _failure;
    private bool _isCompleted;

    /// <param name="sinks">Those to begin with.</param>
    /// <param name="capacity">Batches a lane holds.</param>
    /// <param name="metrics">Counts what is published, dropped and tried again.</param>
    /// <param name="time">For the time between two attempts.</param>
    /// <param name="loggers">Theirs.</param>
    public SinkLanes(IReadOnlyList<IScoreSink> sinks, int capacity, DaemonMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        _newLane = sink => new SinkLane(sink, capacity, metrics, time, loggers.CreateLogger<SinkLane>());
        _lanes = [.. sinks.Select(_newLane)];
    }

    /// <summary>Those that there are at present.</summary>
    public IReadOnlyList<SinkLane> All => _lanes;

    /// <summary>The sinks at their ends.</summary>
    public IEnumerable<IScoreSink> Sinks => _lanes.Select(lane => lane.Sink);

    /// <summary>Writes until all is written behind <see cref="Complete"/>.</summary>
    /// <param name="watched">What the tasks are put into.</param>
    /// <param name="failure">Another stage has failed.</param>
    public Task RunAsync(Func<Task, Task> watched, CancellationToken failure)
    {
        lock (_lock)
        {
            (_watched, _failure) = (watched, failure);

            foreach (SinkLane lane in _lanes)
            {
                Start(lane);
            }
        }

        return _tasks.RunAsync();
    }

    /// <summary>Ends with the taps: one that stands still holds nothing up.</summary>
    public Task TapsAsync() => _taps.RunAsync();

    /// <summary>Nothing more is offered.</summary>
    public void Complete()
    {
        lock (_lock)
        {
            _isCompleted = true;
            Array.ForEach(_lanes, lane => lane.Complete());
        }
    }

    /// <summary>Another sink takes on what waits for one, and what comes; or a new one begins; or one ends, and what it has not taken by then is dropped, counted.</summary>
    /// <param name="ending">The sink that is to end; null where one only begins.</param>
    /// <param name="next">Makes the other one; null for none. Called when the former has let go of its files, with the last entry that it wrote.</param>
    /// <param name="again">Makes the former one again, where the other one cannot be made.</param>
    /// <returns>The one that has begun; null for none.</returns>
    /// <exception cref="IOException">The other one cannot be made.</exception>
    public async Task<IScoreSink?> ReplaceAsync(IScoreSink? ending, Func<long?, IScoreSink>? next, Func<long?, IScoreSink>? again)
    {
        if (_lanes.FirstOrDefault(lane => lane.Sink == ending) is not { } lane)
        {
            if (next is not null)
            {
                lane = _newLane(next(null));
                Begin(lane);
                return lane.Sink;
            }
        }
        else if (next is not null)
        {
            await lane.ReplaceAsync(next, again ?? next);
            return lane.Sink;
        }
        else
        {
            lock (_lock)
            {
                _lanes = [.. _lanes.Where(other => other != lane)];
            }

            await lane.EndAsync();
            lane.Dispose();
        }

        return null;
    }

    public void Dispose() => Array.ForEach(_lanes, lane => lane.Dispose());

    private void Begin(SinkLane lane)
    {
        lock (_lock)
        {
            if (_isCompleted)
            {
                lane.Dispose();
                return;
            }

            _lanes = [.. _lanes, lane];
            Start(lane);
        }
    }

    private void Start(SinkLane lane)
    {
        if (lane.IsTap)
        {
            _taps.Add(Task.Run(() => lane.RunAsync(_failure), CancellationToken.None));
        }
        else
        {
            _tasks.Add(_watched(lane.RunAsync(_failure)));
        }
    }
}
