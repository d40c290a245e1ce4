using StreamLstm.Model;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

public sealed class LstmTrainerTests
{
    private static readonly LstmShape Shape = new(1, 12, 1, 1);

    [Fact]
    public void A_sine_is_learnt_and_the_loss_falls_by_a_factor_of_twenty()
    {
        LstmWeights weights = WeightInitializer.Create(Shape, 1);
        var trainer = new LstmTrainer(Shape, Options() with { Epochs = 60, LearningRate = new LearningRateSchedule(0.02f, 5, 300) });
        double before = trainer.Loss(weights, Sines(1, 20));

        IReadOnlyList<TrainingProgress> report = trainer.Train(
            weights, Sines(2, 40), Sines(1, 20), cancellationToken: TestContext.Current.CancellationToken);

        Assert.InRange(trainer.Loss(weights, Sines(1, 20)), 0, before / 20);
        Assert.Equal(report.Min(epoch => epoch.ValidationLoss), trainer.Loss(weights, Sines(1, 20)), 1e-12);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void The_number_of_threads_changes_no_bit(int threads)
    {
        Assert.Equal(Trained(1), Trained(threads));

        static float[] Trained(int threads)
        {
            LstmWeights weights = WeightInitializer.Create(Shape, 3);
            new LstmTrainer(Shape, Options() with { Threads = threads, Epochs = 2 }).Train(
                weights, Sines(2, 40), [], cancellationToken: TestContext.Current.CancellationToken);
            return weights.Parameters.ToArray();
        }
    }

    [Fact]
    public void A_cut_sequence_gives_the_same_loss_as_a_whole_one()
    {
        LstmWeights weights = WeightInitializer.Create(Shape, 3);

        double whole = new LstmTrainer(Shape, Options() with { TruncationSteps = 60 }).Loss(weights, Sines(1, 5));
        double cut = new LstmTrainer(Shape, Options() with { TruncationSteps = 7 }).Loss(weights, Sines(1, 5));

        Assert.Equal(whole, cut, 1e-9);
    }

    [Fact]
    public void Training_stops_early_and_keeps_the_best()
    {
        LstmWeights weights = WeightInitializer.Create(Shape, 1);
        // So long a step that it goes from bad to worse.
        var trainer = new LstmTrainer(
            Shape, Options() with { Epochs = 100, Patience = 3, LearningRate = new LearningRateSchedule(1) });

        IReadOnlyList<TrainingProgress> report = trainer.Train(
            weights, Sines(2, 40), Sines(1, 20), cancellationToken: TestContext.Current.CancellationToken);

        Assert.InRange(report.Count, 4, 99);
        Assert.Equal(report.Min(epoch => epoch.ValidationLoss), trainer.Loss(weights, Sines(1, 20)), 1e-12);
    }

    [Fact]
    public void A_cancelled_training_leaves_the_weights_it_had()
    {
        LstmWeights weights = WeightInitializer.Create(Shape, 1);
        float[] before = weights.Parameters.ToArray();

        IReadOnlyList<TrainingProgress> report = new LstmTrainer(Shape, Options()).Train(
            weights, Sines(2, 40), [], cancellationToken: new CancellationToken(canceled: true));

        Assert.Empty(report);
        Assert.Equal(before, weights.Parameters.ToArray());
    }

    [Fact]
    public void Dropout_leaves_out_its_share_and_keeps_the_mean()
    {
        float[] values = [.. Enumerable.Repeat(1f, 20_000)];

        new InterLayerDropout(0.3f, seed: 5).Apply(1, values, stride: 20, size: 20, rows: 1000);

        Assert.InRange(values.Count(value => value == 0) / 20_000.0, 0.28, 0.32);
        Assert.InRange(values.Average(), 0.97, 1.03);
        Assert.All(values, value => Assert.True(value == 0 || Math.Abs(value - 1 / 0.7f) < 1e-6));
    }

    [Fact]
    public void Dropout_acts_on_the_gradient_as_on_the_values()
    {
        // With all but nothing left out the gradient is that of the plain network; with the same seed it repeats.
        Assert.Equal(Gradient(null), Gradient(new InterLayerDropout(0, 1)));
        Assert.Equal(Gradient(new InterLayerDropout(0.5f, 1)), Gradient(new InterLayerDropout(0.5f, 1)));
        Assert.NotEqual(Gradient(null), Gradient(new InterLayerDropout(0.5f, 1)));

        static float[] Gradient(InterLayerDropout? dropout)
        {
            var shape = new LstmShape(2, 6, 3, 2);
            var throughTime = new BackpropagationThroughTime(shape, 5, 2);
            var gradients = new LstmGradients(shape);
            LstmWeights weights = WeightInitializer.Create(shape, 2);
            throughTime.Forward(weights, Chance.Normal(new Random(1), 20), new float[2 * shape.StateSize], dropout);
            throughTime.Backward(weights, Chance.Normal(new Random(2), 20), gradients);
            return gradients.Values.ToArray();
        }
    }

    [Theory]
    [InlineData("gaussian")]
    [InlineData("huber")]
    [InlineData("cross-entropy")]
    [InlineData("weighted")]
    public void A_losses_gradient_agrees_with_finite_differences_and_skips_what_is_missing(string name)
    {
        SequenceLoss loss = name switch
        {
            "gaussian" => new GaussianLoss(3),
            "huber" => new HuberLoss(3, 0.7f),
            "cross-entropy" => new CrossEntropyLoss(5, 0.1f),
            _ => new WeightedLosses([(new CrossEntropyLoss(4), 1), (new HuberLoss(2, 1), 0.5f)]),
        };
        float[] target = name switch
        {
            "cross-entropy" => [4],
            "weighted" => [2, float.NaN, 0.3f],
            _ => [0.5f, float.NaN, -2],
        };
        float[] output = Chance.Normal(new Random(3), loss.OutputSize);
        var gradient = new float[loss.OutputSize];
        loss.Evaluate(output, target, 2, gradient);
        var unused = new float[loss.OutputSize];

        for (int i = 0; i < output.Length; i++)
        {
            const float Step = 1e-2f;
            float original = output[i];
            output[i] = original + Step;
            double above = loss.Evaluate(output, target, 2, unused);
            output[i] = original - Step;
            double below = loss.Evaluate(output, target, 2, unused);
            output[i] = original;
            Assert.Equal((above - below) / (2 * Step), gradient[i], 2e-3);
        }

        Array.Fill(target, float.NaN);
        Assert.Equal(0, loss.Evaluate(output, target, 2, gradient));
        Assert.All(gradient, value => Assert.Equal(0, value));
    }

    [Fact]
    public void The_learning_rate_rises_then_falls_to_its_last_share()
    {
        var schedule = new LearningRateSchedule(0.1f, WarmUpSteps: 10, FallSteps: 100, Last: 0.1f);

        Assert.Equal(0.01f, schedule.At(0), 1e-6f);
        Assert.Equal(0.1f, schedule.At(9), 1e-6f);
        Assert.Equal(0.1f, schedule.At(10), 1e-6f);
        Assert.Equal(0.055f, schedule.At(60), 1e-6f);
        Assert.Equal(0.01f, schedule.At(1000), 1e-6f);
    }

    [Fact]
    public void A_sequence_of_the_wrong_size_is_refused_by_its_place()
    {
        var trainer = new LstmTrainer(Shape, Options());

        var refused = Assert.Throws<ArgumentException>(() => trainer.Loss(
            WeightInitializer.Create(Shape, 1), [.. Sines(1, 1), new TrainingSequence(new float[3], new float[2])]));

        Assert.Contains("sequences[1] holds 3 inputs, 0 places and 2 targets, expected 1 inputs or one place, and 1 targets for each step", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Places_are_the_one_hot_inputs_they_stand_for()
    {
        var shape = new LstmShape(3, 5, 1, 3);
        int[] places = [2, 0, 1, 1, 0];
        float[] targets = [0, 1, 1, 0, 2];
        var inputs = new float[15];

        for (int step = 0; step < places.Length; step++)
        {
            inputs[step * 3 + places[step]] = 1;
        }

        Assert.Equal(Trained(new TrainingSequence(inputs, targets)), Trained(new TrainingSequence(default, targets) { Places = places }));

        float[] Trained(TrainingSequence sequence)
        {
            LstmWeights weights = WeightInitializer.Create(shape, 3);
            new LstmTrainer(shape, Options() with { Loss = new CrossEntropyLoss(3), TruncationSteps = 2 }).Train(
                weights, [sequence], [], cancellationToken: TestContext.Current.CancellationToken);
            return weights.Parameters.ToArray();
        }
    }

    [Fact]
    public void A_place_that_no_input_has_is_refused()
    {
        var refused = Assert.Throws<ArgumentException>(() => new LstmTrainer(Shape, Options()).Loss(
            WeightInitializer.Create(Shape, 1), [new TrainingSequence(default, new float[2]) { Places = new[] { 0, 1 } }]));

        Assert.Contains("sequences[0] has place 1 at step 1, expected 0 to 0", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_that_a_sequence_does_not_have_are_not_run()
    {
        var trainer = new LstmTrainer(Shape, Options());

        // 50, 55 and 60 steps, cut at 30: all of the first piece, and each group's longest of the second.
        trainer.Loss(WeightInitializer.Create(Shape, 1), [.. Sines(1, 3), .. Sines(1, 9).Select(one => one with { Inputs = one.Inputs[..20], Targets = one.Targets[..20] })]);

        Assert.Equal(12 * 30 + 3 * 30, trainer.StepsRun);
    }

    private static LstmTrainingOptions Options() => new()
    {
        Loss = new HuberLoss(1, float.PositiveInfinity),
        BatchSequences = 20,
        TruncationSteps = 30,
        Epochs = 10,
        Patience = 100,
    };

    /// <summary>Sines of a random phase; the target is the next value. Lengths differ, so that batches are padded.</summary>
    private static List<TrainingSequence> Sines(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(index =>
        {
            double phase = random.NextDouble() * 7;
            int steps = 50 + index % 3 * 5;
            float[] wave = [.. Enumerable.Range(0, steps + 1).Select(step => (float)Math.Sin(phase + step / 4.0))];
            return new TrainingSequence(wave.AsMemory(0, steps), wave.AsMemory(1, steps));
        })];
    }
}
