using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Multivariate;

/// <summary>What a row of several values is worth as evidence: J and its strongest column, on the scale of all streams.</summary>
/// <remarks>
/// J exceeds any fixed threshold many times a day, and a day is a long time: what matters is how often as much was to be
/// expected so far (<see cref="BlockMaximaTail"/>). J alone is a mean, in which one of a hundred columns cannot be heard:
/// hence the strongest column beside it. Both are merged as e-values. Fast learns at once, slow 400 rows late: together they
/// decide when an incident opens, slow alone whether it goes on.
/// </remarks>
internal sealed class JointEvidence
{
    private const int SlowDelayBlocks = 16;

    /// <summary>Mean excess of J expected of a stream, in decades.</summary>
    private const double MeanPrior = 0.1;

    /// <summary>The same of the strongest column.</summary>
    private const double StrongestPrior = 0.2;

    private readonly BlockMaximaTail[] _fast = [new(0, MeanPrior), new(0, StrongestPrior)];
    private readonly BlockMaximaTail[] _slow = [new(SlowDelayBlocks, MeanPrior), new(SlowDelayBlocks, StrongestPrior)];

    /// <summary>Rows after which slow has learnt of a row.</summary>
    public const int SlowRows = (SlowDelayBlocks + 1) * BlockMaximaTail.BlockRows;

    /// <summary>The evidence that opens an incident, in decades: a fault that grows slowly teaches fast its own beginning away, slow sees it.</summary>
    /// <param name="slowCounts">Whether slow knows what is normal now.</param>
    public double Opening(bool slowCounts) => ScoreCombination.Combine([Fast, slowCounts ? Slow : BlockMaximaTail.Unknown]);

    /// <summary>The evidence against all that was seen, in decades.</summary>
    public double Fast { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>The evidence that keeps it open, in decades.</summary>
    public double Slow { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>Judges a row, then learns from it.</summary>
    /// <param name="mean">J.</param>
    /// <param name="strongest">The same of the column that is rarest.</param>
    /// <param name="learns">Whether it counts as something to be expected from now on.</param>
    public void Observe(double mean, double strongest, bool learns)
    {
        Fast = Observe(_fast, mean, strongest, learns);
        Slow = Observe(_slow, mean, strongest, learns);
    }

    /// <summary>A row of which nothing can be said.</summary>
    public void Skip() => Fast = Slow = BlockMaximaTail.Unknown;

    public void Save(BinaryWriter writer)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Save(writer);
        }

        writer.Write(Fast);
        writer.Write(Slow);
    }

    public void Load(BinaryReader reader)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Load(reader);
        }

        Fast = reader.ReadDouble();
        Slow = reader.ReadDouble();
    }

    private static double Observe(BlockMaximaTail[] tails, double mean, double strongest, bool learns)
    {
        Span<double> scores = [tails[0].Score(mean), tails[1].Score(strongest)];

        if (learns)
        {
            tails[0].Add(mean);
            tails[1].Add(strongest);
        }
        else
        {
            tails[0].Skip();
            tails[1].Skip();
        }

        return ScoreCombination.Combine(scores);
    }
}
