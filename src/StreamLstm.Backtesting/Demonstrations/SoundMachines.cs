namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>A machine that is listened to.</summary>
internal enum SoundMachine
{
    /// <summary>A fan: its blades' passing and its air.</summary>
    Fan,

    /// <summary>A pump: the motor's harmonics and the flow.</summary>
    Pump,

    /// <summary>A rolling bearing.</summary>
    Bearing,

    /// <summary>A valve that opens every second and lets air pass.</summary>
    Valve,
}

/// <summary>The sound of machines by simple models, with faults that are put in.</summary>
/// <remarks>
/// A fan is sines at multiples of the frequency with which blades pass, their strength breathing slowly, and noise of air, which is low-passed;
/// its fault is a blade that rubs once a turn. A pump is a hum at twice the mains and noise; its fault is cavitation: short bursts of
/// crackling in the highs. A bearing is noise; its fault grows: each time a ball passes the pit a resonance at 3 kHz rings (McFadden and Smith 1984).
/// A valve is a puff of noise every second; its fault is a leak that hisses in between. All of it is heard in a room with some noise.
/// </remarks>
internal sealed class SoundMachines
{
    /// <summary>Samples a second.</summary>
    public const int Rate = 16_000;

    private const double RoomNoise = 0.002;

    private readonly SoundMachine _machine;
    private readonly Random _random;
    private readonly double _turn;              // turns a second
    private readonly double[] _phases = new double[12];
    private double _air, _hiss, _breath, _ring, _ringSpeed;
    private double _toBurst;
    private long _at;

    /// <param name="machine">Which.</param>
    /// <param name="seed">Seed of its speed and of all chance.</param>
    public SoundMachines(SoundMachine machine, int seed)
    {
        _machine = machine;
        _random = new Random(seed * 31 + (int)machine);
        _turn = 23 + 4 * _random.NextDouble();
    }

    /// <summary>The next samples.</summary>
    /// <param name="samples">Becomes them, full scale being 1.</param>
    /// <param name="fault">How far the fault has come: 0 for none, 1 for all of it.</param>
    public void Next(Span<float> samples, double fault)
    {
        for (int i = 0; i < samples.Length; i++, _at++)
        {
            // Slow wandering of speed and load, as of any machine.
            _breath = 0.99995 * _breath + 0.01 * Normal() * 0.1;
            double sound = _machine switch
            {
                SoundMachine.Fan => Fan(fault),
                SoundMachine.Pump => Pump(fault),
                SoundMachine.Bearing => Bearing(fault),
                _ => Valve(fault),
            };
            samples[i] = (float)Math.Clamp(sound + RoomNoise * Normal(), -1, 1);
        }
    }

    private double Fan(double fault)
    {
        double speed = _turn * (1 + 0.01 * Math.Tanh(_breath)), sound = 0;

        for (int harmonic = 1; harmonic <= 5; harmonic++)
        {
            sound += 0.03 / harmonic * Sine(harmonic, 7 * speed * harmonic);
        }

        _air += 0.15 * (Normal() - _air);
        double turn = Turn(0, speed);
        double rubs = turn is > 0.30 and < 0.34 ? 0.03 * fault * Normal() : 0;
        return sound + 0.04 * _air + rubs;
    }

    private double Pump(double fault)
    {
        double sound = 0;

        for (int harmonic = 1; harmonic <= 6; harmonic++)
        {
            sound += 0.04 / harmonic * (1 + 0.1 * Math.Tanh(_breath)) * Sine(harmonic, 100 * harmonic);
        }

        _air += 0.3 * (Normal() - _air);

        // Bubbles collapse a few dozen times a second, at no set time.
        if ((_toBurst -= 1.0 / Rate) < 0)
        {
            _toBurst = -Math.Log(1 - _random.NextDouble()) / 40;
            _hiss = 1;
        }

        _hiss *= 0.995;
        return sound + 0.03 * _air + 0.03 * fault * _hiss * Normal();
    }

    private double Bearing(double fault)
    {
        _air += 0.4 * (Normal() - _air);
        double before = Turn(0, 3.6 * _turn);

        // A ball passes the pit: the housing is struck.
        if (before < 3.6 * _turn / Rate)
        {
            _ringSpeed += fault * (0.8 + 0.4 * _random.NextDouble());
        }

        const double Resonance = 2 * Math.PI * 3_000 / Rate, Damping = 0.02;
        _ringSpeed -= Resonance * Resonance * _ring + 2 * Damping * Resonance * _ringSpeed;
        _ring += _ringSpeed;
        return 0.05 * _air + 0.012 * Sine(1, _turn) + 0.02 * _ring;
    }

    private double Valve(double fault)
    {
        double second = (double)(_at % Rate) / Rate;
        double puff = second < 0.25 ? Math.Exp(-second / 0.08) * (1 + 0.1 * Math.Tanh(_breath)) : 0;
        double noise = Normal();
        _air += 0.5 * (noise - _air);
        return 0.15 * puff * _air + 0.006 * fault * (noise - _air);
    }

    private double Sine(int phase, double hertz)
    {
        _phases[phase] = (_phases[phase] + hertz / Rate) % 1;
        return Math.Sin(2 * Math.PI * _phases[phase]);
    }

    /// <summary>Where in a turn, 0 to 1.</summary>
    private double Turn(int phase, double hertz) => _phases[phase] = (_phases[phase] + hertz / Rate) % 1;

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
