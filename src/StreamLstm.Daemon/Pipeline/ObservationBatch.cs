using System.Diagnostics;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Observations that one source decoded together. The batch owns its memory: the source does not touch it again.</summary>
/// <param name="Source">The source's name, as in the configuration: a value of the metrics' <c>source</c> label.</param>
/// <param name="Observations">In the order in which they arrived; never empty.</param>
/// <param name="IngestedAt">When the batch was taken in: the "now" of every rule about these records.</param>
/// <param name="Trace">The span under which it was taken in; default where the trace is not sampled.</param>
internal sealed record ObservationBatch(
    string Source,
    ReadOnlyMemory<Observation> Observations,
    DateTimeOffset IngestedAt,
    ActivityContext Trace = default);
