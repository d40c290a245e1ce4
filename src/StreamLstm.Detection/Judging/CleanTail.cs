namespace StreamLstm.Detection.Judging;

/// <summary>How the size of an excess is measured.</summary>
internal enum TailScale
{
    /// <summary>As a ratio: for what has the stream's unit, or a size of its own. A power law, so heavy tails stay heavy.</summary>
    Ratio,

    /// <summary>As a difference: for what is a logarithm or a normal score already.</summary>
    Difference,
}

/// <summary>How rare a level of one indicator is in normal operation: in decades of blocks of clean rows.</summary>
/// <remarks>
/// The maxima of the last blocks of 32 clean rows are kept, a span and not a life: a rate stands where a count so far would
/// grow. Of them u is the k-th highest; above it an exponential tail is assumed (Pickands 1975) in ln(v), or in v where that
/// is a logarithm already. Its mean excess comes from the spacings of those between (Rényi 1953), each at most four times
/// their median; that it is known from so many spacings only is integrated out (Lomax). The highest thirty-second part, of few
/// blocks the highest one to three, is left out: wild values and faults that were learnt are outvoted while they are as few, and
/// are usual once they are more: the highest of the others is no rarer than it was counted, whatever the law says.
/// </remarks>
/// <param name="blocksMax">Blocks that are kept.</param>
/// <param name="scale">How excesses are measured.</param>
/// <param name="least">The least difference that means something: in units of <see cref="Unit"/>.</param>
internal sealed class CleanTail(int blocksMax, TailScale scale, double least)
{
    /// <summary>Rows of a block.</summary>
    public const int BlockRows = 32;

    /// <summary>Blocks before anything is said: with fewer the k-th highest is no quantile.</summary>
    public const int BlocksMin = 12;

    /// <summary>Blocks above the one that makes u, at most, and shares of all blocks that these and those left out are.</summary>
    private const int KeptMax = 24;
    private const int KeptShare = 8;
    private const int LeftOutShare = 32;

    /// <summary>As many are left out of three times <see cref="BlocksMin"/> blocks, until the share is more.</summary>
    private const int FewMax = 3;

    /// <summary>Spacings that the prior is worth, and what it expects: an eighth more per e-fold, as a normal variable's maxima have.</summary>
    private const double PriorCount = 6;
    private const double PriorRatio = 0.12;
    private const double PriorDifference = 0.15;

    private const double SpacingMax = 4;

    /// <summary>In place of the maximum of a block that is not to count: indicators are never negative.</summary>
    private const float Void = -1;

    private float[] _maxima = [];
    private int _count;
    private int _next;
    private float _waiting = Void;
    private float _current;
    private int _rows;
    private int _kept;
    private double _known = 1;
    private double _usual;
    private double _top;
    private double _meanExcess = 1;
    private double _shift;

    /// <summary>What the stream's values can be told apart by, for indicators in its unit. Not saved.</summary>
    public double Unit { get; set; } = 1;

    /// <summary>A level that a person called ordinary; 0 for none. Not saved.</summary>
    public double Ordinary { get; set; }

    /// <summary>A share of a young stream's blocks would be none: its first fault would make the next ones usual.</summary>
    private int Few => Math.Min(FewMax, _count / BlocksMin);

    private int LeftOut => Math.Min(Math.Max(_count / LeftOutShare, Few), _kept - 2);

    /// <summary>Whether enough is known.</summary>
    public bool IsKnown => _count >= BlocksMin;

    /// <summary>The level that one in eleven blocks or so comes to: what is usual at most.</summary>
    public double Usual => _usual;

    /// <summary>Decades of blocks between two that come to this level; 0 while too little is known.</summary>
    public double Score(double value)
    {
        double plain = PlainScore(value);
        return Ordinary > 0 && plain > 0 ? Math.Min(plain, Excess(value, Ordinary)) : plain;
    }

    /// <summary>The same as it were had nobody called a level ordinary.</summary>
    public double PlainScore(double value)
    {
        if (!IsKnown)
        {
            return 0;
        }

        double decades = Math.Log10((_count + 1.0) / _kept);
        return value > _usual ? Math.Min(decades + Excess(value, _usual), Math.Log10((_count + 1.0) / (LeftOut + 1)) + Excess(value, _top))
            : _usual > 0 ? decades * Math.Max(0, value) / _usual
            : 0;
    }

