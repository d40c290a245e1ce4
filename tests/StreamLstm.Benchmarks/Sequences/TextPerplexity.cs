using StreamLstm.Model;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Benchmarks.Sequences;

/// <summary>A character model of a text that every Debian has: trained on nine tenths of it, asked for the rest. torch_peers.py does the same.</summary>
internal static class TextPerplexity
{
    public const int Epochs = 40;

    private const string TextPath = "/usr/share/common-licenses/GPL-3";
    private const int HiddenSize = 64;
    private const int Tracks = 16;
    private const int TruncationSteps = 64;

    /// <summary>e to the mean surprise of a character; NaN where the text is not there.</summary>
    public static double Measure(int seed, int epochs)
    {
        if (!File.Exists(TextPath))
        {
            return double.NaN;
        }

        string text = File.ReadAllText(TextPath);
        char[] letters = [.. text.Distinct().Order()];
        int[] codes = [.. text.Select(letter => Array.IndexOf(letters, letter))];
        int cut = codes.Length * 9 / 10, length = (cut - 1) / Tracks;
        var shape = new LstmShape(letters.Length, HiddenSize, layerCount: 1, letters.Length);
        LstmWeights weights = WeightInitializer.Create(shape, (ulong)seed);
        int steps = epochs * ((length + TruncationSteps - 1) / TruncationSteps);
        var trainer = new LstmTrainer(shape, new LstmTrainingOptions
        {
            Loss = new CrossEntropyLoss(letters.Length),
            Epochs = epochs,
            BatchSequences = Tracks,
            TruncationSteps = TruncationSteps,
            LearningRate = new LearningRateSchedule(0.005f, 20, steps, 0.05f),
            Seed = (ulong)seed,
        });
        trainer.Train(weights, [.. Enumerable.Range(0, Tracks).Select(track => Sequence(codes.AsSpan(track * length, length + 1), letters.Length))], []);
        return Math.Exp(trainer.Loss(weights, [Sequence(codes.AsSpan(cut), letters.Length)]));
    }

    private static TrainingSequence Sequence(ReadOnlySpan<int> codes, int letters)
    {
        var inputs = new float[(codes.Length - 1) * letters];
        var targets = new float[codes.Length - 1];

        for (int i = 0; i < targets.Length; i++)
        {
            inputs[i * letters + codes[i]] = 1;
            targets[i] = codes[i + 1];
        }

        return new TrainingSequence(inputs, targets);
    }
}
