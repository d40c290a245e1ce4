namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>A seeded source of chance that families share by reference.</summary>
internal sealed class Dice(ulong seed)
{
    private SeededRandom _random = new(seed);

    /// <summary>A seed for a source of its own, so that what it draws does not move what is drawn after.</summary>
    public ulong Seed() => _random.NextUInt64();

    /// <summary>Uniform in [low, high).</summary>
    public double Between(double low, double high) => Draw.Between(ref _random, low, high);

    /// <summary>The logarithm uniform in [low, high).</summary>
    public double Scale(double low, double high) => Draw.Scale(ref _random, low, high);

    /// <summary>A whole number, both ends included.</summary>
    public int Whole(int low, int high) => low + _random.Next(high - low + 1);

    public bool Chance(double share) => _random.NextDouble() < share;

    public double Sign() => Chance(0.5) ? 1 : -1;

    public double Normal() => Draw.Normal(ref _random);

    public double StudentT(int degrees) => Draw.StudentT(ref _random, degrees);

    public double Exponential(double mean) => -mean * Math.Log(1 - _random.NextDouble());

    public T Of<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    /// <summary>(rows) One draw for every row.</summary>
    public static double[] Every(int rows, Func<double> draw)
    {
        var values = new double[rows];

        for (int row = 0; row < rows; row++)
        {
            values[row] = draw();
        }

        return values;
    }

    public double[] Normals(int rows) => Every(rows, Normal);

    /// <summary>(rows) AR(1): wanders, and is drawn back; memory 0 is white noise, 1 a random walk of that step.</summary>
    public double[] Wander(int rows, double memory, double deviation)
    {
        double push = memory >= 1 ? deviation : deviation * Math.Sqrt(1 - memory * memory);
        double at = memory >= 1 ? 0 : deviation * Normal();
        return Every(rows, () => at = memory * at + push * Normal());
    }

    /// <summary>(rows) Pulses that come now and then, jump up by a drawn height and fade with the given memory.</summary>
    public double[] Pulses(int rows, double meanGap, double memory, Func<double> height)
    {
        double at = 0;
        return Every(rows, () => at = memory * at + (Chance(1 / meanGap) ? height() : 0));
    }

    /// <summary>(rows) 1, and a drawn level during bursts of a drawn length that come now and then.</summary>
    public double[] Bursts(int rows, double meanGap, int lengthMin, int lengthMax, Func<double> height)
    {
        int left = 0;
        double level = 1;
        return Every(rows, () =>
        {
            if (left-- > 0)
            {
                return level;
            }

            (left, level) = Chance(1 / meanGap) ? (Whole(lengthMin, lengthMax) - 1, height()) : (0, 1);
            return level;
        });
    }

    /// <summary>A shape over a cycle, 0 to 1, made of harmonics: from -1 to 1.</summary>
    public Func<double, double> Harmonics(int count)
    {
        double[] amplitudes = new double[count], phases = new double[count];

        for (int h = 0; h < count; h++)
        {
            amplitudes[h] = Between(0.3, 1) / (h + 1);
            phases[h] = Between(0, 1);
        }

        double total = amplitudes.Sum();
        return x =>
        {
            double sum = 0;

            for (int h = 0; h < count; h++)
            {
                sum += amplitudes[h] * Math.Sin(2 * Math.PI * ((h + 1) * x + phases[h]));
            }

            return sum / total;
        };
    }
}
