using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection;

namespace StreamLstm.Benchmarks.Load;

/// <summary>Snapshots of the running pipeline on this machine's disk: time, bytes and recovery.</summary>
internal static class SnapshotBenchmark
{
    public static void Run(BenchmarkRun run)
    {
        foreach ((int streams, int rows) in run.Small ? [(60, 40)] : ((int, int)[])[(1_000, 600), (10_000, 70), (100_000, 8)])
        {
            SizesAsync(run, streams, rows).GetAwaiter().GetResult();
        }
    }

    private static async Task SizesAsync(BenchmarkRun run, int streams, int rows)
    {
        var options = new DetectionOptions { Form = StreamForm.Lean, PerStreamMax = 0, StreamsMax = streams, TrainingWindowsMax = 1 };
        using var directory = new TemporaryFolder();
        var generations = new Generations(new LocalDisk(directory.Path), NullLogger.Instance);
        var feed = new PacedFeed(streams, rows);
        TimeSpan first, second;
        long bytes;

        await using (var life = new PipelineLife(directory.Path, options, RestoredState.Nothing(1), generations, feed, _ => { }))
        {
            await feed.Fed;
            long started = Stopwatch.GetTimestamp();
            await life.TakeSnapshotAsync();
            first = Stopwatch.GetElapsedTime(started);
            await feed.MoreAsync(Math.Max(1, streams / 100));
            started = Stopwatch.GetTimestamp();
            await life.TakeSnapshotAsync();
            second = Stopwatch.GetElapsedTime(started);
            bytes = life.Bytes;
        }

        long begun = Stopwatch.GetTimestamp();
        RestoredState restored = RestoredState.Of(new Generations(new LocalDisk(directory.Path), NullLogger.Instance).Newest()!);
        var none = new PacedFeed(0, 0);

        await using (new PipelineLife(directory.Path, options, restored, generations, none, _ => { }))
        {
            TimeSpan recovery = Stopwatch.GetElapsedTime(begun);
            run.Print(string.Create(
                CultureInfo.InvariantCulture,
                $"snapshot, {streams} lean streams of {rows} rows: {bytes / 1048576.0:0.0} MiB in {first.TotalSeconds:0.00} s, with 1 % changed {second.TotalSeconds:0.00} s; read again in {recovery.TotalSeconds:0.00} s; RSS {Environment.WorkingSet / 1048576} MiB"));
        }
    }
}
