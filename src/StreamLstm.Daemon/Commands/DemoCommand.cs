using System.CommandLine;
using System.Globalization;
using StreamLstm.Backtesting;
using StreamLstm.Backtesting.Demonstrations;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm demo</c>: what the same engine does with other sequences than figures, shown and measured on this computer.</summary>
internal static class DemoCommand
{
    private const int CleanSeconds = 240;
    private const int CleanFrames = 1_200;
    private const int Faults = 6;
    private const int Steps = 3_000;
    private const string Names = "names";
    private const string Commands = "commands";
    private const string Urls = "urls";
    private const string Full = "full";
    private const string Lean = "lean";

    /// <param name="output">For scores and what was told.</param>
    /// <param name="error">For progress and errors.</param>
    public static Command Create(TextWriter output, TextWriter error)
    {
        var seed = new Option<int>("--seed") { Description = "The same seed gives the same result.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var words = new Option<string>("--words") { Description = "A list of words, one a line.", HelpName = "FILE", DefaultValueFactory = _ => TextDemonstration.WordsPath };
        var lines = new Option<int>("--lines", "--names") { Description = "Lines, two thirds of them before the first odd one; 6,000 or more.", HelpName = "N", DefaultValueFactory = _ => 24_000 };
        var of = new Option<string>("--of")
        {
            Description = "names: those that programs generate among those that people chose; commands: an intruder's among an administrator's; urls: attacks on a shop among what its customers ask for.",
            HelpName = "WHAT",
            DefaultValueFactory = _ => Names,
        };
        of.AcceptOnlyFromAmong(Names, Commands, Urls);
        var form = new Option<string>("--form") { Description = "full, or lean: how much a stream may remember, as detection.form.", HelpName = "FORM", DefaultValueFactory = _ => Full };
        form.AcceptOnlyFromAmong(Full, Lean);
        var text = new Command(
            "text",
            """
            Odd lines among ordinary ones, found without a label: names that programs generate, an intruder's commands, attacks on a shop.

            Beside it stand an order-3 Markov chain and how rare a line's length is; commands and URLs are judged by their characters and by their words.
            The words that names are of are Debian's: apt-get install wamerican

            Examples:
              streamlstm demo text
              streamlstm demo text --of commands --seed 2
              streamlstm demo text --of urls --lines 12000
            """)
        {
            of, words, lines, form, seed,
        };
        text.SetAction((parsed, cancellation) => Task.FromResult(FileCommand.Answer(
            () => Text(parsed.GetValue(of)!, parsed.GetValue(words)!, parsed.GetValue(lines), parsed.GetValue(form) == Lean ? StreamForm.Lean : StreamForm.Full, parsed.GetValue(seed), output, error, cancellation), "nothing was written", error)));

        Command sound = Other(
            "sound", "Machines that are listened to, and faults that are heard: a fan, a pump, a bearing, a valve.", 4L * SoundDemonstration.Seconds(CleanSeconds, Faults),
            (number, progress, cancellation) => SoundDemonstration.Run(number, CleanSeconds, Faults, progress, cancellation));
        Command sequences = Other(
            "sequences", "Sequences written for others: dates into ISO 8601, numbers into words, letters backwards at lengths never learnt.", 3 * Steps,
            (number, progress, cancellation) => SequenceDemonstration.Run(number, Steps, progress, cancellation));
        Command video = Other(
            "video", "A conveyor that is watched: it stops, something lies there, the camera is pushed, the light flickers.", 4L * VideoDemonstration.Frames(CleanFrames, Faults),
            (number, progress, cancellation) => VideoDemonstration.Run(number, CleanFrames, Faults, progress, cancellation));
        return new Command("demo", "Show and measure what the same engine does with text, sound, pictures and sequences.") { text, sound, video, sequences };

        Command Other(string name, string about, long total, Func<int, Action<long>?, CancellationToken, DemonstrationResult> run)
        {
            var command = new Command(name, about) { seed };
            command.SetAction((parsed, cancellation) => Task.FromResult(FileCommand.Answer(
                () =>
                {
                    Print(WorkProgress.With(name, total, error, progress => run(parsed.GetValue(seed), progress, cancellation)), output);
                    return 0;
                },
                "nothing was written",
                error)));
            return command;
        }
    }

    private static int Text(string of, string path, int lines, StreamForm form, int seed, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        if (lines < 6_000)
        {
            throw new BacktestUsageException($"--lines: {lines}, expected 6000 or more");
        }

        if (of == Names && !File.Exists(path))
        {
            throw new BacktestUsageException($"--words: {path} is not there; expected a list of words, such as Debian's: apt-get install wamerican");
        }

        Print(
            WorkProgress.With(of, lines, error, progress => TextDemonstration.Run(
                of switch
                {
                    Commands => OddLines.Commands(seed),
                    Urls => OddLines.Urls(seed),
                    _ => OddLines.Names(File.ReadLines(path), seed),
                },
                seed, clean: 2 * lines / 3, mixed: lines - 2 * lines / 3, form, progress, cancellation)),
            output);
        return 0;
    }

    private static void Print(DemonstrationResult result, TextWriter output)
    {
        foreach (DemonstrationScore score in result.Scores)
        {
            output.WriteLine(score.ToString());
        }

        if (result.Told.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("Some of what was told:");
        }

        foreach (string sentence in result.Told)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {sentence}"));
        }
    }
}
