using System.Diagnostics;
using System.Globalization;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Benchmarks.Events;

/// <summary>Logs through the detector as the daemon runs it: false alarms, what is found, time and memory.</summary>
internal static class EventsBenchmark
{
    private const int CleanLines = 100_000;

    private static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    public static void Run(BenchmarkRun run)
    {
        int lines = run.Small ? 6_000 : CleanLines;
        int[] seeds = run.Small ? [1] : [1, 2, 3];

        foreach (bool keyed in (bool[])[true, false])
        {
            string form = keyed ? "sessions by key" : "one row of events";
            double opened = 0, microseconds = 0, bytes = 0;

            foreach (int seed in seeds)
            {
                IReadOnlyList<ServiceLogLine> log = new ServiceLog(seed).Lines(lines);
                Outcome clean = Watch(log, keyed);
                opened += clean.Incidents.Count / (double)seeds.Length;
                microseconds += clean.Microseconds / seeds.Length;
                bytes += clean.Bytes / seeds.Length;
                clean.Incidents.ForEach(incident => run.Print($"  false, seed {seed}: {incident.Explanation}"));
            }

            run.Goal($"E1 {form}, {lines} clean lines", opened, "incidents", 3, atLeast: false);
            run.Print(string.Create(CultureInfo.InvariantCulture, $"E2 {form}: {microseconds:0.0} us per line, {bytes / 1024:0} KiB per stream"));

            foreach (ServiceFault fault in Enum.GetValues<ServiceFault>().Where(fault => fault <= ServiceFault.KnownError))
            {
                // One fault to a log: a second one of its kind would be no news.
                int found = 0, times = 0;
                int[] at = run.Small ? [4_000] : [15_000, 40_000];

                foreach ((int seed, int line) in seeds.SelectMany(seed => at.Select(line => (seed, line))))
                {
                    IReadOnlyList<ServiceLogLine> log = new ServiceLog(100 * seed + line).Lines(line + 2_000, (line, fault));
                    Outcome outcome = Watch(log, keyed);
                    IncidentEvent? told = outcome.Incidents.Find(incident => IsOf(incident, log, line));
                    times++;
                    found += told is null ? 0 : 1;
                    run.Print($"  {fault}, line {line}: {told?.Explanation ?? "not found"}");
                }

                run.Print(string.Create(CultureInfo.InvariantCulture, $"E3 {form}: {fault} found {found} of {times}"));
            }
        }

        Stall(run);
    }

    /// <summary>The longest that one event holds its shard up, where the network has all the places it may have.</summary>
    private static void Stall(BenchmarkRun run)
    {
        int rows = run.Small ? 2_000 : 10_000;
        var fastest = new double[rows];
        Array.Fill(fastest, double.PositiveInfinity);

        // What the machine does meanwhile hits each turn elsewhere; what the detector does hits all.
        for (int turn = 0; turn < (run.Small ? 1 : 4); turn++)
        {
            var random = new Random(2);
            var detector = new AnomalyDetector();

            for (int row = 0; row < rows; row++)
            {
                var what = new TextEvent(string.Create(CultureInfo.InvariantCulture, $"kind {random.Next(300)}"), IsKind: true);
                var observation = Observation.Of("kinds", Start.AddMilliseconds(row), what);
                long before = Stopwatch.GetTimestamp();
                detector.Score(observation);
                fastest[row] = Math.Min(fastest[row], Stopwatch.GetElapsedTime(before).TotalMilliseconds);
            }
        }

        run.Goal("E4 longest stall, 256 kinds", fastest.Max(), "ms", 1, atLeast: false);
    }

    /// <summary>Within a minute and a half of the fault's beginning.</summary>
    private static bool IsOf(IncidentEvent incident, IReadOnlyList<ServiceLogLine> log, int line) =>
        incident.Onset >= log[line].Time.AddSeconds(-1) && incident.Onset <= log[line].Time.AddSeconds(90);

    private static Outcome Watch(IReadOnlyList<ServiceLogLine> log, bool keyed)
    {
        BaseModel model = BaseModel.Untrained(1);
        var output = new ShardOutput();
        var scratch = new DetectionScratch();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(1, 1), 0, 1, scratch);
        List<IncidentEvent> incidents = [];
        var batch = new Observation[1];
        var watch = Stopwatch.StartNew();

        for (int i = 0; i < log.Count; i++)
        {
            ServiceLogLine line = log[i];
            string text = keyed && line.Request is { } request ? line.Text.Replace(request, "<key>", StringComparison.Ordinal) : line.Text;
            batch[0] = Observation.Of("shop", line.Time, new TextEvent(text, keyed ? line.Request : null));
            output.Clear();
            shard.Apply(batch, line.Time, model, output);
            incidents.AddRange(output.Incidents.Where(incident => incident.State == IncidentState.Opened));
        }

        double microseconds = watch.Elapsed.TotalMicroseconds / log.Count;
        output.Clear();
        double bytes = Math.Max(0, GC.GetTotalMemory(forceFullCollection: true) - before);
        GC.KeepAlive(shard);
        GC.KeepAlive(log);
        return new Outcome(incidents, microseconds, bytes);
    }

    private sealed record Outcome(List<IncidentEvent> Incidents, double Microseconds, double Bytes);
}
