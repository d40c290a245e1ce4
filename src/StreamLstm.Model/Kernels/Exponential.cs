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
    private const float Log2E = 1.44269504f;

    /// <summary>
    /// 2^40: σ(-28) is 9e-13, as good as 0, and the product of three such terms is still a float, so that three gates
    /// can share one division.
    /// </summary>
    private const float ExponentMax = 40;

    /// <summary>The smallest normal float.</summary>
    private const float ExponentMin = -126;

    /// <summary>Adding it leaves the nearest integer in a float's lowest bits.</summary>
    private const float RoundingShift = 12_582_912;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfMinus<TLanes, TVector>(TVector x)
        where TLanes : ILanes<TVector>
        where TVector : struct =>
        PowerOfTwo<TLanes, TVector>(x, -Log2E);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfMinusTwice<TLanes, TVector>(TVector x)
        where TLanes : ILanes<TVector>
        where TVector : struct =>
        PowerOfTwo<TLanes, TVector>(x, -2 * Log2E);

    /// <summary>2^(factor x), the factor being negative. The product is never rounded by itself: that would cost a digit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector PowerOfTwo<TLanes, TVector>(TVector x, float factor)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector scale = TLanes.All(factor);
        x = TLanes.Min(TLanes.Max(x, TLanes.All(ExponentMax / factor)), TLanes.All(ExponentMin / factor));
        TVector shifted = TLanes.FusedMultiplyAdd(x, scale, TLanes.All(RoundingShift));
        TVector minusNearest = TLanes.Subtract(TLanes.All(RoundingShift), shifted);
        TVector f = TLanes.FusedMultiplyAdd(x, scale, minusNearest);
        TVector p = TLanes.FusedMultiplyAdd(TLanes.All(1.559467759e-4f), f, TLanes.All(1.340664391e-3f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(9.617692975e-3f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(5.550310551e-2f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(0.2402265278f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(0.693147215f));
        p = TLanes.FusedMultiplyAdd(p, f, TLanes.All(1));
        return TLanes.TimesPowerOfTwo(p, shifted);
    }
}
