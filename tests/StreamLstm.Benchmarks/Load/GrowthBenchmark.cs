using System.Diagnostics;
using System.Globalization;
using StreamLstm.Backtesting.Demonstrations;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Benchmarks.Load;

/// <summary>Time and memory of an observation as the fleet grows: lean and shared streams on base weights, every stream in turn, one core.</summary>
internal static class GrowthBenchmark
{
    /// <summary>Rows of each stream; of the last few the time is taken.</summary>
    private const int Rows = 32;

    private const int TimedRows = 8;

    private static readonly DateTimeOffset Start = new(2024, 5, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Run(BenchmarkRun run)
    {
        Run(run, StreamForm.Lean, run.Small ? [200, 400] : [1_000, 4_000, 16_000, 64_000, 256_000]);
        Run(run, StreamForm.Shared, run.Small ? [200, 400] : [1_000, 10_000, 100_000, 1_000_000]);
    }

    private static void Run(BenchmarkRun run, StreamForm form, int[] fleets)
    {
        string name = form.ToString().ToLowerInvariant();
        double[] nanoseconds = new double[fleets.Length], kib = new double[fleets.Length];

        // Once without being counted: what is compiled and shared is no stream's.
        Measure(form, fleets[1]);

        for (int i = 0; i < fleets.Length; i++)
        {
            (nanoseconds[i], kib[i]) = Measure(form, fleets[i]);
            run.Print(string.Create(
                CultureInfo.InvariantCulture, $"growth, {fleets[i],7} {name} streams of {Rows} rows in turn: {nanoseconds[i]:0} ns an observation, {kib[i]:0.0} KiB a stream"));
        }

        run.Goal($"P11 an observation among {fleets[^1]} {name} streams", nanoseconds[^1] / nanoseconds[0], $"x that among {fleets[0]}", 1.6, atLeast: false);
        double[] sizes = [.. fleets.Select(fleet => Math.Log10(fleet))];
        run.Draw($"growth-{name}", new DemonstrationPicture(
            $"Streams of form {name} in turn, one core", "streams, as a power of ten", "microseconds an observation; KiB a stream",
            [new DemonstrationLine("microseconds", sizes, [.. nanoseconds.Select(ns => ns / 1000)]), new DemonstrationLine("KiB", sizes, kib)]));
    }

    private static (double Nanoseconds, double Kib) Measure(StreamForm form, int streams)
    {
        var options = new DetectionOptions { Form = form, PerStreamMax = 0, StreamsMax = streams, TrainingWindowsMax = 1 };
        BaseModel model = BaseModel.Pretrained;
        var output = new ShardOutput();
        string[] names = [.. Enumerable.Range(0, streams).Select(stream => $"plant/{stream}")];
        var batch = new Observation[200];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var shard = new DetectionShard(options, new StreamQuota(streams, 0), 0, 1, new DetectionScratch());
        long timed = 0;

        for (int row = 0; row < Rows; row++)
        {
            long started = Stopwatch.GetTimestamp();

            for (int from = 0; from < streams; from += batch.Length)
            {
                for (int i = 0; i < batch.Length; i++)
                {
                    int stream = from + i;
                    batch[i] = new Observation(names[stream], Start.AddSeconds(row), 20 + 5 * Math.Sin(row / 40.0 + stream) + (row * 31 + stream) % 17 / 17.0);
                }

                output.Clear();
                shard.Apply(batch, Start.AddSeconds(row), model, output);
            }

            timed += row >= Rows - TimedRows ? Stopwatch.GetTimestamp() - started : 0;
        }

        output.Clear();
        double kib = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024.0 / streams;
        GC.KeepAlive(shard);
        return (Stopwatch.GetElapsedTime(0, timed).TotalNanoseconds / streams / TimedRows, kib);
    }
}
