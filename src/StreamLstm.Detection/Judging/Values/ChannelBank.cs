using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>The channels of one stream: each observation's raw indicators, calibrated twice.</summary>
/// <remarks>
/// Fast: forgets an alarm within 16 blocks, 400 rows; decides alerts. Slow: learns of a row 400 rows late, so that an
/// anomaly does not teach its own score away; gives the reported score.
/// </remarks>
internal sealed class ChannelBank
{
    private const int SlowDelayBlocks = 16;

    /// <summary>Normal scores beyond this carry no further information about a persistent deviation.</summary>
    private const double NormalScoreMax = 6;

    private const int MovesForFullEvidence = 32;

    /// <summary>Mean excess expected of the shape channel, whose unit is a tenth of y, not a nat: streams that jump between few values stay quiet.</summary>
    private const double ShapePrior = 3;

    private readonly BlockMaximaTail[] _fast = NewTails(delayBlocks: 0);
    private readonly BlockMaximaTail[] _slow = NewTails(SlowDelayBlocks);
    private readonly double[] _values = new double[Channels.Count];
    private readonly double[] _fastScores = new double[Channels.Count];
    private readonly double[] _slowScores = new double[Channels.Count];
    private readonly double[] _drift = new double[4];
    private readonly DelayedCoreset _levels;
    private double _volatility = 1;
    private int _flatRows;
    private double _mean3, _mean9, _mean27;
    private long _rows;
    private bool _hasOrdinary;

    /// <param name="sizes">What the stream may remember.</param>
    public ChannelBank(MemorySizes sizes) => _levels = new DelayedCoreset(sizes.NoveltyMembers);

    /// <summary>The score that decides, in decades.</summary>
    public double Fast { get; private set; }

    /// <summary>The score that is reported, in decades.</summary>
    public double Slow { get; private set; }

    /// <summary><see cref="Fast"/> as it were had nobody called a level ordinary; null where nobody has.</summary>
    public double? Plain { get; private set; }

    /// <summary>Scores of the channels behind <see cref="Fast"/>: (channels).</summary>
    public ReadOnlySpan<double> FastScores => _fastScores;

    /// <summary>The indicators themselves: (channels).</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Rows the values have not changed for.</summary>
    public int FlatRows => _flatRows;

    /// <summary>Judges one row, then learns from it unless it is not to.</summary>
    /// <param name="row">The row.</param>
    /// <param name="value">The row's value.</param>
    /// <param name="previous">The value before it.</param>
    /// <param name="forecast">Its tails under the forecasts: (horizons).</param>
    /// <param name="season">The tail of its difference from the value one season before, among all such differences; null where that is not known.</param>
    /// <param name="marginal">Its tail among all values of the stream.</param>
    /// <param name="history">The stream's values before it.</param>
    /// <param name="scale">The stream's scale.</param>
    /// <param name="differenceScale">Usual size of its differences.</param>
    /// <param name="moves">How often the stream's value has ever changed.</param>
    /// <param name="teaches">Whether it learns from the row.</param>
    public void Observe(
        long row, double value, double previous, ReadOnlySpan<Tail> forecast, Tail? season, Tail marginal,
        SortedReservoir history, ValueScale scale, double differenceScale, long moves, bool teaches)
    {
        // A stream that has hardly ever moved says little about how far it moves: its first change is news, not proof.
        double evidence = Math.Min(1, moves / (double)MovesForFullEvidence);
        double y = scale.Y(value);
        _values[(int)Channel.Forecast] = forecast[0].Surprise;
        _values[(int)Channel.Drift1] = Drift(0, forecast[0]);
        _values[(int)Channel.Drift6] = Drift(1, forecast[1]);
        _values[(int)Channel.Drift24] = Drift(2, forecast[2]);
        _values[(int)Channel.Season] = season is { } tail ? Drift(3, tail) : 0;
        _values[(int)Channel.Volatility] = Volatility(forecast[0]);
        _values[(int)Channel.Rarity] = marginal.Surprise;
        _values[(int)Channel.Range] = BeyondRange(value, y, history, scale);
        _values[(int)Channel.Flatline] = Flatline(value, previous, differenceScale);
        _values[(int)Channel.Shape] = Shape(y, row, teaches);

        Span<double> plain = _hasOrdinary ? stackalloc double[Channels.Count] : [];

        for (int channel = 0; channel < _values.Length; channel++)
        {
            if (channel != (int)Channel.Rarity)
            {
                _values[channel] *= evidence;
            }

            // A channel that says nothing yet must not be taken for one that is always quiet.
            if (channel == (int)Channel.Season && season is null)
            {
                _fastScores[channel] = _slowScores[channel] = BlockMaximaTail.Unknown;

                if (_hasOrdinary)
                {
                    plain[channel] = BlockMaximaTail.Unknown;
                }

                continue;
            }

            if (_hasOrdinary)
            {
                plain[channel] = _fast[channel].PlainScore(_values[channel]);
            }

            _fastScores[channel] = _fast[channel].Score(_values[channel]);
            _slowScores[channel] = _slow[channel].Score(_values[channel]);

            if (teaches)
            {
                _fast[channel].Add(_values[channel]);
                _slow[channel].Add(_values[channel]);
            }
            else
            {
                _fast[channel].Skip();
                _slow[channel].Skip();
            }
        }

        Plain = _hasOrdinary ? ScoreCombination.Combine(plain) : null;

        Fast = ScoreCombination.Combine(_fastScores);
        Slow = ScoreCombination.Combine(_slowScores);
    }

