using System.Diagnostics;
using StreamLstm.Backtesting;
using StreamLstm.Daemon.Configuration;

namespace StreamLstm.Benchmarks.Quality;

/// <summary><c>-- jobs</c>: the bench of jobs beside the repository: does the detector do what a person watching machines needs?</summary>
/// <remarks>Its generator and scorer are its own programs; the backtest is the product's.</remarks>
internal static class JobsCommand
{
    public const string Name = "jobs";
    public const string Usage = "jobs [--jobs DIR] [--keep DIR] [--form full|lean|shared] [--seeds LIST]";
    public const string About = "288 streams of 16 kinds with faults that come again, by the generator and the scorer in ../shared/jobs; needs python3";

    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        string jobs = Path.Combine("..", "shared", "jobs");
        string? keep = null;
        string form = "full", seeds = "1,2,3";

        for (int i = 0; i < args.Length; i += 2)
        {
            if (args[i] is not ("--jobs" or "--keep" or "--form" or "--seeds") || i + 1 == args.Length)
            {
                error.WriteLine($"'{args[i]}': expected --jobs DIR, --keep DIR, --form FORM or --seeds LIST; usage: {Usage}");
                return 2;
            }

            (jobs, keep, form, seeds) = args[i] switch
            {
                "--jobs" => (args[i + 1], keep, form, seeds),
                "--keep" => (jobs, args[i + 1], form, seeds),
                "--form" => (jobs, keep, args[i + 1], seeds),
                _ => (jobs, keep, form, args[i + 1]),
            };
        }

        if (!File.Exists(Path.Combine(jobs, "generate.py")))
        {
            output.WriteLine($"jobs: skipped, there is no {Path.Combine(jobs, "generate.py")}");
            return 0;
        }

        string directory = keep ?? Directory.CreateTempSubdirectory("streamlstm-jobs-").FullName;

        try
        {
            return Run(jobs, directory, form, seeds, output, error);
        }
        finally
        {
            if (keep is null)
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static int Run(string jobs, string directory, string form, string seeds, TextWriter output, TextWriter error)
    {
        string made = Path.Combine(directory, "made"), results = Path.Combine(directory, "results");
        int code = Python(output, error, Path.Combine(jobs, "generate.py"), made, "--seeds", seeds);

        if (code != 0)
        {
            return code;
        }

        DaemonOptions options = ConfigurationLoader.Load([], [$"detection.form={form}"], new Dictionary<string, string>());
        BacktestPlan plan = BacktestFormats.Plan(format: null, [Path.Combine(made, "streams")], results);
        IReadOnlyList<BacktestResult> run = options.Backtest(results).Run(plan.Jobs, null, CancellationToken.None);
        BacktestSummary.PrintProblems(run, error);
        return Python(output, error, Path.Combine(jobs, "score.py"), made, results);
    }

    private static int Python(TextWriter output, TextWriter error, params string[] arguments)
    {
        var start = new ProcessStartInfo("python3", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("python3 did not start");
        Task<string> told = process.StandardError.ReadToEndAsync();
        output.Write(process.StandardOutput.ReadToEnd());
        error.Write(told.GetAwaiter().GetResult());
        process.WaitForExit();
        return process.ExitCode;
    }
}
