using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Benchmarks;

/// <summary>The detector as the daemon runs it.</summary>
internal static class DetectionBenchmarks
{
    private const int Streams = 200;

    /// <summary>Rows after which every memory of a stream is full: a ring of values, and coresets that have been thinned.</summary>
    private const int FullRows = 9000;

    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    /// <summary>Cost of an observation and memory of a stream, beside a random cut forest in the same run (P7).</summary>
    public static void Score(BenchmarkRun run)
    {
        (double microseconds, double kib) = Score(run, StreamForm.Full, ownWeights: Streams);
        (_, double leanKib) = Score(run, StreamForm.Lean, ownWeights: 0);

        if (!run.Small && Forest() is { } forest)
        {
            run.Print(string.Create(
                CultureInfo.InvariantCulture, $"  random cut forest, 30 trees: {forest.Microseconds:0} us per observation, {forest.Kib:0} KiB per stream"));
            run.Goal("P7 scoring and learning", forest.Microseconds / microseconds, "x random cut forest", 5);
        }

        run.Goal("P7 memory per stream", kib, "KiB", 250, atLeast: false);
        run.Goal("P7 memory per stream, lean form", leanKib, "KiB", 35, atLeast: false);
    }

    private static (double Microseconds, double Kib) Score(BenchmarkRun run, StreamForm form, int ownWeights)
    {
        int rows = run.Small ? 450 : FullRows;
        var random = new Random(1);
        BaseModel model = BaseModel.Untrained(1);
        var output = new ShardOutput();

        // The windows kept for the retrainer belong to no stream: they are the same number for ten streams or a million.
        var options = new DetectionOptions { Form = form, TrainingWindowsMax = 1 };
        var scratch = new DetectionScratch();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var shard = new DetectionShard(options, new StreamQuota(Streams, ownWeights), 0, 1, scratch);
        var batch = new Observation[Streams];
        int row = 0;

        for (; row < rows; row++)
        {
            Apply();
        }

        output.Clear();
        // Where tests run beside it, what they let go of meanwhile may be more than the streams took.
        double kib = Math.Max(0, GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Streams / 1024;
        double microseconds = run.Time(Apply) / Streams / 1000;
        run.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"score, {Streams} streams, {form.ToString().ToLowerInvariant()}{(ownWeights > 0 ? ", learning on line" : "")}, {rows} rows each: {microseconds:0.0} us per observation, {kib:0} KiB per stream"));
        GC.KeepAlive(shard);
        return (microseconds, kib);

        void Apply()
        {
            for (int stream = 0; stream < Streams; stream++)
            {
                batch[stream] = new Observation($"s{stream}", Start.AddSeconds(row), Value(row, stream, random));
            }

            output.Clear();
            shard.Apply(batch, Start.AddSeconds(row), model, output);
            row++;
        }
    }

    /// <summary>The longest that one observation ever holds its shard up.</summary>
    /// <remarks>The same stream is run several times, and a row takes what it took in its fastest run: what the machine does beside it goes away, what the row itself does stays.</remarks>
    public static void Stall(BenchmarkRun run)
    {
        int rows = run.Small ? 1200 : 30_000;
        var fastest = new double[rows];
        Array.Fill(fastest, double.PositiveInfinity);

        for (int turn = 0; turn < (run.Small ? 1 : 4); turn++)
        {
            var random = new Random(2);
            var detector = new AnomalyDetector();

            for (int row = 0; row < rows; row++)
            {
                var observation = new Observation("s", Start.AddSeconds(row), Value(row, 0, random));
                long before = Stopwatch.GetTimestamp();
                detector.Score(observation);
                fastest[row] = Math.Min(fastest[row], Stopwatch.GetElapsedTime(before).TotalMilliseconds);
            }
        }

        int worst = Array.IndexOf(fastest, fastest.Max());
        double[] sorted = [.. fastest.Order()];
        run.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"stall, {rows} rows: median {sorted[rows / 2]:0.000} ms, 99.9 % {sorted[(int)(0.999 * rows)]:0.000} ms, worst {fastest[worst]:0.000} ms in row {worst}"));
        run.Goal("P7 longest stall", fastest[worst], "ms", 1, atLeast: false);
    }

    private static double Value(int row, int stream, Random random) => Math.Sin(row / 20.0 + stream) + 0.1 * random.NextDouble();

    /// <summary>The peer, where its runner lies beside the repository and there is a Java to run it; else null.</summary>
    private static (double Microseconds, double Kib)? Forest()
    {
        string? runner = QualityCommand.DevelopmentData() is { } data ? Path.Combine(data, "..", "peers", "rcf", "rcf.sh") : null;

        if (!File.Exists(runner))
        {
            return null;
        }

        var start = new ProcessStartInfo("bash", [runner, "bench", "--trees", "30", "--streams", "200", "--points", "1000"]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string line = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();

        if (process.ExitCode != 0)
        {
            return null;
        }

        using JsonDocument measured = JsonDocument.Parse(line);
        return (
            measured.RootElement.GetProperty("cpu_ns_per_point").GetDouble() / 1000,
            measured.RootElement.GetProperty("heap_bytes_per_stream").GetDouble() / 1024);
    }
}
