using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Records;

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

    /// <summary>What is calibrated: J and the strongest column, each fast and slow.</summary>
    public const int Indicators = 4;

    /// <summary>What explanations call them.</summary>
    public static readonly IndicatorWords Words = new(Name, Meaning);

    private static readonly string[] Names = ["together", "strongest", "slow_together", "slow_strongest"];

    private readonly BlockMaximaTail[] _fast = [new(0, MeanPrior), new(0, StrongestPrior)];
    private readonly BlockMaximaTail[] _slow = [new(SlowDelayBlocks, MeanPrior), new(SlowDelayBlocks, StrongestPrior)];

    private readonly double[] _values = new double[Indicators];
    private readonly double[] _scores = new double[Indicators];
    private readonly double[] _plain = new double[Indicators];
    private bool _hasOrdinary;

    /// <summary>The indicators themselves: (indicators).</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Their calibrated scores, in decades: (indicators).</summary>
    public ReadOnlySpan<double> Scores => _scores;

    /// <summary>Rows after which slow has learnt of a row.</summary>
    public const int SlowRows = (SlowDelayBlocks + 1) * BlockMaximaTail.BlockRows;

    /// <summary>The evidence that opens an incident, in decades: a fault that grows slowly teaches fast its own beginning away, slow sees it.</summary>
    /// <param name="slowCounts">Whether slow knows what is normal now.</param>
    public double Opening(bool slowCounts) => ScoreCombination.Combine([Fast, slowCounts ? Slow : BlockMaximaTail.Unknown]);

    /// <summary>The same as it were had nobody called a level ordinary; null where nobody has.</summary>
    public double? PlainOpening(bool slowCounts) => !_hasOrdinary
        ? null
        : ScoreCombination.Combine(
            [ScoreCombination.Combine(_plain.AsSpan(0, 2)), slowCounts ? ScoreCombination.Combine(_plain.AsSpan(2)) : BlockMaximaTail.Unknown]);

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
        Fast = Observe(_fast, 0, mean, strongest, learns);
        Slow = Observe(_slow, 2, mean, strongest, learns);
    }

    /// <summary>A row of which nothing can be said.</summary>
    public void Skip()
    {
        Fast = Slow = BlockMaximaTail.Unknown;
        _scores.AsSpan().Fill(BlockMaximaTail.Unknown);
        _plain.AsSpan().Fill(BlockMaximaTail.Unknown);
        _values.AsSpan().Clear();
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(indicators). What was ordinary to one calibration is so to the other.</param>
    public void Teach(ReadOnlySpan<double> levels)
    {
        for (int i = 0; i < _fast.Length; i++)
        {
            _fast[i].Ordinary = _slow[i].Ordinary = Math.Max(levels[i], levels[i + 2]);
        }

        _hasOrdinary = levels.ContainsAnyExcept(0);
    }

    /// <summary>Keeps rows from teaching afterwards, as far as they have not taught yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row observed.</param>
    /// <param name="lastRowsAgo">The last of them.</param>
    public void Exclude(long firstRowsAgo, long lastRowsAgo)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Exclude(firstRowsAgo, lastRowsAgo);
        }
    }

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

    private static string Name(int indicator) => Names[indicator];

    private static string Meaning(int indicator, int _) => indicator switch
    {
        0 => "the values together are further from similar stretches than ever",
        1 => "the value that is furthest from similar stretches is further than any was",
        2 => "the values together are further from them than those of 400 records ago and before",
        _ => "the furthest value is further from them than those of 400 records ago and before",
    };

    private double Observe(BlockMaximaTail[] tails, int first, double mean, double strongest, bool learns)
    {
        (_values[first], _values[first + 1]) = (mean, strongest);
        (_plain[first], _plain[first + 1]) = (tails[0].PlainScore(mean), tails[1].PlainScore(strongest));
        Span<double> scores = _scores.AsSpan(first, 2);
        (scores[0], scores[1]) = (tails[0].Score(mean), tails[1].Score(strongest));

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
