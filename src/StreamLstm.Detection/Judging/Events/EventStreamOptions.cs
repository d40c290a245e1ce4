namespace StreamLstm.Detection.Judging.Events;

/// <summary>How streams of events are learnt and judged. The defaults are the product.</summary>
public sealed record EventStreamOptions
{
    /// <summary>Sessions of one stream that are open at once, 1 to 100000; beyond it the one that waited longest is dropped unjudged.</summary>
    public int SessionsMax { get; init; } = 2_000;

    /// <summary>Time without an event, by the events' own clock, after which a session has ended. More than zero.</summary>
    public TimeSpan SessionIdle { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Events before a stream is scored at all, at least 64.</summary>
    public int LearningEvents { get; init; } = 256;

    /// <summary>Events before a stream may alert.</summary>
    public int WarmUpEvents { get; init; } = 2_000;

    /// <summary>Refuses settings outside their ranges.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range.</exception>
    internal void Require()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(SessionsMax, 1, nameof(SessionsMax));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(SessionsMax, 100_000, nameof(SessionsMax));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(SessionIdle, TimeSpan.Zero, nameof(SessionIdle));
        ArgumentOutOfRangeException.ThrowIfLessThan(LearningEvents, 64, nameof(LearningEvents));
        ArgumentOutOfRangeException.ThrowIfLessThan(WarmUpEvents, LearningEvents, nameof(WarmUpEvents));
    }
}