    /// <summary>Takes a row, unless it is not to count.</summary>
    public void Add(double value, bool teaches)
    {
        _current = teaches ? Math.Max(_current, (float)value) : _current;

        if (++_rows < BlockRows)
        {
            return;
        }

        // A block waits for the next one, so that the margin before an incident can still be left out.
        Enter(_waiting);
        _waiting = _current;
        _current = 0;
        _rows = 0;
    }

    /// <summary>Keeps the last rows from teaching, as far as their blocks do not count yet.</summary>
    /// <param name="rowsAgo">The first of them; 1 is the last row added.</param>
    public void Spare(long rowsAgo)
    {
        _current = _rows > 0 ? Void : _current;
        _waiting = rowsAgo > _rows ? Void : _waiting;
    }

    /// <summary>Forgets all: what was learnt was learnt of something else.</summary>
    public void Clear() => (_count, _next, _waiting, _current, _rows, _kept, _usual, _top) = (0, 0, Void, 0, 0, 0, 0, 0);

    public void Save(BinaryWriter writer)
    {
        writer.Write(_count);
        writer.Write(_next);
        writer.Write(_waiting);
        writer.Write(_current);
        writer.Write(_rows);
        writer.Write(_kept);
        writer.Write(_known);
        writer.Write(_usual);
        writer.Write(_top);
        writer.Write(_meanExcess);
        writer.Write(_shift);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_maxima.AsSpan(0, _count)));
    }

    public void Load(BinaryReader reader)
    {
        _count = reader.ReadInt32();
        _next = reader.ReadInt32();

        if (_count < 0 || _count > blocksMax || _next < 0 || _next > _count)
        {
            throw new InvalidDataException($"tail: {_count} blocks, the next at {_next}, expected at most {blocksMax}");
        }

        _waiting = reader.ReadSingle();
        _current = reader.ReadSingle();
        _rows = reader.ReadInt32();
        _kept = reader.ReadInt32();
        _known = reader.ReadDouble();
        (_usual, _top, _meanExcess, _shift) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        Array.Resize(ref _maxima, Math.Max(Math.Min(16, blocksMax), _count));
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_maxima.AsSpan(0, _count)));
    }

    private double Excess(double value, double from)
    {
        return value <= from ? 0 : _known * Math.Log10(1 + (Measure(value) - Measure(from)) / (_known * _meanExcess));
    }

    private double Measure(double value) => scale == TailScale.Ratio ? Math.Log(value + _shift) : value;

    private void Enter(float maximum)
    {
        if (maximum < 0)
        {
            return;
        }

        if (_count == _maxima.Length && _count < blocksMax)
        {
            Array.Resize(ref _maxima, Math.Clamp(2 * _count, Math.Min(16, blocksMax), blocksMax));
        }

        _next %= _maxima.Length;
        _maxima[_next++] = maximum;
        _count = Math.Max(_count, _next);
        Fit();
    }

    private void Fit()
    {
        _kept = Math.Clamp(Math.Max(_count / KeptShare, Few + 2), 2, KeptMax);
        int leftOut = LeftOut;

        if (_count < _kept)
        {
            return;
        }

        Span<float> highest = stackalloc float[KeptMax];
        highest = highest[.._kept];
        highest.Fill(float.NegativeInfinity);

        foreach (float maximum in _maxima.AsSpan(0, _count))
        {
            if (maximum <= highest[^1])
            {
                continue;
            }

            int place = _kept - 1;

            while (place > 0 && highest[place - 1] < maximum)
            {
                highest[place] = highest[place - 1];
                place--;
            }

            highest[place] = maximum;
        }

        (_usual, _top) = (highest[^1], highest[leftOut]);
        double unit = least * Unit;

        // In ratios nothing is told apart below a fiftieth of what is usual, nor below the unit.
        _shift = Math.Max(unit, 0.02 * _usual + 1e-12);
        Span<double> spacings = stackalloc double[KeptMax];
        spacings = spacings[..(_kept - 1 - leftOut)];

        for (int j = leftOut; j < _kept - 1; j++)
        {
            spacings[j - leftOut] = (j + 1) * (Measure(highest[j]) - Measure(highest[j + 1]));
        }

        spacings.Sort();
        double median = spacings[spacings.Length / 2], sum = 0;

        foreach (double spacing in spacings)
        {
            sum += Math.Min(spacing, SpacingMax * median);
        }

        double prior = scale == TailScale.Ratio ? PriorRatio : Math.Max(unit, PriorDifference * _usual);
        _known = spacings.Length + PriorCount;
        _meanExcess = Math.Max(0.3 * prior, (sum + PriorCount * prior) / _known);
    }
}
