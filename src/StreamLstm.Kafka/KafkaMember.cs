using Confluent.Kafka;

namespace StreamLstm.Kafka;

/// <summary>Whom a member belongs to, and how its absence is noticed.</summary>
/// <param name="Group">The group that shares the topic's partitions.</param>
/// <param name="Instance">This member's name in the group, the same in every life of the program and no other member's.</param>
/// <param name="Topic">The topic.</param>
internal sealed record KafkaMemberOptions(string Group, string Instance, string Topic)
{
    /// <summary>Whether the brokers share partitions out (KIP-848) instead of a member; how long a member may be away is then the brokers' setting.</summary>
    public bool IsSharedByBrokers { get; init; }

    /// <summary>How long a member may be away before its partitions go to others.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time after which new partitions are noticed.</summary>
    public TimeSpan Refresh { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>A member of a group that shares a topic's partitions: says which are this program's, and reads nothing.</summary>
/// <remarks>
/// Its partitions stay paused, so it listens to the group alone, on a thread of its own: however long a record takes, it is never
/// thrown out for not asking for the next. A member that comes back under its name gets what it had.
/// </remarks>
internal sealed class KafkaMember : IDisposable
{
    private static readonly TimeSpan PollMax = TimeSpan.FromMilliseconds(100);

    private readonly IConsumer<Ignore, Ignore> _consumer;
    private readonly Action<IReadOnlyList<KafkaPartition>> _gained;
    private readonly Action<IReadOnlyList<KafkaPartition>, bool> _leaving;
    private readonly TaskCompletionSource<KafkaTrouble> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private bool _hasNew;   // of the own thread
    private volatile bool _isEnded;
    private volatile KafkaTrouble? _trouble;

    /// <param name="access">The cluster.</param>
    /// <param name="options">The group, and this member's name in it.</param>
    /// <param name="gained">Told which partitions are this member's from now on; on the member's thread.</param>
    /// <param name="leaving">Told which are to go, and whether they are gone already (true); they go to others once it returns.</param>
    /// <exception cref="ArgumentException">A setting is none, or has a value it cannot have; the message is librdkafka's.</exception>
    public KafkaMember(
        KafkaAccess access, KafkaMemberOptions options, Action<IReadOnlyList<KafkaPartition>> gained, Action<IReadOnlyList<KafkaPartition>, bool> leaving)
    {
        (_gained, _leaving) = (gained, leaving);
        var settings = new Dictionary<string, string>
        {
            ["group.id"] = options.Group,
            ["group.instance.id"] = options.Instance,
            ["group.protocol"] = options.IsSharedByBrokers ? "consumer" : "classic",
            ["enable.auto.commit"] = "false",
            ["enable.auto.offset.store"] = "false",
            ["isolation.level"] = "read_committed",
            ["topic.metadata.refresh.interval.ms"] = $"{options.Refresh.TotalMilliseconds:0}",
        };

        if (!options.IsSharedByBrokers)
        {
            settings["partition.assignment.strategy"] = "cooperative-sticky";
            settings["session.timeout.ms"] = $"{options.SessionTimeout.TotalMilliseconds:0}";
            settings["heartbeat.interval.ms"] = $"{Math.Min(3000, options.SessionTimeout.TotalMilliseconds / 4):0}";
        }

        try
        {
            _consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig(access.Configuration(settings)))
                .SetErrorHandler((_, error) => Note(error))
                .SetLogHandler((_, _) => { })
                .SetPartitionsAssignedHandler((_, partitions) =>
                {
                    _hasNew = true;
                    _gained(Of(partitions));

                    // Nothing is read here, so where is of no account.
                    return partitions.Select(partition => new TopicPartitionOffset(partition, Offset.End));
                })
                .SetPartitionsRevokedHandler((_, partitions) => _leaving(Of(partitions.Select(at => at.TopicPartition)), false))
                .SetPartitionsLostHandler((_, partitions) => _leaving(Of(partitions.Select(at => at.TopicPartition)), true))
                .Build();
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or KafkaException)
        {
            throw new ArgumentException(wrong.Message, nameof(access), wrong);
        }

        Topics = new KafkaTopics(_consumer.Handle);
        _consumer.Subscribe(options.Topic);
        _thread = new Thread(Run) { IsBackground = true, Name = $"kafka member {options.Instance}" };
        _thread.Start();
    }

    /// <summary>The cluster's topics.</summary>
    public KafkaTopics Topics { get; }

    /// <summary>Ends where this member can take part no more, with the reason: another one must be made.</summary>
    public Task<KafkaTrouble> Failed => _failed.Task;

    /// <summary>What the brokers or librdkafka last complained of; null where nothing was since <see cref="Forgive"/>.</summary>
    public KafkaTrouble? Trouble => _trouble;

    /// <summary>Says to the brokers who writes: who has been thrown out of the group meanwhile is refused.</summary>
    internal IConsumerGroupMetadata Metadata => _consumer.ConsumerGroupMetadata;

    /// <summary>Forgets the trouble: something has worked since.</summary>
    public void Forgive() => _trouble = null;

    /// <summary>Takes part no more. What was this member's goes to others once it has been away for too long.</summary>
    public void Dispose()
    {
        _isEnded = true;
        _thread.Join();

        if (Topics.TryDispose())
        {
            _consumer.Dispose();
        }
    }

    private void Run()
    {
        while (!_isEnded && !_failed.Task.IsCompleted)
        {
            try
            {
                _consumer.Consume(PollMax);

                if (_hasNew)
                {
                    _consumer.Pause(_consumer.Assignment);
                    _hasNew = false;
                }
            }
            catch (ConsumeException refused)
            {
                Note(refused.Error);
            }
            catch (KafkaException refused)
            {
                // While partitions are shared out: what is not to be answered any more.
                Note(refused.Error);
            }
        }

        try
        {
            _consumer.Close();
        }
        catch (KafkaException)
        {
            // Gone already.
        }
    }

    private void Note(Error error)
    {
        var trouble = KafkaTrouble.Of(error);

        if (!trouble.IsVague || _trouble is null)
        {
            _trouble = trouble;
        }

        if (error.IsFatal)
        {
            _failed.TrySetResult(trouble);
        }
    }

    private static KafkaPartition[] Of(IEnumerable<TopicPartition> partitions) =>
        [.. partitions.Select(partition => new KafkaPartition(partition.Topic, partition.Partition.Value))];
}
