using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>The channels of one clock of a stream: each value's raw indicators, calibrated.</summary>
internal sealed class ChannelBank
{
    /// <summary>Normal scores beyond this carry no further information about a persistent deviation.</summary>
    private const double NormalScoreMax = 6;

    private const int MovesForFullEvidence = 32;

    /// <summary>Mean excess expected of the shape channel, whose unit is a tenth of y, not a nat: streams that jump between few values stay quiet.</summary>
    private const double ShapePrior = 3;

    private readonly BlockMaximaTail[] _tails =
        [.. Enumerable.Range(0, Channels.Count).Select(channel => new BlockMaximaTail(delayBlocks: 0, prior: channel == (int)Channel.Shape ? ShapePrior : 1))];
    private readonly double[] _values = new double[Channels.Count];
    private readonly double[] _scores = new double[Channels.Count];
    private readonly double[] _drift = new double[4];
    private readonly float[] _level = new float[4];
    private readonly DelayedCoreset _levels;
    private double _volatility = 1;
    private double _mean3, _mean9, _mean27;
    private long _rows;
    private bool _hasOrdinary;
    private bool _hasSeason;

    /// <param name="sizes">What the stream may remember.</param>
    public ChannelBank(MemorySizes sizes) => _levels = new DelayedCoreset(sizes.NoveltyMembers);

    /// <summary>What all channels say together, in decades.</summary>
    public double Evidence { get; private set; }

    /// <summary><see cref="Evidence"/> as it were had nobody called a level ordinary; null where nobody has.</summary>
    public double? Plain { get; private set; }

    /// <summary>Scores of the channels, in decades: (channels).</summary>
    public ReadOnlySpan<double> Scores => _scores;

    /// <summary>The indicators themselves: (channels).</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Rows the values have not changed for.</summary>
    public int FlatRows { get; private set; }

    /// <summary>Judges one row.</summary>
    /// <param name="value">The row's value.</param>
    /// <param name="previous">The value before it.</param>
    /// <param name="forecast">Its tails under the forecasts: (horizons).</param>
    /// <param name="season">The tail of its difference from the value one season before, among all such differences; null where that is not known.</param>
    /// <param name="marginal">Its tail among all values of the stream.</param>
    /// <param name="history">The stream's values before it.</param>
    /// <param name="scale">The stream's scale.</param>
    /// <param name="differenceScale">Usual size of its differences.</param>
    /// <param name="moves">How often the stream's value has ever changed.</param>
    public void Judge(
        double value, double previous, ReadOnlySpan<Tail> forecast, Tail? season, Tail marginal,
        SortedReservoir history, ValueScale scale, double differenceScale, long moves)
    {
        // A stream that has hardly ever moved says little about how far it moves: its first change is news, not proof.
        double evidence = Math.Min(1, moves / (double)MovesForFullEvidence);
        double y = scale.Y(value);
        _hasSeason = season is not null;
        _values[(int)Channel.Forecast] = forecast[0].Surprise;
        _values[(int)Channel.Drift1] = Drift(0, forecast[0]);
        _values[(int)Channel.Drift6] = Drift(1, forecast[1]);
        _values[(int)Channel.Drift24] = Drift(2, forecast[2]);
        _values[(int)Channel.Season] = season is { } tail ? Drift(3, tail) : 0;
        _values[(int)Channel.Volatility] = Volatility(forecast[0]);
        _values[(int)Channel.Rarity] = marginal.Surprise;
        _values[(int)Channel.Range] = BeyondRange(value, y, history, scale);
        _values[(int)Channel.Flatline] = Flatline(value, previous, differenceScale);
        _values[(int)Channel.Shape] = Shape(y);
        Span<double> plain = stackalloc double[Channels.Count];

        for (int channel = 0; channel < _values.Length; channel++)
        {
            if (channel != (int)Channel.Rarity)
            {
                _values[channel] *= evidence;
            }

            bool speaks = Speaks(channel);
            plain[channel] = speaks ? _tails[channel].PlainScore(_values[channel]) : BlockMaximaTail.Unknown;
            _scores[channel] = speaks ? _tails[channel].Score(_values[channel]) : BlockMaximaTail.Unknown;
        }

        Plain = _hasOrdinary ? ScoreCombination.Combine(plain) : null;
        Evidence = ScoreCombination.Combine(_scores);
    }

    /// <summary>Learns of the row just judged what it may teach.</summary>
    public void Remember(long row, Lesson lesson)
    {
        for (int channel = 0; channel < _values.Length; channel++)
        {
            if (Speaks(channel))
            {
                _tails[channel].Learn(_values[channel], lesson);
            }
        }

        _levels.Remember(_level, row, teaches: lesson == Lesson.Normal);
    }

