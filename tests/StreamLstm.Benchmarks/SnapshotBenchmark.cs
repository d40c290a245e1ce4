using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Benchmarks;

/// <summary>Snapshots of the running pipeline on this machine's disk: time, bytes, recovery, and what who waits for a score feels of them.</summary>
internal static class SnapshotBenchmark
{
    private static readonly DateTimeOffset Start = new(2024, 5, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Run(BenchmarkRun run)
    {
        foreach ((int streams, int rows) in run.Small ? [(60, 40)] : ((int, int)[])[(1_000, 600), (10_000, 70), (100_000, 8)])
        {
            SizesAsync(run, streams, rows).GetAwaiter().GetResult();
        }

        LatencyAsync(run).GetAwaiter().GetResult();
    }

    private static async Task SizesAsync(BenchmarkRun run, int streams, int rows)
    {
        var options = new DetectionOptions { Form = StreamForm.Lean, PerStreamMax = 0, StreamsMax = streams, TrainingWindowsMax = 1 };
        using var directory = new Folder();
        var generations = new Generations(new LocalDisk(directory.Path), NullLogger.Instance);
        var feed = new Feed(streams, rows);
        TimeSpan first, second;
        long bytes;

        await using (var life = new Life(directory.Path, options, RestoredState.Nothing(1), generations, feed, _ => { }))
        {
            await feed.Fed;
            long started = Stopwatch.GetTimestamp();
            await life.Snapshots.TakeAsync(CancellationToken.None);
            first = Stopwatch.GetElapsedTime(started);
            await feed.MoreAsync(Math.Max(1, streams / 100));
            started = Stopwatch.GetTimestamp();
            await life.Snapshots.TakeAsync(CancellationToken.None);
            second = Stopwatch.GetElapsedTime(started);
            bytes = life.Bytes;
        }

        long begun = Stopwatch.GetTimestamp();
        RestoredState restored = RestoredState.Of(new Generations(new LocalDisk(directory.Path), NullLogger.Instance).Newest()!);
        var none = new Feed(0, 0);

        await using (new Life(directory.Path, options, restored, generations, none, _ => { }))
        {
            TimeSpan recovery = Stopwatch.GetElapsedTime(begun);
            run.Print(string.Create(
                CultureInfo.InvariantCulture,
                $"snapshot, {streams} lean streams of {rows} rows: {bytes / 1048576.0:0.0} MiB in {first.TotalSeconds:0.00} s, with 1 % changed {second.TotalSeconds:0.00} s; read again in {recovery.TotalSeconds:0.00} s; RSS {Environment.WorkingSet / 1048576} MiB"));
        }
    }

    /// <summary>300 streams of the full form: from the hand-in of a batch to its score at a sink, while snapshots follow one another and while none is taken, in turns.</summary>
    private static async Task LatencyAsync(BenchmarkRun run)
    {
        const int Streams = 300;
        TimeSpan turn = TimeSpan.FromSeconds(run.Small ? 0.3 : 10);
        using var directory = new Folder();
        var generations = new Generations(new LocalDisk(directory.Path), NullLogger.Instance);
        var feed = new Feed(Streams, run.Small ? 40 : 700);
        List<double>[] milliseconds = [[], []];
        int isWriting = -1;
        int snapshots = 0;

        await using var life = new Life(
            directory.Path, new DetectionOptions(), RestoredState.Nothing(1), generations, feed, latency =>
            {
                if (Volatile.Read(ref isWriting) is >= 0 and var which)
                {
                    milliseconds[which].Add(latency.TotalMilliseconds);
                }
            });
        await feed.Fed;
        await life.Snapshots.TakeAsync(CancellationToken.None);
        using var paced = new CancellationTokenSource();
        Task pacing = feed.PaceAsync(batch: 10, TimeSpan.FromMilliseconds(10), paced.Token);

        for (int round = 0; round < (run.Small ? 1 : 4); round++)
        {
            Volatile.Write(ref isWriting, 0);
            await Task.Delay(turn);
            Volatile.Write(ref isWriting, 1);

            for (long started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < turn; snapshots++)
            {
                await life.Snapshots.TakeAsync(CancellationToken.None);
            }
        }

        Volatile.Write(ref isWriting, -1);
        await paced.CancelAsync();
        await pacing;
        double[] quiet = [.. milliseconds[0].Order()], writing = [.. milliseconds[1].Order()];
        run.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"latency, {Streams} streams, 1,000 observations a second in batches of 10, p50 p99 p99.9 in ms: {At(quiet, .5):0.0} {At(quiet, .99):0.0} {At(quiet, .999):0.0}; while snapshots follow one another ({snapshots}) {At(writing, .5):0.0} {At(writing, .99):0.0} {At(writing, .999):0.0}"));
        run.Goal("p99 while a snapshot is written", At(writing, .99) / At(quiet, .99), "x the p99 without", 1.5, atLeast: false);
    }

    private static double At(double[] sorted, double share) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];

    /// <summary>One life of the pipeline on a folder.</summary>
    private sealed class Life : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stopping = new();
        private readonly Ledger _ledger = new();
        private readonly DaemonMetrics _metrics;
        private readonly Journal _journal;
        private readonly DetectionPipeline _pipeline;
        private readonly Generations _generations;
        private readonly Task _running;

        public Life(string path, DetectionOptions options, RestoredState restored, Generations generations, Feed feed, Action<TimeSpan> latency)
        {
            _metrics = new DaemonMetrics(_ledger);
            _generations = generations;
            _journal = Journal.Open(new LocalDisk(path), restored.ReplayAfter, 1);
            _pipeline = new DetectionPipeline(
                new PipelineOptions(), options, new LiveModel(restored.Model ?? BaseModel.Pretrained), _journal, restored,
                _ => throw new InvalidOperationException("no swaps"), [feed], [new Sink(latency)], _ledger, new NoLetters(), _metrics, TimeProvider.System,
                NullLoggerFactory.Instance);
            Snapshots = new Snapshots(
                _pipeline, _journal, generations, new StorageOptions(), _ledger, _metrics, () => { }, TimeProvider.System, NullLogger<Snapshots>.Instance);
            _running = _pipeline.RunAsync(_stopping.Token);
        }

        public Snapshots Snapshots { get; }

        public long Bytes => _generations.Open(_generations.Numbers()[^1]).Manifest.FileBytes;

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            await _running;
            _pipeline.Dispose();
            _journal.Dispose();
            _metrics.Dispose();
            _stopping.Dispose();
        }
    }

    /// <summary>Hands in rows of all streams, then what is asked for.</summary>
    private sealed class Feed(int streams, int rows) : IObservationSource
    {
        private readonly TaskCompletionSource<ObservationIntake> _fed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly string[] _names = [.. Enumerable.Range(0, streams).Select(stream => $"plant/{stream}")];
        private readonly long[] _rows = new long[streams];
        private int _next;

        public string Name => "feed";

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

        public async Task MoreAsync(int observations) => await (await (await _fed.Task).AcceptAsync(Batch(observations), CancellationToken.None));

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
                int stream = _next++ % streams;
                long row = _rows[stream]++;
                observations[i] = new Observation(_names[stream], Start.AddSeconds(row), 20 + 5 * Math.Sin(row / 40.0 + stream) + (row * 31 + stream) % 17 / 17.0);
            }

            return new ObservationBatch(Name, observations, DateTimeOffset.UtcNow);
        }
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

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("streamlstm-snapshots-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
