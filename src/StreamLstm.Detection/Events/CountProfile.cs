namespace StreamLstm.Detection.Events;

/// <summary>How often each kind of event comes in normal sessions; how far a session's counts are from all of them.</summary>
/// <remarks>
/// The distance to a known count vector is the sum over kinds of |difference| times what one event too many or too few
/// costs: -ln(a / (1 + a)), a = the kind's mean absolute deviation from its median over the normal sessions. A kind whose
/// count wanders costs next to nothing, one that always comes three times costs as much as the number of sessions allows.
/// </remarks>
internal sealed class CountProfile
{
    private const int VectorsMax = 4096;

    private readonly int[][] _vectors;
    private readonly long[] _sessions;
    private readonly double[] _costs;

    /// <param name="kinds">V: kinds of events, "other" among them.</param>
    /// <param name="sessions">Normal sessions, at least one.</param>
    public CountProfile(int kinds, IReadOnlyList<int[]> sessions)
    {
        var known = new Dictionary<string, (int[] Counts, long Sessions)>(StringComparer.Ordinal);

        foreach (int[] session in sessions)
        {
            int[] counts = Count(kinds, session);
            string key = string.Join(' ', counts);
            known[key] = (counts, known.TryGetValue(key, out var entry) ? entry.Sessions + 1 : 1);
        }

        (int[] Counts, long Sessions)[] kept =
            [.. known.OrderByDescending(one => one.Value.Sessions).ThenBy(one => one.Key, StringComparer.Ordinal).Select(one => one.Value)];
        _costs = [.. Enumerable.Range(0, kinds).Select(kind => Cost(kept, kind, sessions.Count))];
        _vectors = [.. kept.Take(VectorsMax).Select(one => one.Counts)];
        _sessions = [.. kept.Take(VectorsMax).Select(one => one.Sessions)];
    }

    /// <summary>Counts compared so far, at most 4,096 for each session asked about.</summary>
    public long Compared { get; private set; }

    /// <summary>Distance to the nearest normal session, in nats; 0 where one had the same counts.</summary>
    /// <param name="session">Kinds.</param>
    /// <param name="isOneOfThem">Whether it is itself among the normal sessions: only another one counts.</param>
    public double Distance(ReadOnlySpan<int> session, bool isOneOfThem = false)
    {
        int[] counts = Count(_costs.Length, session);
        double nearest = double.PositiveInfinity;

        for (int i = 0; i < _vectors.Length && nearest > 0; i++)
        {
            Compared++;
            double distance = Distance(counts, _vectors[i], nearest);
            bool isItself = isOneOfThem && distance == 0 && _sessions[i] == 1;
            nearest = isItself ? nearest : Math.Min(nearest, distance);
        }

        return nearest;
    }

    /// <summary>The kind that differs most, in cost, from the nearest normal session; -1 where none does.</summary>
    public int Strangest(ReadOnlySpan<int> session)
    {
        int[] counts = Count(_costs.Length, session);
        int[] nearest = _vectors.MinBy(vector => Distance(counts, vector, double.PositiveInfinity))!;
        int strangest = -1;

        for (int kind = 0; kind < counts.Length; kind++)
        {
            double cost = Cost(kind);
            strangest = cost > 0 && (strangest < 0 || cost > Cost(strangest)) ? kind : strangest;
        }

        return strangest;

        double Cost(int kind) => Math.Abs(counts[kind] - nearest[kind]) * _costs[kind];
    }

    private static int[] Count(int kinds, ReadOnlySpan<int> session)
    {
        var counts = new int[kinds];

        foreach (int kind in session)
        {
            counts[kind]++;
        }

        return counts;
    }

    private static double Cost((int[] Counts, long Sessions)[] vectors, int kind, int sessions)
    {
        long passed = 0;
        int median = 0;

        foreach ((int[] counts, long times) in vectors.OrderBy(one => one.Counts[kind]))
        {
            median = counts[kind];
            passed += times;

            if (2 * passed >= sessions)
            {
                break;
            }
        }

        // One session in all of them may have been one event off: what never varied has a price after all.
        double deviation = (1 + vectors.Sum(one => (double)one.Sessions * Math.Abs(one.Counts[kind] - median))) / sessions;
        return -Math.Log(deviation / (1 + deviation));
    }

    /// <summary>The distance, or something beyond <paramref name="enough"/>.</summary>
    private double Distance(int[] counts, int[] vector, double enough)
    {
        double distance = 0;

        for (int kind = 0; kind < counts.Length && distance <= enough; kind++)
        {
            distance += Math.Abs(counts[kind] - vector[kind]) * _costs[kind];
        }

        return distance;
    }
}
