using System.Globalization;
using StreamLstm.Backtesting.Demonstrations;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Detection;

namespace StreamLstm.Benchmarks.Sequences;

/// <summary><c>-- sequences</c>: what the demonstrations of text, sound, pictures and sequences score over seeds, beside their peers, and the goals.</summary>
internal static class SequencesCommand
{
    public const string Name = "sequences";
    public const string Usage = "sequences [--small] [--seeds 1,2,3] [--only text,commands,urls,commands_lean,urls_lean,sound,sequences,video,perplexity,reconstruction] [--words FILE] [--pictures FOLDER]";
    public const string About = "text, sound, pictures and sequences through the same engine: scores over seeds beside peers, and goals";

    private static readonly (string Demonstration, QualityGoal Goal)[] Goals =
    [
        ("text", new QualityGoal("S1", "AUC, even letters", 0, ">=", 0.99)),
        ("text", new QualityGoal("S2", "AUC, all generated names", 0, ">=", 0.94)),
        ("sound", new QualityGoal("S3", "AUC, mean of machines", 0, ">=", 0.9)),
        ("sound", new QualityGoal("S4", "microphones a core", 0, ">=", 50)),
        ("sequences", new QualityGoal("S5", "exactly right, dates into ISO 8601", 0, ">=", 0.95)),
        ("sequences", new QualityGoal("S6", "exactly right, numbers into words", 0, ">=", 0.95)),
        ("video", new QualityGoal("S7", "AUC, mean of faults", 0, ">=", 0.95)),
        ("commands", new QualityGoal("S8", "AUC, all intruders' commands", 0, ">=", 0.98)),
        ("urls", new QualityGoal("S9", "AUC, all attacks", 0, ">=", 0.98)),
    ];

    /// <summary>Exit code 0 where it ran, whatever the goals say; 2 for wrong usage.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        bool isSmall = args.Contains("--small");
        string[] rest = [.. args.Where(arg => arg != "--small")], only = [];
        int[] seeds = isSmall ? [1] : [1, 2, 3];
        string words = TextDemonstration.WordsPath;
        string? pictures = null;

        for (int i = 0; i < rest.Length; i += 2)
        {
            string value = i + 1 < rest.Length ? rest[i + 1] : "";
            int[] numbers = [.. value.Split(',').Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1)];

            switch (rest[i])
            {
                case "--seeds" when numbers.All(number => number >= 0):
                    seeds = numbers;
                    break;
                case "--only" when value.Split(',') is var names && names.All(name => name is PerplexityName or ReconstructionName || All(words, isSmall).Any(one => one.Name == name)):
                    only = names;
                    break;
                case "--words" when value.Length > 0:
                    words = value;
                    break;
                case "--pictures" when value.Length > 0:
                    pictures = value;
                    break;
                default:
                    error.WriteLine($"'{rest[i]} {value}': usage: {Usage}");
                    return 2;
            }
        }

        foreach ((string name, Func<int, DemonstrationResult> run) in All(words, isSmall).Where(one => only.Length == 0 || only.Contains(one.Name)))
        {
            if (name == "text" && !File.Exists(words))
            {
                output.WriteLine($"text: left out, {words} is not there (apt-get install wamerican)");
                continue;
            }

            DemonstrationResult[] results = [.. seeds.Select(run)];
            Print(name, results, output);

            if (pictures is not null && results[0].Picture is { } picture)
            {
                Directory.CreateDirectory(pictures);
                SequencePictures.Save(picture, Path.Combine(pictures, $"{name}.png"));
            }
        }

        if (only.Length == 0 || only.Contains(PerplexityName))
        {
            double[] ours = [.. seeds.Select(seed => TextPerplexity.Measure(seed, epochs: isSmall ? 1 : TextPerplexity.Epochs))];
            output.WriteLine($"perplexity: a character of the last tenth of the GPL, 64 cells: {Spread(ours)}{Recorded("perplexity")}");
        }

        if (only.Length == 0 || only.Contains(ReconstructionName))
        {
            ReconstructionTable.Print(seeds, output);
        }

        return 0;
    }

    private const string PerplexityName = "perplexity";
    private const string ReconstructionName = "reconstruction";

    private static (string Name, Func<int, DemonstrationResult> Run)[] All(string words, bool isSmall) =>
    [
        ("text", seed => Text(OddLines.Names(File.ReadLines(words), seed), seed, isSmall)),
        ("commands", seed => Text(OddLines.Commands(seed), seed, isSmall)),
        ("urls", seed => Text(OddLines.Urls(seed), seed, isSmall)),
        ("commands_lean", seed => Text(OddLines.Commands(seed), seed, isSmall, StreamForm.Lean)),
        ("urls_lean", seed => Text(OddLines.Urls(seed), seed, isSmall, StreamForm.Lean)),
        ("sound", seed => SoundDemonstration.Run(seed, isSmall ? 180 : 240, isSmall ? 1 : 6, progress: null, CancellationToken.None)),
        ("sequences", seed => SequenceDemonstration.Run(seed, isSmall ? 20 : 3_000, progress: null, CancellationToken.None)),
        ("video", seed => VideoDemonstration.Run(seed, isSmall ? 700 : 1_200, isSmall ? 1 : 6, progress: null, CancellationToken.None)),
    ];

    private static DemonstrationResult Text(OddLines lines, int seed, bool isSmall, StreamForm form = StreamForm.Full) =>
        TextDemonstration.Run(lines, seed, isSmall ? 3_000 : 16_000, isSmall ? 1_000 : 8_000, form, progress: null, CancellationToken.None);

    private static void Print(string demonstration, DemonstrationResult[] results, TextWriter output)
    {
        for (int i = 0; i < results[0].Scores.Count; i++)
        {
            DemonstrationScore first = results[0].Scores[i];
            string peers = string.Concat(first.Peers.Select((peer, n) => $", {peer.Name} {Spread([.. results.Select(result => result.Scores[i].Peers[n].Value)])}"));
            output.WriteLine($"{demonstration}: {first.Name}: {Spread([.. results.Select(result => result.Scores[i].Ours)])}{peers}{Recorded(first.Name)}");
        }

        foreach ((_, QualityGoal goal) in Goals.Where(goal => goal.Demonstration == demonstration))
        {
            output.WriteLine(goal.Line(results.Average(result => result.Scores.Single(score => score.Name == goal.Name).Ours), "0.000"));
        }
    }

    /// <summary>What PyTorch made of the same network and training, where that was recorded.</summary>
    private static string Recorded(string name) => TorchPeers.Of(name) is { Count: > 0 } values ? $", PyTorch (recorded) {Spread([.. values])}" : "";

    /// <summary>Mean, and the least and the greatest where there are several.</summary>
    private static string Spread(double[] values) => values.Length == 1
        ? values[0].ToString("0.000", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{values.Average():0.000} ({values.Min():0.000} to {values.Max():0.000})");
}
