namespace StreamLstm.Daemon.Sources.Http;

/// <summary>Bodies of requests that are still being sent, the oldest first: where all places are taken, the slowest makes room.</summary>
/// <remarks>Else as many clients as there are places, each sending a byte now and then, would keep everybody out.</remarks>
internal sealed class BodiesUnderWay(TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly LinkedList<ReadBody> _bodies = [];

    /// <summary>A body begins to be read; it is disposed once it is whole, or given up.</summary>
    public ReadBody Begin(CancellationToken aborted)
    {
        var body = new ReadBody(this, time.GetTimestamp(), aborted);

        lock (_lock)
        {
            body.Place = _bodies.AddLast(body);
        }

        return body;
    }

    /// <summary>Ends the one that is longest under way, where that is more than a second.</summary>
    /// <returns>Whether one had to go.</returns>
    public bool MakeRoom()
    {
        lock (_lock)
        {
            if (_bodies.First?.Value is not { } slowest || time.GetElapsedTime(slowest.Began) < Patience)
            {
                return false;
            }

            _bodies.Remove(slowest.Place!);
            slowest.Place = null;
            slowest.GiveWay();
            return true;
        }
    }

    public void End(ReadBody body)
    {
        lock (_lock)
        {
            if (body.Place is { } place)
            {
                _bodies.Remove(place);
                body.Place = null;
            }
        }
    }
}

/// <summary>A body that is being read.</summary>
internal sealed class ReadBody(BodiesUnderWay all, long began, CancellationToken aborted) : IDisposable
{
    private readonly CancellationTokenSource _ended = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    private int _disposed;

    public LinkedListNode<ReadBody>? Place { get; set; }

    public long Began { get; } = began;

    /// <summary>Ends the reading.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Whether it made room for another.</summary>
    public bool GaveWay { get; private set; }

    /// <summary>While <see cref="BodiesUnderWay"/> holds its lock, behind which it is disposed.</summary>
    public void GiveWay()
    {
        GaveWay = true;
        _ended.Cancel();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            all.End(this);
            _ended.Dispose();
        }
    }
}
