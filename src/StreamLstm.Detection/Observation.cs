namespace StreamLstm.Detection;

/// <summary>One value of one stream at one time; or one record of values, or one event.</summary>
/// <param name="Stream">The stream's name: at most 256 bytes of UTF-8, never empty.</param>
/// <param name="Time">When it was measured, by the record itself; the ingest stamp where the record has no time.</param>
/// <param name="Value">The value in the stream's own unit. NaN and infinities are admitted here and rejected by the shard, which counts them.</param>
public readonly record struct Observation(string Stream, DateTimeOffset Time, double Value)
{
    /// <summary>The values of a record that are judged together; null where there is one value.</summary>
    public ObservedRecord? Record { get; init; }

    /// <summary>An observation of several values that are judged together.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="time">When they were measured.</param>
    /// <param name="record">The values.</param>
    public static Observation Of(string stream, DateTimeOffset time, ObservedRecord record) => new(stream, time, double.NaN) { Record = record };

    /// <summary>What happened, where the observation is an event (a log line, a word) and not a value; null for values.</summary>
    public TextEvent? Event { get; init; }

    /// <summary>An observation that is an event.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="time">When it happened.</param>
    /// <param name="what">What happened.</param>
    public static Observation Of(string stream, DateTimeOffset time, TextEvent what) => new(stream, time, double.NaN) { Event = what };
}

/// <summary>Something that happened, in words.</summary>
/// <param name="Text">A log line without its time; or, with <paramref name="IsKind"/>, the event's kind.</param>
/// <param name="Key">What events of one session have in common; null where the stream knows no sessions.</param>
/// <param name="IsKind">Whether <paramref name="Text"/> is the kind itself, a word or a character for example: it is taken as it is, nothing is masked.</param>
public sealed record TextEvent(string Text, string? Key = null, bool IsKind = false)
{
    /// <summary>Whether the text is a line that is judged character by character: how unlikely each one is after those before it, the lines before among them.</summary>
    public bool IsCharacters { get; init; }

    /// <summary>Whether the text is a line that is judged word by word in the same way: runs of letters, digits and underscores, runs of blanks, and other characters one by one.</summary>
    public bool IsWords { get; init; }
}
