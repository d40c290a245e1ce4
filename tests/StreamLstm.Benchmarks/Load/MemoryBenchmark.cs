using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Backtesting.Demonstrations;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection;

namespace StreamLstm.Benchmarks.Load;

/// <summary>What a fleet takes as a whole: pipeline, page's view, journal and a snapshot, each fleet in a process of its own.</summary>
internal static class MemoryBenchmark
{
    /// <summary>Runs one fleet and prints its bytes: what the benchmark starts itself again with.</summary>
    public const string LifeName = "memory-life";

    private const double Gib = 1024.0 * 1024 * 1024;

    /// <summary>Rows of a stream, and of all streams at most.</summary>
    private const int Rows = 600;
    private const int RowsOfAll = 8_000_000;

    public static void Run(BenchmarkRun run)
    {
        int[] fleets = run.Small ? [200, 1_000] : [1_000, 10_000, 100_000, 1_000_000];
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        List<DemonstrationLine> lines = [];

        foreach (StreamForm form in Enum.GetValues<StreamForm>().Reverse())
        {
            List<(double Streams, double Mib)> measured = [];

            foreach (int streams in fleets)
            {
                int rows = Math.Clamp(RowsOfAll / streams, 4, run.Small ? 40 : Rows);

                if (streams * (double)StreamSize.Of(StreamKind.Values, form, ownWeights: false, 1, rows) > 0.7 * available)
                {
                    run.Print(string.Create(CultureInfo.InvariantCulture, $"memory, {streams,7} streams of form {form}: left out, more than this machine has"));
                    continue;
                }

                (double resident, double managed) = Life(run, form, streams, rows);
                measured.Add((Math.Log10(streams), resident / (1024 * 1024)));
                run.Print(string.Create(
                    CultureInfo.InvariantCulture,
                    $"memory, {streams,7} streams of form {form}, {rows} rows each: {resident / (1024 * 1024):0} MiB RSS, managed {managed / (1024 * 1024):0} MiB, {managed / streams / 1024:0.00} KiB a stream"));

                if (form == StreamForm.Shared)
                {
                    run.Goal($"P9 {streams} streams of form Shared, RSS", resident / Gib, "GiB", 3, atLeast: false);
                }
            }

            lines.Add(new DemonstrationLine(form.ToString(), [.. measured.Select(one => one.Streams)], [.. measured.Select(one => Math.Log10(one.Mib))]));
        }

        run.Draw("memory", new DemonstrationPicture("The whole pipeline, each fleet by itself", "streams, as a power of ten", "MiB of RSS, as a power of ten", [.. lines]));
    }

    /// <summary>One fleet: feeds it, takes a snapshot, and prints its RSS and its heap.</summary>
    public static async Task<int> RunLifeAsync(string[] arguments, TextWriter output)
    {
        StreamForm form = Enum.Parse<StreamForm>(arguments[0]);
        int streams = int.Parse(arguments[1], CultureInfo.InvariantCulture), rows = int.Parse(arguments[2], CultureInfo.InvariantCulture);
        using var directory = new TemporaryFolder();
        var options = new DetectionOptions { Form = form, PerStreamMax = 0, StreamsMax = streams };
        var feed = new PacedFeed(streams, rows);
        var generations = new Generations(new LocalDisk(directory.Path), NullLogger.Instance);

        await using (var life = new PipelineLife(directory.Path, options, RestoredState.Nothing(1), generations, feed, _ => { }, [new LiveView()]))
        {
            await feed.Fed;

            while (life.Cut.Queued > 0)
            {
                await Task.Delay(20);
            }

            await life.TakeSnapshotAsync();
            long managed = GC.GetTotalMemory(forceFullCollection: true);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Environment.WorkingSet} {managed}"));
        }

        return 0;
    }

    private static (double Resident, double Managed) Life(BenchmarkRun run, StreamForm form, int streams, int rows)
    {
        string[] arguments = [form.ToString(), streams.ToString(CultureInfo.InvariantCulture), rows.ToString(CultureInfo.InvariantCulture)];

        if (run.Small)
        {
            // In this process, which may be one of tests.
            using var output = new StringWriter();
            RunLifeAsync(arguments, output).GetAwaiter().GetResult();
            return Said(output.ToString());
        }

        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };

        foreach (string argument in (string[])[LifeName, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using Process life = Process.Start(start)!;
        string said = life.StandardOutput.ReadToEnd();
        life.WaitForExit();
        return Said(said);
    }

    private static (double Resident, double Managed) Said(string line)
    {
        string[] said = line.Split(' ');
        return (double.Parse(said[0], CultureInfo.InvariantCulture), double.Parse(said[1], CultureInfo.InvariantCulture));
    }
}
