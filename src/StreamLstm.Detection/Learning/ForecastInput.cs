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
        input[3] = Step(row - 1);
        Fill(row, input, anchors, known: null);
    }

    /// <summary>Writes inputs (rows, Size) and anchors (rows, Anchors) of rows that follow one another, each as it would be alone.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="inputs">Overwritten; so many rows are meant as there is room for.</param>
    /// <param name="anchors">Overwritten.</param>
    /// <param name="known">What the values of rows are, each looked up once.</param>
    public void Encode(long first, Span<float> inputs, Span<int> anchors, ValueTokens known)
    {
        known.Begin();

        for (int at = 0; at < inputs.Length / Size; at++)
        {
            Span<float> input = inputs.Slice(at * Size, Size);
            input[3] = at == 0 ? Step(first - 1) : inputs[(at - 1) * Size + 2];
            Fill(first + at, input, anchors.Slice(at * Anchors, Anchors), known);
        }
    }

    /// <summary>The bins of the values one, six and twenty-four rows on from each row (rows, horizons); -1 where they have not come yet or must not teach.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="targets">Overwritten.</param>
    /// <param name="known">What <see cref="Encode(long, Span{float}, Span{int}, ValueTokens)"/> of the same rows has looked up.</param>
    public void EncodeTargets(long first, Span<int> targets, ValueTokens known)
    {
        for (int at = 0; at < targets.Length; at++)
        {
            long target = first + (at / Horizons.Length) + Horizons[at % Horizons.Length];
            targets[at] = target < ring.Count && !ring.IsAbnormal(target) ? TokenOf(target, known).Bin : -1;
        }
    }

    /// <summary>All of it but what the row before came by.</summary>
    private void Fill(long row, Span<float> input, Span<int> anchors, ValueTokens? known)
    {
        ValueToken token = TokenOf(row, known);
        input[0] = token.Rank;
        input[1] = (float)(0.7 * Scale.Y(token.Value));
        input[2] = Step(row);
        input[4] = (float)(0.25 * ring.Gap(row));
        input[11] = ShortSeason > 0 && row + 1 - ShortSeason >= ring.First ? 1 : 0;
        input[12] = LongSeason > 0 && row + 1 - LongSeason >= ring.First ? 1 : 0;

        for (int h = 0; h < Horizons.Length; h++)
        {
            anchors[h * AnchorsPerHorizon] = token.Bin;
            (input[5 + h], anchors[h * AnchorsPerHorizon + 1]) = Season(row, Horizons[h], ShortSeason, known);
            (input[8 + h], anchors[h * AnchorsPerHorizon + 2]) = Season(row, Horizons[h], LongSeason, known);
        }
    }

    /// <summary>By how much a row's value came; nothing for what came from nowhere.</summary>
    private float Step(long row) => row > ring.First ? (float)(0.7 * Math.Asinh((ring[row] - ring[row - 1]) / DifferenceScale)) : 0;

    private (float Rank, int Bin) Season(long row, int horizon, int season, ValueTokens? known)
    {
        long source = row + horizon - season;

        if (season < horizon || season == 0 || source < ring.First || source > row)
        {
            return (0, -1);
        }

        ValueToken token = TokenOf(source, known);
        return (token.Rank, token.Bin);
    }

    private ValueToken TokenOf(long row, ValueTokens? known)
    {
        if (known?.Find(row) is { } token)
        {
            return token;
        }

        double value = ring[row];
        token = new ValueToken(value, (float)(3 * history.CentredRank(value)), bins.BinOf(value));
        known?.Add(row, token);
        return token;
    }
}
