using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Benchmarks.Load;

/// <summary>One life of the whole pipeline, journal and snapshots on a folder of this machine's disk, and a sink that says how old each batch is.</summary>
internal sealed class PipelineLife : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Ledger _ledger = new();
    private readonly DaemonMetrics _metrics;
    private readonly Journal _journal;
    private readonly Generations _generations;
    private readonly LiveModel _live;
    private readonly Task _running;

    /// <param name="path">The folder.</param>
    /// <param name="options">What streams remember.</param>
    /// <param name="restored">Where it goes on.</param>
    /// <param name="generations">Its snapshots.</param>
    /// <param name="feed">Its one source.</param>
    /// <param name="latency">Told of each batch that was scored the time since it was handed in.</param>
    /// <param name="sinks">Others that are told what comes of it.</param>
    public PipelineLife(
        string path, DetectionOptions options, RestoredState restored, Generations generations, PacedFeed feed, Action<TimeSpan> latency, IReadOnlyList<IScoreSink>? sinks = null)
    {
        _metrics = new DaemonMetrics(_ledger);
        _generations = generations;
        _journal = Journal.Open(new LocalDisk(path), restored.ReplayAfter, 1);
        _live = new LiveModel(restored.Model ?? BaseModel.Pretrained);
        Pipeline = new DetectionPipeline(
            new PipelineOptions(), options, _live, _journal, restored,
            _ => throw new InvalidOperationException("no swaps of a former life"), [feed], [new Sink(latency), .. sinks ?? []], _ledger, new NoLetters(), _metrics, TimeProvider.System,
            NullLoggerFactory.Instance);
        Snapshots = new Snapshots(
            Pipeline, _journal, generations, new StorageOptions(), _ledger, _metrics, () => { }, TimeProvider.System, NullLogger<Snapshots>.Instance);
        _running = Pipeline.RunAsync(_stopping.Token);
    }

    public DetectionPipeline Pipeline { get; }

    private Snapshots Snapshots { get; }

    /// <summary>Takes a snapshot as the daemon does.</summary>
    public Task TakeSnapshotAsync() => ThreadOfItsOwn.RunAsync("snapshots", () => Snapshots.TakeAsync(CancellationToken.None));

    /// <summary>The weights in service.</summary>
    public BaseModel Serving => _live.Serving.Model;

    /// <summary>The books.</summary>
    public LedgerCut Cut => _ledger.Cut();

    /// <summary>Of the newest snapshot.</summary>
    public long Bytes => _generations.Open(_generations.Numbers()[^1]).Manifest.FileBytes;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        Pipeline.Dispose();
        _journal.Dispose();
        _metrics.Dispose();
        _stopping.Dispose();
    }

    private sealed class Sink(Action<TimeSpan> latency) : IScoreSink
    {
        public string Name => "latency";

        public ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
        {
            if (batch.Observations.Count > 0)
            {
                latency(DateTimeOffset.UtcNow - batch.IngestedAt);
            }

            return default;
        }

        public ValueTask DisposeAsync() => default;
    }
}
