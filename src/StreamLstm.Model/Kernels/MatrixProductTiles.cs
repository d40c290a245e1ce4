using System.Runtime.CompilerServices;

namespace StreamLstm.Model.Kernels;

// The tiles of a product: R rows by V vectors of C stay in registers over all steps; each is one chain per output.
// Written out, as a loop over registers does not exist; no calls within, as one call would send all of them to memory.
internal readonly ref partial struct MatrixProduct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile6x4<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint width = TLanes.Count;
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float a1 = ref Unsafe.Add(ref product.A, (row + 1) * product.ARow);
        ref float a2 = ref Unsafe.Add(ref product.A, (row + 2) * product.ARow);
        ref float a3 = ref Unsafe.Add(ref product.A, (row + 3) * product.ARow);
        ref float a4 = ref Unsafe.Add(ref product.A, (row + 4) * product.ARow);
        ref float a5 = ref Unsafe.Add(ref product.A, (row + 5) * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        TVector c01 = TLanes.Load(ref start, width);
        TVector c02 = TLanes.Load(ref start, 2 * width);
        TVector c03 = TLanes.Load(ref start, 3 * width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c10 = TLanes.Load(ref start, 0);
        TVector c11 = TLanes.Load(ref start, width);
        TVector c12 = TLanes.Load(ref start, 2 * width);
        TVector c13 = TLanes.Load(ref start, 3 * width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c20 = TLanes.Load(ref start, 0);
        TVector c21 = TLanes.Load(ref start, width);
        TVector c22 = TLanes.Load(ref start, 2 * width);
        TVector c23 = TLanes.Load(ref start, 3 * width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c30 = TLanes.Load(ref start, 0);
        TVector c31 = TLanes.Load(ref start, width);
        TVector c32 = TLanes.Load(ref start, 2 * width);
        TVector c33 = TLanes.Load(ref start, 3 * width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c40 = TLanes.Load(ref start, 0);
        TVector c41 = TLanes.Load(ref start, width);
        TVector c42 = TLanes.Load(ref start, 2 * width);
        TVector c43 = TLanes.Load(ref start, 3 * width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c50 = TLanes.Load(ref start, 0);
        TVector c51 = TLanes.Load(ref start, width);
        TVector c52 = TLanes.Load(ref start, 2 * width);
        TVector c53 = TLanes.Load(ref start, 3 * width);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector b1 = TLanes.Load(ref b, width);
            TVector b2 = TLanes.Load(ref b, 2 * width);
            TVector b3 = TLanes.Load(ref b, 3 * width);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            c01 = TLanes.FusedMultiplyAdd(b1, a, c01);
            c02 = TLanes.FusedMultiplyAdd(b2, a, c02);
            c03 = TLanes.FusedMultiplyAdd(b3, a, c03);
            a = TLanes.All(Unsafe.Add(ref a1, at));
            c10 = TLanes.FusedMultiplyAdd(b0, a, c10);
            c11 = TLanes.FusedMultiplyAdd(b1, a, c11);
            c12 = TLanes.FusedMultiplyAdd(b2, a, c12);
            c13 = TLanes.FusedMultiplyAdd(b3, a, c13);
            a = TLanes.All(Unsafe.Add(ref a2, at));
            c20 = TLanes.FusedMultiplyAdd(b0, a, c20);
            c21 = TLanes.FusedMultiplyAdd(b1, a, c21);
            c22 = TLanes.FusedMultiplyAdd(b2, a, c22);
            c23 = TLanes.FusedMultiplyAdd(b3, a, c23);
            a = TLanes.All(Unsafe.Add(ref a3, at));
            c30 = TLanes.FusedMultiplyAdd(b0, a, c30);
            c31 = TLanes.FusedMultiplyAdd(b1, a, c31);
            c32 = TLanes.FusedMultiplyAdd(b2, a, c32);
            c33 = TLanes.FusedMultiplyAdd(b3, a, c33);
            a = TLanes.All(Unsafe.Add(ref a4, at));
            c40 = TLanes.FusedMultiplyAdd(b0, a, c40);
            c41 = TLanes.FusedMultiplyAdd(b1, a, c41);
            c42 = TLanes.FusedMultiplyAdd(b2, a, c42);
            c43 = TLanes.FusedMultiplyAdd(b3, a, c43);
            a = TLanes.All(Unsafe.Add(ref a5, at));
            c50 = TLanes.FusedMultiplyAdd(b0, a, c50);
            c51 = TLanes.FusedMultiplyAdd(b1, a, c51);
            c52 = TLanes.FusedMultiplyAdd(b2, a, c52);
            c53 = TLanes.FusedMultiplyAdd(b3, a, c53);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        TLanes.Store(c01, ref c, width);
        TLanes.Store(c02, ref c, 2 * width);
        TLanes.Store(c03, ref c, 3 * width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c10, ref c, 0);
        TLanes.Store(c11, ref c, width);
        TLanes.Store(c12, ref c, 2 * width);
        TLanes.Store(c13, ref c, 3 * width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c20, ref c, 0);
        TLanes.Store(c21, ref c, width);
        TLanes.Store(c22, ref c, 2 * width);
        TLanes.Store(c23, ref c, 3 * width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c30, ref c, 0);
        TLanes.Store(c31, ref c, width);
        TLanes.Store(c32, ref c, 2 * width);
        TLanes.Store(c33, ref c, 3 * width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c40, ref c, 0);
        TLanes.Store(c41, ref c, width);
        TLanes.Store(c42, ref c, 2 * width);
        TLanes.Store(c43, ref c, 3 * width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c50, ref c, 0);
        TLanes.Store(c51, ref c, width);
        TLanes.Store(c52, ref c, 2 * width);
        TLanes.Store(c53, ref c, 3 * width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile6x2<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint width = TLanes.Count;
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float a1 = ref Unsafe.Add(ref product.A, (row + 1) * product.ARow);
        ref float a2 = ref Unsafe.Add(ref product.A, (row + 2) * product.ARow);
        ref float a3 = ref Unsafe.Add(ref product.A, (row + 3) * product.ARow);
        ref float a4 = ref Unsafe.Add(ref product.A, (row + 4) * product.ARow);
        ref float a5 = ref Unsafe.Add(ref product.A, (row + 5) * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        TVector c01 = TLanes.Load(ref start, width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c10 = TLanes.Load(ref start, 0);
        TVector c11 = TLanes.Load(ref start, width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c20 = TLanes.Load(ref start, 0);
        TVector c21 = TLanes.Load(ref start, width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c30 = TLanes.Load(ref start, 0);
        TVector c31 = TLanes.Load(ref start, width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c40 = TLanes.Load(ref start, 0);
        TVector c41 = TLanes.Load(ref start, width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c50 = TLanes.Load(ref start, 0);
        TVector c51 = TLanes.Load(ref start, width);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector b1 = TLanes.Load(ref b, width);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            c01 = TLanes.FusedMultiplyAdd(b1, a, c01);
            a = TLanes.All(Unsafe.Add(ref a1, at));
            c10 = TLanes.FusedMultiplyAdd(b0, a, c10);
            c11 = TLanes.FusedMultiplyAdd(b1, a, c11);
            a = TLanes.All(Unsafe.Add(ref a2, at));
            c20 = TLanes.FusedMultiplyAdd(b0, a, c20);
            c21 = TLanes.FusedMultiplyAdd(b1, a, c21);
            a = TLanes.All(Unsafe.Add(ref a3, at));
            c30 = TLanes.FusedMultiplyAdd(b0, a, c30);
            c31 = TLanes.FusedMultiplyAdd(b1, a, c31);
            a = TLanes.All(Unsafe.Add(ref a4, at));
            c40 = TLanes.FusedMultiplyAdd(b0, a, c40);
            c41 = TLanes.FusedMultiplyAdd(b1, a, c41);
            a = TLanes.All(Unsafe.Add(ref a5, at));
            c50 = TLanes.FusedMultiplyAdd(b0, a, c50);
            c51 = TLanes.FusedMultiplyAdd(b1, a, c51);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        TLanes.Store(c01, ref c, width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c10, ref c, 0);
        TLanes.Store(c11, ref c, width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c20, ref c, 0);
        TLanes.Store(c21, ref c, width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c30, ref c, 0);
        TLanes.Store(c31, ref c, width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c40, ref c, 0);
        TLanes.Store(c41, ref c, width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c50, ref c, 0);
        TLanes.Store(c51, ref c, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile6x1<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float a1 = ref Unsafe.Add(ref product.A, (row + 1) * product.ARow);
        ref float a2 = ref Unsafe.Add(ref product.A, (row + 2) * product.ARow);
        ref float a3 = ref Unsafe.Add(ref product.A, (row + 3) * product.ARow);
        ref float a4 = ref Unsafe.Add(ref product.A, (row + 4) * product.ARow);
        ref float a5 = ref Unsafe.Add(ref product.A, (row + 5) * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c10 = TLanes.Load(ref start, 0);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c20 = TLanes.Load(ref start, 0);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c30 = TLanes.Load(ref start, 0);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c40 = TLanes.Load(ref start, 0);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c50 = TLanes.Load(ref start, 0);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            a = TLanes.All(Unsafe.Add(ref a1, at));
            c10 = TLanes.FusedMultiplyAdd(b0, a, c10);
            a = TLanes.All(Unsafe.Add(ref a2, at));
            c20 = TLanes.FusedMultiplyAdd(b0, a, c20);
            a = TLanes.All(Unsafe.Add(ref a3, at));
            c30 = TLanes.FusedMultiplyAdd(b0, a, c30);
            a = TLanes.All(Unsafe.Add(ref a4, at));
            c40 = TLanes.FusedMultiplyAdd(b0, a, c40);
            a = TLanes.All(Unsafe.Add(ref a5, at));
            c50 = TLanes.FusedMultiplyAdd(b0, a, c50);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c10, ref c, 0);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c20, ref c, 0);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c30, ref c, 0);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c40, ref c, 0);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c50, ref c, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x4<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint width = TLanes.Count;
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float a1 = ref Unsafe.Add(ref product.A, (row + 1) * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        TVector c01 = TLanes.Load(ref start, width);
        TVector c02 = TLanes.Load(ref start, 2 * width);
        TVector c03 = TLanes.Load(ref start, 3 * width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c10 = TLanes.Load(ref start, 0);
        TVector c11 = TLanes.Load(ref start, width);
        TVector c12 = TLanes.Load(ref start, 2 * width);
        TVector c13 = TLanes.Load(ref start, 3 * width);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector b1 = TLanes.Load(ref b, width);
            TVector b2 = TLanes.Load(ref b, 2 * width);
            TVector b3 = TLanes.Load(ref b, 3 * width);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            c01 = TLanes.FusedMultiplyAdd(b1, a, c01);
            c02 = TLanes.FusedMultiplyAdd(b2, a, c02);
            c03 = TLanes.FusedMultiplyAdd(b3, a, c03);
            a = TLanes.All(Unsafe.Add(ref a1, at));
            c10 = TLanes.FusedMultiplyAdd(b0, a, c10);
            c11 = TLanes.FusedMultiplyAdd(b1, a, c11);
            c12 = TLanes.FusedMultiplyAdd(b2, a, c12);
            c13 = TLanes.FusedMultiplyAdd(b3, a, c13);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        TLanes.Store(c01, ref c, width);
        TLanes.Store(c02, ref c, 2 * width);
        TLanes.Store(c03, ref c, 3 * width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c10, ref c, 0);
        TLanes.Store(c11, ref c, width);
        TLanes.Store(c12, ref c, 2 * width);
        TLanes.Store(c13, ref c, 3 * width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x2<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint width = TLanes.Count;
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float a1 = ref Unsafe.Add(ref product.A, (row + 1) * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        TVector c01 = TLanes.Load(ref start, width);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c10 = TLanes.Load(ref start, 0);
        TVector c11 = TLanes.Load(ref start, width);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector b1 = TLanes.Load(ref b, width);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            c01 = TLanes.FusedMultiplyAdd(b1, a, c01);
            a = TLanes.All(Unsafe.Add(ref a1, at));
            c10 = TLanes.FusedMultiplyAdd(b0, a, c10);
            c11 = TLanes.FusedMultiplyAdd(b1, a, c11);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        TLanes.Store(c01, ref c, width);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c10, ref c, 0);
        TLanes.Store(c11, ref c, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x1<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float a1 = ref Unsafe.Add(ref product.A, (row + 1) * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        start = ref Unsafe.Add(ref start, product.StartRow);
        TVector c10 = TLanes.Load(ref start, 0);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            a = TLanes.All(Unsafe.Add(ref a1, at));
            c10 = TLanes.FusedMultiplyAdd(b0, a, c10);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        c = ref Unsafe.Add(ref c, product.CRow);
        TLanes.Store(c10, ref c, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x8<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint width = TLanes.Count;
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        TVector c01 = TLanes.Load(ref start, width);
        TVector c02 = TLanes.Load(ref start, 2 * width);
        TVector c03 = TLanes.Load(ref start, 3 * width);
        TVector c04 = TLanes.Load(ref start, 4 * width);
        TVector c05 = TLanes.Load(ref start, 5 * width);
        TVector c06 = TLanes.Load(ref start, 6 * width);
        TVector c07 = TLanes.Load(ref start, 7 * width);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector b1 = TLanes.Load(ref b, width);
            TVector b2 = TLanes.Load(ref b, 2 * width);
            TVector b3 = TLanes.Load(ref b, 3 * width);
            TVector b4 = TLanes.Load(ref b, 4 * width);
            TVector b5 = TLanes.Load(ref b, 5 * width);
            TVector b6 = TLanes.Load(ref b, 6 * width);
            TVector b7 = TLanes.Load(ref b, 7 * width);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            c01 = TLanes.FusedMultiplyAdd(b1, a, c01);
            c02 = TLanes.FusedMultiplyAdd(b2, a, c02);
            c03 = TLanes.FusedMultiplyAdd(b3, a, c03);
            c04 = TLanes.FusedMultiplyAdd(b4, a, c04);
            c05 = TLanes.FusedMultiplyAdd(b5, a, c05);
            c06 = TLanes.FusedMultiplyAdd(b6, a, c06);
            c07 = TLanes.FusedMultiplyAdd(b7, a, c07);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        TLanes.Store(c01, ref c, width);
        TLanes.Store(c02, ref c, 2 * width);
        TLanes.Store(c03, ref c, 3 * width);
        TLanes.Store(c04, ref c, 4 * width);
        TLanes.Store(c05, ref c, 5 * width);
        TLanes.Store(c06, ref c, 6 * width);
        TLanes.Store(c07, ref c, 7 * width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x4<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint width = TLanes.Count;
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        TVector c01 = TLanes.Load(ref start, width);
        TVector c02 = TLanes.Load(ref start, 2 * width);
        TVector c03 = TLanes.Load(ref start, 3 * width);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector b1 = TLanes.Load(ref b, width);
            TVector b2 = TLanes.Load(ref b, 2 * width);
            TVector b3 = TLanes.Load(ref b, 3 * width);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            c01 = TLanes.FusedMultiplyAdd(b1, a, c01);
            c02 = TLanes.FusedMultiplyAdd(b2, a, c02);
            c03 = TLanes.FusedMultiplyAdd(b3, a, c03);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        TLanes.Store(c01, ref c, width);
        TLanes.Store(c02, ref c, 2 * width);
        TLanes.Store(c03, ref c, 3 * width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x2<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint width = TLanes.Count;
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        TVector c01 = TLanes.Load(ref start, width);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector b1 = TLanes.Load(ref b, width);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            c01 = TLanes.FusedMultiplyAdd(b1, a, c01);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
        TLanes.Store(c01, ref c, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x1<TLanes, TVector>(in MatrixProduct product, nint row, nint column)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        nint steps = product.Steps, aStep = product.AStep, bStep = product.BStep;
        ref float a0 = ref Unsafe.Add(ref product.A, row * product.ARow);
        ref float b = ref Unsafe.Add(ref product.B, column);
        ref float start = ref Unsafe.Add(ref product.Start, row * product.StartRow + column);
        TVector c00 = TLanes.Load(ref start, 0);
        nint at = 0;

        for (nint k = 0; k < steps; k++)
        {
            TVector b0 = TLanes.Load(ref b, 0);
            TVector a = TLanes.All(Unsafe.Add(ref a0, at));
            c00 = TLanes.FusedMultiplyAdd(b0, a, c00);
            at += aStep;
            b = ref Unsafe.Add(ref b, bStep);
        }

        ref float c = ref Unsafe.Add(ref product.C, row * product.CRow + column);
        TLanes.Store(c00, ref c, 0);
    }
}
