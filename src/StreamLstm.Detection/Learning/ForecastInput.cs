using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model;

namespace StreamLstm.Detection.Learning;

/// <summary>What the network is told at one row, and what it is asked: a stream's values as ranks, bins and differences.</summary>
/// <remarks>
/// Nothing here has a unit: ranks and bins are the stream's own, so weights learnt on one stream mean something on
/// another. That is what lets one set of base weights serve a whole fleet.
/// </remarks>
internal sealed class ForecastInput(ValueRing ring, SortedReservoir history, QuantileBins bins)
{
    /// <summary>Rows ahead that the network forecasts.</summary>
    public static readonly int[] Horizons = [1, 6, 24];

    /// <summary>The furthest of them.</summary>
    public const int HorizonMax = 24;

    /// <summary>Values an input holds.</summary>
    public const int Size = 13;

    /// <summary>Bins the forecast leans on: the last value's, and those one and two seasons before the target.</summary>
    public const int AnchorsPerHorizon = 3;

    /// <summary>Anchors of a row.</summary>
    public static readonly int Anchors = Horizons.Length * AnchorsPerHorizon;

    /// <summary>The network's shape: one layer of 24 cells, three horizons of 32 bins.</summary>
    public static readonly ForecastShape Shape = new(
        new LstmShape(Size, 24, 1, Horizons.Length * QuantileBins.Count),
        Horizons.Length,
        QuantileBins.Count,
        AnchorsPerHorizon);

    /// <summary>Rows of a day, or of the stream's own period; 0 for none.</summary>
    public int ShortSeason { get; set; }

    /// <summary>Rows of a week, or of two periods; 0 for none.</summary>
    public int LongSeason { get; set; }

    public ValueScale Scale { get; set; }

    /// <summary>The 80 % quantile of the size of recent differences.</summary>
    public double DifferenceScale { get; set; } = 1;

    /// <summary>Writes the input (Size) and anchors (Anchors) of a row that the ring holds.</summary>
    public void Encode(long row, Span<float> input, Span<int> anchors)
    {
        double value = ring[row];
        double previous = row > ring.First ? ring[row - 1] : value;
        double beforePrevious = row > ring.First + 1 ? ring[row - 2] : previous;
        input[0] = (float)(3 * history.CentredRank(value));
        input[1] = (float)(0.7 * Scale.Y(value));
        input[2] = (float)(0.7 * Math.Asinh((value - previous) / DifferenceScale));
        input[3] = (float)(0.7 * Math.Asinh((previous - beforePrevious) / DifferenceScale));
        input[4] = (float)(0.25 * ring.Gap(row));
        input[11] = ShortSeason > 0 && row + 1 - ShortSeason >= ring.First ? 1 : 0;
        input[12] = LongSeason > 0 && row + 1 - LongSeason >= ring.First ? 1 : 0;

        int lastBin = bins.BinOf(value);

        for (int h = 0; h < Horizons.Length; h++)
        {
            anchors[h * AnchorsPerHorizon] = lastBin;
            (input[5 + h], anchors[h * AnchorsPerHorizon + 1]) = Season(row, Horizons[h], ShortSeason);
            (input[8 + h], anchors[h * AnchorsPerHorizon + 2]) = Season(row, Horizons[h], LongSeason);
        }
    }

    /// <summary>The bins of the values one, six and twenty-four rows on; -1 where they have not come yet or must not teach.</summary>
    public void EncodeTargets(long row, Span<int> targets)
    {
        for (int h = 0; h < Horizons.Length; h++)
        {
            long target = row + Horizons[h];
            targets[h] = target < ring.Count && !ring.IsAbnormal(target) ? bins.BinOf(ring[target]) : -1;
        }
    }

    private (float Rank, int Bin) Season(long row, int horizon, int season)
    {
        long source = row + horizon - season;

        if (season < horizon || season == 0 || source < ring.First || source > row)
        {
            return (0, -1);
        }

        double value = ring[source];
        return ((float)(3 * history.CentredRank(value)), bins.BinOf(value));
    }
}
