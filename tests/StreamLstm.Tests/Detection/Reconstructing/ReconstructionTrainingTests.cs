using StreamLstm.Detection;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Tests.Detection.Reconstructing;

public sealed class ReconstructionTrainingTests
{
    [Fact]
    public void The_network_of_the_program_comes_nearer_than_simple_peers_on_families_it_has_never_seen()
    {
        ReconstructionError held = ReconstructionTraining.Measure(weights: null, length: 32, livesPerFamily: 1, seed: 3, tuned: false);

        Assert.InRange(held.Ours, 0.1, 0.9 * Math.Min(held.Nearest, Math.Min(held.Carried, held.Season)));
        Assert.InRange(held.InBand, 0.8, 0.95);
        Assert.InRange(held.Stretches, 400, 520);
    }

    [Fact]
    public void The_same_seed_trains_the_same_weights()
    {
        LstmWeights first = Train(1), same = Train(1), other = Train(2);

        Assert.Equal(first.Parameters, same.Parameters);
        Assert.NotEqual(first.Parameters.ToArray(), other.Parameters.ToArray());

        static LstmWeights Train(ulong seed) => ReconstructionTraining.Train(new ReconstructionTrainingOptions { LivesPerFamily = 1, Steps = 8, Cells = 8, Seed = seed }, null, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void The_gradient_of_the_bands_outputs_is_the_losss_slope()
    {
        // The median's error alone: what the band says must not move the median, so its own slope is not the whole loss's.
        float[] y = [.. Enumerable.Range(0, 400).Select(row => MathF.Sin(0.13f * row) + 0.1f * MathF.Sin(1.7f * row))];
        var past = new StretchPast(y, new bool[400], 48, 0);
        ReconstructionNetwork network = ReconstructionNetwork.Untrained(4, 3);
        var trainer = new ReconstructionNetwork.Trainer(network, batch: 2, lengthMax: 24, new LearningRateSchedule(0.01f));
        (StretchPast, int)[] stretches = [(past, 300), (past, 340)];
        trainer.Accumulate(stretches, 24);
        float[] gradient = trainer.Gradients.ToArray();
        int widths = network.Weights.OutputBias.Length - 2;
        int bias = network.Weights.Parameters.Length - network.Weights.OutputBias.Length;

        Assert.All(gradient, value => Assert.True(float.IsFinite(value)));

        // The band's own outputs move nothing but the band: their bias has the whole loss's slope.
        for (int output = widths; output < widths + 2; output++)
        {
            ref float parameter = ref network.Weights.Parameters[bias + output];
            float held = parameter;
            const float Step = 0.02f;
            parameter = held + Step;
            double above = trainer.Accumulate(stretches, 24);
            parameter = held - Step;
            double below = trainer.Accumulate(stretches, 24);
            parameter = held;
            Assert.Equal((above - below) / (2 * Step), gradient[bias + output], 0.003);
        }
    }

    [Fact]
    public void Rows_of_an_incident_teach_nothing()
    {
        float[] y = [.. Enumerable.Range(0, 400).Select(row => MathF.Sin(0.13f * row))], wild = [.. y];
        bool[] isAbnormal = new bool[400];

        for (int row = 310; row < 320; row++)
        {
            (wild[row], isAbnormal[row]) = (1000, true);
        }

        Assert.Equal(Gradient(y, isAbnormal), Gradient(wild, isAbnormal));
        Assert.NotEqual(Gradient(y, isAbnormal), Gradient(wild, new bool[400]));

        static float[] Gradient(float[] y, bool[] isAbnormal)
        {
            var trainer = new ReconstructionNetwork.Trainer(ReconstructionNetwork.Untrained(4, 3), batch: 1, lengthMax: 24, new LearningRateSchedule(0.01f));
            trainer.Accumulate([(new StretchPast(y, isAbnormal, 48, 0), 300)], 24);
            return trainer.Gradients.ToArray();
        }
    }
}
