using System.Collections.Concurrent;
using Spectre.Console;

namespace StreamLstm.Benchmarks.LongMemory;

/// <summary>
/// What people say of LSTMs, measured: that they learn what lies hundreds of steps back, where a plain RNN does not.
/// </summary>
internal static class LongMemoryBenchmark
{
    public const string Name = "long-memory";

    public const string About = "adding and copy problems at lags 100 and 400: LSTM, GRU, vanilla RNN [--out DIR]";

    /// <summary>Runs what the arguments ask for: <c>[--small] [--out DIR]</c>.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        bool small = args.Contains("--small");
        string[] rest = [.. args.Where(arg => arg != "--small")];

        if (rest is not ([] or ["--out", _]))
        {
            error.WriteLine($"usage: {Name} [--small] [--out DIR]");
            return 2;
        }

        Plan plan = small ? Plan.Small : Plan.Full;
        var results = new LongMemoryResults(plan, Learn(plan.Runs(), error));
        var report = new LongMemoryReport(plan, results);
        report.Print(output);

        if (rest is [_, string directory])
        {
            Directory.CreateDirectory(directory);
            File.WriteAllText(Path.Combine(directory, $"{Name}.md"), report.Page());
            new LongMemoryPictures(plan, results).Save(directory);
        }

        return 0;
    }

    /// <summary>Runs side by side on all cores; each has its own chance, so the results do not depend on their number.</summary>
    private static LearningResult[] Learn(LearningRun[] runs, TextWriter progress)
    {
        var results = new LearningResult[runs.Length];
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(progress) });
        console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask($"{runs.Length} runs", maxValue: runs.Sum(Work));
                // The longest first, one at a time, so that the cores finish together.
                int[] order = [.. Enumerable.Range(0, runs.Length).OrderByDescending(run => Work(runs[run]))];
                Parallel.ForEach(
                    Partitioner.Create(order, EnumerablePartitionerOptions.NoBuffering),
                    new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
                    run => results[run] = runs[run].Learn(updates =>
                    {
                        lock (bar)
                        {
                            bar.Increment(updates * runs[run].Lag);
                        }
                    }));
            });
        return results;

        static double Work(LearningRun run) => (double)run.Options.UpdatesMax * run.Lag;
    }
}
