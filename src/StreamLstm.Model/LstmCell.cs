using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>What happens in a cell once its four gates have been summed up, and the way back.</summary>
/// <remarks><code>
///   i = σ(Wi x + Ui h + bi)       input gate: how much of the candidate enters
///   f = σ(Wf x + Uf h + bf)       forget gate: how much of the cell state stays
///   g = tanh(Wg x + Ug h + bg)    candidate
///   o = σ(Wo x + Uo h + bo)       output gate: how much of the cell state shows
///   c ← f∘c + i∘g                 cell state: the long-term memory
///   h ← o∘tanh(c)                 hidden state: the short-term memory, and the output
/// </code>
/// Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000; as torch.nn.LSTM. The sums
/// (W x + U h + b) are a <see cref="MatrixProduct"/>; a cell is a lane here, so the width of a vector changes no bit.
/// </remarks>
internal static class LstmCell
{
    /// <summary>Whether a step leaves its gates and tanh(c) behind, as the way back needs them. Known to the compiler, which drops the stores.</summary>
    private interface IKeeping
    {
        static abstract bool Gates { get; }
    }

    /// <summary>One step of the H cells of one layer, for several streams, as serving takes it: nothing but c and o∘tanh(c) is kept.</summary>
    /// <remarks>All streams in one call: a cell is a long chain of dependent steps, and only other cells fill its gaps.</remarks>
    /// <param name="width">Floats of the widest vector to use.</param>
    /// <param name="rows">Streams.</param>
    /// <param name="size">H.</param>
    /// <param name="sums">(rows, 4H), side by side: the sums of i, f, g, o.</param>
    /// <param name="cell">c (rows, H), side by side: before, then after.</param>
    /// <param name="hidden">o∘tanh(c) (rows, H), side by side.</param>
    public static void Step(int width, int rows, int size, ref float sums, ref float cell, ref float hidden) =>
        Step<Nothing>(width, rows, size, ref sums, 4 * size, ref cell, ref cell, size, ref hidden, 0, ref hidden, size);

    /// <summary>The same step, to the last bit, as training takes it.</summary>
    /// <param name="width">Floats of the widest vector to use.</param>
    /// <param name="rows">Streams.</param>
    /// <param name="size">H.</param>
    /// <param name="gates">(rows, 4H): the sums of i, f, g, o; becomes the gates themselves.</param>
    /// <param name="gatesRow">From one stream's gates to the next.</param>
    /// <param name="previousCell">c before (rows, H).</param>
    /// <param name="cell">c after (rows, H); may be the same memory.</param>
    /// <param name="cellRow">From one stream's c to the next.</param>
    /// <param name="cellActivation">tanh(c) (rows, H).</param>
    /// <param name="cellActivationRow">From one stream's tanh(c) to the next.</param>
    /// <param name="hidden">o∘tanh(c) (rows, H).</param>
    /// <param name="hiddenRow">From one stream's o∘tanh(c) to the next.</param>
    public static void StepKeepingGates(
        int width, int rows, int size, ref float gates, nint gatesRow, ref float previousCell, ref float cell, nint cellRow,
        ref float cellActivation, nint cellActivationRow, ref float hidden, nint hiddenRow) =>
        Step<Everything>(
            width, rows, size, ref gates, gatesRow, ref previousCell, ref cell, cellRow, ref cellActivation, cellActivationRow, ref hidden, hiddenRow);

    private static void Step<TKeeping>(
        int width, int rows, int size, ref float gates, nint gatesRow, ref float previousCell, ref float cell, nint cellRow,
        ref float cellActivation, nint cellActivationRow, ref float hidden, nint hiddenRow)
        where TKeeping : struct, IKeeping
    {
        int from = 0;

        if (width >= 16)
        {
            int to = size & -16;
            Step<TKeeping, Lanes512, Vector512<float>>(
                from, to, rows, size, ref gates, gatesRow, ref previousCell, ref cell, cellRow, ref cellActivation, cellActivationRow, ref hidden, hiddenRow);
            from = to;
        }

        if (width >= 8 && from < size)
        {
            int to = size & -8;
            Step<TKeeping, Lanes256, Vector256<float>>(
                from, to, rows, size, ref gates, gatesRow, ref previousCell, ref cell, cellRow, ref cellActivation, cellActivationRow, ref hidden, hiddenRow);
            from = to;
        }

        if (width >= 4 && from < size)
        {
            int to = size & -4;
            Step<TKeeping, Lanes128, Vector128<float>>(
                from, to, rows, size, ref gates, gatesRow, ref previousCell, ref cell, cellRow, ref cellActivation, cellActivationRow, ref hidden, hiddenRow);
            from = to;
        }

        if (from < size)
        {
            Step<TKeeping, Lanes32, Vector128<float>>(
                from, size, rows, size, ref gates, gatesRow, ref previousCell, ref cell, cellRow, ref cellActivation, cellActivationRow, ref hidden, hiddenRow);
        }
    }

