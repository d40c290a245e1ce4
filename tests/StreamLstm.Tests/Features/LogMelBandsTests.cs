using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Features.Audio;

namespace StreamLstm.Tests.Features;

public sealed class LogMelBandsTests
{
    private const int Rate = 16_000;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.25);

    [Theory]
    [InlineData(200)]
    [InlineData(1_000)]
    [InlineData(5_000)]
    public void A_tone_is_loudest_in_the_band_that_bears_its_frequency(int hertz)
    {
        var bands = new LogMelBands(Rate, 24, Interval);

        double[] record = Records(bands, Tone(hertz, 0.5, 1))[1];

        int loudest = Array.IndexOf(record, record[..^1].Max());
        double middle = double.Parse(bands.Columns[loudest].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(middle, 0.8 * hertz, 1.25 * hertz);
        Assert.InRange(record[^1], 2.9, 3.1);   // of a sine, the root of 2
    }

    [Fact]
    public void Twice_as_loud_is_six_decibels_more_in_every_band_that_hears_it()
    {
        double[] soft = Records(new LogMelBands(Rate, 24, Interval), Tone(1_000, 0.2, 1))[1];
        double[] loud = Records(new LogMelBands(Rate, 24, Interval), Tone(1_000, 0.4, 1))[1];

        int loudest = Array.IndexOf(soft, soft[..^1].Max());
        Assert.Equal(6.02, loud[loudest] - soft[loudest], 0.02);
    }

    [Fact]
    public void A_click_shows_in_the_crest_and_silence_is_a_number()
    {
        float[] samples = new float[Rate];
        samples[Rate / 2 + 10] = 1;

        double[][] records = [.. Records(new LogMelBands(Rate, 24, Interval), samples)];

        Assert.Equal(4, records.Length);
        Assert.All(records, record => Assert.All(record, value => Assert.True(double.IsFinite(value))));
        Assert.InRange(records[2][^1], 30, 40);
        Assert.Equal(-100, records[0][3], 0.001);
    }

    [Fact]
    public void However_the_bytes_are_cut_the_records_are_the_same()
    {
        byte[] bytes = Pcm(Tone(440, 0.3, 2));
        List<Observation> whole = Decode(bytes, [bytes.Length]), cut = Decode(bytes, [1, 7, 4_001, 12_345, 3]);

        Assert.Equal(8, whole.Count);
        Assert.Equal(whole.Select(one => one.Record!.Values.ToArray()), cut.Select(one => one.Record!.Values.ToArray()));
    }

    [Theory]
    [InlineData(SampleEncoding.S16, 1)]
    [InlineData(SampleEncoding.S24, 2)]
    [InlineData(SampleEncoding.F32, 1)]
    [InlineData(SampleEncoding.U8, 1)]
    public void A_wav_file_of_any_encoding_says_the_same_and_its_times_are_those_of_the_recording(SampleEncoding encoding, int channels)
    {
        DateTimeOffset start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var decoded = new Decoded(new IngestStamp(new FakeTimeProvider()), RecordRules.All);

        new SoundDecoder("m", SoundRules.Default, isWav: true, start).Decode(Wav(Tone(1_000, 0.5, 1), encoding, channels), decoded);

        double[] expected = Records(new LogMelBands(Rate, 24, Interval), Tone(1_000, 0.5, 1))[2];
        Assert.Equal([start.AddSeconds(0.25), start.AddSeconds(0.5), start.AddSeconds(0.75), start.AddSeconds(1)], decoded.Observations.Select(one => one.Time));
        int loudest = Array.IndexOf(expected, expected[..^1].Max());
        Assert.Equal(expected[loudest], decoded.Observations[2].Record!.Values[loudest], 0.1);
        Assert.Equal("crest", decoded.Observations[0].Record!.Columns[^1]);
    }

    [Theory]
    [InlineData("RIFX0000WAVE", "does not begin with RIFF and WAVE")]
    [InlineData("RIFF0000WAVEdata\0\0\0\0", "samples before a chunk 'fmt '")]
    public void What_is_no_wav_file_is_told_once(string beginning, string expected)
    {
        var decoded = new Decoded(new IngestStamp(new FakeTimeProvider()), RecordRules.All);
        var decoder = new SoundDecoder("m", SoundRules.Default, isWav: true, start: null);

        decoder.Decode(Encoding.ASCII.GetBytes(beginning), decoded);
        decoder.Decode(new byte[100_000], decoded);

        Assert.Contains(expected, Assert.Single(decoded.Errors).Detail, StringComparison.Ordinal);
        Assert.Empty(decoded.Observations);
    }

    [Fact]
    public void A_header_of_any_bytes_neither_throws_nor_is_kept_without_bound()
    {
        var random = new Random(1);
        byte[] right = Wav(Tone(100, 0.1, 1), SampleEncoding.S16, 1);

        for (int turn = 0; turn < 2_000; turn++)
        {
            byte[] bytes = [.. right[..200]];
            bytes[random.Next(44)] = (byte)random.Next(256);
            bytes[random.Next(44)] = (byte)random.Next(256);
            var decoded = new Decoded(new IngestStamp(new FakeTimeProvider()), RecordRules.All);
            new SoundDecoder("m", SoundRules.Default, isWav: true, start: null).Decode(bytes, decoded);
            Assert.InRange(decoded.Errors.Count, 0, 1);
        }
    }

    [Fact]
    public void Without_a_rule_for_them_bands_are_streams_of_their_own()
    {
        var decoded = new Decoded(new IngestStamp(new FakeTimeProvider()), RecordRules.None);

        new SoundDecoder("m", SoundRules.Default, isWav: false, start: null).Decode(Pcm(Tone(1_000, 0.5, 0.25)), decoded);

        Assert.Equal(25, decoded.Observations.Count);
        Assert.All(decoded.Observations, one => Assert.StartsWith("m/", one.Stream, StringComparison.Ordinal));
    }

    [Fact]
    public void Sound_over_messages_goes_on_where_the_last_one_of_its_topic_ended()
    {
        var decoder = new PayloadDecoder(PayloadFormat.Pcm, PayloadRules.Default, []);
        var decoded = new Decoded(new IngestStamp(new FakeTimeProvider()), RecordRules.All);
        byte[] bytes = Pcm(Tone(440, 0.3, 1));

        foreach (byte[] part in bytes.Chunk(1_001))
        {
            decoder.Decode("sound/a", "", part, decoded);
            decoder.Decode("sound/b", "", part, decoded);
        }

        Assert.Equal((4, 4), (decoded.Observations.Count(one => one.Stream == "sound/a"), decoded.Observations.Count(one => one.Stream == "sound/b")));
        Assert.Equal(Decode(bytes, [bytes.Length])[3].Record!.Values.ToArray(), decoded.Observations.Last(one => one.Stream == "sound/a").Record!.Values.ToArray());
    }

    internal static float[] Tone(double hertz, double size, double seconds) =>
        [.. Enumerable.Range(0, (int)(seconds * Rate)).Select(i => (float)(size * Math.Sin(2 * Math.PI * hertz * i / Rate)))];

    internal static byte[] Wav(float[] samples, SampleEncoding encoding, int channels)
    {
        var format = new PcmFormat(Rate, channels, encoding);
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("RIFF"u8);
        writer.Write(36 + samples.Length * format.FrameBytes);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)(encoding == SampleEncoding.F32 ? 3 : 1));
        writer.Write((short)channels);
        writer.Write(Rate);
        writer.Write(Rate * format.FrameBytes);
        writer.Write((short)format.FrameBytes);
        writer.Write((short)(8 * format.SampleBytes));
        writer.Write("LIST"u8);
        writer.Write(3);
        writer.Write("abc\0"u8);   // an odd chunk is filled up
        writer.Write("data"u8);
        writer.Write(samples.Length * format.FrameBytes);

        foreach (float sample in samples)
        {
            for (int channel = 0; channel < channels; channel++)
            {
                switch (encoding)
                {
                    case SampleEncoding.U8:
                        writer.Write((byte)(128 + 127 * sample));
                        break;
                    case SampleEncoding.S16:
                        writer.Write((short)(32_767 * sample));
                        break;
                    case SampleEncoding.S24:
                        int value = (int)(8_388_607 * sample);
                        writer.Write([(byte)value, (byte)(value >> 8), (byte)(value >> 16)]);
                        break;
                    default:
                        writer.Write(sample);
                        break;
                }
            }
        }

        writer.Flush();
        return file.ToArray();
    }

    private static byte[] Pcm(float[] samples)
    {
        var bytes = new byte[2 * samples.Length];

        for (int i = 0; i < samples.Length; i++)
        {
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(2 * i), (short)(32_767 * samples[i]));
        }

        return bytes;
    }

    private static List<Observation> Decode(byte[] bytes, int[] cuts)
    {
        var decoded = new Decoded(new IngestStamp(new FakeTimeProvider()), RecordRules.All);
        var decoder = new SoundDecoder("m", SoundRules.Default, isWav: false, start: null);

        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            int length = Math.Min(cuts[i % cuts.Length], bytes.Length - at);
            decoder.Decode(bytes.AsSpan(at, length), decoded);
            at += length;
        }

        return decoded.Observations;
    }

    private static List<double[]> Records(LogMelBands bands, float[] samples)
    {
        List<double[]> records = [];
        bands.Take(samples, (values, _) => records.Add(values));
        return records;
    }
}
