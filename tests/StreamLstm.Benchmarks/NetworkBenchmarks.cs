using System.Globalization;
using StreamLstm.Benchmarks.Peers;
using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Benchmarks;

/// <summary>The network alone: goals P1 to P5.</summary>
internal static class NetworkBenchmarks
{
    /// <summary>One step of B streams, states in place, against ONNX Runtime with its state carried by hand.</summary>
    public static void Step(BenchmarkRun run)
    {
        _ = run.Peak;
        Step(run, 32, 1, 1);
        run.Goal("P1 h32 l2 b1", Step(run, 32, 2, 1).OverPeer, "x onnxruntime", 30);
        run.Goal("P2 h32 l2 b64", Step(run, 32, 2, 64).OverPeer, "x onnxruntime", 3.5);
        run.Goal("P2 h32 l2 b512", Step(run, 32, 2, 512).OverPeer, "x onnxruntime", 2.5);
        (double ratio, double share) = Step(run, 64, 2, 64);
        run.Goal("P3 h64 l2 b64", ratio, "x onnxruntime", 2);
        run.Goal("P3 h64 l2 b64", 100 * share, "% of peak", 72);
        (ratio, share) = Step(run, 64, 2, 512);
        run.Goal("P3 h64 l2 b512", ratio, "x onnxruntime", 2);
        run.Goal("P3 h64 l2 b512", 100 * share, "% of peak", 72);
    }

    /// <summary>A million streams whose states lie in memory, in random order, against a few whose states are at hand.</summary>
    public static void Cold(BenchmarkRun run)
    {
        const int Batch = 512;
        int count = run.Small ? 50_000 : 1_000_000;
        var shape = new LstmShape(1, 32, 2, 1);
        var weights = new PackedLstmWeights(WeightInitializer.Create(shape, 1));
        var scratch = new LstmScratch(shape);
        var inputs = new float[Batch];
        var outputs = new float[Batch];
        var slab = new float[(long)count * shape.StateSize];
        int[] order = [.. Enumerable.Range(0, count)];
        new Random(1).Shuffle(order);
        int[] hot = [.. Enumerable.Range(0, Batch)];
        int at = 0;
        var times = run.Compare(
            () => LstmNetwork.Step(weights, inputs, slab, hot, outputs, scratch),
            () =>
            {
                at = at + 2 * Batch > count ? 0 : at + Batch;
                LstmNetwork.Step(weights, inputs, slab, order.AsSpan(at, Batch), outputs, scratch);
            });
        run.Print(string.Create(
            CultureInfo.InvariantCulture, $"h32 l2: {times[0].Nanoseconds / Batch:0} ns hot, {times[1].Nanoseconds / Batch:0} ns cold ({count} streams)"));
        run.Goal($"P4 h32 l2 {(run.Small ? "50k" : "1M")} cold over hot", times[1].FirstIsFasterBy, "x", 1.3, atLeast: false);
    }

    /// <summary>Forward, backward and Adam over 32 windows of 64 steps.</summary>
    public static void Train(BenchmarkRun run)
    {
        // TorchSharp's nanoseconds per sequence and step, and the peak of the machine they were taken on: 167 GFLOP/s.
        Train(run, 32, 1, torchSharp: 1950);
        Train(run, 32, 2, torchSharp: 4000);
        Train(run, 64, 2, torchSharp: 7400);
        Detector(run);
    }

    /// <summary>Multiplications and additions of one step of one stream, gates and output.</summary>
    private static double Flop(LstmShape shape)
    {
        double flop = 2.0 * shape.OutputSize * shape.HiddenSize;

        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            flop += 8.0 * shape.HiddenSize * (shape.LayerInputSize(layer) + shape.HiddenSize);
        }

