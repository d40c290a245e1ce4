using System.Diagnostics;
using StreamLstm.Features.Video;

namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>A conveyor that is watched, and what goes wrong with it, without a label.</summary>
internal static class VideoDemonstration
{
    private const int BlockRows = 3;
    private const int BlockColumns = 4;

    /// <summary>Pictures of a fault, and between two.</summary>
    private const int FaultFrames = 50;
    private const int BetweenFrames = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.2);

    /// <summary>Runs it: each kind of fault as often, each in a scene of its own.</summary>
    /// <param name="seed">Seed of the scene.</param>
    /// <param name="cleanFrames">Pictures before the first fault; 700 or more.</param>
    /// <param name="faults">Faults of each kind.</param>
    /// <param name="progress">Told of each picture.</param>
    /// <param name="cancellation">Ends it.</param>
    public static DemonstrationResult Run(int seed, int cleanFrames, int faults, Action<long>? progress, CancellationToken cancellation)
    {
        List<DemonstrationScore> scores = [];
        List<string> told = [];
        List<FaultyRecords> runs = [];
        double featureSeconds = 0;

        foreach (VideoFault kind in Enum.GetValues<VideoFault>())
        {
            var blocks = new FrameBlocks(VideoScenes.Width, VideoScenes.Height, BlockRows, BlockColumns);
            FaultyRecords run = FaultyRecords.Run(
                $"video/{kind.ToString().ToLowerInvariant()}", blocks.Columns, Interval, Watch(kind, blocks), cleanFrames - 1, record => record[^1], cancellation);
            runs.Add(run);
            told.AddRange(run.Told.Take(1));
            scores.Add(Compared($"AUC, {Words(kind)}", [run]));
        }

        scores.Add(Compared("AUC, mean of faults", runs));
        scores.Add(new DemonstrationScore("faults that opened an incident", (double)runs.Sum(run => run.Faults.Found) / runs.Sum(run => run.Faults.All), []));
        scores.Add(new DemonstrationScore("pictures from a fault's first to its incident", runs.Where(run => run.Faults.Found > 0).Select(run => run.MeanDelay).DefaultIfEmpty(double.NaN).Average(), []));
        scores.Add(new DemonstrationScore("false incidents in 10,000 pictures", 10_000.0 * runs.Sum(run => run.False.Incidents) / runs.Sum(run => run.False.Records), []));
        double perFrame = featureSeconds / (runs.Count * Frames(cleanFrames, faults)) + runs.Average(run => run.SecondsPerRecord);
        scores.Add(new DemonstrationScore("cameras a core, at 5 pictures a second", Interval.TotalSeconds / perFrame, []));
        return new DemonstrationResult(scores, told)
        {
            Picture = runs[(int)VideoFault.ForeignObject].Picture("Something lies beside the conveyor (shaded)", Interval),
        };

        IEnumerable<FaultyRecord> Watch(VideoFault kind, FrameBlocks blocks)
        {
            var scene = new VideoScenes(seed);
            var frame = new byte[VideoScenes.Width * VideoScenes.Height];

            for (int i = 0; i < Frames(cleanFrames, faults); i++)
            {
                int since = i - cleanFrames, fault = since < 0 || since % (FaultFrames + BetweenFrames) < BetweenFrames ? -1 : since / (FaultFrames + BetweenFrames);
                scene.Next(frame, fault < 0 ? null : kind);
                long began = Stopwatch.GetTimestamp();
                double[]? record = blocks.Take(frame);
                featureSeconds += Stopwatch.GetElapsedTime(began).TotalSeconds;
                progress?.Invoke(1);

                if (record is not null)
                {
                    yield return new FaultyRecord(record, fault);
                }
            }
        }
    }

    /// <summary>Pictures of one kind of fault.</summary>
    public static int Frames(int cleanFrames, int faults) => cleanFrames + faults * (FaultFrames + BetweenFrames);

    private static DemonstrationScore Compared(string name, IReadOnlyList<FaultyRecords> runs) => new(
        name, runs.Average(run => run.Area.Ours), [("frame difference", runs.Average(run => run.Area.Level)), ("nearest record", runs.Average(run => run.Area.Nearest))]);

    private static string Words(VideoFault kind) => kind switch
    {
        VideoFault.Stopped => "conveyor stopped",
        VideoFault.ForeignObject => "foreign object",
        VideoFault.CameraMoved => "camera moved",
        _ => "light flickers",
    };
}
