using StreamLstm.Benchmarks.Accuracy;
using StreamLstm.Model;

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
            LstmCell.StepKeepingGates(1, 1, 1, ref gates[0], 4, ref cell, ref cell, 1, ref cellActivation, 1, ref hidden, 1);

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

        LstmCell.StepKeepingGates(1, 1, 1, ref gates[0], 4, ref cell, ref cell, 1, ref cellActivation, 1, ref hidden, 1);

        Assert.Equal([0.5f, 0.5f, 0, 0.5f], gates);
        Assert.Equal((0, 0, 0), (cell, cellActivation, hidden));
    }

    [Theory]
    [InlineData(1, 1e-6)]
    [InlineData(4, 1e-5)]
    public void The_error_against_double_stays_small_and_does_not_grow_with_time(double scale, double limit)
    {
        double[] errors = AccuracyBenchmark.WorstErrors(AccuracyBenchmark.Uniform(scale), 1_000, 10_000);

        Assert.InRange(errors[0], 0, limit);
        Assert.InRange(errors[1], 0, limit);
    }
}
