using System.Globalization;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>Up to where a partition has been taken in.</summary>
/// <param name="TopicId">Which topic of that name; empty where the brokers do not say.</param>
/// <param name="Offset">The first record that was not taken in, or not whole.</param>
/// <param name="LeaderEpoch">The term of the leader that wrote the record before it; -1 where that is not known.</param>
/// <param name="Skip">Observations of that record that were taken in: what one holds may be more than one batch.</param>
/// <param name="StampTicks">The last time that was given to an observation without one, in ticks of UTC.</param>
internal sealed record KafkaPosition(string TopicId, long Offset, int LeaderEpoch, int Skip, long StampTicks)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"1:{TopicId}:{Offset}:{LeaderEpoch}:{Skip}:{StampTicks}");

    /// <summary>What <see cref="ToString"/> wrote; null for anything else.</summary>
    public static KafkaPosition? Parse(string? text)
    {
        string[] parts = text?.Split(':') ?? [];
        return parts is ["1", _, _, _, _, _]
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out long offset)
            && int.TryParse(parts[3], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int epoch)
            && int.TryParse(parts[4], NumberStyles.None, CultureInfo.InvariantCulture, out int skip)
            && long.TryParse(parts[5], NumberStyles.None, CultureInfo.InvariantCulture, out long ticks)
                ? new KafkaPosition(parts[1], offset, epoch, skip, ticks)
                : null;
    }

    /// <summary>Whether the topic may be the one it is of.</summary>
    public bool IsOf(string topicId) => TopicId.Length == 0 || topicId.Length == 0 || TopicId == topicId;
}
