using StreamLstm.Model;
using StreamLstm.Model.Formats;
using StreamLstm.Model.Training;

namespace StreamLstm.Tests.Model;

/// <summary>Our numbers against PyTorch's, recorded by Torch/make_goldens.py: torch.nn.LSTM with a torch.nn.Linear.</summary>
/// <remarks>
/// PyTorch 1.13 computed in double. Largest differences when recorded, and those of PyTorch itself when it computes in
/// float32: outputs and states 4e-7 (PyTorch 3.5e-7), parameters after ten steps of Adam 4.7e-5, all but a few below 1e-5
/// (PyTorch 3.2e-6); gradients 1e-4 of their size.
/// </remarks>
public sealed class TorchGoldenTests
{
    public static TheoryData<int> Layers => [1, 2, 3];

    [Theory]
    [MemberData(nameof(Layers))]
    public void Single_steps_from_any_state_are_pytorchs(int layers)
    {
        var golden = new Golden(layers);
        var scratch = new LstmScratch(golden.Shape);
        var output = new float[golden.Shape.OutputSize];
        double worst = 0;

        for (int i = 0; i < golden.Count("single_inputs"); i++)
        {
            float[] state = golden.Row("single_states", i);
            LstmNetwork.Step(golden.Weights, golden.Row("single_inputs", i), state, output, scratch);
            worst = Math.Max(worst, Distance(golden.Row("single_outputs", i), output));
            worst = Math.Max(worst, Distance(golden.Row("single_states_after", i), state));
        }

        Assert.InRange(worst, 0, 2e-6);
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_sequence_with_carried_state_is_pytorchs_step_by_step_and_as_a_window(int layers)
    {
        var golden = new Golden(layers);
        var scratch = new LstmScratch(golden.Shape);
        double worst = 0;

        for (int i = 0; i < golden.Count("inputs"); i++)
        {
            float[] inputs = golden.Row("inputs", i), state = golden.Row("states", i), expected = golden.Row("outputs", i);
            int steps = inputs.Length / golden.Shape.InputSize;
            var throughTime = new BackpropagationThroughTime(golden.Shape, steps);
            worst = Math.Max(worst, Distance(expected, throughTime.Forward(golden.Weights, inputs, state)));
            worst = Math.Max(worst, Distance(golden.Row("states_after", i), throughTime.FinalStates()));
            var outputs = new float[expected.Length];

            for (int step = 0; step < steps; step++)
            {
                LstmNetwork.Step(
                    golden.Weights,
                    inputs.AsSpan(step * golden.Shape.InputSize, golden.Shape.InputSize),
                    state,
                    outputs.AsSpan(step * golden.Shape.OutputSize, golden.Shape.OutputSize),
                    scratch);
            }

            worst = Math.Max(worst, Distance(expected, outputs));
            worst = Math.Max(worst, Distance(golden.Row("states_after", i), state));
        }

        Assert.InRange(worst, 0, 2e-6);
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Every_gradient_of_a_squared_loss_through_time_is_pytorchs(int layers)
    {
        var golden = new Golden(layers);
        var gradients = new LstmGradients(golden.Shape);

        double loss = golden.Loss(golden.Weights, gradients);

        Assert.Equal(golden.Row("loss", 0)[0], loss, 1e-6);
        Assert.InRange(RelativeDistance(golden.StateDict("gradients").Parameters, gradients.Values), 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Ten_steps_of_adam_end_at_pytorchs_parameters(int layers) => AssertTenSteps(layers, "adam", 0, double.PositiveInfinity);

    [Theory]
    [MemberData(nameof(Layers))]
    public void Ten_steps_of_adam_with_decoupled_weight_decay_end_at_pytorchs_parameters(int layers) =>
        AssertTenSteps(layers, "adamw", 0.05f, double.PositiveInfinity);

    [Theory]
    [MemberData(nameof(Layers))]
    public void Ten_steps_of_adam_on_clipped_gradients_end_at_pytorchs_parameters(int layers) =>
        AssertTenSteps(layers, "adam_clipped", 0, clipNorm: 0.05);

    private static void AssertTenSteps(int layers, string file, float weightDecay, double clipNorm)
    {
        var golden = new Golden(layers);
        LstmWeights weights = golden.Weights;
        var gradients = new LstmGradients(golden.Shape);
        var adam = new AdamOptimizer(golden.Shape.ParameterCount, new AdamOptions
        {
            LearningRate = 0.01f,
            Beta1 = 0.9f,
            Beta2 = 0.99f,
            Epsilon = 1e-8f,
            WeightDecay = weightDecay,
        });

        for (int step = 0; step < 10; step++)
        {
            gradients.Clear();
            golden.Loss(weights, gradients);
            GradientClipping.ByGlobalNorm(gradients.Values, clipNorm);
            adam.Step(weights.Parameters, gradients.Values);
        }

        // Adam divides by the gradient's size: where it is next to nothing, its last digits decide on a whole step.
        ReadOnlySpan<float> expected = golden.StateDict(file).Parameters;
        double[] distances = [.. expected.ToArray().Zip(weights.Parameters.ToArray(), (a, b) => Math.Abs((double)a - b)).Order()];
        Assert.InRange(distances[(int)(0.995 * distances.Length)], 0, 1e-5);
        Assert.InRange(distances[^1], 0, 1e-4);
    }

    private static double Distance(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double worst = 0;

        for (int i = 0; i < expected.Length; i++)
        {
            worst = Math.Max(worst, Math.Abs((double)expected[i] - actual[i]));
        }

        return worst;
    }

    /// <summary>The worst element's distance, as a share of it; below a thousandth of the largest element, of that.</summary>
    private static double RelativeDistance(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0, worst = 0;

        foreach (float value in expected)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        for (int i = 0; i < expected.Length; i++)
        {
            worst = Math.Max(worst, Math.Abs((double)expected[i] - actual[i]) / Math.Max(Math.Abs(expected[i]), largest / 1000));
        }

        return worst;
    }

    /// <summary>The recorded files of one number of layers.</summary>
    private sealed class Golden
    {
        private readonly string _directory;
        private readonly Dictionary<string, NamedTensor> _sequences;

        public Golden(int layers)
        {
            _directory = Path.Combine(AppContext.BaseDirectory, "Model", "Torch", $"{layers}-layer");
            using FileStream file = Open("sequences");
            _sequences = SafetensorsFile.Read(file).Tensors.ToDictionary(tensor => tensor.Name);
            Weights = StateDict("weights");
            Assert.Equal(layers, Shape.LayerCount);
        }

        public LstmWeights Weights { get; }

        public LstmShape Shape => Weights.Shape;

        public LstmWeights StateDict(string name)
        {
            using FileStream file = Open(name);
            return TorchStateDict.Read(file);
        }

        public int Count(string name) => _sequences[name].Sizes[0];

        public float[] Row(string name, int index)
        {
            float[] values = _sequences[name].Values;
            int length = values.Length / Count(name);
            return values[(index * length)..((index + 1) * length)];
        }

        /// <summary>Mean squared error over all sequences, steps and outputs, as torch.nn.functional.mse_loss; adds its gradient.</summary>
        public double Loss(LstmWeights weights, LstmGradients gradients)
        {
            int sequences = Count("inputs");
            int count = _sequences["targets"].Values.Length;
            double loss = 0;

            for (int i = 0; i < sequences; i++)
            {
                float[] inputs = Row("inputs", i), targets = Row("targets", i);
                var throughTime = new BackpropagationThroughTime(Shape, inputs.Length / Shape.InputSize);
                ReadOnlySpan<float> outputs = throughTime.Forward(weights, inputs, Row("states", i));
                var outputGradients = new float[targets.Length];

                for (int o = 0; o < targets.Length; o++)
                {
                    double difference = (double)outputs[o] - targets[o];
                    loss += difference * difference / count;
                    outputGradients[o] = (float)(2 * difference / count);
                }

                throughTime.Backward(weights, outputGradients, gradients);
            }

            return loss;
        }

        private FileStream Open(string name) => System.IO.File.OpenRead(Path.Combine(_directory, $"{name}.safetensors"));
    }
}
