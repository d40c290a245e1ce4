using StreamLstm.Benchmarks.Accuracy;
using StreamLstm.Model;
using StreamLstm.Model.Sequences;
using StreamLstm.Model.Training;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model.Sequences;

public sealed class SequenceToSequenceTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_gradient_of_encoder_and_decoder_agrees_with_finite_differences(int layers)
    {
        var random = new Random(5);
        var shape = new SequenceToSequenceShape(4, 3, hiddenSize: 5, layers);
        var model = new SequenceToSequence(shape, seed: 3);
        Chance.Normal(random, shape.Encoder.ParameterCount, 0.4).CopyTo(model.Encoder.Parameters);
        Chance.Normal(random, shape.Decoder.ParameterCount, 0.4).CopyTo(model.Decoder.Parameters);
        SequencePair[] batch = [new([0, 3, 1], [2, 0, 1, 1]), new([2, 2, 0], [1]), new([1, 0, 3], [])];
        var trainer = new SequenceToSequenceTrainer(model, new SequenceToSequenceOptions { BatchPairs = 3, TokensMax = 6 });

        double loss = trainer.Accumulate(batch);

        double[] encoder = Chance.Wide(model.Encoder.Parameters), decoder = Chance.Wide(model.Decoder.Parameters);
        Assert.Equal(Reference(shape, encoder, decoder, batch), loss, 1e-5);
        Check(encoder, trainer.EncoderGradients);
        Check(decoder, trainer.DecoderGradients);

        void Check(double[] parameters, ReadOnlySpan<float> gradients)
        {
            for (int p = 0; p < parameters.Length; p++)
            {
                const double Step = 1e-5;
                double original = parameters[p];
                parameters[p] = original + Step;
                double above = Reference(shape, encoder, decoder, batch);
                parameters[p] = original - Step;
                double below = Reference(shape, encoder, decoder, batch);
                parameters[p] = original;
                double expected = (above - below) / (2 * Step);
                Assert.Equal(expected, gradients[p], 2e-5 + 1e-3 * Math.Abs(expected));
            }
        }
    }

    [Fact]
    public void Short_sequences_are_learnt_to_be_written_backwards()
    {
        SequencePair[] pairs = Reversed(seed: 1, count: 2_000), others = Reversed(seed: 2, count: 200);
        var model = new SequenceToSequence(new SequenceToSequenceShape(6, 6, 48), seed: 1);
        var trainer = new SequenceToSequenceTrainer(model, new SequenceToSequenceOptions
        {
            TokensMax = 5, LearningRate = new LearningRateSchedule(0.01f, 20, 1_500, 0.05f),
        });

        double loss = trainer.Train(pairs, 1_500, cancellationToken: TestContext.Current.CancellationToken);

        Assert.InRange(loss, 0, 0.1);
        Assert.InRange(others.Count(pair => model.Greedy(pair.Source, 8).Tokens.SequenceEqual(pair.Target)), 180, 200);
        Assert.True(others.Sum(pair => model.Beam(pair.Source, 8, 4).LogProbability) >= others.Sum(pair => model.Greedy(pair.Source, 8).LogProbability) - 1e-9);
    }

    [Fact]
    public void A_wide_beam_finds_the_likeliest_of_all_and_its_chance_is_what_the_network_says()
    {
        var shape = new SequenceToSequenceShape(3, 2, hiddenSize: 4);
        var model = new SequenceToSequence(shape, seed: 9);
        Chance.Normal(new Random(2), shape.Decoder.ParameterCount, 1.5).CopyTo(model.Decoder.Parameters);
        const int TokensMax = 4;

        DecodedSequence found = model.Beam([0, 2, 1], TokensMax, width: 64);

        double[] encoder = Chance.Wide(model.Encoder.Parameters), decoder = Chance.Wide(model.Decoder.Parameters);
        IEnumerable<int[]> all = Enumerable.Range(0, TokensMax + 1).SelectMany(length =>
            Enumerable.Range(0, 1 << length).Select(bits => Enumerable.Range(0, length).Select(i => (bits >> i) & 1).ToArray()));
        (double best, int[] tokens) = all.Select(target => (-Reference(shape, encoder, decoder, [new SequencePair([0, 2, 1], target)]) * (target.Length + 1), target)).MaxBy(one => one.Item1);
        Assert.Equal(tokens, found.Tokens);
        Assert.Equal(best, found.LogProbability, 1e-4);
        Assert.True(found.HasEnded);
    }

    [Fact]
    public void The_same_seed_learns_the_same_weights_and_another_seed_others()
    {
        float[] Learnt(ulong seed)
        {
            var model = new SequenceToSequence(new SequenceToSequenceShape(6, 6, 16), seed: 1);
            new SequenceToSequenceTrainer(model, new SequenceToSequenceOptions { TokensMax = 5, Seed = seed }).Train(Reversed(1, 100), 20, cancellationToken: TestContext.Current.CancellationToken);
            return [.. model.Encoder.Parameters, .. model.Decoder.Parameters];
        }

        float[] first = Learnt(1);

        Assert.Equal(first, Learnt(1));
        Assert.NotEqual(first, Learnt(2));
    }

    [Fact]
    public void What_is_no_token_is_refused_by_its_place()
    {
        var model = new SequenceToSequence(new SequenceToSequenceShape(3, 2, 4), seed: 1);
        var trainer = new SequenceToSequenceTrainer(model, new SequenceToSequenceOptions { TokensMax = 4 });

        Assert.Contains("source[1] is 3, expected a token from 0 to 2", Assert.Throws<ArgumentException>(() => model.Greedy([0, 3], 4)).Message, StringComparison.Ordinal);
        Assert.Contains("the source is empty", Assert.Throws<ArgumentException>(() => model.Greedy([], 4)).Message, StringComparison.Ordinal);
        Assert.Contains("pairs[0].Target[0] is 2", Assert.Throws<ArgumentException>(() => trainer.Train([new([0], [2])], 1, cancellationToken: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Contains("pairs[0] has 5 tokens of source", Assert.Throws<ArgumentException>(() => trainer.Train([new([0, 0, 0, 0, 0], [])], 1, cancellationToken: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new SequenceToSequence(new SequenceToSequenceShape(3, 2, 5), model.Encoder, model.Decoder));
    }

    private static SequencePair[] Reversed(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            int[] source = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(6))];
            return new SequencePair(source, [.. source.Reverse()]);
        })];
    }

    /// <summary>The loss in nats a token by the textbook in double.</summary>
    private static double Reference(SequenceToSequenceShape shape, double[] encoder, double[] decoder, SequencePair[] batch)
    {
        double loss = 0;

        foreach (SequencePair pair in batch)
        {
            double[] sources = OneHot(pair.Source, shape.Encoder.InputSize), fed = OneHot([shape.TargetTokens, .. pair.Target], shape.Decoder.InputSize);
            (_, double[] state) = ReferenceLstm.Run(shape.Encoder, encoder, sources, new double[shape.Encoder.StateSize]);
            (double[] outputs, _) = ReferenceLstm.Run(shape.Decoder, decoder, fed, state);
            int[] came = [.. pair.Target, shape.TargetTokens];

            for (int step = 0; step < came.Length; step++)
            {
                double[] logits = outputs[(step * shape.Decoder.OutputSize)..((step + 1) * shape.Decoder.OutputSize)];
                loss += Math.Log(logits.Sum(Math.Exp)) - logits[came[step]];
            }
        }

        return loss / batch.Sum(pair => pair.Target.Count + 1);
    }

    private static double[] OneHot(IReadOnlyList<int> tokens, int size)
    {
        var rows = new double[tokens.Count * size];

        for (int i = 0; i < tokens.Count; i++)
        {
            rows[i * size + tokens[i]] = 1;
        }

        return rows;
    }
}
