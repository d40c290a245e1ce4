using StreamLstm.Features.Audio;

namespace StreamLstm.Decoding;

/// <summary>How sound becomes records.</summary>
/// <param name="Format">How samples are written; of a WAV file its header says it.</param>
/// <param name="Bands">Bands on the mel scale, 2 to 64.</param>
/// <param name="Interval">Time of a record, 0.1 s or more.</param>
internal sealed record SoundRules(PcmFormat Format, int Bands, TimeSpan Interval)
{
    /// <summary>What most microphones of machines send: 16,000 samples a second, one channel of 16 bits.</summary>
    public static readonly SoundRules Default = new(new PcmFormat(16_000, 1, SampleEncoding.S16), LogMelBands.BandsDefault, TimeSpan.FromSeconds(0.25));
}

/// <summary>Sound as it comes, into records of log-mel bands (<see cref="LogMelBands"/>).</summary>
internal sealed class SoundDecoder : IBytesDecoder
{
    private const int BlockSamples = 4_096;

    private readonly string _stream;
    private readonly SoundRules _rules;
    private readonly DateTimeOffset? _start;
    private readonly float[] _samples = new float[BlockSamples];
    private PcmFormat _format;
    private LogMelBands? _bands;   // none while the header is not whole
    private byte[] _rest = [];     // of a sample, or of a header
    private bool _isUnreadable;

    /// <param name="stream">The stream's name.</param>
    /// <param name="rules">How it becomes records.</param>
    /// <param name="isWav">Whether it begins with the header of a WAV file.</param>
    /// <param name="start">When the first sample was; null where each record is of the time at which it is whole.</param>
    public SoundDecoder(string stream, SoundRules rules, bool isWav, DateTimeOffset? start)
    {
        (_stream, _rules, _start) = (stream, rules, start);

        if (!isWav)
        {
            Begin(rules.Format);
        }
    }

    public void Decode(ReadOnlySpan<byte> bytes, Decoded decoded)
    {
        if (_isUnreadable)
        {
            return;
        }

        if (_bands is null)
        {
            byte[] head = [.. _rest, .. bytes];

            if (!WavHeader.TryRead(head, out PcmFormat format, out int samplesAt, out string? wrong))
            {
                _isUnreadable = wrong is not null;
                _rest = _isUnreadable ? [] : head;

                if (wrong is not null)
                {
                    decoded.Reject(1, wrong, head);
                }

                return;
            }

            Begin(format);
            _rest = [];
            Take(head.AsSpan(samplesAt), decoded);
            return;
        }

        Take(bytes, decoded);
    }

    private void Begin(PcmFormat format)
    {
        _format = format;
        _bands = new LogMelBands(format.Rate, _rules.Bands, _rules.Interval);
    }

    private void Take(ReadOnlySpan<byte> bytes, Decoded decoded)
    {
        if (_rest.Length > 0)
        {
            int missing = Math.Min(_format.FrameBytes - _rest.Length, bytes.Length);
            _rest = [.. _rest, .. bytes[..missing]];
            bytes = bytes[missing..];

            if (_rest.Length < _format.FrameBytes)
            {
                return;
            }

            TakeWhole(_rest, decoded);
            _rest = [];
        }

        int whole = bytes.Length / _format.FrameBytes * _format.FrameBytes;
        TakeWhole(bytes[..whole], decoded);
        _rest = bytes[whole..].ToArray();
    }

    private void TakeWhole(ReadOnlySpan<byte> bytes, Decoded decoded)
    {
        while (!bytes.IsEmpty)
        {
            int samples = Math.Min(BlockSamples, bytes.Length / _format.FrameBytes);
            _format.ToMono(bytes[..(samples * _format.FrameBytes)], _samples.AsSpan(0, samples));
            bytes = bytes[(samples * _format.FrameBytes)..];
            _bands!.Take(_samples.AsSpan(0, samples), (values, end) => Add(values, end, decoded));
        }
    }

    private void Add(double[] values, long end, Decoded decoded)
    {
        for (int column = 0; column < values.Length; column++)
        {
            decoded.AddField(_bands!.Columns[column], values[column]);
        }

        decoded.EndRecord(_stream, _start?.AddSeconds((double)end / _format.Rate));
    }
}
