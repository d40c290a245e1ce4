namespace StreamLstm.Detection.Deciding;

/// <summary>What incidents of one stream have in common.</summary>
/// <param name="Likeness">What they are about, by the judge's count: a kind, a column, a template.</param>
/// <param name="Side">To which side of what was expected they lie: 1, -1, or 0 where there are no sides.</param>
internal readonly record struct Signature(int Likeness, int Side)
{
    /// <summary>Silences are all alike.</summary>
    public static readonly Signature Silence = new(int.MinValue, 0);

    /// <summary>What was like it, and suspicious alone.</summary>
    public Signature Suspected => new(~Likeness, Side);
}

/// <summary>The how manieth one like it an incident is.</summary>
/// <param name="Occurrence">1 for the first.</param>
/// <param name="FirstSeen">When the first began.</param>
/// <param name="PreviousAt">When the one before it began; null where it is the first.</param>
internal readonly record struct Recurring(int Occurrence, DateTimeOffset FirstSeen, DateTimeOffset? PreviousAt);

/// <summary>What has come before in a stream, and whether it comes regularly.</summary>
/// <remarks>
/// An irregular fault stays a fault the tenth time: it is one recurring incident. What comes at the same time of the day or
/// of the week is normal where chance hardly would bring so many of those that came to this time of the last five days, or
/// weeks: from its third time where it is punctual (two hundredths of the spacing, three observations at most), from its
/// fourth within five hundredths; one that is missed, or was no more than suspicious, changes little of that. What comes at a spacing of its own
/// is normal the same way, by the last beats alone, so one that is missed ends it: mostly from its fourth time, as three at even spacings are no
/// rarity. Bounded: 32 signatures of 16 beats.
/// </remarks>
internal sealed class Recurrence
{
    private const int SignaturesMax = 32;
    private const int BeatsMax = 16;

    private const double Punctual = 0.02;
    private const int PunctualRows = 3;
    private const double Regular = 0.05;

    /// <summary>Days or weeks looked back on, and how likely chance may be to bring what came in them.</summary>
    private const int PeriodsBack = 5;
    private const double ChanceMax = 0.001;

    private const int FrequentBeats = 3;

    private const double Day = 86_400;

    /// <summary>What has come in a stream where nothing did; not to be changed.</summary>
    public static readonly Recurrence None = new();

    private readonly List<Seen> _seen = [];   // the one that came last at the end

    /// <summary>Whether what begins now comes where it always does.</summary>
    /// <param name="signature">What it is like.</param>
    /// <param name="time">When it began.</param>
    /// <param name="intervalSeconds">The usual gap between two observations; NaN while unknown.</param>
    public bool IsRegular(Signature signature, DateTimeOffset time, double intervalSeconds)
    {
        List<long> beats = Find(signature)?.Beats ?? [];
        long[] all = [.. beats, .. Find(signature.Suspected)?.Beats ?? []];

        if (all.Length < 2)
        {
            return false;
        }

        Array.Sort(all);
        double rows = RowsOf(intervalSeconds);
        return ComesEvery(beats, time.UtcTicks, rows) || ComesAt(all, time.UtcTicks, Day, rows) || ComesAt(all, time.UtcTicks, 7 * Day, rows);
    }

    /// <summary>Whether it comes at a spacing of its own.</summary>
    private static bool ComesEvery(List<long> beats, long time, double rows)
    {
        if (beats.Count < 2)
        {
            return false;
        }

        double period = Seconds(time - beats[^1]), spacing = Seconds(beats[^1] - beats[0]) / (beats.Count - 1);
        return period > 0 && (IsBeyondChance(Math.Min(rows, Punctual * Math.Min(period, spacing))) || IsBeyondChance(Regular * Math.Min(period, spacing)));

        bool IsBeyondChance(double tolerance)
        {
            double each = Chance(tolerance, spacing), all = 1;

            for (int beat = 1; beat < beats.Count && Math.Abs(Seconds(beats[^beat] - beats[^(beat + 1)]) - period) <= tolerance; beat++)
            {
                all *= each;
            }

            return all <= ChanceMax;
        }
    }

