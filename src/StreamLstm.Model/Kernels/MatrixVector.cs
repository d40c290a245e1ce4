using System.Numerics;
using System.Runtime.InteropServices;

namespace StreamLstm.Model.Kernels;

/// <summary>Products of a matrix stored by columns.</summary>
internal static class MatrixVector
{
    /// <summary>y += A x: y[r] = fma(A[r, k], x[k], y[r]) for k = 0, 1, 2, ...</summary>
    /// <remarks>
    /// A lane is an output, so each output is one chain of fused multiply-adds in the order of k: the result depends
    /// neither on the width of a vector, nor on alignment. Four vectors of outputs stay in registers over all k.
    /// </remarks>
    /// <param name="matrix">A (rows, columns), by columns.</param>
    /// <param name="x">(columns).</param>
    /// <param name="y">(rows).</param>
    public static void MultiplyAdd(ReadOnlySpan<float> matrix, ReadOnlySpan<float> x, Span<float> y)
    {
        int rows = y.Length;
        int width = Vector<float>.Count;
        ArgumentOutOfRangeException.ThrowIfLessThan(matrix.Length, rows * x.Length);
        ref float a = ref MemoryMarshal.GetReference(matrix);
        ref float output = ref MemoryMarshal.GetReference(y);
        int row = 0;

        for (; row <= rows - 4 * width; row += 4 * width)
        {
            Vector<float> y0 = Vector.LoadUnsafe(ref output, (nuint)row);
            Vector<float> y1 = Vector.LoadUnsafe(ref output, (nuint)(row + width));
            Vector<float> y2 = Vector.LoadUnsafe(ref output, (nuint)(row + 2 * width));
            Vector<float> y3 = Vector.LoadUnsafe(ref output, (nuint)(row + 3 * width));
            nuint column = (nuint)row;

            for (int k = 0; k < x.Length; k++, column += (nuint)rows)
            {
                var xk = new Vector<float>(x[k]);
                y0 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref a, column), xk, y0);
                y1 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref a, column + (nuint)width), xk, y1);
                y2 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref a, column + (nuint)(2 * width)), xk, y2);
                y3 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref a, column + (nuint)(3 * width)), xk, y3);
            }

            y0.StoreUnsafe(ref output, (nuint)row);
            y1.StoreUnsafe(ref output, (nuint)(row + width));
            y2.StoreUnsafe(ref output, (nuint)(row + 2 * width));
            y3.StoreUnsafe(ref output, (nuint)(row + 3 * width));
        }

        for (; row <= rows - width; row += width)
        {
            Vector<float> y0 = Vector.LoadUnsafe(ref output, (nuint)row);
            nuint column = (nuint)row;

            for (int k = 0; k < x.Length; k++, column += (nuint)rows)
            {
                y0 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref a, column), new Vector<float>(x[k]), y0);
            }

            y0.StoreUnsafe(ref output, (nuint)row);
        }

        for (; row < rows; row++)
        {
            float sum = y[row];

            for (int k = 0; k < x.Length; k++)
            {
                sum = MathF.FusedMultiplyAdd(matrix[k * rows + row], x[k], sum);
            }

            y[row] = sum;
        }
    }

    /// <summary>x += A^T y: x[k] = x[k] + sum over r of A[r, k] y[r]. For training only: the order of the sum follows the vector width.</summary>
    /// <param name="matrix">A (rows, columns), by columns.</param>
    /// <param name="y">(rows).</param>
    /// <param name="x">(columns).</param>
    public static void MultiplyTransposedAdd(ReadOnlySpan<float> matrix, ReadOnlySpan<float> y, Span<float> x)
    {
        int rows = y.Length;

        for (int k = 0; k < x.Length; k++)
        {
            ReadOnlySpan<float> column = matrix.Slice(k * rows, rows);
            ReadOnlySpan<Vector<float>> columnLanes = MemoryMarshal.Cast<float, Vector<float>>(column);
            ReadOnlySpan<Vector<float>> yLanes = MemoryMarshal.Cast<float, Vector<float>>(y);
            Vector<float> even = Vector<float>.Zero, odd = Vector<float>.Zero;
            int lane = 0;

            for (; lane < columnLanes.Length - 1; lane += 2)
            {
                even = Vector.FusedMultiplyAdd(columnLanes[lane], yLanes[lane], even);
                odd = Vector.FusedMultiplyAdd(columnLanes[lane + 1], yLanes[lane + 1], odd);
            }

            if (lane < columnLanes.Length)
            {
                even = Vector.FusedMultiplyAdd(columnLanes[lane], yLanes[lane], even);
            }

            float sum = Vector.Sum(even + odd);

            for (int r = columnLanes.Length * Vector<float>.Count; r < rows; r++)
            {
                sum = MathF.FusedMultiplyAdd(column[r], y[r], sum);
            }

            x[k] += sum;
        }
    }

    /// <summary>A += y x^T: A[r, k] = fma(y[r], x[k], A[r, k]).</summary>
    /// <param name="matrix">A (rows, columns), by columns.</param>
    /// <param name="y">(rows).</param>
    /// <param name="x">(columns).</param>
    public static void OuterProductAdd(Span<float> matrix, ReadOnlySpan<float> y, ReadOnlySpan<float> x)
    {
        int rows = y.Length;
        ReadOnlySpan<Vector<float>> yLanes = MemoryMarshal.Cast<float, Vector<float>>(y);

        for (int k = 0; k < x.Length; k++)
        {
            Span<float> column = matrix.Slice(k * rows, rows);
            Span<Vector<float>> columnLanes = MemoryMarshal.Cast<float, Vector<float>>(column);
            var xk = new Vector<float>(x[k]);

            for (int lane = 0; lane < columnLanes.Length; lane++)
            {
                columnLanes[lane] = Vector.FusedMultiplyAdd(yLanes[lane], xk, columnLanes[lane]);
            }

            for (int r = columnLanes.Length * Vector<float>.Count; r < rows; r++)
            {
                column[r] = MathF.FusedMultiplyAdd(y[r], x[k], column[r]);
            }
        }
    }
}
