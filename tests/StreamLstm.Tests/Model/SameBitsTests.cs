using CsCheck;
using StreamLstm.Model;
using StreamLstm.Model.Training;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

/// <summary>A stream's result is the same to the last bit, whatever it is computed with and beside.</summary>
public sealed class SameBitsTests
{
    private static readonly int[] Widths = [.. new[] { 1, 4, 8, 16 }.Where(width => width <= StreamLstm.Model.Kernels.VectorWidth.Widest)];

    private static readonly Gen<(int Inputs, int Hidden, int Layers, int Outputs, int Projection)> Shapes =
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 70], Gen.Int[1, 3], Gen.Int[1, 100], Gen.Int[0, 5]);

    [Fact]
    public void Batch_size_order_and_vector_width_change_no_bit_of_a_step()
    {
        Gen.Select(Shapes, Gen.Int[1, 40], Gen.Int[0, 1_000_000]).Sample(
            (sizes, streams, seed) =>
            {
                LstmShape shape = Shape(sizes);
                var random = new Random(seed);
                LstmWeights weights = WeightInitializer.Create(shape, (ulong)seed);
                float[] inputs = Chance.Normal(random, streams * shape.InputSize);
                float[] states = Chance.Normal(random, (streams + 3) * shape.StateSize);
                int[] rows = [.. Enumerable.Range(0, streams + 3).OrderBy(_ => random.Next()).Take(streams)];
                float[] expectedStates = [.. states];
                var expected = new float[streams * shape.OutputSize];
                var alone = new LstmScratch(shape, width: 1);

                for (int stream = 0; stream < streams; stream++)
                {
                    LstmNetwork.Step(
                        weights,
                        inputs.AsSpan(stream * shape.InputSize, shape.InputSize),
                        expectedStates.AsSpan(rows[stream] * shape.StateSize, shape.StateSize),
                        expected.AsSpan(stream * shape.OutputSize, shape.OutputSize),
                        alone);
                }

                foreach (int width in Widths)
                {
                    float[] stepped = [.. states];
                    var outputs = new float[streams * shape.OutputSize];
                    LstmNetwork.Step(weights, inputs, stepped, rows, outputs, new LstmScratch(shape, width));
                    Assert.Equal(expectedStates, stepped);
                    Assert.Equal(expected, outputs);

                    float[] packed = [.. states];
                    Array.Clear(outputs);
                    LstmNetwork.Step(new PackedLstmWeights(weights), inputs, packed, rows, outputs, new LstmScratch(shape, width));
                    Assert.Equal(expectedStates, packed);
                    Assert.Equal(expected, outputs);
                }
            },
            iter: 60);
    }

    [Fact]
    public void Vector_width_changes_no_bit_of_a_gradient()
    {
        Gen.Select(Shapes, Gen.Int[1, 14], Gen.Int[1, 9], Gen.Int[0, 1_000_000]).Sample(
            (sizes, sequences, steps, seed) =>
            {
                LstmShape shape = Shape(sizes);
                float[] expected = Gradient(shape, sequences, steps, seed, width: 1);

                foreach (int width in Widths)
                {
                    Assert.Equal(expected, Gradient(shape, sequences, steps, seed, width));
                }
            },
            iter: 30);
    }

    [Fact]
    public void What_training_runs_is_what_serving_runs()
    {
        var shape = new LstmShape(3, 24, 2, 5);
        var random = new Random(4);
        LstmWeights weights = WeightInitializer.Create(shape, 4);
        float[] inputs = Chance.Normal(random, 10 * 3);
        float[] trained = new BackpropagationThroughTime(shape, 10).Forward(weights, inputs, new float[shape.StateSize]).ToArray();
        var state = new float[shape.StateSize];
        var served = new float[10 * 5];
        var scratch = new LstmScratch(shape);

        for (int step = 0; step < 10; step++)
        {
            LstmNetwork.Step(weights, inputs.AsSpan(step * 3, 3), state, served.AsSpan(step * 5, 5), scratch);
        }

        Assert.Equal(trained, served);
    }

    private static LstmShape Shape((int Inputs, int Hidden, int Layers, int Outputs, int Projection) sizes) =>
        new(sizes.Inputs, sizes.Hidden, sizes.Layers, sizes.Outputs, Math.Min(sizes.Projection, sizes.Hidden));

    private static float[] Gradient(LstmShape shape, int sequences, int steps, int seed, int width)
    {
        var random = new Random(seed);
        LstmWeights weights = WeightInitializer.Create(shape, (ulong)seed);
        var throughTime = new BackpropagationThroughTime(shape, steps, sequences, width);
        var gradients = new LstmGradients(shape);
        throughTime.Forward(
            weights, Chance.Normal(random, sequences * steps * shape.InputSize), Chance.Normal(random, sequences * shape.StateSize));
        throughTime.Backward(weights, Chance.Normal(random, sequences * steps * shape.OutputSize), gradients);
        return gradients.Values.ToArray();
    }
}