    /// <summary>The same step backwards: from dLoss/dh and dLoss/dc after it to the gradients of the four sums and of c before it.</summary>
    /// <remarks><code>
    ///   do = dh∘tanh(c)                  dc += dh∘o∘(1 - tanh²(c))
    ///   di = dc∘g   dg = dc∘i   df = dc∘c_before
    ///   of the sums:                     di∘i(1-i), df∘f(1-f), dg∘(1-g²), do∘o(1-o)
    ///   dc_before = dc∘f
    /// </code>
    /// The only way back along c is times f: with a forget gate near 1 the gradient neither vanishes nor explodes.
    /// </remarks>
    /// <param name="width">Floats of the widest vector to use.</param>
    /// <param name="size">H.</param>
    /// <param name="gates">(4H): i, f, g, o; becomes the gradients of their sums.</param>
    /// <param name="previousCell">c before (H).</param>
    /// <param name="cellActivation">tanh(c) (H).</param>
    /// <param name="hiddenGradient">dLoss/d(o∘tanh(c)) (H).</param>
    /// <param name="cellGradient">dLoss/dc after (H); becomes that before.</param>
    public static void StepBack(
        int width, int size, ref float gates, ref float previousCell, ref float cellActivation, ref float hiddenGradient, ref float cellGradient)
    {
        nint from = 0;

        if (width >= 16)
        {
            from = StepBack<Lanes512, Vector512<float>>(from, size, ref gates, ref previousCell, ref cellActivation, ref hiddenGradient, ref cellGradient);
        }

        if (width >= 8 && from < size)
        {
            from = StepBack<Lanes256, Vector256<float>>(from, size, ref gates, ref previousCell, ref cellActivation, ref hiddenGradient, ref cellGradient);
        }

        if (width >= 4 && from < size)
        {
            from = StepBack<Lanes128, Vector128<float>>(from, size, ref gates, ref previousCell, ref cellActivation, ref hiddenGradient, ref cellGradient);
        }

        if (from < size)
        {
            StepBack<Lanes32, Vector128<float>>(from, size, ref gates, ref previousCell, ref cellActivation, ref hiddenGradient, ref cellGradient);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Step<TKeeping, TLanes, TVector>(
        nint start, nint end, int rows, nint size, ref float gates, nint gatesRow, ref float previousCell, ref float cell, nint cellRow,
        ref float cellActivation, nint cellActivationRow, ref float hidden, nint hiddenRow)
        where TKeeping : struct, IKeeping
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector one = TLanes.All(1);

        // In two passes, as the second half waits for all of the first: the shorter the chain, the more of them overlap.
        for (nint row = 0; row < rows; row++)
        {
            ref float sums = ref Unsafe.Add(ref gates, row * gatesRow);
            ref float before = ref Unsafe.Add(ref previousCell, row * cellRow);
            ref float after = ref Unsafe.Add(ref cell, row * cellRow);

            for (nint from = start; from < end; from += TLanes.Count)
            {
                TVector inputPower = Exponential.OfMinus<TLanes, TVector>(TLanes.Load(ref sums, from));
                TVector forgetPower = Exponential.OfMinus<TLanes, TVector>(TLanes.Load(ref sums, from + size));
                TVector candidatePower = Exponential.OfMinusTwice<TLanes, TVector>(TLanes.Load(ref sums, from + 2 * size));

                // One division for three gates: 1 / ((1 + e^-i)(1 + e^-f)(1 + e^-2g)).
                TVector inputTerm = TLanes.Add(one, inputPower);
                TVector forgetTerm = TLanes.Add(one, forgetPower);
                TVector candidateTerm = TLanes.Add(one, candidatePower);
                TVector both = TLanes.Multiply(inputTerm, forgetTerm);
                TVector reciprocal = TLanes.Divide(one, TLanes.Multiply(both, candidateTerm));
                TVector ofBoth = TLanes.Multiply(reciprocal, candidateTerm);
                TVector i = TLanes.Multiply(ofBoth, forgetTerm);
                TVector f = TLanes.Multiply(ofBoth, inputTerm);
                TVector g = TLanes.Multiply(TLanes.Multiply(reciprocal, both), TLanes.Subtract(one, candidatePower));

                TVector c = TLanes.FusedMultiplyAdd(f, TLanes.Load(ref before, from), TLanes.Multiply(i, g));
                TLanes.Store(c, ref after, from);

                if (TKeeping.Gates)
                {
                    TLanes.Store(i, ref sums, from);
                    TLanes.Store(f, ref sums, from + size);
                    TLanes.Store(g, ref sums, from + 2 * size);
                }
            }
        }

        for (nint row = 0; row < rows; row++)
        {
            ref float sums = ref Unsafe.Add(ref gates, row * gatesRow);
            ref float after = ref Unsafe.Add(ref cell, row * cellRow);
            ref float activation = ref Unsafe.Add(ref cellActivation, row * cellActivationRow);
            ref float output = ref Unsafe.Add(ref hidden, row * hiddenRow);

            for (nint from = start; from < end; from += TLanes.Count)
            {
                TVector outputPower = Exponential.OfMinus<TLanes, TVector>(TLanes.Load(ref sums, from + 3 * size));
                TVector cellPower = Exponential.OfMinusTwice<TLanes, TVector>(TLanes.Load(ref after, from));

                // And one for the output gate and tanh(c).
                TVector outputTerm = TLanes.Add(one, outputPower);
                TVector cellTerm = TLanes.Add(one, cellPower);
                TVector reciprocal = TLanes.Divide(one, TLanes.Multiply(outputTerm, cellTerm));
                TVector o = TLanes.Multiply(reciprocal, cellTerm);
                TVector tanhC = TLanes.Multiply(TLanes.Multiply(reciprocal, outputTerm), TLanes.Subtract(one, cellPower));

                TLanes.Store(TLanes.Multiply(o, tanhC), ref output, from);

                if (TKeeping.Gates)
                {
                    TLanes.Store(o, ref sums, from + 3 * size);
                    TLanes.Store(tanhC, ref activation, from);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint StepBack<TLanes, TVector>(
        nint from, nint size, ref float gates, ref float previousCell, ref float cellActivation, ref float hiddenGradient, ref float cellGradient)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector one = TLanes.All(1);

        for (; from + TLanes.Count <= size; from += TLanes.Count)
        {
            TVector i = TLanes.Load(ref gates, from);
            TVector f = TLanes.Load(ref gates, from + size);
            TVector g = TLanes.Load(ref gates, from + 2 * size);
            TVector o = TLanes.Load(ref gates, from + 3 * size);
            TVector tanhC = TLanes.Load(ref cellActivation, from);
            TVector dh = TLanes.Load(ref hiddenGradient, from);

            TVector oh = TLanes.Multiply(dh, o);
            TVector squared = TLanes.Multiply(tanhC, tanhC);
            TVector dc = TLanes.Add(TLanes.Load(ref cellGradient, from), TLanes.Multiply(oh, TLanes.Subtract(one, squared)));

            TLanes.Store(TLanes.Multiply(TLanes.Multiply(dc, g), TLanes.Multiply(i, TLanes.Subtract(one, i))), ref gates, from);
            TLanes.Store(
                TLanes.Multiply(
                    TLanes.Multiply(dc, TLanes.Load(ref previousCell, from)), TLanes.Multiply(f, TLanes.Subtract(one, f))),
                ref gates,
                from + size);
            TLanes.Store(
                TLanes.Multiply(TLanes.Multiply(dc, i), TLanes.Subtract(one, TLanes.Multiply(g, g))), ref gates, from + 2 * size);
            TLanes.Store(
                TLanes.Multiply(TLanes.Multiply(oh, tanhC), TLanes.Subtract(one, o)), ref gates, from + 3 * size);
            TLanes.Store(TLanes.Multiply(dc, f), ref cellGradient, from);
        }

        return from;
    }

    private readonly struct Nothing : IKeeping
    {
        public static bool Gates => false;
    }

    private readonly struct Everything : IKeeping
    {
        public static bool Gates => true;
    }
}
