using System.Buffers.Binary;

namespace StreamLstm.Features.Audio;

/// <summary>The beginning of a WAV file: RIFF chunks up to the samples.</summary>
internal static class WavHeader
{
    /// <summary>Bytes within which the samples must begin; what stands before them are a few names.</summary>
    public const int BytesMax = 65_536;

    private const ushort Pcm = 1;
    private const ushort Float = 3;
    private const ushort Extensible = 0xFFFE;

    /// <summary>Reads it.</summary>
    /// <param name="bytes">The file's beginning.</param>
    /// <param name="format">How the samples are written.</param>
    /// <param name="samplesAt">Where they begin.</param>
    /// <param name="wrong">Why it is none, for people; null where more bytes are needed, or nothing is wrong.</param>
    /// <returns>Whether it is whole.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out PcmFormat format, out int samplesAt, out string? wrong)
    {
        (format, samplesAt, wrong) = (default, 0, null);

        if (bytes.Length < 12)
        {
            return false;
        }

        if (!bytes.StartsWith("RIFF"u8) || !bytes[8..].StartsWith("WAVE"u8))
        {
            wrong = "no WAV file: it does not begin with RIFF and WAVE";
            return false;
        }

        bool hasFormat = false;

        for (long at = 12; ;)
        {
            if (at + 8 > Math.Min(bytes.Length, BytesMax))
            {
                wrong = bytes.Length >= BytesMax ? $"no samples within the first {BytesMax} bytes" : null;
                return false;
            }

            ReadOnlySpan<byte> chunk = bytes[(int)at..];
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);

            if (chunk.StartsWith("data"u8))
            {
                samplesAt = (int)at + 8;
                wrong = hasFormat ? format.Wrong() : "samples before a chunk 'fmt ' that says how they are written";
                return wrong is null;
            }

            if (chunk.StartsWith("fmt "u8))
            {
                if (chunk.Length < 8 + 16)
                {
                    return false;
                }

                ReadOnlySpan<byte> body = chunk[8..];
                ushort tag = BinaryPrimitives.ReadUInt16LittleEndian(body);
                ushort bits = BinaryPrimitives.ReadUInt16LittleEndian(body[14..]);

                if (tag == Extensible && body.Length >= 26)
                {
                    tag = BinaryPrimitives.ReadUInt16LittleEndian(body[24..]);
                }

                if (EncodingOf(tag, bits) is not { } encoding)
                {
                    wrong = $"format {tag} of {bits} bits, expected PCM of 8, 16, 24 or 32 bits, or floats of 32";
                    return false;
                }

                format = new PcmFormat((int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(body[4..])), BinaryPrimitives.ReadUInt16LittleEndian(body[2..]), encoding);
                hasFormat = true;
            }

            // Chunks begin at even places.
            at += 8 + (long)size + (size & 1);
        }
    }

    private static SampleEncoding? EncodingOf(ushort tag, ushort bits) => (tag, bits) switch
    {
        (Pcm, 8) => SampleEncoding.U8,
        (Pcm, 16) => SampleEncoding.S16,
        (Pcm, 24) => SampleEncoding.S24,
        (Pcm, 32) => SampleEncoding.S32,
        (Float, 32) => SampleEncoding.F32,
        _ => null,
    };
}
