namespace StreamLstm.IntegrationTests.Support;

/// <summary>A noisy daily-shaped series, 144 rows a day.</summary>
internal static class Series
{
    public static double[] Daily(int seed, int rows)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, rows).Select(row => 20 + 5 * Math.Sin(2 * Math.PI * row / 144)
                + 0.5 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())),
        ];
    }
}
