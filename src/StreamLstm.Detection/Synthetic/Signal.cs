namespace StreamLstm.Detection.Synthetic;

/// <summary>One clean univariate signal of unit size, row by row. The same seed gives the same rows.</summary>
internal sealed class Signal
{
    private const int Harmonics = 3;

    private readonly double[] _amplitudes = new double[Harmonics];
    private readonly double[] _phases = new double[Harmonics];
    private readonly double[] _levels;
    private readonly double _noise;
    private readonly double _memory;
    private readonly int _degrees;
    private readonly double _slope;
    private readonly double _changeChance;
    private readonly double _duty;
    private readonly double _step;
    private readonly double _rate;
    private readonly int _longPeriods;
    private SeededRandom _random;
    private long _row;
    private double _state;
    private int _level;

    /// <param name="kind">How it moves.</param>
    /// <param name="seed">Its own.</param>
    /// <param name="period">Rows of its period, for one that shares another's cycle; null for one of its own.</param>
    public Signal(SyntheticKind kind, ulong seed, int? period = null)
    {
        Kind = kind;
        _random = new SeededRandom(seed);
        int own = HasPeriod(kind) ? (int)Draw.Scale(ref _random, 24, 400) : 0;
        Period = period ?? own;
        _longPeriods = 4 + _random.Next(4);

        for (int h = 0; h < Harmonics; h++)
        {
            _amplitudes[h] = Draw.Between(ref _random, 0.3, 1) / (h + 1);
            _phases[h] = Draw.Between(ref _random, 0, 2 * Math.PI);
        }

        _noise = Draw.Scale(ref _random, 0.03, 0.3);
        _memory = Draw.Between(ref _random, 0.5, 0.97);
        _degrees = 3 + _random.Next(3);
        _slope = Draw.Scale(ref _random, 0.0002, 0.002) * (_random.Next(2) == 0 ? -1 : 1);
        _changeChance = 1 / Draw.Scale(ref _random, 20, 200);
        _duty = Draw.Between(ref _random, 0.2, 0.6);
        _step = 1 / Draw.Between(ref _random, 2, 8);
        _rate = Draw.Scale(ref _random, 0.5, 100);
        double[] levels = [0, Draw.Between(ref _random, 1, 2), Draw.Between(ref _random, -2, -1)];
        _levels = levels[..(2 + _random.Next(2))];
    }

    public SyntheticKind Kind { get; }

    /// <summary>Rows of its (shortest) period; 0 for none.</summary>
    public int Period { get; }

    /// <summary>Whether signals of a kind repeat themselves.</summary>
    public static bool HasPeriod(SyntheticKind kind) =>
        kind is SyntheticKind.Seasonal or SyntheticKind.TwoSeasons or SyntheticKind.Counts or SyntheticKind.DutyCycle or SyntheticKind.Quantised;

    /// <summary>The next row's value.</summary>
    public double Next()
    {
        double value = Kind switch
        {
            SyntheticKind.White => Draw.Normal(ref _random),
            SyntheticKind.Autoregressive => Remember(_memory, Draw.Normal(ref _random)),
            SyntheticKind.HeavyTailed => Draw.StudentT(ref _random, _degrees),
            SyntheticKind.Seasonal => Season(Period) + Noise(),
            SyntheticKind.TwoSeasons => Season(Period) + Season(Period * _longPeriods) + Noise(),
            SyntheticKind.Trend => _slope * _row + Noise(),
            SyntheticKind.Drift => Remember(0.998, 0.06 * Draw.Normal(ref _random)) + Noise(),
            SyntheticKind.Bursts => Burst() + 0.2 * Noise(),
            SyntheticKind.Counts => Draw.Poisson(ref _random, _rate * (1 + 0.5 * Math.Sin(Angle(Period)))),
            SyntheticKind.Switching => _levels[Change(_levels.Length)] + Noise(),
            SyntheticKind.DutyCycle => Remember(0.9, _row % Period < _duty * Period ? 0.2 : 0) + 0.2 * Noise(),
            SyntheticKind.Quantised => _step * Math.Round((Season(Period) + Noise()) / _step),
            SyntheticKind.OnOff => Change(2),
            _ => throw new InvalidOperationException($"kind is {Kind}, expected one of {nameof(SyntheticKind)}"),
        };
        _row++;
        return value;
    }

    private double Noise() => _noise * Draw.Normal(ref _random);

    private double Angle(int period) => 2 * Math.PI * (_row % period) / period;

    private double Season(int period)
    {
        double sum = 0;

        for (int h = 0; h < Harmonics; h++)
        {
            sum += _amplitudes[h] * Math.Sin((h + 1) * Angle(period) + _phases[h]);
        }

        return sum;
    }

    /// <summary>s = a s + x.</summary>
    private double Remember(double share, double push) => _state = share * _state + push;

    private double Burst() =>
        Remember(0.8, _random.NextDouble() < _changeChance ? Draw.Between(ref _random, 1, 4) : 0);

    private int Change(int levels)
    {
        if (_random.NextDouble() < _changeChance)
        {
            _level = (_level + 1 + _random.Next(levels - 1)) % levels;
        }

        return _level;
    }
}
