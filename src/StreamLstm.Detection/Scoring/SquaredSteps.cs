using System.Numerics;

namespace StreamLstm.Detection.Scoring;

/// <summary>A squared distance in a byte, rounded down: exact below 32, then sixteen codes to a doubling.</summary>
internal static class SquaredSteps
{
    private const int FractionBits = 4;

    /// <summary>The greatest that has a code: of 2^18 and more the same is held.</summary>
    private const int Max = (1 << 18) - 1;

    /// <summary>The code of the greatest number with a code that is no more than this.</summary>
    public static byte Code(int squared)
    {
        int held = Math.Clamp(squared, 0, Max), shift = Math.Max(0, BitOperations.Log2((uint)held | 1) - FractionBits);
        return (byte)((shift << FractionBits) + (held >> shift));
    }

    /// <summary>What a code stands for.</summary>
    public static int Of(byte code)
    {
        int shift = Math.Max(0, (code >> FractionBits) - 1);
        return (code - (shift << FractionBits)) << shift;
    }
}
