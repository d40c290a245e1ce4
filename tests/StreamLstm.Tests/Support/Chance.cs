namespace StreamLstm.Tests.Support;

/// <summary>Seeded numbers for tests.</summary>
internal static class Chance
{
    public static float[] Normal(Random random, int count, double scale = 1) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(scale * Normal(random)))];

    public static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static double[] Wide(ReadOnlySpan<float> values)
    {
        var wide = new double[values.Length];

        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = values[i];
        }

        return wide;
    }
}
