using StreamLstm.Benchmarks.Accuracy;
using StreamLstm.Model;
using StreamLstm.Model.Training;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

public sealed class BackpropagationTests
{
    private static readonly float[] HorizonWeights = [1, 0.5f];

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(1, 3, 0)]
    [InlineData(2, 0, 0)]
    [InlineData(3, 2, 0)]
    [InlineData(1, 0, 3)]
    [InlineData(2, 1, 2)]
    public void Every_gradient_agrees_with_finite_differences(int layers, int firstScoredStep, int projection)
    {
        const int Steps = 7;
        var random = new Random(11);
        var shape = new ForecastShape(new LstmShape(3, 5, layers, 2 * 6, projection), horizonCount: 2, binCount: 6, anchorCount: 2);
        var weights = new ForecastWeights(shape);
        Chance.Normal(random, shape.ParameterCount, 0.4).CopyTo(weights.Parameters);
        float[] inputs = Chance.Normal(random, Steps * 3);
        float[] state = Chance.Normal(random, shape.Network.StateSize, 0.5);
        int[] anchors = [.. Enumerable.Range(0, Steps * 4).Select(_ => random.Next(-1, 6))];
        int[] targets = [.. Enumerable.Range(0, Steps * 2).Select(_ => random.Next(-1, 6))];
        var trainer = new ForecastTrainer(shape, Steps, new ForecastTrainingOptions { HorizonWeights = HorizonWeights });

        double loss = trainer.Accumulate(weights, inputs, anchors, targets, state, firstScoredStep);

        double[] parameters = Chance.Wide(weights.Parameters);
        Assert.Equal(Reference(parameters), loss, 1e-5);

        for (int p = 0; p < parameters.Length; p++)
        {
            const double Step = 1e-5;
            double original = parameters[p];
            parameters[p] = original + Step;
            double above = Reference(parameters);
            parameters[p] = original - Step;
            double below = Reference(parameters);
            parameters[p] = original;
            double expected = (above - below) / (2 * Step);
            Assert.Equal(expected, trainer.Gradients[p], 2e-5 + 1e-3 * Math.Abs(expected));
        }

        double Reference(double[] at) => ReferenceLstm.Loss(
            shape, at, Chance.Wide(inputs), anchors, targets, Chance.Wide(state), firstScoredStep, HorizonWeights, 0.05f);
    }

    [Fact]
    public void A_masked_target_has_neither_loss_nor_gradient()
    {
        var shape = new ForecastShape(new LstmShape(2, 4, 1, 4), 1, 4, 1);
        ForecastWeights weights = WeightInitializer.Create(shape, 1);
        var trainer = new ForecastTrainer(shape, 3, new ForecastTrainingOptions { HorizonWeights = [1] });

        double loss = trainer.Accumulate(weights, new float[6], [0, 1, 2], [-1, -1, -1], new float[8], 0);

        Assert.Equal(0, loss);
        Assert.All(trainer.Gradients.ToArray(), gradient => Assert.Equal(0, gradient));
    }

    [Fact]
    public void A_repeating_sequence_is_learnt_almost_without_loss()
    {
        // Which of the two values follows 'b' depends on what came two steps before: the state must carry it.
        const int Steps = 24;
        int[] sequence = [0, 1, 2, 3, 1, 0];
        var shape = new ForecastShape(new LstmShape(4, 16, 1, 4), 1, 4, 0);
        ForecastWeights weights = WeightInitializer.Create(shape, 2);
        var trainer = new ForecastTrainer(
            shape, Steps, new ForecastTrainingOptions { HorizonWeights = [1], NeighbourSmoothing = 0 });
        var adam = new AdamOptimizer(shape.ParameterCount, new AdamOptions { WeightDecay = 0 });
        var inputs = new float[Steps * 4];
        var targets = new int[Steps];

        for (int step = 0; step < Steps; step++)
        {
            inputs[step * 4 + sequence[step % 6]] = 1;
            targets[step] = sequence[(step + 1) % 6];
        }

        double loss = double.NaN;

        for (int i = 0; i < 300; i++)
        {
            loss = trainer.Accumulate(weights, inputs, [], targets, new float[shape.Network.StateSize], firstScoredStep: 6);
            Assert.True(trainer.Apply(weights, adam));
        }

        Assert.InRange(loss, 0, 0.02);
    }

    [Fact]
    public void The_same_seed_trains_the_same_weights()
    {
        Assert.Equal(Train(), Train());

        static float[] Train()
        {
            var random = new Random(3);
            var shape = new ForecastShape(new LstmShape(3, 8, 2, 12), 2, 6, 1);
            ForecastWeights weights = WeightInitializer.Create(shape, 9);
            var trainer = new ForecastTrainer(shape, 16, new ForecastTrainingOptions { HorizonWeights = HorizonWeights });
            var adam = new AdamOptimizer(shape.ParameterCount, new AdamOptions());

            for (int i = 0; i < 20; i++)
            {
                trainer.Accumulate(
                    weights, Chance.Normal(random, 48), new int[32], [.. Enumerable.Range(0, 32).Select(_ => random.Next(6))],
                    new float[shape.Network.StateSize], 0);
                trainer.Apply(weights, adam);
            }

            return weights.Parameters.ToArray();
        }
    }

    [Fact]
    public void A_gradient_that_is_not_finite_changes_nothing()
    {
        var shape = new ForecastShape(new LstmShape(2, 4, 1, 4), 1, 4, 0);
        ForecastWeights weights = WeightInitializer.Create(shape, 1);
        float[] before = weights.Parameters.ToArray();
        var trainer = new ForecastTrainer(shape, 2, new ForecastTrainingOptions { HorizonWeights = [1] });
        var adam = new AdamOptimizer(shape.ParameterCount, new AdamOptions());

        trainer.Accumulate(weights, [float.NaN, 0, 0, 0], [], [1, 2], new float[8], firstScoredStep: 0);

        Assert.False(trainer.Apply(weights, adam));
        Assert.Equal(before, weights.Parameters.ToArray());
        Assert.Equal(0, adam.StepCount);
    }

    [Fact]
    public void Adam_takes_the_steps_of_its_paper()
    {
        var options = new AdamOptions { LearningRate = 0.1f, Beta1 = 0.9f, Beta2 = 0.99f, WeightDecay = 0.01f };
        var adam = new AdamOptimizer(2, options);
        float[] parameters = [1, -2];
        double[] expected = [1, -2];
        double[] m = [0, 0], v = [0, 0];

        for (int step = 1; step <= 10; step++)
        {
            float[] gradients = [0.3f * step, -1f / step];
            adam.Step(parameters, gradients);

            for (int p = 0; p < 2; p++)
            {
                m[p] = 0.9 * m[p] + 0.1 * gradients[p];
                v[p] = 0.99 * v[p] + 0.01 * gradients[p] * gradients[p];
                double move = m[p] / (1 - Math.Pow(0.9, step)) / (Math.Sqrt(v[p] / (1 - Math.Pow(0.99, step))) + 1e-8);
                expected[p] -= 0.1 * (move + 0.01 * expected[p]);
                Assert.Equal(expected[p], parameters[p], 1e-4);
            }
        }
    }

    [Fact]
    public void Clipping_scales_to_the_limit_and_leaves_small_gradients_alone()
    {
        float[] large = [3, 4];
        float[] small = [0.3f, 0.4f];

        Assert.Equal(5, GradientClipping.ByGlobalNorm(large, 1), 1e-6);
        Assert.Equal(0.5, GradientClipping.ByGlobalNorm(small, 1), 1e-6);

        Assert.Equal([0.6f, 0.8f], large);
        Assert.Equal([0.3f, 0.4f], small);
    }
}
