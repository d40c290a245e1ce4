namespace StreamLstm.Detection.Grouping;

/// <summary>Whether two incidents began together by chance: how often some begin, and which streams' incidents follow one another.</summary>
/// <remarks>
/// An incident that has nothing to do with others still falls near one by chance: as often as there is time near one. That
/// share of time is measured, for all streams and under every prefix of a name, by runs of incidents: how often a run begins
/// and how long it lasts. Strangers may meet only where it is small. Relatives may where far more of them meet: of those that
/// follow another, chance brings the odds of the share of time over the odds of following. On a machine whose figures jump
/// together that is little, in a fleet of machines that share a root all of it. What is decided of one incident feeds no
/// measurement, so no mistake breeds the next.
/// </remarks>
internal sealed class Coincidence
{
    /// <summary>The longest lag, and the longest that a group grows: who was woken has looked by then, and what comes later is news.</summary>
    public static readonly TimeSpan LagMax = TimeSpan.FromMinutes(5);

    /// <summary>Of a hundred incidents that have causes of their own, one at most is put to a stranger's.</summary>
    private const double ChanceMax = 0.01;

    /// <summary>
    /// Of those put to a relative, or to one they are known to follow, a third at most fell there by chance. A line too many costs
    /// as much as a member that does not belong, so below a half would do; the rest is for what is measured of few.
    /// </summary>
    private const double RelativesChanceMax = 1.0 / 3;

    /// <summary>The second clock sees a change when the mean of eight values is there, and that it lasts in two more.</summary>
    private const double WindowIntervals = 10;

    /// <summary>However fast they are sampled: what starts takes seconds to reach memory, disk and network.</summary>
    private const double WindowMinSeconds = 5;

    /// <summary>Unmeasured, as if a run began every ninety observations: two strangers on one tick are chance once in ninety, and stay apart.</summary>
    private const double PriorIntervals = 90;

    /// <summary>Unmeasured, as if three of four relatives followed another, which joins them; that counts as four incidents, so that as many settle it.</summary>
    private const double PriorFollowed = 0.75;
    private const int PriorOnsets = 4;

    /// <summary>Where a cadence is not known: that of host figures and of most sensors.</summary>
    private const double UnknownIntervalSeconds = 1;

    /// <summary>Runs and lags that a mean is of: enough to know a rate to a fifth.</summary>
    private const int Remembered = 32;

    /// <summary>Times that two streams must have begun with the same lag: once is chance, every incident has some before it.</summary>
    private const int HabitMin = 2;

    /// <summary>Prefixes and pairs: at 200 bytes each what three streams take.</summary>
    private const int KnownMax = 8_192;

    /// <summary>The time to the next run counts as at most so many mean ones: by chance one in three thousand is longer, a stop of the daemon is.</summary>
    private const double PeriodMaxMeans = 8;

