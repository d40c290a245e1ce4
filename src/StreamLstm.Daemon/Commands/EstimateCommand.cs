using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using StreamLstm.Backtesting;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm estimate</c>: how many streams this machine bears, measured on it, before anything is deployed.</summary>
internal static class EstimateCommand
{
    private const double Kib = 1024, Mib = 1024 * Kib, Gib = 1024 * Mib;

    public static Command Create(Func<ParseResult, Action<DaemonOptions>, int> withOptions, TextWriter output, TextWriter error)
    {
        var streams = new Option<long?>("--streams") { Description = "Streams that are planned: whether they fit, and what they take.", HelpName = "N" };
        var every = new Option<string>("--every") { Description = "Time between two observations of a stream.", HelpName = "TIME", DefaultValueFactory = _ => "10s" };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command(
            "estimate",
            """
            Measure on this computer what a stream takes of memory, disk and processor, and say how many it bears.

            It scores synthetic streams for about half a minute, on one core; a daemon that runs is not touched and makes the figures smaller.

            Examples:
              streamlstm estimate
              streamlstm estimate --streams 20000 --every 10s
              streamlstm estimate --streams 500 --every 1s --output json
            """)
        {
            streams, every, format,
        };
        command.SetAction((parsed, cancellation) =>
        {
            int answer = 0;
            int configured = withOptions(parsed, options => answer = FileCommand.Answer(
                () =>
                {
                    Plan? plan = Checked(parsed.GetValue(streams), parsed.GetValue(every)!);
                    IReadOnlyList<StreamCost> costs = WorkProgress.With("measuring", StreamCost.Observations, error, progress => StreamCost.Measure(
                        options.DetectorOptions(), BaseWeightsFile.Start(options.Detection.BaseWeights, options.Detection.Seed), progress, cancellation));
                    double available = MemoryBudget.OfProcess.Available;

                    if (parsed.GetValue(format) == "json")
                    {
                        WriteJson(costs, available, plan, output);
                    }
                    else
                    {
                        Write(costs, available, plan, output);
                    }

                    return 0;
                },
                "nothing was measured",
                error));
            return Task.FromResult(configured == 0 ? answer : configured);
        });
        return command;
    }

    /// <summary>What of a form the plan takes.</summary>
    /// <param name="cost">The form.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="available">Bytes that the process may use.</param>
    /// <param name="cores">Cores that it may use.</param>
    internal static Need NeedOf(StreamCost cost, Plan plan, double available, int cores)
    {
        double rate = plan.Streams / plan.Every.TotalSeconds, bytes = plan.Streams * cost.Bytes;
        return new Need(
            bytes, plan.Streams * cost.DiskBytes, rate / cost.GrownPerSecond, rate / cost.YoungPerSecond,
            FitsMemory: bytes <= new MemoryBudget((long)available).StreamBytes, FitsProcessor: rate / cost.GrownPerSecond <= cores);
    }

    private static Plan? Checked(long? streams, string every) =>
        streams < 1 ? throw new BacktestUsageException($"--streams: {streams}, expected 1 or more")
        : !Duration.TryParse(every, out TimeSpan time) || time <= TimeSpan.Zero ? throw new BacktestUsageException($"--every: '{every}', expected a duration such as 500ms, 10s or 5m")
        : streams is { } count ? new Plan(count, time) : null;

    internal static void Write(IReadOnlyList<StreamCost> costs, double available, Plan? plan, TextWriter output)
    {
        output.WriteLine(Text(
            $"this machine: {Environment.ProcessorCount} cores, {available / Gib:0.0} GiB for this process; streams with {StreamCost.GrownRows:N0} observations, scored on one core (taking in, journal and sinks come to it)"));
        output.WriteLine();
        output.WriteLine(Text($"{"",-22}{"KiB a stream",14}{"streams a GiB",15}{"snapshot KiB",14}{"obs/s a core",14}{"while young",13}"));

        foreach (StreamCost cost in costs)
        {
            output.WriteLine(Text(
                $"{cost.Name,-22}{cost.Bytes / Kib,14:N0}{Gib / cost.Bytes,15:N0}{cost.DiskBytes / Kib,14:N0}{cost.GrownPerSecond,14:N0}{cost.YoungPerSecond,13:N0}"));
        }

        if (plan is null)
        {
            output.WriteLine();
            output.WriteLine("--streams N --every TIME says whether a plan fits");
            return;
        }

        output.WriteLine();
        output.WriteLine(Text($"{plan.Streams:N0} streams, an observation every {plan.Every.TotalSeconds:0.###} s each:"));

        foreach (StreamCost cost in costs)
        {
            Need need = NeedOf(cost, plan, available, Environment.ProcessorCount);
            output.WriteLine(Text(
                $"{cost.Name,-22}{need.Bytes / Gib,8:0.00} GiB of memory, {need.DiskBytes / Gib:0.00} GiB a snapshot, {need.Cores:0.00} cores, {need.CoresWhileYoung:0.00} while all are young: {Verdict(need)}"));
        }

        bool Fits(StreamForm form) => costs.Where(cost => cost.Form == form).Take(1).All(cost => NeedOf(cost, plan, available, Environment.ProcessorCount) is { FitsMemory: true, FitsProcessor: true });
        output.WriteLine(
            Fits(StreamForm.Full) ? "the form that finds most fits: nothing is to be set"
            : Fits(StreamForm.Lean) ? "set detection.form: lean; or share the streams among several daemons (README, More than one machine)"
            : Fits(StreamForm.Shared) ? "set detection.form: shared, which finds fewer faults; or share the streams among several daemons (README, More than one machine)"
            : "share the streams among several daemons (README, More than one machine), or take another machine");
    }

    private static string Verdict(Need need) => (need.FitsMemory, need.FitsProcessor) switch
    {
        (true, true) => "fits",
        (false, true) => "does not fit: memory",
        (true, false) => "does not fit: processor",
        _ => "does not fit: memory and processor",
    };

    private static void WriteJson(IReadOnlyList<StreamCost> costs, double available, Plan? plan, TextWriter output) => output.WriteLine(JsonSerializer.Serialize(
        new
        {
            cores = Environment.ProcessorCount,
            available_bytes = (long)available,
            rows = StreamCost.GrownRows,
            costs,
            plan = plan is null ? null : new { plan.Streams, every_seconds = plan.Every.TotalSeconds },
            needs = plan is null ? null : costs.ToDictionary(cost => cost.Name, cost => NeedOf(cost, plan, available, Environment.ProcessorCount)),
        },
        EventJson.Options));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>So many streams, each with an observation in so long.</summary>
    internal sealed record Plan(long Streams, TimeSpan Every);

    /// <summary>What a plan takes in one form.</summary>
    /// <param name="Bytes">Of memory.</param>
    /// <param name="DiskBytes">Of a snapshot.</param>
    /// <param name="Cores">Busy with scoring once streams are grown.</param>
    /// <param name="CoresWhileYoung">While all of them are young: above what there is, what comes waits.</param>
    /// <param name="FitsMemory">Whether this process may use as much.</param>
    /// <param name="FitsProcessor">Whether there are as many cores.</param>
    internal sealed record Need(double Bytes, double DiskBytes, double Cores, double CoresWhileYoung, bool FitsMemory, bool FitsProcessor);
}
