using System.Globalization;

namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>What a demonstration has measured, with whom it was measured beside, and some of what was told.</summary>
/// <param name="Scores">What was measured.</param>
/// <param name="Told">Sentences of incidents, or answers, for people.</param>
internal sealed record DemonstrationResult(IReadOnlyList<DemonstrationScore> Scores, IReadOnlyList<string> Told)
{
    /// <summary>What there is to be drawn; null for nothing.</summary>
    public DemonstrationPicture? Picture { get; init; }
}

/// <summary>Lines of one chart.</summary>
/// <param name="Title">Above it.</param>
/// <param name="X">What goes to the right.</param>
/// <param name="Y">What goes up.</param>
/// <param name="Lines">The lines.</param>
internal sealed record DemonstrationPicture(string Title, string X, string Y, IReadOnlyList<DemonstrationLine> Lines)
{
    /// <summary>Stretches of x in which something was wrong.</summary>
    public IReadOnlyList<(double From, double To)> Faults { get; init; } = [];
}

/// <summary>One line of a chart.</summary>
/// <param name="Name">In the legend.</param>
/// <param name="Xs">Where its points are to the right.</param>
/// <param name="Ys">How high they are.</param>
internal sealed record DemonstrationLine(string Name, double[] Xs, double[] Ys);

/// <summary>One figure of ours beside those of simple peers.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Ours">This program's.</param>
/// <param name="Peers">The others' names and figures; none where there is nothing to compare with.</param>
internal sealed record DemonstrationScore(string Name, double Ours, IReadOnlyList<(string Name, double Value)> Peers)
{
    /// <summary>A line for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}: {Ours:0.000}{string.Concat(Peers.Select(peer => string.Create(CultureInfo.InvariantCulture, $", {peer.Name} {peer.Value:0.000}")))}");
}

/// <summary>The area under the curve of what is found against what is found wrongly: the chance that an odd one scores more than an ordinary one.</summary>
internal static class RocArea
{
    /// <summary>Ties count a half.</summary>
    /// <param name="odd">Scores of the odd.</param>
    /// <param name="ordinary">Scores of the ordinary.</param>
    /// <exception cref="ArgumentException">There is none of one of them.</exception>
    public static double Of(IReadOnlyCollection<double> odd, IReadOnlyCollection<double> ordinary)
    {
        if (odd.Count == 0 || ordinary.Count == 0)
        {
            throw new ArgumentException($"{odd.Count} odd and {ordinary.Count} ordinary scores, expected at least one of each");
        }

        double[] sorted = [.. ordinary.Order()];
        double wins = 0;

        foreach (double score in odd)
        {
            wins += (First(sorted, score, orEqual: false) + First(sorted, score, orEqual: true)) / 2.0;
        }

        return wins / ((double)odd.Count * ordinary.Count);
    }

    /// <summary>The curve itself, from no ordinary one to all of them: share of the odd against share of the ordinary that score more than a line.</summary>
    public static DemonstrationLine Curve(string name, IReadOnlyCollection<double> odd, IReadOnlyCollection<double> ordinary, double ordinaryMax)
    {
        double[] sorted = [.. ordinary.OrderDescending()];
        double[] found = [.. odd.OrderDescending()];
        List<double> xs = [0], ys = [0];

        for (int i = 0, above = 0; i < sorted.Length && (double)i / sorted.Length <= ordinaryMax; i++)
        {
            while (above < found.Length && found[above] > sorted[i])
            {
                above++;
            }

            xs.Add((double)i / sorted.Length);
            ys.Add((double)above / found.Length);
        }

        return new DemonstrationLine(name, [.. xs], [.. ys]);
    }

    /// <summary>How many are less, or less or equal.</summary>
    private static int First(double[] sorted, double score, bool orEqual)
    {
        int low = 0, high = sorted.Length;

        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = sorted[middle] < score || (orEqual && sorted[middle] == score) ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
