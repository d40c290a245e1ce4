using System.Globalization;
using Microsoft.AspNetCore.Http;
using StreamLstm.Decoding;
using StreamLstm.Features.Audio;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>A body of sound: ?format=wav&stream=NAME, or ?format=pcm&stream=NAME&rate=16000&channels=1&encoding=s16. Its last sample is of now.</summary>
internal static class SoundBody
{
    /// <summary>Reads it; says why not, where that is impossible. What is left at its end is no record.</summary>
    public static Refusal? Decode(HttpRequest request, byte[] body, Decoded decoded, TimeProvider time)
    {
        bool isWav = request.Query["format"] == "wav";
        string stream = request.Query["stream"].FirstOrDefault() ?? "", encoding = request.Query["encoding"].FirstOrDefault() ?? "s16";
        PcmFormat usual = SoundRules.Default.Format;
        int samplesAt = 0;

        if (!Number("rate", usual.Rate, out int rate, out string? wrong) || !Number("channels", usual.Channels, out int channels, out wrong))
        {
            return new Refusal(StatusCodes.Status400BadRequest, wrong!);
        }

        bool isKnown = Enum.TryParse(encoding, ignoreCase: true, out SampleEncoding written) && Enum.IsDefined(written) && !char.IsAsciiDigit(encoding[0]);
        var format = new PcmFormat(rate, channels, written);
        wrong = stream.Length == 0 ? $"query parameter stream: missing, expected the name of the stream with format={request.Query["format"]}"
            : !isKnown ? $"query parameter encoding: '{encoding}', expected s16, u8, s24, s32 or f32"
            : format.Wrong() is { } outside ? $"query parameter {outside}"
            : null;

        if (wrong is null && isWav && !WavHeader.TryRead(body, out format, out samplesAt, out wrong))
        {
            wrong ??= "the body ends within the header of the WAV file";
        }

        if (wrong is not null)
        {
            return new Refusal(StatusCodes.Status400BadRequest, wrong);
        }

        double seconds = (body.Length - samplesAt) / (double)format.FrameBytes / format.Rate;
        new SoundDecoder(stream, SoundRules.Default with { Format = format }, isWav: false, time.GetUtcNow() - TimeSpan.FromSeconds(seconds)).Decode(body.AsSpan(samplesAt), decoded);

        if (decoded.Observations.Count == 0)
        {
            decoded.Reject(1, string.Create(CultureInfo.InvariantCulture, $"{seconds:0.###} s of sound, expected {SoundRules.Default.Interval.TotalSeconds} s or more"), body);
        }

        return null;

        bool Number(string name, int otherwise, out int number, out string? wrong)
        {
            string text = request.Query[name].FirstOrDefault() ?? otherwise.ToString(CultureInfo.InvariantCulture);
            bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
            wrong = isNumber ? null : $"query parameter {name}: '{text}', expected a number";
            return isNumber;
        }
    }
}
