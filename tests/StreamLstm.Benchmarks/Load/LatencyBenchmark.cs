using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Backtesting.Demonstrations;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;

namespace StreamLstm.Benchmarks.Load;

/// <summary>From the hand-in of a batch to its score at a sink, journal synced between: undisturbed, while snapshots follow one another, while weights are exchanged, while new ones are trained; in turns.</summary>
internal static class LatencyBenchmark
{
    private const int BatchSize = 10;

    private static readonly string[] Phases = ["undisturbed", "snapshots", "swaps", "training"];

    public static void Run(BenchmarkRun run)
    {
        foreach ((string what, DetectionOptions options, int streams, int rows) in Fleets(run.Small))
        {
            MeasureAsync(run, what, options, streams, rows).GetAwaiter().GetResult();
        }
    }

    private static IEnumerable<(string What, DetectionOptions Options, int Streams, int Rows)> Fleets(bool small)
    {
        yield return ("300 streams of the full form", new DetectionOptions(), 300, small ? 40 : 700);

        if (!small)
        {
            yield return ("20,000 lean streams", new DetectionOptions { Form = StreamForm.Lean, PerStreamMax = 0, StreamsMax = 20_000 }, 20_000, 40);
        }
    }

    private static async Task MeasureAsync(BenchmarkRun run, string what, DetectionOptions options, int streams, int rows)
    {
        TimeSpan turn = TimeSpan.FromSeconds(run.Small ? 0.3 : 8);
        using var directory = new TemporaryFolder();
        var generations = new Generations(new LocalDisk(directory.Path) { GivesWay = true }, NullLogger.Instance);
        var feed = new PacedFeed(streams, rows);
        List<double>[] milliseconds = [.. Phases.Select(_ => new List<double>())];
        int phase = -1;
        int[] times = new int[Phases.Length];
        var pauses = new TimeSpan[Phases.Length];

        await using var life = new PipelineLife(directory.Path, options, RestoredState.Nothing(1), generations, feed, latency =>
        {
            if (Volatile.Read(ref phase) is >= 0 and var now)
            {
                milliseconds[now].Add(latency.TotalMilliseconds);
            }
        });
        await feed.Fed;
        await life.TakeSnapshotAsync();
        IReadOnlyList<TrainingWindow> windows = Windows();
        using var paced = new CancellationTokenSource();
        Task pacing = feed.PaceAsync(BatchSize, TimeSpan.FromMilliseconds(10), paced.Token);

        for (int round = 0; round < (run.Small ? 1 : 4); round++)
        {
            for (int next = 0; next < Phases.Length; next++)
            {
                Volatile.Write(ref phase, next);
                TimeSpan paused = GC.GetTotalPauseDuration();
                times[next] += await DisturbAsync(next, life, windows, turn);
                pauses[next] += GC.GetTotalPauseDuration() - paused;
            }
        }

        Volatile.Write(ref phase, -1);
        await paced.CancelAsync();
        await pacing;
        double[][] sorted = [.. milliseconds.Select(list => list.Order().ToArray())];

        foreach ((int i, double[] one) in sorted.Index())
        {
            run.Print(string.Create(
                CultureInfo.InvariantCulture,
                $"latency, {what}, 1,000 observations a second in batches of {BatchSize}, {Phases[i]}{(i == 0 ? "" : $" ({times[i]})")}: p50 {At(one, .5):0.0} p99 {At(one, .99):0.0} p99.9 {At(one, .999):0.0} ms; collector's pauses {pauses[i].TotalMilliseconds:0} ms in all"));
        }

        run.Goal($"P10 {what}, p50", At(sorted[0], .5), "ms", 2, atLeast: false);
        run.Goal($"P10 {what}, p99", At(sorted[0], .99), "ms", 10, atLeast: false);

        foreach ((int i, double[] one) in sorted.Index().Skip(1))
        {
            run.Goal($"P10 {what}, p99 during {Phases[i]}", At(one, .99) / At(sorted[0], .99), "x the p99 undisturbed", 1.5, atLeast: false);
        }

        double[] shares = [.. Enumerable.Range(0, 61).Select(step => step / 20.0)];   // nines: 0 to 3
        run.Draw($"latency-{streams}", new DemonstrationPicture(
            $"{what}: hand-in to score", "share of batches that are faster, in nines (1 = 90 %, 2 = 99 %)", "milliseconds",
            [.. sorted.Select((one, i) => new DemonstrationLine(Phases[i], shares, [.. shares.Select(nines => At(one, 1 - Math.Pow(10, -nines)))]))]));
    }

    /// <summary>One turn; how often it was disturbed.</summary>
    private static async Task<int> DisturbAsync(int phase, PipelineLife life, IReadOnlyList<TrainingWindow> windows, TimeSpan turn)
    {
        long started = Stopwatch.GetTimestamp();
        int count = 0;

        switch (Phases[phase])
        {
            case "snapshots":
                for (; Stopwatch.GetElapsedTime(started) < turn; count++)
                {
                    await life.TakeSnapshotAsync();
                }

                break;
            case "swaps":
                for (; Stopwatch.GetElapsedTime(started) < turn; count++)
                {
                    BaseModel next = new(life.Serving.Version + 1, WeightInitializer.Create(BaseModel.Shape, (ulong)count));
                    await life.Pipeline.Decisions.SwapAsync(next, new ModelSwap(next.Version, DateTimeOffset.UtcNow, 2, 1, 10, $"{next.Version}"), CancellationToken.None);
                    await Task.Delay(TimeSpan.FromSeconds(1));
                }

                break;
            case "training":
                count = await TrainAsync(life.Serving.Weights, windows, turn);
                break;
            default:
                await Task.Delay(turn);
                break;
        }

        return count;
    }

    /// <summary>Of a few streams by themselves: those that are measured may be too young to have any.</summary>
    private static IReadOnlyList<TrainingWindow> Windows()
    {
        const int Streams = 8, Rows = 500;
        var shard = new DetectionShard(new DetectionOptions { Form = StreamForm.Lean }, new StreamQuota(Streams, 0), 0, 1, new DetectionScratch());
        var output = new ShardOutput();

        for (int row = 0; row < Rows; row++)
        {
            DateTimeOffset time = DateTimeOffset.UnixEpoch.AddSeconds(row);
            output.Clear();
            shard.Apply(
                [.. Enumerable.Range(0, Streams).Select(stream => new Observation($"s{stream}", time, 20 + (5 * Math.Sin((row / 20.0) + stream)) + (row * 31 + stream) % 17 / 17.0))],
                time, BaseModel.Pretrained, output);
        }

        return [.. shard.TrainingWindows];
    }

    /// <summary>As the retrainer does, one training after the other.</summary>
    private static Task<int> TrainAsync(ForecastWeights champion, IReadOnlyList<TrainingWindow> windows, TimeSpan turn)
    {
        var trained = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            KernelPriority.LowerThisThread();
            using var limit = new CancellationTokenSource(turn);
            int count = 0;

            for (; !limit.IsCancellationRequested; count++)
            {
                BaseTraining.Train(champion, windows, count, cancellationToken: limit.Token);
            }

            trained.SetResult(count);
        });
        thread.Start();
        return trained.Task;
    }

    private static double At(double[] sorted, double share) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
}
