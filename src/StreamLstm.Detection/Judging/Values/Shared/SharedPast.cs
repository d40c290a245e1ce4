using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>What is kept of a stream in shared form: of fixed size, and in one piece but for what only some streams have.</summary>
/// <remarks>
/// Values are kept as floats from the stream's first one, so that what is large and hardly moves is told apart.
/// </remarks>
internal struct SharedPast
{
    /// <summary>Last values that are kept.</summary>
    public const int RingRows = 32;

    /// <summary>Rows before there are bins, and the network is stepped.</summary>
    public const int FirstBins = 32;

    /// <summary>Rows after which a value counts as one of the stream's: a margin before an incident can still be left out.</summary>
    private const int QuarantineRows = 24;

    /// <summary>Rows between two refreshes of the scale.</summary>
    private const int RefreshEvery = 16;

    /// <summary>A day of fewer rows has no shape to compare with.</summary>
    private const int DayRowsMin = 16;

    /// <summary>The ratio by which the stream's scale must have changed for measures to be counted in another unit.</summary>
    private const double UnitRatio = 8;

    public CounterRate? Counter;   // until it is known that the stream is none
    public Settling? Settling;     // while something is to settle
    public double Value;
    public double Origin;
    public long Count;
    public long Restarts;
    public SharedSample Sample;
    public SharedTails Tails;
    public SharedForecasts Forecasts;
    public SharedIndicators Indicators;
    public DayProfile Day;
    public Said Said;
    public float Judged;           // what is judged of the last value, from the origin
    public float UsualSeconds;
    public float Unit;
    public uint Muted;             // indicators that were accepted
    public byte CalmRows;
    public byte RewarmLeft;
    public bool IsBroken, IsAbnormal, IsRestart, IsCold;
    public bool IsWaiting;         // for its network's step, which is taken before anything is saved
    private SeededRandom _random;
    private Ring _ring;
    private uint _abnormal;        // bit i: the row i rows ago

    [InlineArray(RingRows)]
    private struct Ring
    {
        private float _first;
    }

    /// <summary>Nothing is known yet.</summary>
    /// <param name="random">The stream's own source of chance.</param>
    public SharedPast(SeededRandom random)
    {
        _random = random;
        Counter = new CounterRate();
        UsualSeconds = float.NaN;
        Said = Said.Nothing;
        Forecasts.Reset();
    }

    /// <summary>Whether a day has rows enough to have a shape.</summary>
    public readonly bool HasDay => UsualSeconds <= AlertRate.DaySeconds / DayRowsMin;

    /// <summary>What is usual at a time of the day; NaN where that is not known.</summary>
    public readonly float UsualAt(double seconds) => HasDay ? Day.At(seconds) : float.NaN;

    /// <summary>What was seen before had another meaning.</summary>
    public void Begin()
    {
        (Count, _abnormal, Muted, Unit) = (0, 0, 0, 0);
        (Sample, Tails, Indicators, Day) = (default, default, default, default);
        Forecasts.Reset();
    }

    /// <summary>Remembers the row just judged.</summary>
    /// <param name="teaches">Whether it is normal operation.</param>
    /// <param name="seconds">Its time of the day.</param>
    /// <param name="learningRows">Rows of a stream that has just begun.</param>
    public void Remember(bool teaches, double seconds, int learningRows)
    {
        if (teaches && HasDay)
        {
            Day.Add(Judged, seconds, Sample.Scale.Scale);
        }

        _ring[(int)(Count++ & (RingRows - 1))] = Judged;
        _abnormal = (_abnormal << 1) | (teaches ? 0u : 1u);

        // A stream that has just begun has no time for a quarantine.
        if (Count <= learningRows)
        {
            Sample.Add(Judged, ref _random);
        }
        else if ((_abnormal & (1u << QuarantineRows)) == 0)
        {
            Sample.Add(Ago(QuarantineRows), ref _random);
        }

        if (Count % RefreshEvery == 0 && Count >= FirstBins)
        {
            Refresh();
        }
    }

    /// <summary>A person has said that rows are a fault: they teach nothing.</summary>
    /// <param name="nearest">How many rows ago the last of them was.</param>
    /// <param name="end">The same of the row before the first.</param>
    public void Spare(long nearest, long end)
    {
        for (long ago = nearest; ago < Math.Min(RingRows, end); ago++)
        {
            _abnormal |= 1u << (int)ago;
        }
    }

    /// <summary>Rows that taught nothing are normal operation.</summary>
    /// <param name="nearest">How many rows ago the last of them was.</param>
    /// <param name="end">The same of the row before the first.</param>
    public void Accept(long nearest, long end)
    {
        for (long ago = nearest; ago < Math.Min(Math.Min(RingRows, Count), end); ago++)
        {
            if ((_abnormal & (1u << (int)ago)) != 0)
            {
                _abnormal &= ~(1u << (int)ago);
                Sample.Add(Ago((int)ago), ref _random, must: true);
            }
        }
    }

