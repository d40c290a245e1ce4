using StreamLstm.Model.Heads;

namespace StreamLstm.Model.Training;

/// <summary>Settings of <see cref="ForecastTrainer"/>.</summary>
public sealed record ForecastTrainingOptions
{
    /// <summary>What each horizon's loss counts: (K).</summary>
    public required IReadOnlyList<float> HorizonWeights { get; init; }

    /// <summary>Probability that the target gives to each neighbouring bin: bins have an order, and edges are rough.</summary>
    public float NeighbourSmoothing { get; init; } = 0.05f;

    /// <summary>Largest norm of a step's gradient.</summary>
    public double ClipNorm { get; init; } = 1;
}

/// <summary>Trains a forecasting network on windows: cross-entropy of the bins that came, over all horizons.</summary>
/// <remarks>
/// loss = mean over targets of weight(k) * -sum over b of target(b) log softmax(logits)(b), in nats. The target is 1 at
/// the bin that came, less what its neighbours get. Targets that are missing (-1) have neither loss nor gradient.
/// </remarks>
public sealed class ForecastTrainer
{
    private readonly ForecastShape _shape;
    private readonly ForecastTrainingOptions _options;
    private readonly BackpropagationThroughTime _throughTime;
    private readonly ForecastWeights _gradients;
    private readonly LstmGradients _networkGradients;
    private readonly float[] _outputGradients;
    private readonly float[] _logits;
    private readonly float[] _probabilities;
    private int _windows;

    /// <summary>A trainer with buffers for windows of up to <paramref name="maxSteps"/> steps.</summary>
    /// <exception cref="ArgumentException">There is not one weight per horizon.</exception>
    public ForecastTrainer(ForecastShape shape, int maxSteps, ForecastTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);

        if (options.HorizonWeights.Count != shape.HorizonCount)
        {
            throw new ArgumentException(
                $"{options.HorizonWeights.Count} horizon weights, expected {shape.HorizonCount}", nameof(options));
        }

