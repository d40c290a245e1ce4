namespace StreamLstm.Model.Training;

/// <summary>Settings of <see cref="AdamOptimizer"/>.</summary>
public sealed record AdamOptions
{
    /// <summary>Step size.</summary>
    public float LearningRate { get; init; } = 0.01f;

    /// <summary>Share of the first moment that stays.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>Share of the second moment that stays.</summary>
    public float Beta2 { get; init; } = 0.99f;

    /// <summary>Added to the root of the second moment.</summary>
    public float Epsilon { get; init; } = 1e-8f;

    /// <summary>Share of each weight that a step takes away, times the learning rate; apart from the gradient.</summary>
    public float WeightDecay { get; init; } = 1e-4f;
}

/// <summary>Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019).</summary>
/// <remarks><code>
///   m ← β1 m + (1-β1) g    v ← β2 v + (1-β2) g²
///   w ← w - rate (m / (1-β1^t) / (√(v / (1-β2^t)) + ε) + decay w)
/// </code></remarks>
public sealed class AdamOptimizer
{
    private readonly AdamOptions _options;
    private readonly float[] _firstMoment;
    private readonly float[] _secondMoment;

    /// <summary>An optimizer that has made no step.</summary>
    /// <param name="parameterCount">Parameters it will move.</param>
    /// <param name="options">Its settings.</param>
    public AdamOptimizer(int parameterCount, AdamOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _firstMoment = new float[parameterCount];
        _secondMoment = new float[parameterCount];
        LearningRate = options.LearningRate;
    }

    /// <summary>Step size of the next step.</summary>
    public float LearningRate { get; set; }

    /// <summary>m (parameters).</summary>
    public Span<float> FirstMoment => _firstMoment;

    /// <summary>v (parameters).</summary>
    public Span<float> SecondMoment => _secondMoment;

    /// <summary>t: steps made.</summary>
    public long StepCount { get; set; }

    /// <summary>Moves the parameters against the gradients.</summary>
    /// <exception cref="ArgumentException">A span has another length than the optimizer was made for.</exception>
    public void Step(Span<float> parameters, ReadOnlySpan<float> gradients)
    {
        LstmNetwork.Require(parameters.Length, _firstMoment.Length, nameof(parameters));
        LstmNetwork.Require(gradients.Length, _firstMoment.Length, nameof(gradients));
        StepCount++;
        float firstCorrection = (float)(1 / (1 - Math.Pow(_options.Beta1, StepCount)));
        float secondCorrection = (float)(1 / (1 - Math.Pow(_options.Beta2, StepCount)));

        for (int p = 0; p < gradients.Length; p++)
        {
            float gradient = gradients[p];
            float first = _options.Beta1 * _firstMoment[p] + (1 - _options.Beta1) * gradient;
            float second = _options.Beta2 * _secondMoment[p] + (1 - _options.Beta2) * gradient * gradient;
            _firstMoment[p] = first;
            _secondMoment[p] = second;
            float move = first * firstCorrection / (MathF.Sqrt(second * secondCorrection) + _options.Epsilon);
            parameters[p] -= LearningRate * (move + _options.WeightDecay * parameters[p]);
        }
    }
}
