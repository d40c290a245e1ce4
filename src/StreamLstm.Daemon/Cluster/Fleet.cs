using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Cluster;

/// <summary>What all daemons of a group say of themselves, in a compacted topic of one partition, so that the page of any of them shows all.</summary>
/// <remarks>
/// For people, and bounded: where the topic does not take it nothing else waits. Beside it stand the base weights that were last trained, see
/// <see cref="ClusterWeights"/>: in each partition they count from where its owner has written them down.
/// </remarks>
/// <param name="options">The group.</param>
/// <param name="source">How brokers are reached.</param>
/// <param name="access">The same, for librdkafka.</param>
/// <param name="instance">This daemon's name in the group.</param>
/// <param name="url">Where the others reach this daemon; empty where they do not.</param>
/// <param name="summary">What this daemon has.</param>
/// <param name="troubles">What of it does less than it should.</param>
/// <param name="time">When it was said.</param>
internal sealed class Fleet(
    ClusterOptions options, KafkaSourceOptions source, KafkaAccess access, string instance, string url,
    Func<IReadOnlyList<PartitionSummary>> summary, Func<IReadOnlyList<string>> troubles, TimeProvider time)
{
    /// <summary>Who has said nothing for so long is away.</summary>
    public static readonly TimeSpan AwayAfter = TimeSpan.FromSeconds(20);

    private const int NodesMax = 256;
    private const int StreamsMax = 1_000, OpenMax = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LastWordMax = TimeSpan.FromSeconds(5);
    private static readonly Dictionary<string, string> TopicSettings = new() { ["segment.bytes"] = "16777216", ["segment.ms"] = "3600000", ["delete.retention.ms"] = "3600000" };

    private readonly Lock _lock = new();
    private readonly Dictionary<string, NodeSummary> _nodes = new(StringComparer.Ordinal);

    private FleetWeights? _telling;   // to be told in the next round

    /// <summary>The weights that the group was last told of; null where of none.</summary>
    public FleetWeights? Weights { get; private set; }

    /// <summary>Why others do not hear of this daemon, or it of them; null where they do.</summary>
    public string? Trouble { get; private set; }

    /// <summary>What each daemon said last, by name; of this one as it is now.</summary>
    public IReadOnlyList<NodeSummary> Nodes()
    {
        lock (_lock)
        {
            return [.. _nodes.Values.Where(node => node.Instance != instance).Append(Now(isStopped: false)).OrderBy(node => node.Instance, StringComparer.Ordinal)];
        }
    }

    /// <summary>Each partition as who said something of it last sees it, by number, with that daemon's name.</summary>
    public static IReadOnlyList<(string Instance, PartitionSummary Partition)> Partitions(IReadOnlyList<NodeSummary> nodes) =>
    [
        .. nodes.SelectMany(node => node.Partitions.Select(partition => (node.At, node.Instance, Partition: partition)))
            .GroupBy(one => one.Partition.Partition).OrderBy(same => same.Key)
            .Select(same => same.MaxBy(one => one.At)).Select(one => (one.Instance, one.Partition)),
    ];

    /// <summary>The others that may be there, those first whose streams that one is by what they say.</summary>
    public IReadOnlyList<NodeSummary> Others(string stream)
    {
        DateTimeOffset now = time.GetUtcNow();
        return
        [
            .. Nodes().Where(node => node.Instance != instance && !node.IsStopped && now - node.At < AwayAfter)
                .OrderByDescending(node => node.Partitions.Any(partition =>
                    partition.Streams.Any(one => one.Stream == stream) || partition.Open.Any(one => one.IncidentId == stream))),
        ];
    }

    /// <summary>Tells all of new weights, within seconds; they are heard of here as everywhere, once the topic holds them.</summary>
    public void Tell(FleetWeights weights) => Volatile.Write(ref _telling, weights);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await ShareAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (KafkaTroubleException refused)
            {
                Trouble = $"cluster.group: what the daemons say of themselves ('{options.FleetTopicName()}'): {source.Words("sources.kafka.0", refused.Trouble)}";
            }

            await Task.Delay(Interval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ShareAsync(CancellationToken stopping)
    {
        var partition = new KafkaPartition(options.FleetTopicName(), 0);
        var writer = new KafkaWriter(access);
        var reader = new KafkaReader(access, new KafkaReaderOptions { HeldMaxBytes = 4 << 20 });

        try
        {
            await reader.Topics.HaveCompactedAsync(partition.Topic, 1, TopicSettings);
            reader.Begin([new KafkaStart(partition, (await reader.Topics.FirstAsync([partition]))[partition])]);

            while (!stopping.IsCancellationRequested)
            {
                FleetWeights? telling = Volatile.Read(ref _telling);
                await writer.WriteAsync([Message(isStopped: false), .. telling is null ? Array.Empty<KafkaMessage>() : [telling.Message(partition.Topic)]], stopping);
                Interlocked.CompareExchange(ref _telling, null, telling);
                Trouble = null;
                await Task.Delay(Interval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

                while (reader.TryRead(out KafkaRecord? record))
                {
                    if (record.Kind == KafkaReadKind.OutOfRange)
                    {
                        // Compacted meanwhile: what is there is all there is to know.
                        reader.End([partition]);
                        reader.Begin([new KafkaStart(partition, (await reader.Topics.FirstAsync([partition]))[partition])]);
                    }
                    else if (record.Kind == KafkaReadKind.Record)
                    {
                        Hear(record);
                    }
                }
            }

            using var last = new CancellationTokenSource(LastWordMax, time);
            await writer.WriteAsync([Message(isStopped: true)], last.Token);
        }
        finally
        {
            await Task.WhenAll(Task.Run(writer.Dispose, CancellationToken.None), Task.Run(reader.Dispose, CancellationToken.None));
        }
    }

    private void Hear(KafkaRecord record)
    {
        if (record.Key.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(FleetWeights.Key)))
        {
            Weights = FleetWeights.Of(record) ?? Weights;
            return;
        }

        NodeSummary? said;

        try
        {
            said = record.Value is null ? null : JsonSerializer.Deserialize<NodeSummary>(record.Value, EventJson.Options);
        }
        catch (JsonException)
        {
            // Another version's: it says itself what it has.
            return;
        }

        lock (_lock)
        {
            if (said is null)
            {
                _nodes.Remove(Encoding.UTF8.GetString(record.Key ?? []));
                return;
            }

            _nodes[said.Instance] = said;

            if (_nodes.Count > NodesMax)
            {
                _nodes.Remove(_nodes.Values.MinBy(node => node.At)!.Instance);
            }
        }
    }

    private KafkaMessage Message(bool isStopped) => new(
        options.FleetTopicName(), Encoding.UTF8.GetBytes(instance), JsonSerializer.SerializeToUtf8Bytes(Now(isStopped), EventJson.Options), []) { Partition = 0 };

    private NodeSummary Now(bool isStopped)
    {
        IReadOnlyList<PartitionSummary> partitions = isStopped ? [] : summary();
        int count = Math.Max(1, partitions.Count);
        return new NodeSummary(
            instance, DaemonTelemetry.Version, time.GetUtcNow(), isStopped,
            [.. partitions.Select(partition => partition.Within(StreamsMax / count, OpenMax / count))], [.. troubles().Take(10)], url);
    }
}
