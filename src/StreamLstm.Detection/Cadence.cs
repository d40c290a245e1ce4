using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Scaling;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Detection;

/// <summary>When a stream's records come: which times are admitted, how far apart they usually are, and since when there is silence.</summary>
/// <param name="gaps">Gaps that are kept.</param>
internal sealed class Cadence(int gaps)
{
    /// <summary>How far ahead of the moment it came a record may be.</summary>
    public static readonly TimeSpan FutureMax = TimeSpan.FromMinutes(5);

    /// <summary>A gap of more usual intervals than this, or longer than an hour, is a new beginning: nothing alerts for a while.</summary>
    private const double LongGapIntervals = 100;
    private const double LongGapSeconds = 3600;

    /// <summary>
    /// Late records, each later than the one before, that carry the present time or follow on what came before the last
    /// leap: so many say that it is the last time which is wrong.
    /// </summary>
    private const int LateMax = 16;

    /// <summary>About what its own fields take.</summary>
    private const int OwnBytes = 192;

    private SortedReservoir _gapSeconds = NewGaps(gaps);
    private Uploads _uploads;
    private Waits _waits = new();
    private long _lastTicks = DateTimeOffset.MinValue.UtcTicks;
    private long _beforeLeapTicks = DateTimeOffset.MaxValue.UtcTicks;   // of the last time before it
    private long _lateTicks = DateTimeOffset.MinValue.UtcTicks;
    private int _lateCount;
    private double _gap = double.NaN;   // the last record's, where it may be one of the stream's

    /// <summary>Time of the last record taken.</summary>
    public DateTimeOffset LastTime
    {
        get => new(_lastTicks, TimeSpan.Zero);
        private set => _lastTicks = value.UtcTicks;
    }

    /// <summary>Whether the stream has been quiet for too long.</summary>
    public bool IsSilent { get; private set; }

    /// <summary>Whether that silence was kept back, and may be told later.</summary>
    public bool IsSilenceHeld { get; set; }

    /// <summary>Whether the stream's records carry the present time: one that replays the past cannot fall silent.</summary>
    public bool IsLive { get; private set; }

    /// <summary>Seconds on the shard's clock at which the last record came; for silence.</summary>
    public double LastArrivalSeconds { get; private set; }

    /// <summary>The usual gap between two records, in seconds; NaN while unknown.</summary>
    public double UsualSeconds => _gapSeconds.Quantile(0.5);

    /// <summary>The usual gap; null where it says nothing about the clock on the wall.</summary>
    public double? IntervalSeconds => IsLive && _gapSeconds.Count > 0 ? UsualSeconds : null;

