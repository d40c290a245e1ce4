namespace StreamLstm.Backtesting.Report;

/// <summary>What one stream's rows were and what was said of them, in a bounded number of buckets.</summary>
/// <remarks>
/// A bucket holds the extremes of as many rows as it stands for, so that no spike is lost by thinning; where there are
/// too many, neighbours are merged two by two.
/// </remarks>
/// <param name="name">The stream.</param>
/// <param name="columns">Values of a row.</param>
/// <param name="isTimed">Whether rows carry a time of their own.</param>
internal sealed class StreamCourse(string name, int columns, bool isTimed)
{
    private const int BucketsMax = 4096;

    private readonly List<CourseBucket> _buckets = [];
    private int _stride = 1;
    private int _filled;

    public string Name { get; } = name;

    /// <summary>Whether rows carry a time of their own; otherwise they are numbered, a second apart.</summary>
    public bool IsTimed { get; } = isTimed;

    /// <summary>Values of a row; expectations are known where it is one.</summary>
    public int Columns { get; } = columns;

    public IReadOnlyList<CourseBucket> Buckets => _buckets;

    /// <summary>Rows one bucket stands for.</summary>
    public int RowsPerBucket => _stride;

    public List<ReportedIncident> Incidents { get; } = [];

    /// <summary>Times within which something is known to have been wrong.</summary>
    public List<LabelWindow> Labels { get; } = [];

    /// <summary>Evidence of every row in decades, NaN where there is none.</summary>
    public List<float> Scores { get; } = [];

    /// <summary>The strongest incident from near by; null where there is none.</summary>
    public Closeup? Closeup { get; private set; }

    public long Rows => Scores.Count;

    public DateTimeOffset First { get; private set; }

    public DateTimeOffset Last { get; private set; }

    public void Add(in ReportedRow reported)
    {
        (SeriesRow row, RowVerdict verdict, _) = reported;
        First = Rows == 0 ? row.Time : First;
        Last = row.Time > Last ? row.Time : Last;
        Scores.Add((float)(verdict.Evidence ?? double.NaN));
        Closeup = verdict.Closeup ?? Closeup;
        double value = row.Values[0];
        bool judged = Columns == 1;
        Add(new CourseBucket(
            row.Time, value, value, judged ? verdict.Lower ?? double.NaN : double.NaN, judged ? verdict.Upper ?? double.NaN : double.NaN,
            judged ? verdict.Expected ?? double.NaN : double.NaN, 100 * verdict.AnomalyScore));

        foreach (Detection.Deciding.IncidentEvent incident in verdict.Incidents ?? [])
        {
            ReportedIncident? known = Incidents.Find(one => one.Id == incident.IncidentId);

            if (known is null)
            {
                Incidents.Add(known = new ReportedIncident(incident.IncidentId));
            }

            known.Take(incident);
        }
    }

    private void Add(CourseBucket row)
    {
        if (_filled > 0)
        {
            _buckets[^1] = CourseBucket.Merge(_buckets[^1], row);
        }
        else if (_buckets.Count < BucketsMax)
        {
            _buckets.Add(row);
        }
        else
        {
            for (int i = 0; i < BucketsMax / 2; i++)
            {
                _buckets[i] = CourseBucket.Merge(_buckets[2 * i], _buckets[2 * i + 1]);
            }

            _buckets.RemoveRange(BucketsMax / 2, BucketsMax / 2);
            _buckets.Add(row);
            _stride *= 2;
        }

        _filled = (_filled + 1) % _stride;
    }
}

/// <summary>Some rows in a row: from when, the extremes of their values and bands, an expectation, the highest score (0 to 100).</summary>
internal readonly record struct CourseBucket(
    DateTimeOffset Time, double Low, double High, double Lower, double Upper, double Expected, double Score)
{
    public static CourseBucket Merge(in CourseBucket a, in CourseBucket b) => new(
        a.Time, Min(a.Low, b.Low), Max(a.High, b.High), Min(a.Lower, b.Lower), Max(a.Upper, b.Upper),
        double.IsNaN(b.Expected) ? a.Expected : b.Expected, Max(a.Score, b.Score));

    private static double Min(double a, double b) => double.IsNaN(a) ? b : double.IsNaN(b) ? a : Math.Min(a, b);

    private static double Max(double a, double b) => double.IsNaN(a) ? b : double.IsNaN(b) ? a : Math.Max(a, b);
}

/// <summary>From and to, both inclusive.</summary>
internal readonly record struct LabelWindow(DateTimeOffset Start, DateTimeOffset End);
