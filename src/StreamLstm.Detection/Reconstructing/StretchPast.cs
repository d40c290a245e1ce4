using System.Numerics.Tensors;

namespace StreamLstm.Detection.Reconstructing;

/// <summary>The rows of a stream on its own scale, and where in them what is like a stretch to come can be found.</summary>
/// <param name="y">(rows) Values on the stream's scale.</param>
/// <param name="isAbnormal">(rows) Whether a row is not to be learnt from.</param>
/// <param name="shortSeason">Rows of its short season; 0 for none.</param>
/// <param name="longSeason">Rows of its long season; 0 for none.</param>
internal sealed class StretchPast(float[] y, bool[] isAbnormal, int shortSeason, int longSeason)
{
    /// <summary>Rows before a stretch that the network reads.</summary>
    public const int ReadRows = 96;

    /// <summary>What a row may be like: the last clean value, the rows of three lags before, each also with the level of now, and the stream's middle.</summary>
    public const int Candidates = 2 + 2 * Lags;

    /// <summary>Where among the candidates simple peers are: the short season before, what followed when it was most alike, the last clean value.</summary>
    public const int Season = 0;
    public const int Nearest = 2 * (Lags - 1);
    public const int Carried = 2 * Lags;

    /// <summary>Values of an input.</summary>
    public const int InputSize = 3 + 4 * Lags;

    /// <summary>The short season, the long one, and how long ago it was most as it was just before.</summary>
    private const int Lags = 3;

    /// <summary>Rows just before a stretch by which the past is searched, and by which levels are compared.</summary>
    private const int MatchRows = 32;
    private const int LevelRows = 16;

    /// <summary>Times that a lag is gone back until a clean row is found.</summary>
    private const int LagsBack = 8;

    /// <summary>What an input is within: a level that the stream has never had must not decide alone.</summary>
    private const float Most = 8;

    public int Rows => y.Length;


    /// <summary>(rows) Values on the stream's scale.</summary>
    public ReadOnlySpan<float> Y => y;

    public int CleanBefore(int row) => isAbnormal.AsSpan(0, row).Count(false);

    public bool IsAbnormal(int row) => isAbnormal[row];

    /// <summary>Lays out what the network is told of a stretch: the rows before it as they were, and its own without their values.</summary>
    /// <param name="from">Its first row, <see cref="ReadRows"/> or more.</param>
    /// <param name="length">T: its rows. They need not be there: nothing of them is read.</param>
    /// <param name="inputs">(ReadRows + T, InputSize)</param>
    /// <param name="candidates">(T, Candidates)</param>
    public void Stage(int from, int length, Span<float> inputs, Span<float> candidates)
    {
        Span<int> lags = [shortSeason, longSeason, NearestLag(from, length)];
        Span<float> shifts = stackalloc float[Lags], apart = stackalloc float[Lags];

        for (int lag = 0; lag < Lags; lag++)
        {
            (shifts[lag], apart[lag]) = Compare(from, lags[lag]);
        }

        float carried = 0;
        int since = 0;

        for (int row = from - ReadRows; row < from + length; row++)
        {
            bool isKnown = row < from && !isAbnormal[row];
            carried = isKnown ? y[row] : carried;
            since = isKnown ? 0 : since + 1;
            int step = row - from + ReadRows;
            Span<float> input = inputs.Slice(step * InputSize, InputSize);
            input[0] = isKnown ? 1 : 0;
            input[1] = Math.Clamp(carried, -Most, Most);
            input[2] = MathF.Log(1 + since) / 4;

            for (int lag = 0; lag < Lags; lag++)
            {
                int source = Source(row, from, lags[lag]);
                float value = source < 0 ? carried : y[source], shifted = source < 0 ? carried : value + shifts[lag];
                Span<float> told = input.Slice(3 + 4 * lag, 4);
                told[0] = source < 0 ? 0 : 1;
                told[1] = Math.Clamp(value - carried, -Most, Most);
                told[2] = Math.Clamp(shifts[lag], -Most, Most);
                told[3] = MathF.Log(apart[lag] + 1e-3f) / 4;

                if (row >= from)
                {
                    candidates[(row - from) * Candidates + 2 * lag] = value;
                    candidates[(row - from) * Candidates + 2 * lag + 1] = shifted;
                }
            }

            if (row >= from)
            {
                candidates[(row - from) * Candidates + Carried] = carried;
                candidates[(row - from) * Candidates + Carried + 1] = 0;
            }
        }
    }

    /// <summary>The clean row a lag, or some of them, before a row, and before the stretch; -1 for none.</summary>
    private int Source(int row, int from, int lag)
    {
        int source = lag > 0 ? row - lag : -1;

        for (int back = 1; back < LagsBack && source >= 0 && (source >= from || isAbnormal[source]); back++)
        {
            source -= lag;
        }

        return source >= 0 && source < from && !isAbnormal[source] ? source : -1;
    }

    /// <summary>How much higher the stream has been of late than a lag before, and how far apart both are besides.</summary>
    private (float Shift, float Apart) Compare(int from, int lag)
    {
        Span<float> distances = stackalloc float[MatchRows];
        int count = 0;

        for (int row = from - 1; row >= from - ReadRows && count < MatchRows && lag > 0; row--)
        {
            int source = isAbnormal[row] ? -1 : Source(row, row, lag);

            if (source >= 0)
            {
                distances[count++] = y[row] - y[source];
            }
        }

        if (count == 0)
        {
            return (0, 1);
        }

        distances = distances[..count];
        float shift = TensorPrimitives.Average<float>(distances[..Math.Min(count, LevelRows)]), apart = 0;

        foreach (float distance in distances)
        {
            apart += Math.Abs(distance - shift);
        }

        return (shift, apart / count);
    }

    /// <summary>Rows since the stream was most as it has been just before the stretch, with as many clean rows behind it as the stretch is long; 0 for none.</summary>
    private int NearestLag(int from, int length)
    {
        int end = from;

        while (end > MatchRows && isAbnormal[end - 1])
        {
            end--;
        }

        ReadOnlySpan<float> late = y.AsSpan(end - MatchRows, MatchRows);
        float nearest = float.PositiveInfinity;
        int best = 0, cleanFrom = 0;

        // A place is clean where the last abnormal row lies before it: one pass, as the rows that follow it move with it.
        for (int next = 0, place = MatchRows; place + length <= end - MatchRows; place++)
        {
            for (; next < place + length; next++)
            {
                cleanFrom = isAbnormal[next] ? next + 1 : cleanFrom;
            }

            if (cleanFrom > place - MatchRows)
            {
                continue;
            }

            float distance = TensorPrimitives.Distance<float>(late, y.AsSpan(place - MatchRows, MatchRows));

            if (distance < nearest)
            {
                (nearest, best) = (distance, end - place);
            }
        }

        return best;
    }
}
