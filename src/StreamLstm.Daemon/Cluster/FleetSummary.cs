using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Cluster;

/// <summary>What a daemon says of itself to all of its group, every few seconds.</summary>
/// <param name="Instance">Its name in the group.</param>
/// <param name="Version">Of the program.</param>
/// <param name="At">When it said so, by its own clock.</param>
/// <param name="IsStopped">Whether it said so as it stopped.</param>
/// <param name="Partitions">What it has.</param>
/// <param name="Troubles">What does less than it should.</param>
/// <param name="Url">Where the others reach it; null or empty where it does not say.</param>
internal sealed record NodeSummary(
    string Instance, string Version, DateTimeOffset At, bool IsStopped, IReadOnlyList<PartitionSummary> Partitions, IReadOnlyList<string> Troubles, string? Url = null);

/// <summary>A partition as its owner sees it.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Offset">The next record to be scored.</param>
/// <param name="Received">Observations, of all its owners.</param>
/// <param name="Scored">Of those scored or learnt from.</param>
/// <param name="Rejected">The rest.</param>
/// <param name="Lifecycles">How many streams stand where.</param>
/// <param name="Streams">Its streams by name, the first so many.</param>
/// <param name="Open">Incidents that go on, the latest so many.</param>
internal sealed record PartitionSummary(
    int Partition, long Offset, long Received, long Scored, long Rejected,
    IReadOnlyDictionary<Lifecycle, int> Lifecycles, IReadOnlyList<StreamSummary> Streams, IReadOnlyList<OpenIncident> Open)
{
    public const int StreamsMax = 200, OpenMax = 50;

    /// <summary>The same with no more than so many streams and incidents.</summary>
    public PartitionSummary Within(int streams, int open) => this with { Streams = [.. Streams.Take(streams)], Open = [.. Open.Take(open)] };
}

/// <summary>A stream, and where it stands.</summary>
internal sealed record StreamSummary(string Stream, Lifecycle Lifecycle);

/// <summary>An incident that goes on.</summary>
internal sealed record OpenIncident(string Stream, string IncidentId, IncidentKind Kind, IncidentSeverity Severity, DateTimeOffset Onset, double MaxScore, string Explanation)
{
    private const int ExplanationMax = 300;

    public static OpenIncident Of(GroupMember member) => new(
        member.Stream, member.IncidentId, member.Kind, member.Severity, member.Onset, Math.Round(member.MaxScore, 1),
        member.Explanation.Length <= ExplanationMax ? member.Explanation : member.Explanation[..ExplanationMax] + "...");
}
