namespace StreamLstm.Tests.Support;

/// <summary>A noisy daily-shaped series with one spike, one level shift and one flat stretch at known rows.</summary>
internal static class DailySeries
{
    public const int Day = 144;
    public const int Spike = 2200;
    public const int Shift = 2700;
    public const int ShiftEnd = 2900;
    public const int Flat = 3300;
    public const int FlatEnd = 3380;

    public static double[] WithFaults(int seed, int rows = 3600)
    {
        double[] series = Clean(seed, rows);
        series[Spike] += 15;

        for (int row = Shift; row < ShiftEnd; row++)
        {
            series[row] += 6;
        }

        for (int row = Flat; row < FlatEnd; row++)
        {
            series[row] = series[Flat];
        }

        return series;
    }

    public static double[] Clean(int seed, int rows)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, rows).Select(row =>
                20 + 5 * Math.Sin(2 * Math.PI * row / Day) + 2 * Math.Sin(4 * Math.PI * row / Day + 1) + 0.5 * Chance.Normal(random)),
        ];
    }
}
