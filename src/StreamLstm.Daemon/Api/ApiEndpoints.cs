using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Api;

/// <summary>The read side of the API: what the page shows, for machines too.</summary>
internal static class ApiEndpoints
{
    public const int PageMax = 1_000;

    public static void Map(
        IEndpointRouteBuilder routes, LiveView live, Ledger ledger, PipelineService pipeline, HttpOptions options, TimeProvider time)
    {
        var feed = new LiveFeed(live, () => Status(live, ledger, pipeline, time), () => IncidentsEndpoint.Revision(live, pipeline), options.LiveClientsMax, time);

        routes.MapRead("/api/v1/status", () => Status(live, ledger, pipeline, time));
        routes.MapRead("/api/v1/streams/{**stream}", (string stream, HttpRequest request, CancellationToken cancellation) => StreamAsync(live, pipeline, stream, request, cancellation));
        routes.MapRead("/api/v1/live", feed.ServeAsync);
        ModelsEndpoints.Map(routes, pipeline);
        StreamsEndpoint.Map(routes, live);
        IncidentsEndpoint.Map(routes, live, pipeline, time);
        HistoryEndpoints.Map(routes, live, pipeline, time);
        FleetEndpoint.Map(routes, pipeline, time);
        ExplainEndpoint.Map(routes, pipeline);
        AcceptEndpoint.Map(routes, pipeline);
        ForgetEndpoint.Map(routes, pipeline);
        MaintenanceEndpoints.Map(routes, pipeline, time);
        LabelEndpoints.Map(routes, live, pipeline, time);
        AcknowledgeEndpoints.Map(routes, pipeline, time);
    }

    public static StatusAnswer Status(LiveView live, Ledger ledger, PipelineService pipeline, TimeProvider time)
    {
        LedgerCut cut = ledger.Cut();
        IReadOnlyDictionary<Lifecycle, int> streams = live.CountByLifecycle();
        return new StatusAnswer(
            DaemonTelemetry.Version,
            pipeline.StartedAt,
            time.GetUtcNow(),
            pipeline.LiveModel?.Serving.Model.Version ?? 0,
            new BooksAnswer(
                cut.Received, cut.Scored, cut.Rejected, cut.Queued, cut.Balances,
                cut.ReceivedBySource,
                Enum.GetValues<RejectionReason>()
                    .Where(reason => cut.RejectedByReason[(int)reason] > 0)
                    .ToDictionary(reason => OptionPath.SnakeCase(reason.ToString()), reason => cut.RejectedByReason[(int)reason])),
            Total(pipeline.Pipeline?.TotalBooks),
            streams.ToDictionary(pair => OptionPath.SnakeCase(pair.Key.ToString()), pair => pair.Value),
            pipeline.SuppressedByReason,
            ledger.LeftOut(),
            pipeline.Broker is { BoundPort: { IsCompletedSuccessfully: true } port } ? port.Result : null,
            pipeline.Pipeline?.LastSequence,
            pipeline.Pipeline?.Sinks ?? [],
            pipeline.Cluster is { } cluster ? [.. cluster.Owned.Select(PartitionAnswer.Of)] : null,
            pipeline.Pipeline?.Detectors is { } detectors ? new DetectorAnswer(detectors.Worst(), detectors.Workers()) : null,
            pipeline.Retrainer is null
                ? null
                : new RetrainAnswer(pipeline.Retrainer.NextAt, pipeline.Retrainer.Progress, pipeline.Retrainer.Last));
    }

    private static TotalAnswer? Total(Books? books) => books is null ? null : new TotalAnswer(
        books.ReceivedBySource.Values.Sum(), books.Scored, books.RejectedByReason.Values.Sum(), books.ReceivedBySource,
        books.RejectedByReason.ToDictionary(pair => OptionPath.SnakeCase(pair.Key), pair => pair.Value));

