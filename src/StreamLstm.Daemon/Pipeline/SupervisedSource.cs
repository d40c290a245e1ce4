using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Runs a source, and starts it again after a while where it fails; the others go on.</summary>
/// <remarks>One that cannot start with the daemon, for a reason its user can mend, ends it with that reason.</remarks>
internal sealed class SupervisedSource(
    IObservationSource source, ObservationIntake intake, DaemonMetrics metrics, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private string? _failure;

    public string Name => source.Name;

    /// <summary>Whether it ends all where it cannot start: not one that came later, while others do their work.</summary>
    public bool MayEndAll { get; init; } = true;

    /// <summary>Why it does not run at present, or does less than it should; null where all is well.</summary>
    public string? Trouble => _failure is { } failure ? $"source {Name} failed and is started again: {failure}"
        : source is IConnectedSource { Trouble: { } trouble } ? $"source {Name}: {trouble}"
        : null;

    public async Task RunAsync(CancellationToken stopping)
    {
        TimeSpan wait = FirstWait;

        while (true)
        {
            long started = time.GetTimestamp();

            try
            {
                Task running = source.RunAsync(intake, stopping);
                _failure = null;
                await running;
                return;
            }
            catch (Exception ended) when (ended is System.Threading.Channels.ChannelClosedException || (ended is OperationCanceledException && stopping.IsCancellationRequested))
            {
                // Nothing is taken in any more: asked to stop, or another stage has failed and says so.
                return;
            }
            catch (SourceException) when (MayEndAll && _failure is null && time.GetElapsedTime(started) < FirstWait)
            {
                throw;
            }
#pragma warning disable CA1031 // whatever it is, it must not take the other sources down
            catch (Exception failed)
#pragma warning restore CA1031
            {
                _failure = failed.Message;
                metrics.SourceFailed(source.Name);
                LogMessages.SourceFailed(logger, source.Name, failed.Message, failed is SourceException or NotTakenException or IOException ? null : failed);
            }

            // One that has run for a while begins with short waits again.
            wait = time.GetElapsedTime(started) > LongestWait ? FirstWait : wait * 2 < LongestWait ? wait * 2 : LongestWait;

            try
            {
                await Task.Delay(wait * (0.5 + Random.Shared.NextDouble()), time, stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
