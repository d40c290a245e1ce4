using StreamLstm.Model.Heads;
using StreamLstm.Model.Training.Losses;

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
/// loss = mean over targets of weight(k) * cross-entropy, in nats (<see cref="CrossEntropyLoss"/>). Targets that are
/// missing (-1) have neither loss nor gradient.
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
    private readonly float[] _unused;
    private readonly CrossEntropyLoss _loss;
    private int _windows;

    /// <summary>A trainer with buffers for batches of up to <paramref name="maxWindows"/> windows of up to <paramref name="maxSteps"/> steps.</summary>
    /// <exception cref="ArgumentException">There is not one weight per horizon.</exception>
    public ForecastTrainer(ForecastShape shape, int maxSteps, ForecastTrainingOptions options, int maxWindows = 1)
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
        _throughTime = new BackpropagationThroughTime(shape.Network, maxSteps, maxWindows);
        _gradients = new ForecastWeights(shape);
        _networkGradients = new LstmGradients(_gradients.Network);
        _outputGradients = new float[maxSteps * maxWindows * shape.Network.OutputSize];
        _logits = new float[shape.Network.OutputSize];
        _unused = new float[shape.BinCount];
        _loss = new CrossEntropyLoss(shape.BinCount, options.NeighbourSmoothing);
    }

    /// <summary>The gradient summed over the windows since the last <see cref="Apply"/>, laid out as the weights.</summary>
    public ReadOnlySpan<float> Gradients => _gradients.Parameters;

    /// <summary>Adds the gradients of a batch of equally long windows.</summary>
    /// <param name="weights">Not changed.</param>
    /// <param name="inputs">(W, T, I).</param>
    /// <param name="anchorBins">(W, T, K, A); -1 = none.</param>
    /// <param name="targetBins">(W, T, K); -1 = missing.</param>
    /// <param name="initialStates">Of each window, h and c of every layer before the first step (W, StateSize); tells W.</param>
    /// <param name="firstScoredStep">Steps before it only warm the state up.</param>
    /// <returns>The mean over windows of the mean loss in nats per target; 0 for a window whose targets are all missing.</returns>
    public double Accumulate(
        ForecastWeights weights,
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<int> anchorBins,
        ReadOnlySpan<int> targetBins,
        ReadOnlySpan<float> initialStates,
        int firstScoredStep)
    {
        double loss = Run(weights, inputs, anchorBins, targetBins, initialStates, firstScoredStep, withGradients: true);
        int steps = targetBins.Length / _shape.HorizonCount;
        _throughTime.Backward(
            weights.Network, _outputGradients.AsSpan(0, steps * _shape.Network.OutputSize), _networkGradients);
        _windows += initialStates.Length / _shape.Network.StateSize;
        return loss;
    }

    /// <summary>The mean over windows of the mean loss in nats per target, without a gradient.</summary>
    /// <inheritdoc cref="Accumulate" path="/param"/>
    public double Loss(
        ForecastWeights weights,
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<int> anchorBins,
        ReadOnlySpan<int> targetBins,
        ReadOnlySpan<float> initialStates,
        int firstScoredStep) =>
        Run(weights, inputs, anchorBins, targetBins, initialStates, firstScoredStep, withGradients: false);

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
        ReadOnlySpan<float> initialStates,
        int firstScoredStep,
        bool withGradients)
    {
        ArgumentNullException.ThrowIfNull(weights);
        int rows = inputs.Length / _shape.Network.InputSize;
        int anchors = _shape.HorizonCount * _shape.AnchorCount;
        LstmNetwork.Require(anchorBins.Length, rows * anchors, nameof(anchorBins));
        LstmNetwork.Require(targetBins.Length, rows * _shape.HorizonCount, nameof(targetBins));
        ReadOnlySpan<float> outputs = _throughTime.Forward(weights.Network, inputs, initialStates);
        int windows = initialStates.Length / _shape.Network.StateSize;
        int steps = rows / windows;

        if (withGradients)
        {
            Array.Clear(_outputGradients, 0, outputs.Length);
        }

        double loss = 0;

        for (int window = 0; window < windows; window++)
        {
            int first = window * steps + firstScoredStep, end = (window + 1) * steps;
            int targets = 0;

            foreach (int target in targetBins[(first * _shape.HorizonCount)..(end * _shape.HorizonCount)])
            {
                targets += target >= 0 ? 1 : 0;
            }

            for (int row = first; row < end && targets > 0; row++)
            {
                loss += RowLoss(
                    weights,
                    row,
                    outputs.Slice(row * _logits.Length, _logits.Length),
                    anchorBins.Slice(row * anchors, anchors),
                    targetBins.Slice(row * _shape.HorizonCount, _shape.HorizonCount),
                    1f / targets,
                    withGradients);
            }
        }

        return loss / windows;
    }

    /// <summary>The loss of one step's targets, each counting <paramref name="share"/>; its gradient goes to the step's row.</summary>
    private double RowLoss(
        ForecastWeights weights, int row, ReadOnlySpan<float> output, ReadOnlySpan<int> anchorBins, ReadOnlySpan<int> targetBins,
        float share, bool withGradients)
    {
        output.CopyTo(_logits);
        ForecastHead.AddKernels(weights, anchorBins, _logits);
        double loss = 0;

        for (int horizon = 0; horizon < _shape.HorizonCount; horizon++)
        {
            int target = targetBins[horizon];

            if (target < 0)
            {
                continue;
            }

            Span<float> gradient = withGradients
                ? _outputGradients.AsSpan(row * _logits.Length + horizon * _shape.BinCount, _shape.BinCount)
                : _unused;
            loss += _loss.Evaluate(
                _logits.AsSpan(horizon * _shape.BinCount, _shape.BinCount), target, _options.HorizonWeights[horizon] * share, gradient);

            if (withGradients)
            {
                AddKernelGradients(horizon, anchorBins, gradient);
            }
        }

        return loss;
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
