using System.Diagnostics;
using System.Globalization;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;

namespace StreamLstm.Benchmarks;

/// <summary>What a fleet in shared form costs: an observation against the bare step of its network, and bytes a stream, young and grown, against lean.</summary>
internal static class EngineBenchmark
{
    /// <summary>Observations handed in together, and steps of the bare network taken together.</summary>
    private const int Batch = 512;
    private const int Together = 64;

    private const int YoungRows = 96;
    private const int GrownRows = 640;
    private const int TimedRows = 8;

    private static readonly DateTimeOffset Start = new(2024, 5, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Run(BenchmarkRun run)
    {
        int fleet = run.Small ? 500 : 100_000, grown = run.Small ? 100 : 10_000, lean = run.Small ? 50 : 2_000;

        // Once without being counted: what is compiled and shared is no stream's.
        Measure(StreamForm.Shared, 200, YoungRows);
        Measure(StreamForm.Lean, 20, YoungRows);
        double step = BareStep(fleet);
        run.Print(Text($"engine, the network alone, {Together} of {fleet} streams at a time: {step:0} ns a step"));
        (double young, double youngBytes) = Print(run, StreamForm.Shared, fleet, YoungRows);
        (_, double grownBytes) = Print(run, StreamForm.Shared, grown, GrownRows);
        Print(run, StreamForm.Lean, lean, GrownRows);
        run.Goal($"P6 an observation among {fleet} shared streams", young / step, "x the bare step of its network", 2, atLeast: false);
        run.Goal($"P9 a shared stream of {YoungRows} rows, everything included", youngBytes, "bytes", 2_048, atLeast: false);
        run.Goal($"P9 a shared stream of {GrownRows} rows", grownBytes, "bytes", 2_048, atLeast: false);
    }

    private static (double Nanoseconds, double Bytes) Print(BenchmarkRun run, StreamForm form, int streams, int rows)
    {
        (double nanoseconds, double bytes, double saved) = Measure(form, streams, rows);
        run.Print(Text(
            $"engine, {streams,7} {form.ToString().ToLowerInvariant()} streams of {rows} rows in turn: {nanoseconds:0} ns of processor time an observation, {bytes:0} bytes a stream, {saved:0} of a snapshot"));
        return (nanoseconds, bytes);
    }

    private static (double Nanoseconds, double Bytes, double SavedBytes) Measure(StreamForm form, int streams, int rows)
    {
        var options = new DetectionOptions { Form = form, PerStreamMax = 0, StreamsMax = streams, TrainingWindowsMax = 1 };
        var output = new ShardOutput();
        var scratch = new DetectionScratch();
        var first = new DetectionShard(options, new StreamQuota(1, 0), 0, 1, scratch);
        first.Apply([new Observation("first", Start, 1)], Start, BaseModel.Pretrained, output);
        var batch = new Observation[Batch];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var shard = new DetectionShard(options, new StreamQuota(streams, 0), 0, 1, scratch);
        string[] names = [.. Enumerable.Range(0, streams).Select(stream => $"plant/line/{stream:0000000}")];
        TimeSpan timed = TimeSpan.Zero;

        for (int row = 0; row < rows; row++)
        {
            TimeSpan started = Process.GetCurrentProcess().TotalProcessorTime;

            for (int from = 0; from < streams; from += Batch)
            {
                int count = Math.Min(Batch, streams - from);

                for (int i = 0; i < count; i++)
                {
                    int stream = from + i;
                    double noise = ((row * 7919L + stream * 104_729L) % 1_000_003 * 48_271 % 1_000_003) / 1_000_003.0;
                    batch[i] = new Observation(names[stream], Start.AddSeconds(10.0 * row), 20 + 5 * Math.Sin(row / 40.0 + stream) + noise);
                }

                output.Clear();
                shard.Apply(batch.AsSpan(0, count), Start.AddSeconds(10.0 * row), BaseModel.Pretrained, output);
            }

            timed += row >= rows - TimedRows ? Process.GetCurrentProcess().TotalProcessorTime - started : TimeSpan.Zero;
        }

        output.Clear();

        // The names are the streams' too: no other part holds them here.
        double bytes = (GC.GetTotalMemory(forceFullCollection: true) - before - 8.0 * streams) / streams;
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        shard.SaveStream(writer, names[streams / 2]);
        writer.Flush();
        GC.KeepAlive(first);
        return (timed.TotalNanoseconds / streams / TimedRows, bytes, file.Length);
    }

    /// <summary>The same network over a slab of as many states, nothing else.</summary>
    private static double BareStep(int streams)
    {
        LstmShape shape = BaseModel.Shape.Network;
        var packed = new PackedLstmWeights(BaseModel.Pretrained.Weights.Network);
        float[] slab = new float[streams * shape.StateSize], inputs = new float[Together * shape.InputSize], outputs = new float[Together * shape.OutputSize];
        int[] rows = new int[Together];
        var scratch = new LstmScratch(shape);
        TimeSpan started = TimeSpan.Zero;
        int steps = 0;

        // The first round is not counted.
        for (int round = 0; round <= TimedRows; round++)
        {
            if (round == 1)
            {
                started = Process.GetCurrentProcess().TotalProcessorTime;
            }

            for (int from = 0; from + Together <= streams; from += Together)
            {
                for (int i = 0; i < Together; i++)
                {
                    rows[i] = from + i;
                    inputs[i * shape.InputSize] = (from + i + round) % 7 - 3;
                }

                LstmNetwork.Step(packed, inputs, slab, rows, outputs, scratch);
                steps += round > 0 ? Together : 0;
            }
        }

        return (Process.GetCurrentProcess().TotalProcessorTime - started).TotalNanoseconds / steps;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
