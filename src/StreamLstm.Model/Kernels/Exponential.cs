using System.Runtime.CompilerServices;

namespace StreamLstm.Model.Kernels;

/// <summary>e^(-x) and e^(-2x), from which the gates are made: σ(x) = 1 / (1 + e^-x), tanh(x) = (1 - e^-2x) / (1 + e^-2x).</summary>
/// <remarks>
/// 2^z = 2^n 2^f with n the nearest integer and f in [-1/2, 1/2]; 2^f by the polynomial of degree 6 of least relative
/// error (Remez) among those that are exactly 1 at 0, so that σ(0) = 1/2 and tanh(0) = 0. Its error is 2.6e-9, less than
/// a rounding; σ and tanh of any x are within 3e-7 of the truth, three gates
/// sharing a division included (a test walks the range).
/// </remarks>
internal static class Exponential
{
    /// <summary>
    /// 2^40: σ(-28) is 9e-13, as good as 0, and the product of three such terms is still a float, so that three gates
    /// can share one division.
    /// </summary>
    private const float ExponentMax = 40;

    /// <summary>The smallest normal float.</summary>
    private const float ExponentMin = -126;

    private const float Log2E = 1.44269504f;

    /// <summary>Adding it leaves the nearest integer in a float's lowest bits.</summary>
    private const float RoundingShift = 12_582_912;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfMinus<TLanes, TVector>(TVector x)
        where TLanes : ILanes<TVector>
        where TVector : struct =>
        PowerOfTwo<TLanes, TVector>(TLanes.Multiply(x, TLanes.All(-Log2E)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfMinusTwice<TLanes, TVector>(TVector x)
        where TLanes : ILanes<TVector>
        where TVector : struct =>
        PowerOfTwo<TLanes, TVector>(TLanes.Multiply(x, TLanes.All(-2 * Log2E)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector PowerOfTwo<TLanes, TVector>(TVector z)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        z = TLanes.Max(TLanes.Min(z, TLanes.All(ExponentMax)), TLanes.All(ExponentMin));
        TVector shifted = TLanes.Add(z, TLanes.All(RoundingShift));
        TVector f = TLanes.Subtract(z, TLanes.Subtract(shifted, TLanes.All(RoundingShift)));
        TVector p = TLanes.FusedMultiplyAdd(TLanes.All(1.559467759e-4f), f, TLanes.All(1.340664391e-3f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(9.617692975e-3f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(5.550310551e-2f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(0.2402265278f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(0.693147215f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(1));
        return TLanes.TimesPowerOfTwo(p, shifted);
    }
}
