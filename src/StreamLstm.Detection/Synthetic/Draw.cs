namespace StreamLstm.Detection.Synthetic;

/// <summary>Random numbers of other distributions than the uniform one.</summary>
internal static class Draw
{
    /// <summary>Uniform in [low, high).</summary>
    public static double Between(ref SeededRandom random, double low, double high) => low + (high - low) * random.NextDouble();

    /// <summary>The logarithm uniform: as many between 1 and 10 as between 10 and 100.</summary>
    public static double Scale(ref SeededRandom random, double low, double high) =>
        low * Math.Pow(high / low, random.NextDouble());

    /// <summary>Standard normal (Box and Muller 1958).</summary>
    public static double Normal(ref SeededRandom random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>Student's t with whole degrees of freedom, by its definition.</summary>
    public static double StudentT(ref SeededRandom random, int degrees)
    {
        double squares = 0;
        double normal = Normal(ref random);

        for (int i = 0; i < degrees; i++)
        {
            double other = Normal(ref random);
            squares += other * other;
        }

        return normal / Math.Sqrt(squares / degrees);
    }

    /// <summary>Poisson: Knuth's product of uniforms below 30, the rounded normal beyond.</summary>
    public static double Poisson(ref SeededRandom random, double mean)
    {
        if (mean >= 30)
        {
            return Math.Max(0, Math.Round(mean + Math.Sqrt(mean) * Normal(ref random)));
        }

        double limit = Math.Exp(-mean), product = random.NextDouble();
        int count = 0;

        for (; product > limit; count++)
        {
            product *= random.NextDouble();
        }

        return count;
    }
}
