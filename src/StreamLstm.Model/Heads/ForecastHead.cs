using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

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

    /// <summary>One step of B streams that share weights, each with a state of its own in a slab, and the logits of every horizon: the same bits as one by one.</summary>
    /// <param name="weights">Shared, not changed.</param>
    /// <param name="packed">The network of these weights, packed.</param>
    /// <param name="inputs">x of each stream (B, I).</param>
    /// <param name="states">The slab (N, StateSize).</param>
    /// <param name="rows">Each stream's row of the slab (B); no row twice.</param>
    /// <param name="anchorBins">(B, K, A) bins; -1 = no such anchor.</param>
    /// <param name="logits">(B, K, bins).</param>
    /// <param name="scratch">Buffers of the caller.</param>
    public static void Step(
        ForecastWeights weights,
        PackedLstmWeights packed,
        ReadOnlySpan<float> inputs,
        Span<float> states,
        ReadOnlySpan<int> rows,
        ReadOnlySpan<int> anchorBins,
        Span<float> logits,
        LstmScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(weights);
        LstmNetwork.Step(packed, inputs, states, rows, logits, scratch);
        int anchors = weights.Shape.HorizonCount * weights.Shape.AnchorCount, outputs = weights.Shape.Network.OutputSize;

        for (int row = 0; row < rows.Length; row++)
        {
            AddKernels(weights, anchorBins.Slice(row * anchors, anchors), logits.Slice(row * outputs, outputs));
        }
    }

    /// <summary>Probabilities of one horizon's bins: exp(logit - highest), divided by their sum.</summary>
    /// <param name="logits">(B).</param>
    /// <param name="probabilities">(B), summing to 1; may be the same memory.</param>
    /// <returns>log of the sum of exp(logit): what turns a logit into a log probability.</returns>
    public static double Softmax(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        float highest = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, highest, probabilities);
        TensorPrimitives.Exp(probabilities, probabilities);
        float sum = Sum(probabilities[..logits.Length]);
        TensorPrimitives.Multiply(probabilities, 1 / sum, probabilities);
        return highest + Math.Log(sum);
    }

    /// <summary>In eight sums side by side on every machine: a library's sum follows the vector width.</summary>
    private static float Sum(ReadOnlySpan<float> values)
    {
        Vector128<float> even = default, odd = default;
        int i = 0;

        for (; i + 8 <= values.Length; i += 8)
        {
            even += Vector128.Create(values.Slice(i, 4));
            odd += Vector128.Create(values.Slice(i + 4, 4));
        }

        even += odd;
        float sum = even[0] + even[1] + (even[2] + even[3]);

        for (; i < values.Length; i++)
        {
            sum += values[i];
        }

        return sum;
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