    /// <summary>Forgets what another season's differences were like.</summary>
    public void ForgetSeason()
    {
        // What a person said of it stays.
        double ordinary = _fast[(int)Channel.Season].Ordinary;
        _fast[(int)Channel.Season] = new BlockMaximaTail(delayBlocks: 0, prior: 1) { Ordinary = ordinary };
        _slow[(int)Channel.Season] = new BlockMaximaTail(SlowDelayBlocks, prior: 1) { Ordinary = ordinary };
        _drift[3] = 0;
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(channels).</param>
    public void Teach(ReadOnlySpan<double> levels)
    {
        for (int channel = 0; channel < levels.Length; channel++)
        {
            _fast[channel].Ordinary = levels[channel];
            _slow[channel].Ordinary = levels[channel];
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

        // What was said of the last row holds until the next one.
        foreach (double value in _drift.Concat(_values).Concat(_fastScores).Concat([Fast, Slow, Plain ?? double.NaN]))
        {
            writer.Write(value);
        }

        _levels.Save(writer);
        writer.Write(_volatility);
        writer.Write(_flatRows);
        writer.Write(_mean3);
        writer.Write(_mean9);
        writer.Write(_mean27);
        writer.Write(_rows);
    }

    public void Load(BinaryReader reader)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Load(reader);
        }

        foreach (double[] values in (double[][])[_drift, _values, _fastScores])
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = reader.ReadDouble();
            }
        }

        (Fast, Slow) = (reader.ReadDouble(), reader.ReadDouble());
        Plain = reader.ReadDouble() is var plain && double.IsNaN(plain) ? null : plain;
        _levels.Load(reader);
        _volatility = reader.ReadDouble();
        _flatRows = reader.ReadInt32();
        _mean3 = reader.ReadDouble();
        _mean9 = reader.ReadDouble();
        _mean27 = reader.ReadDouble();
        _rows = reader.ReadInt64();
    }

    private static BlockMaximaTail[] NewTails(int delayBlocks) =>
        [.. Enumerable.Range(0, Channels.Count).Select(channel =>
            new BlockMaximaTail(delayBlocks, prior: channel == (int)Channel.Shape ? ShapePrior : 1))];

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
        _flatRows = Math.Abs(value - previous) <= 1e-3 * differenceScale ? _flatRows + 1 : 0;
        return _flatRows < 4 ? 0 : 4 * Math.Log2(_flatRows / 4.0 + 1);
    }

    /// <summary>Ten times the distance of (y, means of about 3, 9 and 27 rows) to the nearest such vector remembered.</summary>
    private double Shape(double y, long row, bool teaches)
    {
        _mean3 += (y - _mean3) / Math.Min(_rows + 1, 2);
        _mean9 += (y - _mean9) / Math.Min(_rows + 1, 5);
        _mean27 += (y - _mean27) / Math.Min(_rows + 1, 14);
        _rows++;
        return 10 * _levels.Novelty([(float)y, (float)_mean3, (float)_mean9, (float)_mean27], row, teaches);
    }
}
