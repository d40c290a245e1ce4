using StreamLstm.Detection;

namespace StreamLstm.Daemon.Views;

/// <summary>A stream's last points: as many as it may keep, in an array that grows with what came.</summary>
internal sealed class LastPoints
{
    private const int SizeAtFirst = 8;

    private Point[] _points = [];
    private int _first;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many there may be; fewer let go of the oldest.</summary>
    public int Capacity { get; private set; }

    public void Allow(int capacity)
    {
        Capacity = capacity;

        if (Count > capacity)
        {
            Resize(capacity, kept: capacity);
        }
    }

    public void Add(in ScoredObservation scored)
    {
        if (Capacity == 0)
        {
            return;
        }

        if (Count == _points.Length && Count < Capacity)
        {
            Resize(Math.Min(Capacity, Math.Max(SizeAtFirst, 2 * Count)), Count);
        }

        Point point = new(
            scored.Time, scored.Value, (float)scored.Score, scored.Expected ?? double.NaN, scored.Lower ?? double.NaN, scored.Upper ?? double.NaN, scored.IsAlert);

        if (Count < _points.Length)
        {
            _points[(_first + Count++) % _points.Length] = point;
        }
        else
        {
            _points[_first] = point;
            _first = (_first + 1) % _points.Length;
        }
    }

    /// <summary>So many of the last ones, oldest first.</summary>
    public IEnumerable<LivePoint> Last(int count)
    {
        for (int i = Math.Max(0, Count - count); i < Count; i++)
        {
            yield return _points[(_first + i) % _points.Length].Shown();
        }
    }

    /// <summary>What was kept of them.</summary>
    public void Load(IReadOnlyList<LivePoint> points)
    {
        foreach (LivePoint point in points)
        {
            Add(new ScoredObservation("", point.Time, point.Value, Lifecycle.Active, 1, 0)
            {
                AnomalyScore = point.Score / 100, Expected = point.Expected, Lower = point.Lower, Upper = point.Upper, IsAlert = point.Alert,
            });
        }
    }

    private void Resize(int size, int kept)
    {
        var points = new Point[size];

        for (int i = 0; i < kept; i++)
        {
            points[i] = _points[(_first + Count - kept + i) % _points.Length];
        }

        (_points, _first, Count) = (points, 0, kept);
    }

    private readonly record struct Point(DateTimeOffset Time, double Value, float Score, double Expected, double Lower, double Upper, bool Alert)
    {
        public LivePoint Shown() => new(Time, Value, Math.Round((double)Score, 4), Known(Expected), Known(Lower), Known(Upper), Alert);

        private static double? Known(double value) => double.IsNaN(value) ? null : value;
    }
}
