using System.Buffers.Binary;
using System.IO.Compression;

namespace StreamLstm.Daemon.Sinks.History;

/// <summary>Up to 60 stretches of one stream as bytes: columns side by side, differences to the mean as floats, then Brotli; of very few plain, as packing them costs more than it saves.</summary>
internal static class RollUpBlock
{
    /// <summary>Stretches of a block.</summary>
    public const int Length = 60;

    private const int BytesEach = 34;
    private const int Quality = 4;

    /// <summary>What Brotli writes begins with its window's size, and of this one with 0x41 or 0xC1 (RFC 7932, 9.1): so a first byte that is a small number is that of a plain block.</summary>
    private const int Window = 12;
    private const int PlainMax = 3;

    /// <param name="rollUps">In the order of their starts, all of one block.</param>
    /// <param name="step">Length of a stretch, in ticks.</param>
    public static byte[] Encode(ReadOnlySpan<RollUp> rollUps, long step)
    {
        int n = rollUps.Length;
        Span<byte> plain = stackalloc byte[1 + (BytesEach * Length)];
        plain = plain[..(1 + (BytesEach * n))];
        plain[0] = (byte)n;

        for (int i = 0; i < n; i++)
        {
            ref readonly RollUp one = ref rollUps[i];
            plain[1 + i] = (byte)(one.Start / step % Length);
            plain[1 + n + i] = (byte)Math.Round(Math.Clamp(one.Score, 0, 100) * 2);
            BinaryPrimitives.WriteUInt16LittleEndian(plain[(1 + (2 * n) + (2 * i))..], (ushort)Math.Clamp((one.ScoreAt - one.Start) * 65_536.0 / step, 0, 65_535));
            BinaryPrimitives.WriteUInt16LittleEndian(plain[(1 + (4 * n) + (2 * i))..], (ushort)Math.Min(one.Count, ushort.MaxValue));
            BinaryPrimitives.WriteDoubleLittleEndian(plain[(1 + (6 * n) + (8 * i))..], one.Mean);
            ReadOnlySpan<double> others = [one.Minimum, one.Maximum, one.Expected, one.Lower, one.Upper];

            for (int k = 0; k < others.Length; k++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(plain[(1 + ((14 + (4 * k)) * n) + (4 * i))..], (float)(others[k] - one.Mean));
            }
        }

        if (n <= PlainMax)
        {
            return plain.ToArray();
        }

        Span<byte> packed = stackalloc byte[BrotliEncoder.GetMaxCompressedLength(plain.Length)];
        return BrotliEncoder.TryCompress(plain, packed, out int written, Quality, Window) ? packed[..written].ToArray() : throw new InvalidOperationException("Brotli had no room.");
    }

    /// <param name="packed">What <see cref="Encode"/> gave.</param>
    /// <param name="start">Where the block begins, in UTC ticks.</param>
    /// <param name="step">Length of a stretch, in ticks.</param>
    /// <returns>Its stretches in order; none where the bytes are no block, as rot makes them: what is shown then has a hole.</returns>
    public static RollUp[] Decode(ReadOnlySpan<byte> packed, long start, long step)
    {
        Span<byte> plain = stackalloc byte[1 + (BytesEach * Length)];

        if (packed.Length > 0 && packed[0] is > 0 and <= PlainMax && packed.Length == 1 + (BytesEach * packed[0]))
        {
            packed.CopyTo(plain);
        }
        else if (!BrotliDecoder.TryDecompress(packed, plain, out int length) || length == 0 || length != 1 + (BytesEach * plain[0]))
        {
            return [];
        }

        int n = plain[0];
        var rollUps = new RollUp[n];

        for (int i = 0; i < n; i++)
        {
            double mean = BinaryPrimitives.ReadDoubleLittleEndian(plain[(1 + (6 * n) + (8 * i))..]);
            long begin = start + (plain[1 + i] * step);
            rollUps[i] = new RollUp(
                begin,
                BinaryPrimitives.ReadUInt16LittleEndian(plain[(1 + (4 * n) + (2 * i))..]),
                mean,
                Other(plain, 0),
                Other(plain, 1),
                plain[1 + n + i] / 2.0,
                begin + (long)(BinaryPrimitives.ReadUInt16LittleEndian(plain[(1 + (2 * n) + (2 * i))..]) * (double)step / 65_536),
                Other(plain, 2),
                Other(plain, 3),
                Other(plain, 4));

            double Other(ReadOnlySpan<byte> from, int column) =>
                mean + BinaryPrimitives.ReadSingleLittleEndian(from[(1 + ((14 + (4 * column)) * n) + (4 * i))..]);
        }

        return rollUps;
    }

    /// <summary>Two rows of stretches in one, each in the order of its starts; those that begin together are told together.</summary>
    public static List<RollUp> Merge(ReadOnlySpan<RollUp> one, ReadOnlySpan<RollUp> other)
    {
        List<RollUp> merged = new(one.Length + other.Length);

        for (int i = 0, j = 0; i < one.Length || j < other.Length;)
        {
            RollUp next = j == other.Length || (i < one.Length && one[i].Start <= other[j].Start) ? one[i++] : other[j++];

            if (merged.Count > 0 && merged[^1].Start == next.Start)
            {
                merged[^1] = merged[^1].With(next);
            }
            else
            {
                merged.Add(next);
            }
        }

        return merged;
    }
}
