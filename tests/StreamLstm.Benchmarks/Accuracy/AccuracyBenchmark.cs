using System.Globalization;
using StreamLstm.Model;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Benchmarks.Accuracy;

/// <summary>How far the network's single precision and fast activations stray from the textbook in double, after many steps.</summary>
internal static class AccuracyBenchmark
{
    private static readonly LstmShape Shape = new(1, 32, 2, 1);

    public static void Run(BenchmarkRun run)
    {
        int[] lengths = run.Small ? [100, 300] : [1_000, 100_000];
        run.Print($"largest error of any h or c, h32 l2, against double: {string.Join(", ", lengths.Select(steps => $"{steps} steps"))}");
        Print("uniform within 1/sqrt(H), as PyTorch starts", Uniform(1));
        Print("four times that", Uniform(4));
        Print("trained to forecast a noisy sine", Trained());

        void Print(string name, LstmWeights weights) => run.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"  {name}: {string.Join(", ", WorstErrors(weights, lengths).Select(error => error.ToString("0.0e+0", CultureInfo.InvariantCulture)))}"));
    }

    /// <summary>Weights that are uniform within <paramref name="scale"/> over the root of H.</summary>
    public static LstmWeights Uniform(double scale)
    {
        var weights = new LstmWeights(Shape);
        var random = new Random(5);

        foreach (ref float weight in weights.Parameters)
        {
            weight = (float)(scale * (2 * random.NextDouble() - 1) / Math.Sqrt(Shape.HiddenSize));
        }

        return weights;
    }

    /// <summary>The largest error of any h or c up to each of some numbers of steps.</summary>
    public static double[] WorstErrors(LstmWeights weights, params int[] lengths)
    {
        var random = new Random(8);
        double[] parameters = [.. weights.Parameters.ToArray().Select(weight => (double)weight)];
        double[] expected = new double[Shape.StateSize];
        var state = new float[Shape.StateSize];
        var output = new float[1];
        var scratch = new LstmScratch(Shape);
        var worst = new double[lengths.Length];
        double worstSoFar = 0;

        for (int step = 0, length = 0; length < lengths.Length; step++)
        {
            float input = (float)(2 * random.NextDouble() - 1);
            (_, expected) = ReferenceLstm.Run(Shape, parameters, [input], expected);
            LstmNetwork.Step(weights, [input], state, output, scratch);

            for (int i = 0; i < state.Length; i++)
            {
                worstSoFar = Math.Max(worstSoFar, Math.Abs(state[i] - expected[i]));
            }

            if (step + 1 == lengths[length])
            {
                worst[length++] = worstSoFar;
            }
        }

        return worst;
    }

    private static LstmWeights Trained()
    {
        var random = new Random(3);
        LstmWeights weights = WeightInitializer.Create(Shape, 3);
        List<TrainingSequence> sines = [.. Enumerable.Range(0, 32).Select(_ =>
        {
            double phase = 7 * random.NextDouble();
            float[] wave = [.. Enumerable.Range(0, 101).Select(step => (float)(Math.Sin(phase + step / 5.0) + 0.1 * random.NextDouble()))];
            return new TrainingSequence(wave.AsMemory(0, 100), wave.AsMemory(1, 100));
        })];
        var options = new LstmTrainingOptions { Loss = new HuberLoss(1, 1), Epochs = 100, TruncationSteps = 100 };
        new LstmTrainer(Shape, options).Train(weights, sines, []);
        return weights;
    }
}
