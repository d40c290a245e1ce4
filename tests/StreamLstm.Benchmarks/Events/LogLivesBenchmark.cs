using System.Globalization;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Benchmarks.Events;

/// <summary>Whole lives of logs in which the same comes again and again: what is told of it, and what is told besides.</summary>
internal static class LogLivesBenchmark
{
    private const int Occurrences = 7;
    private const int FirstAt = 4_000;
    private const int LastAt = 23_000;
    private const int Lines = 24_000;

    /// <summary>20 lines a second, one, and three a minute.</summary>
    private static readonly double[] Slownesses = [1, 20, 400];

    public static void Run(BenchmarkRun run)
    {
        int[] seeds = run.Small ? [1] : [1, 2, 3];
        double[] slownesses = run.Small ? [1] : Slownesses;
        int found = 0, again = 0, times = 0, timesAgain = 0, falseAlarms = 0, lines = 0;
        double highest = 0;

        foreach (double slowness in slownesses)
        {
            foreach (ServiceFault fault in Enum.GetValues<ServiceFault>().Where(fault => fault < ServiceFault.RegularJob))
            {
                var told = new int[Occurrences];
                var scores = new double[Occurrences];
                int besides = 0;

                foreach (int seed in seeds)
                {
                    int[] at = Places(seed);
                    IReadOnlyList<ServiceLogLine> log = Log(seed, fault, slowness, [.. at.Select(line => (line, fault))]);
                    Life life = Watch(log);

                    for (int i = 0; i < Occurrences; i++)
                    {
                        told[i] += life.Opened.Any(incident => IsOf(incident.Onset, log, at[i], slowness)) ? 1 : 0;
                        scores[i] += life.Scores.Where((_, line) => IsOf(log[line].Time, log, at[i], slowness)).Max() / seeds.Length;
                    }

                    besides += life.Opened.Count(incident => !at.Any(line => IsOf(incident.Onset, log, line, slowness)));
                    highest = Math.Max(highest, life.Scores.Where((_, line) => !at.Any(start => line >= start && line < start + 2_000)).Max());
                    lines += log.Count;
                }

                (found, again, falseAlarms) = (found + told.Sum(), again + told[1..].Sum(), falseAlarms + besides);
                (times, timesAgain) = (times + Occurrences * seeds.Length, timesAgain + (Occurrences - 1) * seeds.Length);
                run.Print(string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {fault,-11} x{slowness,-3}: told {string.Join(' ', told)} of {seeds.Length}, scores {string.Join(' ', scores.Select(score => score.ToString(".00", CultureInfo.InvariantCulture)))}, besides {besides}"));
            }

            foreach (ServiceFault change in (ServiceFault[])[ServiceFault.RegularJob, ServiceFault.StaysOften, ServiceFault.StaysSeldom])
            {
                foreach (int seed in seeds)
                {
                    IReadOnlyList<ServiceLogLine> log = Log(seed, change, slowness, [(8_000, change)]);
                    Life life = Watch(log);
                    IncidentEvent[] after = [.. life.Opened.Where(incident => incident.Onset >= log[7_990].Time)];
                    double since = after.Length == 0 ? 0 : log.Count(line => line.Time <= after[^1].Onset) - 8_000;
                    run.Print(string.Create(CultureInfo.InvariantCulture, $"  {change,-11} x{slowness,-3}, seed {seed}: told {after.Length} times, last after {since} lines; before {life.Opened.Count - after.Length}"));
                }
            }
        }

        foreach (double slowness in slownesses)
        {
            double[] evidence = [.. seeds.SelectMany(seed => Watch(Log(50 + seed, ServiceFault.OneLine, slowness, [])).Evidence)];
            run.Print(string.Create(CultureInfo.InvariantCulture, $"  clean x{slowness}: {string.Join(", ", new[] { 2, 2.5, 3, 3.5, 4, 4.5, 5 }.Select(decades => $"{decades:0.0} decades asked {evidence.Length / Math.Pow(10, decades):0.0} got {Runs(evidence, decades)}"))}"));
        }

        run.Goal("L1 recall", (double)found / times, "of all", 0.8);
        run.Goal("L2 recall, second and later", (double)again / timesAgain, "of these", 0.78);
        run.Goal("L3 false alarms", 10_000.0 * falseAlarms / lines, "in 10,000 lines", 1, atLeast: false);
        run.Goal("L4 highest score outside of faults", highest, "", 0.8, atLeast: false);
    }

    private static IReadOnlyList<ServiceLogLine> Log(int seed, ServiceFault fault, double slowness, (int, ServiceFault)[] faults) =>
        new ServiceLog(1_000 * seed + (int)fault) { Slowness = slowness }.Lines(Lines, faults);

    /// <summary>Where it comes: never at the same spacing.</summary>
    private static int[] Places(int seed)
    {
        var random = new Random(seed);
        double step = (LastAt - FirstAt) / (Occurrences - 1.0);
        return [.. Enumerable.Range(0, Occurrences).Select(i => (int)(FirstAt + step * (i + (i is 0 or Occurrences - 1 ? 0 : 0.7 * (random.NextDouble() - 0.5)))))];
    }

    /// <summary>Stretches with at least so much, 30 lines apart.</summary>
    private static int Runs(double[] evidence, double decades)
    {
        int runs = 0, last = -100;

        for (int i = 0; i < evidence.Length; i++)
        {
            if (evidence[i] >= decades)
            {
                runs += i - last > 30 ? 1 : 0;
                last = i;
            }
        }

        return runs;
    }

    /// <summary>Within a minute and a half of the beginning.</summary>
    private static bool IsOf(DateTimeOffset time, IReadOnlyList<ServiceLogLine> log, int line, double slowness) =>
        time >= log[line].Time.AddSeconds(-slowness) && time <= log[line].Time.AddSeconds(90 * slowness);

    private static Life Watch(IReadOnlyList<ServiceLogLine> log)
    {
        BaseModel model = BaseModel.Untrained(1);
        var output = new ShardOutput();
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(1, 1), 0, 1, new DetectionScratch());
        List<IncidentEvent> opened = [];
        List<double> scores = [], evidence = [];
        var batch = new Observation[1];

        foreach (ServiceLogLine line in log)
        {
            string text = line.Request is { } request ? line.Text.Replace(request, "<key>", StringComparison.Ordinal) : line.Text;
            batch[0] = Observation.Of("shop", line.Time, new TextEvent(text, line.Request));
            output.Clear();
            shard.Apply(batch, line.Time, model, output);
            opened.AddRange(output.Incidents.Where(incident => incident.State == IncidentState.Opened));
            evidence.Add(output.Scored[0].Evidence ?? 0);
            scores.Add(output.Scored[0].AnomalyScore);
        }

        return new Life(opened, scores, evidence);
    }

    private sealed record Life(List<IncidentEvent> Opened, List<double> Scores, List<double> Evidence);
}
