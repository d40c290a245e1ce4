using System.Numerics.Tensors;

namespace StreamLstm.Model.Training;

/// <summary>Bounds on gradients (Pascanu, Mikolov and Bengio 2013).</summary>
public static class GradientClipping
{
    /// <summary>Scales the gradients down to the limit where their norm exceeds it.</summary>
    /// <returns>The norm before; not finite where a gradient is not.</returns>
    public static double ByGlobalNorm(Span<float> gradients, double limit)
    {
        double norm = Math.Sqrt(SumOfSquares(gradients));

        if (norm > limit && double.IsFinite(norm))
        {
            TensorPrimitives.Multiply(gradients, (float)(limit / norm), gradients);
        }

        return norm;
    }

    /// <summary>In eight sums side by side, always the same eight, as one chain would wait for every addition.</summary>
    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        Span<double> sums = stackalloc double[8];
        sums.Clear();
        int i = 0;

        for (; i + 8 <= values.Length; i += 8)
        {
            for (int lane = 0; lane < 8; lane++)
            {
                double value = values[i + lane];
                sums[lane] += value * value;
            }
        }

        for (; i < values.Length; i++)
        {
            sums[0] += (double)values[i] * values[i];
        }

        double sum = 0;

        foreach (double part in sums)
        {
            sum += part;
        }

        return sum;
    }
}
