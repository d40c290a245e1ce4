using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Sends each observation to the worker that owns its stream's shard, stamped with the weights in service.</summary>
internal sealed class StreamRouter(
    LiveModel liveModel,
    IReadOnlyList<ChannelWriter<WorkerMessage>> inboxes,
    ChannelWriter<ScoredBatch> scored,
    IReadOnlyList<AlertRule> rules,
    TimeProvider time)
{
    /// <summary>Virtual shards, fixed for ever: the number of workers never changes where a stream lives.</summary>
    public const int ShardCount = 64;

    private readonly List<Observation>[] _byShard = [.. Enumerable.Range(0, ShardCount).Select(_ => new List<Observation>())];
    private long _announcedVersion = liveModel.Serving.Model.Version;

    private readonly bool _hasGroups = rules.Any(rule => rule.Group.Length > 0);

    /// <summary>The shard of a name: its XXH3, the same in every process and for ever.</summary>
    public static int ShardOf(string stream) =>
        (int)(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(stream.AsSpan())) % ShardCount);

    /// <summary>The shard of a stream: by its name, or by that of the group whose alert budget it shares.</summary>
    public int HomeOf(string stream) => ShardOf(_hasGroups ? AlertRule.GroupOf(rules, stream) ?? stream : stream);

    /// <summary>Hands a question or a command about one shard to its owner, between two batches.</summary>
    public ValueTask TellAsync(int shard, WorkerMessage message, CancellationToken cancellationToken) =>
        inboxes[shard % inboxes.Count].WriteAsync(message, cancellationToken);

    public async Task RunAsync(ChannelReader<ObservationBatch> observations, CancellationToken cancellationToken)
    {
        await foreach (ObservationBatch batch in observations.ReadAllAsync(cancellationToken))
        {
            await RouteAsync(batch, cancellationToken);
        }

        // Here every batch taken in has been handed to the workers.
    }

    private async ValueTask RouteAsync(ObservationBatch batch, CancellationToken cancellationToken)
    {
        ServingModel serving = liveModel.Serving;

        if (serving.Model.Version != _announcedVersion)
        {
            _announcedVersion = serving.Model.Version;
            ModelSwap[] swaps = serving.Swap is null ? [] : [serving.Swap];
            await scored.WriteAsync(new ScoredBatch([], [], swaps, time.GetUtcNow()), cancellationToken);
        }

        foreach (Observation observation in batch.Observations.Span)
        {
            _byShard[HomeOf(observation.Stream)].Add(observation);
        }

        for (int worker = 0; worker < inboxes.Count; worker++)
        {
            List<(int, Observation[])> shards = TakeShardsOf(worker);

            if (shards.Count > 0)
            {
                await inboxes[worker].WriteAsync(
                    new ShardBatch(shards, serving.Model, batch.IngestedAt, batch.Trace), cancellationToken);
            }
        }
    }

    private List<(int Shard, Observation[] Observations)> TakeShardsOf(int worker)
    {
        List<(int, Observation[])> shards = [];

        for (int shard = worker; shard < ShardCount; shard += inboxes.Count)
        {
            if (_byShard[shard].Count > 0)
            {
                shards.Add((shard, _byShard[shard].ToArray()));
                _byShard[shard].Clear();
            }
        }

        return shards;
    }
}
