using System.Numerics.Tensors;

namespace StreamLstm.Model.Heads;

/// <summary>Forecasts as distributions over bins: logits = V h + bias + offset kernels around the anchors' bins.</summary>
public static class ForecastHead
{
    /// <summary>One step of one stream and the logits of every horizon.</summary>
    /// <param name="weights">Shared, not changed.</param>
    /// <param name="input">x (I).</param>
    /// <param name="state">h and c of every layer: replaced by the state after the step.</param>
    /// <param name="anchorBins">(K, A) bins; -1 = no such anchor.</param>
    /// <param name="logits">(K, B).</param>
    /// <param name="scratch">Buffers of the caller.</param>
    public static void Step(
        ForecastWeights weights,
        ReadOnlySpan<float> input,
        Span<float> state,
        ReadOnlySpan<int> anchorBins,
        Span<float> logits,
        LstmScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(weights);
        LstmNetwork.Step(weights.Network, input, state, logits, scratch);
        AddKernels(weights, anchorBins, logits);
    }

    /// <summary>Probabilities of one horizon's bins: exp(logit - highest), divided by their sum.</summary>
    /// <param name="logits">(B).</param>
    /// <param name="probabilities">(B), summing to 1; may be the same memory.</param>
    public static void Softmax(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        float highest = float.NegativeInfinity;

        foreach (float logit in logits)
        {
            highest = MathF.Max(highest, logit);
        }

        TensorPrimitives.Subtract(logits, highest, probabilities);
        TensorPrimitives.Exp(probabilities, probabilities);
        float sum = 0;

        // In this order on every machine: a library's sum follows the vector width.
        foreach (float probability in probabilities)
        {
            sum += probability;
        }

        TensorPrimitives.Multiply(probabilities, 1 / sum, probabilities);
    }

    internal static void AddKernels(ForecastWeights weights, ReadOnlySpan<int> anchorBins, Span<float> logits)
    {
        ForecastShape shape = weights.Shape;
        LstmNetwork.Require(anchorBins.Length, shape.HorizonCount * shape.AnchorCount, nameof(anchorBins));

        for (int horizon = 0; horizon < shape.HorizonCount; horizon++)
        {
            Span<float> bins = logits.Slice(horizon * shape.BinCount, shape.BinCount);

            for (int anchor = 0; anchor < shape.AnchorCount; anchor++)
            {
                int bin = anchorBins[horizon * shape.AnchorCount + anchor];

                if (bin >= 0)
                {
                    TensorPrimitives.Add(
                        bins, weights.OffsetKernel(horizon, anchor).Slice(shape.BinCount - 1 - bin, shape.BinCount), bins);
                }
            }
        }
    }
}
