namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>When rows come: by the clock, with jitter, with rows or hours missing, or at random.</summary>
internal static class RowTimes
{
    /// <summary>2024-01-01, a Monday, 0 h, in seconds since 1970.</summary>
    public const double Monday = 1704067200;

    /// <summary>(rows) Strictly increasing; what is irregular here is normal.</summary>
    public static double[] Draw(Dice dice, int rows, double step, bool irregular, double begin)
    {
        var seconds = new double[rows];
        double missing = dice.Chance(0.15) ? dice.Scale(0.002, 0.05) : 0;
        double gap = dice.Chance(0.15) ? 1 / dice.Scale(300, 3000) : 0;
        double jitter = dice.Chance(0.15) ? dice.Scale(0.005, 0.15) : 0;
        double grid = begin;

        for (int row = 0; row < rows; row++)
        {
            seconds[row] = grid + Math.Round(Math.Clamp(jitter * dice.Normal(), -0.4, 0.4) * step, 3);
            double steps = irregular ? Math.Max(0.02, dice.Exponential(1)) : 1;
            steps += irregular || !dice.Chance(missing) ? 0 : 1;
            steps += irregular || !dice.Chance(gap) ? 0 : Math.Floor(dice.Scale(2, 60));
            grid += irregular ? Math.Max(0.001, Math.Round(steps * step, 3)) : steps * step;
        }

        return irregular ? Increasing(seconds) : seconds;
    }

    private static double[] Increasing(double[] seconds)
    {
        for (int row = 1; row < seconds.Length; row++)
        {
            seconds[row] = Math.Max(seconds[row], seconds[row - 1] + 0.001);
        }

        return seconds;
    }
}
