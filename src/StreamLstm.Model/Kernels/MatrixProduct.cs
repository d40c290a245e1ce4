namespace StreamLstm.Model.Kernels;

/// <summary>C = Start + A B, each output one chain of fused multiply-adds in the order of the steps.</summary>
/// <remarks>
/// C[r, n] = fma(A[r, k], B[k, n], C[r, n]) for k = 0, 1, 2, ..., beginning with Start[r, n]. A lane is an output, so the
/// result depends neither on the vector's width, nor on how many rows go together, nor on where a row stands.
/// A's two strides are free, which makes one product of three: states by weights (ARow = row length, AStep = 1), gradients
/// by transposed weights, and activations by gradients (ARow = 1, AStep = row length), which sums over time.
/// </remarks>
internal readonly ref partial struct MatrixProduct
{
    private readonly ref float A;
    private readonly ref float B;
    private readonly ref float Start;
    private readonly ref float C;
    private readonly nint ARow;
    private readonly nint AStep;
    private readonly nint BStep;
    private readonly nint StartRow;
    private readonly nint CRow;
    private readonly nint Steps;
    private readonly nint Rows;
    private readonly nint Columns;

    private MatrixProduct(
        nint rows, nint columns, nint steps, ref float a, nint aRow, nint aStep, ref float b, nint bStep,
        ref float start, nint startRow, ref float c, nint cRow)
    {
        (Rows, Columns, Steps) = (rows, columns, steps);
        A = ref a;
        B = ref b;
        Start = ref start;
        C = ref c;
        (ARow, AStep, BStep, StartRow, CRow) = (aRow, aStep, bStep, startRow, cRow);
    }

    /// <summary>Computes C. The caller vouches for the sizes: nothing is checked here.</summary>
    /// <param name="width">Floats of the widest vector to use.</param>
    /// <param name="rows">Rows of A, Start and C.</param>
    /// <param name="columns">Columns of B, Start and C.</param>
    /// <param name="steps">Columns of A, rows of B.</param>
    /// <param name="a">A (rows, steps).</param>
    /// <param name="aRow">From one row of A to the next.</param>
    /// <param name="aStep">From one column of A to the next.</param>
    /// <param name="b">B (steps, columns), its columns side by side.</param>
    /// <param name="bStep">From one row of B to the next.</param>
    /// <param name="start">Start (rows, columns), its columns side by side; may be C.</param>
    /// <param name="startRow">From one row of Start to the next; 0 gives all rows the same, as a bias does.</param>
    /// <param name="c">C (rows, columns), its columns side by side.</param>
    /// <param name="cRow">From one row of C to the next.</param>
    public static void Run(
        int width, nint rows, nint columns, nint steps, ref float a, nint aRow, nint aStep, ref float b, nint bStep,
        ref float start, nint startRow, ref float c, nint cRow)
    {
        var product = new MatrixProduct(
            rows, columns, steps, ref a, aRow, aStep, ref b, bStep, ref start, startRow, ref c, cRow);
        nint column = 0;

        if (width >= 16)
        {
            column = ColumnsFrom<Lanes512, System.Runtime.Intrinsics.Vector512<float>>(product, column);
        }

        if (width >= 8 && column < columns)
        {
            column = ColumnsFrom<Lanes256, System.Runtime.Intrinsics.Vector256<float>>(product, column);
        }

        if (width >= 4 && column < columns)
        {
            column = ColumnsFrom<Lanes128, System.Runtime.Intrinsics.Vector128<float>>(product, column);
        }

        if (column < columns)
        {
            ColumnsFrom<Lanes32, System.Runtime.Intrinsics.Vector128<float>>(product, column);
        }
    }

    /// <summary>All columns from <paramref name="column"/> on that fill whole vectors.</summary>
    /// <returns>The first column that is left.</returns>
    private static nint ColumnsFrom<TLanes, TVector>(in MatrixProduct product, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint width = TLanes.Count;

        // One row alone has few chains: eight vectors of it hide the latency that four leave open.
        for (; product.Rows == 1 && column + 8 * width <= product.Columns; column += 8 * width)
        {
            Tile1x8<TLanes, TVector>(product, 0, column);
        }

        for (; column + 4 * width <= product.Columns; column += 4 * width)
        {
            FourVectors<TLanes, TVector>(product, column);
        }

        if (column + 2 * width <= product.Columns)
        {
            TwoVectors<TLanes, TVector>(product, column);
            column += 2 * width;
        }

        for (; column + width <= product.Columns; column += width)
        {
            OneVector<TLanes, TVector>(product, column);
        }

        return column;
    }

    private static void FourVectors<TLanes, TVector>(in MatrixProduct product, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint row = 0;

        if (VectorWidth.HasManyRegisters)
        {
            for (; row + 6 <= product.Rows; row += 6)
            {
                Tile6x4<TLanes, TVector>(product, row, column);
            }
        }

        for (; row + 2 <= product.Rows; row += 2)
        {
            Tile2x4<TLanes, TVector>(product, row, column);
        }

        if (row < product.Rows)
        {
            Tile1x4<TLanes, TVector>(product, row, column);
        }
    }

    private static void TwoVectors<TLanes, TVector>(in MatrixProduct product, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint row = 0;

        for (; row + 6 <= product.Rows; row += 6)
        {
            Tile6x2<TLanes, TVector>(product, row, column);
        }

        for (; row + 2 <= product.Rows; row += 2)
        {
            Tile2x2<TLanes, TVector>(product, row, column);
        }

        if (row < product.Rows)
        {
            Tile1x2<TLanes, TVector>(product, row, column);
        }
    }

    private static void OneVector<TLanes, TVector>(in MatrixProduct product, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint row = 0;

        for (; row + 6 <= product.Rows; row += 6)
        {
            Tile6x1<TLanes, TVector>(product, row, column);
        }

        for (; row + 2 <= product.Rows; row += 2)
        {
            Tile2x1<TLanes, TVector>(product, row, column);
        }

        if (row < product.Rows)
        {
            Tile1x1<TLanes, TVector>(product, row, column);
        }
    }
}
