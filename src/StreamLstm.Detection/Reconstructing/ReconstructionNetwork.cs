using System.Numerics.Tensors;
using StreamLstm.Model;
using StreamLstm.Model.Formats;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Reconstructing;

/// <summary>An LSTM that reads the rows before a stretch into its state, and then writes the stretch from that state.</summary>
/// <remarks><code>
///   encoder  h, c ← LSTM(row, what it is like)     rows before the stretch
///   decoder  h, c ← LSTM(what it would be like)    rows of the stretch, their values hidden
///   expected = Σ softmax(z)ₖ candidateₖ + d         lower = expected - eᵘ⁻²    upper = expected + eᵛ⁻²
/// </code>
/// Encoder and decoder have the same weights, and a row says whether it is known: so an incident before the stretch is passed over as
/// the stretch itself is. What is written is not fed back, so no error grows by itself. z, d, u and v are its outputs; what it may lean on
/// (<see cref="StretchPast"/>) is what a person would point at: the last value, the seasons before, the past that was most alike.
/// Trained by the pinball loss of the 5 %, 50 % and 95 % quantiles (Koenker and Bassett 1978).
/// </remarks>
internal sealed class ReconstructionNetwork
{
    /// <summary>Lower end of the band, median, upper end.</summary>
    private const int Bands = 3;

    private const float LowerQuantile = 0.05f;
    private const float UpperQuantile = 0.95f;

    /// <summary>What a width is at most: e to this, on the stream's scale.</summary>
    private const float WidthMost = 4;

    private static readonly Lazy<ReconstructionNetwork> FromAssembly = new(ReadShipped);

    public ReconstructionNetwork(LstmWeights weights)
    {
        if (weights.Shape.InputSize != StretchPast.InputSize || weights.Shape.OutputSize != Outputs)
        {
            throw new ArgumentException($"weights of {weights.Shape}, expected {StretchPast.InputSize} inputs and {Outputs} outputs", nameof(weights));
        }

        weights.RequireFinite();
        Weights = weights;
    }

    /// <summary>The one that comes with the program: trained by <c>streamlstm train --reconstruction</c> on simulated lives.</summary>
    public static ReconstructionNetwork Shipped => FromAssembly.Value;

    /// <summary>Outputs of the network.</summary>
    public static int Outputs => StretchPast.Candidates + Bands;

    public LstmWeights Weights { get; }

    /// <summary>One with the same weights, that may learn on.</summary>
    public ReconstructionNetwork Clone()
    {
        var clone = new LstmWeights(Weights.Shape);
        Weights.Parameters.CopyTo(clone.Parameters);
        return new ReconstructionNetwork(clone);
    }

    public static ReconstructionNetwork Untrained(int cells, ulong seed) =>
        new(WeightInitializer.Create(new LstmShape(StretchPast.InputSize, cells, 1, Outputs), seed));

    /// <summary>What each row of a stretch should have been, on the stream's scale: lower, median and upper (T, 3).</summary>
    public float[] Fill(StretchPast past, int from, int length)
    {
        int steps = StretchPast.ReadRows + length;
        float[] inputs = new float[steps * StretchPast.InputSize], candidates = new float[length * StretchPast.Candidates], bands = new float[length * Bands];
        past.Stage(from, length, inputs, candidates);
        var scratch = new LstmScratch(Weights.Shape);
        Span<float> state = new float[Weights.Shape.StateSize], output = stackalloc float[Outputs], shares = stackalloc float[StretchPast.Candidates];

        for (int step = 0; step < steps; step++)
        {
            LstmNetwork.Step(Weights, inputs.AsSpan(step * StretchPast.InputSize, StretchPast.InputSize), state, output, scratch);

            if (step >= StretchPast.ReadRows)
            {
                int row = step - StretchPast.ReadRows;
                Mix(output, candidates.AsSpan(row * StretchPast.Candidates, StretchPast.Candidates), shares, bands.AsSpan(row * Bands, Bands));
            }
        }

        return bands;
    }

    /// <summary>Lower, median and upper of one row, and the shares (Candidates) that its candidates have in it.</summary>
    private static void Mix(ReadOnlySpan<float> output, ReadOnlySpan<float> candidates, Span<float> shares, Span<float> bands)
    {
        TensorPrimitives.SoftMax(output[..StretchPast.Candidates], shares);
        float median = output[StretchPast.Candidates] + TensorPrimitives.Dot(shares, candidates);
        bands[0] = median - Width(output[StretchPast.Candidates + 1]);
        bands[1] = median;
        bands[2] = median + Width(output[StretchPast.Candidates + 2]);
    }

    private static float Width(float output) => MathF.Exp(Math.Min(output - 2, WidthMost));

    private static ReconstructionNetwork ReadShipped()
    {
        using Stream file = typeof(ReconstructionNetwork).Assembly.GetManifestResourceStream("reconstruction-weights.safetensors")
            ?? throw new InvalidOperationException("the assembly lacks reconstruction-weights.safetensors");
        return new ReconstructionNetwork(TorchStateDict.Read(file));
    }

