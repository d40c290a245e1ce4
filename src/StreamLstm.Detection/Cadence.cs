using System.Globalization;
using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection;

/// <summary>When a stream's records come: which times are admitted, how far apart they usually are, and since when there is silence.</summary>
internal sealed class Cadence
{
    private static readonly TimeSpan FutureMax = TimeSpan.FromMinutes(5);

    /// <summary>A gap of more usual intervals than this, or longer than an hour, is a new beginning: nothing alerts for a while.</summary>
    private const double LongGapIntervals = 100;
    private const double LongGapSeconds = 3600;

    private readonly SortedReservoir _gapSeconds = new(capacity: 128, horizon: 1000);

    /// <summary>Time of the last record taken.</summary>
    public DateTimeOffset LastTime { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>Whether the stream has been quiet for too long.</summary>
    public bool IsSilent { get; private set; }

    /// <summary>Whether that silence was kept back, and may be told later.</summary>
    public bool IsSilenceHeld { get; set; }

    /// <summary>Whether the stream's records carry the present time: one that replays the past cannot fall silent.</summary>
    public bool IsLive { get; private set; }

    /// <summary>Seconds on the shard's clock at which the last record came; for silence.</summary>
    public double LastArrivalSeconds { get; set; }

    /// <summary>The usual gap between two records, in seconds; NaN while unknown.</summary>
    public double UsualSeconds => _gapSeconds.Quantile(0.5);

    /// <summary>The usual gap; null where it says nothing about the clock on the wall.</summary>
    public double? IntervalSeconds => IsLive && _gapSeconds.Count > 0 ? UsualSeconds : null;

    /// <summary>Seconds of quiet that a person has called ordinary; 0 for none.</summary>
    public double OrdinaryQuietSeconds { get; set; }

    /// <summary>How long the stream may be quiet before that is an incident: by the gaps it has shown.</summary>
    public double SilenceAfterSeconds =>
        _gapSeconds.Count == 0 ? double.PositiveInfinity
        : Math.Max(Math.Max(5, OrdinaryQuietSeconds), Math.Max(10 * _gapSeconds.Quantile(0.5), 3 * _gapSeconds.Quantile(0.99)));

    /// <summary>Whether the record policy admits a record of this time; if not, why.</summary>
    /// <param name="time">The record's time.</param>
    /// <param name="ingestedAt">When it came.</param>
    /// <param name="isSame">Whether it holds what the last record held.</param>
    public RejectionReason? Admit(DateTimeOffset time, DateTimeOffset ingestedAt, bool isSame)
    {
        // One bad clock must not mute the stream: the last time stays where it is.
        if (time > ingestedAt + FutureMax)
        {
            return RejectionReason.Future;
        }

        if (time == LastTime)
        {
            return isSame ? RejectionReason.Duplicate : RejectionReason.Conflict;
        }

        return time < LastTime ? RejectionReason.Late : null;
    }

    /// <summary>Takes an admitted record's time.</summary>
    /// <param name="time">The record's time.</param>
    /// <param name="ingestedAt">When it came.</param>
    /// <param name="isFirst">Whether there was none before it.</param>
    /// <param name="learns">Whether its gap counts as one of the stream's.</param>
    /// <param name="random">For the sample of gaps.</param>
    public Arrival Arrive(DateTimeOffset time, DateTimeOffset ingestedAt, bool isFirst, bool learns, ref SeededRandom random)
    {
        bool wasSilent = IsSilent;
        DateTimeOffset last = LastTime;
        IsLive = (ingestedAt - time).Duration() < FutureMax;
        IsSilent = IsSilenceHeld = false;
        LastTime = time;

        if (isFirst)
        {
            return new Arrival(1, IsBroken: false, IsNewBeginning: false, wasSilent);
        }

        double gap = (time - last).TotalSeconds;
        double usual = _gapSeconds.Count == 0 ? gap : Math.Max(_gapSeconds.Quantile(0.5), 1e-6);
        double longest = _gapSeconds.Count == 0 ? gap : _gapSeconds.Quantile(0.99);

        // A silence is no cadence: it must not lengthen the patience with the next one.
        if (!wasSilent && learns)
        {
            _gapSeconds.Add(gap, ref random);
        }

        // Below a second a gap is the transport's jitter.
        return new Arrival(
            Math.Max(gap, 1e-6) / usual,
            IsBroken: gap > Math.Max(1, Math.Max(3 * usual, 1.5 * longest)),
            IsNewBeginning: gap > Math.Min(LongGapIntervals * usual, LongGapSeconds) && gap > 3 * longest,
            wasSilent);
    }

    /// <summary>Whether the stream has just fallen silent, by the shard's clock; says so once, and again while that is held.</summary>
    public bool FallsSilent(double clockSeconds)
    {
        if ((IsSilent && !IsSilenceHeld) || !IsLive || clockSeconds - LastArrivalSeconds < SilenceAfterSeconds)
        {
            return false;
        }

        IsSilent = true;
        return true;
    }

    /// <summary>The silence, for people.</summary>
    public string ExplainSilence(double clockSeconds) => string.Create(
        CultureInfo.InvariantCulture,
        $"nothing for {clockSeconds - LastArrivalSeconds:0.#} s; usually every {_gapSeconds.Quantile(0.5):0.###} s, at most {_gapSeconds.Quantile(0.99):0.###} s apart");

    public void Save(BinaryWriter writer)
    {
        writer.Write(LastTime.UtcTicks);
        writer.Write(IsSilent);
        writer.Write(IsSilenceHeld);
        writer.Write(IsLive);
        _gapSeconds.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        LastTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        IsSilent = reader.ReadBoolean();
        IsSilenceHeld = reader.ReadBoolean();
        IsLive = reader.ReadBoolean();
        _gapSeconds.Load(reader);
    }
}

/// <summary>How a record arrived.</summary>
/// <param name="GapRatio">Its gap to the one before it, in usual gaps; 1 for the first.</param>
/// <param name="IsBroken">Whether the gap is so long that what was expected of the rows to come was expected of other times.</param>
/// <param name="IsNewBeginning">Whether it is so long that what was usual may be so no more: nothing alerts for a while.</param>
/// <param name="WasSilent">Whether it ends a silence.</param>
internal readonly record struct Arrival(double GapRatio, bool IsBroken, bool IsNewBeginning, bool WasSilent);
