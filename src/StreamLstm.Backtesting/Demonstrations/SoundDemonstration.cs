using System.Diagnostics;
using StreamLstm.Features.Audio;

namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>Machines that are listened to, and faults that are heard, without a label.</summary>
internal static class SoundDemonstration
{
    /// <summary>Seconds of a fault, and between two.</summary>
    private const int FaultSeconds = 10;
    private const int BetweenSeconds = 25;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.25);

    /// <summary>Runs all machines.</summary>
    /// <param name="seed">Seed of the machines and of what they do.</param>
    /// <param name="cleanSeconds">Sound of each before its first fault; 180 or more.</param>
    /// <param name="faults">Faults of each, the first the faintest.</param>
    /// <param name="progress">Told of each second of sound.</param>
    /// <param name="cancellation">Ends it.</param>
    public static DemonstrationResult Run(int seed, int cleanSeconds, int faults, Action<long>? progress, CancellationToken cancellation)
    {
        List<DemonstrationScore> scores = [];
        List<string> told = [];
        List<FaultyRecords> runs = [];
        double featureSeconds = 0;
        int total = Seconds(cleanSeconds, faults);

        foreach (SoundMachine machine in Enum.GetValues<SoundMachine>())
        {
            var bands = new LogMelBands(SoundMachines.Rate, LogMelBands.BandsDefault, Interval);
            string name = machine.ToString().ToLowerInvariant();
            FaultyRecords run = FaultyRecords.Run(
                $"sound/{name}", bands.Columns, bands.Interval, Listen(machine, bands), (int)(cleanSeconds / bands.Interval.TotalSeconds),
                record => record[..^1].Average(), cancellation);
            runs.Add(run);
            told.AddRange(run.Told.Take(1));
            scores.Add(new DemonstrationScore($"AUC, {name}", run.Area.Ours, [("mean of bands", run.Area.Level), ("nearest record", run.Area.Nearest)]));
        }

        double perSecond = featureSeconds / (runs.Count * total) + runs.Average(run => run.SecondsPerRecord) / Interval.TotalSeconds;
        scores.Add(new DemonstrationScore(
            "AUC, mean of machines", runs.Average(run => run.Area.Ours), [("mean of bands", runs.Average(run => run.Area.Level)), ("nearest record", runs.Average(run => run.Area.Nearest))]));
        scores.Add(new DemonstrationScore("faults that opened an incident", (double)runs.Sum(run => run.Faults.Found) / runs.Sum(run => run.Faults.All), []));
        scores.Add(new DemonstrationScore("seconds from a fault's sound to its incident", Interval.TotalSeconds * runs.Where(run => run.Faults.Found > 0).Select(run => run.MeanDelay).DefaultIfEmpty(double.NaN).Average(), []));
        scores.Add(new DemonstrationScore("false incidents in an hour of sound", runs.Sum(run => run.False.Incidents) * 3600 / (runs.Sum(run => run.False.Records) * Interval.TotalSeconds), []));
        scores.Add(new DemonstrationScore("microphones a core", 1 / perSecond, []));
        return new DemonstrationResult(scores, told)
        {
            Picture = runs[(int)SoundMachine.Bearing].Picture("A bearing whose fault grows (shaded: it is heard)", Interval),
        };

        IEnumerable<FaultyRecord> Listen(SoundMachine machine, LogMelBands bands)
        {
            var source = new SoundMachines(machine, seed);
            var samples = new float[SoundMachines.Rate];
            List<double[]> records = [];

            for (int second = 0; second < total; second++)
            {
                (int fault, double size) = FaultAt(second - cleanSeconds, faults);
                source.Next(samples, size);
                long began = Stopwatch.GetTimestamp();
                bands.Take(samples, (values, _) => records.Add(values));
                featureSeconds += Stopwatch.GetElapsedTime(began).TotalSeconds;
                progress?.Invoke(1);

                foreach (double[] record in records)
                {
                    yield return new FaultyRecord(record, fault);
                }

                records.Clear();
            }
        }
    }

    /// <summary>Seconds of sound of one machine.</summary>
    public static int Seconds(int cleanSeconds, int faults) => cleanSeconds + faults * (FaultSeconds + BetweenSeconds);

    /// <summary>Which fault is heard in a second, and how far it has come.</summary>
    private static (int Fault, double Size) FaultAt(int second, int faults)
    {
        if (second < 0)
        {
            return (-1, 0);
        }

        int fault = second / (FaultSeconds + BetweenSeconds);
        return second % (FaultSeconds + BetweenSeconds) < BetweenSeconds ? (-1, 0) : (fault, (fault + 1.0) / faults);
    }
}
