using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>What a row of several values is worth as evidence: J and its strongest column, on the scale of all streams.</summary>
/// <remarks>
/// J exceeds any fixed threshold many times a day, and a day is a long time: what matters is how often as much was to be
/// expected so far (<see cref="BlockMaximaTail"/>). J alone is a mean, in which one of a hundred columns cannot be heard:
/// hence the strongest column beside it. Both are merged as e-values. Fast learns at once, slow 400 rows late.
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

    private readonly BlockMaximaTail[] _tails =
        [new(0, MeanPrior), new(0, StrongestPrior), new(SlowDelayBlocks, MeanPrior), new(SlowDelayBlocks, StrongestPrior)];

    private readonly double[] _values = new double[Indicators];
    private readonly double[] _scores = new double[Indicators];
    private readonly double[] _plain = new double[Indicators];
    private bool _hasOrdinary;

    /// <summary>The indicators themselves: (indicators).</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Their calibrated scores, in decades: (indicators).</summary>
    public ReadOnlySpan<double> Scores => _scores;

    /// <summary>The evidence, in decades: a fault that grows slowly teaches fast its own beginning away, slow sees it.</summary>
    public double Evidence { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>The same as it were had nobody called a level ordinary; null where nobody has.</summary>
    public double? Plain => _hasOrdinary ? Merge(_plain) : null;

    /// <summary>Judges a row.</summary>
    /// <param name="mean">J.</param>
    /// <param name="strongest">The same of the column that is rarest.</param>
    public void Judge(double mean, double strongest)
    {
        for (int i = 0; i < Indicators; i++)
        {
            _values[i] = i % 2 == 0 ? mean : strongest;
            _plain[i] = _tails[i].PlainScore(_values[i]);
            _scores[i] = _tails[i].Score(_values[i]);
        }

        Evidence = Merge(_scores);
    }

    /// <summary>Learns of the row just judged what it may teach.</summary>
    public void Remember(Lesson lesson)
    {
        for (int i = 0; i < Indicators; i++)
        {
            _tails[i].Learn(_values[i], lesson);
        }
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(indicators). What was ordinary to one calibration is so to the other.</param>
    public void Ordinary(ReadOnlySpan<double> levels)
    {
        for (int i = 0; i < Indicators; i++)
        {
            _tails[i].Ordinary = Math.Max(levels[i], levels[(i + 2) % Indicators]);
        }

        _hasOrdinary = levels.ContainsAnyExcept(0);
    }

    /// <summary>Keeps rows from teaching afterwards, as far as they have not taught yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row observed.</param>
    /// <param name="lastRowsAgo">The last of them.</param>
    public void Exclude(long firstRowsAgo, long lastRowsAgo)
    {
        foreach (BlockMaximaTail tail in _tails)
        {
            tail.Exclude(firstRowsAgo, lastRowsAgo);
        }
    }

    public void Save(BinaryWriter writer) => Array.ForEach(_tails, tail => tail.Save(writer));

    public void Load(BinaryReader reader) => Array.ForEach(_tails, tail => tail.Load(reader));

    /// <summary>The mean of what fast says and what slow says, each the mean of its two.</summary>
    private static double Merge(ReadOnlySpan<double> scores) =>
        ScoreCombination.Combine([ScoreCombination.Combine(scores[..2]), ScoreCombination.Combine(scores[2..])]);

    private static string Name(int indicator) => Names[indicator];

    private static string Meaning(int indicator, int _) => indicator switch
    {
        0 => "the values together are further from similar stretches than ever",
        1 => "the value that is furthest from similar stretches is further than any was",
        2 => "the values together are further from them than those of 400 records ago and before",
        _ => "the furthest value is further from them than those of 400 records ago and before",
    };
}
