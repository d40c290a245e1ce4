namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>Logarithms in steps of a twentieth, as bytes from 1 on, and back: by comparison, as a logarithm takes many times as long.</summary>
/// <remarks>
/// A double's exponent and first five bits of mantissa say which step its logarithm is in, or that it is in one of two, as steps are
/// wider than what those bits leave open: then it is held against the border between them.
/// </remarks>
internal static class LogSteps
{
    public const double PerUnit = 20;

    private const int MantissaBits = 5;
    private const int Shift = 52 - MantissaBits;

    /// <summary>Code k holds what is from border k on: the least double whose logarithm is rounded to it.</summary>
    private static readonly double[] Borders = [.. Enumerable.Range(0, byte.MaxValue + 2).Select(Border)];

    private static readonly long FirstBits = BitConverter.DoubleToInt64Bits(0.5) >> Shift;

    /// <summary>The code of the least double of each exponent and first bits, from a half on.</summary>
    private static readonly byte[] Codes = [.. Enumerable.Range(0, (int)((BitConverter.DoubleToInt64Bits(Borders[byte.MaxValue]) >> Shift) - FirstBits) + 1)
        .Select(i => (byte)CodeBy(BitConverter.Int64BitsToDouble((FirstBits + i) << Shift)))];

    private static readonly double[] Sizes = [.. Enumerable.Range(0, byte.MaxValue + 1).Select(code => Math.Exp((code - 1) / PerUnit))];

    /// <summary>The code of a ratio's logarithm: 1 for a ratio of 1 or less.</summary>
    /// <param name="ratio">0 or more.</param>
    public static int Of(double ratio)
    {
        long place = (BitConverter.DoubleToInt64Bits(ratio) >> Shift) - FirstBits;

        if (place < 0)
        {
            return 1;
        }

        if (place >= Codes.Length)
        {
            return byte.MaxValue;
        }

        int code = Codes[place];
        return code < byte.MaxValue && ratio >= Borders[code + 1] ? code + 1 : code;
    }

    /// <summary>The ratio that a code stands for.</summary>
    public static double Ratio(int code) => Sizes[code];

    /// <summary>What <see cref="Of"/> finds, by the logarithm itself.</summary>
    private static int CodeBy(double ratio) => (int)Math.Clamp(1 + Math.Round(PerUnit * Math.Log(ratio)), 1, byte.MaxValue);

    private static double Border(int code)
    {
        if (code < 2)
        {
            return 0;
        }

        long low = BitConverter.DoubleToInt64Bits(0.5), high = BitConverter.DoubleToInt64Bits(1e300);

        while (high - low > 1)
        {
            long middle = low + (high - low) / 2;
            (low, high) = 1 + Math.Round(PerUnit * Math.Log(BitConverter.Int64BitsToDouble(middle))) < code ? (middle, high) : (low, middle);
        }

        return BitConverter.Int64BitsToDouble(high);
    }
}
