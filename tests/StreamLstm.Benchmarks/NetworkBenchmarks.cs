using StreamLstm.Model;
using StreamLstm.Model.Heads;
using StreamLstm.Model.Training;

namespace StreamLstm.Benchmarks;

/// <summary>The network alone, in the detector's shape: 13 inputs, 24 cells, 3 horizons of 32 bins.</summary>
internal static class NetworkBenchmarks
{
    private const int Steps = 48;

    private static readonly ForecastShape Shape = new(new LstmShape(13, 24, 1, 96), 3, 32, 3);

    /// <summary>Multiplications and additions of one step: gates and heads.</summary>
    private static readonly double StepFlop = 2.0 * (4 * 24 * (13 + 24) + 96 * 24);

    public static void Step(BenchmarkRun run)
    {
        ForecastWeights weights = WeightInitializer.Create(Shape, 1);
        var input = new float[13];
        var state = new float[Shape.Network.StateSize];
        int[] anchors = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        var logits = new float[96];
        var scratch = new LstmScratch(Shape.Network);
        Array.Fill(input, 0.5f);
        double nanoseconds = run.Time(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                ForecastHead.Step(weights, input, state, anchors, logits, scratch);
            }
        }) / 100;
        run.Print("step i13 h24 l1 o96 b1", nanoseconds, StepFlop);
    }

    public static void Train(BenchmarkRun run)
    {
        ForecastWeights weights = WeightInitializer.Create(Shape, 1);
        var trainer = new ForecastTrainer(Shape, Steps, new ForecastTrainingOptions { HorizonWeights = [1, 0.5f, 0.5f] });
        var adam = new AdamOptimizer(Shape.ParameterCount, new AdamOptions());
        var random = new Random(1);
        float[] inputs = [.. Enumerable.Range(0, Steps * 13).Select(_ => random.NextSingle())];
        int[] anchors = [.. Enumerable.Range(0, Steps * 9).Select(_ => random.Next(32))];
        int[] targets = [.. Enumerable.Range(0, Steps * 3).Select(_ => random.Next(32))];
        var state = new float[Shape.Network.StateSize];
        double nanoseconds = run.Time(() =>
        {
            for (int window = 0; window < 8; window++)
            {
                trainer.Accumulate(weights, inputs, anchors, targets, state, 0);
            }

            trainer.Apply(weights, adam);
        }) / (8 * Steps);
        run.Print("train i13 h24 l1 o96, per sequence-step", nanoseconds, 3 * StepFlop);
    }
}
