using System.CommandLine;
using StreamLstm.Backtesting;
using StreamLstm.Backtesting.Report;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Sources;
using StreamLstm.Decoding;
using StreamLstm.Detection.Events;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm backtest</c>: what the daemon would have said of recorded data. Its data directory is not touched.</summary>
internal static class BacktestCommand
{
    /// <param name="withOptions">Loads the configuration, hands it on, and gives the exit code.</param>
    /// <param name="beside">Loads the same configuration with one more file over it.</param>
    /// <param name="output">For the summary.</param>
    /// <param name="error">For progress, warnings and errors.</param>
    public static Command Create(
        Func<ParseResult, Action<DaemonOptions>, int> withOptions,
        Func<ParseResult, string, DaemonOptions> beside,
        TextWriter output,
        TextWriter error)
    {
        var inputs = new Argument<string[]>("INPUT")
        {
            Description = "CSV, NDJSON, line protocol, Prometheus or log files, or directories of them; with --format a benchmark's folder.",
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
            Description = $"A benchmark's layout, or log for files whose lines are events: {string.Join(", ", BacktestFormats.Names)}. Labels are never read.",
            HelpName = "NAME",
        };
        var train = new Option<string?>("--train")
        {
            Description = "With --format events: a file of normal sessions to learn from.",
            HelpName = "FILE",
        };
        var key = new Option<string?>("--key")
        {
            Description = "For logs: a regular expression that finds what lines of one session have in common, as its group \"key\", its first group, or all of it.",
            HelpName = "REGEX",
        };
        var report = new Option<bool>("--report")
        {
            Description = "Also write DIR/report.html, which needs no network, and a picture for every stream in DIR/pictures.",
        };
        var labels = new Option<string?>("--labels")
        {
            Description = "For --report: when something was wrong, as NAB's JSON of windows or CSV with the columns stream,start,end.",
            HelpName = "FILE",
        };
        var compare = new Option<string[]>("--compare")
        {
            Description = "Run everything under two configurations, each over --config: alerts, alerts of one alone, and how scores go together.",
            HelpName = "A B",
            Arity = new ArgumentArity(2, 2),
            AllowMultipleArgumentsPerToken = true,
        };
        var joint = new Option<bool>("--joint")
        {
            Description = "Judge the values of every CSV row or NDJSON record together (2 to 128), not only where vectors: says so.",
        };
        var columns = new Option<string?>("--columns")
        {
            Description = "Which columns of CSV hold what, where their names do not say it: time=Zeit,stream=Messstelle,value=Wert; several of stream with + between.",
            HelpName = "WHAT=NAME,...",
        };
        var zone = new Option<string?>("--time-zone") { Description = "Of times in CSV that say no offset, such as Europe/Berlin; else UTC.", HelpName = "NAME" };
        var since = new Option<string?>("--since") { Description = "Read rows from this time on.", HelpName = "TIME" };
        var until = new Option<string?>("--until") { Description = "Read rows before this time.", HelpName = "TIME" };
        var command = new Command("backtest", "Run recorded data through the detector, and write what it says of every row.")
        {
            inputs, directory, format, columns, zone, joint, train, key, report, labels, compare, since, until,
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
                            parsed.GetValue(train),
                            parsed.GetValue(key) ?? "",
                            parsed.GetValue(report),
                            parsed.GetValue(labels),
                            [.. (parsed.GetValue(compare) ?? []).Select(file => new NamedOptions(file, beside(parsed, file)))],
                            Time(parsed, since),
                            Time(parsed, until),
                            Columns(parsed.GetValue(columns), parsed.GetValue(zone))),
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
        if (request.Format is not (null or BacktestFormats.Log) && (request.Since ?? request.Until) is not null)
        {
            throw new BacktestUsageException("--since and --until: a benchmark is run whole; expected neither with --format");
        }

        if (request.Train is not null && request.Format != BacktestFormats.Events)
        {
            throw new BacktestUsageException("--train: expected with --format events only");
        }

        if (!new KeyExpressionAttribute().IsValid(request.Key))
        {
            throw new BacktestUsageException($"--key: '{request.Key}', expected a regular expression without look-around and back-references");
        }

        if (request.Labels is not null && !request.Report)
        {
            throw new BacktestUsageException("--labels: expected with --report");
        }

        if (request.Format == BacktestFormats.Events)
        {
            return request.Report || request.Compared.Count > 0
                ? throw new BacktestUsageException("--report and --compare: sessions of events have no course to draw; expected neither with --format events")
                : Summarize(Events(options, request, error, cancellation), output, error);
        }

        LabelFile? labels = request.Labels is { } file ? LabelFile.Read(file) : null;

        if (request.Compared.Count > 0)
        {
            return Compare(request, labels, output, error, cancellation);
        }

        Course course = Series(options, request, request.Directory, "backtest", error, cancellation);
        WriteReport(request, labels, course, null);
        return Summarize(course.Results, output, error);
    }

    private static int Summarize(IReadOnlyList<BacktestResult> results, TextWriter output, TextWriter error)
    {
        BacktestSummary.Print(results, output);
        BacktestSummary.PrintProblems(results, error);
        return ExitCode(results, error);
    }

    /// <summary>Whether all was read, and anything at all.</summary>
    private static int ExitCode(IReadOnlyList<BacktestResult> results, TextWriter error)
    {
        if (results.Count > 0 && results.All(result => result.Error is null && result.Values == 0))
        {
            error.WriteLine("error: nothing in it could be read; expected CSV with a header, NDJSON, line protocol, Prometheus' text, or logs");
            return CommandLine.Failed;
        }

        return results.Any(result => result.Error is not null) ? CommandLine.Failed : 0;
    }

