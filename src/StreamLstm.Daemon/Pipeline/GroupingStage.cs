using StreamLstm.Detection.Grouping;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Puts the incidents of all shards into groups, between workers and sinks. The loop that drains the workers alone touches it.</summary>
/// <remarks>
/// Groups follow from the incidents' messages in their order, and from nothing else: the records' own times, no clock. What
/// is drained at once is put into order of time and stream first, so which of several workers was faster does not matter
/// within it. Where one drained batch ends and the next begins does depend on the machine: with several workers, or several
/// sources, that may decide which of two incidents opens their group, and so the group's id, and whether one at the edge of
/// a window joins. Incidents, their ids and their scores never depend on it.
/// </remarks>
internal sealed class GroupingStage
{
    /// <summary>Batches drained at once: one of each shard, as one batch of a source can become at most.</summary>
    public const int DrainMax = StreamRouter.ShardCount;

    private readonly IncidentGrouping _grouping = new();

    public GroupingStage(byte[] restored)
    {
        if (restored.Length > 0)
        {
            using var reader = new BinaryReader(new MemoryStream(restored, writable: false));
            _grouping.Load(reader);
        }
    }

    /// <summary>The batches with their incidents in groups: all in the last one, so that every sink hears of them in one order.</summary>
    public IReadOnlyList<ScoredBatch> Apply(IReadOnlyList<ScoredBatch> drained)
    {
        IncidentEvent[] incidents = [.. drained.SelectMany(batch => batch.Incidents)];
        GroupedIncidents grouped = _grouping.Apply(incidents);
        List<ScoredBatch> batches = [];

        foreach (ScoredBatch batch in drained)
        {
            if (batch.GroupsAsked is null)
            {
                batches.Add(incidents.Length == 0 ? batch : batch with { Incidents = [] });
            }
            else
            {
                batch.GroupsAsked.TrySetResult(Save());
            }
        }

        if (incidents.Length > 0)
        {
            batches[^1] = batches[^1] with { Incidents = grouped.Incidents, Groups = grouped.Groups };
        }

        return batches;
    }

    public byte[] Save()
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer);
        _grouping.Save(writer);
        writer.Flush();
        return buffer.ToArray();
    }
}
