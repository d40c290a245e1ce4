using System.Buffers.Binary;
using System.IO.Compression;

namespace StreamLstm.Daemon.Sinks.History;

/// <summary>Up to 60 stretches of one stream as bytes: columns side by side, differences to the mean as floats, then Brotli.</summary>
internal static class RollUpBlock
{
    /// <summary>Stretches of a block.</summary>
    public const int Length = 60;

    private const int BytesEach = 34;
    private const int Quality = 4;
    private const int Window = 12;

    /// <param name="rollUps">In the order of their starts, all of one block.</param>
    /// <param name="step">Length of a stretch, in ticks.</param>
    public static byte[] Encode(IReadOnlyList<RollUp> rollUps, long step)
    {
        int n = rollUps.Count;
        var plain = new byte[1 + (BytesEach * n)];
        plain[0] = (byte)n;

        for (int i = 0; i < n; i++)
        {
            RollUp one = rollUps[i];
            plain[1 + i] = (byte)(one.Start / step % Length);
            plain[1 + n + i] = (byte)Math.Round(Math.Clamp(one.Score, 0, 100) * 2);
            BinaryPrimitives.WriteUInt16LittleEndian(plain.AsSpan(1 + (2 * n) + (2 * i)), (ushort)Math.Clamp((one.ScoreAt - one.Start) * 65_536.0 / step, 0, 65_535));
            BinaryPrimitives.WriteUInt16LittleEndian(plain.AsSpan(1 + (4 * n) + (2 * i)), (ushort)Math.Min(one.Count, ushort.MaxValue));
            BinaryPrimitives.WriteDoubleLittleEndian(plain.AsSpan(1 + (6 * n) + (8 * i)), one.Mean);
            double[] others = [one.Minimum, one.Maximum, one.Expected, one.Lower, one.Upper];

            for (int k = 0; k < others.Length; k++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(plain.AsSpan(1 + ((14 + (4 * k)) * n) + (4 * i)), (float)(others[k] - one.Mean));
            }
        }

        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(plain.Length)];
        return BrotliEncoder.TryCompress(plain, packed, out int written, Quality, Window) ? packed[..written] : throw new InvalidOperationException("Brotli had no room.");
    }

    /// <param name="packed">What <see cref="Encode"/> gave.</param>
    /// <param name="start">Where the block begins, in UTC ticks.</param>
    /// <param name="step">Length of a stretch, in ticks.</param>
    /// <returns>Its stretches in order; none where the bytes are no block, as rot makes them: what is shown then has a hole.</returns>
    public static RollUp[] Decode(ReadOnlySpan<byte> packed, long start, long step)
    {
        Span<byte> plain = stackalloc byte[1 + (BytesEach * Length)];

        if (!BrotliDecoder.TryDecompress(packed, plain, out int length) || length == 0 || length != 1 + (BytesEach * plain[0]))
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

    /// <summary>Two blocks' stretches in one, each start once.</summary>
    public static List<RollUp> Merge(IEnumerable<RollUp> a, IEnumerable<RollUp> b)
    {
        List<RollUp> merged = [];

        foreach (RollUp one in a.Concat(b).OrderBy(one => one.Start))
        {
            if (merged.Count > 0 && merged[^1].Start == one.Start)
            {
                merged[^1] = merged[^1].With(one);
            }
            else
            {
                merged.Add(one);
            }
        }

        return merged;
    }
}
