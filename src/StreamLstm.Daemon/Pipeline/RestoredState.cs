using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>What a snapshot held: each shard's bytes, and those of the grouping stage; empty for a first start.</summary>
internal sealed record RestoredState(IReadOnlyDictionary<int, byte[]> Shards)
{
    /// <summary>Empty where the snapshot is of a version that did not group.</summary>
    public byte[] Groups { get; init; } = [];

    public static readonly RestoredState Empty = new(new Dictionary<int, byte[]>());

    /// <summary>The shard as it was, or an empty one.</summary>
    public DetectionShard NewShard(
        int number, DetectionOptions options, StreamQuota quota, BaseModel model, DetectionScratch scratch)
    {
        var shard = new DetectionShard(options, quota, number, StreamRouter.ShardCount, scratch);

        if (Shards.TryGetValue(number, out byte[]? state))
        {
            using var reader = new BinaryReader(new MemoryStream(state, writable: false));
            shard.Load(reader, model);
        }

        return shard;
    }
}
