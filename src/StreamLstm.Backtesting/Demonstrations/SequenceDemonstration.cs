using System.Globalization;
using StreamLstm.Model.Sequences;
using StreamLstm.Model.Training;

namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>Sequences written for others: dates, numbers, and letters backwards at lengths that were never learnt.</summary>
internal static class SequenceDemonstration
{
    /// <summary>Lengths at which reversal is asked for; it was learnt up to <see cref="LearntLength"/>.</summary>
    public static readonly IReadOnlyList<int> Lengths = [4, 6, 8, 9, 10, 12, 16];

    /// <summary>The longest that was learnt.</summary>
    public const int LearntLength = 8;

    private const int TokensMax = 40;
    private const int Asked = 500;
    private const int BeamWidth = 4;

    /// <summary>Runs all three.</summary>
    /// <param name="seed">Seed of weights and pairs.</param>
    /// <param name="steps">Steps of the optimizer for each task.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellation">Ends it.</param>
    public static DemonstrationResult Run(int seed, int steps, Action<long>? progress, CancellationToken cancellation)
    {
        List<DemonstrationScore> scores = [];
        List<string> told = [];

        foreach ((SequenceTask task, int hidden) in ((SequenceTask, int)[])[(SequenceTask.Dates(), 96), (SequenceTask.Numbers(), 96)])
        {
            SequenceToSequence model = Learn(task, hidden, seed, steps, progress, cancellation);
            SequencePair[] asked = Draw(task, seed + 1_000, Asked);
            double beam = Share(asked, pair => model.Beam(pair.Source, TokensMax, BeamWidth));
            scores.Add(new DemonstrationScore($"exactly right, {task.Name}", Share(asked, pair => model.Greedy(pair.Source, TokensMax)), [($"with a beam of {BeamWidth}", beam)]));
            told.AddRange(asked.Take(3).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{task.SourceText(pair)} -> {task.TargetText(model.Greedy(pair.Source, TokensMax).Tokens)}")));
        }

        SequenceToSequence reverser = Learn(SequenceTask.Reversal(1, LearntLength), 96, seed, steps, progress, cancellation);

        foreach (int length in Lengths)
        {
            SequencePair[] asked = Draw(SequenceTask.Reversal(length, length), seed + 1_000, Asked);
            scores.Add(new DemonstrationScore(
                $"exactly right, reversal at length {length}{(length > LearntLength ? ", never learnt" : "")}", Share(asked, pair => reverser.Greedy(pair.Source, TokensMax)),
                [("letters right", Letters(asked, pair => reverser.Greedy(pair.Source, TokensMax)))]));
        }

        DemonstrationScore[] byLength = [.. scores.TakeLast(Lengths.Count)];
        double[] lengths = [.. Lengths.Select(length => (double)length)];
        return new DemonstrationResult(scores, told)
        {
            Picture = new DemonstrationPicture(
                $"Letters written backwards: learnt up to {LearntLength}", "letters", "share",
                [
                    new DemonstrationLine("exactly right", lengths, [.. byLength.Select(score => score.Ours)]),
                    new DemonstrationLine("letters right", lengths, [.. byLength.Select(score => score.Peers[0].Value)]),
                ]),
        };
    }

    private static SequenceToSequence Learn(SequenceTask task, int hidden, int seed, int steps, Action<long>? progress, CancellationToken cancellation)
    {
        var model = new SequenceToSequence(task.Shape(hidden), (ulong)seed);
        var trainer = new SequenceToSequenceTrainer(model, new SequenceToSequenceOptions
        {
            TokensMax = TokensMax,
            LearningRate = new LearningRateSchedule(0.01f, steps / 50, steps, 0.02f),
            Seed = (ulong)seed,
        });
        trainer.Train(Draw(task, seed, 20_000), steps, _ => progress?.Invoke(1), cancellation);
        cancellation.ThrowIfCancellationRequested();
        return model;
    }

    private static SequencePair[] Draw(SequenceTask task, int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => task.Draw(random))];
    }

    private static double Share(SequencePair[] asked, Func<SequencePair, DecodedSequence> write) =>
        (double)asked.Count(pair => write(pair).Tokens.SequenceEqual(pair.Target)) / asked.Length;

    private static double Letters(SequencePair[] asked, Func<SequencePair, DecodedSequence> write) => asked.Average(pair =>
    {
        IReadOnlyList<int> written = write(pair).Tokens;
        return (double)pair.Target.Where((token, i) => i < written.Count && written[i] == token).Count() / pair.Target.Count;
    });
}
