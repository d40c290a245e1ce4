using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources;
using StreamLstm.Detection;

namespace StreamLstm.Benchmarks.Load;

/// <summary>Hands in rows of all streams, one after the other, then what is asked for.</summary>
internal sealed class PacedFeed(int streams, int rows) : IObservationSource
{
    private static readonly DateTimeOffset Start = new(2024, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TaskCompletionSource<ObservationIntake> _fed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string[] _names = [.. Enumerable.Range(0, streams).Select(stream => $"plant/{stream}")];
    private readonly long[] _rows = new long[streams];
    private int _next;

    public string Name => "feed";

    /// <summary>Ends when the first rows are taken in.</summary>
    public Task Fed => _fed.Task;

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        for (long left = (long)streams * rows; left > 0; left -= 250)
        {
            await intake.AcceptAsync(Batch((int)Math.Min(250, left)), stopping);
        }

        if (streams > 0)
        {
            await (await intake.AcceptAsync(Batch(1), stopping));
        }

        _fed.TrySetResult(intake);
        await Task.Delay(Timeout.Infinite, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Hands in so many more; ends when they are in the journal.</summary>
    public async Task MoreAsync(int observations) => await (await (await _fed.Task).AcceptAsync(Batch(observations), CancellationToken.None));

    /// <summary>Hands in a batch on each tick.</summary>
    public async Task PaceAsync(int batch, TimeSpan apart, CancellationToken stopping)
    {
        ObservationIntake intake = await _fed.Task;
        using var timer = new PeriodicTimer(apart);

        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                await intake.AcceptAsync(Batch(batch), CancellationToken.None);
            }
        }
        catch (OperationCanceledException)
        {
            // It was asked to end.
        }
    }

    private ObservationBatch Batch(int count)
    {
        var observations = new Observation[count];

        for (int i = 0; i < count; i++)
        {
            int stream = _next;
            _next = (_next + 1) % streams;
            long row = _rows[stream]++;
            observations[i] = new Observation(_names[stream], Start.AddSeconds(row), 20 + 5 * Math.Sin(row / 40.0 + stream) + (row * 31 + stream) % 17 / 17.0);
        }

        return new ObservationBatch(Name, observations, DateTimeOffset.UtcNow);
    }
}
