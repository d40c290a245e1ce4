using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>What a row of several values is worth as evidence: its score and its strongest column, on the scale of all streams.</summary>
/// <remarks>
/// The score exceeds any fixed threshold many times a day, and a day is a long time: what matters is how rare as much is in
/// clean rows (<see cref="CleanTail"/>). It is a mean, in which one of a hundred columns is hardly heard: hence the strongest
/// column beside it. Both are merged as e-values.
/// </remarks>
internal sealed class JointEvidence
{
    /// <summary>Blocks of clean rows that are kept: some 8,000 rows.</summary>
    private const int Blocks = 256;

    /// <summary>Least differences that mean something, in decades: a mean scatters less than one column.</summary>
    private const double LeastTogether = 0.1;
    private const double LeastStrongest = 0.2;

    /// <summary>What is calibrated: the score and the strongest column.</summary>
    public const int Indicators = 2;

    /// <summary>What explanations call them.</summary>
    public static readonly IndicatorWords Words = new(Name, Meaning);

    private readonly CleanTail[] _tails =
        [new(Blocks, TailScale.Difference, LeastTogether), new(Blocks, TailScale.Difference, LeastStrongest)];

    private readonly double[] _values = new double[Indicators];
    private readonly double[] _scores = new double[Indicators];
    private readonly double[] _plain = new double[Indicators];
    private bool _hasOrdinary;

    /// <summary>The indicators themselves: (indicators).</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Their calibrated scores, in decades of blocks: (indicators).</summary>
    public ReadOnlySpan<double> Scores => _scores;

    /// <summary>The evidence, in decades of blocks.</summary>
    public double Evidence { get; private set; }

    /// <summary>The same as it were had nobody called a level ordinary; null where nobody has.</summary>
    public double? Plain => _hasOrdinary ? ScoreCombination.Combine(_plain) : null;

    /// <summary>Judges a row.</summary>
    /// <param name="together">Its score.</param>
    /// <param name="strongest">The rarity of the column that is rarest.</param>
    public void Judge(double together, double strongest)
    {
        (_values[0], _values[1]) = (together, strongest);

        for (int i = 0; i < Indicators; i++)
        {
            (_scores[i], _plain[i]) = (_tails[i].Score(_values[i]), _tails[i].PlainScore(_values[i]));
        }

        Evidence = ScoreCombination.Combine(_scores);
    }

    /// <summary>Takes the row just judged, unless it is of an incident: an odd one that opens none is among what is to be expected.</summary>
    public void Remember(Lesson lesson) => Add(_values[0], _values[1], lesson <= Lesson.Suspicious);

    /// <summary>A manner begins: what its first rows come to, judged a second time, is all that is usual.</summary>
    public void Begin(IEnumerable<(double Together, double Strongest)> rows)
    {
        Array.ForEach(_tails, tail => tail.Clear());

        foreach ((double together, double strongest) in rows)
        {
            Add(together, strongest, teaches: true);
        }
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(indicators).</param>
    public void Ordinary(ReadOnlySpan<double> levels)
    {
        for (int i = 0; i < Indicators; i++)
        {
            _tails[i].Ordinary = levels[i];
        }

        _hasOrdinary = levels.ContainsAnyExcept(0);
    }

    /// <summary>Keeps the last rows from teaching, as far as they have not taught yet; 1 is the last that was remembered.</summary>
    public void Spare(long rowsAgo) => Array.ForEach(_tails, tail => tail.Spare(rowsAgo));

    public void Save(BinaryWriter writer) => Array.ForEach(_tails, tail => tail.Save(writer));

    public void Load(BinaryReader reader) => Array.ForEach(_tails, tail => tail.Load(reader));

    private void Add(double together, double strongest, bool teaches)
    {
        _tails[0].Add(together, teaches);
        _tails[1].Add(strongest, teaches);
    }

    private static string Name(int indicator) => indicator == 0 ? "together" : "strongest";

    private static string Meaning(int indicator, int _) => indicator == 0
        ? "the values together are further from similar stretches than normal operation is"
        : "the value that is furthest from similar stretches is further than normal operation has one";
}