    /// <summary>Both configurations over the same files, each with a folder of its own.</summary>
    private static int Compare(Request request, LabelFile? labels, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        string[] names = [.. request.Compared.Select(one => Path.GetFileNameWithoutExtension(one.File))];
        names = names[0] == names[1] ? [$"{names[0]}-1", $"{names[1]}-2"] : names;
        Course[] courses =
        [
            .. request.Compared.Select((one, i) => Series(one.Options, request, Path.Combine(request.Directory, names[i]), names[i], error, cancellation)),
        ];
        ComparisonTable table = BacktestSummary.Compare(names, courses[0], courses[1]);
        BacktestSummary.Print(table, output);

        for (int i = 0; i < courses.Length; i++)
        {
            WriteReport(request with { Directory = Path.Combine(request.Directory, names[i]) }, labels, courses[i], table);
        }

        BacktestSummary.PrintProblems([.. courses.SelectMany(course => course.Results)], error);
        return ExitCode([.. courses.SelectMany(course => course.Results)], error);
    }

    private static void WriteReport(Request request, LabelFile? labels, Course course, ComparisonTable? comparison)
    {
        if (!request.Report)
        {
            return;
        }

        foreach (CourseRecorder recorder in course.Recorders)
        {
            foreach (StreamCourse stream in recorder.Courses)
            {
                stream.Labels.AddRange(labels?.Of(stream.Name, recorder.Job.Name) ?? []);
            }
        }

        // Of a file that failed there may be a beginning; it has no results, and is none of what was run.
        StreamCourse[] streams = [.. course.Recorders.Where((_, i) => course.Results[i].Error is null).SelectMany(recorder => recorder.Courses)];
        HtmlReport.Write(Path.Combine(request.Directory, "report.html"), streams, comparison);
        PictureReport.WriteAll(Path.Combine(request.Directory, "pictures"), streams);
    }

    private static IReadOnlyList<BacktestResult> Events(
        DaemonOptions options, Request request, TextWriter error, CancellationToken cancellation)
    {
        var run = new EventBacktest(options.Detection.Seed, request.Directory);
        string train = request.Train
            ?? throw new BacktestUsageException("--train: missing, expected a file of normal sessions with --format events");
        EventSequenceDetector detector = WorkProgress.With(
            "training", EventBacktest.ProgressTotal, error, progress => run.Train(train, request.Inputs, progress, cancellation));
        return WorkProgress.With(
            "scoring", request.Inputs.Sum(path => new FileInfo(path).Length), error, progress => run.Score(detector, request.Inputs, progress, cancellation));
    }

    private static Course Series(
        DaemonOptions options, Request request, string directory, string task, TextWriter error, CancellationToken cancellation)
    {
        RecordRules together = request.IsJoint ? RecordRules.All : VectorsOptions.Rules(options.Vectors, RecordFields.Joint);
        BacktestPlan plan = BacktestFormats.Plan(request.Format, request.Inputs, directory, together, request.Key, request.Columns);
        CourseRecorder[] recorders = request.Report || request.Compared.Count > 0 ? [.. plan.Jobs.Select(job => new CourseRecorder(job))] : [];
        IReadOnlyList<BacktestJob> jobs = recorders.Length > 0 ? [.. recorders.Select(recorder => recorder.Recorded())] : plan.Jobs;
        BacktestRun run = options.Backtest(directory, request.Since, request.Until);
        IReadOnlyList<BacktestResult> results = WorkProgress.With(
            task, jobs.Sum(BacktestRun.Size), error, progress => run.Run(jobs, progress, cancellation));
        plan.Complete?.Invoke(results);
        return new Course(results, recorders);
    }

    private static CsvRules Columns(string? text, string? zone)
    {
        string time = "", value = "";
        string[] stream = [];

        foreach (string part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? "" : part[(equals + 1)..].Trim();

            switch (equals < 0 ? part : part[..equals].Trim())
            {
                case "time" when name.Length > 0:
                    time = name;
                    break;
                case "stream" when name.Length > 0:
                    stream = name.Split('+');
                    break;
                case "value" when name.Length > 0:
                    value = name;
                    break;
                default:
                    throw new BacktestUsageException($"--columns: '{part}', expected time=NAME, stream=NAME and value=NAME with commas between them");
            }
        }

        if (stream.Length > 0 != value.Length > 0)
        {
            throw new BacktestUsageException("--columns: stream and value, expected both or neither: with stream alone each row would hold several");
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(zone ?? "UTC", out TimeZoneInfo? found)
            ? new CsvRules(time, stream, value, found)
            : throw new BacktestUsageException($"--time-zone: '{zone}', expected the name of a time zone such as Europe/Berlin");
    }

    private static DateTimeOffset? Time(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is not { } text ? null
        : Timestamps.TryParse(text, out DateTimeOffset time) ? time
        : throw new BacktestUsageException($"{option.Name}: '{text}', expected {Timestamps.Expectation}");

    private sealed record Request(
        IReadOnlyList<string> Inputs, string Directory, string? Format, bool IsJoint, string? Train, string Key, bool Report, string? Labels,
        IReadOnlyList<NamedOptions> Compared, DateTimeOffset? Since, DateTimeOffset? Until, CsvRules Columns);

    private sealed record NamedOptions(string File, DaemonOptions Options);
}
