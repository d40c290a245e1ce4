namespace StreamLstm.Detection.Judging.Values;

/// <summary>What is usual of each indicator in clean rows of the stream, and so how rare what they say is.</summary>
internal sealed class IndicatorBank
{
    /// <summary>Decades below which an indicator is calm, and calm rows after which one that was accepted is heard again.</summary>
    private const double Calm = 1.2;
    private const byte CalmRows = 50;

    private MemorySizes _sizes;
    private readonly CleanTail?[] _tails = new CleanTail?[ValueIndicators.Count];   // each from the first row on that its indicator knows
    private readonly double[] _decades = new double[ValueIndicators.Count];
    private double[] _plain = [];         // from the first level on that was called ordinary
    private double[] _ordinary = [];      // of those that say themselves how rare they are; not saved
    private readonly byte[] _mutedRows = new byte[ValueIndicators.Count];   // calm rows that a muted one lacks; 0 of one that is heard

    /// <param name="sizes">What may be remembered.</param>
    public IndicatorBank(MemorySizes sizes) => _sizes = sizes;

    /// <summary>What the indicators are worth, in decades of blocks of rows: (indicators).</summary>
    public ReadOnlySpan<double> Decades => _decades;

    /// <summary>The same as it were had nobody called a level ordinary: (indicators).</summary>
    public ReadOnlySpan<double> Plain => HasOrdinary ? _plain : _decades;

    /// <summary>Whether anybody has.</summary>
    public bool HasOrdinary { get; private set; }

    /// <summary>Whether enough clean rows are known.</summary>
    public bool IsKnown => _tails[(int)Indicator.Step] is { IsKnown: true };

    /// <summary>What is usual of an indicator at most; 0 where that is no level.</summary>
    public double Usual(Indicator indicator) => _tails[(int)indicator]?.Usual ?? 0;

    /// <summary>Weighs what the indicators say.</summary>
    public void Weigh(ValueIndicators indicators, double scale)
    {
        ReadOnlySpan<double> values = indicators.Values;
        double unit = Math.Max(0.02 * scale, indicators.Resolution);

        if (indicators.HasOtherPeriod)
        {
            ForgetPeriod();
        }

        if (indicators.HasOtherCalendar)
        {
            for (var indicator = Indicator.CalendarJump; indicator <= Indicator.Calendar128; indicator++)
            {
                _tails[(int)indicator]!.Renew();
            }
        }

        for (int i = 0; i < values.Length; i++)
        {
            (double decades, double plain) = (0, 0);

            if (indicators.Known[i])
            {
                if (TailOf((Indicator)i) is not { } tail)
                {
                    (decades, plain) = (Math.Max(0, values[i] - OrdinaryOf(i)), values[i]);
                }
                else
                {
                    tail.Unit = HasStreamUnit((Indicator)i) ? unit : 1;
                    decades = tail.Score(values[i]);
                    plain = HasOrdinary ? tail.PlainScore(values[i]) : decades;
                }

                (decades, plain) = IsMuted(i, decades) ? (0, 0) : (decades, plain);
            }

            _decades[i] = decades;

            if (HasOrdinary)
            {
                _plain[i] = plain;
            }
        }
    }

    /// <summary>Takes the row, once it has been decided whether it teaches.</summary>
    public void Remember(ValueIndicators indicators, bool teaches)
    {
        for (int i = 0; i < _tails.Length; i++)
        {
            if (indicators.Known[i])
            {
                _tails[i]?.Add(indicators.Values[i], teaches);
            }
        }
    }

    /// <summary>An incident opens: what led up to it teaches nothing, as far as its block does not count yet.</summary>
    public void Spare()
    {
        foreach (CleanTail? tail in _tails)
        {
            tail?.SpareWaiting();
        }
    }