    /// <summary>By a prefix: runs, with the mean seconds from one to the next. By a pair of streams: the mean lag in seconds.</summary>
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);
    private long _now;

    /// <summary>Seconds within which two incidents must have begun, whatever the chance.</summary>
    public static double Window(GroupMember one, GroupMember other) => Window(Interval(one, other));

    /// <summary>The longest prefix, in whole parts, that two names share; empty for strangers.</summary>
    public static string Shared(string one, string other)
    {
        int length = one.AsSpan().CommonPrefixLength(other);
        bool whole = (length == one.Length || one[length] == '/') && (length == other.Length || other[length] == '/');
        return one[..(whole ? length : Math.Max(0, one.LastIndexOf('/', Math.Max(0, length - 1))))];
    }

    /// <summary>How many times likelier than allowed it is that relatives, or streams that are known to follow one another, met by chance.</summary>
    public double OfRelatives(GroupMember incident, GroupMember member)
    {
        double interval = Interval(incident, member), window = Window(interval), doubt = double.PositiveInfinity;
        (string pair, double lag) = Pair(member, incident);

        if (Math.Abs(lag) <= window && Shared(incident.Stream, member.Stream) is { Length: > 0 } family)
        {
            double followed = _known.TryGetValue(family, out Known known) ? known.Followed : PriorFollowed;
            double share = ShareOfTime(family, window, interval);
            followed = Math.Min(followed, 1 - (1.0 / Remembered));

            // Where something has begun for most of the time, following says nothing.
            doubt = share < 0.5 ? share / (1 - share) * (1 - followed) / followed : double.PositiveInfinity;
        }

        if (_known.TryGetValue(pair, out Known habit) && habit.Count >= HabitMin && Math.Abs(lag - habit.Mean) <= window)
        {
            doubt = Math.Min(doubt, ShareOfTime(incident.Stream, Math.Abs(lag - habit.Mean) + interval, interval));
        }

        return doubt / RelativesChanceMax;
    }

    /// <summary>The same of strangers: the last of so many that have begun since one did. Three at once are a cause where two are none. An onset is known to within an interval.</summary>
    public double OfStrangers(GroupMember incident, GroupMember member, double seconds, int count)
    {
        double interval = Interval(incident, member), share = ShareOfTime("", seconds + interval, interval);

        // As many as a Poisson process would bring that leaves as much time free; the chance of more by Chernoff's bound, which
        // is above it by about as much as there are stretches of time that end here and might have been looked at.
        double expected = -Math.Log(1 - share);
        double chance = count == 1 ? share : count > expected ? Math.Exp(count - expected - (count * Math.Log(count / expected))) : 1;
        return chance / ChanceMax;
    }

    /// <summary>An incident has begun near others, of any group: what is known of lags and of runs grows by it.</summary>
    public void Learn(GroupMember incident, IEnumerable<GroupMember> near)
    {
        foreach (GroupMember other in near)
        {
            (string pair, double lag) = Pair(other, incident);
            double window = Window(Interval(other, incident));

            // Relatives within the window need no habit, and a burst of a hundred would fill the memory with theirs.
            if (other.Stream != incident.Stream && Math.Abs(lag) <= LagMax.TotalSeconds
                && (Math.Abs(lag) > window || Shared(other.Stream, incident.Stream).Length == 0))
            {
                _known[pair] = _known.GetValueOrDefault(pair).NextLag(lag, window, ++_now);
            }
        }

        double interval = Interval(incident, incident);
        bool isExplained = false;

        // From the narrowest: who follows a near relative does not say that those of a wider circle meet.
        foreach (string family in Families(incident.Stream).Reverse())
        {
            if (_known.TryGetValue(family, out Known known))
            {
                var window = TimeSpan.FromSeconds(Window(interval));
                bool follows = incident.Onset >= known.Start - window && incident.Onset <= known.Last + window;
                _known[family] = known.NextOnset(incident.Onset, follows, isExplained, ++_now);
                isExplained |= follows;
            }
            else
            {
                _known[family] = new Known(PriorIntervals * interval, 0, 1, PriorFollowed, PriorOnsets, incident.Onset, incident.Onset, ++_now);
            }
        }

        if (_known.Count > KnownMax)
        {
            // The least confirmed, and of these the longest untouched.
            foreach (string name in _known.OrderBy(pair => (pair.Value.Count, pair.Value.Touched)).Take(KnownMax / 4).Select(pair => pair.Key).ToArray())
            {
                _known.Remove(name);
            }
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_now);
        writer.Write(_known.Count);

        foreach ((string name, Known known) in _known)
        {
            writer.Write(name);
            writer.Write(known.Mean);
            writer.Write(known.Span);
            writer.Write(known.Count);
            writer.Write(known.Followed);
            writer.Write(known.Onsets);
            writer.Write(known.Start.UtcTicks);
            writer.Write(known.Last.UtcTicks);
            writer.Write(known.Touched);
        }
    }

    public void Load(BinaryReader reader)
    {
        _now = reader.ReadInt64();

        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            _known.Add(reader.ReadString(), new Known(
                reader.ReadDouble(), reader.ReadDouble(), reader.ReadInt32(), reader.ReadDouble(), reader.ReadInt32(),
                new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero), new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero), reader.ReadInt64()));
        }
    }

    private static double Window(double interval) => Math.Clamp(WindowIntervals * interval, WindowMinSeconds, LagMax.TotalSeconds);

    private static double Interval(GroupMember one, GroupMember other) =>
        Math.Max(one.IntervalSeconds ?? UnknownIntervalSeconds, other.IntervalSeconds ?? UnknownIntervalSeconds);

    /// <summary>Two streams in one order, and by how much the second lags.</summary>
    private static (string Pair, double LagSeconds) Pair(GroupMember one, GroupMember other) =>
        string.CompareOrdinal(one.Stream, other.Stream) <= 0
            ? ($"{one.Stream}\n{other.Stream}", (other.Onset - one.Onset).TotalSeconds)
            : ($"{other.Stream}\n{one.Stream}", (one.Onset - other.Onset).TotalSeconds);

    /// <summary>"", "host", "host/pi", ..., the name itself.</summary>
    private static IEnumerable<string> Families(string name) => Enumerable.Range(0, name.Length + 1)
        .Where(end => end == 0 || end == name.Length || name[end] == '/').Select(end => name[..end]);

    /// <summary>The share of time that lies in a run under a prefix, or within so many seconds of it.</summary>
    private double ShareOfTime(string family, double seconds, double interval) =>
        // A part is no busier than the whole, however little is known of it.
        Families(family).Min(name => _known.TryGetValue(name, out Known known)
            ? Math.Min(1, (known.Span + seconds) / known.Mean)
            : seconds / (PriorIntervals * interval));

    private readonly record struct Known(
        double Mean, double Span, int Count, double Followed, int Onsets, DateTimeOffset Start, DateTimeOffset Last, long Touched)
    {
        /// <summary>One that does not fit halves what is known; at nothing it begins anew.</summary>
        public Known NextLag(double lag, double window, long now) =>
            Count > 0 && Math.Abs(lag - Mean) <= window ? Next(lag, 0) with { Touched = now }
            : Count > 1 ? this with { Count = Count / 2, Touched = now }
            : new Known(lag, 0, 1, 0, 0, default, default, now);

        /// <summary>A run that lasts for longer than any lag is cut, or what never stops would never be known.</summary>
        public Known NextOnset(DateTimeOffset onset, bool follows, bool isExplained, long now)
        {
            Known next = follows && (onset - Start).Duration() <= LagMax
                ? this with { Start = onset < Start ? onset : Start, Last = onset > Last ? onset : Last }
                : Next(Math.Min((onset - Start).Duration().TotalSeconds, PeriodMaxMeans * Mean), (Last - Start).TotalSeconds) with { Start = onset, Last = onset };
            int onsets = isExplained ? Onsets : Math.Min(Onsets + 1, Remembered);
            return next with { Followed = isExplained ? Followed : Followed + (((follows ? 1 : 0) - Followed) / onsets), Onsets = onsets, Touched = now };
        }

        private Known Next(double value, double span)
        {
            int count = Math.Min(Count + 1, Remembered);
            return this with { Mean = Mean + ((value - Mean) / count), Span = Span + ((span - Span) / count), Count = count };
        }
    }
}
