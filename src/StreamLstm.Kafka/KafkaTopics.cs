using System.Text.RegularExpressions;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamLstm.Kafka;

/// <summary>A topic as it is now.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Tells it from one of the same name that was there before or comes later; empty where the brokers are too old to say.</param>
/// <param name="Partitions">How many it has.</param>
internal sealed record KafkaTopic(string Name, string Id, int Partitions);

/// <summary>Topics that were looked for.</summary>
/// <param name="Topics">Those found.</param>
/// <param name="Troubles">Of the others the name, and why it is not read.</param>
internal sealed record KafkaFound(IReadOnlyList<KafkaTopic> Topics, IReadOnlyList<(string Topic, KafkaTrouble Trouble)> Troubles);

/// <summary>A partition of a topic.</summary>
internal readonly record struct KafkaPartition(string Topic, int Number)
{
    public override string ToString() => $"{Topic}/{Number}";
}

/// <summary>Asks a cluster which topics there are and where their partitions begin and end.</summary>
/// <param name="client">Whose connections are used.</param>
internal sealed class KafkaTopics(Handle client) : IDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    /// <summary>Of patterns two questions are asked.</summary>
    private static readonly TimeSpan AskMax = 3 * AnswerMax;

    private readonly KafkaCalls _calls = new();
    private readonly IAdminClient _admin = new DependentAdminClientBuilder(client).Build();

    /// <summary>Whether the text is a pattern of names instead of a name.</summary>
    public static bool IsPattern(string topic) => topic.StartsWith('^');

    /// <param name="topics">Names, and patterns that begin with ^.</param>
    /// <exception cref="KafkaTroubleException">The cluster does not answer.</exception>
    public Task<KafkaFound> FindAsync(IReadOnlyList<string> topics) => _calls.AskAsync(async () =>
    {
        HashSet<string> names = [.. topics.Where(topic => !IsPattern(topic))];
        Regex[] patterns = [.. topics.Where(IsPattern).Select(Pattern)];

        if (patterns.Length > 0)
        {
            Metadata all = await Task.Run(() => _admin.GetMetadata(AnswerMax));
            names.UnionWith(all.Topics.Select(topic => topic.Topic).Where(name => !name.StartsWith("__", StringComparison.Ordinal) && patterns.Any(pattern => pattern.IsMatch(name))));
        }

        if (names.Count == 0)
        {
            return new KafkaFound([], [.. topics.Select(pattern => (pattern, new KafkaTrouble(KafkaConcern.Topics, "no topic has such a name")))]);
        }

        List<TopicDescription> described;

        try
        {
            described = (await _admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(names), new DescribeTopicsOptions { RequestTimeout = AnswerMax })).TopicDescriptions;
        }
        catch (DescribeTopicsException some)
        {
            described = some.Results.TopicDescriptions;
        }

        return new KafkaFound(
            [
                .. described.Where(topic => !topic.Error.IsError).OrderBy(topic => topic.Name, StringComparer.Ordinal)
                    .Select(topic => new KafkaTopic(topic.Name, IdOf(topic), topic.Partitions.Count)),
            ],
            [.. described.Where(topic => topic.Error.IsError).Select(topic => (topic.Name, KafkaTrouble.Of(topic.Error)))]);
    }, AskMax);

    /// <summary>The first offset that is there, of each.</summary>
    /// <exception cref="KafkaTroubleException">The cluster does not answer.</exception>
    public Task<Dictionary<KafkaPartition, long>> FirstAsync(IReadOnlyList<KafkaPartition> partitions) => OffsetsAsync(partitions, OffsetSpec.Earliest());

    /// <summary>The offset that the next record gets, of each.</summary>
    /// <exception cref="KafkaTroubleException">The cluster does not answer.</exception>
    public Task<Dictionary<KafkaPartition, long>> NextAsync(IReadOnlyList<KafkaPartition> partitions) => OffsetsAsync(partitions, OffsetSpec.Latest());

    /// <summary>The first offset whose record is of this time or later; the next one where there is none.</summary>
    /// <exception cref="KafkaTroubleException">The cluster does not answer.</exception>
    public async Task<Dictionary<KafkaPartition, long>> FromAsync(IReadOnlyList<KafkaPartition> partitions, DateTimeOffset time)
    {
        Dictionary<KafkaPartition, long> found = await OffsetsAsync(partitions, OffsetSpec.ForTimestamp(time.ToUnixTimeMilliseconds()));
        KafkaPartition[] none = [.. found.Where(pair => pair.Value < 0).Select(pair => pair.Key)];

        if (none.Length > 0)
        {
            foreach ((KafkaPartition partition, long next) in await NextAsync(none))
            {
                found[partition] = next;
            }
        }

        return found;
    }

    /// <summary>Has a topic that keeps the last value of each key, of at least so many partitions: made, or made larger, where it is not.</summary>
    /// <exception cref="KafkaTroubleException">The cluster does not answer, or does not let it be made.</exception>
    public async Task HaveCompactedAsync(string topic, int partitions, IReadOnlyDictionary<string, string> settings)
    {
        KafkaFound found = await FindAsync([topic]);

        if (found.Topics is [{ } there])
        {
            if (there.Partitions < partitions)
            {
                await RefusedAsync(() => _admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = partitions }]), topic);
            }

            return;
        }

        await RefusedAsync(
            () => _admin.CreateTopicsAsync([
                new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = -1, Configs = new(settings) { ["cleanup.policy"] = "compact" } },
            ]),
            topic);
    }

    /// <summary>Ends behind the answers to what was asked.</summary>
    public void Dispose() => TryDispose();

    /// <summary>The same.</summary>
    /// <returns>Whether the answers came; where not, the client must not be freed.</returns>
    public bool TryDispose()
    {
        if (!_calls.End())
        {
            return false;
        }

        _admin.Dispose();
        return true;
    }

    /// <summary>Another daemon may have been faster.</summary>
    private async Task RefusedAsync(Func<Task> make, string topic)
    {
        Error refused;

        try
        {
            await _calls.AskAsync(
                async () =>
                {
                    await make();
                    return true;
                },
                2 * AskMax);
            return;
        }
        catch (KafkaTroubleException unmade) when (unmade.InnerException is CreateTopicsException { Results: [{ } topicOf] })
        {
            refused = topicOf.Error;
        }
        catch (KafkaTroubleException unmade) when (unmade.InnerException is CreatePartitionsException { Results: [{ } partitionsOf] })
        {
            refused = partitionsOf.Error;
        }

        if (refused.Code is not (ErrorCode.TopicAlreadyExists or ErrorCode.InvalidPartitions or ErrorCode.NoError))
        {
            throw new KafkaTroubleException(KafkaTrouble.Of(refused) with { Detail = $"'{topic}' cannot be made ({refused.Reason})" });
        }
    }

    /// <summary>The pattern of names, which takes time proportional to a name.</summary>
    /// <exception cref="ArgumentException">It is no regular expression, or has look-around or back-references.</exception>
    internal static Regex Pattern(string topic)
    {
        try
        {
            return new Regex(topic, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (NotSupportedException unsupported)
        {
            throw new ArgumentException(unsupported.Message, nameof(topic), unsupported);
        }
    }

    private async Task<Dictionary<KafkaPartition, long>> OffsetsAsync(IReadOnlyList<KafkaPartition> partitions, OffsetSpec which)
    {
        if (partitions.Count == 0)
        {
            return [];
        }

        ListOffsetsResult found = await _calls.AskAsync(
            () => _admin.ListOffsetsAsync(
                partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(partition.Topic, partition.Number), OffsetSpec = which }),
                new ListOffsetsOptions { RequestTimeout = AnswerMax }),
            AskMax);
        return found.ResultInfos.Select(info => info.TopicPartitionOffsetError)
            .ToDictionary(at => new KafkaPartition(at.Topic, at.Partition.Value), at => at.Offset.Value);
    }

    private static string IdOf(TopicDescription topic) =>
        topic.TopicId is not { } id || (id.MostSignificantBits == 0 && id.LeastSignificantBits == 0) ? "" : id.ToString();
}
