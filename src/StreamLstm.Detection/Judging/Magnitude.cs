namespace StreamLstm.Detection.Judging;

/// <summary>A number from 0 up in 16 bits, as a float without sign and with eight bits of fraction: within a part in 512 of what it was.</summary>
/// <remarks>Codes have the order of what they stand for, and each stands for a finite number: what is too large, or no number, ends at the largest.</remarks>
internal static class Magnitude
{
    private const int BitsDropped = 15;
    private const int Half = 1 << (BitsDropped - 1);

    /// <summary>The last one before infinity.</summary>
    private const int CodeMax = (0xFF << 8) - 1;

    /// <summary>The code of the nearest number that has one; of what is below 0 that of 0.</summary>
    public static ushort Code(float value) =>
        value <= 0 ? (ushort)0 : (ushort)Math.Min(CodeMax, ((BitConverter.SingleToInt32Bits(value) & int.MaxValue) + (long)Half) >> BitsDropped);

    /// <summary>What a code stands for.</summary>
    public static float Of(ushort code) => BitConverter.Int32BitsToSingle(Math.Min((int)code, CodeMax) << BitsDropped);
}
