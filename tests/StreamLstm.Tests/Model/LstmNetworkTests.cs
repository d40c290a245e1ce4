using StreamLstm.Benchmarks.Accuracy;
using StreamLstm.Model;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

public sealed class LstmNetworkTests
{
    [Theory]
    [InlineData(1, 1, 1, 1, 0)]
    [InlineData(3, 5, 1, 2, 0)]
    [InlineData(13, 24, 1, 96, 0)]
    [InlineData(4, 16, 2, 7, 0)]
    [InlineData(2, 9, 3, 33, 0)]
    [InlineData(2, 20, 2, 5, 7)]
    public void A_thousand_steps_agree_with_the_textbook_in_double(int inputs, int hidden, int layers, int outputs, int projection)
    {
        var random = new Random(7);
        var shape = new LstmShape(inputs, hidden, layers, outputs, projection);
        LstmWeights weights = WeightInitializer.Create(shape, seed: 3);
        float[] window = Chance.Normal(random, 1000 * inputs);

        (double[] expected, double[] expectedState) = ReferenceLstm.Run(
            shape, Chance.Wide(weights.Parameters), Chance.Wide(window), new double[shape.StateSize]);
        var state = new float[shape.StateSize];
        var output = new float[outputs];
        var scratch = new LstmScratch(shape);
        double worst = 0;

        for (int step = 0; step < 1000; step++)
        {
            LstmNetwork.Step(weights, window.AsSpan(step * inputs, inputs), state, output, scratch);

            for (int o = 0; o < outputs; o++)
            {
                worst = Math.Max(worst, Math.Abs(output[o] - expected[step * outputs + o]));
            }
        }

        Assert.InRange(worst, 0, 2e-6);
        Assert.All(state.Zip(expectedState), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
    }

    [Fact]
    public void Networks_side_by_side_say_the_mean_of_what_each_says()
    {
        const int Inputs = 5, Outputs = 2;
        var random = new Random(3);
        LstmWeights[] members = [.. new[] { 7, 4, 7 }.Select((cells, i) => WeightInitializer.Create(new LstmShape(Inputs, cells, 1, Outputs), (ulong)i))];
        LstmWeights mean = LstmWeights.MeanOf(members);
        LstmWeights[] all = [mean, .. members];
        float[][] states = [.. all.Select(weights => new float[weights.Shape.StateSize])], outputs = [.. all.Select(_ => new float[Outputs])];
        Assert.Equal(18, mean.Shape.HiddenSize);

        for (int step = 0; step < 50; step++)
        {
            float[] input = Chance.Normal(random, Inputs);

            for (int i = 0; i < all.Length; i++)
            {
                LstmNetwork.Step(all[i], input, states[i], outputs[i], new LstmScratch(all[i].Shape));
            }

            for (int o = 0; o < Outputs; o++)
            {
                Assert.Equal((outputs[1][o] + outputs[2][o] + outputs[3][o]) / 3, outputs[0][o], 1e-5);
            }
        }

        LstmWeights other = WeightInitializer.Create(new LstmShape(Inputs + 1, 4, 1, Outputs), 1);
        Assert.Contains("expected one layer", Assert.Throws<ArgumentException>(() => LstmWeights.MeanOf([members[0], other])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var shape = new LstmShape(13, 24, 2, 96);
        LstmWeights weights = WeightInitializer.Create(shape, seed: 1);
        var input = new float[13];
        var state = new float[shape.StateSize];
        var output = new float[96];
        var scratch = new LstmScratch(shape);
        LstmNetwork.Step(weights, input, state, output, scratch);

        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 100; i++)
        {
            LstmNetwork.Step(weights, input, state, output, scratch);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        var shape = new LstmShape(3, 8, 2, 4);

        Assert.True(WeightInitializer.Create(shape, 5).Parameters.SequenceEqual(WeightInitializer.Create(shape, 5).Parameters));
        Assert.False(WeightInitializer.Create(shape, 5).Parameters.SequenceEqual(WeightInitializer.Create(shape, 6).Parameters));
    }

    [Fact]
    public void The_forget_gate_starts_open_and_recurrent_weights_start_orthogonal()
    {
        var shape = new LstmShape(3, 8, 1, 4);
        LstmLayer layer = WeightInitializer.Create(shape, 5).Layer(0);

        for (int row = 0; row < 32; row++)
        {
            Assert.Equal(row is >= 8 and < 16 ? 1 : 0, layer.Bias[row]);
        }

        for (int a = 0; a < 8; a++)
        {
            for (int b = 0; b < 8; b++)
            {
                double product = 0;

                for (int r = 0; r < 8; r++)
                {
                    product += layer.RecurrentWeights[a * 32 + r] * layer.RecurrentWeights[b * 32 + r];
                }

                Assert.Equal(a == b ? 1 : 0, product, 1e-5);
            }
        }
    }

    [Theory]
    [InlineData(0, 8, 1, 1, "inputSize")]
    [InlineData(1, 0, 1, 1, "hiddenSize")]
    [InlineData(1, 8, 9, 1, "layerCount")]
    [InlineData(1, 8, 1, 70_000, "outputSize")]
    public void A_size_outside_its_range_is_refused_by_name(int inputs, int hidden, int layers, int outputs, string name)
    {
        var refused = Assert.Throws<ArgumentOutOfRangeException>(() => new LstmShape(inputs, hidden, layers, outputs));

        Assert.Equal(name, refused.ParamName);
    }

    [Fact]
    public void A_span_of_the_wrong_length_is_refused_by_name()
    {
        var shape = new LstmShape(2, 4, 1, 3);
        LstmWeights weights = WeightInitializer.Create(shape, 1);

        var refused = Assert.Throws<ArgumentException>(
            () => LstmNetwork.Step(weights, new float[3], new float[8], new float[3], new LstmScratch(shape)));

        Assert.Contains("input holds 3 values, expected 2", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void An_input_that_is_not_finite_is_refused_by_its_place_and_changes_no_state(float bad)
    {
        var shape = new LstmShape(2, 4, 1, 3);
        LstmWeights weights = WeightInitializer.Create(shape, 1);
        var states = new float[3 * shape.StateSize];

        var refused = Assert.Throws<ArgumentException>(
            () => LstmNetwork.Step(weights, [1, 2, 3, bad, 5, 6], states, [0, 1, 2], new float[9], new LstmScratch(shape)));

        Assert.Contains($"inputs[3] is {bad}, expected a finite number", refused.Message, StringComparison.Ordinal);
        Assert.All(states, value => Assert.Equal(0, value));
    }

    [Fact]
    public void A_row_outside_the_slab_is_refused()
    {
        var shape = new LstmShape(1, 4, 1, 1);
        LstmWeights weights = WeightInitializer.Create(shape, 1);

        var refused = Assert.Throws<ArgumentException>(
            () => LstmNetwork.Step(weights, [1, 2], new float[16], [0, 2], new float[2], new LstmScratch(shape)));

        Assert.Contains("rows[1] is 2, expected 0 to 1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_are_not_finite_are_refused_by_tensor_and_index()
    {
        LstmWeights weights = WeightInitializer.Create(new LstmShape(1, 4, 2, 1), 1);
        weights.Layer(1).RecurrentWeights[5] = float.NegativeInfinity;

        var refused = Assert.Throws<ArgumentException>(weights.RequireFinite);

        Assert.Contains("layer 1 recurrent weights[5] is -", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new PackedLstmWeights(weights));
    }
}
