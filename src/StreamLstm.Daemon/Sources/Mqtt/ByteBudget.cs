namespace StreamLstm.Daemon.Sources.Mqtt;

/// <summary>Bytes that may be held at once. One asker at a time.</summary>
/// <param name="max">How many; a single ask for more waits until nothing else is held.</param>
internal sealed class ByteBudget(long max)
{
    private readonly Lock _lock = new();
    private long _held;
    private long _asked;
    private TaskCompletionSource? _room;

    public async Task TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        Task? room = null;

        lock (_lock)
        {
            if (_held > 0 && _held + bytes > max)
            {
                _asked = bytes;
                _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }
            else
            {
                _held += bytes;
            }
        }

        if (room is not null)
        {
            await room.WaitAsync(cancellationToken);
        }
    }

    public void Return(long bytes)
    {
        lock (_lock)
        {
            _held -= bytes;

            if (_room is not null && (_held == 0 || _held + _asked <= max))
            {
                _held += _asked;
                _room.TrySetResult();
                _room = null;
            }
        }
    }
}