        return flop;
    }

    private static (double OverPeer, double ShareOfPeak) Step(BenchmarkRun run, int hidden, int layers, int batch)
    {
        var shape = new LstmShape(1, hidden, layers, 1);
        LstmWeights weights = WeightInitializer.Create(shape, 1);
        var scratch = new LstmScratch(shape);
        var states = new float[batch * shape.StateSize];
        int[] rows = [.. Enumerable.Range(0, batch)];
        var inputs = new float[batch];
        var outputs = new float[batch];
        Array.Fill(inputs, 0.5f);
        using var exported = new OnnxRuntimeExport(weights, batch);
        using var byHand = new OnnxRuntimeStep(weights, batch);
        var packed = new PackedLstmWeights(weights);
        Action step = batch == 1
            ? () => LstmNetwork.Step(weights, inputs, states, outputs, scratch)
            : () => LstmNetwork.Step(packed, inputs, states, rows, outputs, scratch);
        var times = run.Compare(step, exported.Step, byHand.Step);
        double nanoseconds = times[0].Nanoseconds / batch;
        run.Print($"step h{hidden} l{layers} b{batch}", nanoseconds, Flop(shape));
        run.Print(string.Create(CultureInfo.InvariantCulture, $"  onnxruntime, its LSTM operator: {times[1].Nanoseconds / batch:0} ns; a graph of plain products: {times[2].Nanoseconds / batch:0} ns, we are {times[2].FirstIsFasterBy:0.00} x as fast"));
        return (times[1].FirstIsFasterBy, Flop(shape) / nanoseconds / run.Peak);
    }

    private static void Train(BenchmarkRun run, int hidden, int layers, double torchSharp)
    {
        const int Windows = 32, Group = 12, Steps = 64;
        const double TorchPeak = 167;
        var shape = new LstmShape(1, hidden, layers, 1);
        LstmWeights weights = WeightInitializer.Create(shape, 1);
        var throughTime = new BackpropagationThroughTime(shape, Steps, Group);
        var gradients = new LstmGradients(shape);
        var adam = new AdamOptimizer(shape.ParameterCount, new AdamOptions());
        var random = new Random(1);
        float[] inputs = [.. Enumerable.Range(0, Windows * Steps).Select(_ => random.NextSingle())];
        var states = new float[Group * shape.StateSize];
        var outputGradients = new float[Group * Steps];
        double nanoseconds = run.Time(() =>
        {
            for (int first = 0; first < Windows; first += Group)
            {
                int count = Math.Min(Group, Windows - first);
                ReadOnlySpan<float> target = inputs.AsSpan(first * Steps, count * Steps);
                ReadOnlySpan<float> outputs = throughTime.Forward(weights, target, states.AsSpan(0, count * shape.StateSize));
                System.Numerics.Tensors.TensorPrimitives.Subtract(outputs, target, outputGradients);
                throughTime.Backward(weights, outputGradients.AsSpan(0, count * Steps), gradients);
            }

            GradientClipping.ByGlobalNorm(gradients.Values, 1);
            adam.Step(weights.Parameters, gradients.Values);
            gradients.Clear();
        }) / (Windows * Steps);
        double flop = 3 * Flop(shape);
        run.Print($"train h{hidden} l{layers}, per sequence and step", nanoseconds, flop);
        double share = flop / nanoseconds / run.Peak;
        run.Goal($"P5 h{hidden} l{layers} training", 100 * share, "% of peak", 40);
        run.Goal($"P5 h{hidden} l{layers} training", share / (flop / torchSharp / TorchPeak), "x torchsharp's recorded share of peak", hidden == 32 ? 4 : 2);
    }

    /// <summary>The detector's own on-line training: eight windows of 48 steps, three heads of 32 bins.</summary>
    private static void Detector(BenchmarkRun run)
    {
        const int Windows = 8, Steps = 48;
        var shape = new ForecastShape(new LstmShape(13, 24, 1, 96), 3, 32, 3);
        ForecastWeights weights = WeightInitializer.Create(shape, 1);
        var trainer = new ForecastTrainer(shape, Steps, new ForecastTrainingOptions { HorizonWeights = [1, 0.5f, 0.5f] }, Windows);
        var adam = new AdamOptimizer(shape.ParameterCount, new AdamOptions());
        var random = new Random(1);
        float[] inputs = [.. Enumerable.Range(0, Windows * Steps * 13).Select(_ => random.NextSingle())];
        int[] anchors = [.. Enumerable.Range(0, Windows * Steps * 9).Select(_ => random.Next(32))];
        int[] targets = [.. Enumerable.Range(0, Windows * Steps * 3).Select(_ => random.Next(32))];
        var states = new float[Windows * shape.Network.StateSize];
        double nanoseconds = run.Time(() =>
        {
            trainer.Accumulate(weights, inputs, anchors, targets, states, 0);
            trainer.Apply(weights, adam);
        }) / (Windows * Steps);
        run.Print("train as the detector does, i13 h24 l1 o96, per sequence and step", nanoseconds, 3 * Flop(shape.Network));
    }
}
