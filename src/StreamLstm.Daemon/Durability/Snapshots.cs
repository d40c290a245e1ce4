using System.Diagnostics;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Durability;

/// <summary>Takes a snapshot on its interval while the pipeline runs, and a last one when it has drained.</summary>
internal sealed class Snapshots(
    DetectionPipeline pipeline,
    LiveModel liveModel,
    SnapshotStore store,
    StorageOptions options,
    DaemonMetrics metrics,
    TimeProvider time,
    ILogger<Snapshots> logger)
{
    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(options.SnapshotInterval, time);

        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                long started = Stopwatch.GetTimestamp();
                IReadOnlyList<(int Shard, byte[] State)> shards = await pipeline.SnapshotAsync(stopping);

                byte[] groups = await pipeline.GroupsAsync(stopping);

                // Off the workers' threads: they go on scoring while the disk is busy.
                await Task.Run(() => Write(shards, groups, started), CancellationToken.None);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            // The last snapshot is taken once the pipeline has drained.
        }
    }

    /// <summary>The snapshot at the end, of the drained pipeline.</summary>
    public void WriteFinal() => Write(pipeline.FinalState(), pipeline.FinalGroups(), Stopwatch.GetTimestamp());

    private void Write(IReadOnlyList<(int Shard, byte[] State)> shards, byte[] groups, long started)
    {
        try
        {
            long bytes = store.Write(liveModel.Serving.Model, shards, groups);
            metrics.SnapshotWritten(Stopwatch.GetElapsedTime(started), bytes);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            // Memory stays the truth; the former generation stays valid; the next interval tries again.
            metrics.SnapshotFailed();
            LogMessages.SnapshotFailed(logger, failed.Message);
        }
    }
}
