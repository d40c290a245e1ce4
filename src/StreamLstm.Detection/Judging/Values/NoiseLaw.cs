using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>How a stream's noise grows with its level: as its square root where events are counted, as the level itself where it is a share of it.</summary>
/// <remarks>
/// noise = c * level^power, by least squares of the logarithms over pieces of 16 rows (Taylor's law, 1961). Differences are
/// divided by what the noise is at the present level, so that a quiet night and a busy noon are held to measures of their own.
/// </remarks>
internal sealed class NoiseLaw
{
    private const int PieceRows = 16;
    private const int PiecesMin = 20;

    /// <summary>Deviation of the level's logarithm and correlation below which nothing is known of it.</summary>
    private const double SpreadMin = 0.15;
    private const double CorrelationMin = 0.5;

    /// <summary>A power that hardly moved is the same one: what was learnt with it stays comparable.</summary>
    private const double Moved = 0.1;

    /// <summary>Levels below this share of the usual one are noise themselves.</summary>
    private const double LevelMin = 0.05;

    private double _power;
    private double _usualLevel = 1;

    /// <summary>By how much a difference is to be multiplied at this level.</summary>
    public double FactorAt(double level) =>
        _power == 0 ? 1 : Math.Pow(_usualLevel / Math.Max(level, LevelMin * _usualLevel), _power);

    /// <summary>Looks at all clean rows of the ring.</summary>
    public void Refresh(ValueRing ring)
    {
        double n = 0, sumLevel = 0, sumNoise = 0, levels = 0, noises = 0, products = 0;

        for (long row = ring.First + 1; row + PieceRows <= ring.Count; row += PieceRows)
        {
            double level = 0, noise = 0;
            bool isAbnormal = false;

            for (long i = row; i < row + PieceRows; i++)
            {
                level += ring[i];
                noise += Math.Abs(ring[i] - ring[i - 1]);
                isAbnormal |= ring.IsAbnormal(i);
            }

            if (isAbnormal || noise == 0)
            {
                continue;
            }

            if (level <= 0)
            {
                _power = 0;
                return;
            }

            (level, noise) = (Math.Log(level / PieceRows), Math.Log(noise / PieceRows));
            n++;
            sumLevel += level;
            sumNoise += noise;
            levels += level * level;
            noises += noise * noise;
            products += level * noise;
        }

        if (n < PiecesMin)
        {
            return;
        }

        double meanLevel = sumLevel / n, meanNoise = sumNoise / n;
        double variance = levels / n - meanLevel * meanLevel, covariance = products / n - meanLevel * meanNoise;
        double correlation = covariance / Math.Sqrt(Math.Max(1e-300, variance * (noises / n - meanNoise * meanNoise)));
        double power = variance > SpreadMin * SpreadMin && correlation > CorrelationMin ? Math.Clamp(covariance / variance, 0, 1) : 0;
        _power = Math.Abs(power - _power) > Moved ? power : _power;
        _usualLevel = Math.Exp(meanLevel);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_power);
        writer.Write(_usualLevel);
    }

    public void Load(BinaryReader reader)
    {
        _power = reader.ReadDouble();
        _usualLevel = reader.ReadDouble();
    }
}
