using System.Numerics;
using System.Numerics.Tensors;

namespace StreamLstm.Benchmarks.LongMemory.Networks;

/// <summary>Products of a matrix stored by columns, plain and apart from the product's kernels.</summary>
internal static class ColumnMatrix
{
    /// <summary>y += A x.</summary>
    public static void MultiplyAdd<T>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> x, Span<T> y)
        where T : IBinaryFloatingPointIeee754<T>
    {
        for (int k = 0; k < x.Length; k++)
        {
            TensorPrimitives.MultiplyAdd(matrix.Slice(k * y.Length, y.Length), x[k], y, y);
        }
    }

    /// <summary>x += A^T y.</summary>
    public static void MultiplyTransposedAdd<T>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> y, Span<T> x)
        where T : IBinaryFloatingPointIeee754<T>
    {
        for (int k = 0; k < x.Length; k++)
        {
            x[k] += TensorPrimitives.Dot(matrix.Slice(k * y.Length, y.Length), y);
        }
    }

    /// <summary>A += y x^T.</summary>
    public static void OuterProductAdd<T>(Span<T> matrix, ReadOnlySpan<T> y, ReadOnlySpan<T> x)
        where T : IBinaryFloatingPointIeee754<T>
    {
        for (int k = 0; k < x.Length; k++)
        {
            Span<T> column = matrix.Slice(k * y.Length, y.Length);
            TensorPrimitives.MultiplyAdd(y, x[k], column, column);
        }
    }
}
