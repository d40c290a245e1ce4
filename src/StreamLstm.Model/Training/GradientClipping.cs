using System.Numerics.Tensors;

namespace StreamLstm.Model.Training;

/// <summary>Bounds on gradients (Pascanu, Mikolov and Bengio 2013).</summary>
public static class GradientClipping
{
    /// <summary>Scales the gradients down to the limit where their norm exceeds it.</summary>
    /// <returns>The norm before; not finite where a gradient is not.</returns>
    public static double ByGlobalNorm(Span<float> gradients, double limit)
    {
        double sum = 0;

        foreach (float gradient in gradients)
        {
            sum += (double)gradient * gradient;
        }

        double norm = Math.Sqrt(sum);

        if (norm > limit && double.IsFinite(norm))
        {
            TensorPrimitives.Multiply(gradients, (float)(limit / norm), gradients);
        }

        return norm;
    }
}
