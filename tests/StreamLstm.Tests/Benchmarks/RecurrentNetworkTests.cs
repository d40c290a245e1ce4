using StreamLstm.Benchmarks.LongMemory.Networks;
using StreamLstm.Model;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Benchmarks;

public sealed class RecurrentNetworkTests
{
    private const int InputSize = 3;
    private const int HiddenSize = 5;
    private const int OutputSize = 2;
    private const int Steps = 8;

    [Fact]
    public void Every_gradient_of_the_vanilla_rnn_agrees_with_finite_differences() =>
        AssertGradients(new VanillaRnn<double>(InputSize, HiddenSize, OutputSize, Steps));

    [Fact]
    public void Every_gradient_of_the_gru_agrees_with_finite_differences() =>
        AssertGradients(new Gru<double>(InputSize, HiddenSize, OutputSize, Steps));

    [Fact]
    public void A_vanilla_rnn_with_orthogonal_weights_at_rest_keeps_the_gradient_whole()
    {
        // With h = 0 throughout, tanh' is 1, and the way back is a product of orthogonal matrices.
        var rnn = new VanillaRnn<double>(1, 2, 1, 50);
        ((double[])[0.6, 0.8, -0.8, 0.6]).CopyTo(rnn.RecurrentWeights);
        ((double[])[1, 2]).CopyTo(rnn.OutputWeights);

        rnn.Forward(new double[50]);
        rnn.Backward([1]);

        Assert.All(rnn.HiddenGradientNorms.ToArray(), norm => Assert.Equal(Math.Sqrt(5), norm, 1e-9));
    }

    [Fact]
    public void All_networks_start_from_the_same_weights()
    {
        var sizes = new NetworkSizes(InputSize, HiddenSize, OutputSize, Steps);
        LstmWeights start = WeightInitializer.Create(new LstmShape(InputSize, HiddenSize, 1, OutputSize), 7);
        var rnn = (VanillaRnn<float>)Contender.Rnn.Create(sizes, 7);
        var gru = (Gru<float>)Contender.Gru.Create(sizes, 7);

        Assert.Equal(start.Parameters, Contender.Lstm(1).Create(sizes, 7).Parameters);

        for (int k = 0; k < HiddenSize; k++)
        {
            ReadOnlySpan<float> column = start.Layer(0).RecurrentWeights.Slice(k * 4 * HiddenSize, 4 * HiddenSize);
            Assert.Equal(column.Slice(2 * HiddenSize, HiddenSize), rnn.RecurrentWeights.Slice(k * HiddenSize, HiddenSize));
            Assert.Equal(column.Slice(HiddenSize, HiddenSize), gru.GateRecurrentWeights.Slice(2 * k * HiddenSize, HiddenSize));
            Assert.Equal(column[..HiddenSize], gru.GateRecurrentWeights.Slice((2 * k + 1) * HiddenSize, HiddenSize));
        }

        Assert.All(gru.GateBias[..HiddenSize].ToArray(), bias => Assert.Equal(1, bias));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_gate_taken_away_is_one_and_has_no_gradient(int gate)
    {
        var random = new Random(4);
        LstmWeights weights = WeightInitializer.Create(new LstmShape(InputSize, HiddenSize, 1, OutputSize), 4);
        var network = new ProductLstm(weights, Steps, (LstmGate)gate);

        network.Forward(Chance.Normal(random, Steps * InputSize));
        network.Backward([1, -1]);

        float bias = weights.Layer(0).Bias[gate * HiddenSize];
        Assert.Equal(1, (float)(1 / (1 + Math.Exp(-bias))));
        Assert.Contains(network.Gradients.ToArray(), gradient => gradient != 0);

        for (int k = 0; k < InputSize + HiddenSize + 1; k++)
        {
            Span<float> rows = network.Gradients.Slice(k * 4 * HiddenSize + gate * HiddenSize, HiddenSize);
            Assert.All(rows.ToArray(), gradient => Assert.Equal(0, gradient));

            if (k < InputSize + HiddenSize)
            {
                Span<float> fixedRows = network.Parameters.Slice(k * 4 * HiddenSize + gate * HiddenSize, HiddenSize);
                Assert.All(fixedRows.ToArray(), weight => Assert.Equal(0, weight));
            }
        }
    }

    private static void AssertGradients(IRecurrentNetwork<double> network)
    {
        const double Step = 1e-6;
        var random = new Random(5);
        Chance.Wide(Chance.Normal(random, network.Parameters.Length, 0.5)).CopyTo(network.Parameters);
        double[] inputs = Chance.Wide(Chance.Normal(random, Steps * InputSize));
        double[] target = [0.5, -1];
        double[] answerGradient = [.. network.Forward(inputs).ToArray().Zip(target, (y, t) => y - t)];

        network.Backward(answerGradient);

        for (int p = 0; p < network.Parameters.Length; p++)
        {
            double original = network.Parameters[p];
            network.Parameters[p] = original + Step;
            double above = Loss();
            network.Parameters[p] = original - Step;
            double below = Loss();
            network.Parameters[p] = original;
            Assert.Equal((above - below) / (2 * Step), network.Gradients[p], 1e-8);
        }

        double Loss() => network.Forward(inputs).ToArray().Zip(target, (y, t) => (y - t) * (y - t) / 2).Sum();
    }
}
