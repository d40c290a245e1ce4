using System.Numerics.Tensors;
using StreamLstm.Model.Heads;

namespace StreamLstm.Model.Training.Losses;

/// <summary>Cross-entropy of a softmax over bins, in nats: the value that came as one of B, as a language model takes a word.</summary>
/// <remarks>
/// loss = -sum over b of target(b) log softmax(logits)(b). The target is 1 at the bin that came, less what its
/// neighbours get: bins have an order, and their edges are rough.
/// </remarks>
public sealed class CrossEntropyLoss : SequenceLoss
{
    private readonly float _smoothing;

    /// <summary>A loss.</summary>
    /// <param name="binCount">B.</param>
    /// <param name="neighbourSmoothing">Share of the target that goes to each neighbouring bin, 0 to 0.5; 0 for classes without order.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is outside its range.</exception>
    public CrossEntropyLoss(int binCount, float neighbourSmoothing = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(binCount, 2);

        if (!(neighbourSmoothing is >= 0 and <= 0.5f))
        {
            throw new ArgumentOutOfRangeException(nameof(neighbourSmoothing), neighbourSmoothing, "expected 0 to 0.5");
        }

        OutputSize = binCount;
        _smoothing = neighbourSmoothing;
    }

    /// <summary>B logits.</summary>
    public override int OutputSize { get; }

    /// <summary>One: the index of the bin that came.</summary>
    public override int TargetSize => 1;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The target is no bin.</exception>
    public override double Evaluate(ReadOnlySpan<float> output, ReadOnlySpan<float> target, float weight, Span<float> gradient)
    {
        if (float.IsNaN(target[0]))
        {
            gradient.Clear();
            return 0;
        }

        int bin = (int)target[0];

        if (bin != target[0] || (uint)bin >= (uint)OutputSize)
        {
            throw new ArgumentException($"target is {target[0]}, expected a bin from 0 to {OutputSize - 1}", nameof(target));
        }

        return Evaluate(output, bin, weight, gradient);
    }

    /// <summary>The loss and its gradient, weight * (softmax - target), for the bin that came.</summary>
    internal double Evaluate(ReadOnlySpan<float> logits, int bin, float weight, Span<float> gradient)
    {
        double loss = ForecastHead.Softmax(logits, gradient);
        TensorPrimitives.Multiply(gradient, weight, gradient);

        for (int near = Math.Max(0, bin - 1); near <= Math.Min(OutputSize - 1, bin + 1); near++)
        {
            float share = TargetShare(near, bin);
            // log softmax = logit - log of the sum, and the shares sum to 1.
            loss -= share * logits[near];
            gradient[near] -= weight * share;
        }

        return weight * loss;
    }

    /// <summary>At the ends, where a neighbour is missing, the target keeps its share.</summary>
    private float TargetShare(int bin, int target)
    {
        if (bin != target)
        {
            return _smoothing;
        }

        int neighbours = (target > 0 ? 1 : 0) + (target < OutputSize - 1 ? 1 : 0);
        return 1 - neighbours * _smoothing;
    }
}