        _shape = shape;
        _options = options;
        _throughTime = new BackpropagationThroughTime(shape.Network, maxSteps);
        _gradients = new ForecastWeights(shape);
        _networkGradients = new LstmGradients(_gradients.Network);
        _outputGradients = new float[maxSteps * shape.Network.OutputSize];
        _logits = new float[shape.Network.OutputSize];
        _probabilities = new float[shape.BinCount];
    }

    /// <summary>The gradient summed over the windows since the last <see cref="Apply"/>, laid out as the weights.</summary>
    public ReadOnlySpan<float> Gradients => _gradients.Parameters;

    /// <summary>Adds one window's gradient.</summary>
    /// <param name="weights">Not changed.</param>
    /// <param name="inputs">(T, I).</param>
    /// <param name="anchorBins">(T, K, A); -1 = none.</param>
    /// <param name="targetBins">(T, K); -1 = missing.</param>
    /// <param name="initialState">h and c of every layer before the first step.</param>
    /// <param name="firstScoredStep">Steps before it only warm the state up.</param>
    /// <returns>The window's mean loss in nats per target; 0 where all are missing.</returns>
    public double Accumulate(
        ForecastWeights weights,
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<int> anchorBins,
        ReadOnlySpan<int> targetBins,
        ReadOnlySpan<float> initialState,
        int firstScoredStep)
    {
        double loss = Run(weights, inputs, anchorBins, targetBins, initialState, firstScoredStep, withGradients: true);
        int steps = targetBins.Length / _shape.HorizonCount;
        _throughTime.Backward(
            weights.Network, _outputGradients.AsSpan(0, steps * _shape.Network.OutputSize), _networkGradients);
        _windows++;
        return loss;
    }

    /// <summary>The window's mean loss in nats per target, without a gradient.</summary>
    /// <inheritdoc cref="Accumulate" path="/param"/>
    public double Loss(
        ForecastWeights weights,
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<int> anchorBins,
        ReadOnlySpan<int> targetBins,
        ReadOnlySpan<float> initialState,
        int firstScoredStep) =>
        Run(weights, inputs, anchorBins, targetBins, initialState, firstScoredStep, withGradients: false);

    /// <summary>Takes one step with the mean gradient of the windows accumulated, clipped, and forgets them.</summary>
    /// <returns>False, with nothing changed, where there was no window or a gradient is not finite.</returns>
    public bool Apply(ForecastWeights weights, AdamOptimizer adam)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(adam);
        Span<float> gradients = _gradients.Parameters;
        bool sound = _windows > 0;

        if (sound)
        {
            System.Numerics.Tensors.TensorPrimitives.Multiply(gradients, 1f / _windows, gradients);
            sound = double.IsFinite(GradientClipping.ByGlobalNorm(gradients, _options.ClipNorm));
        }

        if (sound)
        {
            adam.Step(weights.Parameters, gradients);
        }

        gradients.Clear();
        _windows = 0;
        return sound;
    }

    private double Run(
        ForecastWeights weights,
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<int> anchorBins,
        ReadOnlySpan<int> targetBins,
        ReadOnlySpan<float> initialState,
        int firstScoredStep,
        bool withGradients)
    {
        ArgumentNullException.ThrowIfNull(weights);
        int steps = inputs.Length / _shape.Network.InputSize;
        int anchors = _shape.HorizonCount * _shape.AnchorCount;
        LstmNetwork.Require(anchorBins.Length, steps * anchors, nameof(anchorBins));
        LstmNetwork.Require(targetBins.Length, steps * _shape.HorizonCount, nameof(targetBins));
        ReadOnlySpan<float> outputs = _throughTime.Forward(weights.Network, inputs, initialState);
        int targets = 0;

        for (int i = firstScoredStep * _shape.HorizonCount; i < targetBins.Length; i++)
        {
            targets += targetBins[i] >= 0 ? 1 : 0;
        }

        if (withGradients)
        {
            Array.Clear(_outputGradients, 0, outputs.Length);
        }

        if (targets == 0)
        {
            return 0;
        }

        double loss = 0;

        for (int step = firstScoredStep; step < steps; step++)
        {
            ReadOnlySpan<int> stepAnchors = anchorBins.Slice(step * anchors, anchors);
            outputs.Slice(step * _logits.Length, _logits.Length).CopyTo(_logits);
            ForecastHead.AddKernels(weights, stepAnchors, _logits);

            for (int horizon = 0; horizon < _shape.HorizonCount; horizon++)
            {
                int target = targetBins[step * _shape.HorizonCount + horizon];

                if (target < 0)
                {
                    continue;
                }

                float weight = _options.HorizonWeights[horizon] / targets;
                ForecastHead.Softmax(_logits.AsSpan(horizon * _shape.BinCount, _shape.BinCount), _probabilities);
                loss += weight * CrossEntropy(target);

                if (withGradients)
                {
                    Span<float> gradient = _outputGradients.AsSpan(
                        step * _logits.Length + horizon * _shape.BinCount, _shape.BinCount);
                    LogitGradients(target, weight, gradient);
                    AddKernelGradients(horizon, stepAnchors, gradient);
                }
            }
        }

        return loss;
    }

    private double CrossEntropy(int target)
    {
        double loss = 0;

        for (int bin = Math.Max(0, target - 1); bin <= Math.Min(_shape.BinCount - 1, target + 1); bin++)
        {
            loss -= TargetShare(bin, target) * Math.Log(Math.Max(_probabilities[bin], 1e-30f));
        }

        return loss;
    }

    /// <summary>d(weight * cross-entropy)/d(logits) = weight * (softmax - target).</summary>
    private void LogitGradients(int target, float weight, Span<float> gradient)
    {
        for (int bin = 0; bin < gradient.Length; bin++)
        {
            gradient[bin] = weight * (_probabilities[bin] - TargetShare(bin, target));
        }
    }

    /// <summary>At the ends, where a neighbour is missing, the target keeps its share.</summary>
    private float TargetShare(int bin, int target)
    {
        float smoothing = _options.NeighbourSmoothing;

        if (bin != target)
        {
            return Math.Abs(bin - target) == 1 ? smoothing : 0;
        }

        int neighbours = (target > 0 ? 1 : 0) + (target < _shape.BinCount - 1 ? 1 : 0);
        return 1 - neighbours * smoothing;
    }

    private void AddKernelGradients(int horizon, ReadOnlySpan<int> anchorBins, ReadOnlySpan<float> logitGradients)
    {
        for (int anchor = 0; anchor < _shape.AnchorCount; anchor++)
        {
            int bin = anchorBins[horizon * _shape.AnchorCount + anchor];

            if (bin >= 0)
            {
                Span<float> kernel = _gradients.OffsetKernel(horizon, anchor).Slice(_shape.BinCount - 1 - bin, _shape.BinCount);
                System.Numerics.Tensors.TensorPrimitives.Add(kernel, logitGradients, kernel);
            }
        }
    }
}