    /// <summary>Trains a network on stretches whose rows are known. One thread's.</summary>
    internal sealed class Trainer(ReconstructionNetwork network, int batch, int lengthMax, LearningRateSchedule rate)
    {
        private readonly BackpropagationThroughTime _throughTime = new(network.Weights.Shape, StretchPast.ReadRows + lengthMax, batch);
        private readonly LstmGradients _gradients = new(network.Weights.Shape);
        private readonly AdamOptimizer _adam = new(network.Weights.Shape.ParameterCount, new AdamOptions { WeightDecay = 0 });
        private readonly float[] _inputs = new float[batch * (StretchPast.ReadRows + lengthMax) * StretchPast.InputSize];
        private readonly float[] _candidates = new float[batch * lengthMax * StretchPast.Candidates];
        private readonly float[] _states = new float[batch * network.Weights.Shape.StateSize];
        private readonly float[] _outputGradients = new float[batch * (StretchPast.ReadRows + lengthMax) * Outputs];

        /// <summary>One step on stretches of one length; rows of an incident in them teach nothing.</summary>
        /// <param name="stretches">(batch) Their streams and first rows.</param>
        /// <param name="length">T: rows of each.</param>
        /// <returns>Mean pinball loss of a row, on the streams' scales.</returns>
        public double Step(ReadOnlySpan<(StretchPast Past, int From)> stretches, int length)
        {
            double loss = Accumulate(stretches, length);

            if (double.IsFinite(GradientClipping.ByGlobalNorm(_gradients.Values, 1)))
            {
                _adam.LearningRate = rate.At((int)_adam.StepCount);
                _adam.Step(network.Weights.Parameters, _gradients.Values);
            }

            return loss;
        }

        /// <summary>dLoss/d(weights) of the last batch, before it was clipped.</summary>
        internal ReadOnlySpan<float> Gradients => _gradients.Values;

        internal double Accumulate(ReadOnlySpan<(StretchPast Past, int From)> stretches, int length)
        {
            int steps = StretchPast.ReadRows + length;
            Span<float> inputs = _inputs.AsSpan(0, batch * steps * StretchPast.InputSize);
            Span<float> outputGradients = _outputGradients.AsSpan(0, batch * steps * Outputs);
            outputGradients.Clear();
            _gradients.Clear();

            for (int i = 0; i < batch; i++)
            {
                stretches[i].Past.Stage(
                    stretches[i].From, length,
                    inputs.Slice(i * steps * StretchPast.InputSize, steps * StretchPast.InputSize),
                    _candidates.AsSpan(i * length * StretchPast.Candidates, length * StretchPast.Candidates));
            }

            ReadOnlySpan<float> outputs = _throughTime.Forward(network.Weights, inputs, _states);
            Span<float> shares = stackalloc float[StretchPast.Candidates], bands = stackalloc float[Bands];
            double loss = 0;

            for (int i = 0; i < batch; i++)
            {
                for (int row = 0; row < length; row++)
                {
                    if (stretches[i].Past.IsAbnormal(stretches[i].From + row))
                    {
                        continue;
                    }

                    int at = (i * steps + StretchPast.ReadRows + row) * Outputs;
                    ReadOnlySpan<float> candidates = _candidates.AsSpan((i * length + row) * StretchPast.Candidates, StretchPast.Candidates);
                    Mix(outputs.Slice(at, Outputs), candidates, shares, bands);
                    loss += Gradient(
                        stretches[i].Past.Y[stretches[i].From + row], candidates, shares, bands, outputs.Slice(at, Outputs), 1f / (batch * length), outputGradients.Slice(at, Outputs));
                }
            }

            _throughTime.Backward(network.Weights, outputGradients, _gradients);
            return loss / (batch * length);
        }

        /// <summary>The pinball losses of one row, and their gradient by the outputs.</summary>
        private static double Gradient(
            float target, ReadOnlySpan<float> candidates, ReadOnlySpan<float> shares, ReadOnlySpan<float> bands, ReadOnlySpan<float> outputs, float weight, Span<float> gradient)
        {
            (float lower, float lowerSlope) = Pinball(target, bands[0], LowerQuantile);
            (float median, float medianSlope) = Pinball(target, bands[1], 0.5f);
            (float upper, float upperSlope) = Pinball(target, bands[2], UpperQuantile);

            // The band is what is known of the median's error: it must not move the median.
            float mixed = TensorPrimitives.Dot(shares, candidates);

            for (int k = 0; k < StretchPast.Candidates; k++)
            {
                gradient[k] = weight * medianSlope * shares[k] * (candidates[k] - mixed);
            }

            gradient[StretchPast.Candidates] = weight * medianSlope;
            gradient[StretchPast.Candidates + 1] = -weight * lowerSlope * Slope(outputs[StretchPast.Candidates + 1]);
            gradient[StretchPast.Candidates + 2] = weight * upperSlope * Slope(outputs[StretchPast.Candidates + 2]);
            return lower + median + upper;
        }

        private static float Slope(float output) => output - 2 < WidthMost ? Width(output) : 0;

        private static (float Loss, float Slope) Pinball(float target, float said, float quantile) =>
            target >= said ? (quantile * (target - said), -quantile) : ((1 - quantile) * (said - target), 1 - quantile);
    }
}
