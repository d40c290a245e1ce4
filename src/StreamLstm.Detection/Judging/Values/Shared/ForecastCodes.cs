using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>Probabilities of bins in a byte or half a byte each, as logarithms to the base of 2, and back; eight at a time.</summary>
/// <remarks>Which step a logarithm is rounded to is found by comparison, as 64 logarithms take longer than the step of the network.</remarks>
internal static class ForecastCodes
{
    private const int Bins = QuantileBins.Count;

    /// <summary>Steps of a byte per doubling of a probability, and doublings per step of half a byte.</summary>
    private const int StepBits = 3;
    private const int StepsPerDoubling = 1 << StepBits;
    private const double DoublingsPerHalf = 0.65;
    private const int HalfMost = 15;

    private const float Least = 1e-12f;
    private const int MantissaBits = 23;
    private const int ExponentOfOne = 127;

    /// <summary>Mantissas from which on a logarithm is rounded up to the next step, from one power of two to the next.</summary>
    private static readonly int[] MantissaBorders = [.. Enumerable.Range(0, StepsPerDoubling)
        .Select(step => (1 << MantissaBits) - 1 & BitConverter.SingleToInt32Bits(FirstWhere(1, 2, p => Math.Round(StepsPerDoubling * Math.Log2(p)) > step)))];

    /// <summary>Probabilities below which a half is more than so much.</summary>
    private static readonly float[] HalfBorders = [.. Enumerable.Range(0, HalfMost)
        .Select(half => FirstWhere(1e-6f, 1, p => Math.Round(-Math.Log2(p) / DoublingsPerHalf) <= half))];

    /// <summary>The bits of 2^0, 2^(-1/8) and so on down to 2^(-7/8).</summary>
    private static readonly Vector256<int> Eighths =
        Vector256.Create([.. Enumerable.Range(0, StepsPerDoubling).Select(step => BitConverter.SingleToInt32Bits((float)Math.Pow(2, -step / (double)StepsPerDoubling)))]);

    /// <summary>What the two halves of a byte stand for: (256, 2).</summary>
    private static readonly float[] OfHalves = [.. Enumerable.Range(0, 256)
        .SelectMany(two => (float[])[(float)Math.Pow(2, -(two & 15) * DoublingsPerHalf), (float)Math.Pow(2, -(two >> 4) * DoublingsPerHalf)])];

    /// <summary>Writes a byte for each bin.</summary>
    /// <param name="probabilities">(bins).</param>
    /// <param name="codes">(bins).</param>
    public static void ToBytes(ReadOnlySpan<float> probabilities, Span<byte> codes)
    {
        for (int b = 0; b < Bins; b += 16)
        {
            Narrow(Byte(probabilities.Slice(b, 8)), Byte(probabilities.Slice(b + 8, 8))).CopyTo(codes[b..]);
        }

        static Vector256<int> Byte(ReadOnlySpan<float> eight)
        {
            Vector256<int> bits = Vector256.Max(Vector256.Create(eight), Vector256.Create(Least)).AsInt32();
            Vector256<int> code = (Vector256.Create(ExponentOfOne) - (bits >> MantissaBits)) << StepBits, mantissa = bits & Vector256.Create((1 << MantissaBits) - 1);

            foreach (int border in MantissaBorders)
            {
                code += Vector256.GreaterThanOrEqual(mantissa, Vector256.Create(border));
            }

            return Vector256.Clamp(code, Vector256<int>.Zero, Vector256.Create((int)byte.MaxValue));
        }
    }

    /// <summary>Writes half a byte for each bin.</summary>
    /// <param name="probabilities">(bins).</param>
    /// <param name="codes">(bins / 2).</param>
    public static void ToHalves(ReadOnlySpan<float> probabilities, Span<byte> codes)
    {
        for (int b = 0; b < Bins; b += 16)
        {
            Vector128<ushort> two = Narrow(Half(probabilities.Slice(b, 8)), Half(probabilities.Slice(b + 8, 8))).AsUInt16();
            Vector128.Narrow((two | two >> 4) & Vector128.Create((ushort)byte.MaxValue), Vector128<ushort>.Zero).GetLower().CopyTo(codes[(b / 2)..]);
        }

        static Vector256<int> Half(ReadOnlySpan<float> eight)
        {
            var probability = Vector256.Create(eight);
            Vector256<int> code = default;

            foreach (float border in HalfBorders)
            {
                code -= Vector256.LessThan(probability, Vector256.Create(border)).AsInt32();
            }

            return code;
        }
    }

    /// <summary>What bytes stand for, which need not sum to 1.</summary>
    /// <param name="codes">(bins).</param>
    /// <param name="probabilities">(bins).</param>
    public static void OfBytes(ReadOnlySpan<byte> codes, Span<float> probabilities)
    {
        (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(Vector256.Create(codes));
        (Vector256<uint> first, Vector256<uint> second) = Vector256.Widen(low);
        (Vector256<uint> third, Vector256<uint> fourth) = Vector256.Widen(high);
        Probability(first).CopyTo(probabilities);
        Probability(second).CopyTo(probabilities[8..]);
        Probability(third).CopyTo(probabilities[16..]);
        Probability(fourth).CopyTo(probabilities[24..]);

        static Vector256<float> Probability(Vector256<uint> codes)
        {
            Vector256<int> code = codes.AsInt32();
            return (Vector256.Shuffle(Eighths, code & Vector256.Create(StepsPerDoubling - 1)) - (code >> StepBits << MantissaBits)).AsSingle();
        }
    }

    /// <summary>What halves stand for.</summary>
    /// <param name="codes">(bins / 2).</param>
    /// <param name="probabilities">(bins).</param>
    public static void OfTheHalves(ReadOnlySpan<byte> codes, Span<float> probabilities)
    {
        ReadOnlySpan<double> twos = MemoryMarshal.Cast<float, double>(OfHalves);
        Span<double> pairs = MemoryMarshal.Cast<float, double>(probabilities);

        for (int two = 0; two < Bins / 2; two++)
        {
            pairs[two] = twos[codes[two]];
        }
    }

    private static Vector128<byte> Narrow(Vector256<int> lower, Vector256<int> upper)
    {
        Vector256<short> both = Vector256.Narrow(lower, upper);
        return Vector128.Narrow(both.GetLower().AsUInt16(), both.GetUpper().AsUInt16());
    }

    /// <summary>The least float between two of which something holds, as it does of all above it.</summary>
    private static float FirstWhere(float low, float high, Func<float, bool> holds)
    {
        int before = BitConverter.SingleToInt32Bits(low), first = BitConverter.SingleToInt32Bits(high);

        while (first - before > 1)
        {
            int middle = before + (first - before) / 2;
            (before, first) = holds(BitConverter.Int32BitsToSingle(middle)) ? (before, middle) : (middle, first);
        }

        return BitConverter.Int32BitsToSingle(first);
    }
}
