using System.Diagnostics;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>One recorded row of a demonstration: what was made of the sound or the picture, and whether a fault was in it.</summary>
/// <param name="Values">The record's columns.</param>
/// <param name="Fault">Which fault was in it, counted from 0; -1 for none.</param>
internal readonly record struct FaultyRecord(double[] Values, int Fault);

/// <summary>Runs records through the detector beside <see cref="FramePeers"/>, without a label, and counts what was found.</summary>
internal sealed class FaultyRecords
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Records behind a fault that count neither as odd nor as ordinary: windows still hold some of it, and it was smoothed over ten.</summary>
    private const int MarginRecords = 48;

    private FaultyRecords()
    {
    }

    /// <summary>AUC of a record with a fault against one without: ours, the one figure's, the nearest's.</summary>
    public (double Ours, double Level, double Nearest) Area { get; private init; }

    /// <summary>Faults that opened an incident, of all.</summary>
    public (int Found, int All) Faults { get; private init; }

    /// <summary>Records from a fault's first to the one that opened its incident, that one among them; the mean of those found.</summary>
    public double MeanDelay { get; private init; }

    /// <summary>Incidents that no fault led to, and records outside of faults that could have opened one.</summary>
    public (int Incidents, int Records) False { get; private init; }

    /// <summary>Processor time of judging one record, in seconds; the mean of the second half.</summary>
    public double SecondsPerRecord { get; private init; }

    /// <summary>What was told of each fault that was found.</summary>
    public IReadOnlyList<string> Told { get; private init; } = [];

    /// <summary>What each record scored, and whether a fault was in it: for pictures.</summary>
    public IReadOnlyList<(double Value, bool IsFaulty)> Course { get; private init; } = [];

    /// <summary>The course as a picture.</summary>
    /// <param name="title">Above it.</param>
    /// <param name="interval">Time of a record.</param>
    public DemonstrationPicture Picture(string title, TimeSpan interval)
    {
        double[] seconds = [.. Course.Select((_, i) => i * interval.TotalSeconds)];
        List<(double, double)> faults = [];

        for (int i = 0; i < Course.Count; i++)
        {
            if (Course[i].IsFaulty && (i == 0 || !Course[i - 1].IsFaulty))
            {
                int end = i;

                while (end < Course.Count && Course[end].IsFaulty)
                {
                    end++;
                }

                faults.Add((seconds[i], seconds[end - 1]));
            }
        }

        return new DemonstrationPicture(title, "seconds since the clean part ended", "how unlike normal operation (J)", [new DemonstrationLine("J", seconds, [.. Course.Select(one => one.Value)])]) { Faults = faults };
    }

    /// <param name="stream">The stream's name.</param>
    /// <param name="columns">The records' columns.</param>
    /// <param name="interval">Time of a record.</param>
    /// <param name="records">The records.</param>
    /// <param name="ordinary">Records before the first fault.</param>
    /// <param name="figure">What the simplest peer looks at.</param>
    /// <param name="cancellation">Ends it.</param>
    public static FaultyRecords Run(
        string stream, string[] columns, TimeSpan interval, IEnumerable<FaultyRecord> records, int ordinary, Func<double[], double> figure,
        CancellationToken cancellation)
    {
        var detector = new AnomalyDetector(new DetectionOptions { Vectors = [new VectorOptions { Streams = "*" }] });
        List<double[]> before = [];
        List<double> odd = [], plain = [], oddLevel = [], plainLevel = [], oddNearest = [], plainNearest = [];
        List<(double, bool)> course = [];
        List<string> told = [];
        Dictionary<int, int> firstOf = [], delayOf = [];
        FramePeers? peers = null;
        int row = 0, lastFault = int.MinValue, faultOf = -1, falseIncidents = 0;
        double seconds = 0;

        foreach (FaultyRecord record in records)
        {
            cancellation.ThrowIfCancellationRequested();
            long began = Stopwatch.GetTimestamp();
            ScoredObservation? scored = detector.Score(Observation.Of(stream, Start + row * interval, new ObservedRecord(columns, record.Values)));
            seconds += row >= ordinary / 2 ? Stopwatch.GetElapsedTime(began).TotalSeconds : 0;

            if (record.Fault >= 0)
            {
                (lastFault, faultOf) = (row, record.Fault);
                firstOf.TryAdd(record.Fault, row);
            }

            bool isNear = row - lastFault <= MarginRecords;

            foreach (IncidentEvent opened in detector.LastOutput.Incidents.Where(incident => incident.State == IncidentState.Opened))
            {
                if (!isNear)
                {
                    falseIncidents++;
                }
                else if (delayOf.TryAdd(faultOf, row - firstOf[faultOf] + 1))
                {
                    told.Add(opened.Explanation);
                }
            }

            if (row < ordinary)
            {
                before.Add(record.Values);
            }
            else
            {
                peers ??= new FramePeers(before, figure);
                double value = scored?.Value ?? 0;
                course.Add((value, record.Fault >= 0));

                if (record.Fault >= 0 || !isNear)
                {
                    (record.Fault >= 0 ? odd : plain).Add(value);
                    (record.Fault >= 0 ? oddLevel : plainLevel).Add(peers.Level(record.Values));
                    (record.Fault >= 0 ? oddNearest : plainNearest).Add(peers.Nearest(record.Values));
                }
            }

            row++;
        }

        return new FaultyRecords
        {
            Area = (RocArea.Of(odd, plain), RocArea.Of(oddLevel, plainLevel), RocArea.Of(oddNearest, plainNearest)),
            Faults = (delayOf.Count, firstOf.Count),
            MeanDelay = delayOf.Count == 0 ? double.NaN : delayOf.Values.Average(),
            False = (falseIncidents, plain.Count),
            SecondsPerRecord = seconds / Math.Max(1, row - ordinary / 2),
            Told = told,
            Course = course,
        };
    }
}
