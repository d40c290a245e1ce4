using System.Diagnostics.CodeAnalysis;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>What a reader reads, once it is known that it was read of the topics that are meant, and not of others of the same names.</summary>
/// <remarks>
/// Records do not say which topic they are of, and librdkafka goes on at the same offset where one was deleted and made anew. So the brokers are
/// asked for the topics' ids behind what was read: where one is the same then, it was so before. One question is under way at a
/// time, and what comes meanwhile waits in the reader for the next, so the more comes, the more records share one.
/// </remarks>
/// <param name="reader">Reads.</param>
/// <param name="idOf">The id of the topic that is meant; null or empty where none is known.</param>
/// <param name="time">For waiting.</param>
internal sealed class KafkaConfirmation(KafkaReader reader, Func<string, string?> idOf, TimeProvider time)
{
    private const int RecordsMax = 4_096;
    private const long BytesMax = 8 << 20;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Queue<KafkaRecord> _confirmed = new();
    private readonly List<KafkaRecord> _read = [];
    private Task<HashSet<string>>? _asking;
    private long _askedAt;

    /// <summary>Ends when there is an answer; null where nothing is asked.</summary>
    public Task? Asking => _asking;

    /// <summary>Why the brokers do not say; null where they do.</summary>
    public KafkaTrouble? Trouble { get; private set; }

    /// <summary>Takes an answer that has come, and asks for what was read since.</summary>
    /// <returns>Whether a topic is another one: what was read of it is let go of, as it is not what was meant.</returns>
    public bool Advance()
    {
        bool isOther = false;

        if (_asking is { IsCompleted: true } asked)
        {
            _asking = null;

            if (asked.IsCompletedSuccessfully)
            {
                isOther = asked.Result.Count > 0;
                Trouble = null;
                _read.ForEach(record =>
                {
                    if (!asked.Result.Contains(record.Partition.Topic))
                    {
                        _confirmed.Enqueue(record);
                    }
                });
                _read.Clear();
            }
            else
            {
                // What was read stays, and it is asked again.
                Trouble = (asked.Exception?.InnerException as KafkaTroubleException)?.Trouble ?? throw asked.Exception!;
            }
        }

        if (_asking is null && _confirmed.Count == 0 && (_read.Count > 0 || Read()))
        {
            _asking = AskAsync([.. _read.Select(record => record.Partition.Topic).Distinct().Where(topic => idOf(topic) is { Length: > 0 })]);
        }

        return isOther;
    }

    /// <summary>The next record, or what is heard instead of one.</summary>
    public bool TryRead([NotNullWhen(true)] out KafkaRecord? record) => _confirmed.TryDequeue(out record);

    private bool Read()
    {
        for (long bytes = 0; _read.Count < RecordsMax && bytes < BytesMax && reader.TryRead(out KafkaRecord? record); bytes += record.Bytes)
        {
            _read.Add(record);
        }

        return _read.Count > 0;
    }

    /// <returns>Topics that are others. One that is not there at present was what was meant when it was read.</returns>
    private async Task<HashSet<string>> AskAsync(string[] topics)
    {
        TimeSpan wait = (Trouble is null ? Interval : RetryInterval) - time.GetElapsedTime(_askedAt);

        if (topics.Length == 0)
        {
            return [];
        }

        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time);
        }

        _askedAt = time.GetTimestamp();
        KafkaFound found = await reader.Topics.FindAsync(topics);
        return [.. found.Topics.Where(topic => topic.Id.Length > 0 && topic.Id != idOf(topic.Name)).Select(topic => topic.Name)];
    }
}
