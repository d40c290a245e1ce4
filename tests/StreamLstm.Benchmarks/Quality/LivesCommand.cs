using System.Globalization;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Synthetic.Lives;

namespace StreamLstm.Benchmarks.Quality;

/// <summary><c>-- lives</c>: what the detector finds, and cries, over whole simulated lives of families it was not trained on.</summary>
/// <remarks>
/// Alerts are incidents opened, by the daemon's own path; one in a fault's span finds it, one up to 50 rows behind it is never
/// false. At what rate alerts were asked for is <c>CleanRowsPerAlert</c>: one in 10,000 clean rows.
/// </remarks>
internal static class LivesCommand
{
    public const string Name = "lives";
    public const string Usage = "lives [--per-family 8] [--seed 1] [--trained]";
    public const string About = "faults found and false alarms over whole simulated lives of families the judge has not seen (--trained: of those it has)";

    /// <summary>Clean rows of a life from which a rate can be told.</summary>
    private const int AskedRows = 10_000;

    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        int perFamily = 8, seed = 1;
        bool isTrained = args.Contains("--trained");
        string[] rest = [.. args.Where(arg => arg != "--trained")];

        for (int i = 0; i < rest.Length; i += 2)
        {
            if (rest[i] is not ("--per-family" or "--seed") || i + 1 == rest.Length
                || !int.TryParse(rest[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value == 0)
            {
                error.WriteLine($"'{rest[i]}': expected --per-family N or --seed N, N above 0; usage: {Usage}");
                return 2;
            }

            (perFamily, seed) = rest[i] == "--seed" ? (perFamily, value) : (value, seed);
        }

        // Seeds far from those of the training, and of the line that was set on other lives of the families it knows.
        JudgeTraining.WatchedLife[] lives = JudgeTraining.Watch(
            LearntJudge.Pretrained, validation: !isTrained, perFamily, 1_000_000UL + (ulong)seed * 1_000, Environment.ProcessorCount);
        Kinds(lives, output);
        Occurrences(lives, output);
        Families(lives, output);
        Rates(lives, output);
        JudgeFigures all = JudgeTraining.FiguresOf(lives, life => life.Opened);
        output.WriteLine(Text(
            $"LIVES {all.Lives} lives, {all.Faults} faults: recall {all.Recall:0.000}, false alarms per 10k {all.FalsePer10K:0.00}"));
        return 0;
    }

    private static void Kinds(JudgeTraining.WatchedLife[] lives, TextWriter output)
    {
        output.WriteLine("kind of fault       faults  found");

        foreach (IGrouping<LifeFaultKind, bool> kind in Found(lives).GroupBy(fault => fault.Fault.Kind, fault => fault.IsFound).OrderBy(kind => kind.Key))
        {
            output.WriteLine(Text($"{kind.Key,-18} {kind.Count(),7}   {kind.Average(found => found ? 1.0 : 0):0.00}"));
        }
    }

    private static void Occurrences(JudgeTraining.WatchedLife[] lives, TextWriter output) => output.WriteLine(
        "by occurrence: " + string.Join(' ', Found(lives).GroupBy(fault => fault.Fault.Repetition, fault => fault.IsFound).OrderBy(one => one.Key)
            .Select(one => Text($" {one.Key}: {one.Average(found => found ? 1.0 : 0):0.00}"))));

    private static void Families(JudgeTraining.WatchedLife[] lives, TextWriter output)
    {
        output.WriteLine("family                faults  found  false/10k");

        foreach (IGrouping<string, JudgeTraining.WatchedLife> family in lives.GroupBy(life => life.Life.Family))
        {
            JudgeFigures figures = JudgeTraining.FiguresOf([.. family], life => life.Opened);
            bool[] found = [.. Found([.. family]).Select(fault => fault.IsFound)];
            string share = found.Length == 0 ? "   -" : Text($"{found.Average(one => one ? 1.0 : 0):0.00}");
            output.WriteLine(Text($"{family.Key,-20} {found.Length,7}   {share}  {figures.FalsePer10K,9:0.00}"));
        }
    }

    /// <summary>Asked and got: of a life of some thousand rows no rate below one in that many can be told, so families are asked.</summary>
    private static void Rates(JudgeTraining.WatchedLife[] lives, TextWriter output)
    {
        var families = lives.GroupBy(life => life.Life.Family).Select(family => (
            Rows: family.Sum(life => life.CleanRows), False: family.Sum(life => life.Opened.Count(life.IsClean)))).ToArray();

        // As many as twice what was asked for, and chance: a Poisson number of that mean is rarely above it by two deviations.
        int within = families.Count(family =>
        {
            double twice = 2.0 * family.Rows / AskedRows;
            return family.False <= twice + 2 * Math.Sqrt(twice);
        });
        output.WriteLine(Text(
            $"families with at most twice the false alarms asked for (one in {AskedRows:N0} rows, and chance): {within} of {families.Length}"));
    }

    private static IEnumerable<(LifeFault Fault, bool IsFound)> Found(IReadOnlyList<JudgeTraining.WatchedLife> lives) => lives.SelectMany(
        life => life.Life.Faults.Select(fault => (fault, life.Opened.Any(row => row >= fault.Start && row <= fault.Start + fault.Within))));

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
