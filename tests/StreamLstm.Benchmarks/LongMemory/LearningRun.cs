using System.Diagnostics;
using StreamLstm.Benchmarks.LongMemory.Networks;
using StreamLstm.Benchmarks.LongMemory.Problems;
using StreamLstm.Model.Training;

namespace StreamLstm.Benchmarks.LongMemory;

/// <summary>How every network learns.</summary>
internal sealed record LearningOptions
{
    /// <summary>H.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Steps of the optimizer after which a network has failed.</summary>
    public required int UpdatesMax { get; init; }

    /// <summary>Step size of Adam.</summary>
    public required float LearningRate { get; init; }

    /// <summary>Sequences of one update.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Largest norm of an update's gradient.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Updates between two evaluations.</summary>
    public int UpdatesPerEvaluation { get; init; } = 50;

    /// <summary>Sequences of an evaluation, drawn apart from the batches.</summary>
    public int EvaluationSequences { get; init; } = 200;

    /// <summary>Sequences over which the gradient through time is averaged.</summary>
    public int GradientSequences { get; init; } = 32;
}

/// <summary>One network on one problem from one seed.</summary>
/// <param name="Problem">What it learns.</param>
/// <param name="Lag">Steps to remember.</param>
/// <param name="Contender">The network.</param>
/// <param name="Seed">Of the weights, the batches and the evaluation.</param>
/// <param name="Options">How it learns.</param>
internal sealed record LearningRun(ISequenceProblem Problem, int Lag, Contender Contender, int Seed, LearningOptions Options)
{
    /// <summary>Learns until the problem is solved or the updates are spent; the same result for the same run.</summary>
    /// <param name="advance">Told how many updates have passed since the last call.</param>
    public LearningResult Learn(Action<int> advance)
    {
        var clock = Stopwatch.StartNew();
        int steps = Problem.Steps(Lag);
        IRecurrentNetwork<float> network = Contender.Create(
            new NetworkSizes(Problem.InputSize, Options.HiddenSize, Problem.OutputSize, steps), Seed);
        var adam = new AdamOptimizer(
            network.Parameters.Length, new AdamOptions { LearningRate = Options.LearningRate, WeightDecay = 0 });
        var inputs = new float[steps * Problem.InputSize];
        var gradient = new float[Problem.OutputSize];
        // Batches depend on the lag and the seed alone: every network sees the same.
        var random = new Random(2 * (1000 * Lag + Seed));
        double[] normsBefore = HiddenGradientNorms(network);
        var curve = new List<(int Updates, double Error)> { (0, Error(network)) };
        int? solved = null;

        for (int update = 1; update <= Options.UpdatesMax && solved is null; update++)
        {
            network.Gradients.Clear();

            for (int sequence = 0; sequence < Options.BatchSize; sequence++)
            {
                float target = Problem.Draw(random, inputs);
                Problem.Gradient(network.Forward(inputs), target, gradient);
                System.Numerics.Tensors.TensorPrimitives.Multiply(gradient, 1f / Options.BatchSize, gradient);
                network.Backward(gradient);
            }

            if (double.IsFinite(GradientClipping.ByGlobalNorm(network.Gradients, Options.ClipNorm)))
            {
                adam.Step(network.Parameters, network.Gradients);
            }

            if (update % Options.UpdatesPerEvaluation == 0)
            {
                double error = Error(network);
                curve.Add((update, error));
                solved = error <= Problem.SolvedError ? update : null;
                advance(Options.UpdatesPerEvaluation);
            }
        }

        advance(Options.UpdatesMax - curve[^1].Updates);
        return new LearningResult(this, curve, solved, normsBefore, HiddenGradientNorms(network), clock.Elapsed);
    }

    private double Error(IRecurrentNetwork<float> network)
    {
        double sum = 0;
        Evaluate(network, Options.EvaluationSequences, (answer, target) => sum += Problem.Error(answer, target));
        return sum / Options.EvaluationSequences;
    }

    /// <summary>The norm of dLoss/dh after each step, averaged over sequences, as a share of that after the last: (T).</summary>
    private double[] HiddenGradientNorms(IRecurrentNetwork<float> network)
    {
        var sums = new double[Problem.Steps(Lag)];
        var gradient = new float[Problem.OutputSize];
        Evaluate(network, Options.GradientSequences, (answer, target) =>
        {
            Problem.Gradient(answer, target, gradient);
            network.Backward(gradient);
            System.Numerics.Tensors.TensorPrimitives.Add(sums, network.HiddenGradientNorms, sums);
        });
        return [.. sums.Select(sum => sum / sums[^1])];
    }

    private void Evaluate(IRecurrentNetwork<float> network, int sequences, Answered answered)
    {
        var random = new Random(2 * (1000 * Lag + Seed) + 1);
        var inputs = new float[Problem.Steps(Lag) * Problem.InputSize];

        for (int sequence = 0; sequence < sequences; sequence++)
        {
            float target = Problem.Draw(random, inputs);
            answered(network.Forward(inputs), target);
        }
    }

    private delegate void Answered(ReadOnlySpan<float> answer, float target);
}

/// <summary>What became of a run.</summary>
/// <param name="Run">The run.</param>
/// <param name="Curve">Updates made, and the error on sequences not learnt from.</param>
/// <param name="UpdatesUntilSolved">Null: not solved.</param>
/// <param name="NormsBefore">Norm of dLoss/dh after each step, as a share of that after the last, before learning: (T).</param>
/// <param name="NormsAfter">The same after learning: (T).</param>
/// <param name="Duration">Of the whole run.</param>
internal sealed record LearningResult(
    LearningRun Run,
    IReadOnlyList<(int Updates, double Error)> Curve,
    int? UpdatesUntilSolved,
    double[] NormsBefore,
    double[] NormsAfter,
    TimeSpan Duration)
{
    public double Error => Curve[^1].Error;
}
