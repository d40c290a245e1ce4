namespace StreamLstm.Detection;

/// <summary>One value of one stream at one time.</summary>
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
}
