using StreamLstm.Detection;
using StreamLstm.Features.Video;

namespace StreamLstm.Sample;

/// <summary>Pictures: a light goes round, and something appears in a corner.</summary>
internal static class VideoSample
{
    private const int Side = 48;

    public static void Run()
    {
        var blocks = new FrameBlocks(Side, Side, rows: 3, columns: 3);
        var detector = new AnomalyDetector();
        var random = new Random(1);
        var frame = new byte[Side * Side];

        for (int at = 0; at < 1_000; at++)
        {
            for (int i = 0; i < frame.Length; i++)
            {
                double x = i % Side - 24 - 14 * Math.Cos(0.3 * at), y = i / Side - 24 - 14 * Math.Sin(0.3 * at);
                bool isThere = at >= 900 && i % Side > 40 && i / Side > 40;
                frame[i] = (byte)((x * x + y * y < 25 ? 200 : isThere ? 110 : 60) + random.Next(8));
            }

            if (blocks.Take(frame) is { } values)
            {
                detector.Score(Observation.Of("hall", DateTimeOffset.UnixEpoch.AddSeconds(0.2 * at), new ObservedRecord(blocks.Columns, values)));
                Samples.Tell(detector);
            }
        }
    }
}