    /// <summary>What speaks up now is of the new normal: it is not heard until it has been calm for a while.</summary>
    public void Accept()
    {
        for (int i = 0; i < _decades.Length; i++)
        {
            _mutedRows[i] = _mutedRows[i] > 0 || _decades[i] >= Calm ? CalmRows : (byte)0;
        }
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none.</summary>
    public void Ordinary(ReadOnlySpan<double> levels)
    {
        HasOrdinary = levels.ContainsAnyExcept(0);
        _ordinary = HasOrdinary ? levels.ToArray() : [];
        _plain = !HasOrdinary ? [] : _plain.Length > 0 ? _plain : [.. _decades];

        for (int i = 0; i < _tails.Length; i++)
        {
            if (_tails[i] is { } tail)
            {
                tail.Ordinary = levels[i];
            }
        }
    }

    /// <summary>Knows what is usual by so much from now on.</summary>
    public void Resize(MemorySizes sizes)
    {
        _sizes = sizes;

        for (int i = 0; i < _tails.Length; i++)
        {
            _tails[i]?.Resize(BlocksOf((Indicator)i, sizes));
        }
    }

    public void Save(BinaryWriter writer)
    {
        for (int i = 0; i < _tails.Length; i++)
        {
            writer.Write(_tails[i] is not null);
            _tails[i]?.Save(writer);
            writer.Write(_decades[i]);
            writer.Write(Plain[i]);
            writer.Write(_mutedRows[i]);
        }
    }

    public void Load(BinaryReader reader)
    {
        var plain = new double[ValueIndicators.Count];

        for (int i = 0; i < _tails.Length; i++)
        {
            if (reader.ReadBoolean())
            {
                TailOf((Indicator)i)?.Load(reader);
            }

            _decades[i] = reader.ReadDouble();
            plain[i] = reader.ReadDouble();
            _mutedRows[i] = reader.ReadByte();
        }

        // What a person called ordinary is told later: until then they are kept where they say something else.
        _plain = plain.AsSpan().SequenceEqual(_decades) ? [] : plain;
    }

    private CleanTail? TailOf(Indicator indicator)
    {
        ref CleanTail? tail = ref _tails[(int)indicator];

        if (tail is null)
        {
            tail = NewTail(indicator, _sizes);

            if (tail is not null)
            {
                tail.Ordinary = OrdinaryOf((int)indicator);
            }
        }

        return tail;
    }

    /// <summary>The level that a person called ordinary; 0 for none.</summary>
    private double OrdinaryOf(int indicator) => HasOrdinary ? _ordinary[indicator] : 0;

    /// <summary>Whether an indicator that was accepted is not heard yet.</summary>
    private bool IsMuted(int indicator, double decades)
    {
        ref byte rows = ref _mutedRows[indicator];
        rows = rows == 0 ? (byte)0 : decades < Calm ? (byte)(rows - 1) : CalmRows;
        return rows > 0;
    }

    private void ForgetPeriod()
    {
        foreach (Indicator indicator in (ReadOnlySpan<Indicator>)
            [Indicator.PeriodJump, Indicator.Period8, Indicator.Period32, Indicator.Period128, Indicator.PeriodScatter,
             Indicator.ShapePeriod, Indicator.ShapeHalf, Indicator.ShapeQuarter])
        {
            _tails[(int)indicator]?.Clear();
        }
    }

    /// <summary>Whether an indicator is a difference of values: its size means what it does to them.</summary>
    private static bool HasStreamUnit(Indicator indicator) => indicator switch
    {
        Indicator.Step or Indicator.Level or Indicator.Course => true,
        Indicator.Mean8 or Indicator.Mean32 or Indicator.Mean128 => true,
        >= Indicator.PeriodJump and <= Indicator.LongScatter => true,
        _ => false,
    };

    /// <summary>What is about novelty wears off, as ever more is remembered: its tail is of the last rows alone.</summary>
    private static int BlocksOf(Indicator indicator, MemorySizes sizes) =>
        indicator is Indicator.Context or >= Indicator.ShapePeriod ? sizes.Blocks.Novel : sizes.Blocks.Usual;

    /// <summary>
    /// Logarithms and normal scores are measured by differences, all else by ratios. Rarity, stays and cycles say how rare they are
    /// by themselves.
    /// </summary>
    private static CleanTail? NewTail(Indicator indicator, MemorySizes sizes) => indicator switch
    {
        Indicator.StayLong or Indicator.StayShort or Indicator.CycleLong or Indicator.CycleShort or Indicator.PeakHigh or Indicator.PeakLow => null,
        Indicator.Rarity or Indicator.LastingRarity or Indicator.LongRarity => null,
        Indicator.Forecast1 or Indicator.Forecast6 or Indicator.Forecast24 => new(BlocksOf(indicator, sizes), TailScale.Difference, least: 0.4),
        Indicator.Lasting1 or Indicator.Lasting6 or Indicator.Lasting24 => new(BlocksOf(indicator, sizes), TailScale.Difference, least: 0.15),
        Indicator.Long24 => new(BlocksOf(indicator, sizes), TailScale.Difference, least: 0.15, MemoryBlocksOf(indicator)),
        Indicator.Quiet => new(BlocksOf(indicator, sizes), TailScale.Difference, least: 0.3),
        Indicator.Noisy or Indicator.Calm => new(BlocksOf(indicator, sizes), TailScale.Difference, least: 0.15),
        Indicator.Smooth or Indicator.Rough => new(BlocksOf(indicator, sizes), TailScale.Difference, least: 0.03),
        Indicator.Standstill => new(BlocksOf(indicator, sizes), TailScale.Difference, least: 3),
        Indicator.ForecastScatter => new(BlocksOf(indicator, sizes), TailScale.Ratio, least: 0.3),
        Indicator.Context or >= Indicator.ShapePeriod => new(BlocksOf(indicator, sizes), TailScale.Ratio, least: 0.3),
        _ => new(BlocksOf(indicator, sizes), TailScale.Ratio, least: 1, MemoryBlocksOf(indicator)),
    };

    /// <summary>Blocks of <see cref="CleanTail.BlockRows"/> that an indicator is a mean over.</summary>
    private static int MemoryBlocksOf(Indicator indicator) => indicator switch
    {
        Indicator.Mean32 or Indicator.Period32 or Indicator.Calendar32 or Indicator.Long24 or Indicator.LongScatter => 1,
        Indicator.Mean128 or Indicator.Period128 or Indicator.Calendar128 => 4,
        _ => 0,
    };
}
