using StreamLstm.Model;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

/// <summary>How far single precision and fast activations stray from the textbook in double.</summary>
public sealed class AccuracyTests
{
    [Fact]
    public void Sigmoid_and_tanh_are_within_3e7_of_the_truth_over_their_whole_range()
    {
        // One cell, no recurrence: the candidate's and the gates' sums are the input itself.
        for (double x = -60; x <= 60; x += 1.0 / 512)
        {
            float[] gates = [(float)x, (float)x, (float)x, (float)x];
            float cell = 0.5f, cellActivation = 0, hidden = 0;
            LstmCell.Step(1, 1, 1, ref gates[0], 4, ref cell, ref cell, 1, ref cellActivation, 1, ref hidden, 1);

            double sigmoid = 1 / (1 + Math.Exp(-(float)x));
            Assert.Equal(sigmoid, gates[0], 3e-7);
            Assert.Equal(sigmoid, gates[1], 3e-7);
            Assert.Equal(Math.Tanh((float)x), gates[2], 3e-7);
            Assert.Equal(sigmoid, gates[3], 3e-7);
            Assert.Equal(Math.Tanh(cell), cellActivation, 3e-7);
        }
    }

    [Fact]
    public void Nothing_in_gives_exactly_nothing_out()
    {
        float[] gates = new float[4];
        float cell = 0, cellActivation = 1, hidden = 1;

        LstmCell.Step(1, 1, 1, ref gates[0], 4, ref cell, ref cell, 1, ref cellActivation, 1, ref hidden, 1);

        Assert.Equal([0.5f, 0.5f, 0, 0.5f], gates);
        Assert.Equal((0, 0, 0), (cell, cellActivation, hidden));
    }

    [Theory]
    [InlineData(1, 1000, 1e-6)]
    [InlineData(4, 1000, 3e-5)]
    [InlineData(1, 20_000, 1e-6)]
    public void The_error_against_double_does_not_grow_with_time(double scale, int steps, double limit)
    {
        Assert.InRange(WorstError(scale, steps), 0, limit);
    }

    private static double WorstError(double scale, int steps)
    {
        var shape = new LstmShape(2, 32, 2, 2);
        var weights = new LstmWeights(shape);
        var random = new Random(5);

        // PyTorch's start, uniform within one over the root of H, and four times that: gates that saturate.
        foreach (ref float weight in weights.Parameters)
        {
            weight = (float)(scale * (2 * random.NextDouble() - 1) / Math.Sqrt(32));
        }

        float[] inputs = Chance.Normal(new Random(8), steps * 2);
        double[] parameters = Chance.Wide(weights.Parameters);
        double[] expectedState = new double[shape.StateSize];
        var state = new float[shape.StateSize];
        var output = new float[2];
        var scratch = new LstmScratch(shape);
        double worst = 0;

        for (int step = 0; step < steps; step++)
        {
            ReadOnlySpan<float> input = inputs.AsSpan(step * 2, 2);
            (_, expectedState) = ReferenceLstm.Run(shape, parameters, Chance.Wide(input), expectedState);
            LstmNetwork.Step(weights, input, state, output, scratch);

            for (int i = 0; i < state.Length; i++)
            {
                worst = Math.Max(worst, Math.Abs(state[i] - expectedState[i]));
            }
        }

        return worst;
    }
}
