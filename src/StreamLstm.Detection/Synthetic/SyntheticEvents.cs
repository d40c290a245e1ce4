namespace StreamLstm.Detection.Synthetic;

/// <summary>What is wrong with a session of events.</summary>
public enum EventFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>One flow left a step out that it always takes.</summary>
    Missing,

    /// <summary>One flow took two steps in the wrong order.</summary>
    Swapped,

    /// <summary>An event that no flow knows.</summary>
    Unknown,

    /// <summary>One flow stopped half way.</summary>
    Stopped,

    /// <summary>One step again and again.</summary>
    Repeated,
}

/// <summary>Seeded sessions of events: a few flows of fixed steps that run beside each other, so that their events interleave.</summary>
/// <remarks>As several nodes writing one file do. Some steps may be left out and some may come twice: that is normal.</remarks>
public sealed class SyntheticEvents
{
    private const int FlowKinds = 4;
    private const int FlowsMax = 3;
    private const int RepeatsMin = 6;

    private readonly Step[][] _kinds = new Step[FlowKinds][];
    private readonly double _faultShare;
    private SeededRandom _random;

    /// <summary>A source of sessions.</summary>
    /// <param name="seed">The same seed gives the same sessions.</param>
    /// <param name="faultShare">Share of sessions with something wrong, 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is outside its range.</exception>
    public SyntheticEvents(ulong seed, double faultShare)
    {
        if (faultShare is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(faultShare), faultShare, "share of faulty sessions, expected 0 to 1");
        }

        _faultShare = faultShare;
        _random = new SeededRandom(seed);

        for (int kind = 0; kind < FlowKinds; kind++)
        {
            _kinds[kind] = new Step[4 + _random.Next(6)];

            for (int step = 0; step < _kinds[kind].Length; step++)
            {
                // The first three steps are always taken: a fault has something to break.
                _kinds[kind][step] = new Step($"E{10 * kind + step}", step > 2 && _random.Next(4) == 0, step > 2 && _random.Next(4) == 0);
            }
        }
    }

    /// <summary>The events of the next session, in their order.</summary>
    /// <param name="fault">What is wrong with it.</param>
    public IReadOnlyList<string> Next(out EventFault fault)
    {
        fault = _random.NextDouble() < _faultShare ? (EventFault)(1 + _random.Next(5)) : EventFault.None;
        List<List<string>> flows = [];
        int count = 1 + _random.Next(FlowsMax);
        int faulty = _random.Next(count);

        for (int flow = 0; flow < count; flow++)
        {
            flows.Add(Flow(_kinds[_random.Next(FlowKinds)], flow == faulty ? fault : EventFault.None));
        }

        List<string> session = [];

        while (flows.Count > 0)
        {
            int next = _random.Next(flows.Count);
            session.Add(flows[next][0]);
            flows[next].RemoveAt(0);

            if (flows[next].Count == 0)
            {
                flows.RemoveAt(next);
            }
        }

        return session;
    }

    private List<string> Flow(Step[] steps, EventFault fault)
    {
        List<string> events = [];

        foreach (Step step in steps)
        {
            if (step.MayBeLeftOut && _random.Next(3) == 0)
            {
                continue;
            }

            events.Add(step.Event);

            if (step.MayComeTwice && _random.Next(3) == 0)
            {
                events.Add(step.Event);
            }
        }

        switch (fault)
        {
            case EventFault.Missing:
                events.RemoveAt(1 + _random.Next(2));
                break;
            case EventFault.Swapped:
                (events[0], events[2]) = (events[2], events[0]);
                break;
            case EventFault.Unknown:
                events.Insert(_random.Next(events.Count), $"X{_random.Next(100)}");
                break;
            case EventFault.Stopped:
                events.RemoveRange(2, events.Count - 2);
                break;
            case EventFault.Repeated:
                events.InsertRange(1, Enumerable.Repeat(events[1], RepeatsMin + _random.Next(RepeatsMin)));
                break;
        }

        return events;
    }

    private readonly record struct Step(string Event, bool MayBeLeftOut, bool MayComeTwice);
}
