using System.Globalization;
using StreamLstm.Backtesting;
using StreamLstm.Benchmarks.Quality.Sets;
using StreamLstm.Daemon.Configuration;

namespace StreamLstm.Benchmarks.Quality;

/// <summary><c>-- quality</c>: backtests labelled data in this process, scores it, and says which goals are met.</summary>
internal static class QualityCommand
{
    public const string Usage = "quality [nab|ucr|skab|smd|smap|hdfs ...] [--data DIR] [--seeds 1,2,3] [--out DIR] [--set KEY=VALUE]";

    private static readonly IQualitySet[] Sets = [new NabQuality(), new UcrQuality(), new SkabQuality(), new SmdQuality(), new SmapQuality(), new HdfsQuality()];

    /// <param name="args">Sets, and options.</param>
    /// <param name="output">For tables and goals.</param>
    /// <param name="error">For mistakes.</param>
    /// <returns>0: measured, whether goals are met or not; 1: a file failed; 2: wrong usage.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        List<IQualitySet> chosen = [];
        List<string> settings = [];
        string? data = null, keep = null;
        int[] seeds = [1, 2, 3];

        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] is "--data" or "--seeds" or "--out" or "--set" && i + 1 < args.Length)
            {
                string value = args[++i];

                switch (args[i - 1])
                {
                    case "--data": data = value; break;
                    case "--out": keep = value; break;
                    case "--set": settings.Add(value); break;
                    default: seeds = Seeds(value); break;
                }
            }
            else if (Sets.FirstOrDefault(set => set.Name == args[i]) is { } set)
            {
                chosen.Add(set);
            }
            else
            {
                error.WriteLine($"'{args[i]}', usage: {Usage}");
                return 2;
            }
        }

        if (seeds.Length == 0)
        {
            error.WriteLine($"--seeds: expected whole numbers such as 1,2,3; usage: {Usage}");
            return 2;
        }

        data ??= DevelopmentData();
        int answer = 0;

        foreach (IQualitySet set in chosen.Count > 0 ? chosen : [.. Sets])
        {
            if (data is null || !Directory.Exists(Path.Combine(data, set.Folder)))
            {
                output.WriteLine($"{set.Name}: skipped, there is no {Path.Combine(data ?? "../shared/data", set.Folder)}");
                continue;
            }

            try
            {
                var run = new QualityRun(set, Path.Combine(data, set.Folder), seeds, settings, output, error);
                answer = Math.Max(answer, keep is null ? run.Run() : run.Run(Path.Combine(keep, set.Name)));
            }
            catch (Exception unusable) when (unusable is IOException or InvalidDataException or BacktestUsageException or ConfigurationException)
            {
                error.WriteLine($"{set.Name}: {unusable.Message}");
                answer = 1;
            }
        }

        return answer;
    }

    /// <summary>../shared/data beside the repository; null where it is not.</summary>
    public static string? DevelopmentData()
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "StreamLstm.sln")))
            {
                string data = Path.GetFullPath(Path.Combine(directory, "..", "shared", "data"));
                return Directory.Exists(data) ? data : null;
            }
        }

        return null;
    }

    private static int[] Seeds(string text)
    {
        string[] parts = text.Split(',');
        int[] seeds = [.. parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int seed) ? seed : -1)];
        return Array.TrueForAll(seeds, seed => seed >= 0) ? seeds : [];
    }
}
