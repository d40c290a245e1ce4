using System.Diagnostics;
using System.Text.Json;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Messages;

/// <summary>Observations that one source decoded together. The batch owns its memory: the source does not touch it again.</summary>
/// <param name="Source">The source's name, as in the configuration: a value of the metrics' <c>source</c> label.</param>
/// <param name="Observations">In the order in which they arrived; empty where nothing but the position has changed.</param>
/// <param name="IngestedAt">When the batch was taken in: the "now" of every rule about these records.</param>
/// <param name="Trace">The span under which it was taken in; default where the trace is not sampled.</param>
internal sealed record ObservationBatch(
    string Source,
    ReadOnlyMemory<Observation> Observations,
    DateTimeOffset IngestedAt,
    ActivityContext Trace = default)
{
    /// <summary>Where the source stands behind this batch; null where it cannot be asked again for what came before.</summary>
    public SourcePosition? Position { get; init; }

    /// <summary>What its sender is answered, and is told once it is scored; null where nobody asks.</summary>
    public Receipt? Receipt { get; init; }
}

/// <summary>Up to where a source has been read.</summary>
/// <param name="Of">What of: a file, a partition. The same in every life of the program.</param>
/// <param name="At">
/// Where, in the source's own words. "+N:TEXT" stands for the last N characters of what stood there before and TEXT together: a
/// source that must remember the last of what it took in says with each batch only what is new. An empty one is forgotten.
/// </param>
internal sealed record SourcePosition(string Of, string At)
{
    private const string Several = "*";

    /// <summary>Positions as one, so that all of them are on the disk or none; null for none.</summary>
    public static SourcePosition? Together(IReadOnlyList<SourcePosition> positions) => positions.Count switch
    {
        0 => null,
        1 => positions[0],
        _ => new SourcePosition(Several, JsonSerializer.Serialize(positions.Select(position => (string[])[position.Of, position.At]))),
    };

    /// <summary>The positions in it: itself, or those that were put together.</summary>
    public IEnumerable<SourcePosition> Each() =>
        Of == Several ? JsonSerializer.Deserialize<string[][]>(At)!.Select(position => new SourcePosition(position[0], position[1])) : [this];

    /// <summary>Where a source stands that stood somewhere before.</summary>
    public string After(string? before)
    {
        int colon = At.StartsWith('+') ? At.IndexOf(':', StringComparison.Ordinal) : -1;

        if (colon < 0 || !int.TryParse(At.AsSpan(1, colon - 1), out int max))
        {
            return At;
        }

        string former = before?.StartsWith('+') == true ? before[(before.IndexOf(':', StringComparison.Ordinal) + 1)..] : "";
        int surplus = Math.Clamp(former.Length + At.Length - colon - 1 - max, 0, former.Length);
        return string.Concat(At.AsSpan(0, colon + 1), former.AsSpan(surplus), At.AsSpan(colon + 1));
    }
}
