using System.CommandLine;
using Spectre.Console;
using StreamLstm.Daemon.Backtesting;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Decoding;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm backtest</c>: what the daemon would have said of recorded data. Its data directory is not touched.</summary>
internal static class BacktestCommand
{
    /// <param name="withOptions">Loads the configuration, hands it on, and gives the exit code.</param>
    /// <param name="output">For the summary.</param>
    /// <param name="error">For progress, warnings and errors.</param>
    public static Command Create(Func<ParseResult, Action<DaemonOptions>, int> withOptions, TextWriter output, TextWriter error)
    {
        var inputs = new Argument<string[]>("INPUT")
        {
            Description = "CSV or NDJSON files, or directories of them; with --format a benchmark's folder.",
            Arity = ArgumentArity.OneOrMore,
        };
        var directory = new Option<string>("--out", "-o")
        {
            Description = "Where results go: a CSV file for every input file, with a score for every row.",
            HelpName = "DIR",
            Required = true,
        };
        var format = new Option<string?>("--format")
        {
            Description = $"A benchmark's layout: {string.Join(", ", BacktestFormats.Names)}. Labels are never read.",
            HelpName = "NAME",
        };
        var joint = new Option<bool>("--joint")
        {
            Description = "Judge the numeric columns of a CSV row together (2 to 128), not each by itself.",
        };
        var since = new Option<string?>("--since") { Description = "Read rows from this time on.", HelpName = "TIME" };
        var until = new Option<string?>("--until") { Description = "Read rows before this time.", HelpName = "TIME" };
        var command = new Command("backtest", "Run recorded data through the detector, and write what it says of every row.")
        {
            inputs, directory, format, joint, since, until,
        };
        command.SetAction((parsed, cancellation) =>
        {
            int answer = 0;
            int configured = withOptions(parsed, options =>
            {
                try
                {
                    answer = Run(
                        options,
                        new Request(
                            parsed.GetValue(inputs)!,
                            parsed.GetValue(directory)!,
                            parsed.GetValue(format),
                            parsed.GetValue(joint),
                            Time(parsed, since),
                            Time(parsed, until)),
                        output,
                        error,
                        cancellation);
                }
                catch (BacktestUsageException wrong)
                {
                    error.WriteLine(wrong.Message);
                    answer = CommandLine.WrongUsage;
                }
                catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
                {
                    error.WriteLine($"error: {unreadable.Message}");
                    answer = CommandLine.Failed;
                }
                catch (OperationCanceledException)
                {
                    error.WriteLine("stopped: results that were not complete are removed");
                    answer = CommandLine.Failed;
                }
            });
            return Task.FromResult(configured == 0 ? answer : configured);
        });
        return command;
    }

    private static int Run(
        DaemonOptions options, Request request, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        if (request.Format is not null && (request.Since ?? request.Until) is not null)
        {
            throw new BacktestUsageException("--since and --until: a benchmark is run whole; expected neither with --format");
        }

        BacktestPlan plan = BacktestFormats.Plan(request.Format, request.Inputs, request.Directory, request.IsJoint);
        var run = new BacktestRun(options, request.Directory) { Since = request.Since, Until = request.Until };
        IReadOnlyList<BacktestResult> results = WithProgress(
            plan.Jobs.Sum(BacktestRun.Size), error, progress => run.Run(plan.Jobs, progress, cancellation));
        plan.Complete?.Invoke(results);
        BacktestSummary.Print(results, output);
        BacktestSummary.PrintProblems(results, error);
        return results.Any(result => result.Error is not null) ? CommandLine.Failed : 0;
    }

    /// <summary>A bar where somebody sees it.</summary>
    private static T WithProgress<T>(long bytes, TextWriter error, Func<Action<long>?, T> work)
    {
        if (error != Console.Error || Console.IsErrorRedirected)
        {
            return work(null);
        }

        return AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) })
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask("backtest", maxValue: Math.Max(1, bytes));
                return work(read => bar.Increment(read));
            });
    }

    private static DateTimeOffset? Time(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is not { } text ? null
        : Timestamps.TryParse(text, out DateTimeOffset time) ? time
        : throw new BacktestUsageException($"{option.Name}: '{text}', expected {Timestamps.Expectation}");

    private sealed record Request(
        IReadOnlyList<string> Inputs, string Directory, string? Format, bool IsJoint, DateTimeOffset? Since, DateTimeOffset? Until);
}
