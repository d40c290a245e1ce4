using StreamLstm.Detection;
using StreamLstm.Features.Audio;

namespace StreamLstm.Sample;

/// <summary>Sound: a hum in which something begins to whistle.</summary>
internal static class SoundSample
{
    private const int Rate = 16_000;

    public static void Run()
    {
        var bands = new LogMelBands(Rate, LogMelBands.BandsDefault, TimeSpan.FromSeconds(0.25));
        var detector = new AnomalyDetector();
        var random = new Random(1);
        var second = new float[Rate];

        for (int at = 0; at < 240; at++)
        {
            for (int i = 0; i < Rate; i++)
            {
                double time = at + (double)i / Rate, whistle = at >= 220 ? 0.02 * Math.Sin(2 * Math.PI * 3_000 * time) : 0;
                second[i] = (float)(0.1 * Math.Sin(2 * Math.PI * 100 * time) + 0.01 * (2 * random.NextDouble() - 1) + whistle);
            }

            bands.Take(second, (values, samples) =>
            {
                detector.Score(Observation.Of("pump", DateTimeOffset.UnixEpoch.AddSeconds((double)samples / Rate), new ObservedRecord(bands.Columns, values)));
                Samples.Tell(detector);
            });
        }
    }
}
