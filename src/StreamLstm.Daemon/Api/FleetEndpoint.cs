using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;

namespace StreamLstm.Daemon.Api;

/// <summary>GET /api/v1/fleet: all daemons of the group, and what goes on in all of their streams.</summary>
internal static class FleetEndpoint
{
    private const int PageMax = 1_000;

    public static void Map(IEndpointRouteBuilder routes, PipelineService pipeline, TimeProvider time) =>
        routes.MapRead("/api/v1/fleet", (int? limit) => Answer(pipeline, limit, time.GetUtcNow()));

    private static IResult Answer(PipelineService pipeline, int? limit, DateTimeOffset now)
    {
        if (limit is < 1 or > PageMax)
        {
            return JsonBody.Error($"query parameter limit: {limit}, expected 1 to {PageMax}", 400);
        }

        if (pipeline.Cluster is not { } cluster)
        {
            return JsonBody.Error("this daemon is by itself (cluster.mode: none)", 404);
        }

        IReadOnlyList<NodeSummary> nodes = cluster.Fleet.Nodes();
        IReadOnlyList<(string Instance, PartitionSummary Partition)> partitions = Fleet.Partitions(nodes);
        return Results.Json(
            new
            {
                group = cluster.Group,
                nodes = nodes.Select(node => new
                {
                    node.Instance,
                    node.Version,
                    node.Url,
                    node.At,
                    is_away = !node.IsStopped && now - node.At > Fleet.AwayAfter,
                    node.IsStopped,
                    partitions = partitions.Where(one => one.Instance == node.Instance).Select(one => one.Partition.Partition),
                    streams = partitions.Where(one => one.Instance == node.Instance).Sum(one => one.Partition.Lifecycles.Values.Sum()),
                    open_incidents = partitions.Where(one => one.Instance == node.Instance).Sum(one => one.Partition.Open.Count),
                    node.Troubles,
                }),
                books = new
                {
                    received = partitions.Sum(one => one.Partition.Received),
                    scored = partitions.Sum(one => one.Partition.Scored),
                    rejected = partitions.Sum(one => one.Partition.Rejected),
                },
                lifecycles = partitions.SelectMany(one => one.Partition.Lifecycles).GroupBy(one => one.Key).OrderBy(same => same.Key)
                    .ToDictionary(same => EventJson.Word(same.Key), same => same.Sum(one => one.Value)),
                incidents = partitions.SelectMany(one => one.Partition.Open.Select(open => new { node = one.Instance, open }))
                    .OrderByDescending(one => one.open.Onset).Take(limit ?? 100)
                    .Select(one => new { one.node, one.open.Stream, one.open.IncidentId, one.open.Kind, one.open.Severity, one.open.Onset, one.open.MaxScore, one.open.Explanation }),
                streams = partitions.SelectMany(one => one.Partition.Streams.Select(stream => new { node = one.Instance, partition = one.Partition.Partition, stream.Stream, stream.Lifecycle }))
                    .OrderBy(one => one.Stream, StringComparer.Ordinal).Take(limit ?? 100),
            },
            EventJson.Options);
    }
}
