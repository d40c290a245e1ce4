using System.Threading.Channels;

namespace StreamLstm.Daemon.Commands.Load;

/// <summary>Sends observations to a target, as fast as a schedule says or as the target takes them, and counts what came of it.</summary>
/// <param name="target">Who takes them.</param>
/// <param name="schedule">When each is due; null for as fast as they are taken.</param>
/// <param name="time">The clock.</param>
internal sealed class LoadRun(ILoadTarget target, TokenSchedule? schedule, TimeProvider time)
{
    private static readonly TimeSpan TickMin = TimeSpan.FromMilliseconds(1);

    private readonly Latencies _latencies = new();
    private readonly Lock _lock = new();
    private readonly long _started = time.GetTimestamp();
    private long _sent;
    private long _acknowledged;
    private long _refused;
    private long _lastAnswer;

    /// <summary>Sends; ends once all are answered for.</summary>
    /// <param name="next">The next observation, said at this time, and the number of its stream.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="length">How long at most: a target that is too slow gets fewer.</param>
    /// <param name="progress">Told of those answered for.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    /// <exception cref="IOException">The target is not there, or takes nothing any more.</exception>
    public async Task RunAsync(Func<long, (int Number, LoadRow Row)> next, long count, TimeSpan length, Action<long>? progress, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<LoadRow>[] lanes = [.. Enumerable.Range(0, target.Lanes).Select(_ => Channel.CreateBounded<LoadRow>(
            new BoundedChannelOptions(4 * target.BatchMax) { SingleReader = true, SingleWriter = true }))];
        Task[] sending = [.. lanes.Select((lane, number) => SendAsync(lane.Reader, number, progress, ended))];

        try
        {
            for (long sent = 0; sent < count; sent++)
            {
                while (schedule?.Wait is { } wait && wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait > TickMin ? wait : TickMin, time, ended.Token);
                }

                ended.Token.ThrowIfCancellationRequested();

                if (time.GetElapsedTime(_started) >= length)
                {
                    break;
                }

                (int number, LoadRow row) = next(schedule?.Take() ?? time.GetTimestamp());
                await lanes[number % lanes.Length].Writer.WriteAsync(row, ended.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // A lane has failed, and says why below.
        }
        finally
        {
            lanes.ToList().ForEach(lane => lane.Writer.Complete());
            await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (sending.FirstOrDefault(lane => lane.IsFaulted) is { } failed)
        {
            await failed;
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>What came of it, in a line.</summary>
    public string Report()
    {
        lock (_lock)
        {
            double seconds = time.GetElapsedTime(_started, _lastAnswer > 0 ? _lastAnswer : time.GetTimestamp()).TotalSeconds;
            string asked = schedule is null ? "" : FormattableString.Invariant($" of {schedule.Rate:#,##0.##} asked for");
            string waits = target.Waits > 0 ? FormattableString.Invariant($", told to wait {target.Waits:N0} times") : "";
            string unanswered = _sent > _acknowledged + _refused ? FormattableString.Invariant($", unanswered {_sent - _acknowledged - _refused:N0}") : "";
            return FormattableString.Invariant(
                $"sent {_sent:N0}, acknowledged {_acknowledged:N0}, refused {_refused:N0}{unanswered}{waits}; {_acknowledged / Math.Max(seconds, 1e-3):#,##0.0} observations/s{asked}; acknowledged after {Milliseconds(0.5)} (p50), {Milliseconds(0.99)} (p99)");
        }
    }

    /// <summary>Whether all that was sent was acknowledged.</summary>
    public bool IsComplete => _acknowledged == _sent;

    private string Milliseconds(double share) =>
        _latencies.Percentile(share) is { } latency ? FormattableString.Invariant($"{latency.TotalMilliseconds:0.##} ms") : "-";

    private async Task SendAsync(ChannelReader<LoadRow> rows, int lane, Action<long>? progress, CancellationTokenSource ended)
    {
        var batch = new List<LoadRow>(target.BatchMax);

        try
        {
            while (await rows.WaitToReadAsync(ended.Token))
            {
                batch.Clear();

                while (batch.Count < target.BatchMax && rows.TryRead(out LoadRow row))
                {
                    batch.Add(row);
                }

                Interlocked.Add(ref _sent, batch.Count);
                await target.SendAsync(lane, batch, Answered, ended.Token);
                progress?.Invoke(batch.Count);
            }
        }
        catch
        {
            await ended.CancelAsync();
            throw;
        }
    }

    private void Answered(LoadRow row, bool isTaken)
    {
        lock (_lock)
        {
            _lastAnswer = time.GetTimestamp();
            _acknowledged += isTaken ? 1 : 0;
            _refused += isTaken ? 0 : 1;

            if (isTaken)
            {
                _latencies.Add(time.GetElapsedTime(row.Due, _lastAnswer));
            }
        }
    }
}