    /// <summary>Whether more of them came to this time of the last days, or weeks, than chance brings. Where they come in crowds, one of them is near any time.</summary>
    private static bool ComesAt(long[] beats, long time, double period, double rows)
    {
        double spacing = Seconds(beats[^1] - beats[0]) / (beats.Length - 1);
        return IsBeyondChance(Math.Min(rows, Punctual * Math.Min(period, spacing))) || IsBeyondChance(Regular * Math.Min(period, spacing));

        bool IsBeyondChance(double tolerance)
        {
            double chance = Chance(tolerance, spacing);
            int came = 0;

            for (int back = 1; back <= PeriodsBack && Seconds(time - beats[0]) >= (back * period) - tolerance; back++)
            {
                came += Array.Exists(beats, beat => Math.Abs(Seconds(time - beat) - (back * period)) <= tolerance) ? 1 : 0;

                if (came >= 2 && AtLeast(came, back, chance) <= ChanceMax)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>How likely one of those that come at random is within a tolerance of a time.</summary>
    private static double Chance(double tolerance, double spacing) => 1 - Math.Exp(-2 * tolerance / spacing);

    /// <summary>How likely at least so many of so many come, each by a chance (the binomial tail).</summary>
    private static double AtLeast(int came, int of, double chance)
    {
        double sum = 0;

        for (int k = came; k <= of; k++)
        {
            double ways = 1;

            for (int i = 0; i < k; i++)
            {
                ways *= (double)(of - i) / (i + 1);
            }

            sum += ways * Math.Pow(chance, k) * Math.Pow(1 - chance, of - k);
        }

        return sum;
    }

    /// <summary>Seconds by which what is punctual may be off.</summary>
    private static double RowsOf(double intervalSeconds) => double.IsNaN(intervalSeconds) ? double.PositiveInfinity : PunctualRows * intervalSeconds;

    private static double Seconds(long ticks) => ticks / (double)TimeSpan.TicksPerSecond;

    /// <summary>Whether what begins now has come three times within so many seconds before, not counting what comes at a spacing of its own: that says nothing of what comes between.</summary>
    /// <param name="signature">What it is like.</param>
    /// <param name="time">When it began.</param>
    /// <param name="seconds">How long before.</param>
    /// <param name="intervalSeconds">The usual gap between two observations; NaN while unknown.</param>
    public bool IsFrequent(Signature signature, DateTimeOffset time, double seconds, double intervalSeconds)
    {
        if (Find(signature) is not { } seen)
        {
            return false;
        }

        int frequent = 0;

        for (int beat = seen.Beats.Count - 1; beat >= 0 && Seconds(time.UtcTicks - seen.Beats[beat]) <= seconds; beat--)
        {
            bool isBefore = seen.Beats[beat] < time.UtcTicks;
            frequent += isBefore && !ComesEvery(seen.Beats[..beat], seen.Beats[beat], RowsOf(intervalSeconds)) ? 1 : 0;
        }

        return frequent >= FrequentBeats;
    }

    /// <summary>It came at this time, told or not.</summary>
    public void Beat(Signature signature, DateTimeOffset time)
    {
        Seen seen = Find(signature) ?? new Seen(signature);
        _seen.Remove(seen);
        _seen.Add(seen);
        seen.Beats.Add(time.UtcTicks);

        if (seen.Beats.Count > BeatsMax)
        {
            seen.Beats.RemoveAt(0);
        }

        if (_seen.Count > SignaturesMax)
        {
            _seen.RemoveAt(Math.Max(0, _seen.FindIndex(one => one.Told == 0 && one != seen)));
        }
    }

    /// <summary>An incident opens that began at this time, which was noted.</summary>
    public Recurring Told(Signature signature, DateTimeOffset time)
    {
        Seen seen = Find(signature)!;
        seen.FirstTicks = seen.Told == 0 ? time.UtcTicks : seen.FirstTicks;
        var recurring = new Recurring(
            ++seen.Told,
            new DateTimeOffset(seen.FirstTicks, TimeSpan.Zero),
            seen.Told == 1 ? null : new DateTimeOffset(seen.PreviousTicks, TimeSpan.Zero));
        seen.PreviousTicks = time.UtcTicks;
        return recurring;
    }

    /// <summary>What one of them that is over was like at most: rows it lasted, decades of evidence.</summary>
    public void Ended(Signature signature, long rows, double evidence)
    {
        if (Find(signature) is { } seen)
        {
            seen.LongestRows = Math.Max(seen.LongestRows, rows);
            seen.HighestEvidence = Math.Max(seen.HighestEvidence, evidence);
        }
    }

    /// <summary>Whether one that comes regularly is more than any before it: twice as long, or a threshold higher.</summary>
    public bool IsMore(Signature signature, long rows, double evidence, double threshold) =>
        Find(signature) is not { } seen || rows > 2 * seen.LongestRows + Incident.QuietRows || evidence > seen.HighestEvidence + threshold;

    public void Save(BinaryWriter writer)
    {
        writer.Write(_seen.Count);

        foreach (Seen seen in _seen)
        {
            writer.Write(seen.Signature.Likeness);
            writer.Write(seen.Signature.Side);
            writer.Write(seen.Told);
            writer.Write(seen.FirstTicks);
            writer.Write(seen.PreviousTicks);
            writer.Write(seen.LongestRows);
            writer.Write(seen.HighestEvidence);
            writer.Write(seen.Beats.Count);
            seen.Beats.ForEach(writer.Write);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public static Recurrence Load(BinaryReader reader)
    {
        int count = Bounded(reader.ReadInt32(), SignaturesMax, "signatures");
        Recurrence recurrence = count > 0 ? new Recurrence() : None;

        for (; count > 0; count--)
        {
            var seen = new Seen(new Signature(reader.ReadInt32(), reader.ReadInt32()))
            {
                Told = reader.ReadInt32(),
                FirstTicks = reader.ReadInt64(),
                PreviousTicks = reader.ReadInt64(),
                LongestRows = reader.ReadInt64(),
                HighestEvidence = reader.ReadDouble(),
            };

            for (int beats = Bounded(reader.ReadInt32(), BeatsMax, "beats"); beats > 0; beats--)
            {
                seen.Beats.Add(reader.ReadInt64());
            }

            recurrence._seen.Add(seen);
        }

        return recurrence;

        static int Bounded(int value, int max, string what) => value >= 0 && value <= max
            ? value
            : throw new InvalidDataException($"recurrence: {value} {what}, expected 0 to {max}");
    }

    private Seen? Find(Signature signature) => _seen.Find(seen => seen.Signature == signature);

    /// <summary>All that came of one signature.</summary>
    private sealed class Seen(Signature signature)
    {
        public Signature Signature { get; } = signature;

        /// <summary>Ticks at which the last ones began.</summary>
        public List<long> Beats { get; } = [];

        public int Told { get; set; }

        public long FirstTicks { get; set; }

        public long PreviousTicks { get; set; }

        public long LongestRows { get; set; }

        public double HighestEvidence { get; set; }
    }
}
