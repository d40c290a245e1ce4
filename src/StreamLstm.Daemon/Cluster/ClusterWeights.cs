using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Learning;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Cluster;

/// <summary>Base weights that serve all partitions of a group, and the swap that brought them.</summary>
internal sealed record FleetWeights(BaseModel Model, ModelSwap Swap)
{
    /// <summary>The key under which the topic of the fleet holds them; no daemon's name.</summary>
    public const string Key = "weights/";

    private const string SwapHeader = "swap";

    public KafkaMessage Message(string topic) => new(
        topic, Encoding.UTF8.GetBytes(Key), ModelBytes.Of(Model), [(SwapHeader, JsonSerializer.SerializeToUtf8Bytes(Swap, EventJson.Options))]) { Partition = 0 };

    /// <summary>Those that a record holds; null where it holds none, or those of a version of another shape.</summary>
    public static FleetWeights? Of(KafkaRecord record)
    {
        try
        {
            return record.Value is { } value && record.Header(SwapHeader) is { } swap
                ? new FleetWeights(ModelBytes.Read(value), JsonSerializer.Deserialize<ModelSwap>(swap, EventJson.Options) ?? throw new JsonException("null"))
                : null;
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or JsonException or FormatException)
        {
            return null;
        }
    }
}

/// <summary>Has the same base weights serve every partition of a group.</summary>
/// <remarks><code>
///   owner of partition 0: windows of its partitions ──▶ train ──▶ topic of the fleet ──▶ every daemon ──▶ each of its partitions, between two records
/// </code>
/// One daemon trains, as there is one partition 0. What it found serves once the topic holds it, so who comes later gets it too; in a partition
/// it is a word like a person's, in the state that is written before anything behind it is told, so the next owner goes on with the same weights.
/// </remarks>
/// <param name="fleet">Where weights are told.</param>
/// <param name="owned">This daemon's partitions at present.</param>
/// <param name="live">The newest weights that this daemon knows of.</param>
/// <param name="metrics">Says which serve.</param>
/// <param name="logger">Where a swap is told.</param>
internal sealed class ClusterWeights(Fleet fleet, Func<IReadOnlyList<OwnedPartition>> owned, LiveModel live, DaemonMetrics metrics, ILogger logger)
{
    /// <summary>Whether this daemon decides which weights serve the group: one does, so that no two give different weights the same version.</summary>
    public bool IsDecider => owned().Any(one => one.Partition.Number == 0);

    /// <summary>Recent clean windows of this daemon's partitions; null where it is another one's turn to train.</summary>
    public async Task<IReadOnlyList<TrainingWindow>?> WindowsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<OwnedPartition> mine = owned();

        if (!IsDecider)
        {
            return null;
        }

        VerbAnswer[] answers = await Task.WhenAll(mine.Select(one => one.SayAsync(new StreamVerb(
            Changes: false, state => VerbAnswer.Done(state.TrainingWindows.ToArray()))))).WaitAsync(cancellationToken);
        return [.. answers.Select(answer => answer.Value).OfType<TrainingWindow[]>().SelectMany(windows => windows)];
    }

    /// <summary>Tells the group of better weights; they serve here as everywhere once the topic holds them.</summary>
    public void Tell(BaseModel model, ModelSwap swap) => fleet.Tell(new FleetWeights(model, swap));

    /// <summary>Has what the group was told of serve the partitions that have it not yet.</summary>
    public void Follow()
    {
        // What a partition was taken over with may be newer than all that the topic of the fleet has kept.
        foreach (BaseModel taken in owned().Select(one => one.State?.Model).OfType<BaseModel>())
        {
            if (taken.Version > live.Serving.Model.Version)
            {
                live.Swap(taken, swap: null);
                metrics.Serving(taken.Version);
            }
        }

        if (fleet.Weights is not { } told)
        {
            return;
        }

        if (told.Model.Version > live.Serving.Model.Version)
        {
            live.Swap(told.Model, told.Swap);
            metrics.Swapped(told.Model.Version);
            LogMessages.WeightsFollowed(logger, told.Model.Version, told.Swap.TrainingWindows, told.Swap.ChampionLoss, told.Swap.CandidateLoss);
        }

        foreach (OwnedPartition one in owned())
        {
            one.Follow(told);
        }
    }
}
