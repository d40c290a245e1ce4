using StreamLstm.Model.Sequences;
using StreamLstm.Model.Training;

namespace StreamLstm.Sample;

/// <summary>One sequence for another: digits in the order of their size.</summary>
internal static class SequenceSample
{
    public static void Run()
    {
        var random = new Random(1);
        SequencePair[] pairs = [.. Enumerable.Range(0, 5_000).Select(_ =>
        {
            int[] digits = [.. Enumerable.Range(0, random.Next(2, 6)).Select(_ => random.Next(10))];
            return new SequencePair(digits, [.. digits.Order()]);
        })];
        var model = new SequenceToSequence(new SequenceToSequenceShape(sourceTokens: 10, targetTokens: 10, hiddenSize: 48), seed: 1);
        var trainer = new SequenceToSequenceTrainer(model, new SequenceToSequenceOptions { TokensMax = 5, LearningRate = new LearningRateSchedule(0.01f, 20, 1_200, 0.05f) });

        double loss = trainer.Train(pairs, steps: 1_200);

        DecodedSequence sorted = model.Beam([7, 1, 4, 2], tokensMax: 8, width: 4);
        Console.WriteLine($"loss {loss:F3}; 7 1 4 2 -> {string.Join(' ', sorted.Tokens)} (chance {Math.Exp(sorted.LogProbability):F2})");
    }
}
