namespace StreamLstm.Detection.Judging;

/// <summary>How the size of an excess is measured.</summary>
internal enum TailScale : byte
{
    /// <summary>As a ratio: for what has the stream's unit, or a size of its own. A power law, so heavy tails stay heavy.</summary>
    Ratio,

    /// <summary>As a difference: for what is a logarithm or a normal score already.</summary>
    Difference,
}

/// <summary>How rare a level is whose highest values in some blocks of rows are known: in decades of blocks.</summary>
/// <remarks>
/// Of the highest u is the last; above it an exponential tail is assumed (Pickands 1975) in ln(v), or in v where that is a logarithm
/// already. Its mean excess comes from the spacings of those between (Rényi 1953), each at most four times their median; that it is
/// known from so many spacings only is integrated out (Lomax). Some of the highest are left out: wild values and faults that were
/// learnt are outvoted while they are as few, and are usual once they are more: the highest of the others is no rarer than it was
/// counted, whatever the law says.
/// </remarks>
internal readonly struct ExceedanceTail
{
    /// <summary>The most values that are looked at.</summary>
    public const int KeptMax = 24;

    /// <summary>Spacings that the prior is worth, and what it expects: an eighth more per e-fold, as a normal variable's maxima have.</summary>
    private const double PriorCount = 6;
    private const double PriorRatio = 0.12;
    private const double PriorDifference = 0.15;

    private const double SpacingMax = 4;

    // Floats, as a stream has some forty of them: what they are estimates of is known to a tenth at best.
    private readonly float _usual;
    private readonly float _usualDecades;
    private readonly float _top;
    private readonly float _topDecades;
    private readonly float _shift;
    private readonly float _known;
    private readonly float _meanExcess;
    private readonly TailScale _scale;

    /// <summary>Fits a tail.</summary>
    /// <param name="highest">The highest values, the highest first: 2 to <see cref="KeptMax"/>.</param>
    /// <param name="leftOut">How many of them are left out, two less than there are at most.</param>
    /// <param name="blocks">Blocks of which they are the highest.</param>
    /// <param name="scale">How excesses are measured.</param>
    /// <param name="unit">The least difference that means something.</param>
    public ExceedanceTail(ReadOnlySpan<double> highest, int leftOut, double blocks, TailScale scale, double unit)
    {
        (_scale, _usual, _top) = (scale, (float)highest[^1], (float)highest[leftOut]);
        _usualDecades = (float)Math.Max(0, Math.Log10((blocks + 1) / highest.Length));
        _topDecades = (float)Math.Max(0, Math.Log10((blocks + 1) / (leftOut + 1)));

        // In ratios nothing is told apart below a fiftieth of what is usual, nor below the unit.
        _shift = (float)Math.Max(unit, 0.02 * Usual + 1e-12);
        Span<double> spacings = stackalloc double[KeptMax];
        spacings = spacings[..(highest.Length - 1 - leftOut)];

        for (int j = leftOut; j < highest.Length - 1; j++)
        {
            spacings[j - leftOut] = (j + 1) * (Measure(highest[j]) - Measure(highest[j + 1]));
        }

        spacings.Sort();
        double median = spacings[spacings.Length / 2], sum = 0;

        foreach (double spacing in spacings)
        {
            sum += Math.Min(spacing, SpacingMax * median);
        }

        double prior = scale == TailScale.Ratio ? PriorRatio : Math.Max(unit, PriorDifference * Usual);
        _known = (float)(spacings.Length + PriorCount);
        _meanExcess = (float)Math.Max(0.3 * prior, (sum + PriorCount * prior) / (spacings.Length + PriorCount));
    }

    private ExceedanceTail(BinaryReader reader)
    {
        byte scale = reader.ReadByte();
        _scale = scale <= (byte)TailScale.Difference
            ? (TailScale)scale
            : throw new InvalidDataException($"tail: scale {scale}, expected 0 or 1");
        (_usual, _usualDecades, _top, _topDecades) = (reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle());
        (_shift, _known, _meanExcess) = (reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle());
    }

    /// <summary>Whether it was fitted.</summary>
    public bool IsKnown => _known > 0;

    /// <summary>The level that the last of the highest came to: what is usual at most.</summary>
    public double Usual => _usual;

    /// <summary>Decades of blocks between two that come to this level; 0 where nothing was fitted.</summary>
    public double Score(double value) =>
        !IsKnown ? 0
        : value > Usual ? Math.Min(_usualDecades + Excess(value, Usual), _topDecades + Excess(value, _top))
        : Usual > 0 ? _usualDecades * Math.Max(0, value) / Usual
        : 0;

    /// <summary>Decades by which values of this level are rarer than those of a lower one.</summary>
    public double Excess(double value, double from) =>
        value <= from ? 0 : _known * Math.Log10(1 + (Measure(value) - Measure(from)) / ((double)_known * _meanExcess));

    public void Save(BinaryWriter writer)
    {
        writer.Write((byte)_scale);

        foreach (float value in (ReadOnlySpan<float>)[_usual, _usualDecades, _top, _topDecades, _shift, _known, _meanExcess])
        {
            writer.Write(value);
        }
    }

    public static ExceedanceTail Load(BinaryReader reader) => new(reader);

    private double Measure(double value) => _scale == TailScale.Ratio ? Math.Log(value + _shift) : value;
}
