using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Scaling;

/// <summary>What comes again in a stream: its period, the seasons a forecast looks back to, and how far it usually is from one season before.</summary>
/// <param name="differencesMax">Differences from one season before that are remembered.</param>
internal sealed class Seasons(int differencesMax)
{
    /// <summary>Rows before a season is looked for; then at every doubling, and once a ring.</summary>
    private const int RowsMin = 256;

    /// <summary>Differences from one season before that must be known before one is called unusual: a season of them, as they come in runs, but no less and no more than this.</summary>
    private const int DifferencesMin = 64;
    private const int DifferencesEnough = 256;

    private const double DaySeconds = 86_400;

    private SortedReservoir _differences = NewDifferences(differencesMax);

    /// <summary>Rows after which the stream's shape comes again; 0 for none.</summary>
    public long Period { get; private set; }

    /// <summary>Rows of a day where the records come often enough and fit the ring, else of the period; 0 for none.</summary>
    public int Short { get; private set; }

    /// <summary>Rows of a week, or of two periods; 0 where the ring does not hold them.</summary>
    public int Long { get; private set; }

    /// <summary>Whether a stream of so many rows is to be looked at.</summary>
    public static bool IsDue(long rows, int ringRows) =>
        rows >= RowsMin && (rows % ringRows == 0 || (rows < ringRows && long.IsPow2(rows)));

    /// <summary>Looks for the period in all the ring holds; true where the short season is another than before.</summary>
    /// <param name="ring">The stream's last values.</param>
    /// <param name="scale">Its scale.</param>
    /// <param name="usualSeconds">The usual gap between two of them.</param>
    /// <param name="scratch">Room to work in.</param>
    public bool Find(ValueRing ring, ValueScale scale, double usualSeconds, DetectionScratch scratch)
    {
        int length = (int)(ring.Count - ring.First);
        Span<double> y = scratch.Series.AsSpan(0, length);

        for (int i = 0; i < length; i++)
        {
            y[i] = scale.Y(ring[ring.First + i]);
        }

        int period = Scaling.Period.Find(y, scratch.Autocorrelation);

        // A period that hardly moved is the same one: changing it would only confuse what was learnt with it.
        if (Period == 0 || Math.Abs(period - Period) > 0.15 * Period)
        {
            Period = period;
        }

        double dayRows = Math.Round(DaySeconds / Math.Max(usualSeconds, 1e-6));
        bool dayFits = dayRows >= 2 * ForecastInput.HorizonMax && Fits(dayRows, ring);
        double longRows = dayFits ? 7 * dayRows : 2 * Period;
        Long = Fits(longRows, ring) ? (int)longRows : 0;
        int season = dayFits ? (int)dayRows : (int)Period;

        if (season == Short)
        {
            return false;
        }

        // What one season's differences are says nothing about another's.
        Short = season;
        _differences = NewDifferences(differencesMax);
        return true;
    }

    /// <summary>How unusual the value's difference from the one a season before is, among all such differences so far; null while that is not known.</summary>
    /// <param name="row">The value's row, which the ring does not hold yet.</param>
    /// <param name="value">The value.</param>
    /// <param name="ring">The stream's last values.</param>
    /// <param name="moves">How often the stream's value has ever changed.</param>
    public Tail? TailOf(long row, double value, ValueRing ring, long moves)
    {
        if (Short == 0 || row - Short < ring.First)
        {
            return null;
        }

        double difference = value - ring[row - Short];
        return _differences.Seen < Math.Clamp(Short, DifferencesMin, DifferencesEnough)
            ? null
            : AsFarAsItsSize(difference, QuantileBins.MarginalTailOf(difference, _differences, ValueScale.Of(_differences), moves));
    }

    /// <summary>Takes the value's difference from the one a season before for one of the stream's.</summary>
    /// <param name="row">The value's row, which the ring does not hold yet.</param>
    /// <param name="value">The value.</param>
    /// <param name="ring">The stream's last values.</param>
    /// <param name="random">For the sample of differences.</param>
    public void Remember(long row, double value, ValueRing ring, ref SeededRandom random)
    {
        if (Short != 0 && row - Short >= ring.First)
        {
            _differences.Add(value - ring[row - Short], ref random);
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Period);
        writer.Write(Short);
        writer.Write(Long);
        _differences.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        Period = reader.ReadInt64();
        Short = reader.ReadInt32();
        Long = reader.ReadInt32();
        _differences.Load(reader);
    }

    /// <summary>A difference is unusual only as far as its size is: a season after a level has changed most known differences lie apart, and none at all, as it should be, would be rare.</summary>
    private Tail AsFarAsItsSize(double difference, Tail tail)
    {
        double size = Math.Abs(difference);
        int larger = _differences.Count - _differences.CountLess(size) + _differences.CountLessOrEqual(-size);
        double perSide = Math.Min(0.5, (larger + 0.5) / (_differences.Count + 1) / 2);
        return tail.Probability < perSide ? tail with { Probability = perSide } : tail;
    }

    private static bool Fits(double seasonRows, ValueRing ring) => seasonRows + ForecastInput.HorizonMax <= ring.RowsMax;

    private static SortedReservoir NewDifferences(int most) => new(most, horizon: 4000);
}
