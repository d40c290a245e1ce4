using System.Buffers.Binary;

namespace StreamLstm.Features.Audio;

/// <summary>How samples are written; all little-endian.</summary>
public enum SampleEncoding
{
    /// <summary>Signed, 16 bits: what arecord -f S16_LE and most WAV files have.</summary>
    S16,

    /// <summary>Unsigned, 8 bits.</summary>
    U8,

    /// <summary>Signed, 24 bits.</summary>
    S24,

    /// <summary>Signed, 32 bits.</summary>
    S32,

    /// <summary>Floating point, 32 bits, 1 being full scale.</summary>
    F32,
}

/// <summary>Sound as bytes: pulse code modulation without a header.</summary>
/// <param name="Rate">Samples a second of each channel.</param>
/// <param name="Channels">Channels side by side.</param>
/// <param name="Encoding">How a sample is written.</param>
public readonly record struct PcmFormat(int Rate, int Channels, SampleEncoding Encoding)
{
    /// <summary>Least and greatest rate that is taken.</summary>
    public const int RateMin = 1_000;
    public const int RateMax = 192_000;

    /// <summary>Channels at most.</summary>
    public const int ChannelsMax = 16;

    /// <summary>Bytes of one sample of one channel.</summary>
    public int SampleBytes => Encoding switch
    {
        SampleEncoding.U8 => 1,
        SampleEncoding.S16 => 2,
        SampleEncoding.S24 => 3,
        _ => 4,
    };

    /// <summary>Bytes of one sample of all channels.</summary>
    public int FrameBytes => SampleBytes * Channels;

    /// <summary>What is wrong with it, for people; null where nothing is.</summary>
    public string? Wrong() =>
        Rate is < RateMin or > RateMax ? $"rate: {Rate}, expected {RateMin} to {RateMax} samples a second"
        : Channels is < 1 or > ChannelsMax ? $"channels: {Channels}, expected 1 to {ChannelsMax}"
        : null;

    /// <summary>The mean of the channels, full scale being 1.</summary>
    /// <param name="bytes">Whole frames (n * FrameBytes).</param>
    /// <param name="samples">Becomes the samples (n).</param>
    public void ToMono(ReadOnlySpan<byte> bytes, Span<float> samples)
    {
        for (int i = 0; i < samples.Length; i++)
        {
            float sum = 0;

            for (int channel = 0; channel < Channels; channel++)
            {
                ReadOnlySpan<byte> sample = bytes.Slice(i * FrameBytes + channel * SampleBytes, SampleBytes);
                sum += Encoding switch
                {
                    SampleEncoding.U8 => (sample[0] - 128) / 128f,
                    SampleEncoding.S16 => BinaryPrimitives.ReadInt16LittleEndian(sample) / 32_768f,
                    SampleEncoding.S24 => ((sample[0] << 8) | (sample[1] << 16) | (sample[2] << 24)) / 2_147_483_648f,
                    SampleEncoding.S32 => BinaryPrimitives.ReadInt32LittleEndian(sample) / 2_147_483_648f,
                    _ => Finite(BinaryPrimitives.ReadSingleLittleEndian(sample)),
                };
            }

            samples[i] = sum / Channels;
        }
    }

    private static float Finite(float value) => float.IsFinite(value) ? value : 0;
}
