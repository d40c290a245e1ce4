using StreamLstm.Decoding;
using StreamLstm.Features.Audio;

namespace StreamLstm.Daemon.Sources.Senses;

/// <summary>How sound becomes records.</summary>
internal class SoundOptions
{
    /// <summary>Samples a second; of a WAV file its header says it.</summary>
    [Range(PcmFormat.RateMin, PcmFormat.RateMax)]
    public int Rate { get; init; } = 16_000;

    /// <summary>Channels, whose mean is listened to; of a WAV file its header says it.</summary>
    [Range(1, PcmFormat.ChannelsMax)]
    public int Channels { get; init; } = 1;

    /// <summary>s16, u8, s24, s32 or f32, little-endian; of a WAV file its header says it.</summary>
    public SampleEncoding Encoding { get; init; } = SampleEncoding.S16;

    /// <summary>Bands of a record.</summary>
    [Range(2, 64)]
    public int Bands { get; init; } = LogMelBands.BandsDefault;

    /// <summary>Milliseconds of a record.</summary>
    [Range(100, 60_000)]
    public int IntervalMs { get; init; } = 250;

    /// <summary>For the decoder.</summary>
    public SoundRules Rules() => new(new PcmFormat(Rate, Channels, Encoding), Bands, TimeSpan.FromMilliseconds(IntervalMs));
}

/// <summary>Sound out of a file, a pipe or standard input.</summary>
internal sealed class SoundSourceOptions : SoundOptions
{
    /// <summary>A WAV file, one of samples without a header, a named pipe, or - for standard input.</summary>
    [Required]
    public string Path { get; init; } = "";

    /// <summary>The stream's name.</summary>
    [Required]
    public string Stream { get; init; } = "sound";

    private bool IsWav => System.IO.Path.GetExtension(Path).Equals(".wav", StringComparison.OrdinalIgnoreCase);

    /// <summary>What reads it. A file's records have the times at which it was recorded: it was written when it ended.</summary>
    public IBytesDecoder Decoder()
    {
        var file = new FileInfo(Path);

        // Of a pipe nobody knows how long it is.
        if (Path == BytesSource.StandardInput || file.Length == 0)
        {
            return new SoundDecoder(Stream, Rules(), IsWav, start: null);
        }

        PcmFormat format = Rules().Format;
        int samplesAt = 0;

        if (IsWav)
        {
            var head = new byte[Math.Min(file.Length, WavHeader.BytesMax)];
            using FileStream beginning = file.OpenRead();
            beginning.ReadExactly(head);

            // What is wrong with it the decoder says.
            if (!WavHeader.TryRead(head, out format, out samplesAt, out _))
            {
                return new SoundDecoder(Stream, Rules(), isWav: true, start: null);
            }
        }

        double seconds = (file.Length - samplesAt) / (double)format.FrameBytes / format.Rate;
        return new SoundDecoder(Stream, Rules(), IsWav, file.LastWriteTimeUtc - TimeSpan.FromSeconds(seconds));
    }
}
