using System.Globalization;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Benchmarks;

/// <summary>The detector as the daemon runs it.</summary>
internal static class DetectionBenchmarks
{
    private const int Streams = 200;
    private const int WarmUpRows = 450;

    public static void Score(BenchmarkRun run)
    {
        DateTimeOffset start = DateTimeOffset.UnixEpoch;
        var random = new Random(1);
        BaseModel model = BaseModel.Untrained(1);
        var output = new ShardOutput();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(Streams, Streams), 0, 1, new DetectionScratch());
        var batch = new Observation[Streams];
        int row = 0;

        for (; row < WarmUpRows; row++)
        {
            Apply();
        }

        double bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Streams;
        double nanoseconds = run.Time(Apply) / Streams;
        run.Print(string.Create(
            CultureInfo.InvariantCulture, $"score, {Streams} streams learning on line: {nanoseconds / 1000:0.0} us per observation, {bytes / 1024:0} KiB per stream"));
        GC.KeepAlive(shard);

        void Apply()
        {
            for (int stream = 0; stream < Streams; stream++)
            {
                batch[stream] = new Observation(
                    $"s{stream}", start.AddSeconds(row), Math.Sin(row / 20.0 + stream) + 0.1 * random.NextDouble());
            }

            output.Clear();
            shard.Apply(batch, start.AddSeconds(row), model, output);
            row++;
        }
    }
}