    private static async Task<IResult> StreamAsync(LiveView live, PipelineService pipeline, string stream, HttpRequest request, CancellationToken cancellation) =>
        live.State(stream) is { } state
            ? Results.Json(new { state, points = live.Points(stream, DateTimeOffset.MinValue) }, EventJson.Options)
            : pipeline.Cluster is { } cluster ? await ClusterVerbs.ReadAsync(cluster, request, stream, cancellation)
            : Results.Json(new { error = $"stream '{stream}' is not known; /api/v1/streams lists those that are" }, statusCode: 404);

    /// <summary>Whether a page can be asked for; the answer where not.</summary>
    public static bool IsPage(int? limit, int? offset, out IResult? refused)
    {
        string? wrong =
            limit is < 1 or > PageMax ? $"query parameter limit: {limit}, expected 1 to {PageMax}"
            : offset < 0 ? $"query parameter offset: {offset}, expected 0 or more"
            : null;
        refused = wrong is null ? null : Results.Json(new { error = wrong }, statusCode: 400);
        return wrong is null;
    }
}

/// <summary>GET /api/v1/status.</summary>
/// <param name="MqttPort">Where the broker inside listens; null where there is none.</param>
/// <param name="Sequence">The place of the last entry in the journal; null while state is being restored.</param>
/// <param name="Partitions">Of a member of a cluster, the partitions that are its own; null for any other daemon.</param>
/// <param name="Sinks">How far each sink has written what it was told: where settled has reached sequence, whoever reads it finds all.</param>
internal sealed record StatusAnswer(
    string Version, DateTimeOffset StartedAt, DateTimeOffset Now, long ModelVersion, BooksAnswer Books, TotalAnswer? Total,
    IReadOnlyDictionary<string, int> Streams, IReadOnlyDictionary<string, long> SuppressedByReason, IReadOnlyList<LeftOutCount> LeftOut,
    int? MqttPort, long? Sequence, IReadOnlyList<SinkStanding> Sinks, IReadOnlyList<PartitionAnswer>? Partitions, DetectorAnswer? Detector, RetrainAnswer? Retrain);

/// <summary>A partition that is this daemon's.</summary>
/// <param name="Partition">TOPIC/NUMBER.</param>
/// <param name="Offset">The next record to be scored; null while it is being taken over.</param>
/// <param name="Streams">Its streams.</param>
/// <param name="Scored">Observations scored by all its owners.</param>
/// <param name="StateBytes">Bytes of state that this daemon has written.</param>
/// <param name="Trouble">Why it gets no further; null where it does.</param>
internal sealed record PartitionAnswer(string Partition, long? Offset, int? Streams, long? Scored, long StateBytes, string? Trouble)
{
    public static PartitionAnswer Of(Cluster.OwnedPartition owned) => new(
        owned.Partition.ToString(), owned.State?.At?.Offset, owned.State?.Streams.Count, owned.State?.Scored, owned.StateBytes, owned.Trouble);
}

/// <summary>Whether the detector is alive.</summary>
/// <param name="Worst">What the worst worker's canary says.</param>
/// <param name="Workers">What each worker's says.</param>
internal sealed record DetectorAnswer(CanaryReport Worst, IReadOnlyList<CanaryReport> Workers)
{
    public CanaryState State => Worst.State;

    public string Reason => Worst.Reason;
}

/// <summary>The books at one instant.</summary>
internal sealed record BooksAnswer(
    long Received, long Scored, long Rejected, long Queued, bool Balances,
    IReadOnlyDictionary<string, long> ReceivedBySource, IReadOnlyDictionary<string, long> RejectedByReason);

/// <summary>The books of all lives since the storage directory was begun; what is queued is not in them yet.</summary>
internal sealed record TotalAnswer(
    long Received, long Scored, long Rejected,
    IReadOnlyDictionary<string, long> ReceivedBySource, IReadOnlyDictionary<string, long> RejectedByReason);

/// <summary>How training stands.</summary>
internal sealed record RetrainAnswer(DateTimeOffset? NextAt, double? Progress, Retraining.RetrainReport? Last);
