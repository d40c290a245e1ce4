using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Scaling;

/// <summary>What comes again in a stream: its period, and the seasons a forecast looks back to.</summary>
internal sealed class Seasons
{
    /// <summary>Rows before a season is looked for; then at every doubling, and once a ring.</summary>
    private const int RowsMin = 256;

    private const double DaySeconds = 86_400;

    /// <summary>Rows after which the stream's shape comes again; 0 for none.</summary>
    public long Period { get; private set; }

    /// <summary>Rows of a day where the records come often enough and fit the ring, else of the period; 0 for none.</summary>
    public int Short { get; private set; }

    /// <summary>Rows of a week, or of two periods; 0 where the ring does not hold them.</summary>
    public int Long { get; private set; }

    /// <summary>Whether a stream of so many rows is to be looked at.</summary>
    public static bool IsDue(long rows, int ringRows) =>
        rows >= RowsMin && (rows % ringRows == 0 || (rows < ringRows && long.IsPow2(rows)));

    /// <summary>Looks for the period in all the ring holds; true where it is another than before.</summary>
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
        bool isOther = Period == 0 ? period != 0 : Math.Abs(period - Period) > 0.15 * Period;
        Period = isOther ? period : Period;
        double dayRows = Math.Round(DaySeconds / Math.Max(usualSeconds, 1e-6));
        bool dayFits = dayRows >= 2 * ForecastInput.HorizonMax && Fits(dayRows, ring);
        double longRows = dayFits ? 7 * dayRows : 2 * Period;
        Long = Fits(longRows, ring) ? (int)longRows : 0;
        Short = dayFits ? (int)dayRows : (int)Period;
        return isOther;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Period);
        writer.Write(Short);
        writer.Write(Long);
    }

    public void Load(BinaryReader reader)
    {
        Period = reader.ReadInt64();
        Short = reader.ReadInt32();
        Long = reader.ReadInt32();
    }

    private static bool Fits(double seasonRows, ValueRing ring) => seasonRows + ForecastInput.HorizonMax <= ring.RowsMax;
}
