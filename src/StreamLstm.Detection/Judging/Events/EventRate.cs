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

    /// <summary>Blocks that the tail is of, and bins of one: a burst is over within a block or two.</summary>
    private const int BlocksMax = 256;
    private const int BinsPerBlock = 8;

    private readonly List<(long Count, double Value)> _finished = [];   // bins that the last event showed to be over
    private readonly CleanTail _tail = new(BlocksMax, TailScale.Difference, least: 1);
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
    private Lesson _lesson;   // what the present bin may teach

    /// <summary>What it is worth: decades of blocks of events.</summary>
    public double Score { get; private set; }

    /// <summary>The same as it were had nobody called a level ordinary.</summary>
    public double Plain { get; private set; }

    /// <summary>A level that a person called ordinary; 0 for none.</summary>
    public double Ordinary
    {
        set => _tail.Ordinary = value;
    }

    /// <summary>The evidence behind it, in nats; 0 where there is none.</summary>
    public double Value { get; private set; }

    /// <summary>What it is about: events in the bins that deviate, how many are usual in so many, and how long they are, in seconds.</summary>
    public (long Events, double Usual, double Seconds) Figures { get; private set; }

    /// <summary>The time until the next event is no cadence of the stream: a silence that was told already.</summary>
    public void Skip() => _skips = true;

    /// <summary>Judges the bins that an event shows to be over, and the one it is in.</summary>
    public void Judge(DateTimeOffset time)
    {
        Value = Score = Plain = 0;
        _finished.Clear();

        if (_binTicks == 0)
        {
            return;
        }

        long bin = time.UtcTicks / _binTicks;

        // The stream's clock was set back.
        (_bin, _count) = bin < _bin ? (bin, 0) : (_bin, _count);

        if (bin > _bin)
        {
            Finish(_count);

            for (long empty = Math.Min(_skips ? 0 : bin - _bin - 1, EmptyBinsMax); empty > 0; empty--)
            {
                Finish(0);
            }

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

    /// <summary>Learns of the bins that are over, unless one of their events may teach nothing.</summary>
    /// <param name="time">Of the event.</param>
    /// <param name="lesson">What it may teach.</param>
    /// <param name="counts">Whether how odd it was counts, even where its bin may not be learnt of.</param>
    public void Remember(DateTimeOffset time, Lesson lesson, bool counts)
    {
        if (_binTicks == 0)
        {
            Choose(time);
            return;
        }

        Lesson finished = lesson > _lesson ? lesson : _lesson;
        _lesson = _finished.Count > 0 ? lesson : finished;

        bool teaches = finished <= Lesson.Suspicious;

        foreach ((long count, double value) in _finished)
        {
            // A stop is many bins, and counts as one: with the last, in which it is longest.
            bool enters = teaches || (counts && value == Value);

            for (int i = 0; i < CleanTail.BlockRows / BinsPerBlock && _bins >= BinsMin; i++)
            {
                _tail.Add(value, enters);
            }

            if (teaches)
            {
                Learn(count);
            }
        }

        // Too few events in a bin to say anything: longer bins.
        if (_finished.Count > 0 && _bins >= BinsRemembered && Usual < 2)
        {
            Start(8 * _binTicks);
            _bin = time.UtcTicks / _binTicks;
            _count = 1;
        }
    }

    /// <summary>Keeps the last bins from teaching, as far as their blocks do not count yet.</summary>
    public void Spare() => _tail.Spare(rowsAgo: 1);

    public void Save(BinaryWriter writer)
    {
        _tail.Save(writer);

        foreach (long number in (ReadOnlySpan<long>)[_binTicks, _bin, _count, _firstTicks, _events, _bins, _runBins, _runEvents])
        {
            writer.Write(number);
        }

        foreach (double number in (ReadOnlySpan<double>)[_mean, _variance, _above, _below])
        {
            writer.Write(number);
        }

        writer.Write(_skips);
        writer.Write((byte)_lesson);
    }

    public void Load(BinaryReader reader)
    {
        _tail.Load(reader);
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
        _lesson = (Lesson)reader.ReadByte();
    }

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
        _tail.Clear();
    }

    private double Usual => Math.Max(0, _mean * _mean / 4 - 0.375);

    private double Deviation(long count) => (2 * Math.Sqrt(count + 0.375) - _mean) / Math.Sqrt(Math.Max(_variance, VarianceMin));

    /// <summary>A bin is over: it is judged.</summary>
    private void Finish(long count)
    {
        double value = 0;

        if (_bins >= BinsMin)
        {
            double z = Deviation(count);
            bool goesOn = z > 1 ? _above > 0 : z < -1 && _below > 0;
            _runBins = goesOn ? _runBins + 1 : 1;
            _runEvents = goesOn ? _runEvents + count : count;
            _above = z > 1 ? _above + Surprise(z) : 0;
            _below = z < -1 ? _below + Surprise(-z) : 0;
            value = Math.Max(_above, _below);
            Say(value, _runEvents, _runBins);
        }

        _finished.Add((count, value));
    }

    /// <summary>Learns what a bin's count was; one wild bin must not make the next one look ordinary.</summary>
    private void Learn(long count)
    {
        double y = 2 * Math.Sqrt(count + 0.375);
        double limit = _bins >= BinsMin ? 3 * Math.Sqrt(Math.Max(_variance, VarianceMin)) : double.PositiveInfinity;
        double difference = _bins == 0 ? 0 : Math.Clamp(y - _mean, -limit, limit);
        double weight = 1.0 / Math.Min(_bins + 1, BinsRemembered);
        _mean = _bins == 0 ? y : _mean + weight * difference;
        _variance += weight * (difference * difference - _variance);
        _bins++;
    }

    private void Say(double value, long events, long bins)
    {
        if (value < Value)
        {
            return;
        }

        // The tail says how many blocks of bins there are between two: a bin has more events than one.
        Value = value;
        (Score, Plain) = (InEvents(_tail.Score(value)), InEvents(_tail.PlainScore(value)));
        Figures = (events, bins * Usual, bins * _binTicks / (double)TimeSpan.TicksPerSecond);
    }

    private double InEvents(double decades) => decades + Math.Min(1, decades) * Math.Log10(Math.Max(1, BinsPerBlock * Usual / CleanTail.BlockRows));
}