    /// <summary>Forgets what another season's differences were like.</summary>
    public void ForgetSeason()
    {
        // What a person said of it stays.
        _tails[(int)Channel.Season] = new BlockMaximaTail(delayBlocks: 0, prior: 1) { Ordinary = _tails[(int)Channel.Season].Ordinary };
        _drift[3] = 0;
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(channels).</param>
    public void Ordinary(ReadOnlySpan<double> levels)
    {
        for (int channel = 0; channel < levels.Length; channel++)
        {
            _tails[channel].Ordinary = levels[channel];
        }

        _hasOrdinary = levels.ContainsAnyExcept(0);
    }

    /// <summary>Keeps rows from teaching afterwards, as far as they have not taught yet.</summary>
    /// <param name="firstRow">The first of them.</param>
    /// <param name="endRow">The one behind the last.</param>
    /// <param name="nextRow">The one behind the last that was remembered.</param>
    public void Spare(long firstRow, long endRow, long nextRow)
    {
        foreach (BlockMaximaTail tail in _tails)
        {
            tail.Exclude(nextRow - firstRow, nextRow - endRow + 1);
        }

        _levels.Spare(firstRow, endRow, nextRow);
    }

    public void Save(BinaryWriter writer)
    {
        Array.ForEach(_tails, tail => tail.Save(writer));
        Array.ForEach(_drift, writer.Write);
        _levels.Save(writer);

        // A clock that makes a row of several values goes on saying what it said of its last one.
        foreach (double number in (ReadOnlySpan<double>)[.. _values, .. _scores, Evidence, Plain ?? double.NaN, _volatility, _mean3, _mean9, _mean27])
        {
            writer.Write(number);
        }

        writer.Write(FlatRows);
        writer.Write(_rows);
    }

    public void Load(BinaryReader reader)
    {
        Array.ForEach(_tails, tail => tail.Load(reader));
        Read(_drift);
        _levels.Load(reader);
        Read(_values);
        Read(_scores);
        Evidence = reader.ReadDouble();
        Plain = reader.ReadDouble() is var plain && double.IsNaN(plain) ? null : plain;
        _volatility = reader.ReadDouble();
        _mean3 = reader.ReadDouble();
        _mean9 = reader.ReadDouble();
        _mean27 = reader.ReadDouble();
        FlatRows = reader.ReadInt32();
        _rows = reader.ReadInt64();

        void Read(double[] numbers)
        {
            for (int i = 0; i < numbers.Length; i++)
            {
                numbers[i] = reader.ReadDouble();
            }
        }
    }

    /// <summary>A channel that says nothing yet must not be taken for one that is always quiet.</summary>
    private bool Speaks(int channel) => channel != (int)Channel.Season || _hasSeason;

    /// <summary>An exponential mean of normal scores, as -ln of its likelihood were they independent.</summary>
    private double Drift(int horizon, Tail tail)
    {
        const double Weight = 0.1;
        const double Variance = Weight / (2 - Weight);
        _drift[horizon] += Weight * (tail.NormalScore(NormalScoreMax) - _drift[horizon]);
        return _drift[horizon] * _drift[horizon] / (2 * Variance);
    }

    /// <summary>An exponential mean v of squared normal scores, 1 when the forecast's width is right, as -ln of its likelihood: k (v - 1 - ln v) / 2.</summary>
    /// <remarks>
    /// Half the deviance of a gamma variable of k degrees of freedom (Chernoff's bound of its tail). It grows like v, as nats
    /// do: the normal approximation, which grows like its square, made one wild value worth more than all else.
    /// </remarks>
    private double Volatility(Tail tail)
    {
        const double Weight = 0.1;
        const double DegreesOfFreedom = (2 - Weight) / Weight;
        double z = tail.NormalScore(NormalScoreMax);
        _volatility += Weight * (z * z - _volatility);
        return _volatility > 1 ? DegreesOfFreedom / 2 * (_volatility - 1 - Math.Log(_volatility)) : 0;
    }

    /// <summary>How far beyond everything seen, in twentieths of the range seen, both in y.</summary>
    private static double BeyondRange(double value, double y, SortedReservoir history, ValueScale scale)
    {
        if (history.Count == 0 || (value >= history.Min && value <= history.Max))
        {
            return 0;
        }

        double low = scale.Y(history.Min), high = scale.Y(history.Max);
        double excess = value > history.Max ? y - high : low - y;
        return 20 * excess / Math.Max(high - low, 0.1);
    }

    /// <summary>Four per doubling of the run of unchanged values, from the fourth on.</summary>
    private double Flatline(double value, double previous, double differenceScale)
    {
        FlatRows = Math.Abs(value - previous) <= 1e-3 * differenceScale ? Math.Min(FlatRows, int.MaxValue - 1) + 1 : 0;
        return FlatRows < 4 ? 0 : 4 * Math.Log2(FlatRows / 4.0 + 1);
    }

    /// <summary>Ten times the distance of (y, means of about 3, 9 and 27 rows) to the nearest such vector remembered.</summary>
    private double Shape(double y)
    {
        _mean3 += (y - _mean3) / Math.Min(_rows + 1, 2);
        _mean9 += (y - _mean9) / Math.Min(_rows + 1, 5);
        _mean27 += (y - _mean27) / Math.Min(_rows + 1, 14);
        _rows++;
        (_level[0], _level[1], _level[2], _level[3]) = ((float)y, (float)_mean3, (float)_mean9, (float)_mean27);
        return 10 * _levels.Novelty(_level);
    }
}