    /// <summary>A new level is normal: of it the day before says how it goes on, not where.</summary>
    public void AcceptLevel()
    {
        Day.Shift(Indicators.DayOffset);
        Indicators.Accept();
    }

    /// <summary>Writes what the network is told of the last row; see <see cref="ForecastInput"/>. The day's profile stands for the season.</summary>
    /// <param name="gap">The logarithm of its gap in usual gaps, to the base of 2.</param>
    /// <param name="seconds">Its time of the day; NaN for one that is not known any more.</param>
    /// <param name="input">(inputs).</param>
    /// <param name="anchors">(anchors).</param>
    public readonly void Encode(double gap, double seconds, Span<float> input, Span<int> anchors)
    {
        float value = Ago(0), before = Ago(1), beforeThat = Ago(2);
        double difference = Math.Max(1.6 * Indicators.UsualStep, 0.01 * Sample.Scale.Scale);
        Place place = Sample.PlaceOf(value);
        input.Clear();
        input[0] = (float)(3 * Sample.CentredRank(place));
        input[1] = (float)(0.7 * Sample.Scale.Y(value));
        input[2] = (float)(0.7 * Math.Asinh((value - before) / difference));
        input[3] = (float)(0.7 * Math.Asinh((before - beforeThat) / difference));
        input[4] = (float)(0.25 * Math.Clamp(gap, -8, 8));
        anchors.Fill(-1);

        for (int h = 0; h < ForecastInput.Horizons.Length; h++)
        {
            anchors[h * ForecastInput.AnchorsPerHorizon] = place.Bin;

            if (!double.IsNaN(seconds) && UsualAt(seconds + ForecastInput.Horizons[h] * (double)UsualSeconds) is var usual && !float.IsNaN(usual))
            {
                Place usualPlace = Sample.PlaceOf(usual);
                input[5 + h] = (float)(3 * Sample.CentredRank(usualPlace));
                anchors[h * ForecastInput.AnchorsPerHorizon + 1] = usualPlace.Bin;
                input[11] = 1;
            }
        }
    }

    public readonly void Save(BinaryWriter writer)
    {
        writer.Write(_random.State);
        writer.Write(Value);
        writer.Write(Origin);
        writer.Write(Count);
        writer.Write(Restarts);
        writer.Write(Judged);
        writer.Write(UsualSeconds);
        writer.Write(Unit);
        writer.Write(_abnormal);
        writer.Write(Muted);
        writer.Write(CalmRows);
        writer.Write(RewarmLeft);

        foreach (bool flag in (ReadOnlySpan<bool>)[IsBroken, IsAbnormal, IsRestart, IsCold, Counter is not null, Settling is not null])
        {
            writer.Write(flag);
        }

        Counter?.Save(writer);
        Settling?.Save(writer);
        Sample.Save(writer);
        Tails.Save(writer);
        Forecasts.Save(writer);
        Indicators.Save(writer);
        Day.Save(writer);
        writer.Write(MemoryMarshal.AsBytes((ReadOnlySpan<float>)_ring));
        Said.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        _random = new SeededRandom(reader.ReadUInt64());
        (Value, Origin, Count, Restarts) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadInt64(), reader.ReadInt64());
        (Judged, UsualSeconds, Unit) = (reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle());
        (_abnormal, Muted, CalmRows, RewarmLeft) = (reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadByte(), reader.ReadByte());
        (IsBroken, IsAbnormal, IsRestart, IsCold) = (reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean());
        bool mayBeCounter = reader.ReadBoolean(), isUnsettled = reader.ReadBoolean();
        Counter = mayBeCounter ? new CounterRate() : null;
        Settling = isUnsettled ? new Settling() : null;
        Counter?.Load(reader);
        Settling?.Load(reader);
        Sample.Load(reader);
        Tails.Load(reader);
        Forecasts.Load(reader);
        Indicators.Load(reader);
        Day.Load(reader);
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes((Span<float>)_ring));
        Said.Load(reader);
    }

    /// <summary>A value so many rows ago; 0 is the last that was remembered.</summary>
    private readonly float Ago(int rows) => _ring[(int)((Count - 1 - rows) & (RingRows - 1))];

    private void Refresh()
    {
        Sample.Refresh();
        double centre = Origin + Sample.Scale.Centre;
        Sample.Suppose(Math.Max(0.1 * Math.Abs(centre), centre == Math.Round(centre) ? 1 : 1e-3));
        double ratio = Sample.Scale.Scale / Unit;

        if (Unit > 0 && ratio is > UnitRatio or < 1 / UnitRatio)
        {
            Tails.Rescale(ratio);
            Unit = (float)Sample.Scale.Scale;
        }
    }
}
