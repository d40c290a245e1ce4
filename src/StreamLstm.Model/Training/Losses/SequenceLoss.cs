namespace StreamLstm.Model.Training.Losses;

/// <summary>What a network's output costs against the truth, step by step, and in which direction it would cost less.</summary>
/// <remarks>A target value that is NaN is missing: it has neither loss nor gradient, and is never taken for zero.</remarks>
public abstract class SequenceLoss
{
    /// <summary>Values of one step's output that the loss reads.</summary>
    public abstract int OutputSize { get; }

    /// <summary>Values of one step's target.</summary>
    public abstract int TargetSize { get; }

    /// <summary>One step's loss times <paramref name="weight"/>.</summary>
    /// <param name="output">(OutputSize).</param>
    /// <param name="target">(TargetSize); NaN = missing.</param>
    /// <param name="weight">What the step counts.</param>
    /// <param name="gradient">Becomes dLoss/d(output) (OutputSize), times the weight.</param>
    /// <returns>The loss, summed over the values that are not missing.</returns>
    public abstract double Evaluate(ReadOnlySpan<float> output, ReadOnlySpan<float> target, float weight, Span<float> gradient);
}

/// <summary>Negative log-likelihood of values under normal distributions whose mean and log variance the network puts out.</summary>
/// <remarks>
/// Per value, in nats and without its constant: (log var + (y - mean)² / var) / 2 (Nix and Weigend 1994). The log variance
/// is held within ±14, so that a value forecast exactly does not cost minus infinity.
/// </remarks>
/// <param name="values">D: values of a step; the output is D means, then D log variances.</param>
public sealed class GaussianLoss(int values) : SequenceLoss
{
    private const float LogVarianceLimit = 14;

    /// <inheritdoc/>
    public override int OutputSize => 2 * values;

    /// <inheritdoc/>
    public override int TargetSize => values;

    /// <inheritdoc/>
    public override double Evaluate(ReadOnlySpan<float> output, ReadOnlySpan<float> target, float weight, Span<float> gradient)
    {
        gradient.Clear();
        double loss = 0;

        for (int i = 0; i < values; i++)
        {
            if (float.IsNaN(target[i]))
            {
                continue;
            }

            float logVariance = Math.Clamp(output[values + i], -LogVarianceLimit, LogVarianceLimit);
            float precision = MathF.Exp(-logVariance);
            float error = output[i] - target[i];
            loss += weight * 0.5 * (logVariance + (double)error * error * precision);
            gradient[i] = weight * error * precision;

            if (logVariance == output[values + i])
            {
                gradient[values + i] = weight * 0.5f * (1 - error * error * precision);
            }
        }

        return loss;
    }
}

/// <summary>Squared error near zero, absolute error far out, so that a few wild values do not rule a training (Huber 1964).</summary>
/// <remarks>Per value: e²/2 up to |e| = delta, beyond it delta (|e| - delta/2).</remarks>
/// <param name="values">D: values of a step.</param>
/// <param name="delta">Where the one becomes the other; infinity gives half the squared error throughout.</param>
public sealed class HuberLoss(int values, float delta) : SequenceLoss
{
    /// <inheritdoc/>
    public override int OutputSize => values;

    /// <inheritdoc/>
    public override int TargetSize => values;

    /// <inheritdoc/>
    public override double Evaluate(ReadOnlySpan<float> output, ReadOnlySpan<float> target, float weight, Span<float> gradient)
    {
        gradient.Clear();
        double loss = 0;

        for (int i = 0; i < values; i++)
        {
            if (float.IsNaN(target[i]))
            {
                continue;
            }

            float error = output[i] - target[i];
            float size = MathF.Abs(error);
            loss += weight * (size <= delta ? 0.5 * error * error : delta * (size - 0.5 * delta));
            gradient[i] = weight * Math.Clamp(error, -delta, delta);
        }

        return loss;
    }
}

/// <summary>Losses side by side over parts of one output, as several horizons are.</summary>
public sealed class WeightedLosses : SequenceLoss
{
    private readonly (SequenceLoss Loss, float Weight)[] _parts;

    /// <summary>Losses side by side.</summary>
    /// <param name="parts">Each loss with what it counts; outputs and targets follow one another in this order.</param>
    public WeightedLosses(IReadOnlyList<(SequenceLoss Loss, float Weight)> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        _parts = [.. parts];
        OutputSize = _parts.Sum(part => part.Loss.OutputSize);
        TargetSize = _parts.Sum(part => part.Loss.TargetSize);
    }

    /// <inheritdoc/>
    public override int OutputSize { get; }

    /// <inheritdoc/>
    public override int TargetSize { get; }

    /// <inheritdoc/>
    public override double Evaluate(ReadOnlySpan<float> output, ReadOnlySpan<float> target, float weight, Span<float> gradient)
    {
        double loss = 0;

        foreach ((SequenceLoss part, float share) in _parts)
        {
            loss += part.Evaluate(output[..part.OutputSize], target[..part.TargetSize], weight * share, gradient[..part.OutputSize]);
            output = output[part.OutputSize..];
            target = target[part.TargetSize..];
            gradient = gradient[part.OutputSize..];
        }

        return loss;
    }
}

/// <summary>Cross-entropy of one yes-or-no question whose log-odds the network puts out; each step counts as its target says.</summary>
/// <remarks>
/// For an answer y of 0 or 1 and log-odds z: weight * (ln(1 + e^z) - y z), in nats. The target is the answer and its weight.
/// </remarks>
public sealed class WeightedLogisticLoss : SequenceLoss
{
    /// <inheritdoc/>
    public override int OutputSize => 1;

    /// <inheritdoc/>
    public override int TargetSize => 2;

    /// <inheritdoc/>
    public override double Evaluate(ReadOnlySpan<float> output, ReadOnlySpan<float> target, float weight, Span<float> gradient)
    {
        gradient.Clear();

        if (float.IsNaN(target[0]))
        {
            return 0;
        }

        double z = output[0], share = weight * (double)target[1];
        gradient[0] = (float)(share * (1 / (1 + Math.Exp(-z)) - target[0]));

        // ln(1 + e^z), written so that no large z overflows.
        return share * (Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z))) - target[0] * z);
    }
}
