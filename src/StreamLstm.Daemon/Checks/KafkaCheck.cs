using StreamLstm.Daemon.Kafka;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Checks;

/// <summary>Whether a cluster answers, and shows the topics: nothing is read, written or committed, and no transaction is begun.</summary>
internal static class KafkaCheck
{
    /// <param name="options">The cluster.</param>
    /// <param name="key">The key of the options.</param>
    /// <param name="topics">Names, and patterns that begin with ^.</param>
    /// <exception cref="IOException">It does not, or one of them is not there; the message names the setting.</exception>
    public static Task<string> TopicsAsync(KafkaBrokerOptions options, string key, IReadOnlyList<string> topics) => Task.Run(async () =>
    {
        using var reader = new KafkaReader(options.Access("streamlstm-check"), new KafkaReaderOptions());

        try
        {
            KafkaFound found = await reader.Topics.FindAsync(topics);
            return found.Troubles.Count == 0
                ? $"{options.Brokers} has {string.Join(", ", found.Topics.Select(topic => $"{topic.Name} ({topic.Partitions} partitions)"))}"
                : throw new IOException(string.Join("; ", found.Troubles.Select(one => $"{options.Words(key, one.Trouble)} ('{one.Topic}')")));
        }
        catch (KafkaTroubleException trouble)
        {
            // What the client has noted by itself says more than that nothing came.
            throw new IOException(options.Words(key, reader.Trouble ?? trouble.Trouble), trouble);
        }
    });
}
