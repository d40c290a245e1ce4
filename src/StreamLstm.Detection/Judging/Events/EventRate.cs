using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>How many events a stream brings in a time, against its own past: bursts, drops, stops.</summary>
/// <remarks>
/// Time is cut into bins in which about sixteen events come, of a second at least. A bin's count becomes
/// y = 2 sqrt(n + 3/8), whose variance is 1 for a Poisson count whatever its mean (Anscombe 1948); how far y is from its
/// running mean, in running deviations, is evidence, added up while bins stay on one side. A burst shows before its
/// bin is over, a stop when the next event comes.
/// </remarks>
internal sealed class EventRate
{
    private const int EventsPerBin = 16;
    private const int FirstEvents = 256;
    private const int BinsMin = 16;

    /// <summary>Bins that the running mean stands for.</summary>
    private const int BinsRemembered = 64;

    /// <summary>Empty bins looked at one by one: a longer stop is as odd as one of these.</summary>
    private const int EmptyBinsMax = 256;

    private const double VarianceMin = 0.05;

    private BlockMaximaTail _fast = NewTail(0);
    private BlockMaximaTail _slow = NewTail(16);
    private long _binTicks;
    private long _bin;
    private long _count;
    private long _firstTicks;
    private long _events;
    private long _bins;
    private double _mean;
    private double _variance;
    private double _above;
    private double _below;
    private long _runBins;
    private long _runEvents;
    private bool _skips;
    private double _ordinary;

    /// <summary>The score that decides, in decades.</summary>
    public double Fast { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>The score that is reported, in decades.</summary>
    public double Slow { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>The score that would decide had nobody called a level ordinary, in decades.</summary>
    public double Plain { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>The evidence behind it, in nats; 0 where there is none.</summary>
    public double Value { get; private set; }

    /// <summary>A level that a person called ordinary; 0 for none.</summary>
    public double Ordinary
    {
        get => _ordinary;
        set => _ordinary = _fast.Ordinary = _slow.Ordinary = value;
    }

    /// <summary>What it is about: events in the bins that deviate, how many are usual in so many, and how long they are, in seconds.</summary>
    public (long Events, double Usual, double Seconds) Figures { get; private set; }

    /// <summary>The time until the next event is no cadence of the stream: a silence that was told already.</summary>
    public void Skip() => _skips = true;

    public void Observe(DateTimeOffset time)
    {
        Fast = Slow = Plain = BlockMaximaTail.Unknown;
        Value = 0;

        if (_binTicks == 0)
        {
            Choose(time);
            return;
        }

        long bin = time.UtcTicks / _binTicks;

        if (bin > _bin)
        {
            Complete(_skips ? 0 : bin - _bin - 1);
            _bin = bin;
            _count = 0;
        }

        _skips = false;
        _count++;

        if (_bins >= BinsMin && _count > 1)
        {
            double z = Deviation(_count);

            if (z > 0)
            {
                bool goesOn = _above > 0;
                Say(_above + Surprise(z), (goesOn ? _runEvents : 0) + _count, (goesOn ? _runBins : 0) + 1);
            }
        }
    }

    public void Save(BinaryWriter writer)
    {
        _fast.Save(writer);
        _slow.Save(writer);

        foreach (long number in (ReadOnlySpan<long>)[_binTicks, _bin, _count, _firstTicks, _events, _bins, _runBins, _runEvents])
        {
            writer.Write(number);
        }

        foreach (double number in (ReadOnlySpan<double>)[_mean, _variance, _above, _below])
        {
            writer.Write(number);
        }

        writer.Write(_skips);
    }

    public void Load(BinaryReader reader)
    {
        _fast.Load(reader);
        _slow.Load(reader);
        _binTicks = reader.ReadInt64();
        _bin = reader.ReadInt64();
        _count = reader.ReadInt64();
        _firstTicks = reader.ReadInt64();
        _events = reader.ReadInt64();
        _bins = reader.ReadInt64();
        _runBins = reader.ReadInt64();
        _runEvents = reader.ReadInt64();
        _mean = reader.ReadDouble();
        _variance = reader.ReadDouble();
        _above = reader.ReadDouble();
        _below = reader.ReadDouble();
        _skips = reader.ReadBoolean();
    }

    private static BlockMaximaTail NewTail(int delayBlocks) => new(delayBlocks, prior: 1);

    /// <summary>-ln of a normal tail beyond z, from 0 at z = 0.</summary>
    private static double Surprise(double z) => z * z / 2 + Math.Log(1 + z * Math.Sqrt(2 * Math.PI));

    private void Choose(DateTimeOffset time)
    {
        _firstTicks = _events == 0 ? time.UtcTicks : _firstTicks;

        if (++_events < FirstEvents)
        {
            return;
        }

        Start(Math.Max(TimeSpan.TicksPerSecond, (time.UtcTicks - _firstTicks) / FirstEvents * EventsPerBin));
        _bin = time.UtcTicks / _binTicks;
    }

    private void Start(long binTicks)
    {
        _binTicks = binTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond;
        _bins = 0;
        (_mean, _variance, _above, _below) = (0, 0, 0, 0);
        _fast = NewTail(0);
        _slow = NewTail(16);
        Ordinary = _ordinary;
    }

    private void Complete(long emptyBins)
    {
        Learn(_count);

        for (long empty = Math.Min(emptyBins, EmptyBinsMax); empty > 0; empty--)
        {
            Learn(0);
        }

        double usual = Usual;

        // Too few events in a bin to say anything: longer bins.
        if (_bins >= BinsRemembered && usual < 2)
        {
            Start(8 * _binTicks);
        }
    }

    private double Usual => Math.Max(0, _mean * _mean / 4 - 0.375);

    private double Deviation(long count) => (2 * Math.Sqrt(count + 0.375) - _mean) / Math.Sqrt(Math.Max(_variance, VarianceMin));

    /// <summary>A bin is over: it is judged, then learnt from.</summary>
    private void Learn(long count)
    {
        double y = 2 * Math.Sqrt(count + 0.375);
        double difference = _bins == 0 ? 0 : y - _mean;

        if (_bins >= BinsMin)
        {
            double z = Deviation(count);
            bool goesOn = z > 1 ? _above > 0 : z < -1 && _below > 0;
            _runBins = goesOn ? _runBins + 1 : 1;
            _runEvents = goesOn ? _runEvents + count : count;
            _above = z > 1 ? _above + Surprise(z) : 0;
            _below = z < -1 ? _below + Surprise(-z) : 0;
            double value = Math.Max(_above, _below);
            Say(value, _runEvents, _runBins);
            _fast.Add(value);
            _slow.Add(value);

            // One wild bin must not make the next one look ordinary.
            double limit = 3 * Math.Sqrt(Math.Max(_variance, VarianceMin));
            difference = Math.Clamp(difference, -limit, limit);
        }

        double weight = 1.0 / Math.Min(_bins + 1, BinsRemembered);
        _mean = _bins == 0 ? y : _mean + weight * difference;
        _variance += weight * (difference * difference - _variance);
        _bins++;
    }

    private void Say(double value, long events, long bins)
    {
        double fast = _fast.Score(value);
        Value = Math.Max(Value, value);
        Plain = Math.Max(Plain, _fast.PlainScore(value));

        if (fast >= Fast)
        {
            Fast = fast;
            Figures = (events, bins * Usual, bins * _binTicks / (double)TimeSpan.TicksPerSecond);
        }

        Slow = Math.Max(Slow, _slow.Score(value));
    }
}