    /// <summary>
    /// Whether gaps have a usual length: three in ten within a factor of 1.3 of each other, those below a second being one. What comes every
    /// minute is, with gaps, jitter and bursts; what comes when something changes is not.
    /// </summary>
    public bool IsRegular
    {
        get
        {
            ReadOnlySpan<double> gaps = _gapSeconds.Sorted;
            int needed = Math.Max(1, (int)Math.Ceiling(0.3 * gaps.Length));

            for (int shortest = 0; shortest + needed <= gaps.Length; shortest++)
            {
                if (gaps[shortest + needed - 1] <= Math.Max(1, 1.3 * gaps[shortest]))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>How long the stream may be quiet before that is an incident: by the gaps it has shown.</summary>
    /// <param name="ordinarySeconds">What a person has called ordinary; 0 for nothing.</param>
    private double SilenceAfterSeconds(double ordinarySeconds) =>
        _gapSeconds.Count == 0 ? double.PositiveInfinity
        : Math.Max(
            Math.Max(Math.Max(5, ordinarySeconds), _uploads.PatienceSeconds),
            Math.Max(10 * _gapSeconds.Quantile(0.5), 3 * _gapSeconds.Quantile(0.99)));

    /// <summary>Keeps so many gaps from now on, of those that are known as evenly as may be.</summary>
    public void Resize(int gaps)
    {
        SortedReservoir before = _gapSeconds;
        var none = new SeededRandom(0);
        _gapSeconds = NewGaps(gaps);
        int kept = Math.Min(gaps, before.Count);

        for (int i = 0; i < kept; i++)
        {
            _gapSeconds.Add(before.Quantile((i + 0.5) / kept), ref none);
        }
    }

    private static SortedReservoir NewGaps(int gaps) => new(gaps, horizon: 1000);

    /// <summary>Calls it into the cache.</summary>
    public void Fetch() => CacheLines.Fetch(ref _gapSeconds, OwnBytes);

    /// <summary>Whether the record policy admits a record of this time; if not, why.</summary>
    /// <param name="time">The record's time; afterwards the one it is taken at.</param>
    /// <param name="ingestedAt">When it came.</param>
    /// <param name="isSame">Whether it holds what the last record held.</param>
    /// <param name="takesAny">Whether every record is taken, if need be at the latest time known.</param>
    public RejectionReason? Admit(ref DateTimeOffset time, DateTimeOffset ingestedAt, bool isSame, bool takesAny)
    {
        // One bad clock must not mute the stream: the last time stays where it is.
        if (time - ingestedAt > FutureMax)
        {
            if (!takesAny)
            {
                return RejectionReason.Future;
            }

            time = ingestedAt;
        }

        if (time > LastTime)
        {
            _lateCount = 0;
            return null;
        }

        if (time < LastTime && !(takesAny && LastTime - time <= FutureMax) && IsLastTimeWrong(time, ingestedAt))
        {
            return null;
        }

        if (takesAny)
        {
            time = LastTime;
            return null;
        }

        return time < LastTime ? RejectionReason.Late : isSame ? RejectionReason.Duplicate : RejectionReason.Conflict;
    }

    /// <summary>Takes an admitted record's time.</summary>
    /// <param name="time">The record's time.</param>
    /// <param name="ingestedAt">When it came.</param>
    /// <param name="clockSeconds">The shard's clock.</param>
    /// <param name="isFirst">Whether there was none before it.</param>
    public Arrival Arrive(DateTimeOffset time, DateTimeOffset ingestedAt, double clockSeconds, bool isFirst)
    {
        bool wasSilent = IsSilent;
        double gap = (time - LastTime).TotalSeconds;

        double waited = clockSeconds - LastArrivalSeconds;
        _waits.Arrive(clockSeconds, isFirst || wasSilent ? double.NaN : waited);

        if (!isFirst)
        {
            _uploads.Arrive(waited, gap);
        }

        LastArrivalSeconds = clockSeconds;
        (DateTimeOffset last, LastTime) = (LastTime, time);
        IsLive = (ingestedAt - time).Duration() < FutureMax;
        IsSilent = IsSilenceHeld = false;
        _gap = double.NaN;

        if (isFirst)
        {
            return new Arrival(1, QuietSeconds: 0, IsBroken: false, IsNewBeginning: false, wasSilent);
        }

        if (gap < 0)
        {
            // The clock was set back.
            _beforeLeapTicks = DateTimeOffset.MaxValue.UtcTicks;
            return new Arrival(1, QuietSeconds: 0, IsBroken: true, IsNewBeginning: true, wasSilent);
        }

        double usual = _gapSeconds.Count == 0 ? gap : Math.Max(_gapSeconds.Quantile(0.5), 1e-6);
        double longest = _gapSeconds.Count == 0 ? gap : _gapSeconds.Quantile(0.99);

        // Below a second a gap is the transport's jitter.
        bool isBroken = gap > Math.Max(1, Math.Max(3 * usual, 1.5 * longest));
        _beforeLeapTicks = isBroken ? last.UtcTicks : _beforeLeapTicks;

        // A silence is no cadence: it must not lengthen the patience with the next one. A wait that was filled is none.
        _gap = wasSilent && !Uploads.IsFilled(waited, gap) ? double.NaN : gap;
        return new Arrival(
            Math.Max(gap, 1e-6) / Math.Max(usual, 1e-6),
            gap,
            isBroken,
            IsNewBeginning: isBroken && gap > Math.Min(LongGapIntervals * usual, LongGapSeconds) && gap > 3 * longest,
            wasSilent);
    }

    /// <summary>The last record's gap is one of the stream's.</summary>
    public void Learn(ref SeededRandom random)
    {
        if (!double.IsNaN(_gap))
        {
            _gapSeconds.Add(_gap, ref random);
            _gap = double.NaN;
        }
    }

    /// <summary>Whether the stream has just fallen silent, by the shard's clock; says so once, and again while that is held.</summary>
    public bool FallsSilent(double clockSeconds, double ordinarySeconds) =>
        (!IsSilent || IsSilenceHeld) && IsLive && clockSeconds - LastArrivalSeconds is var quiet && quiet >= SilenceAfterSeconds(ordinarySeconds)
        && (quiet >= _waits.PatienceSeconds(clockSeconds) || IsRegular);

    /// <summary>It does.</summary>
    public void FallSilent() => IsSilent = true;

    /// <summary>The silence, for people.</summary>
    public string ExplainSilence(double clockSeconds) => string.Create(
        CultureInfo.InvariantCulture,
        $"nothing for {Figures.Duration(clockSeconds - LastArrivalSeconds)}; {(IsRegular
            ? $"usually every {Figures.Duration(_gapSeconds.Quantile(0.5))}, at most {Figures.Duration(_gapSeconds.Quantile(0.99))} apart"
            : $"it comes when something changes, and was never quiet for longer than {Figures.Duration(_waits.LongestSeconds)}")}");

    public void Save(BinaryWriter writer)
    {
        writer.Write(LastTime.UtcTicks);
        writer.Write(IsSilent);
        writer.Write(IsSilenceHeld);
        writer.Write(IsLive);
        writer.Write(LastArrivalSeconds);
        writer.Write(_beforeLeapTicks);
        writer.Write(_lateTicks);
        writer.Write(_lateCount);
        _gapSeconds.Save(writer);
        _uploads.Save(writer);
        _waits.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        LastTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        IsSilent = reader.ReadBoolean();
        IsSilenceHeld = reader.ReadBoolean();
        IsLive = reader.ReadBoolean();
        LastArrivalSeconds = reader.ReadDouble();
        _beforeLeapTicks = reader.ReadInt64();
        _lateTicks = reader.ReadInt64();
        _lateCount = reader.ReadInt32();
        _gapSeconds.Load(reader);
        _uploads.Load(reader);
        _waits.Load(reader);
    }

    private bool IsLastTimeWrong(DateTimeOffset time, DateTimeOffset ingestedAt)
    {
        bool follows = (ingestedAt - time).Duration() < FutureMax || time.UtcTicks > _beforeLeapTicks;
        _lateCount = !follows ? 0 : time.UtcTicks > _lateTicks ? _lateCount + 1 : 1;
        _lateTicks = time.UtcTicks;
        return _lateCount >= LateMax;
    }
}

/// <summary>How a record arrived.</summary>
/// <param name="GapRatio">Its gap to the one before it, in usual gaps; 1 for the first.</param>
/// <param name="QuietSeconds">The same in seconds.</param>
/// <param name="IsBroken">Whether the gap is so long that what was expected of the rows to come was expected of other times.</param>
/// <param name="IsNewBeginning">Whether it is so long that what was usual may be so no more: nothing alerts for a while.</param>
/// <param name="WasSilent">Whether it ends a silence.</param>
internal readonly record struct Arrival(double GapRatio, double QuietSeconds, bool IsBroken, bool IsNewBeginning, bool WasSilent);
